"""The S3 actions on buckets and objects: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html."""

from __future__ import annotations

import base64
import binascii
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

from aws_ml_adapter.server.asgi import BLOCK, HttpAnswer
from aws_ml_adapter.server.error_answers import S3ApiError
from aws_ml_adapter.server.s3.buckets import Buckets, Check, Found, reported
from aws_ml_adapter.server.s3.conditions import CONDITIONS, check_read, write_conditions
from aws_ml_adapter.server.s3.messages import (
    OWNER,
    Content,
    S3Request,
    iso_time,
    key_encoder,
    page_size,
    parse_xml,
    span,
    xml_answer,
)
from aws_ml_adapter.server.s3.object_listing import ListedPage
from aws_ml_adapter.server.s3.routes import SOURCE, Body, route
from aws_ml_adapter.server.s3.uploads import Uploads
from textclf.base.files import write_aside

_POLICY_LIMIT = 20 * 1_024
_MAX_HEADER = 2_048
_MAX_DELETED = 1_000
_LIST = frozenset({"prefix", "delimiter", "max-keys", "encoding-type"})
# query parameters of a link that set headers of the answer
_RESPONSE_HEADERS = frozenset(
    {f"response-content-{name}" for name in ("type", "language", "disposition", "encoding")}
    | {"response-cache-control", "response-expires"}
)


