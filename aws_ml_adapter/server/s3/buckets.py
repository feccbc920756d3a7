"""Buckets and objects stored in a folder: finding, listing, writing and deleting them."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, TypeAlias

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.storage import UNFINISHED, UNUSABLE, split_url, write_in_place
from aws_ml_adapter.server.error_answers import S3ApiError
from aws_ml_adapter.server.s3.object_listing import ListedPage, list_objects
from textclf.base.errors import OutputError

_REMEMBERED = 100_000

Check: TypeAlias = "Callable[[Found | None], None]"
"""Takes the existing object, if any; raises `S3ApiError` if it must not be replaced or deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An existing object: a file, or an empty folder if its key ends in ``/``."""

    path: Path
    size: int
    modified: float
    """Seconds since 1970."""
    etag: str
    """MD5 of the content, in double quotes."""
    identity: tuple[int, ...]
    """Identifies this version of the file."""


class Buckets:
    """A folder that contains one folder per bucket; links that lead out of it are ignored.

    Objects are received in a folder beside the buckets, and moved into place when complete. Its name cannot be that of
    a bucket, and contains ``name``, 16 hexadecimal digits that differ between servers with the same root.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._root = root.resolve()
        self.state = self._root / f".s3-{name}"
        self._digests = _Digests()
        # so that no folder is removed as empty while a file is being written to it
        self._lock = threading.Lock()

    # --- buckets

    def names(self) -> list[tuple[str, float]]:
        """List the buckets and the modification times of their folders."""
        with reported():
            found = sorted((entry.name, entry.stat().st_mtime) for entry in self._root.iterdir() if entry.is_dir())
        return [(name, changed) for name, changed in found if self._is_bucket(name)]

    def check(self, bucket: str) -> Path:
        """Return the folder of a bucket; raises `S3ApiError` if it does not exist."""
        if not self._is_bucket(bucket):
            raise S3ApiError("NoSuchBucket", "The specified bucket does not exist")
        return self._root / bucket

    def make(self, bucket: str) -> bool:
        """Create a bucket; returns False if it exists."""
        if not _is_bucket_name(bucket):
            raise S3ApiError("InvalidBucketName", "The specified bucket is not valid.")
        with reported():
            try:
                (self._root / bucket).mkdir()
            except FileExistsError:
                return False
        return True

    def remove(self, bucket: str) -> None:
        """Remove an empty bucket; raises `S3ApiError` if it is not empty."""
        with self._lock, reported():
            try:
                self.check(bucket).rmdir()
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                raise S3ApiError("BucketNotEmpty", "The bucket you tried to delete is not empty") from error

    # --- objects

    def find(self, bucket: str, key: str) -> Found:
        """Find an object; raises `S3ApiError` if it does not exist."""
        if (found := self._seek(bucket, key)) is None:
            raise S3ApiError("NoSuchKey", "The specified key does not exist.")
        return found

    def _seek(self, bucket: str, key: str) -> Found | None:
        self.check(bucket)
        try:
            path = self._path(bucket, key)
        # no object can have such a key
        except S3ApiError:
            return None
        with reported():
            is_there = self._is_inside(path) and (path.is_dir() if key.endswith("/") else path.is_file())
            return self.describe(path) if is_there else None

    def open(self, bucket: str, key: str) -> tuple[Found, BinaryIO]:
        """Open an object, and return a description of exactly this version of it."""
        while True:
            found = self.find(bucket, key)
            if key.endswith("/"):
                return found, BytesIO()
            with reported():
                stream = found.path.open("rb")
            # otherwise it was replaced meanwhile
            if _identity(os.fstat(stream.fileno())) == found.identity:
                return found, stream
            stream.close()

    def describe(self, path: Path) -> Found:
        """Describe the object at a path; raises `OSError` if it no longer exists."""
        state = path.stat()
        is_folder = path.is_dir()
        return Found(
            path=path,
            size=0 if is_folder else state.st_size,
            modified=state.st_mtime,
            identity=_identity(state),
            etag=f'"{_EMPTY_MD5 if is_folder else self._digests.of(path, state)}"',
        )

    def place(self, bucket: str, key: str) -> Path:
        """Return the path at which an object is to be stored; raises `S3ApiError` if that is impossible."""
        folder = self.check(bucket)
        path = self._path(bucket, key)
        if not self._is_inside(path):
            raise S3ApiError("AccessDenied", "A link there leads out of the buckets or in circles")
        if not key.endswith("/") and path.is_dir():
            raise S3ApiError("InvalidRequest", f"The key is a folder here: there are objects below {key}/")
        with reported():
            is_below_object = any(_is_in_the_way(each) for each in path.parents if each.is_relative_to(folder))
        if is_below_object:
            raise S3ApiError("InvalidRequest", "The key lies below an object, which cannot be a folder as well here")
        return path

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """Yield a temporary file for an object, which is removed afterwards unless it was moved into place."""
        with reported():
            self.state.mkdir(mode=0o700, exist_ok=True)
            with NamedTemporaryFile(dir=self.state, prefix="received-", delete=False) as file:
                path = Path(file.name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def put(self, bucket: str, key: str, received: Path, md5: str, check: Check | None = None) -> Found:
        """Move a received file into place, if the existing object passes the check."""
        with self._lock, reported():
            path = self.place(bucket, key)
            if check is not None:
                check(self._seek(bucket, key))
            if key.endswith("/"):
                if received.stat().st_size:
                    raise S3ApiError("InvalidRequest", "A key that ends in / is a folder here, and has no content")
                path.mkdir(parents=True, exist_ok=True)
                return self.describe(path)
            with write_in_place(path) as aside:
                try:
                    received.replace(aside)
                except OSError as error:
                    # the bucket may be on another file system
                    if error.errno != errno.EXDEV:
                        raise
                    shutil.copyfile(received, aside)
            self._digests.remember(path.stat(), md5)
            return self.describe(path)

    def delete(self, bucket: str, key: str, check: Check | None = None) -> None:
        """Delete an object, if it exists and passes the check, and parent folders that are empty then."""
        folder = self.check(bucket)
        path: Path | None
        try:
            path = self._path(bucket, key)
        # no object can have such a key
        except S3ApiError:
            path = None
        with self._lock, reported():
            if check is not None:
                check(self._seek(bucket, key))
            if path is None or not self._is_inside(path):
                return
            if key.endswith("/"):
                if path.is_dir() and not path.is_symlink():
                    _remove_empty(path, folder)
            elif path.is_file():
                path.unlink()
                _remove_empty(path.parent, folder)

    def listing(self, bucket: str, *, prefix: str, delimiter: str, after: str, limit: int) -> ListedPage:
        """List a page of a bucket's objects; see `list_objects`."""
        folder = self.check(bucket)
        with reported():
            return list_objects(
                folder, is_listed=self._is_listed, prefix=prefix, delimiter=delimiter, after=after, limit=limit
            )

    def remove_unfinished(self) -> None:
        """Remove temporary files of an earlier server that was killed."""
        for path in self.state.glob("received-*"):
            with suppress(OSError):
                path.unlink()

    def _path(self, bucket: str, key: str) -> Path:
        try:
            split_url(f"s3://{bucket}/{key}")
        except RequestFault as error:
            code = "KeyTooLongError" if len(key.encode("utf-8", "replace")) > 1_024 else "InvalidRequest"
            raise S3ApiError(code, f"This server cannot store the key: {error.what}") from error
        if UNFINISHED.fullmatch(key.rpartition("/")[2]):
            raise S3ApiError("InvalidRequest", "Keys of this form are reserved for temporary files")
        return self._root.joinpath(bucket, *key.split("/"))

    def _is_bucket(self, name: str) -> bool:
        path = self._root / name
        return _is_bucket_name(name) and path.is_dir() and self._is_inside(path)

    def _is_listed(self, entry: os.DirEntry[str]) -> bool:
        if UNUSABLE.search(entry.name) or UNFINISHED.fullmatch(entry.name):
            return False
        try:
            return (entry.is_file() or entry.is_dir()) and (not entry.is_symlink() or self._is_inside(Path(entry.path)))
        # a circular link, or one to where this server has no permission
        except OSError:
            return False

    def _is_inside(self, path: Path) -> bool:
        """Return whether a path resolves into a bucket, and not to the root or a server's own folder."""
        try:
            place = path.resolve().relative_to(self._root)
        except (OSError, RuntimeError, ValueError):
            return False
        return bool(place.parts) and not place.parts[0].startswith(".") and (self._root / place.parts[0]).is_dir()


_md5 = partial(hashlib.md5, usedforsecurity=False)
_EMPTY_MD5 = _md5().hexdigest()


class _Digests:
    """A cache of the MD5 of unchanged files, in memory, because files may also be changed by other programs."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}
        self._lock = threading.Lock()

    def of(self, path: Path, state: os.stat_result) -> str:
        """Return the MD5 of a file in hexadecimal digits."""
        if (md5 := self._known.get(_identity(state))) is None:
            with path.open("rb") as stream:
                md5 = hashlib.file_digest(stream, _md5).hexdigest()
            self.remember(state, md5)
        return md5

    def remember(self, state: os.stat_result, md5: str) -> None:
        """Store the MD5 of a file."""
        with self._lock:
            self._known[_identity(state)] = md5
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]


def _is_bucket_name(name: str) -> bool:
    try:
        split_url(f"s3://{name}")
    except RequestFault:
        return False
    return True


def _identity(state: os.stat_result) -> tuple[int, ...]:
    # the change time detects changes whose modification time was reset
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _is_in_the_way(path: Path) -> bool:
    """Return whether a path exists and is not a folder; one system call, because folders may appear or vanish."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True


@contextmanager
def reported() -> Iterator[None]:
    """Raise errors of the operating system as errors of S3 that name no path."""
    try:
        yield
    except (OSError, OutputError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        if number in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise S3ApiError("AccessDenied", "The server has no permission to read or write there") from error
        if number in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
            raise S3ApiError("InvalidRequest", "A folder cannot be an object as well here") from error
        if number is None:
            raise S3ApiError("InvalidRequest", "There is a device or a pipe, which cannot be an object") from error
        reason = os.strerror(number).lower()
        raise S3ApiError("InternalError", f"The server could not read or write the object ({reason})") from error


def _remove_empty(folder: Path, bucket: Path) -> None:
    """Remove a folder and its parents below the bucket while they are empty, because S3 has no folders."""
    with suppress(OSError):
        while folder != bucket:
            folder.rmdir()
            folder = folder.parent
