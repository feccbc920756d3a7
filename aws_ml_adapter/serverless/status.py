"""``GET /v1/status/poll/{task_id}``: tells how far a job is. Handler of API Gateway."""

from __future__ import annotations

import time

from aws_ml_adapter.serverless.gateway import Answer, Request, answer, route
from aws_ml_adapter.serverless.jobs import Job, Jobs
from aws_ml_adapter.serverless.messages import TASK_ID
from aws_ml_adapter.serverless.settings import settings
from aws_ml_adapter.serverless.submit import jobs_of
from textclf.base.problems import ProblemError

MAX_WAIT = 20.0
"""Seconds that a client may wait; a gateway cuts off what takes 29."""
_PAUSE = 0.5


def asked_job(request: Request, jobs: Jobs) -> Job:
    """Give the job that a caller asks for; that of another is not there, as far as he can see."""
    task_id = request.path.get("task_id", "")
    job = jobs.get(task_id) if TASK_ID.fullmatch(task_id) else None
    if job is None or job.owner != request.caller:
        raise ProblemError(404, "no-such-task", "there is no task of that id, or its time is over")
    return job


def seconds_to_wait(request: Request) -> float:
    """Give the seconds that a caller is ready to wait."""
    try:
        seconds = float(request.query.get("wait") or 0)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_WAIT:
        raise ProblemError(422, "invalid", f"wait is not 0 to {MAX_WAIT:g} seconds")
    return seconds


@route
def handler(request: Request) -> Answer:
    """Look at the record until the job is finished, or the time is over."""
    options = settings()
    options.need("table")
    jobs, end = jobs_of(options), time.monotonic() + seconds_to_wait(request)
    while (job := asked_job(request, jobs)).state in ("pending", "started") and time.monotonic() < end:
        time.sleep(_PAUSE)
    return answer(200, job.status())
