"""What wakes a watcher: a change in the folders that it watches, or a signal."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_log = logging.getLogger(__name__)
_DEBOUNCE = 200
"""Milliseconds in which changes count as one."""


class WakeUp:
    """Wakes who waits for it; may be set by a signal handler and by other threads."""

    def __init__(self) -> None:
        # a lock that a signal handler takes may be held by what it interrupts; a pipe has none
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._closed = False

    def set(self) -> None:
        """Wake who waits now, or else who waits next; once it is closed, nobody."""
        # a thread that is slow to end may still set it, and the number of the pipe may be that of another file by then
        if self._closed:
            return
        with suppress(BlockingIOError):
            os.write(self._write, b".")

    def wait(self, seconds: float) -> None:
        """Wait until it is set, or for some seconds."""
        if select.select([self._read], [], [], seconds)[0]:
            os.read(self._read, 65536)

    def close(self) -> None:
        """Close it."""
        self._closed = True
        os.close(self._read)
        os.close(self._write)


@contextmanager
def waking_at_changes(wake_up: WakeUp, folders: Sequence[Path]) -> Iterator[threading.Event]:
    """Set a wake-up whenever something changes in folders; gives an event that tells that the system cannot do so."""
    from watchfiles import watch

    stop, blind = threading.Event(), threading.Event()

    def run() -> None:
        changes = watch(
            *folders,
            watch_filter=None,
            debounce=_DEBOUNCE,
            stop_event=stop,
            raise_interrupt=False,
            ignore_permission_denied=True,
            force_polling=False,
        )
        try:
            for _ in changes:
                wake_up.set()
        # the folder is gone, or the system watches as many folders as it may
        except (OSError, RuntimeError) as error:
            _log.debug(f"changes are not told by the system ({error})")
        blind.set()
        wake_up.set()

    thread = threading.Thread(target=run, name="watch", daemon=True)
    thread.start()
    try:
        yield blind
    finally:
        stop.set()
        thread.join(10)
