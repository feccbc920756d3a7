"""Reads, classifies and files the scans that wait."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ocr.file_search import printable
from textclf.base.files import output_error, reason_of
from textclf.data.predictions import classify_found
from textclf.folders.file_names import NameParts, has_date, local_time, numbered, relative_path, safe_name, safe_suffix
from textclf.folders.file_operations import ChangedError, hash_of, state_of
from textclf.folders.inbox import WaitingFile
from textclf.folders.options import Destinations, FilingOptions, Result

if TYPE_CHECKING:
    from ocr.document import Document
    from textclf.data.scans import ScanOptions
    from textclf.folders.mover import Mover
    from textclf.library.library import Library
    from textclf.library.records import Decision
    from textclf.model.predict import Model
    from textclf.model.prediction import Prediction

CHANGED = "was changed while it was read; the next run takes it"
NO_DATE = "the time of the file is in no calendar, so its date is that of filing"
_DONE = {"move": "moved", "copy": "copied", "link": "linked"}
_STOPPING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""Errors after which no other file could be filed either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """What became of a file.

    Parameters
    ----------
    document_id : str
        Its name among the files that waited.
    source : pathlib.Path
        Where it waited.
    target : pathlib.Path, optional
        Where it is now; None if it stayed.
    result : {"filed", "review", "failed", "duplicate", "stayed", "put back", "removed", "gone"}
        ``stayed``: it could not be filed or put back; a duplicate that was only to be copied or linked has no target.
        ``put back``, ``removed``: a file that was moved, and one that was copied or linked, when a run is undone;
        ``gone``: somebody has moved or removed it since.
    category : str
        The category decided by a person, else the predicted one; empty if there is none.
    score : float
        Of the predicted category.
    note : str
        Why it is not accepted, what is missing, or who decided, in one line.
    is_decided : bool
        Whether a person decided.
    """

    document_id: str
    source: Path
    target: Path | None
    result: Result | Literal["stayed", "put back", "removed", "gone"]
    category: str = ""
    score: float = 0.0
    note: str = ""
    is_decided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A document of known content, and what a model or a person says of it."""

    waiting: WaitingFile
    sha256: str
    id: int
    result: Result
    category: str = ""
    score: float = 0.0
    note: str = ""
    is_decided: bool = False


