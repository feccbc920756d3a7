"""Worker processes of this computer: starting and ending them, sharing values with them, and their log records."""

from __future__ import annotations

import faulthandler
import logging
import mmap
import os
import pickle
import shutil
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import accumulate, count
from logging.handlers import QueueHandler
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple
from weakref import finalize

from textclf.base.errors import TextclfError
from textclf.base.piped_process import PipedProcess, has_semaphores

_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


class Reply(NamedTuple):
    """The result or error of a task in another process, and its log records."""

    result: Any
    error: Exception | None
    records: list[logging.LogRecord]


class WorkerProcess:
    """A process of its own, started with its first task, and anew after it died or has done ``max_tasks`` tasks.

    loky starts it, or where processes can share no semaphores, as on AWS Lambda, a `PipedProcess` does: from a clean
    interpreter, thus without the caller's threads, and without running the caller's script again, so that a script
    needs no ``if __name__ == "__main__"``. With ``warm_up``, which each process does first, its successor is started
    before its last tasks, so that no task waits for it.
    """

    died: type[Exception] = BrokenExecutor
    attempts = 2

    def __init__(
        self,
        folder: str,
        *,
        threads: int = 1,
        max_memory: int | None = None,
        max_tasks: int | None = None,
        warm_up: Callable[[], object] | None = None,
    ) -> None:
        self._folder, self._max_memory, self._max_tasks, self._warm_up = folder, max_memory, max_tasks, warm_up
        self._environment = {name: os.environ.get(name, str(threads)) for name in _THREAD_LIMITS}
        self._process: Any = None
        self._successor: _Process | None = None
        self._last: Future[Any] = Future()
        self._done = 0

    def start(self) -> None:
        """Start the process before its first task, to see whether one can be started."""
        with _signals_deferred():
            self._process, self._successor = self._successor or self._new(), None
            self._last, self._done = self._process.first, 0

    def submit(self, function: Callable[..., object], *arguments: Any) -> Future[Reply]:
        """Start a task, or queue it behind those before it."""
        if self._process is not None and self._is_to_be_replaced():
            # in a thread, as it takes a while
            threading.Thread(target=self._process.kill).start()
            self._process = None
        if self._process is None:
            self.start()
        self._done += 1
        given = (perform, function, log_levels(), *arguments)
        try:
            self._last = self._process.pool.submit(*given)
        # it died between two tasks
        except BrokenExecutor:
            self.kill()
            self.start()
            self._last = self._process.pool.submit(*given)
        if self._warm_up and self._max_tasks and self._done == max(1, self._max_tasks - _LAST_TASKS):
            # if there can be no more processes, the next one is started when this one has ended
            with suppress(OSError), _signals_deferred():
                self._successor = self._new()
        return self._last

    def _is_to_be_replaced(self) -> bool:
        if not self._max_tasks or self._done < self._max_tasks or not self._last.done():
            return False
        # a successor that is not warm yet is waited for, but not for ever
        return self._successor is None or self._successor.first.done() or self._done >= 2 * self._max_tasks

    def kill(self) -> None:
        """Kill the process and the engine that it started; the next task starts a new one."""
        for process in (self._process, self._successor):
            if process is not None:
                process.kill()
        self._process = self._successor = None

    def _new(self) -> _Process:
        return _Process(self._folder, self._environment, self._max_memory, self._warm_up or os.getpid)


class _Process:
    """A process that runs tasks one after the other; ``first`` is done once it has begun."""

    def __init__(
        self, folder: str, environment: Mapping[str, str], max_memory: int | None, begin_with: Callable[[], object]
    ) -> None:
        # engines leave images of private pages in the temporary folder when they are killed: it goes with the worker
        self._scratch = tempfile.TemporaryDirectory(prefix="textclf-", dir=folder, ignore_cleanup_errors=True)
        begin: dict[str, Any] = {"initializer": _begin, "initargs": (self._scratch.name, max_memory)}
        if not has_semaphores():
            self.pool: Any = PipedProcess(**begin, env=environment)
            self.first: Future[Any] = self.pool.submit(begin_with)
            return
        loky = _loky()
        with interrupts_blocked():
            self.pool = loky.ProcessPoolExecutor(
                max_workers=1, **begin, context=loky.backend.context.LokyContext(), env=dict(environment)
            )
            self.first = self.pool.submit(begin_with)

    def kill(self) -> None:
        """Kill the process and the engine that it started."""
        # loky notices that its worker is dead and clears up; its own way of killing needs pgrep, and can stumble
        # over a task that was given to it only just now
        pids = [self.pool.pid] if isinstance(self.pool, PipedProcess) else list(self.pool._processes)
        # one that died is not among them any more, but may have left an engine in its group
        with suppress(FileNotFoundError, ValueError):
            pids.append(int(Path(self._scratch.name, _PID).read_text(encoding="ascii")))
        for pid in pids:
            # one that is starting has no group yet
            for kill in ("killpg", "kill"):
                with suppress(ProcessLookupError, AttributeError):
                    getattr(os, kill)(pid, signal.SIGKILL)
        self.pool.shutdown(wait=True)
        self._scratch.cleanup()


