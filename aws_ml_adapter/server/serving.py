"""Starting, running and stopping the server, one per data directory."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

import uvicorn

from aws_ml_adapter.api.storage import StorageOptions, open_storage
from aws_ml_adapter.server.app import App
from aws_ml_adapter.server.entities import Entities
from aws_ml_adapter.server.hosts_and_cors import Cors, Hosts
from aws_ml_adapter.server.operations import Operations
from aws_ml_adapter.server.pages import Pages
from aws_ml_adapter.server.realtime import RealTime
from aws_ml_adapter.server.s3.endpoint import S3
from aws_ml_adapter.server.scheduler import Scheduler
from aws_ml_adapter.server.server_options import MAX_JOBS, ServerOptions
from aws_ml_adapter.server.signatures import read_keys
from textclf.base.errors import BadInputError, OutputError, UsageError
from textclf.base.files import output_error
from textclf.base.http_limits import BoundedProtocol

_CONNECTIONS = 256
_SECRET_BYTES = 32
_LOG_BYTES, _LOG_FILES = 32 * 2**20, 3


def serve(options: ServerOptions, *, ready: Callable[[str, str], None]) -> None:
    """Run the server until SIGINT, SIGTERM or SIGHUP.

    Once it accepts requests, ``ready`` is called with its URL and that of its web pages. With keys, the latter is a
    secret that gives access to all pages.
    """
    if options.s3_root is not None and not options.s3_root.is_dir():
        raise BadInputError("is not a folder", where=options.s3_root, remedy="create it, or give another --s3-root")
    keys = read_keys(options.credentials) if options.credentials else None
    cors = Cors(options.allow_origins)
    with _locked(options.data_dir), _listening(options.host, options.port) as listener:
        secret = _secret(options.data_dir / "secret")
        _log_requests(options.data_dir / "requests.log")
        entities = Entities(options.data_dir / "state.sqlite3", clock=time.time)
        realtime = RealTime(entities, data_dir=options.data_dir, rate=options.rate)
        root = None if options.s3_endpoint else options.s3_root or options.data_dir / "s3"
        if root is not None:
            root.mkdir(parents=True, exist_ok=True)
        storage = StorageOptions(root=str(root) if root else None, endpoint=options.s3_endpoint)
        scheduler = Scheduler(
            entities,
            data_dir=options.data_dir,
            storage=storage,
            max_jobs=options.jobs or min(os.cpu_count() or 1, MAX_JOBS),
            best_answer=options.best_answer,
            ended=realtime.settle,
        )
        pages = Pages(entities, data_dir=options.data_dir, secret=secret, signed=keys is not None)
        hosts = Hosts(options.public_url)
        app = App(
            Operations(entities, scheduler, realtime, storage=open_storage(storage, patient=False), secret=secret),
            realtime,
            pages,
            s3=S3(root, data_dir=options.data_dir, secret=secret, hosts=hosts, keys=keys),
            hosts=hosts,
            cors=cors,
            data_dir=options.data_dir,
            keys=keys,
        )
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        server = _Server(app, lambda: ready(url, (options.public_url or url) + pages.path))
        scheduler.start()
        realtime.start()
        try:
            server.run(sockets=[listener])
        finally:
            scheduler.stop()
            realtime.stop()
            entities.close()


class _Server(uvicorn.Server):
    def __init__(self, app: App, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            loop="uvloop",
            ws="none",
            lifespan="off",
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            log_level="warning",
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
        super().__init__(config)
        self._ready = ready
        # set here, because uvicorn handles signals only while it runs, and raises the last one again afterwards
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.handle_exit)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the data directory; the kernel releases the lock however the process ends."""
    try:
        # state and logs are private
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("a")
    except OSError as error:
        raise output_error(error, folder, "give another place with --data-dir") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                "another server uses this data directory", where=folder, remedy="stop it or give another --data-dir"
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


def _log_requests(path: Path) -> None:
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8")
    formatter = logging.Formatter("%(asctime)s %(message)s")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger = logging.getLogger("aws_ml_adapter.requests")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _secret(path: Path) -> bytes:
    """Return the key of signed URLs, which is kept in a file."""
    if not path.is_file():
        aside = path.with_suffix(".part")
        aside.unlink(missing_ok=True)
        aside.touch(0o600, exist_ok=False)
        aside.write_bytes(secrets.token_bytes(_SECRET_BYTES))
        aside.replace(path)
    secret = path.read_bytes()
    if len(secret) != _SECRET_BYTES:
        raise BadInputError(
            f"does not have {_SECRET_BYTES} bytes", where=path, remedy="remove it; links issued so far become invalid"
        )
    return secret
