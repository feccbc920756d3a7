"""A stream of batches through several processes, in order and in constant memory."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from textclf.base.errors import PredictionError
from textclf.base.workers import deaf_to_interrupts, open_processes, usable_cores

if TYPE_CHECKING:
    from joblib import Parallel

AHEAD = 3
"""Batches given to each process: one that it works on, and two that wait for it."""
HELD = 8
"""Times as many batches are under way, done ones that wait for their turn among them, as there are processes."""
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
        Processes, of which this is one; all cores if None.
    alone : int, default 0
        A stream of no more batches needs no other process.
    dask : str
        Address of a Dask scheduler to work on its cluster, or ``local``; empty for processes of this machine.

    Yields
    ------
    object
        What the task gives, in the order of the batches. Where the system has no processes, all is done in this one.

    Raises
    ------
    textclf.base.errors.PredictionError
        If processes died again and again; the work of one that died is given to another.
    textclf.base.errors.MissingProgramError, textclf.base.errors.BadInputError
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
    executor: Any = _start(shared, jobs - 1) if jobs > 1 and len(ahead) > alone else None
    if executor is None:
        for batch in chain(ahead, stream):
            yield task(shared, batch)
        return
    broken = 0
    coming = chain(ahead, stream)
    under_way: deque[tuple[Given, Future[Result]]] = deque()

    def give() -> None:
        given = sum(not future.done() for _, future in under_way)
        room = min(AHEAD * (jobs - 1) - given, HELD * jobs - len(under_way))
        under_way.extend((batch, _submit(executor, task, batch)) for batch in islice(coming, max(0, room)))

    try:
        give()
        while under_way:
            first = under_way[0][1]
            # rather than to wait, this process takes the next batch itself
            if not first.done() and len(under_way) < HELD * jobs and (own := list(islice(coming, 1))):
                done: Future[Result] = Future()
                done.set_result(task(shared, own[0]))
                under_way.append((own[0], done))
                give()
                continue
            try:
                result = first.result()
            except BrokenExecutor as error:
                broken += 1
                executor.shutdown(wait=True)
                executor = _start(shared, jobs - 1) if broken < BROKEN_AT_MOST else None
                if executor is None:
                    raise PredictionError(
                        "a process that predicts died", remedy="there may be too little memory: try --jobs 1"
                    ) from error
                under_way = deque(
                    (batch, _submit(executor, task, batch) if _is_lost(future) else future)
                    for batch, future in under_way
                )
                continue
            under_way.popleft()
            give()
            yield result
    finally:
        for _, future in under_way:
            future.cancel()
        if executor is not None:
            executor.shutdown(wait=True)


def _submit(executor: Any, task: Callable[[Any, Given], Result], batch: Given) -> Future[Result]:
    try:
        submitted: Future[Result] = executor.submit(_do, task, batch)
    # a process has died, which shows when this batch's turn comes
    except BrokenExecutor as error:
        submitted = Future()
        submitted.set_exception(error)
    return submitted


def _is_lost(future: Future[Any]) -> bool:
    return not future.done() or isinstance(future.exception(), BrokenExecutor)


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
    from textclf.base.cluster import open_cluster, shared_with

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
