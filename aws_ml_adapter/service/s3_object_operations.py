"""The operations of S3 on objects: a request in, an answer out."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import BinaryIO
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element

from aws_ml_adapter.service.s3_body import Received
from aws_ml_adapter.service.s3_buckets import BLOCK, Buckets, Found, reported
from aws_ml_adapter.service.s3_conditions import check_read, copy_conditions, write_conditions
from aws_ml_adapter.service.s3_messages import Content, S3Error, child, children, iso_time, parse_xml
from aws_ml_adapter.service.s3_requests import Answer, Request, number, xml_answer
from aws_ml_adapter.service.s3_uploads import MOST_PARTS, Uploads

__all__ = ["LARGEST_OBJECT", "LARGEST_PUT", "RESPONSE_HEADERS", "ObjectOperations"]

LARGEST_PUT = 5 * 2**30
"""Bytes of an object, or a part of one, that comes in one request:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html."""

LARGEST_OBJECT = 5 * 2**40
"""Bytes of an object."""

RESPONSE_HEADERS = frozenset(
    f"response-{name}"
    for name in (
        "content-type",
        "content-language",
        "expires",
        "cache-control",
        "content-disposition",
        "content-encoding",
    )
)
"""What the query of a link may say of the headers of the answer."""

_LONGEST_HEADER = 2_048
_MOST_DELETED = 1_000
_ETAG = re.compile(r'"?([0-9a-f]{32})"?')
_RANGE = re.compile(r"bytes=(\d{0,100})-(\d{0,100})", re.ASCII)


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
        assert request.came is not None  # noqa: S101
        assert request.received is not None  # noqa: S101
        check = write_conditions(request.headers)
        found = self._buckets.put(request.bucket, request.key, request.came, request.received.md5, check)
        return Answer(headers={"etag": found.etag})

    def copy_object(self, request: Request) -> Answer:
        """Store a copy of another one."""
        self._buckets.place(request.bucket, request.key)
        original, content = self._source(request)
        check = write_conditions(request.headers)
        with content, self._buckets.coming() as path:
            with reported(), path.open("wb") as stream:
                shutil.copyfileobj(content, stream, BLOCK)
            found = self._buckets.put(request.bucket, request.key, path, original.etag.strip('"'), check)
        return xml_answer("CopyObjectResult", [("LastModified", iso_time(found.modified)), ("ETag", found.etag)])

    def _source(self, request: Request) -> tuple[Found, BinaryIO]:
        """Open what is to be copied."""
        source, _, query = request.headers["x-amz-copy-source"].partition("?")
        if query:
            raise S3Error("NotImplemented", "This server keeps no versions of objects")
        bucket, _, key = unquote(source).removeprefix("/").partition("/")
        original, content = self._buckets.open(bucket, key)
        try:
            copy_conditions(request.headers, original)
        except S3Error:
            content.close()
            raise
        return original, content

    def delete_object(self, request: Request) -> Answer:
        """Delete one."""
        self._buckets.delete(request.bucket, request.key, write_conditions(request.headers))
        return Answer(status=204)

    def delete_objects(self, request: Request) -> Answer:
        """Delete many."""
        self._buckets.check(request.bucket)
        root = parse_xml(request.body, "Delete")
        objects = children(root, "Object")
        if not 0 < len(objects) <= _MOST_DELETED or not all(child(each, "Key") for each in objects):
            raise S3Error("MalformedXML", f"1 to {_MOST_DELETED:,} keys can be deleted at once")
        told: list[tuple[str, Content]] = []
        for each in objects:
            key = child(each, "Key")
            try:
                self._buckets.delete(request.bucket, key, write_conditions(_conditions_of(each)))
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

    def copy_part(self, request: Request) -> Answer:
        """Store a part that is one of another object, or all of it."""
        place = number(request.query.get("partNumber", ""), "partNumber", 1, MOST_PARTS)
        upload = request.query["uploadId"]
        self._uploads.check(upload, request.bucket, request.key)
        original, content = self._source(request)
        with content, self._buckets.coming() as path:
            asked = request.headers.get("x-amz-copy-source-range")
            span = (0, original.size) if asked is None else _span(asked, original.size)
            if span is None or (asked is not None and not asked.endswith(f"-{span[1] - 1}")):
                raise S3Error("InvalidArgument", "The x-amz-copy-source-range is not one range within the source")
            if span[1] - span[0] > LARGEST_PUT:
                raise S3Error("EntityTooLarge", f"A part may have {LARGEST_PUT:,} bytes")
            with reported(), path.open("wb") as stream:
                received = _copy(content, span, stream)
            self._uploads.put(upload, request.bucket, request.key, place, path, received)
        told = [("LastModified", iso_time(time.time())), ("ETag", f'"{received.md5}"')]
        return xml_answer("CopyPartResult", told)

    def complete_upload(self, request: Request) -> Answer:
        """Join the parts."""
        parts = []
        for part in children(parse_xml(request.body, "CompleteMultipartUpload"), "Part"):
            given = _ETAG.fullmatch(child(part, "ETag").strip())
            place = number(child(part, "PartNumber").strip(), "PartNumber", 1, MOST_PARTS)
            if given is None:
                raise S3Error("InvalidPart", "One or more of the specified parts could not be found.")
            parts.append((place, given[1]))
        size = request.headers.get("x-amz-mp-object-size")
        etag = self._uploads.complete(
            request.query["uploadId"],
            request.bucket,
            request.key,
            parts,
            size=None if size is None else number(size, "x-amz-mp-object-size", 0, LARGEST_OBJECT),
            check=write_conditions(request.headers),
        )
        location = f"/{request.bucket}/{quote(request.key)}"
        told = [("Location", location), ("Bucket", request.bucket), ("Key", request.key), ("ETag", etag)]
        return xml_answer("CompleteMultipartUploadResult", told)

    def abort_upload(self, request: Request) -> Answer:
        """Forget the parts."""
        self._uploads.abort(request.query["uploadId"], request.bucket, request.key)
        return Answer(status=204)


def _conditions_of(element: Element) -> dict[str, str]:
    """Give the conditions on deleting one of many objects."""
    if {each.tag.rpartition("}")[2] for each in element} - {"Key", "ETag"}:
        raise S3Error("NotImplemented", "This server deletes by key and ETag only")
    etag = child(element, "ETag")
    return {"if-match": etag} if etag else {}


def _of(found: Found, request: Request) -> tuple[Answer, int]:
    """Describe what is given of an object, and where in it that begins."""
    headers = {
        "content-type": "binary/octet-stream",
        "etag": found.etag,
        "last-modified": formatdate(found.modified, usegmt=True),
        "accept-ranges": "bytes",
    }
    check_read(request.headers, found, headers)
    # who goes on with what has been replaced gets it whole
    is_same = request.headers.get("if-range", found.etag) in (found.etag, headers["last-modified"])
    headers |= _overridden(request.query)
    span = _span(request.headers.get("range", ""), found.size) if is_same else None
    if span is None:
        return Answer(headers=headers, length=found.size), 0
    begin, end = span
    headers["content-range"] = f"bytes {begin}-{end - 1}/{found.size}"
    return Answer(status=206, headers=headers, length=end - begin), begin


def _overridden(query: Mapping[str, str]) -> dict[str, str]:
    """Give the headers of the answer that a link asks for."""
    asked = {name.removeprefix("response-"): query[name] for name in RESPONSE_HEADERS if name in query}
    if not all(value.isprintable() and len(value) <= _LONGEST_HEADER for value in asked.values()):
        raise S3Error("InvalidArgument", "A header of the answer that is asked for is too long, or none")
    return asked


def _copy(source: BinaryIO, span: tuple[int, int], stream: BinaryIO) -> Received:
    """Copy a part of a stream."""
    digest, left = hashlib.md5(usedforsecurity=False), span[1] - span[0]
    source.seek(span[0])
    while block := source.read(min(left, BLOCK)):
        digest.update(block)
        stream.write(block)
        left -= len(block)
    if left:
        raise S3Error("InternalError", "The source became shorter while it was copied")
    return Received(span[1] - span[0], digest.hexdigest())


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
