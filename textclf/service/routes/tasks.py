"""The state and the result of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from textclf.base.problems import ProblemError
from textclf.data.results import Result
from textclf.service.problems import refuse_unknown_parameters, responses

if TYPE_CHECKING:
    from textclf.library.records import Task
    from textclf.service.tasks import TaskDesk

MAX_WAIT = 60
"""Seconds that a client may wait for a task."""

TaskId = Annotated[str, Path(min_length=1, max_length=64)]


class TaskStatus(BaseModel):
    """How far a task is."""

    model_config = ConfigDict(extra="forbid")

    task_id: str
    task_status: Literal["pending", "started", "success", "failure"]
    task_position: int | None = Field(description="Place among those that wait, from 1; null once it is begun.")


def task_status(task: Task, position: int) -> TaskStatus:
    """Describe a task."""
    return TaskStatus(task_id=task.id, task_status=task.state, task_position=position or None)


def task_router(tasks: TaskDesk) -> APIRouter:
    """Make the routes about tasks."""
    router = APIRouter(prefix="/v1", tags=["tasks"], dependencies=[Depends(refuse_unknown_parameters)])

    @router.get("/status/poll/{task_id}", responses=responses(401, 404, 421, 422, 500, 503))
    async def poll(task_id: TaskId, wait: Annotated[float, Query(ge=0, le=MAX_WAIT)] = 0) -> TaskStatus:
        """Tell how far a task is; with `wait`, answer once it is done or after so many seconds."""
        return task_status(*await tasks.get(task_id, wait=wait))

    @router.get("/result/{task_id}", responses=responses(401, 404, 409, 415, 421, 422, 500, 503))
    async def result(task_id: TaskId) -> Result:
        """Give the result of a task that has ended; that of one that failed is its problem."""
        task, _ = await tasks.get(task_id)
        if task.state == "failure":
            raise ProblemError.from_body(task.result)
        if task.state != "success":
            raise ProblemError(
                409, "not-finished", "the task has not ended; poll its state", headers={"Retry-After": "1"}
            )
        return Result.model_validate(task.result)

    return router
