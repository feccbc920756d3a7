"""``POST /v1/uploads``: gives a place for a document that no gateway would take. Handler of API Gateway."""

from __future__ import annotations

import re
import uuid

from aws_ml_adapter.serverless.clients import client
from aws_ml_adapter.serverless.gateway import Answer, Request, answer, route
from aws_ml_adapter.serverless.jobs import Job, task_id_of
from aws_ml_adapter.serverless.messages import send
from aws_ml_adapter.serverless.objects import UPLOAD_SECONDS, UPLOADS, Objects, too_large
from aws_ml_adapter.serverless.settings import Settings, settings
from aws_ml_adapter.serverless.submit import jobs_of
from ocr.file_search import file_name
from textclf.base.problems import ProblemError

_TYPE = re.compile(r"(application/pdf|application/octet-stream|image/[a-z0-9.+-]{1,60})")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def announced(request: Request, options: Settings) -> tuple[Job, int, str]:
    """Give the job of a document that is to come, its size, and its type."""
    given = request.json()
    if unknown := given.keys() - {"name", "size", "content_type", "sha256"}:
        raise ProblemError(422, "invalid", f"{min(unknown)[:40]!r} is none of name, size, content_type and sha256")
    size, kind = given.get("size"), given.get("content_type", "application/octet-stream")
    name, sha256 = given.get("name", ""), given.get("sha256", "")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ProblemError(422, "invalid", "size is not the number of bytes of the document")
    if size > options.max_bytes:
        raise too_large(options.max_bytes)
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise ProblemError(422, "invalid", "content_type is neither application/pdf nor that of an image")
    if not isinstance(name, str) or not isinstance(sha256, str) or (sha256 and not _SHA256.fullmatch(sha256)):
        raise ProblemError(422, "invalid", "name is no text, or sha256 not 64 hexadecimal digits in lower case")
    name = file_name(name)
    task_id = uuid.uuid4().hex
    if sha256:
        task_id = task_id_of(UPLOADS, request.caller, sha256, name, options.model_sha256)
    return Job(task_id=task_id, owner=request.caller, name=name, key=f"{UPLOADS}{task_id}", sha256=sha256), size, kind


@route
def handler(request: Request) -> Answer:
    """Write the record and sign the URL, or tell the workers of a document that is there already."""
    options = settings()
    options.need("bucket", "table", "queue_url")
    job, size, kind = announced(request, options)
    jobs, objects = jobs_of(options), Objects(client("s3"), options.bucket)
    known, is_new = jobs.create(job)
    if known.retriable:
        jobs.again(job.task_id)
        known = job
    if known.state != "pending":
        return answer(200, known.status())
    # S3 takes no second object in its place, and the event of the first may be lost
    if not is_new and objects.holds(job.key):
        send(client("sqs"), options.queue_url, job.task_id)
        return answer(200, known.status())
    url, headers = objects.upload_url(job.key, size=size, content_type=kind, sha256=job.sha256)
    upload = {"method": "PUT", "url": url, "headers": headers, "expires_in": UPLOAD_SECONDS}
    return answer(201, {**known.status(), "upload": upload})
