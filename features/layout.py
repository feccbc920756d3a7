"""Where words stand on a page, and layout features: lines, their lengths, digits, capitals, punctuation.

On paper, where a word stands says as much as the word: a letter begins with an address, a form has its labels before
colons. The parts are found from the text alone. A text that came without its line breaks (many digital PDFs) has no
lines to count, so the first lines of a page end after so many characters, too.

The measures are compared with the deciles of the training pages, so that a linear model can tell "few" from "some" from
"many", and an odd page does no harm by one huge value.
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

from features.text_batch import BLANK, CAPITAL, DIGIT, PUNCTUATION, Pieces, TextBatch

PagePart = Literal["page", "top", "head", "tail", "starts", "labels"]

PART_BITS: dict[str, int] = {part: 1 << bit for bit, part in enumerate(get_args(PagePart))}
"""How `part_bits` says that a character is in a part."""
TOP_LINES = 10
HEAD_LINES = 5
LONGEST_LINE = 100
"""Characters; so many a line the first lines of a page have at most, together."""
TAIL_CHARACTERS = 300
MEAN_LINE = 150
"""Characters; from this mean length on, line breaks end paragraphs and show nothing of the page."""
LONGEST_LABEL = 26
"""Characters from where a label begins to its colon."""


def has_lines(text: str) -> bool:
    """Say whether a text has the lines of a page: it has none if it is blank, or if its lines are very long."""
    lines = text.count("\n") + 1 - text.count("\n\n")
    return bool(text.strip()) and len(text) <= MEAN_LINE * max(lines, 1)


def part_bits(pieces: Pieces, texts: Sequence[str], parts: AbstractSet[PagePart]) -> NDArray[np.uint8]:
    """Say of each character in which of some parts of its page it is, by `PART_BITS`.

    Parts are all of the page; the pieces that begin in its first ten lines and 1,000 characters; in its first five
    lines and 500 characters; in its last 300 characters; the first two pieces of each line (none where `has_lines` says
    no); what stands before a colon on its line, up to 26 characters. White space is where the piece behind it is.
    """
    if parts == {"page"}:
        return np.full(len(pieces.codes), PART_BITS["page"], dtype=np.uint8)
    gaps, owners = pieces.gaps, pieces.owners
    begins = gaps[:-1] + 1
    opens_line = pieces.codes[gaps[:-1]] == ord("\n")
    # the first piece of each text, and the piece behind its last
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
        first -= pieces.blank[first - 1]
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
"""What `measure_layout` measures, in its order."""

SHORT_LINE, LONG_LINE = 12, 60
DECILES = np.linspace(0.1, 0.9, 9)

_KINDS = np.arange(1 << 8)
_OF_KIND = np.stack(
    [_KINDS & BLANK == 0, _KINDS & DIGIT > 0, _KINDS & CAPITAL > 0, _KINDS & PUNCTUATION > 0], axis=1
).astype(np.float64)
"""Which kinds of characters are solid, digits, capitals and signs."""


def measure_layout(pages: TextBatch, words: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Measure the layout of n pages: shape (n, 20), counts, lengths in characters, and shares of 0 to 1.

    `words` are those that `TextBatch.words` gives. NaN for texts without the lines of a page.
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
    """Measure a text that has lines, of so many pieces, characters that are not blank, digits, capitals and signs."""
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
        # a lone accent is no blank, but folded it is one
        solid / max(pieces, 1),
        len(set(words)) / known,
        list(map(len, words)).count(1) / known,
        sum(map(text.count, "$€£")),
        *map(text.count, "%?@"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutScale:
    """The deciles that pages are compared with."""

    # of each measure over the training pages, shape (20, 9); shape (0, 9) if pages are not measured
    deciles: NDArray[np.float64]

    @classmethod
    def fit(cls, measures: NDArray[np.float64]) -> LayoutScale:
        """Learn the deciles of the pages that `measure_layout` measured; texts without lines are left out."""
        pages = measures[~np.isnan(measures).any(axis=1)]
        if not len(pages):
            return cls.unmeasured()
        return cls(deciles=np.ascontiguousarray(np.quantile(pages, DECILES, axis=0).T))

    @classmethod
    def unmeasured(cls) -> LayoutScale:
        """Give the shape that measures nothing and whose rows are empty."""
        return cls(deciles=np.zeros((0, len(DECILES))))

    @property
    def size(self) -> int:
        """Columns of a row."""
        return int(self.deciles.size)

    def rows(self, measures: NDArray[np.float64]) -> NDArray[np.float32]:
        """Compare pages with the deciles: nine columns for each of 20 measures.

        Plus where it is at least the decile, else minus, all of the same size so that a row has length 1. A text
        without the lines of a page has a row of zeros.
        """
        rows = np.zeros((len(measures), self.size), dtype=np.float32)
        if self.size:
            step = np.float32(1 / np.sqrt(self.size))
            paged = ~np.isnan(measures[:, 0])
            compared = np.where(measures[paged][:, :, None] >= self.deciles, step, -step)
            rows[paged] = compared.reshape(len(compared), self.size)
        return rows
