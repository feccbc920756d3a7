"""The log of each day in plain words, and the lock that keeps two runs apart."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ocr.file_search import printable
from textclf.base.errors import OutputError
from textclf.base.files import output_error

_REMEDY = "choose another folder with --into"


class DayLog:
    """A text file for each day; times are those of the clock on the wall."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self.folder = folder
        self._now = now

    def write(self, line: str) -> None:
        """Add a line.

        Raises
        ------
        textclf.base.errors.OutputError
            If it cannot be written.
        """
        at = self._now().astimezone()
        path = self.folder / f"{at:%Y-%m-%d}.log"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # one write, so that lines of two programs do not mix
            with path.open("ab", buffering=0) as file:
                file.write(f"{at:%H:%M:%S} {printable(line)}\n".encode())
        except OSError as error:
            raise output_error(error, path, _REMEDY) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; the system gives the lock up when this process ends, however it ends.

    Raises
    ------
    textclf.base.errors.OutputError
        If another run has it, or the folder cannot be written or locked.
    """
    path = folder / "lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise output_error(error, path, _REMEDY) from error
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                # of a share that knows no locks
                raise output_error(error, path, _REMEDY) from error
            process = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            raise OutputError(
                f"another run files into this folder{f' (process {process})' if process else ''}",
                where=folder.parent,
                remedy="wait until it has ended, or stop it",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
