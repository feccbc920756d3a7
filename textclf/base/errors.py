"""The base class of the project's errors, and the exit codes of its commands; imports nothing of the project."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the commands."""

    OK = 0
    """Done."""
    INTERNAL = 1
    """A bug in this program: please report it."""
    USAGE = 2
    """Options exclude each other, or one of them is wrong."""
    BAD_INPUT = 3
    """A file cannot be read: missing, no permission, encrypted, damaged, too large."""
    BAD_DATA = 4
    """The content of a file is not usable: a missing column, one category only."""
    MISSING_PROGRAM = 5
    """Tesseract, one of its languages, a package of an extra or the compiled core is not installed."""
    BAD_MODEL = 6
    """A model file is damaged, changed, of another kind or of a newer format."""
    OUTPUT = 7
    """The result cannot be written: disk full, no permission."""
    SOME_FAILED = 8
    """With ``--strict``: the batch ended, but not every document could be read or predicted."""
    SERVICE = 9
    """Amazon ML, S3, paperless-ngx, a database server or a broker refused a request or cannot be reached."""
    HUNG_UP = 129
    """Ended by SIGHUP, as when the terminal is closed; cleans up like Ctrl-C."""
    INTERRUPTED = 130
    """Ended by Ctrl-C; pages that were read stay in the cache."""
    CLOSED_PIPE = 141
    """The reader of the output closed it, as ``| head`` does."""
    TERMINATED = 143
    """Ended by SIGTERM, as by ``kill`` or a container that stops; cleans up like Ctrl-C."""


def how_to_install(extra: str) -> str:
    """Say how the packages of an extra are installed.

    Examples
    --------
    >>> how_to_install("desk")
    "in the checkout run: pip install '.[desk]'"
    """
    return f"in the checkout run: pip install '.[{extra}]'"


class TextclfError(Exception):
    """Base of all errors that a user is meant to see: what is wrong, where, and how to fix it.

    Parameters
    ----------
    what : str
        What went wrong, as one clause without a full stop.
    where : str or pathlib.Path, optional
        The file, row or option concerned.
    remedy : str, optional
        What to do about it, as one clause.

    Examples
    --------
    >>> from textclf.base.errors import BadDataError
    >>> print(BadDataError("no column 'text'", where="a.csv", remedy="name one with --text-column"))
    a.csv: no column 'text'; name one with --text-column
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, what: str, *, where: str | Path | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.remedy = remedy

    def __str__(self) -> str:
        place = "" if self.where is None else f"{self.where}: "
        fix = "" if self.remedy is None else f"; {self.remedy}"
        return " ".join(f"{place}{self.what}{fix}".split())

    def __reduce__(self) -> tuple[object, ...]:
        # keyword-only arguments do not survive the default pickling between worker processes
        return _rebuild, (type(self), self.what, self.where, self.remedy)


def _rebuild(kind: type[TextclfError], what: str, where: str | None, remedy: str | None) -> TextclfError:
    return kind(what, where=where, remedy=remedy)


class UsageError(TextclfError, ValueError):
    """Options that exclude each other, or a wrong one."""

    code = "usage"
    exit_code = ExitCode.USAGE


class BadInputError(TextclfError):
    """A file that cannot be read."""

    code = "bad-input"
    exit_code = ExitCode.BAD_INPUT


class BadDataError(TextclfError, ValueError):
    """A file, or values, whose content is not usable."""

    code = "bad-data"
    exit_code = ExitCode.BAD_DATA


class MissingProgramError(TextclfError):
    """Tesseract, one of its languages, an optional package or the compiled core is not installed."""

    code = "missing-program"
    exit_code = ExitCode.MISSING_PROGRAM


class BadModelError(TextclfError):
    """A model file that is damaged, changed, of another kind or of a newer format."""

    code = "bad-model"
    exit_code = ExitCode.BAD_MODEL


class OutputError(TextclfError):
    """A result that cannot be written."""

    code = "output"
    exit_code = ExitCode.OUTPUT


class SomeFailedError(TextclfError):
    """With ``--strict``: some documents failed."""

    code = "some-failed"
    exit_code = ExitCode.SOME_FAILED


class LostTaskError(TextclfError):
    """A task whose process died, or that was stopped because it hung."""

    code = "lost-task"
    exit_code = ExitCode.BAD_DATA


class PredictionError(TextclfError, ValueError):
    """One prediction that could not be made; ``__cause__`` keeps the reason."""

    code = "prediction"
    exit_code = ExitCode.BAD_DATA
