"""Tasks: classifications whose results are fetched later, kept by the library so that no restart loses one."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.base.errors import TextclfError
from textclf.base.problems import ProblemError, problem_of, stopping
from textclf.library.tasks import MAX_ATTEMPTS
from textclf.service.uploads import SourceFile

if TYPE_CHECKING:
    from textclf.library.records import Task
    from textclf.service.desk import Desk

_PAUSE = 2.0
"""Seconds after which tasks of another process are looked for, and a result that was not kept is kept anew."""
_SWEEP = timedelta(minutes=10)

_log = logging.getLogger(__name__)


class TaskRunner:
    """Does the tasks of the library, the oldest first, beside what clients wait for.

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
        # one task more than workers, so that none is idle while a result is written
        self._at_once = desk.reader.jobs + 1
        self._reading = asyncio.Semaphore(self._at_once)
        self._news = asyncio.Event()
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._doing: set[asyncio.Task[None]] = set()

    async def add(self, task_id: str, files: Sequence[SourceFile]) -> Task:
        """Let a task wait for its turn."""
        request = {"files": [{**asdict(file), "path": str(file.path)} for file in files]}
        task = await asyncio.to_thread(self._tasks.add, task_id, request, at=datetime.now(UTC))
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

    async def run(self) -> None:
        """Do tasks until the service stops; those that a former process had begun come first."""
        has_restarted, forgotten = False, datetime.min.replace(tzinfo=UTC)
        while not self._desk.stopping.is_set():
            self._news.clear()
            try:
                if not has_restarted:
                    await self._restart()
                    has_restarted = True
                while self._has_room() and (task := await asyncio.to_thread(self._tasks.start_next)):
                    doing = asyncio.create_task(self._do(task), name=task.id)
                    self._doing.add(doing)
                    doing.add_done_callback(self._ended)
                if datetime.now(UTC) - forgotten > _SWEEP:
                    forgotten = datetime.now(UTC)
                    await asyncio.to_thread(self._tasks.forget, forgotten - self._keep_results)
            except TextclfError as error:
                _log.error(f"tasks have to wait: {error}")
            await first_of(self._news, self._desk.stopping, seconds=_PAUSE)

    async def drain(self, seconds: float) -> None:
        """Finish the tasks that were begun; those that take longer are done anew at the next start."""
        if self._doing:
            _, late = await asyncio.wait(self._doing, timeout=seconds)
            for doing in late:
                doing.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            for doing in late:
                await self._put_back(doing.get_name())

    async def _restart(self) -> None:
        gave_up = ProblemError(500, "gave-up", f"the service ended {MAX_ATTEMPTS} times while it did this task")
        for task_id in await asyncio.to_thread(self._tasks.restart, gave_up.body(), at=datetime.now(UTC)):
            _log.error(f"task {task_id} is put aside: {gave_up}")
            await asyncio.to_thread(self._desk.uploads.remove, task_id)

    async def _put_back(self, task_id: str) -> None:
        try:
            await asyncio.to_thread(self._tasks.put_back, task_id)
        except TextclfError as error:
            _log.error(f"task {task_id} is counted as begun: {error}")

    def _has_room(self) -> bool:
        # without a reader, tasks stay in the library for the next start
        return self._desk.reader.is_alive and len(self._doing) < self._at_once

    async def _get(self, task_id: str) -> Task:
        task = await asyncio.to_thread(self._tasks.get, task_id)
        if task is None:
            raise ProblemError(404, "no-such-task", "there is no task of that id, or its time is over")
        return task

    def _ended(self, doing: asyncio.Task[None]) -> None:
        self._doing.discard(doing)
        self._news.set()
        if not doing.cancelled() and isinstance(error := doing.exception(), Exception):
            problem_of(error)

    async def _do(self, task: Task) -> None:
        try:
            files = [SourceFile(**{**given, "path": Path(given["path"])}) for given in task.request["files"]]
            result = (await self._desk.classify(files, one_by_one=self._reading)).model_dump(mode="json")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the result of the task
            problem = problem_of(error)
            # it is begun again at the next start
            if problem.name == "stopping":
                await self._put_back(task.id)
                return
            result = problem.body()
            await self._finish(task.id, result, failed=True)
        else:
            await self._finish(task.id, result, failed=False)

    async def _finish(self, task_id: str, result: dict[str, Any], *, failed: bool) -> None:
        while True:
            try:
                await asyncio.to_thread(self._tasks.finish, task_id, result, at=datetime.now(UTC), failed=failed)
                break
            except TextclfError as error:
                _log.error(f"the result of task {task_id} has to wait: {error}")
                # the task is done anew at the next start
                if self._desk.stopping.is_set():
                    await self._put_back(task_id)
                    return
                await first_of(self._desk.stopping, seconds=_PAUSE)
        await asyncio.to_thread(self._desk.uploads.remove, task_id)
        for finished in self._waiting.get(task_id, ()):
            finished.set()


async def first_of(*events: asyncio.Event, seconds: float) -> None:
    """Wait until one of some events is set, or some seconds have passed."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
