"""Numbers with the singular or plural of a word."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """Give a number and what is counted; the plural is formed with an s unless it is given."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
