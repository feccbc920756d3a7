"""What is known of each character: how it is folded, and what kind it is."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

SPACE, LETTER, DIGIT, CAPITAL, PUNCTUATION, BLANK = 1, 2, 4, 8, 16, 32
"""Kinds of characters, one bit each, as in ``core/core.h``; SPACE and LETTER, with digits, are of the folded one."""
_KNOWN = 128
_PUNCTUATION = re.compile(r"[^\w\s]")
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ]")

CHARACTERS = np.zeros(0x110000, dtype=[("folded", "u4"), ("kinds", "u1"), ("shape", "u1"), ("unused", "u2")])
"""An entry per Unicode character, filled in when it first occurs; untouched pages of memory are not allocated."""


def fold_character(char: str) -> str:
    """Remove case and accent from a character; one that would become several is only lowered, to keep offsets."""
    base = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c)).lower()
    if len(base) == 1:
        return base
    return char.lower() if len(char.lower()) == 1 else char


def add_character(code: int) -> None:
    """Fill in the entry of a character."""
    char = chr(code)
    folded = fold_character(char)
    if char == "\n":
        shape = "\n"
    elif char.isspace():
        shape = "b"
    elif char.isdecimal():
        shape = "d"
    elif char.isalpha():
        shape = "u" if char.isupper() else "l"
    else:
        shape = "p"
    kinds = (
        _KNOWN
        | SPACE * folded.isspace()
        | LETTER * folded.isalnum()
        | DIGIT * char.isdecimal()
        | CAPITAL * bool(_CAPITAL.match(char))
        | PUNCTUATION * bool(_PUNCTUATION.match(char))
        | BLANK * char.isspace()
    )
    # the core looks for entries that are missing under the interpreter's lock, so no thread sees half of one
    CHARACTERS[code] = (ord(folded), kinds, ord(shape), 0)
