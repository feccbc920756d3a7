"""The tokeniser, on whose words all features of a prediction are built."""

from __future__ import annotations

import re

from features.characters import fold_character

WORD = re.compile(r"[^\W_]+")


class _Folding(dict[int, int]):
    """Character to folded character, filled in on first use, because a table of all Unicode would be larger."""

    def __missing__(self, code: int) -> int:
        self[code] = folded = ord(fold_character(chr(code)))
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Remove case and accents, one character for one, so that offsets stay valid; text should be composed (NFC)."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def tokenize(text: str) -> list[str]:
    """Split a cleaned text into words, runs of letters and digits, folded (lower case, no accents)."""
    return WORD.findall(fold(text))
