"""Starting, running and stopping a worker, many a library."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from textclf.base.errors import UsageError
from textclf.data.scans import ScanOptions
from textclf.library.library import Library
from textclf.model.settings import AcceptanceOptions
from textclf.service.desk import Desk
from textclf.service.duty import ModelOnDuty
from textclf.service.metrics import Metrics
from textclf.service.observing import ObservingOptions
from textclf.service.queue.broker import Broker, BrokerError
from textclf.service.queue.broker_options import BrokerOptions
from textclf.service.queue.figures import figures
from textclf.service.queue.worker import Worker
from textclf.service.queue.worker_options import WorkerOptions

_PATIENCE = 60.0
"""Seconds for which a worker waits for its broker at the start, as where both start together."""
_PAUSE = 2.0

_log = logging.getLogger(__name__)


def work(
    options: WorkerOptions,
    broker_options: BrokerOptions,
    scans: ScanOptions,
    accepting: AcceptanceOptions,
    observing: ObservingOptions,
    *,
    ready: Callable[[str], None],
) -> None:
    """Run a worker until SIGINT, SIGTERM or SIGHUP.

    Parameters
    ----------
    options : WorkerOptions
        Library and limits.
    broker_options : BrokerOptions
        Who tells of tasks.
    scans : ScanOptions
        How documents are read.
    accepting : AcceptanceOptions
        The maximum error, if it is not that of the model.
    observing : ObservingOptions
        Where traces are sent.
    ready : callable
        Called with a line once tasks are done.

    Raises
    ------
    textclf.base.errors.TextclfError
        If the library, the model, the engine, the broker or the port cannot be used.
    """
    if broker_options.broker is None:
        raise UsageError(
            "is missing", where="broker", remedy="give that of textclf serve; without one, the service needs no worker"
        )
    broker = Broker(broker_options)
    wait_for(broker)
    with (
        closing(observing.tracing("textclf-worker")) as tracing,
        Library.open(options.library, options.database) as library,
    ):
        duty = ModelOnDuty(library, accepting)
        duty.refresh()
        metrics = Metrics(tracing)
        desk = Desk(library, scans, duty, metrics, queue=1, keep=options.keep)
        worker = Worker(desk, broker, lease=timedelta(seconds=options.lease), grace=options.grace)
        metrics.watch(
            queue_length=worker.count,
            tasks=library.tasks.count,
            corrections=library.count_corrections,
            model=lambda: duty.current,
            database_up=lambda: desk.database.is_up,
            broker_up=lambda: worker.is_connected,
        )
        with figures(options.metrics_host, options.metrics_port, metrics, worker.why_not_ready) as url:
            where = f", metrics at {url}" if url else ""
            asyncio.run(worker.run(ready=lambda: ready(f"ready: {broker.place} queue {broker.queue}{where}")))


def wait_for(broker: Broker) -> None:
    """Wait until the broker can be used.

    Raises
    ------
    BrokerError
        If that takes too long.
    """
    end, told = time.monotonic() + _PATIENCE, False
    while True:
        try:
            broker.waiting()
        except BrokerError as error:
            if time.monotonic() > end:
                raise
            if not told:
                _log.warning(f"waiting for the broker: {error}")
            told = True
            time.sleep(_PAUSE)
        else:
            return
