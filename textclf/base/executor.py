"""The executor: runs tasks in this process, in processes of this computer, or on a Dask cluster."""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from textclf.base.cluster import cluster_workers, open_cluster, share_with
from textclf.base.errors import LostTaskError
from textclf.base.processes import Reply, SharedFile, WorkerProcess
from textclf.base.resources import MAX_JOBS, usable_cores

if TYPE_CHECKING:
    from distributed import Client

Shared = TypeVar("Shared")
Result = TypeVar("Result")

AHEAD = 3
"""Tasks of a stream given to each process: one that runs, and two that are queued."""
QUEUED = 2
"""Tasks of a stream that have been given to each thread and not yet returned in order."""
HELD = 8
"""Maximum of tasks per worker, of a stream, that have been drawn and not yet returned in order."""


class Worker(Protocol):
    """What runs tasks one after the other: the three back ends of an executor."""

    @property
    def died(self) -> type[Exception]:
        """What a future raises whose process died."""

    @property
    def attempts(self) -> int:
        """How often a task is started, if it kills its process."""

    def submit(self, function: Callable[..., object], *arguments: Any) -> Future[Reply]:
        """Start a task."""

    def kill(self) -> None:
        """Kill the process of the running task and its children; the next task starts a new process."""


class InProcess:
    """Runs each task at once in this process: for a single document, and where no processes can be started."""

    died: type[Exception] = LostTaskError
    attempts = 1

    def submit(self, function: Callable[..., object], *arguments: Any) -> Future[Reply]:
        """Run a task; the future that is returned is done."""
        future: Future[Reply] = Future()
        # no other process needs the file
        given = (one.value if isinstance(one, SharedFile) else one for one in arguments)
        try:
            future.set_result(Reply(function(*given), None, []))
        except Exception as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)
        return future

    def kill(self) -> None:
        """Do nothing: no task is running between two calls."""


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
    """The result or error of a task."""

    key: Any
    seconds: float
    result: Any = None
    error: Exception | None = None

    def get(self) -> Any:
        """Give the result, or raise the task's error."""
        if self.error is not None:
            raise self.error
        return self.result


