"""The library: documents, predictions, decisions and models in one place, each call one transaction."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import func, select

from ocr.document import Document
from textclf.base.files import input_error, output_error, write_aside
from textclf.base.hashing import hash_bytes
from textclf.library import claims, decisions, documents, models, queue
from textclf.library.corrections import iter_corrections
from textclf.library.database import Database, sqlite_address
from textclf.library.journal import Journal
from textclf.library.leases import Leases
from textclf.library.records import (
    Claim,
    Correction,
    Decision,
    Duty,
    Order,
    StoredDocument,
    StoredModel,
    StoredPage,
    StoredPrediction,
)
from textclf.library.rows import insert_if_new, record
from textclf.library.tables import DecisionRow, DocumentRow, ModelRow, PageRow
from textclf.library.tasks import Tasks
from textclf.model.prediction import Prediction

DATABASE = "library.sqlite"
CLAIM = timedelta(minutes=15)
"""For how long a document is kept for the person who looks at it."""


class Library:
    """A folder of models and files, and a database that knows them.

    Whoever is killed at any moment leaves each change whole or undone. Nothing that people decided is ever deleted.
    Where the database cannot be used any more, as when its disk is full or its server is gone, each method raises a
    `TextclfError`.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    database : str, optional
        Address of a database, as SQLAlchemy has it; by default the SQLite file ``library.sqlite`` in the folder.
    read_only : bool
        Change nothing, and make nothing that is not there.

    Raises
    ------
    textclf.base.errors.TextclfError
        If the folder cannot be made, or the database cannot be used.
    """

    def __init__(self, folder: str | Path, database: str | None = None, *, read_only: bool = False) -> None:
        self.folder = Path(folder)
        self.models, self.files = self.folder / "models", self.folder / "files"
        self.thumbnails = self.folder / "thumbnails"
        if not read_only:
            self._make(is_file=database is None)
        self.database = Database(database or sqlite_address(self.folder / DATABASE), read_only=read_only)
        self.journal = Journal(self.database)
        self.tasks, self.leases = Tasks(self.database), Leases(self.database)

    def _make(self, *, is_file: bool) -> None:
        try:
            # papers are private
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(error, self.folder, "choose another folder") from error
        if is_file:
            # SQLite gives its other files the permissions of this one; what is wrong with it is told when it is opened
            with suppress(OSError, sqlite3.Error):
                path = self.folder / DATABASE
                os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600))
                # no longer empty: an empty one is taken for damaged
                with closing(sqlite3.connect(path)) as connection:
                    connection.execute("PRAGMA journal_mode = WAL")

    @classmethod
    def open(cls, folder: str | Path, database: str | None = None) -> Self:
        """Open a library, or make one."""
        return cls(folder, database)

    @classmethod
    def look_into(cls, folder: str | Path, database: str | None = None) -> Self | None:
        """Open a library to read from it, and change nothing; None if there is none."""
        library = cls(folder, database, read_only=True)
        if library.database.has_tables:
            return library
        library.close()
        return None

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # models

    def add_model(self, path: str | Path, *, at: datetime, name: str = "", parent_id: str | None = None) -> StoredModel:
        """Copy a model file into the library; one that is there already stays as it is.

        Raises
        ------
        textclf.base.errors.BadInputError
            If the file cannot be read.
        textclf.base.errors.BadModelError
            If it is no model, or a damaged one.
        textclf.base.errors.BadDataError
            If there is no model `parent_id`.
        textclf.base.errors.OutputError
            If it cannot be written into the library.
        """
        from textclf.model.file import model_info

        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise input_error(error, path) from error
        model_id = hash_bytes(content)
        if (known := self.model(model_id)) is not None and self.model_path(model_id).exists():
            return known
        info = model_info(path)
        if parent_id is not None and self.model(parent_id) is None:
            raise models.no_model(parent_id)
        with write_aside(self.model_path(model_id), private=True) as aside:
            aside.write_bytes(content)
        with self.database.writing() as session:
            insert_if_new(
                session,
                ModelRow,
                id=model_id,
                name=name or Path(path).stem,
                added_at=at,
                trained_on=info.training.data_hash,
                # as the database gives it back, without tuples
                figures=json.loads(json.dumps(asdict(info))),
                parent_id=parent_id,
            )
            return record(StoredModel, models.get_model(session, model_id))

    def model(self, model_id: str) -> StoredModel | None:
        """Give a model, or None if there is none of that id."""
        with self.database.reading() as session:
            row = session.get(ModelRow, model_id)
            return None if row is None else record(StoredModel, row)

    def list_models(self) -> list[StoredModel]:
        """List the models, oldest first."""
        with self.database.reading() as session:
            rows = session.scalars(select(ModelRow).order_by(ModelRow.added_at, ModelRow.id))
            return [record(StoredModel, row) for row in rows]

    def model_path(self, model_id: str) -> Path:
        """Give the place of a model's file."""
        return self.models / f"{model_id}.textclf"

    def put_on_duty(self, model_id: str, *, by: str, at: datetime) -> Duty:
        """Put a model on duty, unless it is so already.

        Raises
        ------
        textclf.base.errors.BadDataError
            If there is no model of that id.
        """
        with self.database.writing() as session:
            return record(Duty, models.put_on_duty(session, model_id, by=by, at=at))

    def go_back(self, *, by: str, at: datetime) -> Duty:
        """Put the model on duty again that was so before the present one.

        Raises
        ------
        textclf.base.errors.BadDataError
            If no other was on duty before.
        """
        with self.database.writing() as session:
            return record(Duty, models.go_back(session, by=by, at=at))

    def model_on_duty(self) -> StoredModel | None:
        """Give the model on duty; None if there never was one."""
        with self.database.reading() as session:
            rows = models.duty_rows(session)
            return record(StoredModel, models.get_model(session, rows[-1].model_id)) if rows else None

    # documents

    def add_document(
        self, *, sha256: str, name: str, size: int, at: datetime, path: str = ""
    ) -> tuple[StoredDocument, bool]:
        """Add a document unless its content is known, whose path then is the one given; tells whether it is new."""
        with self.database.writing() as session:
            given = {"sha256": sha256, "name": name, "path": path}
            document_id, is_new = documents.add_document(session, **given, size=size, at=at)
            return record(StoredDocument, documents.get_document(session, document_id)), is_new

    def keep_file(self, path: Path, sha256: str, suffix: str = "") -> Path:
        """Keep a file with this hash that lies nowhere else, as a link where the disk can; gives its place."""
        place = self.file_path(sha256, suffix)
        if not place.exists():
            with write_aside(place, private=True) as aside:
                aside.unlink()
                try:
                    os.link(path, aside)
                except OSError:
                    shutil.copyfile(path, aside)
        return place

    def file_path(self, sha256: str, suffix: str = "") -> Path:
        """Give the place of a kept file; of the suffix, only letters and digits count."""
        ending = re.sub(r"[^a-z0-9]", "", suffix.lower())[:8]
        return self.files / sha256[:2] / (f"{sha256}.{ending}" if ending else sha256)

    def document(self, document_id: int) -> StoredDocument | None:
        """Give a document, or None if there is none of that id."""
        with self.database.reading() as session:
            row = session.get(DocumentRow, document_id)
            return None if row is None else record(StoredDocument, row)

    def document_of(self, sha256: str) -> StoredDocument | None:
        """Give the document of a content, or None if it is not known."""
        with self.database.reading() as session:
            row = session.scalar(select(DocumentRow).where(DocumentRow.sha256 == sha256))
            return None if row is None else record(StoredDocument, row)

    def list_documents(self, *, after: int = 0, limit: int = 100, category: str | None = None) -> list[StoredDocument]:
        """List documents by id from the one after an id, of one category if it is given."""
        with self.database.reading() as session:
            return documents.list_documents(session, after=after, limit=limit, category=category)

    def count_documents(self) -> dict[str, int]:
        """Count documents by status."""
        with self.database.reading() as session:
            counts = select(DocumentRow.status, func.count()).group_by(DocumentRow.status)
            return dict(session.execute(counts).all())

    def record_reading(self, document_id: int, document: Document) -> None:
        """Keep what was read of a document, in place of what was read before.

        Raises
        ------
        textclf.base.errors.BadDataError
            If there is no document of that id.
        """
        with self.database.writing() as session:
            documents.record_reading(session, document_id, document)

    def text(self, document_id: int) -> str:
        """Give the text of a document, a form feed between two pages.

        Raises
        ------
        textclf.base.errors.BadDataError
            If there is no document of that id.
        """
        with self.database.reading() as session:
            return documents.get_document(session, document_id).text

    def pages(self, document_id: int) -> list[StoredPage]:
        """Give the pages of a document that were read."""
        with self.database.reading() as session:
            rows = session.scalars(select(PageRow).where(PageRow.document_id == document_id).order_by(PageRow.number))
            return [record(StoredPage, row) for row in rows]

    def record_prediction(
        self,
        document_id: int,
        model_id: str,
        prediction: Prediction,
        *,
        categories: Sequence[str],
        at: datetime,
        evidence: Mapping[str, Any] | None = None,
        max_error: float | None = None,
    ) -> StoredPrediction:
        """Keep the prediction of a model, in place of its earlier one.

        `categories` are those of its scores, `max_error` the maximum error that held for it.

        Raises
        ------
        textclf.base.errors.BadDataError
            If there is no document, or no model, of that id.
        """
        with self.database.writing() as session:
            given: dict[str, Any] = {"categories": categories, "evidence": evidence or {}, "at": at}
            given["max_error"] = max_error
            row = documents.record_prediction(session, document_id, model_id, prediction, **given)
            return record(StoredPrediction, row)

    def prediction(self, document_id: int, model_id: str | None = None) -> StoredPrediction | None:
        """Give the prediction of a model for a document, or that made last; None if there is none."""
        with self.database.reading() as session:
            return documents.current_prediction(session, document_id, model_id)

    # decisions

    def decide(self, document_id: int, category: str, *, by: str, at: datetime) -> Decision:
        """Decide the category of a document, and give up the claim.

        Raises
        ------
        textclf.library.claims.ClaimedError
            If somebody else looks at it.
        textclf.base.errors.BadDataError
            If there is no document of that id.
        """
        with self.database.writing() as session:
            return record(Decision, decisions.decide(session, document_id, category, by=by, at=at))

    def undo(self, *, by: str, at: datetime) -> Decision | None:
        """Undo the last decision of a person that is not undone; None if there is none."""
        with self.database.writing() as session:
            row = decisions.undo(session, by=by, at=at)
            return None if row is None else record(Decision, row)

    def decision(self, document_id: int) -> Decision | None:
        """Give the decision that holds for a document, or None."""
        with self.database.reading() as session:
            row = decisions.decision_that_holds(session, document_id)
            return None if row is None else record(Decision, row)

    def decision_history(self, document_id: int) -> list[Decision]:
        """List all decisions on a document, also those undone, oldest first."""
        query = select(DecisionRow).where(DecisionRow.document_id == document_id).order_by(DecisionRow.id)
        with self.database.reading() as session:
            return [record(Decision, row) for row in session.scalars(query)]

    def claim_next(
        self,
        *,
        by: str,
        at: datetime,
        order: Order = "unsure",
        keep: timedelta = CLAIM,
        passed_over: Sequence[int] = (),
    ) -> Claim | None:
        """Claim the next document for review that nobody else looks at; None if there is none."""
        with self.database.writing() as session:
            until = at + keep
            return queue.claim_next(session, by=by, at=at, until=until, order=order, passed_over=passed_over)

    def release(self, document_id: int, *, by: str) -> bool:
        """Give up a claim of one's own; returns whether there was one."""
        with self.database.writing() as session:
            return claims.release(session, document_id, by=by)

    def count_for_review(self, *, at: datetime) -> int:
        """Count documents for review that nobody looks at."""
        with self.database.reading() as session:
            return queue.count_for_review(session, at)

    def count_corrections(self) -> dict[tuple[str, str], int]:
        """Count the decisions that hold and changed something, by the category before and after."""
        with self.database.reading() as session:
            return decisions.count_corrections(session)

    def corrections(self) -> Iterator[Correction]:
        """Yield the decisions that hold, with the texts of their documents, to train on."""
        return iter_corrections(self.database)
