"""A batch of pages as arrays of characters, from which words, n-grams and measures are taken without a Python loop."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLANK, LETTER, DIGIT, CAPITAL, PUNCTUATION = 1, 2, 4, 8, 16
"""Kinds of characters, one bit each; the first two are those of the folded character. LETTER stands for digits too."""
BATCH = 32
"""Texts of a batch: the windows of n-grams stay in the processor's cache; seen fastest between 16 and 64."""
BATCH_CHARACTERS = 250_000
"""Counting n-grams takes about 140 bytes a character: long texts are counted one by one."""
_MET = 128
_PUNCTUATION = re.compile(r"[^\w\s]")
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ]")
WORD = re.compile(r"[^\W_]+")

# one entry a character of Unicode, filled in when first met: memory that is not touched is none
_KINDS = np.zeros(0x110000, dtype=np.uint8)
_FOLDED = np.zeros(0x110000, dtype=np.uint32)
_SHAPES = np.zeros(0x110000, dtype=np.uint32)


class Pieces(NamedTuple):
    """A batch of texts with one character for each run of white space, and the pieces between."""

    # code points; white space is one blank, or one line break if it holds one; the first and the last character are
    codes: NDArray[np.uint32]
    # where each stands in `TextBatch.codes`; of white space, where it begins
    places: NDArray[np.int64]
    # which are white space
    blank: NDArray[np.bool_]
    # positions of the white space: piece i of p stands between gap i and gap i + 1
    gaps: NDArray[np.int64]
    # number of the text that each piece is of
    owners: NDArray[np.int64]
    # number of the piece that each character is of; of white space that of the next, at the end that of the last
    numbers: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TextBatch:
    """A batch of n texts, one behind the other, each between two line breaks."""

    texts: list[str]
    # where each begins
    starts: NDArray[np.int64]
    # code points, as they are and without case and accents
    codes: NDArray[np.uint32]
    folded: NDArray[np.uint32]
    # kinds of the characters, `BLANK` and the others added up
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
        """The folded text, white space squeezed."""
        blank = (self.kinds & BLANK) > 0
        pieces = self._squeeze(self.folded, blank, ~blank)
        broken = np.zeros(len(pieces.gaps), dtype=np.bool_)
        breaks = np.flatnonzero(self.codes == ord("\n"))
        broken[pieces.places[pieces.gaps].searchsorted(breaks, side="right") - 1] = True
        pieces.codes[pieces.gaps] = np.where(broken, ord("\n"), ord(" "))
        return pieces

    def lines_of_shapes(self) -> Pieces:
        """Give `shapes` line by line: only line breaks are white space. Runs of one letter are cut to two."""
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
    """Look at cleaned texts character by character."""
    whole = "\n".join(["", *texts, ""]) if texts else "\n"
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds = _KINDS[codes]
    if not kinds.all():
        for code in np.unique(codes[kinds == 0]).tolist():
            _meet(code)
        kinds = _KINDS[codes]
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    return TextBatch(list(texts), np.cumsum(lengths) - lengths + 1, codes, _FOLDED[codes], kinds)


def read_batches(texts: Iterable[str]) -> Iterator[TextBatch]:
    """Read batches of at most `BATCH` texts and, unless one text alone is longer, `BATCH_CHARACTERS`."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if len(batch) == BATCH or (batch and size + len(text) > BATCH_CHARACTERS):
            yield read_batch(batch)
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield read_batch(batch)


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
