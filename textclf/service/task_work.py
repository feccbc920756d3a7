"""Doing a task: its files are classified, and the library keeps the result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.base.errors import TextclfError
from textclf.base.log_context import bound
from textclf.base.problems import problem_of, stopping
from textclf.library.database import DatabaseError
from textclf.service.uploads import SourceFile
from textclf.service.waiting import first_of

if TYPE_CHECKING:
    from textclf.library.records import Task
    from textclf.service.desk import Desk

PAUSE = 2.0
"""Seconds after which a result that was not kept is kept anew."""
REQUEST_ID = "x-request-id"
"""Header that carries the id of a request to workers, beside those of its trace."""
PAUSES = (1.0, 4.0, 16.0)
"""Seconds after which a task is begun anew for which the database server was gone."""

_log = logging.getLogger(__name__)


class TaskWork:
    """Does tasks that were begun, each to its end.

    Parameters
    ----------
    desk : Desk
        Who classifies.
    owner : str
        Who has leased the tasks; empty in the service itself.
    finished : callable
        Told the id of each task whose result is kept.
    """

    def __init__(self, desk: Desk, owner: str = "", finished: Callable[[str], None] = lambda task_id: None) -> None:
        self._desk, self._tasks, self._owner, self._tell = desk, desk.library.tasks, owner, finished
        # one task more than workers, so that none is idle while a result is written
        self.at_once = desk.reader.jobs + 1
        self._reading = asyncio.Semaphore(self.at_once)

    async def do(self, task: Task) -> bool:
        """Do a task; False if it was put back, because the process stops."""
        context = task.request.get("context", {})
        tracing = self._desk.tracing
        with tracing.span("task", kind="consumer", carrier=context) as span:
            span.note(textclf__task=task.id, textclf__attempt=task.attempts)
            with bound(task_id=task.id, request_id=context.get(REQUEST_ID, ""), trace_id=tracing.trace_id()):
                return await self._do(task)

    async def _do(self, task: Task) -> bool:
        try:
            result = (await self._classify(task)).model_dump(mode="json")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the result of the task
            problem = problem_of(error)
            # it is begun again at the next start
            if problem.name == "stopping":
                await self.put_back(task.id)
                return False
            return await self._finish(task.id, problem.body(), failed=True)
        return await self._finish(task.id, result, failed=False)

    async def put_back(self, task_id: str) -> None:
        """Let a task wait again."""
        try:
            await asyncio.to_thread(self._tasks.put_back, task_id, self._owner)
        except TextclfError as error:
            _log.error(f"task {task_id} is counted as begun: {error}")

    async def _classify(self, task: Task) -> Any:
        files = files_of_task(task, self._desk.uploads.folder)
        pauses = chain(PAUSES, repeat(PAUSES[-1]))
        while True:
            try:
                return await self._desk.classify(files, one_by_one=self._reading)
            # no fault of the task
            except DatabaseError as error:
                pause = next(pauses)
                _log.error(f"task {task.id} is done anew in {pause:g} s: {error}")
                await first_of(self._desk.stopping, seconds=pause)
                if self._desk.stopping.is_set():
                    raise stopping() from error

    async def _finish(self, task_id: str, result: dict[str, Any], *, failed: bool) -> bool:
        while True:
            try:
                is_first = await asyncio.to_thread(
                    self._tasks.finish, task_id, result, at=datetime.now(UTC), failed=failed
                )
                break
            except TextclfError as error:
                _log.error(f"the result of task {task_id} has to wait: {error}")
                # the task is done anew at the next start
                if self._desk.stopping.is_set():
                    await self.put_back(task_id)
                    return False
                await first_of(self._desk.stopping, seconds=PAUSE)
        await asyncio.to_thread(self._desk.uploads.remove, task_id)
        self._tell(task_id)
        if not is_first:
            _log.warning(f"task {task_id} was done by another process meanwhile, whose result counts")
            return True
        _log.log(logging.INFO if self._owner else logging.DEBUG, f"task {task_id} {'failed' if failed else 'is done'}")
        return True


def request_of_task(files: Sequence[SourceFile], context: Mapping[str, str]) -> dict[str, Any]:
    """Describe files, and the request that sent them, as the library keeps them with a task."""
    return {"files": [{**asdict(file), "path": str(file.path.absolute())} for file in files], "context": dict(context)}


def files_of_task(task: Task, uploads: Path) -> list[SourceFile]:
    """Give the files of a task; uploads lie where this machine has their folder."""
    files = [SourceFile(**{**given, "path": Path(given["path"])}) for given in task.request["files"]]
    return [replace(file, path=uploads / task.id / file.path.name) if file.is_ours else file for file in files]
