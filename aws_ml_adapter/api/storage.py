"""Storage of ``s3://bucket/key``: a folder that contains one folder per bucket, or S3 or a compatible server."""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from aws_ml_adapter.api.faults import DataFault, RequestFault
from textclf.base.errors import OutputError, TextclfError
from textclf.base.files import write_aside

MAX_FILES = 10_000
"""Maximum number of files that one location may name."""

# the rules of us-east-1 before 2018, which many existing buckets follow; a leading dot would hide the folder
_BUCKET = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{2,254}")
_KEY_BYTES = 1_024
# the maximum length of a file name
_PART_BYTES = 255
_ATTEMPTS = 10
_MISSING = "there is no such object"
_S3_MISSING = {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}
# control characters, backslashes, and characters that cannot be encoded in UTF-8 or in the XML of listings
UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff\ufffe\uffff]")
# the names of temporary files of textclf.base.files.write_aside
UNFINISHED = re.compile(r"\..{1,40}\.[0-9a-f]{8}\.part")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """The URL of an object, and its size in bytes."""

    url: str
    size: int


class Storage(ABC):
    """An object store; it raises errors made by ``fault(what, where=url)``."""

    def __init__(self, fault: Callable[..., TextclfError]) -> None:
        self._fault = fault

    @abstractmethod
    def files(self, url: str) -> list[StoredFile]:
        """List the object with this key; for a key that ends in ``/``, the data files directly below it, by key."""

    @abstractmethod
    def open(self, url: str) -> BinaryIO:
        """Open an object as a stream of bytes."""

    @abstractmethod
    def write(self, url: str) -> AbstractContextManager[Path]:
        """Return a context with a path to write to; the write is atomic, at the end of the context."""

    @abstractmethod
    def delete(self, url: str) -> None:
        """Delete an object, if it exists."""

    def read(self, url: str, limit: int) -> bytes | None:
        """Read an object of up to ``limit`` bytes; None if it does not exist."""
        with self._or_missing(), self.open(url) as stream, self._reading(url):
            content = stream.read(limit + 1)
            if len(content) > limit:
                raise self._fault(f"is over {limit:,} bytes", where=url)
            return content
        return None

    def size(self, url: str) -> int | None:
        """Return the size of an object in bytes; None if it does not exist."""
        with self._or_missing():
            return self.files(url)[0].size
        return None

    @contextmanager
    def _or_missing(self) -> Iterator[None]:
        try:
            yield
        except TextclfError as error:
            if error.what != _MISSING:
                raise

    @contextmanager
    def _reading(self, url: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._fault(f"cannot be read ({error.strerror})", where=url) from error

    def _missing(self, url: str) -> TextclfError:
        return self._fault(_MISSING, where=url)

    def _folder(self, url: str) -> TextclfError:
        return self._fault(_MISSING, where=url, remedy=f"write {url}/ if you mean the objects in that folder")

    def _checked(self, url: str, files: Iterable[StoredFile]) -> list[StoredFile]:
        """Leave out files that are not data; raises an error if there are none or too many."""
        if _is_prefix(url):
            files = (file for file in files if _is_data(file.url.rpartition("/")[2]))
        listed = list(islice(files, MAX_FILES + 1))
        if not listed:
            raise self._missing(url)
        if len(listed) > MAX_FILES:
            raise self._fault(f"names more than {MAX_FILES:,} files", where=url)
        return listed


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageOptions:
    """The storage to use: a folder that contains one folder per bucket, or the URL of an S3-compatible server."""

    root: str | None = None
    endpoint: str | None = None


def open_storage(options: StorageOptions, *, patient: bool = True) -> Storage:
    """Open a storage; if not ``patient``, with short timeouts for S3, because a client is waiting."""
    if options.endpoint is not None:
        import boto3
        from botocore.config import Config

        # signing needs a region; other servers than AWS accept any
        region = boto3.session.Session().region_name or "us-east-1"
        config = None if patient else Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
        return S3Storage(boto3.client("s3", endpoint_url=options.endpoint, region_name=region, config=config))
    return FolderStorage(Path(options.root or "."))


def split_url(url: str) -> tuple[str, str]:
    """Split ``s3://bucket/key`` into bucket and key; raises `RequestFault` if a name is invalid in S3 or as a path."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise RequestFault("the bucket's name breaks the rules of S3", where=url[:200])
    if UNUSABLE.search(key) or len(key.encode()) > _KEY_BYTES:
        what = f"the key is over {_KEY_BYTES:,} bytes or has control characters or backslashes"
        raise RequestFault(what, where=url[:200])
    parts = key.removesuffix("/").split("/")
    if any(part in ("", ".", "..") for part in parts) and key:
        raise RequestFault("the key has a part that is empty, '.' or '..'", where=url)
    if any(len(part.encode()) > _PART_BYTES for part in parts):
        raise RequestFault(f"the key has a part that is over {_PART_BYTES} bytes", where=url[:200])
    return bucket, key


@contextmanager
def write_in_place(path: Path) -> Iterator[Path]:
    """Do `textclf.base.files.write_aside` where empty folders may be removed at the same time."""
    with ExitStack() as stack:
        for left in reversed(range(_ATTEMPTS)):
            try:
                aside = stack.enter_context(write_aside(path))
                break
            # the folder was removed before the file in it was created
            except OutputError as error:
                if not left or not isinstance(error.__cause__, FileNotFoundError):
                    raise
        yield aside


class FolderStorage(Storage):
    """A folder that contains one folder per bucket; links that lead out of it are ignored."""

    def __init__(
        self, root: Path, *, fault: Callable[..., TextclfError] = DataFault, make_buckets: bool = False
    ) -> None:
        super().__init__(fault)
        self._root, self._make_buckets = root.resolve(), make_buckets

    def files(self, url: str) -> list[StoredFile]:
        """List an object, or the objects directly below a prefix."""
        path = self._path(url)
        with self._reading(url):
            found = sorted(path.iterdir()) if _is_prefix(url) and path.is_dir() else [path]
            there = (each for each in found if self._is_there(each))
            if not _is_prefix(url) and self._is_inside(path) and path.is_dir():
                raise self._folder(url)
            sizes = (StoredFile(url=_below(url, each.name), size=each.stat().st_size) for each in there)
            files = self._checked(url, sizes)
        for file in files:
            if UNUSABLE.search(file.url):
                name = file.url.rpartition("/")[2]
                what = f"the name {name!a} is not UTF-8 or has control characters or backslashes"
                raise self._fault(what, where=url)
        return files

    def open(self, url: str) -> BinaryIO:
        """Open an object as a stream of bytes."""
        path = self._path(url)
        with self._reading(url):
            if not self._is_there(path):
                raise self._missing(url)
            return path.open("rb")

    @contextmanager
    def write(self, url: str) -> Iterator[Path]:
        """Return a context with a path to write to; the bucket must exist, unless ``make_buckets``."""
        path = self._path(url)
        if not self._is_inside(path):
            raise self._fault("leads out of the storage folder", where=url)
        bucket, _ = split_url(url)
        if not self._make_buckets and not (self._root / bucket).is_dir():
            raise self._fault(
                "there is no such bucket", where=url, remedy=f"create the folder {bucket} below --s3-root"
            )
        try:
            with write_in_place(path) as aside:
                yield aside
        except OutputError as error:
            raise self._fault(error.what, where=url) from error

    def delete(self, url: str) -> None:
        """Delete an object, and parent folders that are empty then, because S3 has no folders."""
        path = self._path(url)
        if not self._is_there(path):
            return
        path.unlink()
        for parent in path.parents:
            if parent.parent == self._root or any(parent.iterdir()):
                return
            parent.rmdir()

    def remove_unfinished(self, url: str) -> None:
        """Remove temporary files that killed processes left beside an object; no one may be writing there."""
        for path in self._path(url).parent.glob(".*.part"):
            if UNFINISHED.fullmatch(path.name) and self._is_inside(path):
                path.unlink(missing_ok=True)

    def _path(self, url: str) -> Path:
        bucket, key = split_url(url)
        return self._root.joinpath(bucket, *key.split("/"))

    def _is_there(self, path: Path) -> bool:
        return self._is_inside(path) and path.is_file()

    def _is_inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._root)
        except (OSError, RuntimeError):
            return False


class S3Storage(Storage):
    """S3, or a compatible server, through a boto3 client."""

    def __init__(self, client: Any, *, fault: Callable[..., TextclfError] = DataFault) -> None:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        super().__init__(fault)
        self._client = client
        self._errors = (BotoCoreError, ClientError, Boto3Error)

    def files(self, url: str) -> list[StoredFile]:
        """List an object, or the objects directly below a prefix."""
        bucket, key = split_url(url)
        with self._refusals(url):
            if not _is_prefix(url):
                return [self._file(url, bucket, key)]
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key, Delimiter="/")
            listed = (entry for page in pages for entry in page.get("Contents", ()))
            return self._checked(
                url, (StoredFile(url=_below(url, entry["Key"][len(key) :]), size=entry["Size"]) for entry in listed)
            )

    def _file(self, url: str, bucket: str, key: str) -> StoredFile:
        try:
            return StoredFile(url=url, size=self._client.head_object(Bucket=bucket, Key=key)["ContentLength"])
        except self._errors:
            if self._client.list_objects_v2(Bucket=bucket, Prefix=f"{key}/", MaxKeys=1).get("Contents"):
                raise self._folder(url) from None
            raise

    def open(self, url: str) -> BinaryIO:
        """Open an object as a stream of bytes."""
        bucket, key = split_url(url)
        with self._refusals(url):
            body = self._client.get_object(Bucket=bucket, Key=key)["Body"]

        def cut_short(error: Exception) -> TextclfError:
            return self._fault(f"could not be read to its end ({error})", where=url)

        return io.BufferedReader(_ObjectBody(body, self._errors, cut_short))

    @contextmanager
    def write(self, url: str) -> Iterator[Path]:
        """Return a context with a path to write to; the object is uploaded when the context ends."""
        bucket, key = split_url(url)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "object"
            yield path
            with self._refusals(url):
                self._client.upload_file(str(path), bucket, key)

    def delete(self, url: str) -> None:
        """Delete an object, if there is one."""
        bucket, key = split_url(url)
        with self._refusals(url):
            self._client.delete_object(Bucket=bucket, Key=key)

    @contextmanager
    def _refusals(self, url: str) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            if code in _S3_MISSING:
                raise self._missing(url) from error
            raise self._fault(f"S3 refused or cannot be reached ({error})", where=url) from error


class _ObjectBody(io.RawIOBase):
    """A boto3 body that raises an error if it is truncated; as a context, boto3's own would end without an error."""

    def __init__(self, body: Any, errors: tuple[type[Exception], ...], fault: Callable[[Exception], Exception]) -> None:
        from urllib3.exceptions import HTTPError

        self._body, self._fault = body, fault
        self._errors: tuple[type[Exception], ...] = (*errors, HTTPError, OSError)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content: bytes = self._body.read(len(buffer))
        except self._errors as error:
            raise self._fault(error) from error
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._body.close()
        super().close()


def _is_prefix(url: str) -> bool:
    return url.endswith("/") or url.count("/") < 3


def _below(url: str, name: str) -> str:
    return f"{url.removesuffix('/')}/{name}" if _is_prefix(url) else url


def _is_data(name: str) -> bool:
    """Return whether a file is data: not hidden, not a schema, and not an empty name."""
    return name[:1] not in ("", ".") and not name.endswith(".schema")
