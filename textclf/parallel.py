"""A stream of batches through several processes, in order and in constant memory."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from ocr.workers import deaf_to_interrupts, open_processes, usable_cores
from textclf.errors import PredictionError

if TYPE_CHECKING:
    from joblib import Parallel

__all__ = ["map_in_order", "worker_pool"]

AHEAD = 2
"""Batches under way for each process: one that it works on, and one that waits for it."""
BROKEN_AT_MOST = 3

Shared = TypeVar("Shared")
Given = TypeVar("Given")
Result = TypeVar("Result")

_shared: Any = None


def map_in_order(
    task: Callable[[Shared, Given], Result],
    shared: Shared,
    batches: Iterable[Given],
    *,
    jobs: int | None = None,
    alone: int = 0,
    dask: str = "",
) -> Iterator[Result]:
    """Do a task for each batch of a stream.

    Parameters
    ----------
    task : callable
        A function of a module, given `shared` and the batch.
    shared : object
        What every batch needs; each process gets it once.
    batches : iterable
        Read only so far ahead as the processes need.
    jobs : int, optional
        Processes; all cores if None.
    alone : int, default 0
        Batches to do in this process while others start; a stream of no more needs no others.
    dask : str
        Address of a Dask scheduler to work on its cluster, or ``local``; empty for processes of this machine.

    Yields
    ------
    object
        What the task gives, in the order of the batches. Where the system has no processes, all is done in this one.

    Raises
    ------
    textclf.errors.PredictionError
        If processes died again and again; the work of one that died is given to another.
    textclf.errors.MissingProgramError, textclf.errors.BadInputError
        If there is no such cluster.

    Examples
    --------
    >>> list(map_in_order(pow, 2, range(5), jobs=1))
    [1, 2, 4, 8, 16]
    """
    if dask:
        yield from _map_on_cluster(task, shared, iter(batches), dask)
        return
    jobs = usable_cores() if jobs is None else jobs
    stream = iter(batches)
    ahead = list(islice(stream, alone + 1))
    executor: Any = _start(shared, jobs) if jobs > 1 and len(ahead) > alone else None
    if executor is None:
        for batch in chain(ahead, stream):
            yield task(shared, batch)
        return
    broken = 0
    under_way: deque[tuple[Given, Any]] = deque()
    try:
        # they start on these while the first ones are done here
        further = chain(ahead[alone:], islice(stream, AHEAD * jobs - 1))
        under_way.extend((batch, executor.submit(_do, task, batch)) for batch in further)
        for batch in ahead[:alone]:
            yield task(shared, batch)
        ahead.clear()
        while under_way:
            try:
                result = under_way[0][1].result()
            except BrokenExecutor as error:
                broken += 1
                executor.shutdown(wait=True)
                executor = _start(shared, jobs) if broken < BROKEN_AT_MOST else None
                if executor is None:
                    raise PredictionError(
                        "a process that predicts died", remedy="there may be too little memory: try --jobs 1"
                    ) from error
                under_way = deque((batch, executor.submit(_do, task, batch)) for batch, _ in under_way)
                continue
            under_way.popleft()
            under_way.extend((batch, executor.submit(_do, task, batch)) for batch in islice(stream, 1))
            yield result
    finally:
        for _, future in under_way:
            future.cancel()
        if executor is not None:
            executor.shutdown(wait=True)


@contextmanager
def worker_pool(jobs: int) -> Iterator[Parallel]:
    """Open joblib's processes, which Ctrl-C reaches through this process alone.

    Parameters
    ----------
    jobs : int
        Processes, as joblib counts them; -1 for all cores.

    Yields
    ------
    joblib.Parallel
        All of its processes have been started.

    Examples
    --------
    >>> from joblib import delayed
    >>> with worker_pool(1) as pool:
    ...     pool(delayed(pow)(2, n) for n in range(3))
    [1, 2, 4]
    """
    from joblib import Parallel, delayed, effective_n_jobs

    with warnings.catch_warnings(), Parallel(n_jobs=jobs) as pool:
        # joblib replaces a process that has grown by some 300 MB, and gives its work to the new one
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs", category=UserWarning)
        with deaf_to_interrupts():
            pool(delayed(int)() for _ in range(effective_n_jobs(jobs)))
        yield pool


def _map_on_cluster(
    task: Callable[[Shared, Given], Result], shared: Shared, stream: Iterator[Given], address: str
) -> Iterator[Result]:
    from ocr.cluster import open_cluster, shared_with

    with open_cluster(address) as client:
        from distributed.scheduler import KilledWorker

        everywhere = shared_with(client, shared)
        executor = client.get_executor(pure=False)
        ahead = AHEAD * sum(client.nthreads().values())
        under_way = deque(executor.submit(task, everywhere, batch) for batch in islice(stream, ahead))
        while under_way:
            try:
                result = under_way.popleft().result()
            except KilledWorker as error:
                raise PredictionError("every process that predicts died", remedy="look at the workers' logs") from error
            under_way.extend(executor.submit(task, everywhere, batch) for batch in islice(stream, 1))
            yield result


def _start(shared: object, jobs: int) -> Any:
    """Start processes; None where the system has none to give."""
    try:
        executor = open_processes(jobs, _begin, (shared,))
        with deaf_to_interrupts():
            executor.submit(os.getpid)
    except (ImportError, NotImplementedError, OSError):
        return None
    return executor


def _begin(shared: object) -> None:
    global _shared
    _shared = shared


def _do(task: Callable[[Any, Given], Result], batch: Given) -> Result:
    return task(_shared, batch)
