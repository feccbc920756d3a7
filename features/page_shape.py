"""How a page looks, in numbers: lines, their lengths, digits, capitals, signs.

The numbers are compared with the deciles of the training pages, so that a linear model can tell "few" from "some" from
"many", and an odd page does no harm by one huge value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.characters import BLANK, CAPITAL, DIGIT, PUNCTUATION, Pages
from features.page_parts import has_lines

__all__ = ["SHAPE_NAMES", "PageShape", "measure_pages"]

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
    size = len(pages.texts)
    measures = np.full((size, len(SHAPE_NAMES)), np.nan)
    if not size:
        return measures
    spans = pairwise([*pages.starts.tolist(), len(pages.codes)])
    kinds = np.array([np.bincount(pages.kinds[start:end], minlength=len(_OF_KIND)) for start, end in spans])
    solid, digits, capitals, punctuation = (kinds @ _OF_KIND).T
    lines = _lines(pages)
    count = np.maximum(lines.number, 1)
    lengths = [len(text) for text in pages.texts]
    characters = np.maximum(lengths, 1)
    pieces = np.bincount(pages.pieces.owners, minlength=size)
    known = np.array([max(len(found), 1) for found in words])
    columns = (
        lengths,
        lines.number,
        pieces,
        lines.mean,
        lines.longest,
        lines.spread,
        np.array([text.count("\n\n") for text in pages.texts]) / count,
        lines.short / count,
        lines.long / count,
        lines.colons / count,
        digits / characters,
        capitals / characters,
        punctuation / characters,
        solid / np.maximum(pieces, 1),
        [len(set(found)) for found in words] / known,
        [list(map(len, found)).count(1) for found in words] / known,
        [sum(map(text.count, "$€£")) for text in pages.texts],
        *([text.count(sign) for text in pages.texts] for sign in "%?@"),
    )
    paged = [i for i, text in enumerate(pages.texts) if has_lines(text)]
    measures[paged] = np.array(columns, dtype=np.float64).T[paged]
    return measures


class _Lines(NamedTuple):
    """Of the lines of each text that are not blank: how many, their lengths, those that end with a colon."""

    number: NDArray[np.float64]
    mean: NDArray[np.float64]
    longest: NDArray[np.float64]
    spread: NDArray[np.float64]
    short: NDArray[np.float64]
    long: NDArray[np.float64]
    colons: NDArray[np.float64]


def _lines(pages: Pages) -> _Lines:
    size, pieces = len(pages.texts), pages.pieces
    first = np.flatnonzero(pieces.codes[pieces.gaps[:-1]] == ord("\n"))
    document = pieces.owners[first]
    breaks = np.flatnonzero(pages.codes == ord("\n"))
    after = breaks.searchsorted(pieces.places[pieces.gaps[first] + 1])
    lengths = (breaks[after] - breaks[after - 1] - 1).astype(np.float64)
    last = pieces.places[pieces.gaps[np.append(first[1:], len(pieces.owners))[: len(first)]] - 1]

    # bincount adds up one by one, so that a text has the same measures, to the last bit, alone and in a batch
    def per_text(values: NDArray[np.float64] | NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(document, values, minlength=size), dtype=np.float64)

    count = np.bincount(document, minlength=size).astype(np.float64)
    some = np.maximum(count, 1)
    mean = per_text(lengths) / some
    longest = np.zeros(size)
    np.maximum.at(longest, document, lengths)
    return _Lines(
        number=count,
        mean=mean,
        longest=longest,
        spread=np.sqrt(per_text((lengths - mean[document]) ** 2) / some),
        short=per_text(lengths < SHORT_LINE),
        long=per_text(lengths > LONG_LINE),
        colons=per_text(pages.codes[last] == ord(":")),
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
