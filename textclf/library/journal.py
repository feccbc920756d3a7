"""The journal of files moved: each operation is written down before it is begun and after it is done."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select

from textclf.base.errors import BadDataError
from textclf.library.database import Database
from textclf.library.documents import get_document
from textclf.library.records import Move, MoveState, Operation, Run
from textclf.library.rows import record
from textclf.library.tables import DocumentRow, MoveRow, RunRow

_FILED = MoveRow.state.in_(("done", "kept"))


class Journal:
    """What runs moved where; every call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin_run(self, command: str, into: str, *, at: datetime) -> Run:
        """Begin a run that files into a folder."""
        with self._database.writing() as session:
            row = RunRow(command=command, into=into, started_at=at)
            session.add(row)
            session.flush()
            return record(Run, row)

    def plan(self, run: int, document_id: int, source: str, target: str, how: Operation, *, at: datetime) -> Move:
        """Write down an operation that is about to be done."""
        with self._database.writing() as session:
            places = {"source": source, "target": target}
            row = MoveRow(run=run, document_id=document_id, how=how, state="planned", at=at, **places)
            session.add(row)
            session.flush()
            return record(Move, row)

    def settle(self, move: int, state: MoveState, *, at: datetime, source: str | None = None) -> Move:
        """Write down how far an operation came, and with it where a document lies that was moved or put back.

        `source` is where the file goes back to, if not where it was.

        Raises
        ------
        textclf.base.errors.BadDataError
            If there is no such operation.
        """
        with self._database.writing() as session:
            row = session.get(MoveRow, move)
            if row is None:
                raise BadDataError(f"there is no file operation {move}")
            row.state, row.at = state, at
            row.source = row.source if source is None else source
            if row.how == "move" and state in ("done", "undone"):
                get_document(session, row.document_id).path = row.target if state == "done" else row.source
            return record(Move, row)

    def unsettled(self, into: str) -> list[Move]:
        """List operations into a folder that were begun and not written down as done, oldest first."""
        return self._moves(RunRow.into == into, MoveRow.state.in_(("planned", "undoing")))

    def last_run(self, into: str) -> list[Move]:
        """List the operations of the last run into a folder that are done and not undone, oldest first."""
        last = select(func.max(MoveRow.run)).join(RunRow).where(RunRow.into == into, MoveRow.state == "done")
        return self._moves(MoveRow.run == last.scalar_subquery(), MoveRow.state == "done")

    def forget_idle_runs(self, into: str) -> Run | None:
        """Forget the runs into a folder that moved nothing since the last run that did; gives the last of them."""
        moved = select(func.max(MoveRow.run)).join(RunRow).where(RunRow.into == into, MoveRow.state == "done")
        since = RunRow.into == into, RunRow.id > func.coalesce(moved.scalar_subquery(), 0)
        took_place = select(MoveRow.id).where(MoveRow.run == RunRow.id, MoveRow.state != "failed")
        idle = select(RunRow).where(*since, ~took_place.exists())
        with self._database.writing() as session:
            rows = [*session.scalars(idle.order_by(RunRow.id))]
            last = record(Run, rows[-1]) if rows else None
            session.execute(delete(MoveRow).where(MoveRow.run.in_([row.id for row in rows])))
            for row in rows:
                session.delete(row)
            return last

    def run(self, run: int) -> Run | None:
        """Give a run, or None if there is none of that id."""
        with self._database.reading() as session:
            row = session.get(RunRow, run)
            return None if row is None else record(Run, row)

    def done(self, sha256: str, into: str) -> list[Move]:
        """List the operations into a folder on files of some content that are not undone, oldest first."""
        document = select(DocumentRow.id).where(DocumentRow.sha256 == sha256).scalar_subquery()
        return self._moves(MoveRow.document_id == document, RunRow.into == into, _FILED)

    def sizes(self, into: str) -> set[int]:
        """Give the sizes of files that were filed into a folder, so that others need not be compared with them."""
        query = select(DocumentRow.size).join(MoveRow).join(RunRow).where(RunRow.into == into, _FILED)
        with self._database.reading() as session:
            return {*session.scalars(query.distinct())}

    def _moves(self, *conditions: ColumnElement[bool]) -> list[Move]:
        query = select(MoveRow).join(RunRow).where(*conditions).order_by(MoveRow.id)
        with self._database.reading() as session:
            return [record(Move, row) for row in session.scalars(query)]
