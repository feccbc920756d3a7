"""``GET /v1/result/{task_id}``: gives the result of a job, or the problem it ended with. Handler of API Gateway."""

from __future__ import annotations

import json

from aws_ml_adapter.serverless.clients import client
from aws_ml_adapter.serverless.gateway import Answer, Request, answer, route
from aws_ml_adapter.serverless.objects import Objects
from aws_ml_adapter.serverless.settings import settings
from aws_ml_adapter.serverless.status import asked_job
from aws_ml_adapter.serverless.submit import jobs_of
from textclf.base.problems import ProblemError


@route
def handler(request: Request) -> Answer:
    """Give what the record holds, or the object that it names."""
    options = settings()
    options.need("bucket", "table")
    job = asked_job(request, jobs_of(options))
    if job.state == "failure":
        raise ProblemError.from_body(json.loads(job.result))
    if job.state != "success":
        raise ProblemError(409, "not-finished", "the task has not ended; poll its state", headers={"Retry-After": "1"})
    text = job.result or Objects(client("s3"), options.bucket).get(job.result_key).decode()
    return answer(200, text)
