"""Calls to Amazon ML or a compatible server: errors with remedies, and waiting for jobs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aws_ml_adapter.api.kinds import Kind, Status
from aws_ml_adapter.api.storage import FolderStorage, S3Storage, Storage
from aws_ml_adapter.client.client_options import Place
from aws_ml_adapter.client.state import Created
from textclf.base.errors import BadInputError, ExitCode, MissingProgramError, TextclfError, UsageError, how_to_install

_log = logging.getLogger(__name__)

_FIRST_DELAY, _MAX_DELAY, _BACKOFF = 0.1, 15.0, 1.5
_LOG_INTERVAL = 30.0
"""Seconds between log lines while waiting."""
_OWN_SERVER = (
    "run `amazon-ml serve` and set AWS_ENDPOINT_URL_MACHINE_LEARNING to the URL that it prints, or give --endpoint-url"
)


class AmazonMLError(TextclfError):
    """The service refused a request, cannot be reached, or could not finish a job."""

    code = "amazon-ml"
    exit_code = ExitCode.SERVICE


class FailedJobError(AmazonMLError):
    """The service could not finish a job, usually because of the data."""

    code = "amazon-ml-job"
    exit_code = ExitCode.BAD_DATA


def open_client(name: str, place: Place, endpoint_url: str | None) -> Any:
    """Return a boto3 client; without credentials, requests to a loopback address are sent unsigned."""
    try:
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise MissingProgramError("boto3 is not installed", remedy=how_to_install("aws")) from error
    try:
        session = boto3.session.Session()
        config = Config(retries={"mode": "standard", "total_max_attempts": 6})
        address = {"region_name": place.region, "endpoint_url": endpoint_url}
        client: Any = session.client(name, config=config, **address)
        host = urlsplit(client.meta.endpoint_url).hostname
        if host in ("localhost", "127.0.0.1", "::1") and session.get_credentials() is None:
            client = session.client(name, config=config.merge(Config(signature_version=UNSIGNED)), **address)
    except (BotoCoreError, ValueError) as error:
        remedy = "write a URL as http://HOST:PORT; check AWS_PROFILE and the region as well"
        raise UsageError(str(error), remedy=remedy) from error
    return client


class S3Error(TextclfError):
    """S3 refused a request, or cannot be reached."""

    code = "s3"
    exit_code = ExitCode.SERVICE


def open_objects(place: Place) -> Storage:
    """Open S3, or the folder used instead, in which a bucket is created when it is written to."""
    if place.s3_root is None:
        remedy = "check bucket, region and credentials, or give --s3-root to use a folder instead"
        client = open_client("s3", place, place.s3_endpoint_url)
        return S3Storage(client, fault=partial(S3Error, remedy=remedy))
    if place.s3_endpoint_url is not None:
        raise UsageError("both --s3-root and --s3-endpoint-url are given", remedy="give one of them")
    fault = partial(BadInputError, remedy="give the --s3-root of the server")
    return FolderStorage(Path(place.s3_root), fault=fault, make_buckets=True)


class Service:
    """A boto3 client of Amazon ML, with errors that name a remedy, and waiting for jobs."""

    def __init__(
        self,
        place: Place,
        *,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client: Any = open_client("machinelearning", place, place.endpoint_url)
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep

    @property
    def url(self) -> str:
        """The URL of the service."""
        return str(self.client.meta.endpoint_url)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call an operation by its name in the API reference, such as ``GetMLModel``; raises `AmazonMLError`."""
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = getattr(self.client, xform_name(operation))(**request)
        except ClientError as error:
            raise _refused(operation, error.response.get("Error", {})) from error
        except BotoCoreError as error:
            raise AmazonMLError(
                f"{operation}: {error}",
                where=self.url,
                remedy=f"check URL, region and credentials; without an AWS account {_OWN_SERVER}",
            ) from error
        return answer

    def get(self, kind: Kind, id_: str) -> dict[str, Any]:
        """Return the record of an object."""
        return self.call(f"Get{kind}", **{f"{kind}Id": id_})

    def delete(self, kind: Kind, id_: str) -> None:
        """Delete an object, if it exists."""
        self._unless_missing(f"Delete{kind}", **{f"{kind}Id": id_})

    def delete_endpoint(self, model_id: str) -> None:
        """Delete a real-time endpoint, if it exists."""
        self._unless_missing("DeleteRealtimeEndpoint", MLModelId=model_id)

    def wait(self, item: Created) -> dict[str, Any]:
        """Wait until an object is completed, and return its record; raises `FailedJobError` or `AmazonMLError`."""

        def look() -> tuple[str, dict[str, Any]]:
            record = self.get(item.kind, item.id)
            return str(record["Status"]), record

        status, record = self._poll(f"{item.kind} {item.id}", look, {Status.PENDING, Status.INPROGRESS})
        if status != Status.COMPLETED:
            log = f"; its log is at {record['LogUri']}" if "LogUri" in record else ""
            raise FailedJobError(
                f"is {status}{': ' if record.get('Message') else ''}{record.get('Message', '')}{log}",
                where=f"{item.kind} {item.id}",
                remedy="fix the cause, and run the same command again"
                if item.kind in (Kind.EVALUATION, Kind.BATCH_PREDICTION)
                else "fix the cause, remove everything with `amazon-ml delete`, and start again",
            )
        return record

    def wait_for_endpoint(self, model_id: str) -> str:
        """Wait until a real-time endpoint is ready, and return its URL."""

        def look() -> tuple[str, dict[str, Any]]:
            endpoint = self.get(Kind.MODEL, model_id)["EndpointInfo"]
            return str(endpoint["EndpointStatus"]), endpoint

        status, endpoint = self._poll(f"endpoint of {model_id}", look, {"UPDATING"})
        if status != "READY":
            raise AmazonMLError(f"is {status}", where=f"endpoint of {model_id}", remedy="create it again")
        return str(endpoint["EndpointUrl"])

    def _poll(
        self, name: str, look: Callable[[], tuple[str, dict[str, Any]]], unfinished: set[Any]
    ) -> tuple[str, dict[str, Any]]:
        begun = logged_at = self._clock()
        logged, delay = "", _FIRST_DELAY
        while True:
            status, record = look()
            now = self._clock()
            if status != logged or now - logged_at >= _LOG_INTERVAL:
                _log.info(f"{name}: {status}" + (f", {now - begun:.0f} s" if now - begun >= 1 else ""))
                logged, logged_at = status, now
            if status not in unfinished:
                return status, record
            if now - begun >= self._timeout:
                raise AmazonMLError(
                    f"is still {status} after {self._timeout:g} s",
                    where=name,
                    remedy="run the same command again to continue",
                )
            self._sleep(min(delay, self._timeout - (now - begun)))
            delay = min(delay * _BACKOFF, _MAX_DELAY)

    def _unless_missing(self, operation: str, **request: Any) -> None:
        try:
            self.call(operation, **request)
        except AmazonMLError as error:
            if refusal_code(error) != "ResourceNotFoundException":
                raise


def refusal_code(error: Exception) -> str:
    """Return the error code of a definite refusal; empty if the request may still have been carried out."""
    response = getattr(error.__cause__, "response", {})
    if response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) >= 500:
        return ""
    return str(response.get("Error", {}).get("Code", ""))


def _refused(operation: str, error: dict[str, Any]) -> AmazonMLError:
    code, message = error.get("Code", ""), error.get("Message", "")
    if code == "AccessDeniedException":
        # https://docs.aws.amazon.com/machine-learning/latest/dg/what-is-amazon-machine-learning.html
        remedy = f"Amazon ML is closed to new customers: {_OWN_SERVER}; with an old account, check its IAM policies"
    elif code == "IdempotentParameterMismatchException":
        remedy = "remove it with `amazon-ml delete`, or train into another file"
    else:
        remedy = "correct what the message names"
    return AmazonMLError(f"{operation}: {code}: {message}", remedy=remedy)
