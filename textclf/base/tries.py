"""Tries over one set of documents, by processes of this machine or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from textclf.base.cluster import open_cluster, shared_with
from textclf.base.parallel import worker_pool

if TYPE_CHECKING:
    from distributed import Client

Result = TypeVar("Result")


class Team(Protocol):
    """Does some tries at a time.

    Parameters
    ----------
    size : int
        How many.
    """

    size: int

    def run(self, task: Callable[..., Result], tries: Sequence[tuple[Any, ...]]) -> list[Result | None]:
        """Do some tries.

        Parameters
        ----------
        task : callable
            A function of a module, given what all tries share and the arguments of one.
        tries : sequence of tuple
            The arguments of each.

        Returns
        -------
        list
            What the task gave, in the order of the tries; None for one that no worker lived through.
        """
        ...


class _Processes:
    def __init__(self, shared: object, parallel: Any, size: int) -> None:
        self._shared, self._parallel, self.size = shared, parallel, size

    def run(self, task: Callable[..., Result], tries: Sequence[tuple[Any, ...]]) -> list[Result | None]:
        from joblib import delayed

        found: list[Result | None] = self._parallel(delayed(task)(self._shared, *one) for one in tries)
        return found


class _Cluster:
    def __init__(self, shared: object, client: Client) -> None:
        self._shared = shared_with(client, shared)
        # without pure=False, equal tasks would be done once
        self._executor = client.get_executor(pure=False)
        self.size = sum(client.nthreads().values())

    def run(self, task: Callable[..., Result], tries: Sequence[tuple[Any, ...]]) -> list[Result | None]:
        from distributed.scheduler import KilledWorker

        found: list[Result | None] = []
        futures = [self._executor.submit(task, self._shared, *one) for one in tries]
        try:
            for future in futures:
                try:
                    found.append(future.result())
                except KilledWorker:
                    found.append(None)
        finally:
            for future in futures:
                future.cancel()
        return found


@contextmanager
def open_team(shared: object, *, jobs: int = 1, dask: str = "") -> Iterator[Team]:
    """Start who does the tries.

    Parameters
    ----------
    shared : object
        What all tries share; on a cluster it goes to each worker once.
    jobs : int, default 1
        Processes, -1 for all cores.
    dask : str
        Address of a Dask scheduler to work on its cluster, or ``local``; empty for processes of this machine.

    Yields
    ------
    Team
        As many at a time as there are processes, or threads of the cluster's workers.

    Raises
    ------
    textclf.base.errors.MissingProgramError, textclf.base.errors.BadInputError
        If there is no such cluster.

    Examples
    --------
    >>> with open_team(10) as team:
    ...     team.run(pow, [(1,), (2,)])
    [10, 100]
    """
    if dask:
        with open_cluster(dask) as client:
            yield _Cluster(shared, client)
        return
    from joblib import effective_n_jobs

    processes = effective_n_jobs(jobs)
    with worker_pool(processes) as pool:
        yield _Processes(shared, pool, processes)
