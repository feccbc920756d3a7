"""``textclf worker``: does the tasks of a service."""

from __future__ import annotations

from typing import Annotated

from textclf.commands.application import Options
from textclf.data.scans import ScanOptions
from textclf.model.settings import AcceptanceOptions
from textclf.service.observing import ObservingOptions
from textclf.service.queue.broker_options import BrokerOptions
from textclf.service.queue.worker_options import WorkerOptions

Scans = Annotated[ScanOptions, Options(without=("split", "dask", "no_cache"))]


def worker(
    options: WorkerOptions,
    *,
    broker: BrokerOptions,
    accepting: AcceptanceOptions,
    scans: Scans,
    observing: ObservingOptions,
) -> None:
    """Do the tasks of a service, on its machine or on another one; print a line once it is ready.

        textclf serve --library desk --model model.textclf --port 8080 --broker redis://localhost/0
        textclf worker --library desk --broker redis://localhost/0
        textclf worker --library /shared/desk --database postgresql+psycopg://user@db/desk --broker amqp://user@mq//

    Start as many as there are machines: each reads in --jobs processes. They share the folder of the library with the
    service and, on several machines, a database server. Models change with that on duty. A worker that dies loses
    nothing: another one begins its tasks once their --lease is over. Runs until Ctrl-C or SIGTERM, which lets it finish
    what it has begun. docs/queue.md says how to set up brokers.
    """
    from dataclasses import replace

    from textclf.commands.console import print_lines, set_log_format
    from textclf.commands.serve import told_if_stopped_early, use_one_thread_each
    from textclf.service.queue.working import work

    use_one_thread_each()
    set_log_format(observing.log_format, others=True)
    # pages of strangers are not kept for another run, unless a cache is given
    scans = replace(scans, no_cache=scans.cache is None)
    with told_if_stopped_early():
        work(options, broker, scans, accepting, observing, ready=print_lines)
