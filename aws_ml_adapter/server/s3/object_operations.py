"""The operations of S3 on objects: a request in, an answer out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import BinaryIO
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from aws_ml_adapter.server.s3.buckets import BLOCK, Buckets, Found, reported
from aws_ml_adapter.server.s3.conditions import check_read, check_source, write_conditions
from aws_ml_adapter.server.s3.messages import Content, S3Error, child, children, iso_time, parse_xml
from aws_ml_adapter.server.s3.requests import Answer, Request, span, xml_answer

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


class ObjectOperations:
    """What S3 does with objects.

    Parameters
    ----------
    buckets : Buckets

    References
    ----------
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
    """

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

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
        original, content = open_source(self._buckets, request)
        check = write_conditions(request.headers)
        with content, self._buckets.coming() as path:
            with reported(), path.open("wb") as stream:
                shutil.copyfileobj(content, stream, BLOCK)
            found = self._buckets.put(request.bucket, request.key, path, original.etag.strip('"'), check)
        return xml_answer("CopyObjectResult", [("LastModified", iso_time(found.modified)), ("ETag", found.etag)])

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


def open_source(buckets: Buckets, request: Request) -> tuple[Found, BinaryIO]:
    """Open what a request is to copy; raises `S3Error` if there is none, or its conditions do not hold."""
    source, _, query = request.headers["x-amz-copy-source"].partition("?")
    if query:
        raise S3Error("NotImplemented", "This server keeps no versions of objects")
    bucket, _, key = unquote(source).removeprefix("/").partition("/")
    original, content = buckets.open(bucket, key)
    try:
        check_source(request.headers, original)
    except S3Error:
        content.close()
        raise
    return original, content


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
    wanted = span(request.headers.get("range", ""), found.size) if is_same else None
    if wanted is None:
        return Answer(headers=headers, length=found.size), 0
    begin, end = wanted
    headers["content-range"] = f"bytes {begin}-{end - 1}/{found.size}"
    return Answer(status=206, headers=headers, length=end - begin), begin


def _overridden(query: Mapping[str, str]) -> dict[str, str]:
    """Give the headers of the answer that a link asks for."""
    asked = {name.removeprefix("response-"): query[name] for name in RESPONSE_HEADERS if name in query}
    if not all(value.isprintable() and len(value) <= _LONGEST_HEADER for value in asked.values()):
        raise S3Error("InvalidArgument", "A header of the answer that is asked for is too long, or none")
    return asked