class Filer:
    """Files documents by what people decided or a model predicts; without a `Mover` it only tells where they would go.

    Parameters
    ----------
    model : Model
        Loaded, with the threshold wanted.
    model_id : str
        Its id in the library; empty without a mover.
    destinations : Destinations
        The folders.
    options : FilingOptions
        The name of accepted files, and what is done with each file.
    mover : Mover, optional
        Does it.
    library : Library, optional
        What is known of documents filed before; with a mover, its library.
    now : callable
        Gives the time.
    """

    def __init__(
        self,
        model: Model,
        model_id: str,
        *,
        destinations: Destinations,
        options: FilingOptions,
        mover: Mover | None,
        library: Library | None,
        now: Callable[[], datetime],
    ) -> None:
        self.model, self.model_id, self.destinations, self.options = model, model_id, destinations, options
        self.mover, self.library, self.now = mover, library, now
        # by content, where a trial would have put each file so far
        self._trial: dict[str, Path] = {}

    def run(self, waiting: Sequence[WaitingFile], scans: ScanOptions) -> Generator[Filed]:
        """File what waits, each file as soon as it is read.

        Neither a copy of what was filed before is read, nor what was filed before and decided since.

        Raises
        ------
        textclf.base.errors.OutputError
            If no other file could be filed either, as when the disk is full.
        """
        unread, files = [], {one.found.document_id: one for one in waiting}
        sizes = self.library.journal.sizes(str(self.destinations.into)) if self.library else set()
        for one in waiting:
            if one.state.size in sizes and (filed := self._file_unread(one)):
                yield filed
            else:
                unread.append(one.found)
        if unread:
            with closing(classify_found(self.model, unread, scans)) as classified:
                for document, prediction, _ in classified:
                    yield self.file(files[document.document_id], document, prediction)

    def file(self, waiting: WaitingFile, document: Document, prediction: Prediction) -> Filed:
        """File a document that was read.

        Raises
        ------
        textclf.base.errors.OutputError
            As `run`.
        """
        if not document.sha256:
            # as of an empty file, or of one that is larger than what is read
            try:
                document = replace(document, sha256=hash_of(waiting.found.file))
            except OSError:
                return _stayed(waiting, document.error)
        if not _is_unchanged(waiting):
            return _stayed(waiting, CHANGED)
        result: Result = "filed" if prediction.decision == "accept" else "review"
        note = prediction.reason if result == "review" else document.error
        if document.status == "failed":
            result, note = "failed", document.error
        before = self._filed_before(document.sha256, waiting)
        if before is not None:
            result, note = "duplicate", f"has the content of {before}"
        judged = _Judged(
            waiting=waiting,
            sha256=document.sha256,
            id=self._remember(waiting, document, prediction),
            result=result,
            category=prediction.predicted_category,
            score=prediction.score,
            note=note,
        )
        known = self.library.document_of(document.sha256) if self.library else None
        decision = self.library.decision(known.id) if self.library and known and result != "duplicate" else None
        return self._put(judged if decision is None else _as_decided(judged, decision))

    def _file_unread(self, waiting: WaitingFile) -> Filed | None:
        """File a document whose content was filed before and is still there, or was decided."""
        try:
            sha256 = hash_of(waiting.found.file)
        except OSError:
            return None
        document = self.library.document_of(sha256) if self.library else None
        if self.library is None or document is None or not _is_unchanged(waiting):
            return None
        before = self._filed_before(sha256, waiting)
        note = f"has the content of {before}"
        judged = _Judged(waiting=waiting, sha256=sha256, id=document.id, result="duplicate", note=note)
        if before is not None:
            return self._put(judged)
        decision = self.library.decision(document.id)
        return None if decision is None else self._put(_as_decided(judged, decision))

    def _filed_before(self, sha256: str, waiting: WaitingFile) -> Path | None:
        """Give where another file of some content was put that is still there, if not among the duplicates."""
        # all empty files have the same content, of which nothing is to be learned
        if not waiting.state.size:
            return None
        moves = self.library.journal.done(sha256, str(self.destinations.into)) if self.library else []
        targets = {Path(move.target) for move in moves} - {Path(os.path.realpath(waiting.found.file))}
        spare = self.destinations.folders["duplicate"]
        there = (path for path in targets if os.path.lexists(path) and not path.is_relative_to(spare))
        return next(there, None) or self._trial.get(sha256)

    def _remember(self, waiting: WaitingFile, document: Document, prediction: Prediction) -> int:
        if self.mover is None:
            return 0
        library, path = self.mover.library, waiting.found.file
        stored, _ = library.add_document(
            sha256=document.sha256,
            name=printable(path.name),
            size=waiting.state.size,
            at=self.now(),
            path=str(path.absolute()),
        )
        library.record_reading(stored.id, document)
        library.record_prediction(
            stored.id,
            self.model_id,
            prediction,
            categories=self.model.categories,
            max_error=self.model.training.acceptance.max_error,
            at=self.now(),
        )
        return stored.id

    def _put(self, judged: _Judged) -> Filed:
        waiting = judged.waiting
        source = Path(os.path.abspath(waiting.found.file))  # noqa: PTH100 - a link to a folder stays as given
        filed = Filed(
            document_id=waiting.found.document_id,
            source=source,
            target=None,
            result=judged.result,
            category=judged.category,
            score=judged.score,
            note=judged.note,
            is_decided=judged.is_decided,
        )
        if judged.result == "duplicate" and self.options.operation != "move":
            return filed
        if judged.result == "filed" and has_date(self.options.name) and local_time(waiting.state.modified) is None:
            # one document never ends a batch
            filed = replace(filed, note="; ".join(filter(None, (filed.note, NO_DATE))))
        target = self._target(judged)
        here = Path(os.path.realpath(source))
        if target == here or (judged.result != "filed" and target.parent == here.parent):
            # looked at once more, it stays where it is
            return replace(filed, target=source)
        if self.mover is None:
            taken = {*self._trial.values()}
            place = next(one for one in numbered(target) if one not in taken and not os.path.lexists(one))
            self._trial.setdefault(judged.sha256, place)
            return replace(filed, target=place)
        try:
            place = self.mover.put(
                judged.id, source, target, self.options.operation, waiting.state, lambda place: self._line(filed, place)
            )
        except ChangedError:
            return _stayed(waiting, CHANGED)
        except OSError as error:
            if error.errno in _STOPPING:
                raise output_error(error, target, "choose another folder with --into") from error
            where = f" to {target}" if error.errno != errno.ENOENT else ""
            return _stayed(waiting, f"cannot be {_DONE[self.options.operation]}{where} ({reason_of(error)})")
        return replace(filed, target=place)

    def _target(self, judged: _Judged) -> Path:
        file = judged.waiting.found.file
        if judged.result != "filed":
            name = f"{safe_name(file.stem)}{safe_suffix(file.suffix)}"
            return self.destinations.folders[judged.result] / name
        parts = NameParts(
            category=judged.category,
            name=file.stem,
            id=judged.id,
            sha256=judged.sha256,
            score=judged.score,
            modified=local_time(judged.waiting.state.modified) or self.now().astimezone(),
        )
        return self.destinations.into / relative_path(self.options.name, parts, file.suffix)

    def _line(self, filed: Filed, place: Path) -> str:
        """Tell of a file in the log."""
        why = {
            "filed": f"{filed.category}, {filed.note if filed.is_decided else f'{filed.score:.1%}'}",
            "review": f"for review: {filed.note}",
            "failed": f"cannot be read: {filed.note}",
            "duplicate": filed.note,
        }[filed.result]
        note = f"; {filed.note}" if filed.result == "filed" and filed.note and not filed.is_decided else ""
        return f"{_DONE[self.options.operation]} {filed.source} to {place} ({why}{note})"


def _as_decided(judged: _Judged, decision: Decision) -> _Judged:
    note = f"decided by {decision.by}"
    return replace(judged, result="filed", category=decision.category, score=1.0, note=note, is_decided=True)


def _is_unchanged(waiting: WaitingFile) -> bool:
    try:
        return state_of(waiting.found.file) == waiting.state
    except OSError:
        return False


def _stayed(waiting: WaitingFile, note: str) -> Filed:
    path = waiting.found.file
    return Filed(document_id=waiting.found.document_id, source=path, target=None, result="stayed", note=note)
