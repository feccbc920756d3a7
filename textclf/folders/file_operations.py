"""Moves, copies and links of one file that never replace another, and that a kill leaves whole or undone."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from textclf.base.hashing import hash_file

_CHUNK = 1 << 20
_AT_CWD = {"linux": -100, "darwin": -2}
_RENAMES = {"linux": ("renameat2", 1), "darwin": ("renameatx_np", 4)}
"""The call of each system that renames without replacing, and its flag for that."""
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class FileState(NamedTuple):
    """By which a file is known to be the same and unchanged."""

    device: int
    inode: int
    size: int
    modified: int


class ChangedError(Exception):
    """A file that is not as it was when it was read."""


def state_of(path: Path) -> FileState:
    """Look at a file; links are not followed.

    Raises
    ------
    OSError
        If it is not there, or may not be looked at.
    """
    found = path.lstat()
    return FileState(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def hash_of(path: Path) -> str:
    """Give the SHA-256 of a file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        return hash_file(file)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file, as one step where the file system can.

    Raises
    ------
    FileExistsError
        If the target is there already.
    OSError
        If the system refuses; the file then is where it was.
    """
    rename = _system_rename()
    if rename is not None and (number := rename(os.fsencode(source), os.fsencode(target))) not in _UNSUPPORTED:
        if number:
            raise OSError(number, os.strerror(number), os.fspath(source), None, os.fspath(target))
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # a file that another program makes between these two steps is replaced; this file system knows no better way
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target)) from error
        source.rename(target)
    else:
        _remove_or_undo(source, target)


@cache
def _system_rename() -> Callable[[bytes, bytes], int] | None:
    name, flag = _RENAMES.get(sys.platform, ("", 0))
    call = getattr(ctypes.CDLL(None, use_errno=True), name, None) if name else None
    if call is None:
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    here = _AT_CWD[sys.platform]

    def rename(source: bytes, target: bytes) -> int:
        return ctypes.get_errno() if call(here, source, here, target, flag) else 0

    return rename


def move(source: Path, target: Path, aside: Path, expected: FileState | None = None) -> None:
    """Move a file by renaming it, or to another file system by copying it aside, renaming and removing the source.

    Raises
    ------
    ChangedError
        If the source is not as it was expected, or was written to meanwhile.
    FileExistsError
        If the target is there already.
    OSError
        If the system refuses; in all cases the file is where it was.
    """
    if expected is not None and state_of(source) != expected:
        raise ChangedError
    try:
        rename_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    else:
        return
    before = expected or state_of(source)
    copy(source, target, aside, before)
    _remove_or_undo(source, target, before)


def _remove_or_undo(source: Path, target: Path, before: FileState | None = None) -> None:
    """Remove a source, and if that fails the target: better where it was than in two places."""
    try:
        if before is not None:
            remove_unchanged(source, hash_of(target), before)
        else:
            source.unlink()
    except (OSError, ChangedError):
        target.unlink()
        raise


def remove_unchanged(path: Path, sha256: str, expected: FileState) -> None:
    """Remove a file that nobody has changed.

    Raises
    ------
    ChangedError
        If its state or its content is not as expected.
    OSError
        If it cannot be removed.
    """
    if hash_of(path) != sha256 or state_of(path) != expected:
        raise ChangedError
    path.unlink()


def copy(source: Path, target: Path, aside: Path, expected: FileState | None = None) -> None:
    """Copy a file aside, with its times, and rename it to the target once it is on the disk.

    Raises
    ------
    ChangedError, FileExistsError, OSError
        As `move`.
    """
    before = expected or state_of(source)
    try:
        with source.open("rb") as read, aside.open("xb") as written:
            shutil.copyfileobj(read, written, _CHUNK)
            written.flush()
            os.fsync(written.fileno())
        shutil.copystat(source, aside)
        if state_of(source) != before or aside.stat().st_size != before.size:
            raise ChangedError
        rename_new(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(target.parent)


def link(source: Path, target: Path, expected: FileState) -> None:
    """Give a file a second name.

    Raises
    ------
    ChangedError, FileExistsError, OSError
        As `move`.
    """
    if state_of(source) != expected:
        raise ChangedError
    target.hardlink_to(source)


def cannot_link(error: OSError) -> bool:
    """Return whether an error says that two folders cannot share a file."""
    return error.errno in (errno.EXDEV, *_NO_LINKS)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # some network file systems know no such thing
        if error.errno not in (*_UNSUPPORTED, errno.EBADF):
            raise
    finally:
        os.close(descriptor)