class Executor:
    """Runs several tasks at a time; repeats those whose process died, and stops those that take too long.

    ``share`` replaces a value by a reference to pass to tasks. Each worker is given ``ahead`` tasks at a time, and a
    task is stopped after ``seconds``. ``verb`` (what workers do, in the past tense) and ``remedy`` are for messages.
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
        self._has_begun = False

    def has_room(self) -> bool:
        """Return whether a worker can be given another task."""
        return any(len(queue) < self._ahead for queue in self._queues.values())

    def running(self) -> list[Any]:
        """Keys of the tasks that were submitted and not yet collected."""
        return [task.key for queue in self._queues.values() for task in queue]

    def submit(self, key: Any, function: Callable[..., object], *arguments: Any, name: str = "") -> _Task:
        """Give a task to the worker with the fewest tasks; `collect` returns its outcome under this key."""
        task = _Task(key, name, function, arguments, Future())
        while True:
            worker = min(self._queues, key=lambda worker: len(self._queues[worker]))
            try:
                self._begin(worker, task)
            except (ImportError, NotImplementedError, OSError):
                # the system permits no more processes for this user: those that run do its tasks, or this one
                if self._queues[worker] or (len(self._queues) == 1 and self._has_begun):
                    raise
                del self._queues[worker]
                self._queues = self._queues or {InProcess(): deque()}
            else:
                self._has_begun = True
                return task

    def collect(self, *, block: bool = True, wake: Future[None] | None = None) -> list[Outcome]:
        """Give the outcomes of the tasks that have ended; unless there are some, wait for one while any task runs.

        Waiting also ends when ``wake`` is done.
        """
        while True:
            heads = [queue[0].started for queue in self._queues.values() if queue]
            left = max(0.0, min(heads, default=0.0) + self._seconds - time.perf_counter()) if block else 0.0
            under_way: list[Future[Any]] = [task.future for queue in self._queues.values() for task in queue]
            under_way += [] if wake is None else [wake]
            wait(under_way, timeout=None if left == float("inf") else left, return_when=FIRST_COMPLETED)
            found = [outcome for worker in self._queues for outcome in self._ended(worker)]
            if found or not block or not heads or (wake and wake.done()):
                return found

    def outcomes(
        self,
        function: Callable[..., object],
        items: Iterable[tuple[Any, ...]],
        *,
        name: Callable[..., str] = lambda *arguments: "",
    ) -> Generator[Outcome]:
        """Run a task with each item as its arguments, drawn as needed; the outcomes come in the order of the items."""
        coming = enumerate(items)
        max_waiting = HELD * self.size
        waiting: deque[int] = deque()
        ended: dict[int, Outcome] = {}
        own: dict[int, _Task] = {}
        try:
            while True:
                while self.has_room() and len(waiting) < max_waiting and (drawn := next(coming, None)):
                    waiting.append(drawn[0])
                    own[drawn[0]] = self.submit(drawn[0], function, *drawn[1], name=name(*drawn[1]))
                ended |= {outcome.key: outcome for outcome in self.collect(block=False)}
                if not waiting:
                    return
                if waiting[0] in ended:
                    own.pop(waiting[0], None)
                    yield ended.pop(waiting.popleft())
                else:
                    ended |= {outcome.key: outcome for outcome in self.collect()}
        finally:
            # a caller that stops early may have submitted other tasks, which go on
            for worker, queue in self._queues.items():
                if any(task in queue for task in own.values()):
                    self._restart(worker, [], without=own.values())

    def map(
        self, function: Callable[..., Result], items: Iterable[tuple[Any, ...]], **options: Any
    ) -> Iterator[Result]:
        """Give the results of `outcomes` in order; the error of a task is raised in place of its result."""
        with closing(self.outcomes(function, items, **options)) as outcomes:
            for outcome in outcomes:
                yield outcome.get()

    def close(self) -> None:
        """Kill all workers."""
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
                self._restart(worker, [] if is_lost else [task])
                if is_lost:
                    whose = "the process" if worker.attempts > 1 else "every process"
                    what = f"{whose} that {self._verb} it died"
                    error = LostTaskError(what, where=task.name or None, remedy=self._remedy)
                    yield Outcome(task.key, seconds, error=error)
                return
            except Exception as failure:  # noqa: BLE001 - raised where the result is asked for
                yield Outcome(task.key, seconds, error=failure)
                continue
            _log(reply.records)
            if queue:
                queue[0].started = time.perf_counter()
            yield Outcome(task.key, seconds, reply.result, reply.error)
        if queue and time.perf_counter() >= queue[0].started + self._seconds:
            task = queue.popleft()
            self._restart(worker, [])
            lost = LostTaskError(f"took longer than {self._seconds:g} s and was stopped", where=task.name or None)
            yield Outcome(task.key, time.perf_counter() - task.started, error=lost)

    def _restart(self, worker: Worker, first: list[_Task], without: Collection[_Task] = ()) -> None:
        """Restart a worker that died or is to be stopped: first some tasks, then those it had, without some."""
        queue = self._queues[worker]
        again = [*first, *(task for task in queue if task not in without)]
        queue.clear()
        worker.kill()
        for task in again:
            self._begin(worker, task)


def in_process() -> Executor:
    """Give an executor that runs each task at once in this process."""
    return Executor([InProcess()])


@contextmanager
def open_executor(
    jobs: int,
    *,
    dask: str | Client = "",
    isolate: bool = False,
    max_memory: int | None = None,
    max_tasks: int | None = None,
    warm_up: Callable[[], object] | None = None,
    at_once: bool = False,
    ahead: int = 1,
    **options: Any,
) -> Iterator[Executor]:
    """Open an executor, whose workers end with the block.

    ``jobs`` counts processes of this computer, -1 for one per core; with 1 (unless ``isolate``), or where no process
    can be started, all runs in this one. ``dask`` is a client, the address of a scheduler, or ``local``. ``max_memory``
    limits the address space of each process in bytes, on POSIX. A process is started when a task needs it, and replaced
    after ``max_tasks`` tasks, because libraries leak; with ``warm_up``, the first is started at once, and the successor
    of each is started and warm by then.
    ``at_once`` starts all processes at once, so that they are warm when the tasks come.
    ``ahead`` and ``options`` are those of `Executor`.
    """
    jobs = min(MAX_JOBS, jobs if jobs >= 0 else max(1, usable_cores() + 1 + jobs))
    with ExitStack() as stack:
        workers: Sequence[Worker] = []
        share: Callable[[Any], Any] = lambda value: value  # noqa: E731
        if dask:
            client = stack.enter_context(open_cluster(dask))
            workers, share = cluster_workers(client), partial(share_with, client)
        elif jobs > 1 or (jobs and isolate):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="textclf-", ignore_cleanup_errors=True))
            # loky replaces a process that has grown by some 300 MB, without losing a task
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message="A worker (stopped|was restarted) while some jobs")
            threads = max(1, usable_cores() // jobs)
            bounds = {"max_memory": max_memory, "max_tasks": max_tasks}
            processes = [WorkerProcess(folder, threads=threads, warm_up=warm_up, **bounds) for _ in range(jobs)]
            workers, share = processes, partial(SharedFile, folder=folder)
            for process in processes:
                stack.callback(process.kill)
            # where none can be started, the tasks will notice
            with suppress(ImportError, NotImplementedError, OSError):
                for process in processes if at_once else processes[:1] if warm_up else ():
                    process.start()
        executor = Executor(workers, share, ahead=ahead, **options) if workers else in_process()
        stack.callback(executor.close)
        yield executor


def map_in_order(
    function: Callable[[Shared, Any], Result],
    shared: Shared,
    batches: Iterable[Any],
    *,
    jobs: int | None = None,
    dask: str = "",
    name: Callable[[Any], str] = lambda batch: "",
) -> Iterator[Result]:
    """Run a task for each batch of a stream, with a value shared by all; the results come in order.

    ``jobs`` counts threads, which are as many as cores if None: for tasks that spend their time in compiled code, which
    lets other threads run. With ``dask`` the tasks run on the workers of a cluster.
    """
    if dask:
        with open_executor(0, dask=dask, ahead=AHEAD, remedy=memory_remedy(dask)) as executor:
            given = executor.share(shared)
            named = partial(_name_of, name)
            yield from executor.map(function, ((given, batch) for batch in batches), name=named)
        return
    threads = min(MAX_JOBS, usable_cores() if jobs is None else jobs)
    if threads <= 1:
        yield from (function(shared, batch) for batch in batches)
        return
    pool, waiting = ThreadPoolExecutor(threads), deque[Future[Result]]()
    try:
        for batch in batches:
            waiting.append(pool.submit(function, shared, batch))
            if len(waiting) > QUEUED * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def memory_remedy(dask: str = "") -> str:
    """Give the advice for processes that die, which most likely lacked memory."""
    return "look at the workers' logs" if dask else "there may be too little memory: try --jobs 1"


def _name_of(name: Callable[[Any], str], _shared: object, batch: object) -> str:
    return name(batch)


def _log(records: Iterable[logging.LogRecord]) -> None:
    """Log here what a task logged in its process."""
    for record in records:
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)
