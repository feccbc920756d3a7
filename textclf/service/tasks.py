"""Tasks: classifications whose results are fetched later, kept by the library so that no restart loses one."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from textclf.base.errors import TextclfError
from textclf.base.log_context import bound_ids
from textclf.base.problems import ProblemError, problem_of, stopping
from textclf.library.tasks import MAX_ATTEMPTS
from textclf.service.task_work import REQUEST_ID, TaskWork, request_of_task
from textclf.service.uploads import SourceFile
from textclf.service.waiting import first_of

if TYPE_CHECKING:
    from textclf.library.records import Task
    from textclf.service.desk import Desk

PAUSE = 2.0
"""Seconds after which tasks of another process are looked for."""
_SWEEP = timedelta(minutes=10)

_log = logging.getLogger(__name__)


class TaskDesk(ABC):
    """What clients see of tasks; whoever derives from it says who does them.

    Parameters
    ----------
    desk : Desk
        Who classifies.
    most : int
        Tasks that may wait.
    keep_results : timedelta
        For how long results can be fetched.
    """

    def __init__(self, desk: Desk, *, most: int, keep_results: timedelta) -> None:
        self._desk, self._tasks, self._most, self._keep_results = desk, desk.library.tasks, most, keep_results
        self._forgotten = datetime.min.replace(tzinfo=UTC)
        self._news = asyncio.Event()
        self._trouble = ""
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.broker_up: Callable[[], bool] | None = None
        """Tells whether the broker answers, if there is one."""

    async def run(self) -> None:
        """See that tasks are done until the service stops; those that a former process had begun come first."""
        has_restarted = False
        while not self._desk.stopping.is_set():
            self._news.clear()
            try:
                if not has_restarted:
                    await self._restart()
                    has_restarted = True
                # in this process, too: there may have been a broker before
                await self._end_lapsed()
                await self._forget()
                await self._advance()
            except TextclfError as error:
                self._say(f"tasks have to wait: {error}")
            else:
                self._say("")
            await first_of(self._news, self._desk.stopping, seconds=PAUSE)

    @abstractmethod
    async def _advance(self) -> None:
        """See to the tasks that wait."""

    @abstractmethod
    async def drain(self, seconds: float) -> None:
        """Finish what was begun here, within some seconds."""

    async def add(self, task_id: str, files: Sequence[SourceFile]) -> Task:
        """Let a task wait for its turn."""
        context = {REQUEST_ID: bound_ids().get("request_id", ""), **self._desk.tracing.carrier()}
        task = await asyncio.to_thread(self._tasks.add, task_id, request_of_task(files, context), at=_now())
        self._news.set()
        return task

    async def refuse_if_full(self) -> None:
        """Raise the problem of too many tasks."""
        if self._desk.stopping.is_set() or not self._desk.reader.is_alive:
            raise stopping()
        waiting = (await asyncio.to_thread(self._tasks.count)).get("pending", 0)
        if waiting >= self._most:
            raise ProblemError(
                429, "too-many-tasks", f"{waiting} tasks wait already", headers=self._desk.retry_after(waiting)
            )

    async def get(self, task_id: str, *, wait: float = 0.0) -> tuple[Task, int]:
        """Give a task and its place among those that wait, once it is finished or the time is over."""
        finished = asyncio.Event()
        self._waiting[task_id].add(finished)
        try:
            task = await self._get(task_id)
            if wait and task.finished_at is None:
                await first_of(finished, self._desk.stopping, seconds=wait)
                task = await self._get(task_id)
        finally:
            self._waiting[task_id].discard(finished)
            if not self._waiting[task_id]:
                del self._waiting[task_id]
        return task, await asyncio.to_thread(self._tasks.position, task_id)

    def _say(self, trouble: str) -> None:
        """Log what is wrong, once until it changes."""
        if trouble and trouble != self._trouble:
            _log.error(trouble)
        elif self._trouble and not trouble:
            _log.info("tasks go on")
        self._trouble = trouble

    def _tell_finished(self, task_id: str) -> None:
        for finished in self._waiting.get(task_id, ()):
            finished.set()

    async def _restart(self) -> None:
        """Let the tasks wait again that a former service had begun."""
        gave_up = _given_up("service")
        await self._put_aside(gave_up, await asyncio.to_thread(self._tasks.restart, gave_up.body(), at=_now()))

    async def _end_lapsed(self) -> None:
        """Let the tasks wait again whose worker has fallen silent."""
        gave_up = _given_up("worker")
        lapsed = await asyncio.to_thread(self._desk.library.leases.end_lapsed, gave_up.body())
        await self._put_aside(gave_up, lapsed)

    async def _put_aside(self, gave_up: ProblemError, task_ids: Sequence[str]) -> None:
        for task_id in task_ids:
            _log.error(f"task {task_id} is put aside: {gave_up}")
            await asyncio.to_thread(self._desk.uploads.remove, task_id)
            self._tell_finished(task_id)

    async def _forget(self) -> None:
        """Remove results whose time is over, now and then."""
        if (now := _now()) - self._forgotten > _SWEEP:
            self._forgotten = now
            await asyncio.to_thread(self._tasks.forget, now - self._keep_results)

    async def _get(self, task_id: str) -> Task:
        task = await asyncio.to_thread(self._tasks.get, task_id)
        if task is None:
            raise ProblemError(404, "no-such-task", "there is no task of that id, or its time is over")
        return task


class TaskRunner(TaskDesk):
    """Does the tasks of the library in this process, the oldest first, beside what clients wait for."""

    def __init__(self, desk: Desk, *, most: int, keep_results: timedelta) -> None:
        super().__init__(desk, most=most, keep_results=keep_results)
        self._work = TaskWork(desk, finished=self._tell_finished)
        self._doing: set[asyncio.Task[bool]] = set()

    async def _advance(self) -> None:
        while self._has_room() and (task := await asyncio.to_thread(self._tasks.start_next)):
            doing = asyncio.create_task(self._work.do(task), name=task.id)
            self._doing.add(doing)
            doing.add_done_callback(self._ended)

    async def drain(self, seconds: float) -> None:
        """Finish the tasks that were begun; those that take longer are done anew at the next start."""
        if self._doing:
            _, late = await asyncio.wait(self._doing, timeout=seconds)
            for doing in late:
                doing.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            for doing in late:
                await self._work.put_back(doing.get_name())

    def _has_room(self) -> bool:
        # without a reader, tasks stay in the library for the next start
        return self._desk.reader.is_alive and len(self._doing) < self._work.at_once

    def _ended(self, doing: asyncio.Task[bool]) -> None:
        self._doing.discard(doing)
        self._news.set()
        if not doing.cancelled() and isinstance(error := doing.exception(), Exception):
            problem_of(error)


def _given_up(who: str) -> ProblemError:
    """Make the problem of a task during which a process ended too often."""
    return ProblemError(500, "gave-up", f"the {who} ended {MAX_ATTEMPTS} times while it did this task")


def _now() -> datetime:
    return datetime.now(UTC)
