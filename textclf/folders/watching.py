"""Files what arrives in folders, until it is told to stop."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textclf.base.errors import BadInputError
from textclf.base.files import reason_of
from textclf.folders.file_operations import FileState
from textclf.folders.filing import Filed, Filer
from textclf.folders.inbox import WaitingFile, waiting_files
from textclf.folders.wake_up import WakeUp, waking_at_changes
from textclf.folders.watch_options import WatchOptions

if TYPE_CHECKING:
    from textclf.data.scans import ScanOptions

_log = logging.getLogger(__name__)
_RARELY = 60.0
"""Seconds after which the folders are looked at even if the system told of no change."""
_BLIND = 5.0
"""Seconds between looks where the system cannot tell of changes."""
_AGAIN = 300.0
"""Seconds after which a file is tried again that could not be filed."""


class _Left(NamedTuple):
    """A file that could not be filed, or need not be, why, and when it is tried again."""

    state: FileState
    note: str
    again: float


class Watcher:
    """Files what arrives in folders.

    Parameters
    ----------
    inboxes : sequence of pathlib.Path
        The folders.
    filer : Filer
        With a mover.
    scans : ScanOptions
        How files are read.
    options : WatchOptions
        When a file is taken.
    clock : callable
        Gives seconds that only grow.
    """

    def __init__(
        self,
        inboxes: Sequence[Path],
        filer: Filer,
        scans: ScanOptions,
        options: WatchOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.inboxes, self.filer, self.scans, self.options, self.clock = inboxes, filer, scans, options, clock
        self.wake_up = WakeUp()
        self.stopped = False
        # since when each file has been as it is
        self._since: dict[Path, tuple[FileState, float]] = {}
        self._left: dict[Path, _Left] = {}
        self._missing: set[Path] = set()
        self._tell = True

    def stop(self) -> None:
        """Stop after the document that is being read; may be called by a signal handler."""
        self.stopped = True
        self.wake_up.set()

    def close(self) -> None:
        """Give up what wakes it, once no signal handler calls `stop` any more."""
        self.wake_up.close()

    def run(self) -> Iterator[Filed]:
        """File what waits and what arrives; a file that stays is told of once.

        Raises
        ------
        textclf.base.errors.OutputError
            As `Filer.run`.
        """
        with ExitStack() as stack:
            polling = self.options.poll is not None
            blind = None if polling else stack.enter_context(waking_at_changes(self.wake_up, self.inboxes))
            while not self.stopped:
                ready, seconds = self._look()
                if ready:
                    yield from self._file(ready)
                    continue
                idle = self.options.poll or (_BLIND if blind is not None and blind.is_set() else _RARELY)
                self.wake_up.wait(min(idle, seconds))

    def _file(self, ready: list[WaitingFile]) -> Iterator[Filed]:
        if self.filer.mover is not None:
            self.filer.mover.begin_anew()
        states = {one.found.document_id: one for one in ready}
        with closing(self.filer.run(ready, self.scans)) as filing:
            for filed in filing:
                waiting = states[filed.document_id]
                if filed.target == filed.source:
                    # it lies where it belongs, and would be read again for ever
                    self._left[waiting.found.file] = _Left(waiting.state, filed.note, math.inf)
                if filed.result != "stayed" or self._is_news(waiting, filed.note):
                    yield filed
                if self.stopped:
                    return

    def _is_news(self, waiting: WaitingFile, note: str) -> bool:
        """Remember a file that stayed; returns whether that was not told before."""
        path = waiting.found.file
        before = self._left.get(path)
        self._left[path] = _Left(waiting.state, note, self.clock() + _AGAIN)
        return before is None or (before.state, before.note) != (waiting.state, note)

    def _look(self) -> tuple[list[WaitingFile], float]:
        """List the files that are written to their end, and give the seconds until others may be."""
        waiting = self._waiting()
        if waiting is None:
            return [], _BLIND
        now, ready, soonest = self.clock(), [], _BLIND if self._missing else _RARELY
        known, self._since = self._since, {}
        for one in waiting:
            path = one.found.file
            left = self._left.get(path)
            if left is not None and left.state == one.state and now < left.again:
                self._since[path] = (one.state, now)
                continue
            state, since = known.get(path, (None, now))
            since = since if state == one.state else now
            self._since[path] = (one.state, since)
            remaining = since + self.options.settle - now
            if remaining > 0:
                soonest = min(soonest, remaining)
            else:
                ready.append(one)
        away = [path for path in self._left if any(path.is_relative_to(inbox) for inbox in self._missing)]
        self._left = {path: left for path, left in self._left.items() if path in self._since or path in away}
        return ready, soonest

    def _waiting(self) -> list[WaitingFile] | None:
        """List the files that wait in those folders that are there; None if one goes away this moment."""
        there = []
        for inbox in self.inboxes:
            try:
                with os.scandir(inbox):
                    there.append(inbox)
            except OSError as error:
                if inbox not in self._missing:
                    missing = isinstance(error, FileNotFoundError)
                    reason = "there is no such file or folder" if missing else f"cannot be listed ({reason_of(error)})"
                    _log.warning(f"{inbox}: {reason}; it is looked for every {_BLIND:.0f} s")
                    self._missing.add(inbox)
        if self._missing and len(there) == len(self.inboxes):
            _log.warning("all folders are there again")
        self._missing.intersection_update(set(self.inboxes) - set(there))
        try:
            waiting = waiting_files(there, self.filer.destinations, tell=self._tell)
        except BadInputError as error:
            _log.debug(f"{error}")
            return None
        self._tell = False
        return waiting
