"""Atomic writes, and the errors for files that cannot be read or written."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from textclf.base.errors import BadDataError, BadInputError, OutputError

OTHER_PLACE = "choose another place with -o"
_MOST_SETTINGS = 1_000_000
_LEFT_OVER = 24 * 60 * 60
"""Seconds after which nobody is writing to a temporary file any more."""


@contextmanager
def write_aside(path: str | Path, *, private: bool = False) -> Iterator[Path]:
    """Give a temporary path beside a path, and rename it into place if the block succeeds; missing folders are made.

    Only the owner can read the file while it is written, and afterwards, too, if it is to be private.
    """
    path = Path(path)
    aside: Path | None = None
    try:
        refuse_unwritable(path)
        path = Path(os.path.realpath(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        # named before it is made, so that it is removed whenever Ctrl-C comes
        aside = path.with_name(f".{path.name[:40]}.{os.urandom(4).hex()}.part")
        aside.touch(0o600, exist_ok=False)
        yield aside
        umask = os.umask(0)
        os.umask(umask)
        aside.chmod(0o600 if private else 0o666 & ~umask)
        aside.replace(path)
        aside = None
    except OSError as error:
        raise output_error(error, path) from error
    finally:
        if aside is not None:
            aside.unlink(missing_ok=True)


def remove_left_over(path: str | Path) -> None:
    """Remove temporary files of `write_aside` for a path that were left by processes that were killed."""
    path = Path(os.path.realpath(path))
    with suppress(OSError):
        for aside in path.parent.glob(f".{escape(path.name[:40])}.{'[0-9a-f]' * 8}.part"):
            if time.time() - aside.stat().st_mtime > _LEFT_OVER:
                aside.unlink()


def refuse_unwritable(path: str | Path, remedy: str = OTHER_PLACE) -> None:
    """Raise `OutputError` if a file cannot be written to a place, as far as can be known without writing."""
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise OutputError("is a folder, not a file", where=path, remedy="give a file name")
        # renaming a file onto /dev/null as root would replace the device
        if not stat.S_ISREG(mode):
            raise OutputError("is a device or a pipe, not a file", where=path, remedy="give a file name")
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise output_error(error, path, remedy) from error
    folder = Path(os.path.realpath(path)).parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise output_error(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), path, remedy)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise output_error(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), path, remedy)


def refuse_unwritable_folder(folder: str | Path, remedy: str = OTHER_PLACE) -> None:
    """Raise `OutputError` if no file can be written to a folder, which may not exist yet."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError("is a file, not a folder", where=folder, remedy="give a folder")
    refuse_unwritable(folder / "any", remedy)


def read_small(path: Path, remedy: str) -> str:
    """Read a text of settings or secrets, UTF-8 of a megabyte at most; pipes and devices are never waited for."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInputError("is not a regular file", where=path, remedy=remedy)
        with path.open("rb") as file:
            content = file.read(_MOST_SETTINGS + 1)
    except OSError as error:
        raise input_error(error, path, remedy) from error
    if len(content) > _MOST_SETTINGS:
        raise BadInputError("is larger than 1 MB", where=path, remedy=remedy)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadDataError("is not UTF-8", where=path, remedy=remedy) from error


def input_error(error: OSError, path: str | Path, remedy: str | None = None) -> BadInputError:
    """Make the error for a path that could not be read."""
    return BadInputError(f"cannot be read ({reason_of(error)})", where=path, remedy=remedy)


def output_error(error: OSError | ValueError, path: str | Path, remedy: str = OTHER_PLACE) -> OutputError:
    """Make the error for a path that could not be written."""
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return OutputError(
        f"cannot be written ({reason_of(error)})",
        where=path,
        remedy="free some space and run the command again" if full else remedy,
    )


def reason_of(error: OSError | ValueError) -> str:
    """Give the system's reason for an error, in lower case."""
    return (getattr(error, "strerror", "") or str(error)).lower()
