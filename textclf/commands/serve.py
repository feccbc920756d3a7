"""``textclf serve``: classification over HTTP."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from textclf.base.errors import ExitCode
from textclf.base.program import Stopped
from textclf.commands.application import Options
from textclf.data.scans import ScanOptions
from textclf.model.settings import AcceptanceOptions
from textclf.service.observing import ObservingOptions
from textclf.service.queue.broker_options import BrokerOptions
from textclf.service.service_options import ServiceOptions

_log = logging.getLogger(__name__)

Scans = Annotated[ScanOptions, Options(without=("split", "dask", "no_cache"))]


def serve(
    options: ServiceOptions,
    *,
    broker: BrokerOptions,
    accepting: AcceptanceOptions,
    scans: Scans,
    observing: ObservingOptions,
) -> None:
    """Run a service that classifies documents over HTTP; print its URL when it is ready.

        textclf serve --library desk --model model.textclf --port 8080
        curl -F files=@scan.pdf http://127.0.0.1:8080/v1/classify/file

    /docs describes the routes, /metrics has figures for Prometheus. Runs until Ctrl-C or SIGTERM, which lets it finish
    what it has begun. With --broker, tasks are done by textclf worker, here or on other machines.
    """
    use_one_thread_each()
    from dataclasses import replace

    from textclf.commands.console import print_lines, set_log_format
    from textclf.service.serving import serve

    set_log_format(observing.log_format, others=True)
    # pages of strangers are not kept for another run, unless a cache is given
    scans = replace(scans, no_cache=scans.cache is None)
    with told_if_stopped_early():
        serve(options, broker, scans, accepting, observing, ready=print_lines)


@contextmanager
def told_if_stopped_early() -> Iterator[None]:
    """Tell of a signal that comes before a program is ready, which sees to signals itself once it is."""
    from typer.exceptions import Exit

    try:
        yield
    except (KeyboardInterrupt, Stopped) as stopped:
        _log.info("stopped before it was ready")
        code = stopped.code if isinstance(stopped, Stopped) else ExitCode.INTERRUPTED
        raise Exit(int(code or 0)) from stopped


def use_one_thread_each() -> None:
    """Keep numeric libraries to one thread, before they are imported: pages are read in parallel already."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
