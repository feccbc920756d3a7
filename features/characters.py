"""A batch of pages as arrays of characters, from which words, n-grams and measures are taken without a Python loop."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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


class Pieces(NamedTuple):
    """A batch of texts with one character for each run of white space, and the pieces between.

    Parameters
    ----------
    codes : ndarray of uint32, shape (m,)
        Code points. White space is one blank, or one line break if it holds one; the first and the last character are.
    places : ndarray of int64, shape (m,)
        Where each stands in `TextBatch.codes`; of white space, where it begins.
    blank : ndarray of bool, shape (m,)
        Which are white space.
    gaps : ndarray of int64, shape (p + 1,)
        Positions of the white space: piece i stands between gap i and gap i + 1.
    owners : ndarray of int64, shape (p,)
        Number of the text that each piece is of.
    numbers : ndarray of int64, shape (m,)
        Number of the piece that each character is of; of white space that of the next, at the end that of the last.
    """

    codes: NDArray[np.uint32]
    places: NDArray[np.int64]
    blank: NDArray[np.bool_]
    gaps: NDArray[np.int64]
    owners: NDArray[np.int64]
    numbers: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TextBatch:
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
        # with blanks for all else, splitting takes a third of the time that matching takes
        words = np.where((self.kinds & LETTER) > 0, self.folded, np.uint32(ord(" ")))
        whole = words.tobytes().decode("utf-32-le", "surrogatepass")
        return [
            whole[start : start + len(text)].split()
            for start, text in zip(self.starts.tolist(), self.texts, strict=True)
        ]

    def shapes(self) -> NDArray[np.uint32]:
        """Give letters for the kinds: u, l, d, p, b for upper, lower, digit, punctuation, blank; line breaks stay."""
        return _SHAPES[self.codes]

    @cached_property
    def pieces(self) -> Pieces:
        r"""The folded text, white space squeezed.

        Examples
        --------
        >>> "".join(map(chr, read_batch(["Total  due \n Rome"]).pieces.codes.tolist()))
        '\ntotal due\nrome\n'
        """
        blank = (self.kinds & BLANK) > 0
        pieces = self._squeeze(self.folded, blank, ~blank)
        broken = np.zeros(len(pieces.gaps), dtype=np.bool_)
        breaks = np.flatnonzero(self.codes == ord("\n"))
        broken[pieces.places[pieces.gaps].searchsorted(breaks, side="right") - 1] = True
        pieces.codes[pieces.gaps] = np.where(broken, ord("\n"), ord(" "))
        return pieces

    def lines_of_shapes(self) -> Pieces:
        r"""Give `shapes` line by line: only line breaks are white space. Runs of one letter are cut to two.

        Examples
        --------
        >>> "".join(map(chr, read_batch(["Total: 1,000"]).lines_of_shapes().codes.tolist()))
        '\nullpbdpdd\n'
        """
        shapes = self.shapes()
        breaks = shapes == ord("\n")
        kept = ~breaks
        kept[2:] &= (shapes[2:] != shapes[1:-1]) | (shapes[2:] != shapes[:-2])
        return self._squeeze(shapes, breaks, kept)

    def _squeeze(self, codes: NDArray[np.uint32], blank: NDArray[np.bool_], kept: NDArray[np.bool_]) -> Pieces:
        """Keep some characters, and the first of each run of blank ones."""
        first = blank.copy()
        first[1:] &= ~blank[:-1]
        places = np.flatnonzero(kept | first)
        blank = blank[places]
        gaps = np.flatnonzero(blank)
        owners = self.starts.searchsorted(places[gaps[:-1] + 1], side="right") - 1
        sizes = gaps[1:] - gaps[:-1]
        sizes[-1:] += 1
        numbers = np.arange(len(sizes)).repeat(sizes)
        return Pieces(codes[places], places, blank, gaps, owners, numbers)


def read_batch(texts: Sequence[str]) -> TextBatch:
    """Look at texts character by character.

    Parameters
    ----------
    texts : sequence of str, length n
        Cleaned texts.

    Returns
    -------
    TextBatch
        All of them.

    Examples
    --------
    >>> read_batch(["Total 3", "È"]).words()
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
    return TextBatch(list(texts), np.cumsum(lengths) - lengths + 1, codes, _FOLDED[codes], kinds)


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
