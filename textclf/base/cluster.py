"""A Dask cluster: its workers read pages, as processes of this machine do otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from textclf.base.errors import BadInputError, MissingProgramError
from textclf.base.workers import Worker, deaf_to_interrupts, usable_cores

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

_SECONDS = 20
"""To wait for a scheduler that does not answer."""


class ClusterWorker:
    """Does one task at a time somewhere on the cluster; several of them keep its threads busy.

    A worker that dies costs no page: Dask gives its tasks to others. A page that kills every worker it meets is given
    up by Dask after ``distributed.scheduler.allowed-failures`` (3) of them.

    Parameters
    ----------
    executor : distributed.cfexecutor.ClientExecutor
        From ``client.get_executor(pure=False)``: without it, Dask would do equal tasks only once.
    """

    def __init__(self, executor: Any) -> None:
        self._executor = executor
        self._current: Future[Any] | None = None

    def submit(self, task: Callable[..., T], *args: Any) -> Future[T]:
        """Begin a task."""
        from distributed.scheduler import KilledWorker

        result: Future[T] = Future()

        def hand_on(done: Future[T]) -> None:
            if done.cancelled():
                result.cancel()
            elif isinstance(done.exception(), KilledWorker):
                result.set_exception(BadInputError("every process that read it died"))
            elif error := done.exception():
                result.set_exception(error)
            else:
                result.set_result(done.result())

        self._current = self._executor.submit(task, *args)
        self._current.add_done_callback(hand_on)
        return result

    def kill(self) -> None:
        """Give up the task; what already runs on the cluster runs to its end there."""
        if self._current is not None:
            self._current.cancel()


@contextmanager
def open_cluster(address: str) -> Iterator[Client]:
    """Connect to a Dask cluster.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``; ``local`` starts a cluster of one process a core here.

    Yields
    ------
    distributed.Client
        Closed at the end, with a local cluster.

    Raises
    ------
    textclf.base.errors.MissingProgramError
        If Dask is not installed.
    textclf.base.errors.BadInputError
        If no scheduler answers, or it has no worker.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingProgramError("dask.distributed is not installed", remedy="pip install 'textclf[dask]'") from error
    if address == "local":
        with deaf_to_interrupts():
            local = LocalCluster(n_workers=usable_cores(), threads_per_worker=1, dashboard_address=None)
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


def cluster_workers(client: Client) -> list[Worker]:
    """Give one worker for each thread of a cluster.

    Parameters
    ----------
    client : distributed.Client
        Connected to it.
    """
    # without pure=False, equal tasks would be done once
    executor = client.get_executor(pure=False)
    return [ClusterWorker(executor) for _ in range(sum(client.nthreads().values()))]


def shared_with(client: Client, value: T) -> T:
    """Send something to the cluster once, for tasks that need it.

    Parameters
    ----------
    client : distributed.Client
        Connected to it.
    value : object
        What to send.

    Returns
    -------
    distributed.Future
        Stands for the value among the arguments of a task.
    """
    import dask

    # as the result of a task and not by scatter: Dask makes it anew when all workers that held it have died, where it
    # would wait for scattered data without end
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        sent: T = client.submit(_itself, value, pure=False)
    return sent


def _itself(value: T) -> T:
    return value
