"""Calls of functions in processes of their own, from any thread, each with a limit of time and memory."""

from __future__ import annotations

import tempfile
import threading
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
        # no process starts while they are killed, nor afterwards
        self._lock = threading.Lock()
        self._is_closed = False
        for worker in self._workers:
            self._idle.put(worker)

    def call(self, function: Callable[..., R], *arguments: object) -> R:
        """Give the result of a function, or raise its error.

        Raises
        ------
        textclf.base.errors.LostTaskError
            If its process died or took too long, or there are no processes any more.
        """
        worker = self._idle.get()
        try:
            with self._lock:
                if self._is_closed:
                    raise LostTaskError("nothing is done any more")
                waiting = worker.submit(function, *arguments)
            reply = waiting.result(self._seconds)
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
        """Kill the processes; calls that wait or are made later are refused."""
        with self._lock:
            self._is_closed = True
            for worker in self._workers:
                worker.kill()
        self._folder.cleanup()
