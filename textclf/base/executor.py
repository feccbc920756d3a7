"""The one executor: tasks in this process, in processes of this computer, or on a Dask cluster."""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from textclf.base.cluster import cluster_workers, open_cluster, share_with
from textclf.base.errors import LostTaskError
from textclf.base.processes import Reply, SharedFile, WorkerProcess
from textclf.base.resources import usable_cores

if TYPE_CHECKING:
    from distributed import Client

Shared = TypeVar("Shared")
Result = TypeVar("Result")

AHEAD = 3
"""Tasks given to each process of a stream: one that it works on, and two that wait for it."""
HELD = 8
"""Times as many tasks of a stream are under way, ended ones that wait for their turn included, as there are workers."""


class Worker(Protocol):
    """Where tasks are done one after the other: the three back ends of an executor."""

    @property
    def died(self) -> type[Exception]:
        """What a future raises whose process died."""

    @property
    def attempts(self) -> int:
        """How often a task is begun that kills its process."""

    def submit(self, function: Callable[..., object], *arguments: Any) -> Future[Reply]:
        """Begin a task."""

    def kill(self) -> None:
        """Stop at once what is running, with its children; the next task finds a fresh process."""


class InProcess:
    """Does a task at once in this process: for a single document, and where processes cannot be had."""

    died: type[Exception] = LostTaskError
    attempts = 1

    def submit(self, function: Callable[..., object], *arguments: Any) -> Future[Reply]:
        """Do a task; it has ended when this returns."""
        future: Future[Reply] = Future()
        try:
            future.set_result(Reply(function(*arguments), None, []))
        except Exception as error:  # noqa: BLE001 - handed on: whoever asks for the result gets it
            future.set_exception(error)
        return future

    def kill(self) -> None:
        """Do nothing: nothing runs between two tasks."""


