"""Puts the files of a run back where they were."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from textclf.base.files import reason_of
from textclf.folders import file_operations as operations
from textclf.folders.day_log import DayLog
from textclf.folders.file_names import numbered
from textclf.folders.file_operations import ChangedError
from textclf.folders.filing import Filed
from textclf.folders.mover import aside_of, make_folder, remove_empty, settled
from textclf.library.library import Library
from textclf.library.records import Move


def undo_last_run(library: Library, into: Path, log: DayLog, now: Callable[[], datetime]) -> Iterator[Filed]:
    """Take back the last run into a folder that is not undone, the last file first.

    What was copied or linked is removed where the source is there with the same content; else it stays for good.

    Raises
    ------
    textclf.base.errors.OutputError
        If the log cannot be written.
    """
    moves = library.journal.last_run(str(into))
    # of a share that is not mounted nothing is known; folders that become empty are removed below
    mounted = {folder for folder in {Path(move.target).parent for move in moves} if folder.is_dir()}
    for move in reversed(moves):
        source, target = Path(move.source), Path(move.target)
        document = library.document(move.document_id)
        sha256 = document.sha256 if document else ""
        name = document.name if document else target.name
        is_there = os.path.lexists(target)
        if not is_there and target.parent in mounted:
            library.journal.settle(move.id, "lost", at=now())
            note = f"no longer at {target}: somebody has moved or removed it"
            yield Filed(document_id=name, source=target, target=None, result="gone", note=note)
            continue
        try:
            if not is_there:
                raise FileNotFoundError(None, "its folder is not there", str(target))
            if move.how == "move":
                source = _put_back(library, move, now)
                log.write(f"put back {target} to {source}")
            else:
                _remove(library, move, sha256, now)
                log.write(f"removed {target}, which is still at {source}")
        except (OSError, ChangedError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else "it was changed meanwhile"
            note = f"stayed at {target} ({reason})"
            yield Filed(document_id=name, source=target, target=None, result="stayed", note=note)
            continue
        remove_empty(target.parent, into)
        if move.how == "move":
            yield Filed(document_id=name, source=target, target=source, result="put back")
        else:
            note = f"from {target}; it is still at {source}"
            yield Filed(document_id=name, source=target, target=None, result="removed", note=note)


def _put_back(library: Library, move: Move, now: Callable[[], datetime]) -> Path:
    target = Path(move.target)
    for place in numbered(Path(move.source)):
        if os.path.lexists(place):
            continue
        make_folder(place.parent)
        begun = library.journal.settle(move.id, "undoing", at=now(), source=str(place))
        try:
            operations.move(target, place, aside_of(begun))
        except BaseException as error:
            state = settled(begun, "")
            library.journal.settle(move.id, state, at=now(), source=move.source if state == "done" else None)
            if isinstance(error, FileExistsError):
                continue
            raise
        library.journal.settle(move.id, "undone", at=now())
        return place
    raise AssertionError("there is always another number")


def _remove(library: Library, move: Move, sha256: str, now: Callable[[], datetime]) -> None:
    source, target = Path(move.source), Path(move.target)
    for path, what in ((source, "its source is gone or was changed"), (target, "it was changed")):
        try:
            found = operations.hash_of(path)
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise
            found = ""
        if found != sha256:
            # the run before this one is what is undone next
            library.journal.settle(move.id, "kept", at=now())
            raise OSError(None, what, str(path))
    library.journal.settle(move.id, "undoing", at=now())
    target.unlink()
    library.journal.settle(move.id, "undone", at=now())
