"""How a page looks, in numbers: lines, their lengths, digits, capitals, signs.

The numbers are compared with the deciles of the training pages, so that a linear model can tell "few" from "some" from
"many", and an odd page does no harm by one huge value.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from features.characters import BLANK, CAPITAL, DIGIT, PUNCTUATION, Pages
from features.page_parts import has_lines

SHAPE_NAMES = (
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
"""What `measure_pages` measures, in its order."""

SHORT_LINE, LONG_LINE = 12, 60
DECILES = np.linspace(0.1, 0.9, 9)

_KINDS = np.arange(1 << 8)
_OF_KIND = np.stack(
    [_KINDS & BLANK == 0, _KINDS & DIGIT > 0, _KINDS & CAPITAL > 0, _KINDS & PUNCTUATION > 0], axis=1
).astype(np.float64)
"""Which kinds of characters are solid, digits, capitals and signs."""


def measure_pages(pages: Pages, words: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    r"""Measure how pages look.

    Parameters
    ----------
    pages : Pages
        The texts, n of them.
    words : sequence of sequence of str, length n
        Their words, as `Pages.words` gives them.

    Returns
    -------
    ndarray of float64, shape (n, 20)
        What `SHAPE_NAMES` says: counts, lengths in characters, and shares of lines, characters or words, 0 to 1. NaN
        for texts without the lines of a page.

    Examples
    --------
    >>> from features.characters import read_pages
    >>> pages = read_pages(["To: all\nFrom: me"])
    >>> dict(zip(SHAPE_NAMES, measure_pages(pages, pages.words())[0].tolist()))["lines"]
    2.0
    """
    measures = np.full((len(pages.texts), len(SHAPE_NAMES)), np.nan)
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
class PageShape:
    """The deciles that pages are compared with.

    Parameters
    ----------
    deciles : ndarray of float64, shape (20, 9)
        Of each measure over the training pages; shape (0, 9) if pages are not measured.
    """

    deciles: NDArray[np.float64]

    @classmethod
    def fit(cls, measures: NDArray[np.float64]) -> PageShape:
        """Learn the deciles of some pages.

        Parameters
        ----------
        measures : ndarray of float64, shape (n, 20)
            From `measure_pages`; those of texts without lines are left out.

        Returns
        -------
        PageShape
            Ready to give the rows of any page.
        """
        pages = measures[~np.isnan(measures).any(axis=1)]
        if not len(pages):
            return cls.unmeasured()
        return cls(deciles=np.ascontiguousarray(np.quantile(pages, DECILES, axis=0).T))

    @classmethod
    def unmeasured(cls) -> PageShape:
        """Give the shape that measures nothing and whose rows are empty."""
        return cls(deciles=np.zeros((0, len(DECILES))))

    @property
    def size(self) -> int:
        """Columns of a row."""
        return int(self.deciles.size)

    def rows(self, measures: NDArray[np.float64]) -> NDArray[np.float32]:
        """Compare pages with the deciles.

        Parameters
        ----------
        measures : ndarray of float64, shape (n, 20)
            From `measure_pages`.

        Returns
        -------
        ndarray of float32, shape (n, 180)
            Nine columns a measure: plus where it is at least the decile, else minus, all of the same size so that a
            row has length 1. A text without the lines of a page has a row of zeros.
        """
        rows = np.zeros((len(measures), self.size), dtype=np.float32)
        if self.size:
            step = np.float32(1 / np.sqrt(self.size))
            paged = ~np.isnan(measures[:, 0])
            compared = np.where(measures[paged][:, :, None] >= self.deciles, step, -step)
            rows[paged] = compared.reshape(len(compared), self.size)
        return rows
