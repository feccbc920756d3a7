"""``POST /v1/classify/file/async``: takes a document as a job. Handler of API Gateway."""

from __future__ import annotations

from aws_ml_adapter.serverless.bodies import Sent, sent_document
from aws_ml_adapter.serverless.clients import client
from aws_ml_adapter.serverless.gateway import Answer, Request, answer, route
from aws_ml_adapter.serverless.jobs import Job, Jobs, task_id_of
from aws_ml_adapter.serverless.messages import send
from aws_ml_adapter.serverless.objects import DOCUMENTS, Objects, too_large
from aws_ml_adapter.serverless.settings import Settings, settings


def job_of(sent: Sent, owner: str, options: Settings) -> Job:
    """Make the job of a document."""
    if len(sent.content) > options.max_bytes:
        raise too_large(options.max_bytes)
    task_id = task_id_of(DOCUMENTS, owner, sent.sha256, sent.name, options.model_sha256)
    return Job(task_id=task_id, owner=owner, name=sent.name, key=f"{DOCUMENTS}{task_id}", sha256=sent.sha256)


def jobs_of(options: Settings) -> Jobs:
    """Open the table of the records."""
    return Jobs(client("dynamodb"), options.table, keep_days=options.keep_days, attempts=options.attempts)


@route
def handler(request: Request) -> Answer:
    """Put the document into the bucket, write the record, tell the workers."""
    options = settings()
    options.need("bucket", "table", "queue_url")
    sent = sent_document(request)
    job, jobs = job_of(sent, request.caller, options), jobs_of(options)
    known = jobs.get(job.task_id)
    if known is None or known.retriable or known.state == "pending":
        # in this order, each step finds what it needs, and one that fails is made up for when the client tries again
        Objects(client("s3"), options.bucket).put(job.key, sent.content)
        known, _ = jobs.create(job)
        if known.retriable:
            jobs.again(job.task_id)
            known = job
        send(client("sqs"), options.queue_url, job.task_id)
    return answer(202, known.status())
