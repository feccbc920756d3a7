"""The operations of S3 on objects: a request in, an answer out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from urllib.parse import quote, unquote

from aws_ml_adapter.service.s3_buckets import BLOCK, Buckets, Found, reported
from aws_ml_adapter.service.s3_messages import Content, S3Error, child, children, iso_time, parse_xml
from aws_ml_adapter.service.s3_requests import Answer, Request, number, xml_answer
from aws_ml_adapter.service.s3_uploads import MOST_PARTS, Uploads

__all__ = ["ObjectOperations"]

_MOST_DELETED = 1_000
_ETAG = re.compile(r'"?([0-9a-f]{32})"?')
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


class ObjectOperations:
    """What S3 does with objects.

    Parameters
    ----------
    buckets : Buckets
    uploads : Uploads

    References
    ----------
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
    """

    def __init__(self, buckets: Buckets, uploads: Uploads) -> None:
        self._buckets = buckets
        self._uploads = uploads

    def head_object(self, request: Request) -> Answer:
        """Describe one, or a part of it."""
        found = self._buckets.find(request.bucket, request.key)
        answer, _ = _of(found, request)
        return answer

    def get_object(self, request: Request) -> Answer:
        """Give one, or a part of it."""
        found, stream = self._buckets.open(request.bucket, request.key)
        try:
            answer, begin = _of(found, request)
            stream.seek(begin)
        except S3Error:
            stream.close()
            raise
        return replace(answer, stream=stream)

    def put_object(self, request: Request) -> Answer:
        """Store what came."""
        if request.headers.get("if-none-match") == "*":
            self._refuse_existing(request)
        assert request.came is not None  # noqa: S101
        assert request.received is not None  # noqa: S101
        found = self._buckets.put(request.bucket, request.key, request.came, request.received.md5)
        return Answer(headers={"etag": found.etag})

    def _refuse_existing(self, request: Request) -> None:
        try:
            self._buckets.find(request.bucket, request.key)
        except S3Error as error:
            if error.code == "NoSuchKey":
                return
            raise
        raise _precondition_failed()

    def copy_object(self, request: Request) -> Answer:
        """Store a copy of another one."""
        source = unquote(request.headers["x-amz-copy-source"].partition("?")[0]).removeprefix("/")
        bucket, _, key = source.partition("/")
        self._buckets.place(request.bucket, request.key)
        original, content = self._buckets.open(bucket, key)
        with content, self._buckets.coming() as path:
            with reported(), path.open("wb") as stream:
                shutil.copyfileobj(content, stream, BLOCK)
            found = self._buckets.put(request.bucket, request.key, path, original.etag.strip('"'))
        return xml_answer("CopyObjectResult", [("LastModified", iso_time(found.modified)), ("ETag", found.etag)])

    def delete_object(self, request: Request) -> Answer:
        """Delete one."""
        self._buckets.delete(request.bucket, request.key)
        return Answer(status=204)

    def delete_objects(self, request: Request) -> Answer:
        """Delete many."""
        self._buckets.check(request.bucket)
        root = parse_xml(request.body, "Delete")
        keys = [child(each, "Key") for each in children(root, "Object")]
        if not 0 < len(keys) <= _MOST_DELETED or not all(keys):
            raise S3Error("MalformedXML", f"1 to {_MOST_DELETED:,} keys can be deleted at once")
        told: list[tuple[str, Content]] = []
        for key in keys:
            try:
                self._buckets.delete(request.bucket, key)
            except S3Error as error:
                told.append(("Error", [("Key", key), ("Code", error.code), ("Message", str(error))]))
            else:
                told += [] if child(root, "Quiet") == "true" else [("Deleted", [("Key", key)])]
        return xml_answer("DeleteResult", told)

    def create_upload(self, request: Request) -> Answer:
        """Begin one."""
        id_ = self._uploads.begin(request.bucket, request.key)
        told = [("Bucket", request.bucket), ("Key", request.key), ("UploadId", id_)]
        return xml_answer("InitiateMultipartUploadResult", told)

    def upload_part(self, request: Request) -> Answer:
        """Store a part that came."""
        assert request.came is not None  # noqa: S101
        assert request.received is not None  # noqa: S101
        place = number(request.query.get("partNumber", ""), "partNumber", 1, MOST_PARTS)
        upload = request.query["uploadId"]
        self._uploads.put(upload, request.bucket, request.key, place, request.came, request.received)
        return Answer(headers={"etag": f'"{request.received.md5}"'})

    def complete_upload(self, request: Request) -> Answer:
        """Join the parts."""
        parts = []
        for part in children(parse_xml(request.body, "CompleteMultipartUpload"), "Part"):
            etag = _ETAG.fullmatch(child(part, "ETag").strip())
            place = number(child(part, "PartNumber").strip(), "PartNumber", 1, MOST_PARTS)
            if etag is None:
                raise S3Error("InvalidPart", "One or more of the specified parts could not be found.")
            parts.append((place, etag[1]))
        found = self._uploads.complete(request.query["uploadId"], request.bucket, request.key, parts)
        location = f"/{request.bucket}/{quote(request.key)}"
        told = [("Location", location), ("Bucket", request.bucket), ("Key", request.key), ("ETag", found.etag)]
        return xml_answer("CompleteMultipartUploadResult", told)

    def abort_upload(self, request: Request) -> Answer:
        """Forget the parts."""
        self._uploads.abort(request.query["uploadId"], request.bucket, request.key)
        return Answer(status=204)


def _of(found: Found, request: Request) -> tuple[Answer, int]:
    """Describe what is given of an object, and where in it that begins."""
    headers = {
        "content-type": "binary/octet-stream",
        "etag": found.etag,
        "last-modified": formatdate(found.modified, usegmt=True),
        "accept-ranges": "bytes",
    }
    _check_conditions(request.headers, found, headers)
    span = _span(request.headers.get("range", ""), found.size)
    if span is None:
        return Answer(headers=headers, length=found.size), 0
    begin, end = span
    headers["content-range"] = f"bytes {begin}-{end - 1}/{found.size}"
    return Answer(status=206, headers=headers, length=end - begin), begin


def _check_conditions(given: Mapping[str, str], found: Found, headers: Mapping[str, str]) -> None:
    match, other = given.get("if-match"), given.get("if-none-match")
    etag = found.etag.strip('"')
    if match is not None and match != "*" and etag not in _etags(match):
        raise _precondition_failed()
    if other is not None and (other == "*" or etag in _etags(other)):
        raise S3Error("NotModified", "The client has the object already", headers=headers)


def _etags(text: str) -> list[str]:
    return [each.strip().removeprefix("W/").strip('"') for each in text.split(",")]


def _precondition_failed() -> S3Error:
    return S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")


def _span(text: str, size: int) -> tuple[int, int] | None:
    """Give the begin and end of the part that is asked for; None for what is no single range, which S3 ignores."""
    found = _RANGE.fullmatch(text.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    begin, end = (int(first), int(last) + 1 if last else size) if first else (max(size - int(last), 0), size)
    if first and end <= begin < size:
        return None
    if begin >= min(end, size):
        raise S3Error(
            "InvalidRange",
            "The requested range is not satisfiable",
            headers={"content-range": f"bytes */{size}"},
        )
    return begin, min(end, size)
