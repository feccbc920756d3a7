"""Tells the workers of a document that was uploaded. Handler of the events of S3."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from aws_ml_adapter.serverless.clients import client
from aws_ml_adapter.serverless.messages import TASK_ID, send
from aws_ml_adapter.serverless.objects import UPLOADS, too_large
from aws_ml_adapter.serverless.settings import settings
from aws_ml_adapter.serverless.submit import jobs_of

_log = logging.getLogger(__name__)


class Uploaded(NamedTuple):
    """An object that was made."""

    bucket: str
    key: str
    size: int


def uploads(event: Mapping[str, Any]) -> Iterator[Uploaded]:
    """Give the objects of an event, with their keys as they are; a record that is none of S3 is told and left out."""
    for number, record in enumerate(event.get("Records") or ()):
        try:
            if str(record.get("eventName", "")).startswith("ObjectCreated:"):
                made = record["s3"]["object"]
                yield Uploaded(record["s3"]["bucket"]["name"], unquote_plus(made["key"]), int(made.get("size", 0)))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # it would not be understood at another try either
            _log.error(f"record {number} of the event is not as S3 writes them ({type(error).__name__}: {error})")


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Send a message for each document whose record waits for it; an error lets Lambda try again."""
    options = settings()
    options.need("bucket", "table", "queue_url")
    jobs = jobs_of(options)
    for made in uploads(event):
        task_id = made.key.removeprefix(UPLOADS)
        is_ours = made.bucket == options.bucket and made.key.startswith(UPLOADS) and TASK_ID.fullmatch(task_id)
        job = jobs.get(task_id) if is_ours else None
        if job is None or job.key != made.key:
            _log.warning(f"passed over, as no record waits for it: {made.key!r:.200}")
        elif made.size > options.max_bytes:
            jobs.finish(task_id, "failure", result=json.dumps(too_large(options.max_bytes).body()))
        # the same event may come twice, or after the document was read; or a worker looked for it too early
        elif job.state == "pending" or (job.retriable and not job.gave_up):
            jobs.again(task_id)
            send(client("sqs"), options.queue_url, task_id)
