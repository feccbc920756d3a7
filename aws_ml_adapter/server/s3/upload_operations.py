"""The operations of S3 on objects that come in parts: a request in, an answer out."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import quote

from aws_ml_adapter.server.s3.body import Received
from aws_ml_adapter.server.s3.buckets import BLOCK, Buckets, reported
from aws_ml_adapter.server.s3.conditions import OWNER, write_conditions
from aws_ml_adapter.server.s3.messages import Content, S3Error, child, children, iso_time, parse_xml
from aws_ml_adapter.server.s3.object_operations import open_source
from aws_ml_adapter.server.s3.requests import Answer, Request, number, span, xml_answer
from aws_ml_adapter.server.s3.uploads import MOST_PARTS, Uploads

LARGEST_PUT = 5 * 2**30
"""Bytes of an object, or a part of one, that comes in one request:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html."""

LARGEST_OBJECT = 5 * 2**40
"""Bytes of an object."""


_MOST_LISTED = 1_000
_ETAG = re.compile(r'"?([0-9a-f]{32})"?')
_OWNERS = [(name, [("ID", OWNER), ("DisplayName", "amazon-ml")]) for name in ("Initiator", "Owner")]


class UploadOperations:
    """What S3 does with objects that come in parts.

    Parameters
    ----------
    buckets : Buckets
    uploads : Uploads

    References
    ----------
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    """

    def __init__(self, buckets: Buckets, uploads: Uploads) -> None:
        self._buckets = buckets
        self._uploads = uploads

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
        original, content = open_source(self._buckets, request)
        with content, self._buckets.coming() as path:
            asked = request.headers.get("x-amz-copy-source-range")
            wanted = (0, original.size) if asked is None else span(asked, original.size)
            if wanted is None or (asked is not None and not asked.endswith(f"-{wanted[1] - 1}")):
                raise S3Error("InvalidArgument", "The x-amz-copy-source-range is not one range within the source")
            if wanted[1] - wanted[0] > LARGEST_PUT:
                raise S3Error("EntityTooLarge", f"A part may have {LARGEST_PUT:,} bytes")
            with reported(), path.open("wb") as stream:
                received = _copy(content, wanted, stream)
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

    def list_parts(self, request: Request) -> Answer:
        """List those that have come."""
        query = request.query
        limit = min(number(query.get("max-parts") or str(_MOST_LISTED), "max-parts", 0), _MOST_LISTED)
        after = number(query.get("part-number-marker") or "0", "part-number-marker", 0)
        parts = [
            part for part in self._uploads.parts(query["uploadId"], request.bucket, request.key) if part[0] > after
        ]
        shown, is_cut = parts[:limit], len(parts) > limit > 0
        told: list[tuple[str, Content]] = [
            ("Bucket", request.bucket),
            ("Key", request.key),
            ("UploadId", query["uploadId"]),
            *_OWNERS,
            ("StorageClass", "STANDARD"),
            ("PartNumberMarker", str(after)),
            *([("NextPartNumberMarker", str(shown[-1][0]))] if shown else []),
            ("MaxParts", str(limit)),
            ("IsTruncated", "true" if is_cut else "false"),
        ]
        for place, md5, size, modified in shown:
            entry = [("PartNumber", str(place)), ("LastModified", iso_time(modified))]
            told.append(("Part", [*entry, ("ETag", f'"{md5}"'), ("Size", str(size))]))
        return xml_answer("ListPartsResult", told)

    def list_uploads(self, request: Request) -> Answer:
        """List those that have begun and are neither completed nor aborted."""
        self._buckets.check(request.bucket)
        query = request.query
        limit = min(number(query.get("max-uploads") or str(_MOST_LISTED), "max-uploads", 1), _MOST_LISTED)
        prefix, encoding = query.get("prefix", ""), query.get("encoding-type", "")
        encode: Callable[[str], str] = (
            (lambda text: quote(text, safe="/")) if encoding == "url" else (lambda text: text)
        )
        marker = query.get("key-marker", "")
        # without an id all of the marker's key are behind
        after = (marker, query.get("upload-id-marker") or "~")
        uploads = [each for each in self._uploads.begun(request.bucket) if each[0].startswith(prefix)]
        uploads = [each for each in uploads if not marker or each[:2] > after]
        shown, is_cut = uploads[:limit], len(uploads) > limit
        told: list[tuple[str, Content]] = [
            ("Bucket", request.bucket),
            ("KeyMarker", encode(marker)),
            ("UploadIdMarker", query.get("upload-id-marker", "")),
            ("Prefix", encode(prefix)),
            ("MaxUploads", str(limit)),
            ("IsTruncated", "true" if is_cut else "false"),
        ]
        told += [("EncodingType", encoding)] if encoding else []
        if is_cut:
            told += [("NextKeyMarker", encode(shown[-1][0])), ("NextUploadIdMarker", shown[-1][1])]
        for key, id_, begun in shown:
            entry: list[tuple[str, Content]] = [("Key", encode(key)), ("UploadId", id_), *_OWNERS]
            told.append(("Upload", [*entry, ("StorageClass", "STANDARD"), ("Initiated", iso_time(begun))]))
        return xml_answer("ListMultipartUploadsResult", told)


def _copy(source: BinaryIO, wanted: tuple[int, int], stream: BinaryIO) -> Received:
    """Copy a part of a stream."""
    digest, left = hashlib.md5(usedforsecurity=False), wanted[1] - wanted[0]
    source.seek(wanted[0])
    while block := source.read(min(left, BLOCK)):
        digest.update(block)
        stream.write(block)
        left -= len(block)
    if left:
        raise S3Error("InternalError", "The source became shorter while it was copied")
    return Received(wanted[1] - wanted[0], digest.hexdigest())
