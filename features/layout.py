"""Parts of a page, and layout features: lines and their lengths, digits, capitals, punctuation.

Where a word is on a page is as informative as the word itself: a letter begins with an address, a form has labels
before colons. The parts are found from the text alone. Some texts, as of many digital PDFs, have no line breaks, so the
first lines of a page also end after a number of characters.

The measures are compared with the deciles of the training pages, so that a linear model can distinguish few, some and
many, and an outlier has no huge value.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from features.text_batch import CAPITAL, DIGIT, PUNCTUATION, SPACE, Pieces, TextBatch

PagePart = Literal["page", "top", "head", "tail", "starts", "labels"]

PART_BITS: dict[str, int] = {part: 1 << bit for bit, part in enumerate(get_args(PagePart))}
"""Bits by which `part_bits` encodes the parts."""
TOP_LINES = 10
HEAD_LINES = 5
LONGEST_LINE = 100
"""Characters per line that the first lines of a page have on average at most."""
TAIL_CHARACTERS = 300
MEAN_LINE = 150
"""Mean characters per line above which line breaks end paragraphs, not lines of a page."""
LONGEST_LABEL = 26
"""Maximum of characters of a label before its colon."""


def has_lines(text: str) -> bool:
    """Return whether a text has the lines of a page: not if it is white space only, or if its lines are very long."""
    lines = text.count("\n") + 1 - text.count("\n\n")
    return bool(text.strip()) and len(text) <= MEAN_LINE * max(lines, 1)


def part_bits(pieces: Pieces, texts: Sequence[str], parts: AbstractSet[PagePart]) -> NDArray[np.uint8]:
    """Give the parts of its page that each character is in, as sums of `PART_BITS`; only `parts` are looked at.

    "page" is all of it; "top" the pieces that begin in its first ten lines and 1,000 characters; "head" in its first
    five lines and 500 characters; "tail" in its last 300 characters; "starts" the first two pieces of each line, if the
    text `has_lines`; "labels" up to 26 characters before a colon, on its line. White space is in the parts of the next
    piece.
    """
    if parts == {"page"}:
        return np.full(len(pieces.codes), PART_BITS["page"], dtype=np.uint8)
    gaps, owners = pieces.gaps, pieces.owners
    begins = gaps[:-1] + 1
    opens_line = pieces.codes[gaps[:-1]] == ord("\n")
    # the first piece of each text, and the piece after its last
    bounds = owners.searchsorted(np.arange(len(texts) + 1))
    found = np.full(len(owners), PART_BITS["page"], dtype=np.uint8)
    if "top" in parts or "head" in parts:
        lines = np.cumsum(opens_line)
        firsts = bounds[:-1][owners]
        line, place = lines - lines[firsts], begins - begins[firsts]
        for part, number in (("top", TOP_LINES), ("head", HEAD_LINES)):
            found |= ((line < number) & (place < number * LONGEST_LINE)) * np.uint8(PART_BITS[part])
    if "tail" in parts:
        ends = gaps[bounds[1:]][owners]
        found |= (ends - begins <= TAIL_CHARACTERS) * np.uint8(PART_BITS["tail"])
    if "starts" in parts:
        paged = np.array([has_lines(text) for text in texts], dtype=np.bool_)[owners]
        starts = opens_line.copy()
        starts[1:] |= opens_line[:-1]
        found |= (starts & paged) * np.uint8(PART_BITS["starts"])
    bits = found[pieces.numbers]
    if "labels" in parts:
        colons = np.flatnonzero(pieces.codes == ord(":"))
        line_begins = begins[opens_line]
        first = np.maximum(line_begins[line_begins.searchsorted(colons, side="right") - 1], colons - LONGEST_LABEL)
        first[1:] = np.maximum(first[1:], colons[:-1] + 1)
        first -= pieces.is_space[first - 1]
        for begin, colon in zip(first.tolist(), colons.tolist(), strict=True):
            bits[begin : colon + 1] |= PART_BITS["labels"]
    return bits


LAYOUT_FEATURES = (
    "characters",
    "lines",
    "words",
    "mean line length",
    "longest line",
    "spread of line lengths",
    "blank lines",
    "short lines",
    "long lines",
    "lines that end with a colon",
    "digits",
    "capitals",
    "punctuation",
    "mean word length",
    "different words",
    "single characters",
    "currency signs",
    "per cent signs",
    "question marks",
    "at signs",
)
"""Names of the measures of `measure_layout`, in order."""

SHORT_LINE, LONG_LINE = 12, 60
DECILES = np.linspace(0.1, 0.9, 9)

_KINDS = np.arange(1 << 8)
_OF_KIND = np.stack(
    [_KINDS & SPACE == 0, _KINDS & DIGIT > 0, _KINDS & CAPITAL > 0, _KINDS & PUNCTUATION > 0], axis=1
).astype(np.float64)
"""For each sum of kinds: whether it is no space, a digit, a capital, a punctuation mark."""


def measure_layout(pages: TextBatch, words: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Measure the layout of n pages: shape (n, 20), counts, lengths in characters, and shares of 0 to 1.

    `words` are those of `TextBatch.words`. Texts without the lines of a page have NaN.
    """
    measures = np.full((len(pages.texts), len(LAYOUT_FEATURES)), np.nan)
    if not len(measures):
        return measures
    spans = pairwise([*pages.starts.tolist(), len(pages.codes)])
    kinds = np.array([np.bincount(pages.kinds[start:end], minlength=len(_OF_KIND)) for start, end in spans]) @ _OF_KIND
    pieces = np.bincount(pages.pieces.owners, minlength=len(measures))
    counts = np.column_stack([pieces, kinds]).tolist()
    for row, text, found, counted in zip(measures, pages.texts, words, counts, strict=True):
        if has_lines(text):
            row[:] = _measure(text, found, *counted)
    return measures


