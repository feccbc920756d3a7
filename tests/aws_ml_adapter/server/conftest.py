from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


@pytest.fixture(scope="session")
def credentials(tmp_path_factory) -> Path:
    """A credentials file with the keys of the clients in tests."""
    path = tmp_path_factory.mktemp("keys") / "credentials"
    path.write_text("[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n")
    return path


@pytest.fixture(scope="session")
def connect_s3() -> Iterator[Callable[..., Any]]:
    """Creates unmodified S3 clients for a server, and closes them."""
    clients = []

    def connect(server, *, key="AKIDEXAMPLE", secret="secret", region="us-east-1", **config):
        client = boto3.client(
            "s3",
            endpoint_url=server.url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(**{"retries": {"total_max_attempts": 1}, **config}),
        )
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def s3(server, connect_s3):
    return connect_s3(server)


@pytest.fixture
def bucket(s3, request) -> str:
    """A bucket named after the test."""
    name = request.node.name.split("[")[0].lower().replace("_", "-")[-60:].strip("-")
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def refused() -> Callable[..., tuple[str, int]]:
    """Check that S3 refuses a request; return code and status."""

    def call(call: Callable[..., Any], **request: Any) -> tuple[str, int]:
        with pytest.raises(ClientError) as caught:
            call(**request)
        response = caught.value.response
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]

    return call


@pytest.fixture(scope="session")
def keys_of() -> Callable[..., list[str]]:
    """Lists the keys of a bucket, page by page."""

    def keys(client: Any, bucket: str, operation: str = "list_objects_v2", **request: Any) -> list[str]:
        pages = client.get_paginator(operation).paginate(Bucket=bucket, **request)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    return keys
