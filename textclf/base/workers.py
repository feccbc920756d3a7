"""Processes that read pages: one page in each at a time, so that one that dies takes only its own page."""

from __future__ import annotations

import faulthandler
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_RECYCLE_AFTER = 200
_WORKER_MEMORY = 500_000_000
"""Bytes to reckon with for a worker: seen are 240 million on colour pages of 600 dpi, engine and all."""
_MEMORY_LIMITS = ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes")
"""A container's bound: control groups of version 2 and 1 (https://docs.kernel.org/admin-guide/cgroup-v2.html)."""


class Worker(Protocol):
    """Where one task at a time is done."""

    def submit(self, task: Callable[..., T], *args: Any) -> Future[T]:
        """Begin a task."""

    def kill(self) -> None:
        """Stop at once what is running, and its children; the next task finds a fresh process."""


class InProcess:
    """Does a task at once in this process: for a single document, and where processes cannot be had."""

    def submit(self, task: Callable[..., T], *args: Any) -> Future[T]:
        """Do a task; it has ended when this returns."""
        future: Future[T] = Future()
        try:
            future.set_result(task(*args))
        except Exception as error:  # noqa: BLE001 - handed on: whoever asks for the result gets it
            future.set_exception(error)
        return future

    def kill(self) -> None:
        """Do nothing: nothing runs between two tasks."""


class WorkerProcess:
    """A process of its own, started anew after it died, was killed, or has done 200 tasks (libraries leak).

    loky starts it from a clean interpreter, thus without the caller's threads, and without running the caller's
    script again, so that a script needs no ``if __name__ == "__main__"``.

    Parameters
    ----------
    max_memory : int
        Bound on its address space in bytes, where the system knows such bounds.
    """

    def __init__(self, max_memory: int) -> None:
        self._max_memory = max_memory
        self._done = 0
        self._start()

    def _start(self) -> None:
        # engines leave images of private pages in the temporary folder when they are killed: it goes with the worker
        self._scratch = tempfile.TemporaryDirectory(prefix="textclf-", ignore_cleanup_errors=True)
        self._executor = open_processes(1, _begin, (self._max_memory, self._scratch.name))
        with deaf_to_interrupts():
            self._pid: Future[int] = self._executor.submit(os.getpid)

    def submit(self, task: Callable[..., T], *args: Any) -> Future[T]:
        """Begin a task."""
        if self._done >= _RECYCLE_AFTER:
            self.kill()
        if self._executor is None:
            self._start()
        self._done += 1
        try:
            future: Future[T] = self._executor.submit(task, *args)
        # it died between two tasks
        except BrokenExecutor:
            self.kill()
            self._start()
            future = self._executor.submit(task, *args)
        return future

    def kill(self) -> None:
        """Stop the process and the engine that it started; the next task finds a fresh one."""
        if self._executor is None:
            return
        # loky notices that its worker is dead and clears up; its own way of killing needs pgrep, and can stumble
        # over a task that was given to it only just now
        try:
            _kill_group(self._pid.result(timeout=10))
        except TimeoutError:
            self._executor.shutdown(wait=True, kill_workers=True)
        except BrokenExecutor:
            pass
        self._executor.shutdown(wait=True)
        self._scratch.cleanup()
        self._executor, self._done = None, 0


def open_processes(count: int, begin: Callable[..., object], given: tuple[Any, ...]) -> Any:
    """Open processes that begin with a function, and start when there is work.

    Parameters
    ----------
    count : int
        How many.
    begin : callable
        What each does first.
    given : tuple
        What it is given.

    Returns
    -------
    loky.ProcessPoolExecutor

    Raises
    ------
    ImportError, NotImplementedError, OSError
        The system has none to give.
    """
    loky = _loky()
    # it brings along a process that keeps account of what is shared
    with deaf_to_interrupts():
        return loky.ProcessPoolExecutor(
            max_workers=count, initializer=begin, initargs=given, context=loky.backend.context.LokyContext()
        )


def _loky() -> Any:
    """Import loky beside joblib, which has one of its own.

    Both call their way to start processes by one name. Where loky took it from joblib, processes of joblib would speak
    to loky's tracker of resources, and fill the terminal with its errors.
    """
    from multiprocessing import context

    ways = getattr(context, "_concrete_contexts", {})
    held = ways.get("loky")
    import loky
    import loky.backend.context

    if held is not None:
        ways["loky"] = held
    return loky


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Let processes started here not hear Ctrl-C, nor that the terminal is closed: to end them is the parent's.

    Examples
    --------
    >>> with deaf_to_interrupts():
    ...     pass
    """
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


def workers(jobs: int, max_memory: int) -> list[Worker]:
    """Start worker processes; where the system has none to give, one worker in this process.

    Parameters
    ----------
    jobs : int
        How many.
    max_memory : int
        Bound on the address space of each, in bytes.
    """
    started: list[Worker] = []
    try:
        for _ in range(jobs):
            started.append(WorkerProcess(max_memory))  # noqa: PERF401 - those that did start are needed
    # no semaphores (AWS Lambda), or no more processes for this user
    except (ImportError, NotImplementedError, OSError):
        if not started:
            return [InProcess()]
    return started


def usable_cores() -> int:
    """Count the cores this process may use: its affinity and, in a container, its share of time."""
    return int(_loky().cpu_count())


def usable_jobs() -> int:
    """Count the workers that the machine bears.

    Returns
    -------
    int
        At least 1; so many that workers times threads, 1 unless ``OMP_THREAD_LIMIT`` says more, are no more than
        the usable cores, and that each has 500 MB of the memory that is free, or that a container may use.
    """
    threads = os.environ.get("OMP_THREAD_LIMIT", "")
    fitting = usable_cores() // max(1, int(threads) if threads.isdecimal() else 1)
    return max(1, min(fitting, usable_memory() // _WORKER_MEMORY))


def usable_memory(root: Path = Path("/")) -> int:
    """Count the bytes of memory that are free, and within the bound of a container; very many if nobody knows.

    Parameters
    ----------
    root : pathlib.Path
        Where ``proc`` and ``sys`` lie.
    """
    found = [1 << 62]
    for name in ("proc/meminfo", *_MEMORY_LIMITS):
        try:
            text = (root / name).read_text(encoding="ascii")
        except (OSError, ValueError):
            continue
        if name == "proc/meminfo":
            found += [int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("MemAvailable:")]
        elif text.strip().isdecimal():
            found.append(int(text))
    return min(found)


def _begin(max_memory: int, scratch: str) -> None:
    """Set up a worker: its temporary folder, a process group of its own (Ctrl-C is the parent's), bounded memory."""
    tempfile.tempdir = scratch
    # that a page has ended its worker is told in that page's row
    faulthandler.disable()
    if os.name != "posix":
        return
    import resource

    os.setpgid(0, 0)
    threading.Thread(target=_end_with, args=(os.getppid(), scratch), daemon=True).start()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    bound = max_memory if hard == resource.RLIM_INFINITY else min(max_memory, hard)
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))


def _end_with(parent: int, scratch: str) -> None:
    """End the worker and its engine when the parent is gone: killed, it could not do so itself."""
    while os.getppid() == parent:
        time.sleep(1)
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _kill_group(pid: int) -> None:
    if os.name != "posix":
        return
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
