"""The operations of S3 on buckets and their lists: a request in, an answer out."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from aws_ml_adapter.server.s3.buckets import Buckets, Found, reported
from aws_ml_adapter.server.s3.conditions import OWNER
from aws_ml_adapter.server.s3.messages import Content, S3Error, child, iso_time, parse_xml
from aws_ml_adapter.server.s3.requests import Answer, Request, number, xml_answer
from textclf.base.files import write_aside

_MOST_KEYS = 1_000
_POLICY_LIMIT = 20 * 1_024
_OWNER = ("Owner", [("ID", OWNER), ("DisplayName", "amazon-ml")])


class BucketOperations:
    """What S3 does with buckets.

    Parameters
    ----------
    buckets : Buckets
    policies : pathlib.Path
        Folder that keeps the policies of buckets. They are given back, and mean nothing here.

    References
    ----------
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
    """

    def __init__(self, buckets: Buckets, policies: Path) -> None:
        self._buckets = buckets
        self._policies = policies

    def list_buckets(self, _request: Request) -> Answer:
        """List all."""
        names = self._buckets.names()
        entries: list[tuple[str, Content]] = [
            ("Bucket", [("Name", name), ("CreationDate", iso_time(changed))]) for name, changed in names
        ]
        return xml_answer("ListAllMyBucketsResult", [_OWNER, ("Buckets", entries)])

    def create_bucket(self, request: Request) -> Answer:
        """Make one; as in S3, to make one's own again is an error everywhere but in us-east-1."""
        region = (
            child(parse_xml(request.body, "CreateBucketConfiguration"), "LocationConstraint") if request.body else ""
        )
        if not self._buckets.make(request.bucket) and region:
            raise S3Error(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            )
        return Answer(headers={"location": f"/{request.bucket}"})

    def head_bucket(self, request: Request) -> Answer:
        """Say that it is there."""
        self._buckets.check(request.bucket)
        return Answer(headers={"x-amz-bucket-region": "us-east-1"})

    def delete_bucket(self, request: Request) -> Answer:
        """Delete one that is empty."""
        self._buckets.remove(request.bucket)
        self._policy(request).unlink(missing_ok=True)
        return Answer(status=204)

    def get_location(self, request: Request) -> Answer:
        """Say where it is: the oldest region has no name."""
        self._buckets.check(request.bucket)
        return xml_answer("LocationConstraint", "")

    def get_versioning(self, request: Request) -> Answer:
        """Say that there are no versions."""
        self._buckets.check(request.bucket)
        return xml_answer("VersioningConfiguration", "")

    def put_policy(self, request: Request) -> Answer:
        """Keep a policy."""
        self._buckets.check(request.bucket)
        try:
            is_policy = isinstance(json.loads(request.body), dict) and len(request.body) <= _POLICY_LIMIT
        except (ValueError, RecursionError):
            is_policy = False
        if not is_policy:
            raise S3Error("MalformedPolicy", f"Policies must be JSON objects of at most {_POLICY_LIMIT:,} bytes")
        with reported(), write_aside(self._policy(request)) as path:
            path.write_bytes(request.body)
        return Answer(status=204)

    def get_policy(self, request: Request) -> Answer:
        """Give a policy back."""
        self._buckets.check(request.bucket)
        try:
            return Answer(headers={"content-type": "application/json"}, body=self._policy(request).read_bytes())
        except FileNotFoundError as error:
            raise S3Error("NoSuchBucketPolicy", "The bucket policy does not exist") from error

    def delete_policy(self, request: Request) -> Answer:
        """Forget a policy."""
        self._buckets.check(request.bucket)
        self._policy(request).unlink(missing_ok=True)
        return Answer(status=204)

    def _policy(self, request: Request) -> Path:
        return self._policies / request.bucket

    def list_objects(self, request: Request) -> Answer:
        """List a page of objects, in the older form."""
        after = request.query.get("marker", "")
        return self._list(request, after, [("Marker", after)], next_name="NextMarker", encode=lambda last: last)

    def list_objects_v2(self, request: Request) -> Answer:
        """List a page of objects."""
        token, start = request.query.get("continuation-token", ""), request.query.get("start-after", "")
        told = [("ContinuationToken", token)] if token else []
        told += [("StartAfter", start)] if start else []
        after = _read_token(token) if token else start
        return self._list(request, after, told, next_name="NextContinuationToken", encode=_token)

    def _list(
        self,
        request: Request,
        after: str,
        told: list[tuple[str, str]],
        *,
        next_name: str,
        encode: Callable[[str], str],
    ) -> Answer:
        query = request.query
        limit = min(number(query.get("max-keys") or str(_MOST_KEYS), "max-keys", 0), _MOST_KEYS)
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        encoding = query.get("encoding-type", "")
        if encoding not in ("", "url"):
            raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
        shown: Callable[[str], str] = (lambda text: quote(text, safe="/")) if encoding else (lambda text: text)
        page = self._buckets.listing(request.bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        is_second = next_name != "NextMarker"
        content: list[tuple[str, Content]] = [
            ("Name", request.bucket),
            ("Prefix", shown(prefix)),
            *((name, value if name == "ContinuationToken" else shown(value)) for name, value in told),
            ("MaxKeys", str(limit)),
            ("IsTruncated", "true" if page.last else "false"),
        ]
        content += [("Delimiter", shown(delimiter))] if delimiter else []
        content += [("EncodingType", encoding)] if encoding else []
        content += [("KeyCount", str(len(page.objects) + len(page.prefixes)))] if is_second else []
        # opaque ones are not encoded again
        content += [(next_name, encode(page.last) if is_second else shown(page.last))] if page.last else []
        with_owner = not is_second or query.get("fetch-owner") == "true"
        for key, path in page.objects:
            # else it was removed this moment
            with reported(), suppress(FileNotFoundError, NotADirectoryError):
                found = self._buckets.describe(path)
                content.append(("Contents", _entry(shown(key), found, with_owner=with_owner)))
        content += [("CommonPrefixes", [("Prefix", shown(name))]) for name in page.prefixes]
        return xml_answer("ListBucketResult", content)


def _entry(key: str, found: Found, *, with_owner: bool) -> list[tuple[str, Content]]:
    told: list[tuple[str, Content]] = [
        ("Key", key),
        ("LastModified", iso_time(found.modified)),
        ("ETag", found.etag),
        ("Size", str(found.size)),
        ("StorageClass", "STANDARD"),
    ]
    return [*told, _OWNER] if with_owner else told


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from error
