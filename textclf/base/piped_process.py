"""A worker process that is spoken to through a pipe: for systems without semaphores, such as AWS Lambda."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from functools import cache
from typing import Any

_GRACE = 5.0
"""Seconds between the end of the parent and that of the process."""


@cache
def has_semaphores() -> bool:
    """Return whether processes can share semaphores, which the pools of the standard library and loky need."""
    # multiprocessing is imported where it is needed: a prediction loads no more than it needs
    from multiprocessing import get_all_start_methods, get_context

    try:
        # of this kind, no tracker of resources is started for it
        get_context("fork" if "fork" in get_all_start_methods() else None).Lock()
    except (ImportError, OSError):
        return False
    return True


class PipedProcess:
    """A pool of one process, like that of `concurrent.futures`; a future of a process that died is broken.

    Parameters
    ----------
    initializer : callable
        What the process does first.
    initargs : tuple
        Arguments of the initializer.
    env : mapping of str to str
        Variables of its environment, beside those of this one.
    """

    def __init__(self, initializer: Callable[..., object], initargs: tuple[Any, ...], env: Mapping[str, str]) -> None:
        from multiprocessing import Pipe

        ours, theirs = Pipe()
        # it finds the modules that this process finds, in the same order
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and a module of ours
                [sys.executable, "-P", "-c", f"from {__name__} import work; work({theirs.fileno()})"],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, **env, "PYTHONPATH": path},
                # Ctrl-C is the parent's
                process_group=0,
            )
        self._connection = ours
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="piped-process")
        self.submit(initializer, *initargs)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def submit(self, function: Callable[..., object], *arguments: Any) -> Future[Any]:
        """Start a task, or queue it behind those before it."""
        import cloudpickle

        if self._process.poll() is not None:
            raise BrokenExecutor("the process has died")
        return self._thread.submit(self._ask, cloudpickle.dumps((function, arguments)))

    def shutdown(self, *, wait: bool = True) -> None:
        """End the process, if it is still there."""
        self._process.kill()
        self._process.wait()
        self._thread.shutdown(wait=wait, cancel_futures=True)
        self._connection.close()

    def _ask(self, given: bytes) -> Any:
        try:
            self._connection.send_bytes(given)
            answer = self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise BrokenExecutor("the process has died") from error
        # it comes from our own process
        result, failure = pickle.loads(answer)  # noqa: S301
        if failure is not None:
            raise failure
        return result


def work(descriptor: int) -> None:
    """Do what comes through a pipe, until its other end is closed."""
    from multiprocessing.connection import Connection

    import cloudpickle

    connection = Connection(descriptor)
    while True:
        try:
            given = connection.recv_bytes()
        except (EOFError, OSError):
            # the parent is gone, and what the initializer started may have to clear up
            time.sleep(_GRACE)
            return
        try:
            # it comes from the parent, which started this process
            function, arguments = pickle.loads(given)  # noqa: S301
            answer = cloudpickle.dumps((function(*arguments), None))
        except Exception as error:  # noqa: BLE001 - raised where the result is asked for
            answer = cloudpickle.dumps((None, error))
        connection.send_bytes(answer)
