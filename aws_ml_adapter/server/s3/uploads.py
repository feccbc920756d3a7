"""Multipart uploads: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

from aws_ml_adapter.server.asgi import BLOCK, HttpAnswer
from aws_ml_adapter.server.error_answers import S3ApiError
from aws_ml_adapter.server.s3.buckets import Buckets, Found, reported
from aws_ml_adapter.server.s3.conditions import CONDITIONS, check_source, write_conditions
from aws_ml_adapter.server.s3.messages import (
    OWNER,
    Content,
    S3Request,
    iso_time,
    key_encoder,
    number,
    page_size,
    parse_xml,
    span,
    xml_answer,
)
from aws_ml_adapter.server.s3.routes import SOURCE, Body, route
from textclf.base.hashing import hash_json

MAX_PUT_BYTES = 5 * 2**30
"""Maximum bytes of an object, or a part of one, in one request:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html."""

_MAX_OBJECT_BYTES = 5 * 2**40
_MIN_PART_BYTES = 5 * 2**20
_MAX_PARTS = 10_000
_KEPT_SECONDS = 7 * 24 * 3600
_CLEANED_SECONDS = 3600
_OBJECT, _COMPLETED = "object.json", "completed.json"
_ID = re.compile(r"[0-9a-f]{32}")
_ETAG = re.compile(r'"?([0-9a-f]{32})"?')
_OWNERS: dict[str, Content] = {"Initiator": OWNER, "Owner": OWNER, "StorageClass": "STANDARD"}


class Uploads:
    """Multipart uploads, which are kept for a week, also when the server is restarted.

    Each is a folder with a file that names its object, and one file per part, whose name contains the MD5 of the part.
    A completed upload leaves a file with its ETag, so that completing it is idempotent.
    """

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._cleaned = 0.0
        # one for each group of upload ids
        self._locks = [threading.Lock() for _ in range(16)]

    @route("POST", "object", "uploads")
    def create_multipart_upload(self, request: S3Request) -> HttpAnswer:
        """Start an upload."""
        self._buckets.place(request.bucket, request.key)
        if time.time() > self._cleaned + _CLEANED_SECONDS:
            self.remove_old()
        id_ = secrets.token_hex(16)
        folder = self._folder(id_)
        with reported():
            folder.mkdir(mode=0o700, parents=True)
            (folder / _OBJECT).write_text(json.dumps([request.bucket, request.key]), encoding="utf-8")
        return xml_answer("InitiateMultipartUploadResult", Bucket=request.bucket, Key=request.key, UploadId=id_)

    @route("PUT", "object", "uploadId", query={"partNumber"}, takes=Body.CONTENT)
    def upload_part(self, request: S3Request) -> HttpAnswer:
        """Store a part."""
        self._put(request, request.received, request.md5)
        return HttpAnswer(headers={"etag": f'"{request.md5}"'})

    @route("COPY", "object", "uploadId", query={"partNumber"}, headers=SOURCE | {"x-amz-copy-source-range"})
    def upload_part_copy(self, request: S3Request) -> HttpAnswer:
        """Store a part that is a copy of an object or a range of it."""
        # checked before anything is copied
        _part_number(request)
        self._begun(request)
        original, content = self._open_source(request)
        with content, self._buckets.receiving() as path:
            asked = request.headers.get("x-amz-copy-source-range")
            wanted = (0, original.size) if asked is None else span(asked, original.size)
            if wanted is None or (asked is not None and not asked.endswith(f"-{wanted[1] - 1}")):
                raise S3ApiError("InvalidArgument", "The x-amz-copy-source-range is not one range within the source")
            if wanted[1] - wanted[0] > MAX_PUT_BYTES:
                raise S3ApiError("EntityTooLarge", f"A part may have {MAX_PUT_BYTES:,} bytes")
            content.seek(wanted[0])
            with reported():
                md5 = _copy(_blocks(content, wanted[1] - wanted[0]), path)
            self._put(request, path, md5)
        return xml_answer("CopyPartResult", LastModified=iso_time(time.time()), ETag=f'"{md5}"')

    @route("POST", "object", "uploadId", headers=CONDITIONS | {"x-amz-mp-object-size"}, takes=Body.MESSAGE)
    def complete_multipart_upload(self, request: S3Request) -> HttpAnswer:
        """Join the parts, given by number and ETag, into the object; idempotent."""
        parts = []
        for part in parse_xml(request.body, "CompleteMultipartUpload").findall("Part"):
            given = _ETAG.fullmatch(part.findtext("ETag", "").strip())
            place = number(part.findtext("PartNumber", "").strip(), "PartNumber", 1, _MAX_PARTS)
            if given is None:
                raise S3ApiError("InvalidPart", "One or more of the specified parts could not be found.")
            parts.append((place, given[1]))
        # identifies a repeated request
        digest = hash_json([request.bucket, request.key, parts])
        # concurrent repetitions get the same answer
        with self._locks[hash(request.query["uploadId"]) % len(self._locks)]:
            etag = self._completed(request, digest) or self._complete(request, digest, parts)
        location = f"/{request.bucket}/{quote(request.key)}"
        return xml_answer(
            "CompleteMultipartUploadResult", Location=location, Bucket=request.bucket, Key=request.key, ETag=etag
        )

    @route("DELETE", "object", "uploadId")
    def abort_multipart_upload(self, request: S3Request) -> HttpAnswer:
        """Remove the parts."""
        shutil.rmtree(self._begun(request), ignore_errors=True)
        return HttpAnswer(status=204)

    @route("GET", "object", "uploadId", query={"max-parts", "part-number-marker"})
    def list_parts(self, request: S3Request) -> HttpAnswer:
        """List the parts that were received."""
        limit = page_size(request.query, "max-parts")
        after = number(request.query.get("part-number-marker") or "0", "part-number-marker", 0)
        parts = []
        with reported():
            for path in sorted(self._begun(request).glob("?????-*")):
                # the part may be replaced at the same time
                with suppress(FileNotFoundError):
                    parts.append((int(path.name[:5]), path.name[6:], path.stat()))
        parts = [part for part in parts if part[0] > after]
        shown = parts[:limit]
        return xml_answer(
            "ListPartsResult",
            Bucket=request.bucket,
            Key=request.key,
            UploadId=request.query["uploadId"],
            PartNumberMarker=after,
            NextPartNumberMarker=shown[-1][0] if shown else None,
            MaxParts=limit,
            IsTruncated=len(parts) > limit > 0,
            Part=[
                {
                    "PartNumber": place,
                    "LastModified": iso_time(state.st_mtime),
                    "ETag": f'"{md5}"',
                    "Size": state.st_size,
                }
                for place, md5, state in shown
            ],
            **_OWNERS,
        )

    @route(
        "GET",
        "bucket",
        "uploads",
        query={"prefix", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"},
    )
    def list_multipart_uploads(self, request: S3Request) -> HttpAnswer:
        """List the uploads that are neither completed nor aborted."""
        self._buckets.check(request.bucket)
        query, encode = request.query, key_encoder(request.query)
        limit = page_size(query, "max-uploads", 1)
        prefix, marker = query.get("prefix", ""), query.get("key-marker", "")
        # without an upload id, all uploads with the key of the marker are skipped
        after = (marker, query.get("upload-id-marker") or "~")
        uploads = []
        for note in self._buckets.state.glob(f"upload-*/{_OBJECT}"):
            # the upload may be completed or aborted at the same time
            with suppress(OSError, ValueError):
                bucket, key = json.loads(note.read_text(encoding="utf-8"))
                upload = (key, note.parent.name.removeprefix("upload-"), note.stat().st_mtime)
                if bucket == request.bucket and key.startswith(prefix) and (not marker or upload[:2] > after):
                    uploads.append(upload)
        shown, is_cut = sorted(uploads)[:limit], len(uploads) > limit
        return xml_answer(
            "ListMultipartUploadsResult",
            Bucket=request.bucket,
            KeyMarker=encode(marker),
            UploadIdMarker=query.get("upload-id-marker", ""),
            Prefix=encode(prefix),
            MaxUploads=limit,
            IsTruncated=is_cut,
            EncodingType=query.get("encoding-type") or None,
            NextKeyMarker=encode(shown[-1][0]) if is_cut else None,
            NextUploadIdMarker=shown[-1][1] if is_cut else None,
            Upload=[
                {"Key": encode(key), "UploadId": id_, "Initiated": iso_time(begun), **_OWNERS}
                for key, id_, begun in shown
            ],
        )

    def remove_old(self) -> None:
        """Remove uploads and records of completed uploads that are more than a week old."""
        self._cleaned = time.time()
        for folder in self._buckets.state.glob("upload-*"):
            with suppress(OSError):
                if folder.stat().st_mtime < time.time() - _KEPT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)

    def _open_source(self, request: S3Request) -> tuple[Found, BinaryIO]:
        """Open the source of a copy; raises `S3ApiError` if a condition on it fails."""
        source, _, query = request.headers["x-amz-copy-source"].partition("?")
        if query:
            raise S3ApiError("NotImplemented", "This server keeps no versions of objects")
        bucket, _, key = unquote(source).removeprefix("/").partition("/")
        original, content = self._buckets.open(bucket, key)
        try:
            check_source(request.headers, original)
        except S3ApiError:
            content.close()
            raise
        return original, content

    def _begun(self, request: S3Request) -> Path:
        """Return the folder of an upload; raises `S3ApiError` if it does not exist for this object."""
        try:
            folder = self._folder(request.query["uploadId"])
            if json.loads((folder / _OBJECT).read_text(encoding="utf-8")) == [request.bucket, request.key]:
                return folder
        except (OSError, ValueError):
            pass
        raise S3ApiError(
            "NoSuchUpload", "The specified upload does not exist. It may have been completed, aborted or too old."
        )

    def _put(self, request: S3Request, received: Path, md5: str) -> None:
        """Move a received part into place, and remove an earlier part with its number."""
        place = _part_number(request)
        folder = self._begun(request)
        with reported():
            path = folder / f"{place:05}-{md5}"
            received.replace(path)
            for other in folder.glob(f"{place:05}-*"):
                if other != path:
                    other.unlink(missing_ok=True)

    def _completed(self, request: S3Request, digest: str) -> str | None:
        try:
            noted = json.loads((self._folder(request.query["uploadId"]) / _COMPLETED).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return str(noted["etag"]) if noted["request"] == digest else None

    def _complete(self, request: S3Request, digest: str, parts: list[tuple[int, str]]) -> str:
        folder = self._begun(request)
        if not parts or [place for place, _ in parts] != sorted({place for place, _ in parts}):
            raise S3ApiError("InvalidPartOrder", "The list of parts was not in ascending order.")
        paths = [folder / f"{place:05}-{md5}" for place, md5 in parts]
        if not all(path.is_file() for path in paths):
            raise S3ApiError("InvalidPart", "One or more of the specified parts could not be found.")
        sizes = [path.stat().st_size for path in paths]
        if any(each < _MIN_PART_BYTES for each in sizes[:-1]):
            raise S3ApiError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size.")
        if sum(sizes) > _MAX_OBJECT_BYTES:
            raise S3ApiError("EntityTooLarge", f"The object would be over {_MAX_OBJECT_BYTES:,} bytes")
        wanted = request.headers.get("x-amz-mp-object-size")
        if wanted is not None and number(wanted, "x-amz-mp-object-size", 0, _MAX_OBJECT_BYTES) != sum(sizes):
            raise S3ApiError("InvalidRequest", f"The parts have {sum(sizes):,} bytes, not the x-amz-mp-object-size")
        with self._buckets.receiving() as whole:
            with reported():
                md5 = _copy(_blocks_of_files(paths), whole)
            check = write_conditions(request.headers)
            etag = self._buckets.put(request.bucket, request.key, whole, md5, check).etag
        # so that the request can be repeated if the answer was lost
        with suppress(OSError):
            (folder / _COMPLETED).write_text(json.dumps({"request": digest, "etag": etag}), encoding="utf-8")
            (folder / _OBJECT).unlink()
            for path in folder.iterdir():
                if path.name != _COMPLETED:
                    path.unlink()
        return etag

    def _folder(self, id_: str) -> Path:
        if not _ID.fullmatch(id_):
            raise ValueError(id_)
        return self._buckets.state / f"upload-{id_}"


def _part_number(request: S3Request) -> int:
    return number(request.query.get("partNumber", ""), "partNumber", 1, _MAX_PARTS)


def _blocks(source: BinaryIO, size: int) -> Iterable[bytes]:
    while size:
        block = source.read(min(size, BLOCK))
        if not block:
            raise S3ApiError("InternalError", "The source became shorter while it was copied")
        size -= len(block)
        yield block


def _blocks_of_files(paths: Iterable[Path]) -> Iterable[bytes]:
    for path in paths:
        with path.open("rb") as source:
            yield from _blocks(source, path.stat().st_size)


def _copy(blocks: Iterable[bytes], path: Path) -> str:
    """Write a file, and return its MD5 in hexadecimal digits."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("wb") as stream:
        for block in blocks:
            digest.update(block)
            stream.write(block)
    return digest.hexdigest()
