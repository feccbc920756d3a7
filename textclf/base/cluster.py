"""A Dask cluster whose threads work for an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from textclf.base.errors import BadInputError, MissingProgramError, how_to_install
from textclf.base.processes import Reply, interrupts_blocked, log_levels, perform
from textclf.base.resources import usable_cores

if TYPE_CHECKING:
    from distributed import Client

Value = TypeVar("Value")

_SECONDS = 20
"""Timeout for connecting to a scheduler."""


class ClusterWorker:
    """A worker that submits to a Dask cluster, which itself chooses the thread for each task.

    Dask repeats the tasks of a process that died on others, and gives up a task that was there when more than
    ``distributed.scheduler.allowed-failures`` (3) of them died: the one at fault, and maybe others of that process.
    """

    # Dask itself has repeated the task by then
    attempts = 1

    def __init__(self, executor: Any) -> None:
        from distributed.scheduler import KilledWorker

        self.died: type[Exception] = KilledWorker
        self._executor = executor
        self._under_way: set[Future[Reply]] = set()

    def submit(self, function: Callable[..., object], *arguments: Any) -> Future[Reply]:
        """Start a task."""
        future: Future[Reply] = self._executor.submit(perform, function, log_levels(), *arguments)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def kill(self) -> None:
        """Cancel the tasks; those that already run on the cluster are not interrupted."""
        for future in list(self._under_way):
            future.cancel()


def cluster_workers(client: Client) -> list[ClusterWorker]:
    """Give one worker for each thread of a cluster."""
    # without pure=False, equal tasks would run once
    executor = client.get_executor(pure=False)
    return [ClusterWorker(executor) for _ in range(sum(client.nthreads().values()))]


@contextmanager
def open_cluster(address: str | Client) -> Iterator[Client]:
    """Connect to a Dask scheduler, or start a cluster of one process per core for the address ``local``."""
    if not isinstance(address, str):
        yield address
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingProgramError("dask.distributed is not installed", remedy=how_to_install("dask")) from error
    if address == "local":
        with interrupts_blocked():
            local = LocalCluster(n_workers=usable_cores(), threads_per_worker=1, dashboard_address=":0")
        with local, Client(local) as client:
            yield client
        return
    try:
        client = Client(address, timeout=_SECONDS)
    except (OSError, ValueError) as error:
        raise BadInputError("no Dask scheduler answers", where=address, remedy="check the address") from error
    with client:
        if not client.nthreads():
            raise BadInputError("the cluster has no worker", where=address, remedy="start one: dask worker ADDRESS")
        yield client


def share_with(client: Client, value: Value) -> Value:
    """Send something to the cluster once: what comes back stands for it among the arguments of a task."""
    import dask

    # as the result of a task and not by scatter: Dask makes it anew when all workers that held it have died, where it
    # would wait for scattered data without end
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        sent: Value = client.submit(_identity, value, pure=False)
    return sent


def _identity(value: Value) -> Value:
    return value
