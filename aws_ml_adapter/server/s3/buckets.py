"""The buckets of a folder and what S3 does with them: find, list, put in place, delete."""

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
"""Raises `S3ApiError` where what is there, if anything, is not to be replaced or deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object that is there: a file, or an empty folder if its key ends in ``/``."""

    path: Path
    size: int
    modified: float
    """Seconds since 1970."""
    etag: str
    """MD5 of the content, in double quotes."""
    identity: tuple[int, ...]
    """Differs from that of a file that replaced it."""


class Buckets:
    """A folder that holds one folder a bucket; what links lead out of it is not there.

    What is still coming stands beside the buckets, in a folder that no bucket can be named like and whose ``name``, of
    16 hexadecimal digits, is another for each server with the same root, and is renamed into place when it is whole.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._root = root.resolve()
        self.state = self._root / f".s3-{name}"
        self._digests = _Digests()
        # empty folders are removed and new ones made in turn
        self._lock = threading.Lock()

    # --- buckets

    def names(self) -> list[tuple[str, float]]:
        """List the buckets and when their folders were changed last."""
        with reported():
            found = sorted((entry.name, entry.stat().st_mtime) for entry in self._root.iterdir() if entry.is_dir())
        return [(name, changed) for name, changed in found if self._is_bucket(name)]

    def check(self, bucket: str) -> Path:
        """Give the folder of a bucket; raises `S3ApiError` if there is none."""
        if not self._is_bucket(bucket):
            raise S3ApiError("NoSuchBucket", "The specified bucket does not exist")
        return self._root / bucket

    def make(self, bucket: str) -> bool:
        """Make a bucket; False if it is there already."""
        if not _is_bucket_name(bucket):
            raise S3ApiError("InvalidBucketName", "The specified bucket is not valid.")
        with reported():
            try:
                (self._root / bucket).mkdir()
            except FileExistsError:
                return False
        return True

    def remove(self, bucket: str) -> None:
        """Remove a bucket that is empty."""
        with self._lock, reported():
            try:
                self.check(bucket).rmdir()
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                raise S3ApiError("BucketNotEmpty", "The bucket you tried to delete is not empty") from error

    # --- objects

    def find(self, bucket: str, key: str) -> Found:
        """Find an object; raises `S3ApiError` if there is none."""
        if (found := self._seek(bucket, key)) is None:
            raise S3ApiError("NoSuchKey", "The specified key does not exist.")
        return found

    def _seek(self, bucket: str, key: str) -> Found | None:
        self.check(bucket)
        try:
            path = self._path(bucket, key)
        # no such object can be there
        except S3ApiError:
            return None
        with reported():
            is_there = self._is_inside(path) and (path.is_dir() if key.endswith("/") else path.is_file())
            return self.describe(path) if is_there else None

    def open(self, bucket: str, key: str) -> tuple[Found, BinaryIO]:
        """Open an object to read, as it is described."""
        while True:
            found = self.find(bucket, key)
            if key.endswith("/"):
                return found, BytesIO()
            with reported():
                stream = found.path.open("rb")
            # else it was replaced meanwhile
            if _identity(os.fstat(stream.fileno())) == found.identity:
                return found, stream
            stream.close()

    def describe(self, path: Path) -> Found:
        """Describe the object of a file or an empty folder; raises `OSError` if it is gone."""
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
        """Give the path where an object is to stand; raises `S3ApiError` where it cannot."""
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
    def coming(self) -> Iterator[Path]:
        """Give a file for an object that is coming; it is removed unless it was put in place."""
        with reported():
            self.state.mkdir(mode=0o700, exist_ok=True)
            with NamedTemporaryFile(dir=self.state, prefix="coming-", delete=False) as file:
                path = Path(file.name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def put(self, bucket: str, key: str, came: Path, md5: str, check: Check | None = None) -> Found:
        """Put a file that has come in the place of an object, if what stands there passes a check."""
        with self._lock, reported():
            path = self.place(bucket, key)
            if check is not None:
                check(self._seek(bucket, key))
            if key.endswith("/"):
                if came.stat().st_size:
                    raise S3ApiError("InvalidRequest", "A key that ends in / is a folder here, and has no content")
                path.mkdir(parents=True, exist_ok=True)
                return self.describe(path)
            with write_in_place(path) as aside:
                try:
                    came.replace(aside)
                except OSError as error:
                    # the bucket may be a file system of its own
                    if error.errno != errno.EXDEV:
                        raise
                    shutil.copyfile(came, aside)
            self._digests.remember(path.stat(), md5)
            return self.describe(path)

    def delete(self, bucket: str, key: str, check: Check | None = None) -> None:
        """Delete an object, if there is one and it passes a check, and the folders that it leaves empty."""
        folder = self.check(bucket)
        path: Path | None
        try:
            path = self._path(bucket, key)
        # no such object can be there
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
        """List a page of a bucket's objects, as `list_objects`."""
        folder = self.check(bucket)
        with reported():
            return list_objects(
                folder, is_listed=self._is_listed, prefix=prefix, delimiter=delimiter, after=after, limit=limit
            )

    def remove_unfinished(self) -> None:
        """Remove what an earlier server, which was killed, left of objects that were coming."""
        for path in self.state.glob("coming-*"):
            with suppress(OSError):
                path.unlink()

    def _path(self, bucket: str, key: str) -> Path:
        try:
            split_url(f"s3://{bucket}/{key}")
        except RequestFault as error:
            code = "KeyTooLongError" if len(key.encode("utf-8", "replace")) > 1_024 else "InvalidRequest"
            raise S3ApiError(code, f"This server cannot store the key: {error.what}") from error
        if UNFINISHED.fullmatch(key.rpartition("/")[2]):
            raise S3ApiError("InvalidRequest", "Keys like this are those of files that are still being written")
        return self._root.joinpath(bucket, *key.split("/"))

    def _is_bucket(self, name: str) -> bool:
        path = self._root / name
        return _is_bucket_name(name) and path.is_dir() and self._is_inside(path)

    def _is_listed(self, entry: os.DirEntry[str]) -> bool:
        if UNUSABLE.search(entry.name) or UNFINISHED.fullmatch(entry.name):
            return False
        try:
            return (entry.is_file() or entry.is_dir()) and (not entry.is_symlink() or self._is_inside(Path(entry.path)))
        # a link in circles, or to where this server may not look
        except OSError:
            return False

    def _is_inside(self, path: Path) -> bool:
        """Return whether a path leads into a bucket, not to the folder of them all or to what is a server's own."""
        try:
            place = path.resolve().relative_to(self._root)
        except (OSError, RuntimeError, ValueError):
            return False
        return bool(place.parts) and not place.parts[0].startswith(".") and (self._root / place.parts[0]).is_dir()


