"""The folder of filed documents, with its lock, its library and its log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from textclf.base.errors import BadInputError, UsageError
from textclf.base.plurals import counted
from textclf.base.user import user_name
from textclf.folders.day_log import DayLog, locked
from textclf.folders.mover import Mover
from textclf.folders.options import Destinations
from textclf.library.library import DATABASE, Library
from textclf.library.options import LibraryOptions

_log = logging.getLogger(__name__)


@contextmanager
def open_filing_folder(
    destinations: Destinations, keeping: LibraryOptions, now: Callable[[], datetime], command: str
) -> Iterator[Mover]:
    """Lock the folder, open its library, and put right what a run that was interrupted left half done.

    Raises
    ------
    textclf.base.errors.OutputError
        If another run files into the folder, or it cannot be written.
    textclf.base.errors.TextclfError
        If the library cannot be used.
    """
    with locked(destinations.private), keeping.open(destinations.private) as library:
        log = DayLog(destinations.private / "log", now)
        mover = Mover(library, destinations.into, log, now, command)
        if recovered := mover.recover():
            _log.warning(f"put right {counted(recovered, 'file')} that a run had begun which was interrupted")
        yield mover


@contextmanager
def known_library(destinations: Destinations, keeping: LibraryOptions) -> Iterator[Library | None]:
    """Open the library of a folder, if there is one, to read from it.

    Raises
    ------
    textclf.base.errors.TextclfError
        If it cannot be used.
    """
    library = keeping.look_into(destinations.private)
    with library or nullcontext():
        yield library


def check_inboxes(paths: Sequence[Path]) -> None:
    """Check the files and folders from which documents are taken.

    Raises
    ------
    textclf.base.errors.BadInputError
        If one of them is not there.
    """
    for path in paths:
        if not path.exists():
            raise BadInputError("there is no such file or folder", where=path, remedy="name the folder of the scans")


def check_library(destinations: Destinations, keeping: LibraryOptions) -> None:
    """Check that there is a library that could know of a run.

    Raises
    ------
    textclf.base.errors.BadInputError
        If there is none.
    """
    if not destinations.into.is_dir():
        raise BadInputError(
            "there is no such folder", where=destinations.into, remedy="give the one of the run with --into"
        )
    folder = keeping.library or destinations.private
    if not keeping.database and not (folder / DATABASE).exists():
        remedy = "give that of the run with --library, or its --database"
        raise BadInputError("holds no library", where=folder, remedy=remedy)


def keep_model(library: Library, path: Path, *, at: datetime) -> str:
    """Keep a model in the library, on duty if no other is; gives its id.

    Raises
    ------
    textclf.base.errors.TextclfError
        As `Library.add_model`.
    """
    model_id = library.add_model(path, at=at).id
    if library.model_on_duty() is None:
        library.put_on_duty(model_id, by=user_name(), at=at)
    return model_id


def model_file(model: Path | None, library: Library | None) -> Path:
    """Give a model file, or without one that of the model on duty.

    Raises
    ------
    textclf.base.errors.UsageError
        If no model is on duty.
    """
    if model is not None:
        return model
    on_duty = library.model_on_duty() if library else None
    if library is None or on_duty is None:
        raise UsageError("no model is on duty", where="model", remedy="give a model file with --model")
    return library.model_path(on_duty.id)
