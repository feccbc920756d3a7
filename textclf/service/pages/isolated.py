"""Calls of functions in processes of their own, from any thread, each with a limit of time and memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

from textclf.base.errors import LostTaskError
from textclf.base.processes import WorkerProcess

R = TypeVar("R")
_MAX_TASKS = 500
"""Calls after which a process is replaced, because libraries leak."""


class IsolatedCalls:
    """Processes that wait for calls; what hangs, dies or takes too much memory ends one of them, and not the server.

    Parameters
    ----------
    processes : int
        Calls that run at the same time; others wait.
    seconds : float
        Time for one call.
    max_memory : int, optional
        Address space of a process in bytes, on POSIX.
    """

    def __init__(self, processes: int, *, seconds: float, max_memory: int | None = None) -> None:
        self._seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="textclf-", ignore_cleanup_errors=True)
        self._workers = [
            WorkerProcess(self._folder.name, max_memory=max_memory, max_tasks=_MAX_TASKS) for _ in range(processes)
        ]
        self._idle: SimpleQueue[WorkerProcess] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def call(self, function: Callable[..., R], *arguments: object) -> R:
        """Give the result of a function, or raise its error; `LostTaskError` if its process died or took too long."""
        worker = self._idle.get()
        try:
            reply = worker.submit(function, *arguments).result(self._seconds)
        except TimeoutError as error:
            worker.kill()
            raise LostTaskError(f"took longer than {self._seconds:g} s and was stopped") from error
        except worker.died as error:
            worker.kill()
            raise LostTaskError("the process that worked on it died") from error
        finally:
            self._idle.put(worker)
        if reply.error is not None:
            raise reply.error
        result: R = reply.result
        return result

    def close(self) -> None:
        """Kill the processes."""
        for worker in self._workers:
            worker.kill()
        self._folder.cleanup()
