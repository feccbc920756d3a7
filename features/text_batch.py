"""Batches of texts as arrays of characters, from which words, n-grams and measures are taken without a Python loop."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SPACE, LETTER, DIGIT, CAPITAL, PUNCTUATION = 1, 2, 4, 8, 16
"""Kinds of characters, one bit each; LETTER includes digits. The first two describe the folded character."""
BATCH = 32
"""Texts of a batch, so that its n-grams fit the processor's cache; 16 to 64 were measured as fastest."""
BATCH_CHARACTERS = 250_000
"""Counting n-grams takes about 140 bytes per character: long texts are counted one by one."""
_KNOWN = 128
_PUNCTUATION = re.compile(r"[^\w\s]")
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ]")
WORD = re.compile(r"[^\W_]+")

# an entry per Unicode character, filled in when it first occurs; untouched pages of memory are not allocated
_KINDS = np.zeros(0x110000, dtype=np.uint8)
_FOLDED = np.zeros(0x110000, dtype=np.uint32)
_SHAPES = np.zeros(0x110000, dtype=np.uint32)


class Pieces(NamedTuple):
    """A batch of texts split at white space into pieces; each run of white space is one character."""

    # code points; white space is a line break if it contains one, else a space; the first and last are line breaks
    codes: NDArray[np.uint32]
    # position of each in `TextBatch.codes`, for white space that of its first character
    places: NDArray[np.int64]
    # whether each is white space
    is_space: NDArray[np.bool_]
    # positions of the white space here: piece i is between gaps i and i + 1
    gaps: NDArray[np.int64]
    # number of the text of each piece
    owners: NDArray[np.int64]
    # number of the piece of each character; white space belongs to the next piece, at the end to the last
    numbers: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TextBatch:
    """A batch of n texts, concatenated, with a line break before, between and after them."""

    texts: list[str]
    # where each text begins in `codes`
    starts: NDArray[np.int64]
    # code points, original and folded (without case and accents)
    codes: NDArray[np.uint32]
    folded: NDArray[np.uint32]
    # kinds of the characters: sums of `SPACE` and the others
    kinds: NDArray[np.uint8]

    def words(self) -> list[list[str]]:
        """Give the words of each text, equal to those of `features.tokens.tokenize`."""
        # replacing all else by spaces and splitting takes a third of the time of a regular expression
        words = np.where((self.kinds & LETTER) > 0, self.folded, np.uint32(ord(" ")))
        whole = words.tobytes().decode("utf-32-le", "surrogatepass")
        return [
            whole[start : start + len(text)].split()
            for start, text in zip(self.starts.tolist(), self.texts, strict=True)
        ]

    def shapes(self) -> NDArray[np.uint32]:
        """Give u, l, d, p or b for upper case, lower case, digit, punctuation or space; line breaks remain."""
        return _SHAPES[self.codes]

    @cached_property
    def pieces(self) -> Pieces:
        """The pieces of the folded text."""
        space = (self.kinds & SPACE) > 0
        pieces = self._squeeze(self.folded, space, ~space)
        broken = np.zeros(len(pieces.gaps), dtype=np.bool_)
        breaks = np.flatnonzero(self.codes == ord("\n"))
        broken[pieces.places[pieces.gaps].searchsorted(breaks, side="right") - 1] = True
        pieces.codes[pieces.gaps] = np.where(broken, ord("\n"), ord(" "))
        return pieces

    def lines_of_shapes(self) -> Pieces:
        """Give the `shapes` split at line breaks only; runs of one letter are cut to two."""
        shapes = self.shapes()
        breaks = shapes == ord("\n")
        kept = ~breaks
        kept[2:] &= (shapes[2:] != shapes[1:-1]) | (shapes[2:] != shapes[:-2])
        return self._squeeze(shapes, breaks, kept)

    def _squeeze(self, codes: NDArray[np.uint32], space: NDArray[np.bool_], kept: NDArray[np.bool_]) -> Pieces:
        """Keep some characters, and the first of each run of white space."""
        first = space.copy()
        first[1:] &= ~space[:-1]
        places = np.flatnonzero(kept | first)
        space = space[places]
        gaps = np.flatnonzero(space)
        owners = self.starts.searchsorted(places[gaps[:-1] + 1], side="right") - 1
        sizes = gaps[1:] - gaps[:-1]
        sizes[-1:] += 1
        numbers = np.arange(len(sizes)).repeat(sizes)
        return Pieces(codes[places], places, space, gaps, owners, numbers)


def read_batch(texts: Sequence[str]) -> TextBatch:
    """Make the batch of some cleaned texts."""
    whole = "\n".join(["", *texts, ""]) if texts else "\n"
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds = _KINDS[codes]
    if not kinds.all():
        for code in np.unique(codes[kinds == 0]).tolist():
            _add_character(code)
        kinds = _KINDS[codes]
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    return TextBatch(list(texts), np.cumsum(lengths) - lengths + 1, codes, _FOLDED[codes], kinds)


def read_batches(texts: Iterable[str]) -> Iterator[TextBatch]:
    """Make batches of at most `BATCH` texts and `BATCH_CHARACTERS`; a longer text is a batch of its own."""
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
    """Remove case and accent from a character; one that would become several is only lowered, to keep offsets."""
    base = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c)).lower()
    if len(base) == 1:
        return base
    return char.lower() if len(char.lower()) == 1 else char


def _add_character(code: int) -> None:
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
    # last, because another thread concludes from it that the rest is filled in
    _KINDS[code] = (
        _KNOWN
        | SPACE * folded.isspace()
        | LETTER * folded.isalnum()
        | DIGIT * char.isdecimal()
        | CAPITAL * bool(_CAPITAL.match(char))
        | PUNCTUATION * bool(_PUNCTUATION.match(char))
    )