class S3Actions(Uploads):
    """All actions, named as in boto3; bucket policies are stored, but not enforced."""

    def __init__(self, buckets: Buckets, policies: Path) -> None:
        super().__init__(buckets)
        self._policies = policies

    # --- buckets

    @route("GET", "service")
    def list_buckets(self, _request: S3Request) -> HttpAnswer:
        """List all buckets."""
        entries = [{"Name": name, "CreationDate": iso_time(changed)} for name, changed in self._buckets.names()]
        return xml_answer("ListAllMyBucketsResult", Owner=OWNER, Buckets={"Bucket": entries})

    @route("PUT", "bucket", takes=Body.MESSAGE)
    def create_bucket(self, request: S3Request) -> HttpAnswer:
        """Create a bucket; as in S3, if it exists, that is an error in all regions but us-east-1."""
        region = ""
        if request.body:
            region = parse_xml(request.body, "CreateBucketConfiguration").findtext("LocationConstraint", "")
        if not self._buckets.make(request.bucket) and region:
            raise S3ApiError(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            )
        return HttpAnswer(headers={"location": f"/{request.bucket}"})

    @route("HEAD", "bucket")
    def head_bucket(self, request: S3Request) -> HttpAnswer:
        """Check that a bucket exists."""
        self._buckets.check(request.bucket)
        return HttpAnswer(headers={"x-amz-bucket-region": "us-east-1"})

    @route("DELETE", "bucket")
    def delete_bucket(self, request: S3Request) -> HttpAnswer:
        """Delete an empty bucket."""
        self._buckets.remove(request.bucket)
        (self._policies / request.bucket).unlink(missing_ok=True)
        return HttpAnswer(status=204)

    @route("GET", "bucket", "location")
    def get_bucket_location(self, request: S3Request) -> HttpAnswer:
        """Return the region us-east-1, which S3 represents by an empty element."""
        self._buckets.check(request.bucket)
        return xml_answer("LocationConstraint")

    @route("GET", "bucket", "versioning")
    def get_bucket_versioning(self, request: S3Request) -> HttpAnswer:
        """Return that versioning is not enabled."""
        self._buckets.check(request.bucket)
        return xml_answer("VersioningConfiguration")

    @route("PUT", "bucket", "policy", takes=Body.MESSAGE)
    def put_bucket_policy(self, request: S3Request) -> HttpAnswer:
        """Store a policy."""
        path = self._policy(request)
        try:
            is_policy = isinstance(json.loads(request.body), dict) and len(request.body) <= _POLICY_LIMIT
        except (ValueError, RecursionError):
            is_policy = False
        if not is_policy:
            raise S3ApiError("MalformedPolicy", f"Policies must be JSON objects of at most {_POLICY_LIMIT:,} bytes")
        with reported(), write_aside(path) as aside:
            aside.write_bytes(request.body)
        return HttpAnswer(status=204)

    @route("GET", "bucket", "policy")
    def get_bucket_policy(self, request: S3Request) -> HttpAnswer:
        """Return the stored policy."""
        try:
            return HttpAnswer(headers={"content-type": "application/json"}, body=self._policy(request).read_bytes())
        except FileNotFoundError as error:
            raise S3ApiError("NoSuchBucketPolicy", "The bucket policy does not exist") from error

    @route("DELETE", "bucket", "policy")
    def delete_bucket_policy(self, request: S3Request) -> HttpAnswer:
        """Delete the stored policy."""
        self._policy(request).unlink(missing_ok=True)
        return HttpAnswer(status=204)

    def _policy(self, request: S3Request) -> Path:
        return self._policies / self._buckets.check(request.bucket).name

    @route("GET", "bucket", query=_LIST | {"marker"})
    def list_objects(self, request: S3Request) -> HttpAnswer:
        """List a page of objects, in version 1 of the API."""
        marker, encode = request.query.get("marker", ""), key_encoder(request.query)
        page = self._page(request, marker)
        more = {"Marker": encode(marker), "NextMarker": encode(page.last) or None}
        return self._listed(request, page, more, with_owner=True)

    @route("GET", "bucket", "list-type", query=_LIST | {"continuation-token", "start-after", "fetch-owner"})
    def list_objects_v2(self, request: S3Request) -> HttpAnswer:
        """List a page of objects, in version 2 of the API."""
        query, encode = request.query, key_encoder(request.query)
        token, start = query.get("continuation-token", ""), query.get("start-after", "")
        page = self._page(request, _read_token(token) if token else start)
        more: dict[str, Content] = {
            "ContinuationToken": token or None,
            "NextContinuationToken": base64.urlsafe_b64encode(page.last.encode()).decode() or None,
            "StartAfter": encode(start) or None,
            "KeyCount": len(page.objects) + len(page.prefixes),
        }
        return self._listed(request, page, more, with_owner=query.get("fetch-owner") == "true")

    def _page(self, request: S3Request, after: str) -> ListedPage:
        prefix, delimiter = (request.query.get(name, "") for name in ("prefix", "delimiter"))
        limit = page_size(request.query, "max-keys")
        return self._buckets.listing(request.bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit)

    def _listed(
        self, request: S3Request, page: ListedPage, more: Mapping[str, Content], *, with_owner: bool
    ) -> HttpAnswer:
        query, encode = request.query, key_encoder(request.query)
        entries = []
        for key, path in page.objects:
            # the object may be deleted at the same time
            with reported(), suppress(FileNotFoundError, NotADirectoryError):
                entries.append((key, self._buckets.describe(path)))
        return xml_answer(
            "ListBucketResult",
            Name=request.bucket,
            Prefix=encode(query.get("prefix", "")),
            MaxKeys=page_size(query, "max-keys"),
            IsTruncated=bool(page.last),
            Delimiter=encode(query.get("delimiter", "")) or None,
            EncodingType=query.get("encoding-type") or None,
            Contents=[
                {
                    "Key": encode(key),
                    "LastModified": iso_time(found.modified),
                    "ETag": found.etag,
                    "Size": found.size,
                    "StorageClass": "STANDARD",
                    "Owner": OWNER if with_owner else None,
                }
                for key, found in entries
            ],
            CommonPrefixes=[{"Prefix": encode(prefix)} for prefix in page.prefixes],
            **more,
        )

    # --- objects

    @route("HEAD", "object", query=_RESPONSE_HEADERS, headers=CONDITIONS)
    def head_object(self, request: S3Request) -> HttpAnswer:
        """Return the headers of an object, or of a range of it."""
        return _described(self._buckets.find(request.bucket, request.key), request)[0]

    @route("GET", "object", query=_RESPONSE_HEADERS, headers=CONDITIONS)
    def get_object(self, request: S3Request) -> HttpAnswer:
        """Return an object, or a range of it."""
        found, stream = self._buckets.open(request.bucket, request.key)
        try:
            answer, begin = _described(found, request)
            stream.seek(begin)
        except S3ApiError:
            stream.close()
            raise
        return replace(answer, stream=stream)

    @route("PUT", "object", headers=CONDITIONS, takes=Body.CONTENT)
    def put_object(self, request: S3Request) -> HttpAnswer:
        """Store an object."""
        check = write_conditions(request.headers)
        found = self._buckets.put(request.bucket, request.key, request.received, request.md5, check)
        return HttpAnswer(headers={"etag": found.etag})

    @route("COPY", "object", headers=CONDITIONS | SOURCE)
    def copy_object(self, request: S3Request) -> HttpAnswer:
        """Store a copy of another object."""
        self._buckets.place(request.bucket, request.key)
        original, content = self._open_source(request)
        check = write_conditions(request.headers)
        with content, self._buckets.receiving() as path:
            with reported(), path.open("wb") as stream:
                shutil.copyfileobj(content, stream, BLOCK)
            found = self._buckets.put(request.bucket, request.key, path, original.etag.strip('"'), check)
        return xml_answer("CopyObjectResult", LastModified=iso_time(found.modified), ETag=found.etag)

    @route("DELETE", "object", headers=CONDITIONS)
    def delete_object(self, request: S3Request) -> HttpAnswer:
        """Delete an object."""
        self._buckets.delete(request.bucket, request.key, write_conditions(request.headers))
        return HttpAnswer(status=204)

    @route("POST", "bucket", "delete", takes=Body.MESSAGE)
    def delete_objects(self, request: S3Request) -> HttpAnswer:
        """Delete several objects."""
        self._buckets.check(request.bucket)
        root = parse_xml(request.body, "Delete")
        objects = [{part.tag: part.text or "" for part in element} for element in root.findall("Object")]
        if not 0 < len(objects) <= _MAX_DELETED or not all(each.get("Key") for each in objects):
            raise S3ApiError("MalformedXML", f"1 to {_MAX_DELETED:,} keys can be deleted at once")
        deleted: list[Content] = []
        errors: list[Content] = []
        for each in objects:
            try:
                self._buckets.delete(request.bucket, each["Key"], _condition_of(each))
            except S3ApiError as error:
                errors.append({"Key": each["Key"], "Code": error.code, "Message": str(error)})
            else:
                deleted.append({"Key": each["Key"]})
        return xml_answer("DeleteResult", Deleted=[] if root.findtext("Quiet") == "true" else deleted, Error=errors)


