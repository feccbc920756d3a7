"""Types of columns: times in UTC, text without characters that a database refuses, file paths, word boxes."""

from __future__ import annotations

import json
import os
import re
import zlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

from ocr.document import Word

_REFUSED = re.compile("[\0\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone, kept in UTC; SQLite has no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value} has no zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Mark as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Text; NUL and lone surrogates, which PostgreSQL refuses, become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be kept."""
        return None if value is None else _REFUSED.sub("\ufffd", value)


class FilePath(TypeDecorator[str]):
    r"""A path of any bytes: backslashes are doubled, and bytes that are no UTF-8 are written ``\xNN``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Escape."""
        if value is None:
            return None
        return os.fsencode(value).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Give the path as the system has it."""
        if value is None:
            return None

        def plain(found: re.Match[str]) -> str:
            return chr(0xDC00 + int(found[1], 16)) if found[1] else "\\"

        return _ESCAPED.sub(plain, value)


class WordBoxes(TypeDecorator[tuple[Word, ...]]):
    """The words of a page with their boxes, as compressed JSON."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: tuple[Word, ...] | None, dialect: Dialect) -> bytes | None:
        """Compress."""
        rows: list[Any] = [[word.text, round(word.confidence, 1), *word.box, word.line] for word in value or ()]
        return zlib.compress(json.dumps(rows, separators=(",", ":")).encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> tuple[Word, ...]:
        """Decompress."""
        rows = json.loads(zlib.decompress(value)) if value else []
        return tuple(
            Word(text=text, confidence=confidence, box=(left, top, right, bottom), line=line)
            for text, confidence, left, top, right, bottom, line in rows
        )
