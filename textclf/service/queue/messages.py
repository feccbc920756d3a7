"""What is read of a message; imports no Celery, and believes nothing that the sender says."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Mapping

TASK = "textclf.classify"
"""Name of the task in messages, whose only argument is the id of a task in the library."""
MOST_BYTES = 65_536
"""Largest message that is looked at; ours have less than two thousand."""
JSON = "application/json"

_TASK_ID = re.compile(r"[0-9a-f]{32}")


def task_id_of(headers: object, content_type: object, body: object) -> str | None:
    """Give the id of the task that a message tells of; None if it is no message of the service."""
    if not isinstance(headers, Mapping) or headers.get("task") != TASK or content_type != JSON:
        return None
    if not isinstance(body, bytes | str | memoryview) or len(body) > MOST_BYTES:
        return None
    try:
        (task_id,), _, _ = json.loads(body if isinstance(body, str) else bytes(body))
    # what stands deeper than Python reads has the last error
    except (TypeError, ValueError, RecursionError):
        return None
    return task_id if isinstance(task_id, str) and _TASK_ID.fullmatch(task_id) else None


def body_of(task_id: str) -> bytes:
    """Give the body of the message of a task, as Celery has it, with nothing but the id."""
    return json.dumps([[task_id], {}, {}]).encode()


def envelope(item: object, queue: str) -> str | None:
    """Give what kombu keeps in Redis for a message, made anew of its body and headers; None if that cannot be read.

    The tag and the queue, to which it is given back, are not those that the sender has chosen.
    """
    if not isinstance(item, bytes | str) or len(item) > MOST_BYTES:
        return None
    try:
        given = json.loads(item)
        body = base64.b64decode(given["body"])
        headers = {name: value for name, value in given["headers"].items() if isinstance(value, str)}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
    headers.pop("compression", None)
    place = {"exchange": queue, "routing_key": queue}
    properties = {"body_encoding": "base64", "delivery_tag": uuid.uuid4().hex, "delivery_info": place, "priority": 0}
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-type": JSON if given.get("content-type") == JSON else "",
            "content-encoding": "utf-8",
            "headers": headers,
            "properties": properties,
        }
    )


def is_envelope(payload: object) -> bool:
    """Say whether kombu can make a message of what it has received."""
    match payload:
        case {"properties": {"body_encoding": "base64", "delivery_info": {}}, "body": str(body), "headers": {}}:
            try:
                return base64.b64decode(body) is not None
            except ValueError:
                return False
    return False


def is_kept(item: object) -> bool:
    """Say whether kombu can give back what it finds among the messages in Redis that workers have not settled."""
    if not isinstance(item, bytes | str) or len(item) > 2 * MOST_BYTES:
        return False
    try:
        match json.loads(item):
            case [payload, str(exchange), str(key)]:
                return exchange == key and is_envelope(payload)
    except (ValueError, RecursionError):
        pass
    return False
