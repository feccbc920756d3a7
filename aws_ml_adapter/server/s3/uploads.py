"""Objects that come in parts, as clients send what is over some megabytes."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from aws_ml_adapter.server.s3.body import Received
from aws_ml_adapter.server.s3.buckets import BLOCK, Buckets, Check, reported
from aws_ml_adapter.server.s3.messages import S3Error

MOST_PARTS = 10_000
"""Of an object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html."""

SMALLEST_PART = 5 * 2**20
"""Bytes of each part but the last."""

_KEPT_SECONDS = 7 * 24 * 3600
_CLEANED_SECONDS = 3600
_OBJECT, _COMPLETED = "object.json", "completed.json"
_ID = re.compile(r"[0-9a-f]{32}")


class Uploads:
    """Uploads that have begun; they outlive the server, for a week.

    Each is a folder with a note of its object and a file a part, whose name has the MD5 of its content. Of one that is
    completed a note is left, by which a repeated request is answered.

    Parameters
    ----------
    buckets : Buckets
    largest : int
        Bytes of an object.
    """

    def __init__(self, buckets: Buckets, *, largest: int) -> None:
        self._buckets = buckets
        self._largest = largest
        self._cleaned = 0.0
        # for ids by their first digit
        self._locks = [threading.Lock() for _ in range(16)]

    def begin(self, bucket: str, key: str) -> str:
        """Begin an upload, and give its id."""
        self._buckets.place(bucket, key)
        if time.time() > self._cleaned + _CLEANED_SECONDS:
            self.remove_old()
        id_ = secrets.token_hex(16)
        folder = self._folder(id_)
        with reported():
            folder.mkdir(mode=0o700, parents=True)
            (folder / _OBJECT).write_text(json.dumps([bucket, key]), encoding="utf-8")
        return id_

    def check(self, id_: str, bucket: str, key: str) -> Path:
        """Give the folder of an upload; raises `S3Error` if there is none for this object."""
        try:
            folder = self._folder(id_)
            if json.loads((folder / _OBJECT).read_text(encoding="utf-8")) == [bucket, key]:
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

    def parts(self, id_: str, bucket: str, key: str) -> list[tuple[int, str, int, float]]:
        """List the parts that have come: number, MD5, bytes, and when, in seconds since 1970."""
        found = []
        with reported():
            for path in sorted(self.check(id_, bucket, key).glob("?????-*")):
                # else it was replaced this moment
                with suppress(FileNotFoundError):
                    state = path.stat()
                    found.append((int(path.name[:5]), path.name[6:], state.st_size, state.st_mtime))
        return found

    def begun(self, bucket: str) -> list[tuple[str, str, float]]:
        """List the uploads to a bucket that are not completed: key, id, and when they began, in order."""
        found = []
        for note in self._buckets.state.glob(f"upload-*/{_OBJECT}"):
            # else it was completed or aborted this moment
            with suppress(OSError, ValueError):
                of, key = json.loads(note.read_text(encoding="utf-8"))
                if of == bucket:
                    found.append((key, note.parent.name.removeprefix("upload-"), note.stat().st_mtime))
        return sorted(found)

    def complete(
        self,
        id_: str,
        bucket: str,
        key: str,
        parts: Sequence[tuple[int, str]],
        *,
        size: int | None = None,
        check: Check | None = None,
    ) -> str:
        """Join parts, by number and ETag, into the object; gives its ETag, again if it was asked for before.

        Parameters
        ----------
        id_, bucket, key : str
        parts : sequence of (int, str)
        size : int, optional
            Bytes that they must have together.
        check : Check, optional
            What the object's predecessor must pass.

        Returns
        -------
        str
        """
        # whoever asks twice at once gets the same answer twice
        with self._locks[int(id_[:1], 16)] if _ID.fullmatch(id_) else nullcontext():
            if (etag := self._completed(id_, bucket, key, parts)) is not None:
                return etag
            return self._complete(id_, bucket, key, parts, size, check)

    def _completed(self, id_: str, bucket: str, key: str, parts: Sequence[tuple[int, str]]) -> str | None:
        try:
            noted = json.loads((self._folder(id_) / _COMPLETED).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return str(noted["etag"]) if noted["request"] == _request(bucket, key, parts) else None

    def _complete(
        self,
        id_: str,
        bucket: str,
        key: str,
        parts: Sequence[tuple[int, str]],
        size: int | None,
        check: Check | None,
    ) -> str:
        folder = self.check(id_, bucket, key)
        if not parts or [number for number, _ in parts] != sorted({number for number, _ in parts}):
            raise S3Error("InvalidPartOrder", "The list of parts was not in ascending order.")
        paths = [folder / f"{number:05}-{etag}" for number, etag in parts]
        if not all(path.is_file() for path in paths):
            raise S3Error("InvalidPart", "One or more of the specified parts could not be found.")
        sizes = [path.stat().st_size for path in paths]
        if any(each < SMALLEST_PART for each in sizes[:-1]):
            raise S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size.")
        if sum(sizes) > self._largest:
            raise S3Error("EntityTooLarge", f"The object would be over {self._largest:,} bytes")
        if size not in (None, sum(sizes)):
            raise S3Error(
                "InvalidRequest", f"The parts have {sum(sizes):,} bytes, and x-amz-mp-object-size says {size:,}"
            )
        digest = hashlib.md5(usedforsecurity=False)
        with self._buckets.coming() as whole:
            with reported(), whole.open("wb") as stream:
                for path in paths:
                    with path.open("rb") as source:
                        while block := source.read(BLOCK):
                            digest.update(block)
                            stream.write(block)
            etag = self._buckets.put(bucket, key, whole, digest.hexdigest(), check).etag
        self._finish(folder, {"request": _request(bucket, key, parts), "etag": etag})
        return etag

    def _finish(self, folder: Path, noted: dict[str, str]) -> None:
        """Leave a note of what was completed, for whoever did not get the answer."""
        with suppress(OSError):
            (folder / _COMPLETED).write_text(json.dumps(noted), encoding="utf-8")
            (folder / _OBJECT).unlink()
            for path in folder.iterdir():
                if path.name != _COMPLETED:
                    path.unlink()

    def abort(self, id_: str, bucket: str, key: str) -> None:
        """Forget an upload."""
        shutil.rmtree(self.check(id_, bucket, key), ignore_errors=True)

    def remove_old(self) -> None:
        """Remove what nobody completed or aborted for a week, and the notes of what was completed by then."""
        self._cleaned = time.time()
        for folder in self._buckets.state.glob("upload-*"):
            with suppress(OSError):
                if folder.stat().st_mtime < time.time() - _KEPT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, id_: str) -> Path:
        if not _ID.fullmatch(id_):
            raise ValueError(id_)
        return self._buckets.state / f"upload-{id_}"


def _request(bucket: str, key: str, parts: Sequence[tuple[int, str]]) -> str:
    """Tell a request to complete from others."""
    return hashlib.sha256(json.dumps([bucket, key, parts]).encode()).hexdigest()