@dataclass(slots=True, eq=False)
class _Task:
    key: Any
    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    future: Future[Reply]
    started: float = 0.0
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task came to."""

    key: Any
    seconds: float
    result: Any = None
    error: Exception | None = None

    def get(self) -> Any:
        """Give the result, or raise what the task raised."""
        if self.error is not None:
            raise self.error
        return self.result


class Executor:
    """Does tasks, several at a time: those whose process dies once more, those that hang not to their end.

    Parameters
    ----------
    workers : sequence of Worker
        Where.
    share : callable
        Makes something known to all of them: gives what stands for it among the arguments of a task.
    ahead : int
        Tasks given to each worker at a time.
    seconds : float, optional
        After which a task is stopped.
    verb, remedy : str
        What workers do with a task, in the past tense, and what helps if they die of it, for messages.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        share: Callable[[Any], Any] = lambda value: value,
        *,
        ahead: int = 1,
        seconds: float = float("inf"),
        verb: str = "worked on",
        remedy: str | None = None,
    ) -> None:
        self.size, self.share = len(workers), share
        self._ahead, self._seconds, self._verb, self._remedy = ahead, seconds, verb, remedy
        self._queues: dict[Worker, deque[_Task]] = {worker: deque() for worker in workers}

    def has_room(self) -> bool:
        """Whether a worker would begin another task, or hold it ready."""
        return any(len(queue) < self._ahead for queue in self._queues.values())

    def running(self) -> list[Any]:
        """Keys of the tasks that have begun and not been collected."""
        return [task.key for queue in self._queues.values() for task in queue]

    def submit(self, key: Any, function: Callable[..., object], *arguments: Any, name: str = "") -> _Task:
        """Give a task to the worker that has least to do; `collect` gives its outcome under this key."""
        worker = min(self._queues, key=lambda worker: len(self._queues[worker]))
        task = _Task(key, name, function, arguments, Future())
        self._begin(worker, task)
        return task

    def collect(self, *, block: bool = True) -> list[Outcome]:
        """Give the outcomes of tasks that have ended; wait for one if there is none and some task runs."""
        while True:
            heads = [queue[0].started for queue in self._queues.values() if queue]
            left = max(0.0, min(heads, default=0.0) + self._seconds - time.perf_counter()) if block else 0.0
            under_way = [task.future for queue in self._queues.values() for task in queue]
            wait(under_way, timeout=None if left == float("inf") else left, return_when=FIRST_COMPLETED)
            found = [outcome for worker in self._queues for outcome in self._ended(worker)]
            if found or not block or not heads:
                return found

    def outcomes(
        self,
        function: Callable[..., object],
        items: Iterable[tuple[Any, ...]],
        *,
        help_out: bool = False,
        name: Callable[..., str] = lambda *arguments: "",
    ) -> Generator[Outcome]:
        """Do a task with each item for its arguments, drawn as they are needed; the outcomes come in their order.

        With ``help_out``, this process does tasks too when it would have to wait.
        """
        coming = enumerate(items)
        most = HELD * (self.size + help_out)
        waiting: deque[int] = deque()
        ended: dict[int, Outcome] = {}
        own: dict[int, _Task] = {}
        try:
            while True:
                while self.has_room() and len(waiting) < most and (drawn := next(coming, None)):
                    waiting.append(drawn[0])
                    own[drawn[0]] = self.submit(drawn[0], function, *drawn[1], name=name(*drawn[1]))
                ended |= {outcome.key: outcome for outcome in self.collect(block=False)}
                if not waiting:
                    return
                if waiting[0] in ended:
                    own.pop(waiting[0], None)
                    yield ended.pop(waiting.popleft())
                elif help_out and len(waiting) < most and (drawn := next(coming, None)):
                    waiting.append(drawn[0])
                    here = [given.value if isinstance(given, SharedFile) else given for given in drawn[1]]
                    ended[drawn[0]] = Outcome(drawn[0], 0.0, function(*here))
                else:
                    ended |= {outcome.key: outcome for outcome in self.collect()}
        finally:
            # whoever wants no more of them may have begun others already
            for worker, queue in self._queues.items():
                if any(task in queue for task in own.values()):
                    self._begin_anew(worker, [], without=own.values())

    def map(
        self, function: Callable[..., Result], items: Iterable[tuple[Any, ...]], **options: Any
    ) -> Iterator[Result]:
        """Give the results of `outcomes`; raise what a task raised when its turn comes."""
        with closing(self.outcomes(function, items, **options)) as outcomes:
            for outcome in outcomes:
                yield outcome.get()

    def close(self) -> None:
        """End all workers."""
        for worker in self._queues:
            worker.kill()

    def _begin(self, worker: Worker, task: _Task) -> None:
        task.started = time.perf_counter()
        task.future = worker.submit(task.function, *task.arguments)
        self._queues[worker].append(task)

    def _ended(self, worker: Worker) -> Iterator[Outcome]:
        queue = self._queues[worker]
        for task in [task for task in queue if task.future.done()]:
            queue.remove(task)
            seconds = time.perf_counter() - task.started
            try:
                reply = task.future.result()
            except worker.died:
                task.deaths += 1
                is_lost = task.deaths >= worker.attempts
                self._begin_anew(worker, [] if is_lost else [task])
                if is_lost:
                    whose = "the process" if worker.attempts > 1 else "every process"
                    what = f"{whose} that {self._verb} it died"
                    error = LostTaskError(what, where=task.name or None, remedy=self._remedy)
                    yield Outcome(task.key, seconds, error=error)
                return
            except Exception as failure:  # noqa: BLE001 - handed on: whoever asks for the result gets it
                yield Outcome(task.key, seconds, error=failure)
                continue
            _log(reply.records)
            if queue:
                queue[0].started = time.perf_counter()
            yield Outcome(task.key, seconds, reply.result, reply.error)
        if queue and time.perf_counter() >= queue[0].started + self._seconds:
            task = queue.popleft()
            self._begin_anew(worker, [])
            lost = LostTaskError(f"took longer than {self._seconds:g} s and was stopped", where=task.name or None)
            yield Outcome(task.key, time.perf_counter() - task.started, error=lost)

    def _begin_anew(self, worker: Worker, first: list[_Task], without: Collection[_Task] = ()) -> None:
        """Give a worker that died, or is to be stopped, what it was doing and what was waiting for it once more."""
        queue = self._queues[worker]
        again = [*first, *(task for task in queue if task not in without)]
        queue.clear()
        worker.kill()
        for task in again:
            self._begin(worker, task)


