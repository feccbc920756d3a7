"""File operations that are written down before and after, so that a kill at any moment loses and doubles nothing."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from textclf.base.errors import OutputError
from textclf.base.files import reason_of
from textclf.folders import file_operations as operations
from textclf.folders.day_log import DayLog
from textclf.folders.file_names import numbered
from textclf.folders.file_operations import ChangedError, FileState
from textclf.library.library import Library
from textclf.library.records import Move, MoveState, Operation

_log = logging.getLogger(__name__)


class Mover:
    """Does file operations of one run into a folder, and puts right what an earlier run left half done."""

    def __init__(self, library: Library, into: Path, log: DayLog, now: Callable[[], datetime], command: str) -> None:
        self.library, self.into, self.log, self.now, self.command = library, into, log, now, command
        self._run = 0

    @property
    def run(self) -> int:
        """The id of the run, which begins with its first operation unless it has begun."""
        self.begin()
        return self._run

    def begin(self) -> None:
        """Begin the run before its first operation, so that it is known also if it moves nothing."""
        if not self._run:
            self._run = self.library.journal.begin_run(self.command, str(self.into), at=self.now()).id

    def begin_anew(self) -> None:
        """Let what follows be a run of its own, which is undone by itself."""
        self._run = 0

    def put(
        self,
        document_id: int,
        source: Path,
        target: Path,
        how: Operation,
        expected: FileState,
        line: Callable[[Path], str],
    ) -> Path:
        """Move, copy or link a file to a place, or one with a number if that is taken; gives the place.

        Raises
        ------
        OSError
            If it could not be done; the file then is where it was.
        textclf.folders.file_operations.ChangedError
            If the file is not as it was expected.
        """
        for place in numbered(target):
            if os.path.lexists(place):
                continue
            make_folder(place.parent)
            at = self.now()
            planned = self.library.journal.plan(self.run, document_id, str(source), str(place), how, at=at)
            try:
                _do(planned, expected)
            except BaseException as error:
                self._settle(planned)
                if isinstance(error, FileExistsError):
                    continue
                raise
            self.log.write(line(place))
            self.library.journal.settle(planned.id, "done", at=self.now())
            return place
        raise AssertionError("there is always another number")

    def recover(self) -> int:
        """Finish or take back what a run that was killed left half done; gives the number of operations."""
        unsettled = self.library.journal.unsettled(str(self.into))
        for planned in unsettled:
            try:
                state = self._settle(planned)
            except OSError as error:
                _log.warning(f"{planned.source}: what a run that was interrupted did is not known ({reason_of(error)})")
                continue
            said = {
                "done": f"done, as a run that was interrupted had begun: {planned.source} to {planned.target}",
                "undone": f"taken back, as a run was interrupted: {planned.target} to {planned.source}",
                "lost": f"a run was interrupted, and somebody has taken away since: {planned.source}",
            }
            # a file that nobody touched yet needs no line
            if state in said:
                self.log.write(said[state])
        return len(unsettled)

    def _settle(self, move: Move) -> MoveState:
        """Look at how far an operation came, and write it down."""
        document = self.library.document(move.document_id)
        state = settled(move, document.sha256 if document else "")
        self.library.journal.settle(move.id, state, at=self.now())
        if state in ("undone", "failed"):
            remove_empty(Path(move.target).parent, self.into)
        return state


def _do(planned: Move, expected: FileState) -> None:
    source, target = Path(planned.source), Path(planned.target)
    if planned.how == "link":
        try:
            operations.link(source, target, expected)
        except OSError as error:
            if not operations.cannot_link(error):
                raise
            raise OutputError(
                "cannot have a second name in another file system", where=source, remedy="use --copy in place of --link"
            ) from error
    elif planned.how == "copy":
        operations.copy(source, target, aside_of(planned), expected)
    else:
        operations.move(source, target, aside_of(planned), expected)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it; raises `NotADirectoryError` if a file is in the way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


def aside_of(move: Move) -> Path:
    """Give the place of a copy while it is written."""
    place = Path(move.source if move.state == "undoing" else move.target)
    return place.with_name(f".{place.name[:40]}.{move.id}.part")


def settled(move: Move, sha256: str) -> MoveState:
    """Finish an operation that came far enough, else leave or put its file where it was; gives the state."""
    source, target = Path(move.source), Path(move.target)
    aside_of(move).unlink(missing_ok=True)
    if move.how != "move":
        # the source is never touched; what is undone is only that there is another
        kept = os.path.lexists(target) and (move.state == "undoing" or operations.hash_of(target) == sha256)
        return "done" if kept else "undone" if move.state == "undoing" else "failed"
    begin, end = (target, source) if move.state == "undoing" else (source, target)
    states: tuple[MoveState, MoveState] = ("done", "undone") if move.state == "undoing" else ("failed", "done")
    if os.path.lexists(end):
        # what came back may have been changed by a person, and is compared with what is still there
        return states[not os.path.lexists(begin) or _arrived(begin, end, "" if move.state == "undoing" else sha256)]
    if os.path.lexists(begin):
        return states[0]
    # of a share that is not mounted nothing is known
    return "lost" if begin.parent.is_dir() and end.parent.is_dir() else move.state


def _arrived(begin: Path, end: Path, sha256: str) -> bool:
    """Return whether what lies at the end is the file that was moved, and remove what a copy has left behind."""
    before, content, left = operations.state_of(begin), operations.hash_of(end), operations.hash_of(begin)
    if content != (sha256 or left):
        return False
    # a rename leaves nothing behind but a second name, so that another file in its folder is somebody else's
    is_same_file = os.path.samestat(begin.lstat(), end.lstat())
    if left == content and (is_same_file or begin.lstat().st_dev != end.lstat().st_dev):
        try:
            operations.remove_unchanged(begin, content, before)
        except (OSError, ChangedError):
            end.unlink()
            return False
    return True


def remove_empty(folder: Path, top: Path) -> None:
    """Remove a folder, and those above it, that hold nothing, up to another folder."""
    while folder != top and folder.is_relative_to(top):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
