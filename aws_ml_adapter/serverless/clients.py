"""Clients of AWS, one of each for a process: making one takes a tenth of a second."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_log = logging.getLogger(__name__)


def at_start(function: Callable[[], object]) -> None:
    """Do something while a function of Lambda starts: until the first call, time costs nothing.

    What fails is logged and fails again in that call, whose caller, or record, is then told.
    """
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        try:
            function()
        except Exception:  # noqa: BLE001 - see above
            _log.exception("the start has failed")


@cache
def client(service: str) -> Any:
    """Give the client of a service; AWS_ENDPOINT_URL and its like lead it to another server."""
    elsewhere = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    # a signed URL must name the region's own host: from the global one, a new bucket answers with a redirect
    style = {"s3": {"addressing_style": "path" if elsewhere else "virtual"}, "signature_version": "s3v4"}
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 4},
        **(style if service == "s3" else {}),
    )
    return boto3.client(service, config=config)