def in_process() -> Executor:
    """Give an executor that does each task at once in this process."""
    return Executor([InProcess()])


@contextmanager
def open_executor(
    jobs: int,
    *,
    dask: str | Client = "",
    isolate: bool = False,
    max_memory: int | None = None,
    max_tasks: int | None = None,
    ahead: int = 1,
    **options: Any,
) -> Iterator[Executor]:
    """Start what does tasks, and end it with the block.

    Parameters
    ----------
    jobs : int
        Processes of this computer, -1 for all cores; this one alone for 1, and where the system has none to give.
    dask : str or distributed.Client
        A cluster to work on instead: the address of its scheduler, or ``local``.
    isolate : bool
        Start a process for one job too.
    max_memory : int, optional
        Bound on the address space of each process in bytes, where the system knows such bounds.
    max_tasks : int, optional
        After which a process is replaced by a fresh one, as libraries leak.
    ahead, **options
        As for `Executor`.
    """
    jobs = jobs if jobs >= 0 else max(1, usable_cores() + 1 + jobs)
    with ExitStack() as stack:
        workers: Sequence[Worker] = []
        share: Callable[[Any], Any] = lambda value: value  # noqa: E731
        if dask:
            client = stack.enter_context(open_cluster(dask))
            workers, share = cluster_workers(client), partial(share_with, client)
        elif jobs > 1 or (jobs and isolate):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="textclf-", ignore_cleanup_errors=True))
            threads = max(1, usable_cores() // jobs)
            workers = _processes(jobs, folder, threads=threads, max_memory=max_memory, max_tasks=max_tasks)
            share = partial(SharedFile, folder=folder) if workers else share
            # loky replaces a process that has grown by some 300 MB, and gives its work to the new one
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message="A worker (stopped|was restarted) while some jobs")
        executor = Executor(workers, share, ahead=ahead, **options) if workers else in_process()
        stack.callback(executor.close)
        yield executor


def map_in_order(
    function: Callable[[Shared, Any], Result],
    shared: Shared,
    batches: Iterable[Any],
    *,
    jobs: int | None = None,
    alone: int = 0,
    dask: str = "",
    name: Callable[[Any], str] = lambda batch: "",
) -> Iterator[Result]:
    """Do a task for each batch of a stream, with something that all share; the results come in order.

    `jobs` counts this process too, all cores if None; a stream of at most `alone` batches needs no other one.
    """
    stream = iter(batches)
    ahead = [] if dask else list(islice(stream, alone + 1))
    others = (usable_cores() if jobs is None else jobs) - 1 if len(ahead) > alone else 0
    with open_executor(others, isolate=True, dask=dask, ahead=AHEAD, remedy=memory_remedy(dask)) as executor:
        given = executor.share(shared)
        items = ((given, batch) for batch in chain(ahead, stream))
        named = partial(_name_of, name)
        yield from executor.map(function, items, help_out=isinstance(given, SharedFile), name=named)


def memory_remedy(dask: str) -> str:
    """Say what helps if processes die, most likely for want of memory."""
    return "look at the workers' logs" if dask else "there may be too little memory: try --jobs 1"


def _name_of(name: Callable[[Any], str], _shared: object, batch: object) -> str:
    return name(batch)


def _processes(jobs: int, folder: str, **options: Any) -> list[WorkerProcess]:
    """Start as many processes as the system gives."""
    started: list[WorkerProcess] = []
    try:
        for _ in range(jobs):
            started.append(WorkerProcess(folder, **options))  # noqa: PERF401 - those that did start are needed
    # no semaphores (AWS Lambda), or no more processes for this user
    except (ImportError, NotImplementedError, OSError):
        pass
    return started


def _log(records: Iterable[logging.LogRecord]) -> None:
    """Log here what a task has logged in its process."""
    for record in records:
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)