class SharedFile:
    """A value written to a file once, which each process that receives it maps into its memory once."""

    def __init__(self, value: Any, folder: str) -> None:
        import cloudpickle

        self.value = value
        buffers: list[Any] = []
        parts = [cloudpickle.dumps(value, protocol=5, buffer_callback=lambda buffer: buffers.append(buffer.raw()))]
        parts += buffers
        # never the name of an earlier one, which processes may still hold
        self._path = Path(folder, f"shared-{next(_NUMBERS)}")
        with self._path.open("wb") as file:
            # arrays begin where the processor likes to load from
            for part in parts:
                file.write(part)
                file.write(bytes(-len(part) % _ALIGNMENT))
        self._sizes = tuple(map(len, parts))
        # processes that have mapped it keep what they need of it
        finalize(self, self._path.unlink, missing_ok=True)

    def __reduce__(self) -> tuple[object, ...]:
        return _mapped, (self._path, self._sizes)


_LAST_TASKS = 20
"""Tasks of a process during which its successor starts."""
_ALIGNMENT = 64
_NUMBERS = count()
_PID = "pid"


@lru_cache(maxsize=1)
def _mapped(path: Path, sizes: tuple[int, ...]) -> Any:
    with path.open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    starts = accumulate((size + -size % _ALIGNMENT for size in sizes), initial=0)
    pickled, *buffers = [content[start : start + size] for start, size in zip(starts, sizes, strict=False)]
    # it comes from the parent, through a folder that is this user's alone
    return pickle.loads(pickled, buffers=buffers)  # noqa: S301


def perform(function: Callable[..., object], levels: Mapping[str, int], *arguments: Any) -> Reply:
    """Run a task in a worker, with the log levels of the process that submitted it."""
    before = {name: logging.getLogger(name).level for name in levels}
    collector = _Collector()
    logging.getLogger().addHandler(collector)
    _set_levels(levels)
    result, failure = None, None
    try:
        result = function(*arguments)
    except Exception as error:  # noqa: BLE001 - handed on: whoever asks for the result gets it
        if not isinstance(error, TextclfError):
            error.add_note("in a worker: " + "".join(traceback.format_exception(error)))
        failure = error
    finally:
        logging.getLogger().removeHandler(collector)
        _set_levels(before)
    return Reply(result, failure, collector.records)


def log_levels() -> dict[str, int]:
    """Give the levels of the loggers that have their own."""
    loggers = [logging.getLogger(), *logging.getLogger().manager.loggerDict.values()]
    return {logger.name: logger.level for logger in loggers if isinstance(logger, logging.Logger) and logger.level}


def _set_levels(levels: Mapping[str, int]) -> None:
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


class _Collector(QueueHandler):
    """Keeps what the task of this thread logs, in a form that can be pickled."""

    def __init__(self) -> None:
        super().__init__(SimpleQueue())
        self.records: list[logging.LogRecord] = []
        thread = threading.get_ident()
        self.addFilter(lambda record: record.thread == thread)

    def enqueue(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Let no signal handler of Python raise an error in the block: what came is handled after it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    try:
        for number in handlers:
            signal.signal(number, lambda arrived, _: came.append(arrived))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for arrived in came:
            signal.raise_signal(arrived)


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Let processes started here ignore Ctrl-C and the closing of the terminal: the parent ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        # the first process to start brings this one along, and starting it opens the mask again for Ctrl-C
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _loky() -> Any:
    """Import loky beside joblib, which has one of its own.

    Both register their way to start processes under one name. Where loky took it from joblib, processes of joblib
    would speak to loky's tracker of resources, and fill the terminal with its errors.
    """
    from multiprocessing import context

    ways = getattr(context, "_concrete_contexts", {})
    held = ways.get("loky")
    import loky
    import loky.backend.context

    if held is not None:
        ways["loky"] = held
    return loky


def _begin(scratch: str, max_memory: int | None) -> None:
    """Set up a worker: its temporary folder, a process group of its own (Ctrl-C is the parent's), bounded memory."""
    tempfile.tempdir = scratch
    # that a task has ended its worker is told with that task
    faulthandler.disable()
    if os.name == "posix":
        import resource

        os.setpgid(0, 0)
        threading.Thread(target=_end_with, args=(os.getppid(), scratch), daemon=True).start()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if max_memory is not None:
            bound = max_memory if hard == resource.RLIM_INFINITY else min(max_memory, hard)
            resource.setrlimit(resource.RLIMIT_AS, (bound, hard))
    try:
        Path(scratch, _PID).write_text(str(os.getpid()), encoding="ascii")
    # the parent is gone and so is its folder: nobody is left to read a traceback
    except FileNotFoundError:
        os._exit(1)


def _end_with(parent: int, scratch: str) -> None:
    """End the worker and its engine when the parent is gone: killed, it could not do so itself."""
    while os.getppid() == parent:
        time.sleep(1)
    shutil.rmtree(Path(scratch).parent, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)
