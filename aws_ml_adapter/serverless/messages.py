"""Messages to the workers: each names a job, and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

from textclf.base.errors import BadDataError

TASK_ID = re.compile(r"[0-9a-f]{32}")


def send(client: Any, queue_url: str, task_id: str) -> None:
    """Tell the workers of a job."""
    client.send_message(QueueUrl=queue_url, MessageBody=json.dumps({"task_id": task_id}))


def read_body(body: str) -> str:
    """Give the job that a message names.

    Examples
    --------
    >>> read_body('{"task_id": "0123456789abcdef0123456789abcdef"}')
    '0123456789abcdef0123456789abcdef'
    """
    try:
        task_id = json.loads(body)["task_id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        task_id = None
    if not isinstance(task_id, str) or not TASK_ID.fullmatch(task_id):
        raise BadDataError("names no job", where="a message", remedy="remove it, and see who writes to the queue")
    return task_id
