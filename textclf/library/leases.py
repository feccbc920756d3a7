"""Tasks that workers do: each holds a task for a time, and for longer as long as it lives; which were told to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from textclf.library.database import Database
from textclf.library.records import Task
from textclf.library.rows import record
from textclf.library.tables import TaskRow
from textclf.library.tasks import let_wait


class Leases:
    """Tasks that processes on several machines do; the clock is that of the database, so theirs may differ."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, task_id: str, owner: str, lease: timedelta, *, attempts: int) -> Task | None:
        """Take a task that waits and was begun so often before; None if it does not wait, or was begun meanwhile."""
        with self._database.writing() as session:
            row = session.get(TaskRow, task_id, with_for_update=True)
            if row is None or (row.state, row.attempts) != ("pending", attempts):
                return None
            row.state, row.attempts = "started", row.attempts + 1
            row.owner, row.leased_until = owner, _now(session) + lease
            return record(Task, row)

    def renew(self, task_ids: Iterable[str], owner: str, lease: timedelta) -> None:
        """Keep for longer those of some tasks that are still an owner's."""
        with self._database.writing() as session:
            still = TaskRow.owner == owner, TaskRow.state == "started"
            own = update(TaskRow).where(TaskRow.id.in_(list(task_ids)), *still)
            session.execute(own.values(leased_until=_now(session) + lease))

    def end_lapsed(self, result_of_failure: Mapping[str, Any]) -> list[str]:
        """Let tasks wait again whose owner has fallen silent; those begun too often have failed, whose ids it gives."""
        with self._database.writing() as session:
            now = _now(session)
            lapsed = TaskRow.state == "started", TaskRow.leased_until < now
            return let_wait(session, *lapsed, result_of_failure=result_of_failure, at=now)

    def untold(self, limit: int) -> list[Task]:
        """List tasks that wait and of which no worker was told, the oldest first."""
        query = select(TaskRow).where(TaskRow.state == "pending", TaskRow.queued_at.is_(None))
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(TaskRow.created_at, TaskRow.id).limit(limit))
            return [record(Task, row) for row in rows]

    def told(self, task_ids: Iterable[str]) -> None:
        """Note that workers were told of tasks."""
        with self._database.writing() as session:
            waiting = update(TaskRow).where(TaskRow.id.in_(list(task_ids)), TaskRow.state == "pending")
            session.execute(waiting.values(queued_at=_now(session)))

    def has_waited(self, margin: timedelta) -> bool:
        """Tell whether workers were told of a task for longer than a margin, and it still waits."""
        with self._database.reading() as session:
            waits = TaskRow.state == "pending", TaskRow.queued_at < _now(session) - margin
            return session.scalar(select(TaskRow.id).where(*waits).limit(1)) is not None

    def tell_again(self, margin: timedelta, *, all_waiting: bool) -> int:
        """Let workers be told again of tasks whose message is lost; gives their number.

        Lost is that of a task that still waits while one told later, by more than the margin, was begun; with
        `all_waiting`, as where no messages are left, of each that was told longer ago than the margin.
        """
        with self._database.writing() as session:
            until = session.scalar(select(func.max(TaskRow.queued_at)).where(TaskRow.state != "pending"))
            if all_waiting:
                until = _now(session)
            if until is None:
                return 0
            lost = update(TaskRow).where(TaskRow.state == "pending", TaskRow.queued_at < until - margin)
            changed: Any = session.execute(lost.values(queued_at=None))
            return int(changed.rowcount)


def _now(session: Session) -> datetime:
    """Give the time of the database; an SQLite file is on one machine, with one clock."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = session.scalars(select(func.clock_timestamp())).one()
    return now