def _condition_of(each: Mapping[str, str]) -> Check | None:
    """Return the condition on the deletion of one of several objects."""
    if each.keys() - {"Key", "ETag"}:
        raise S3ApiError("NotImplemented", "This server deletes by key and ETag only")
    return write_conditions({"if-match": each["ETag"]} if each.get("ETag") else {})


def _described(found: Found, request: S3Request) -> tuple[HttpAnswer, int]:
    """Return the answer for an object or the range asked for, without content, and the offset at which it begins."""
    headers = {
        "content-type": "binary/octet-stream",
        "etag": found.etag,
        "last-modified": formatdate(found.modified, usegmt=True),
        "accept-ranges": "bytes",
    }
    check_read(request.headers, found, headers)
    # If-Range: an object that was replaced since the last download is sent as a whole
    is_same = request.headers.get("if-range", found.etag) in (found.etag, headers["last-modified"])
    asked = {name.removeprefix("response-"): request.query[name] for name in _RESPONSE_HEADERS & request.query.keys()}
    if not all(value.isprintable() and len(value) <= _MAX_HEADER for value in asked.values()):
        raise S3ApiError("InvalidArgument", "A requested header of the answer is too long or invalid")
    headers |= asked
    wanted = span(request.headers.get("range", ""), found.size) if is_same else None
    if wanted is None:
        return HttpAnswer(headers=headers, length=found.size), 0
    begin, end = wanted
    headers["content-range"] = f"bytes {begin}-{end - 1}/{found.size}"
    return HttpAnswer(status=206, headers=headers, length=end - begin), begin


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise S3ApiError("InvalidArgument", "The continuation token provided is incorrect") from error
