"""Writing files so that nobody ever sees half of one.

This module imports nothing of the project but its errors, so that every package can write this way.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textclf.base.errors import BadInputError, OutputError


@contextmanager
def write_aside(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to, and rename it into place at the end.

    Parameters
    ----------
    path : str or pathlib.Path
        Where the finished file shall stand; a link is followed. Its folder is made if it is missing.

    Yields
    ------
    pathlib.Path
        An empty file in the same folder. If the block raises, it is removed and ``path`` stays as it was.

    Raises
    ------
    textclf.base.errors.OutputError
        If the file cannot be written: no permission, disk full, a folder or a device in the way.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "out" / "a.txt"
    >>> with write_aside(target) as aside:
    ...     _ = aside.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path = Path(path)
    aside: Path | None = None
    try:
        refuse_unwritable(path)
        path = Path(os.path.realpath(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        # named before it is made, so that Ctrl-C at any moment finds what to remove
        aside = path.with_name(f".{path.name[:40]}.{os.urandom(4).hex()}.part")
        aside.touch(0o600, exist_ok=False)
        yield aside
        # private until it is whole; a result is as readable as the user's umask says
        umask = os.umask(0)
        os.umask(umask)
        aside.chmod(0o666 & ~umask)
        aside.replace(path)
        aside = None
    except OSError as error:
        raise output_error(error, path) from error
    finally:
        if aside is not None:
            aside.unlink(missing_ok=True)


def refuse_unwritable(path: str | Path) -> None:
    """Refuse a place where no file can be written, as far as that shows without writing.

    Parameters
    ----------
    path : str or pathlib.Path
        Where a file shall stand.

    Raises
    ------
    textclf.base.errors.OutputError
        It is a folder, a device or a pipe, or a link in a circle; or its folder cannot be made or written to.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise OutputError("is a folder, not a file", where=path, remedy="give a file name")
        # renaming onto /dev/null as root would take it away from the whole system
        if not stat.S_ISREG(mode):
            raise OutputError("is a device or a pipe, not a file", where=path, remedy="give a file name")
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise output_error(error, path) from error
    folder = Path(os.path.realpath(path)).parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise output_error(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), path)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise output_error(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), path)


def refuse_unwritable_folder(folder: str | Path) -> None:
    """Refuse a folder to which no file can be written, as far as that shows without writing.

    Parameters
    ----------
    folder : str or pathlib.Path
        It need not be there, nor those above it.

    Raises
    ------
    textclf.base.errors.OutputError
        It is a file; or it cannot be made or written to.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError("is a file, not a folder", where=folder, remedy="give a folder")
    refuse_unwritable(folder / "any")


def input_error(error: OSError, path: str | Path, remedy: str) -> BadInputError:
    """Say in one line why ``path`` could not be read, and what to do."""
    return BadInputError(f"cannot be read ({(error.strerror or str(error)).lower()})", where=path, remedy=remedy)


def output_error(error: OSError | ValueError, path: str | Path) -> OutputError:
    """Say in one line why ``path`` could not be written, and what to do."""
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return OutputError(
        f"cannot be written ({reason_of(error)})",
        where=path,
        remedy="free some space and run the command again" if full else "choose another place with -o",
    )


def reason_of(error: OSError | ValueError) -> str:
    """Give in small letters why the system refused something."""
    return (getattr(error, "strerror", "") or str(error)).lower()
