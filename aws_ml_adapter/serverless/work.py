"""Reads and classifies the documents that messages name. Handler of the events of SQS."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws_ml_adapter.serverless.clients import at_start, client
from aws_ml_adapter.serverless.settings import settings
from aws_ml_adapter.serverless.worker import Outcome, Worker

_log = logging.getLogger(__name__)


@cache
def worker() -> Worker:
    """Give the worker of this process."""
    return Worker(settings(), client)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Do the jobs of the messages; those that are to come again are listed, as SQS events have it."""
    failed = []
    for record in event.get("Records") or ():
        outcome = _done(record, context.get_remaining_time_in_millis() / 1000)
        if not outcome.is_done:
            failed.append({"itemIdentifier": record["messageId"]})
            # else it would come back only when the time is over that the queue gives to every message
            with suppress(BotoCoreError, ClientError):
                client("sqs").change_message_visibility(
                    QueueUrl=settings().queue_url,
                    ReceiptHandle=record.get("receiptHandle"),
                    VisibilityTimeout=outcome.pause,
                )
    return {"batchItemFailures": failed}


def _done(record: Mapping[str, Any], seconds: float) -> Outcome:
    try:
        body, receives = str(record["body"]), int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        _log.error(f"message {record['messageId']} is not as SQS gives them ({type(error).__name__}: {error})")
        return Outcome(is_done=False)
    return worker().do_or_log(body, receives=receives, seconds=seconds)


at_start(lambda: worker().classifier)