_md5 = partial(hashlib.md5, usedforsecurity=False)
_EMPTY_MD5 = _md5().hexdigest()


class _Digests:
    """MD5 of files, remembered as long as they stay as they are: as many as a limit, the latest ones.

    Files may be put into the folder by hand as well, so no note beside them would hold.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}
        self._lock = threading.Lock()

    def of(self, path: Path, state: os.stat_result) -> str:
        """Give the MD5 of a file, in hexadecimal digits."""
        if (md5 := self._known.get(_identity(state))) is None:
            with path.open("rb") as stream:
                md5 = hashlib.file_digest(stream, _md5).hexdigest()
            self.remember(state, md5)
        return md5

    def remember(self, state: os.stat_result, md5: str) -> None:
        """Note the MD5 of a file."""
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
    # the last of them cannot be set, as by who restores times
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _is_in_the_way(path: Path) -> bool:
    """Return whether something stands where a folder would have to; in one look, for folders come and go."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True


@contextmanager
def reported() -> Iterator[None]:
    """Raise what the system refuses as an error of S3, without naming a path."""
    try:
        yield
    except (OSError, OutputError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        if number in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise S3ApiError("AccessDenied", "The server may not read or write there") from error
        if number in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
            raise S3ApiError("InvalidRequest", "A folder cannot be an object as well here") from error
        if number is None:
            raise S3ApiError("InvalidRequest", "A device or a pipe stands there, which cannot be an object") from error
        reason = os.strerror(number).lower()
        raise S3ApiError("InternalError", f"The server could not read or write the object ({reason})") from error


def _remove_empty(folder: Path, bucket: Path) -> None:
    """Remove a folder and those above it up to the bucket as far as they are empty: S3 knows no folders."""
    with suppress(OSError):
        while folder != bucket:
            folder.rmdir()
            folder = folder.parent
