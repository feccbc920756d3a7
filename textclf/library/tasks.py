"""Work that was asked for and is done later, which outlives the process that does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from textclf.library.database import Database
from textclf.library.records import Task
from textclf.library.rows import insert_if_new, record
from textclf.library.tables import TaskRow

MAX_ATTEMPTS = 3
"""How often a task is begun during which the process dies; the last time nothing else is begun beside it."""


_WITHOUT_LEASE = TaskRow.state == "started", TaskRow.leased_until.is_(None)


class Tasks:
    """Tasks by id; every call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, task_id: str, request: Mapping[str, Any], *, at: datetime) -> Task:
        """Add a task; one that is there already stays as it is."""
        with self._database.writing() as session:
            new = {"id": task_id, "state": "pending", "created_at": at, "request": dict(request), "result": {}}
            insert_if_new(session, TaskRow, **new)
            return record(Task, session.get_one(TaskRow, task_id))

    def get(self, task_id: str) -> Task | None:
        """Give a task, or None if there is none of that id."""
        with self._database.reading() as session:
            row = session.get(TaskRow, task_id)
            return None if row is None else record(Task, row)

    def start_next(self) -> Task | None:
        """Take the oldest task that waits, which no other process then takes."""
        oldest = select(TaskRow).where(TaskRow.state == "pending").order_by(TaskRow.created_at, TaskRow.id).limit(1)
        most = select(func.max(TaskRow.attempts)).where(*_WITHOUT_LEASE)
        with self._database.writing() as session:
            row = session.scalar(oldest.with_for_update(skip_locked=True))
            if row is None:
                return None
            attempts_beside = session.scalar(most)
            if attempts_beside is not None and MAX_ATTEMPTS in (attempts_beside, row.attempts + 1):
                return None
            row.state, row.attempts = "started", row.attempts + 1
            return record(Task, row)

    def finish(self, task_id: str, result: Mapping[str, Any], *, at: datetime, failed: bool = False) -> bool:
        """Keep the result of a task; returns False if it was finished before, whose result stays."""
        with self._database.writing() as session:
            row = session.get(TaskRow, task_id, with_for_update=True)
            if row is None or row.state in ("success", "failure"):
                return False
            row.state, row.finished_at, row.result = "failure" if failed else "success", at, dict(result)
            return True

    def finished(self, task_ids: Iterable[str]) -> list[str]:
        """Give those of some tasks that have ended, or are no more."""
        wanted = list(task_ids)
        under_way = select(TaskRow.id).where(TaskRow.id.in_(wanted), TaskRow.finished_at.is_(None))
        with self._database.reading() as session:
            left = set(session.scalars(under_way))
        return [one for one in wanted if one not in left]

    def put_back(self, task_id: str, owner: str = "") -> None:
        """Let a task wait again that was begun, but given up for a reason that is not its own.

        One that another owner has begun meanwhile stays begun.
        """
        with self._database.writing() as session:
            row = session.get(TaskRow, task_id, with_for_update=True)
            if row is not None and (row.state, row.owner) == ("started", owner):
                row.state, row.attempts = "pending", row.attempts - 1
                row.owner, row.leased_until, row.queued_at = "", None, None

    def restart(self, result_of_failure: Mapping[str, Any], *, at: datetime) -> list[str]:
        """Let tasks wait again that a process had begun which is no more; those begun too often have failed.

        Tasks that workers have leased are theirs.

        Parameters
        ----------
        result_of_failure : mapping
            Result of the tasks that have failed.
        at : datetime.datetime
            The time.

        Returns
        -------
        list of str
            The ids of the tasks that have failed.
        """
        with self._database.writing() as session:
            return let_wait(session, *_WITHOUT_LEASE, result_of_failure=result_of_failure, at=at)

    def position(self, task_id: str) -> int:
        """Give the place of a task among those that wait, from 1; 0 if it does not wait."""
        with self._database.reading() as session:
            row = session.get(TaskRow, task_id)
            if row is None or row.state != "pending":
                return 0
            earlier = (TaskRow.created_at < row.created_at) | (
                (TaskRow.created_at == row.created_at) & (TaskRow.id <= row.id)
            )
            waiting = select(func.count()).select_from(TaskRow).where(TaskRow.state == "pending", earlier)
            return session.scalar(waiting) or 0

    def count(self) -> dict[str, int]:
        """Count tasks by state."""
        with self._database.reading() as session:
            rows = session.execute(select(TaskRow.state, func.count()).group_by(TaskRow.state))
            return dict(rows.all())

    def forget(self, before: datetime) -> int:
        """Remove tasks that were finished before some time, with their results; gives their number."""
        with self._database.writing() as session:
            removed: Any = session.execute(delete(TaskRow).where(TaskRow.finished_at < before))
            return int(removed.rowcount)


def let_wait(
    session: Session, *which: ColumnElement[bool], result_of_failure: Mapping[str, Any], at: datetime
) -> list[str]:
    """Let tasks that were begun wait again; those begun too often have failed, whose ids it gives."""
    failed = []
    for row in session.scalars(select(TaskRow).where(*which).with_for_update(skip_locked=True)):
        row.state, row.owner, row.leased_until, row.queued_at = "pending", "", None, None
        if row.attempts >= MAX_ATTEMPTS:
            row.state, row.finished_at, row.result = "failure", at, dict(result_of_failure)
            failed.append(row.id)
    return failed
