"""Starting, running and stopping the service, one a library."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from types import FrameType

from textclf.base.errors import BadInputError
from textclf.base.http_server import Server, listening, locked_folder
from textclf.base.user import user_name
from textclf.data.scans import ScanOptions
from textclf.library.library import Library
from textclf.model.settings import AcceptanceOptions
from textclf.service.app import create_app
from textclf.service.desk import Desk
from textclf.service.duty import ModelOnDuty
from textclf.service.keys import Keys
from textclf.service.metrics import Metrics
from textclf.service.observing import ObservingOptions
from textclf.service.queue.broker_options import BrokerOptions
from textclf.service.service_options import ServiceOptions

CONNECTIONS = 512
"""Most connections at a time; further ones are refused."""

_log = logging.getLogger(__name__)


def serve(
    options: ServiceOptions,
    broker: BrokerOptions,
    scans: ScanOptions,
    accepting: AcceptanceOptions,
    observing: ObservingOptions,
    *,
    ready: Callable[[str], None],
) -> None:
    """Run the service until SIGINT, SIGTERM or SIGHUP.

    Parameters
    ----------
    options : ServiceOptions
        Library, address, keys and limits.
    broker : BrokerOptions
        Who tells workers of tasks; without one, they are done in this process.
    scans : ScanOptions
        How documents are read.
    accepting : AcceptanceOptions
        The maximum error, if it is not that of the model.
    observing : ObservingOptions
        Where traces are sent.
    ready : callable
        Called with the URL of the service once it accepts requests.

    Raises
    ------
    textclf.base.errors.TextclfError
        If the library, the model, the keys, the root, the engine or the address cannot be used, or another service
        uses the library.
    """
    if options.root is not None and not options.root.is_dir():
        raise BadInputError("is not a folder", where=options.root, remedy="create it, or give another --root")
    keys = None if options.key_file is None else Keys(options.key_file)
    with (
        locked_folder(options.library, "service.lock", busy="another service uses this library", option="--library"),
        Library.open(options.library, options.database) as library,
        listening(options.host, options.port) as (listener, url),
        closing(observing.tracing("textclf-serve")) as tracing,
    ):
        if options.model is not None:
            now = datetime.now(UTC)
            stored = library.add_model(options.model, at=now)
            library.put_on_duty(stored.id, by=user_name(), at=now)
        duty = ModelOnDuty(library, accepting)
        if duty.refresh() is None:
            _log.warning(
                "no model is on duty: until there is one, programs are refused, and the pages only read documents; "
                "--model gives it"
            )
        desk = Desk(library, scans, duty, Metrics(tracing), queue=options.queue, keep=options.keep)
        desk.uploads.remove_left_over(partial(_waits, library))
        server = _Server(desk, options, broker, keys, lambda: ready(url))
        server.run(sockets=[listener])


class _Server(Server):
    def __init__(
        self,
        desk: Desk,
        options: ServiceOptions,
        broker: BrokerOptions,
        keys: Keys | None,
        ready: Callable[[], None],
    ) -> None:
        app = create_app(desk, options, broker, keys)
        super().__init__(app, ready, connections=CONNECTIONS, grace=math.ceil(options.grace), lifespan="on")
        self._desk = desk

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop: nothing new is begun."""
        super().handle_exit(sig, frame)
        self._desk.begin_to_stop()


def _waits(library: Library, task_id: str) -> bool:
    task = library.tasks.get(task_id)
    return task is not None and task.finished_at is None
