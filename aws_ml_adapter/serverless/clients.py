"""Clients of AWS, one of each for a process: making one takes a tenth of a second."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config


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
