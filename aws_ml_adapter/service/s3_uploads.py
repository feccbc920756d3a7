"""Objects that come in parts, as clients send what is over some megabytes."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from aws_ml_adapter.service.s3_body import Received
from aws_ml_adapter.service.s3_buckets import BLOCK, Buckets, Found, reported
from aws_ml_adapter.service.s3_messages import S3Error

__all__ = ["MOST_PARTS", "Uploads"]

MOST_PARTS = 10_000
"""Of an object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html."""

SMALLEST_PART = 5 * 2**20
"""Bytes of each part but the last."""

_KEPT_SECONDS = 7 * 24 * 3600
_ID = re.compile(r"[0-9a-f]{32}")


class Uploads:
    """Uploads that have begun; they outlive the server, for a week.

    Each is a folder with a note of its object and a file a part, whose name has the MD5 of its content.

    Parameters
    ----------
    buckets : Buckets
    largest : int
        Bytes of an object.
    """

    def __init__(self, buckets: Buckets, *, largest: int) -> None:
        self._buckets = buckets
        self._largest = largest

    def begin(self, bucket: str, key: str) -> str:
        """Begin an upload, and give its id."""
        self._buckets.place(bucket, key)
        id_ = secrets.token_hex(16)
        folder = self._folder(id_)
        with reported():
            folder.mkdir(mode=0o700, parents=True)
            (folder / "object.json").write_text(json.dumps([bucket, key]), encoding="utf-8")
        return id_

    def check(self, id_: str, bucket: str, key: str) -> Path:
        """Give the folder of an upload; raises `S3Error` if there is none for this object."""
        try:
            folder = self._folder(id_)
            if json.loads((folder / "object.json").read_text(encoding="utf-8")) == [bucket, key]:
                return folder
        except (OSError, ValueError):
            pass
        raise S3Error(
            "NoSuchUpload", "The specified upload does not exist. It may have been completed, aborted or too old."
        )

    def put(self, id_: str, bucket: str, key: str, number: int, came: Path, part: Received) -> None:
        """Put a part that has come in place, instead of one with its number."""
        folder = self.check(id_, bucket, key)
        with reported():
            path = folder / f"{number:05}-{part.md5}"
            came.replace(path)
            for other in folder.glob(f"{number:05}-*"):
                if other != path:
                    other.unlink(missing_ok=True)

    def complete(self, id_: str, bucket: str, key: str, parts: Sequence[tuple[int, str]]) -> Found:
        """Join parts, by number and ETag, into the object."""
        folder = self.check(id_, bucket, key)
        if not parts or [number for number, _ in parts] != sorted({number for number, _ in parts}):
            raise S3Error("InvalidPartOrder", "The list of parts was not in ascending order.")
        paths = [folder / f"{number:05}-{etag}" for number, etag in parts]
        if not all(path.is_file() for path in paths):
            raise S3Error("InvalidPart", "One or more of the specified parts could not be found.")
        if any(path.stat().st_size < SMALLEST_PART for path in paths[:-1]):
            raise S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size.")
        if sum(path.stat().st_size for path in paths) > self._largest:
            raise S3Error("EntityTooLarge", f"The object would be over {self._largest:,} bytes")
        digest = hashlib.md5(usedforsecurity=False)
        with self._buckets.coming() as whole:
            with reported(), whole.open("wb") as stream:
                for path in paths:
                    with path.open("rb") as source:
                        while block := source.read(BLOCK):
                            digest.update(block)
                            stream.write(block)
            found = self._buckets.put(bucket, key, whole, digest.hexdigest())
        shutil.rmtree(folder, ignore_errors=True)
        return found

    def abort(self, id_: str, bucket: str, key: str) -> None:
        """Forget an upload."""
        shutil.rmtree(self.check(id_, bucket, key), ignore_errors=True)

    def remove_old(self) -> None:
        """Remove what nobody completed or aborted for a week."""
        for folder in self._buckets.state.glob("upload-*"):
            with suppress(OSError):
                if folder.stat().st_mtime < time.time() - _KEPT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, id_: str) -> Path:
        if not _ID.fullmatch(id_):
            raise ValueError(id_)
        return self._buckets.state / f"upload-{id_}"
