"""Starting, running and stopping the service, one a library."""

from __future__ import annotations

import fcntl
import getpass
import logging
import math
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn

from textclf.base.errors import BadInputError, OutputError, UsageError
from textclf.base.files import output_error
from textclf.base.http_limits import BoundedProtocol
from textclf.data.scans import ScanOptions
from textclf.library.library import Library
from textclf.model.settings import AcceptanceOptions
from textclf.service.app import create_app
from textclf.service.desk import Desk
from textclf.service.duty import ModelOnDuty
from textclf.service.keys import Keys
from textclf.service.metrics import Metrics
from textclf.service.service_options import ServiceOptions

CONNECTIONS = 512
"""Most connections at a time; further ones are refused."""
_KEEP_ALIVE = 75

_log = logging.getLogger(__name__)


def serve(
    options: ServiceOptions, scans: ScanOptions, accepting: AcceptanceOptions, *, ready: Callable[[str], None]
) -> None:
    """Run the service until SIGINT, SIGTERM or SIGHUP; ``ready`` is called with its URL once it accepts requests."""
    if options.root is not None and not options.root.is_dir():
        raise BadInputError("is not a folder", where=options.root, remedy="create it, or give another --root")
    keys = None if options.key_file is None else Keys(options.key_file)
    with (
        _locked(options.library),
        Library.open(options.library, options.database) as library,
        _listening(options.host, options.port) as listener,
    ):
        if options.model is not None:
            now = datetime.now(UTC)
            stored = library.add_model(options.model, at=now)
            library.put_on_duty(stored.id, by=_user(), at=now)
        duty = ModelOnDuty(library, accepting)
        if duty.refresh() is None:
            _log.warning("no model is on duty: documents are refused until there is one; --model gives it")
        desk = Desk(library, scans, duty, Metrics(), queue=options.queue, keep=options.keep)
        desk.uploads.remove_left_over(partial(_waits, library))
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        server = _Server(desk, options, keys, lambda: ready(url))
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, desk: Desk, options: ServiceOptions, keys: Keys | None, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            create_app(desk, options, keys),
            http=BoundedProtocol,
            ws="none",
            lifespan="on",
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            log_level="warning",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=math.ceil(options.grace),
        )
        super().__init__(config)
        self._desk, self._ready = desk, ready
        # set here, because uvicorn handles signals only while it runs, and raises the last one again afterwards
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.handle_exit)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop: nothing new is begun."""
        super().handle_exit(sig, frame)
        self._desk.stopping.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell that requests are accepted."""
        await super().startup(sockets)
        if self.started:
            self._ready()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the library against a second service; the kernel releases the lock however the process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "service.lock").open("a")
    except OSError as error:
        raise output_error(error, folder, "give another place with --library") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                "another service uses this library", where=folder, remedy="stop it or give another --library"
            ) from error
        yield


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError) as error:
        raise OutputError(f"cannot listen on {host} port {port} ({error})", remedy="give another --port") from error
    with listener:
        yield listener


def _waits(library: Library, task_id: str) -> bool:
    task = library.tasks.get(task_id)
    return task is not None and task.finished_at is None


def _user() -> str:
    # a container may have no name for its user
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return str(os.getuid())
