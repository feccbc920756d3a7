"""A batch of pages as arrays of characters, from which words, n-grams and measures are taken without a Python loop."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLANK", "CAPITAL", "DIGIT", "LETTER", "PUNCTUATION", "WORD", "Pages", "fold_character", "read_pages"]

BLANK, LETTER, DIGIT, CAPITAL, PUNCTUATION = 1, 2, 4, 8, 16
"""Kinds of characters, one bit each; the first two are those of the folded character. LETTER stands for digits too."""
_MET = 128
_PUNCTUATION = re.compile(r"[^\w\s]")
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ]")
WORD = re.compile(r"[^\W_]+")

# one entry a character of Unicode, filled in when first met: memory that is not touched is none
_KINDS = np.zeros(0x110000, dtype=np.uint8)
_FOLDED = np.zeros(0x110000, dtype=np.uint32)
_SHAPES = np.zeros(0x110000, dtype=np.uint32)


class Pages(NamedTuple):
    """A batch of n texts, one behind the other, each between two line breaks.

    Parameters
    ----------
    texts : list of str
        The texts.
    starts : ndarray of int64, shape (n,)
        Where each begins.
    codes : ndarray of uint32, shape (m,)
        Code points.
    folded : ndarray of uint32, shape (m,)
        Code points without case and accents, as `features.tokens.fold`.
    kinds : ndarray of uint8, shape (m,)
        Kinds of the characters, `BLANK` and the others added up.
    """

    texts: list[str]
    starts: NDArray[np.int64]
    codes: NDArray[np.uint32]
    folded: NDArray[np.uint32]
    kinds: NDArray[np.uint8]

    def words(self) -> list[list[str]]:
        """Give the words of each text, as `features.tokens.tokenize`."""
        whole = self.folded.tobytes().decode("utf-32-le", "surrogatepass")
        return [
            WORD.findall(whole, start, start + len(text))
            for start, text in zip(self.starts.tolist(), self.texts, strict=True)
        ]

    def shapes(self) -> NDArray[np.uint32]:
        """Give letters for the kinds: u, l, d, p, b for upper, lower, digit, punctuation, blank; line breaks stay."""
        return _SHAPES[self.codes]


def read_pages(texts: Sequence[str]) -> Pages:
    """Look at texts character by character.

    Parameters
    ----------
    texts : sequence of str, length n
        Cleaned texts.

    Returns
    -------
    Pages
        All of them.

    Examples
    --------
    >>> read_pages(["Total 3", "È"]).words()
    [['total', '3'], ['e']]
    """
    whole = "\n".join(["", *texts, ""]) if texts else "\n"
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds = _KINDS[codes]
    if not kinds.all():
        for code in np.unique(codes[kinds == 0]).tolist():
            _meet(code)
        kinds = _KINDS[codes]
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    return Pages(list(texts), np.cumsum(lengths) - lengths + 1, codes, _FOLDED[codes], kinds)


def fold_character(char: str) -> str:
    """Take case and accent from a character; what would give several stays one, so that offsets stay."""
    base = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c)).lower()
    if len(base) == 1:
        return base
    return char.lower() if len(char.lower()) == 1 else char


def _meet(code: int) -> None:
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
    _FOLDED[code], _SHAPES[code] = ord(folded), ord(shape)
    # last, as another thread takes it for a sign that the rest is there
    _KINDS[code] = (
        _MET
        | BLANK * folded.isspace()
        | LETTER * folded.isalnum()
        | DIGIT * char.isdecimal()
        | CAPITAL * bool(_CAPITAL.match(char))
        | PUNCTUATION * bool(_PUNCTUATION.match(char))
    )