def _measure(
    text: str, words: Sequence[str], pieces: float, solid: float, digits: float, capitals: float, signs: float
) -> tuple[float, ...]:
    """Measure a text with lines, given the numbers of its pieces, non-space characters, digits, capitals and signs."""
    lines = list(filter(str.strip, text.split("\n")))
    lengths = sorted(map(len, lines))
    count, known = len(lines), max(len(words), 1)
    mean = sum(lengths) / count
    return (
        len(text),
        count,
        pieces,
        mean,
        lengths[-1],
        sqrt(sum([(length - mean) ** 2 for length in lengths]) / count),
        text.count("\n\n") / count,
        bisect_left(lengths, SHORT_LINE) / count,
        (count - bisect_right(lengths, LONG_LINE)) / count,
        [line[-1] for line in map(str.rstrip, lines)].count(":") / count,
        digits / len(text),
        capitals / len(text),
        signs / len(text),
        # a lone accent becomes a space when it is folded
        solid / max(pieces, 1),
        len(set(words)) / known,
        list(map(len, words)).count(1) / known,
        sum(map(text.count, "$€£")),
        *map(text.count, "%?@"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutScale:
    """The deciles of the training pages."""

    # of each measure over the training pages, shape (20, 9); shape (0, 9) without layout features
    deciles: NDArray[np.float64]

    @classmethod
    def fit(cls, measures: NDArray[np.float64]) -> LayoutScale:
        """Learn the deciles of pages measured by `measure_layout`; texts without lines are left out."""
        pages = measures[~np.isnan(measures).any(axis=1)]
        if not len(pages):
            return cls.unmeasured()
        return cls(deciles=np.ascontiguousarray(np.quantile(pages, DECILES, axis=0).T))

    @classmethod
    def unmeasured(cls) -> LayoutScale:
        """Give the scale of a model without layout features, whose rows are empty."""
        return cls(deciles=np.zeros((0, len(DECILES))))

    @property
    def size(self) -> int:
        """Columns of a row."""
        return int(self.deciles.size)

    def rows(self, measures: NDArray[np.float64]) -> NDArray[np.float32]:
        """Compare pages with the deciles: nine columns for each of 20 measures.

        A value is positive where the measure is at least the decile, else negative; all have the same size, so that a
        row has length 1. A text without the lines of a page has a row of zeros.
        """
        rows = np.zeros((len(measures), self.size), dtype=np.float32)
        if self.size:
            step = np.float32(1 / np.sqrt(self.size))
            paged = ~np.isnan(measures[:, 0])
            compared = np.where(measures[paged][:, :, None] >= self.deciles, step, -step)
            rows[paged] = compared.reshape(len(compared), self.size)
        return rows
