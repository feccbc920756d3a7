"""Names of filed documents: safe on every file system, by a pattern, and numbered where they are taken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import NamedTuple

from textclf.base.errors import UsageError

PATTERN = "{category}/{name}"
FIELDS = ("category", "date", "id", "name", "score", "sha")
"""What a pattern may hold."""
_LONGEST = 180
"""Bytes of a name without its number and suffix; file systems allow 255."""
_DEEPEST = 8
_UNSAFE = re.compile(r'[/\\:*?"<>|]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
"""Names of devices on Windows, from which a share may be opened."""
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


class NameParts(NamedTuple):
    """What the fields of a pattern stand for."""

    category: str
    name: str
    id: int
    sha256: str
    score: float
    modified: datetime


def check_pattern(pattern: str) -> None:
    """Check the pattern of the names of files.

    Raises
    ------
    textclf.base.errors.UsageError
        If it cannot name a file within the folder.
    """
    known = f"use {', '.join(f'{{{field}}}' for field in FIELDS)}, with / between folders"
    try:
        fields = [(field, spec, conversion) for _, field, spec, conversion in Formatter().parse(pattern)]
    except ValueError as error:
        raise UsageError(f"{pattern!r} is no pattern ({error})", where="name", remedy=known) from error
    for field, spec, conversion in fields:
        if field is not None and (field not in FIELDS or conversion or (spec and not _is_date(field, spec))):
            shown = f"{field}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}"
            raise UsageError(f"{{{shown}}} means nothing in {pattern!r}", where="name", remedy=known)
    if not {field for field, _, _ in fields} & {"name", "id", "sha"}:
        raise UsageError(f"{pattern!r} would give all files one name", where="name", remedy=known)
    parts = pattern.split("/")
    if pattern.startswith("/") or "" in parts or {".", ".."} & {*parts} or len(parts) > _DEEPEST:
        raise UsageError(f"{pattern!r} leads out of the folder, or too deep", where="name", remedy=known)


def _is_date(field: str, spec: str) -> bool:
    """Return whether a field with its specification is a part of a date."""
    try:
        format(_Date(datetime.fromtimestamp(0, UTC)), spec)
    except ValueError:
        return False
    return field == "date" and "{" not in spec


def local_time(nanoseconds: int) -> datetime | None:
    """Give the time of a file in the time zone of this computer; None if no calendar has it.

    Examples
    --------
    >>> local_time(10**18).year, local_time(10**21)
    (2001, None)
    """
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def has_date(pattern: str) -> bool:
    """Return whether a pattern that was checked holds a date."""
    return any(field == "date" for _, field, _, _ in Formatter().parse(pattern))


def relative_path(pattern: str, parts: NameParts, suffix: str) -> PurePosixPath:
    """Give the path of a document below the folder of filed documents, always within it.

    Examples
    --------
    >>> parts = NameParts("tax/return", "../Scan: 1", 7, "0" * 64, 0.973, datetime(2026, 11, 30))
    >>> str(relative_path("{category}/{date:%Y}/{date}-{name}-{score}", parts, ".PDF"))
    'tax-return/2026/2026-11-30-Scan- 1-97.pdf'
    """
    values = {
        "category": safe_name(parts.category),
        "name": safe_name(parts.name),
        "id": str(parts.id),
        "sha": parts.sha256[:12],
        "score": f"{parts.score * 100:.0f}",
        "date": _Date(parts.modified),
    }
    *folders, name = (safe_name(part) for part in pattern.format(**values).split("/") if part)
    return PurePosixPath(*folders, f"{name}{safe_suffix(suffix)}")


class _Date:
    """A date that is written as ISO 8601 has it, unless a pattern says otherwise."""

    def __init__(self, value: datetime) -> None:
        self.value = value

    def __format__(self, spec: str) -> str:
        # the C library of Linux writes the year 68 as 68
        whole = {"%Y": f"{self.value.year:04}", "%F": self.value.date().isoformat()}
        spec = re.sub("%.", lambda found: whole.get(found[0], found[0]), spec or "%F")
        return self.value.strftime(spec)


def safe_name(name: str) -> str:
    r"""Give a name that every file system takes, that is no path, and is neither hidden nor one of our own folders.

    Examples
    --------
    >>> safe_name("../.git"), safe_name("_review"), safe_name("con.txt"), safe_name("..."), safe_name("a\x00b. ")
    ('git', 'review', 'con-.txt', 'document', 'ab')
    """
    name = unicodedata.normalize("NFC", _UNSAFE.sub("-", name))
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C" and unicodedata.category(c) not in ("Zl", "Zp"))
    name = name.lstrip(" .-_~").rstrip(" .")
    name = name.encode()[:_LONGEST].decode(errors="ignore").rstrip(" .")
    return _RESERVED.sub(r"\1-\2", name) or "document"


def safe_suffix(suffix: str) -> str:
    """Give the suffix of a file in lower case, or none if it is unusual."""
    return suffix.lower() if _SUFFIX.fullmatch(suffix) else ""


def numbered(path: Path) -> Iterator[Path]:
    """Yield a path, and then paths with numbers from 2.

    Examples
    --------
    >>> names = numbered(Path("a.b.pdf"))
    >>> str(next(names)), str(next(names)), str(next(names))
    ('a.b.pdf', 'a.b-2.pdf', 'a.b-3.pdf')
    """
    yield path
    suffix = path.suffix if safe_suffix(path.suffix) else ""
    for number in count(2):
        yield path.with_name(f"{path.name.removesuffix(suffix)}-{number}{suffix}")
