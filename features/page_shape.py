"""How a page looks, in numbers: lines, their lengths, digits, capitals, signs.

The numbers are compared with the deciles of the training pages, so that a linear model can tell "few" from "some" from
"many", and an odd page does no harm by one huge value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.page_parts import has_lines
from features.tokens import tokenize

__all__ = ["SHAPE_NAMES", "PageShape", "measure_page", "measure_pages"]

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
"""What `measure_page` measures, in its order."""

SHORT_LINE, LONG_LINE = 12, 60
DECILES = np.linspace(0.1, 0.9, 9)

_DIGIT = re.compile(r"\d")
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ]")
_PUNCTUATION = re.compile(r"[^\w\s]")
_CURRENCY = re.compile(r"[$€£]")


def measure_page(text: str) -> NDArray[np.float64]:
    r"""Measure how a page looks.

    Parameters
    ----------
    text : str
        Cleaned text.

    Returns
    -------
    ndarray of float64, shape (20,)
        What `SHAPE_NAMES` says: counts, lengths in characters, and shares of lines, characters or words, 0 to 1.

    Examples
    --------
    >>> dict(zip(SHAPE_NAMES, measure_page("To: all\nFrom: me").tolist()))["lines"]
    2.0
    """
    lines = [line for line in text.splitlines() if line.strip()]
    lengths = np.array([len(line) for line in lines] or [0], dtype=np.float64)
    words = text.split()
    known = tokenize(text)
    characters = max(len(text), 1)
    return np.array(
        [
            len(text),
            len(lines),
            len(words),
            lengths.mean(),
            lengths.max(),
            lengths.std(),
            text.count("\n\n") / max(len(lines), 1),
            (lengths < SHORT_LINE).mean(),
            (lengths > LONG_LINE).mean(),
            sum(line.rstrip().endswith(":") for line in lines) / max(len(lines), 1),
            len(_DIGIT.findall(text)) / characters,
            len(_CAPITAL.findall(text)) / characters,
            len(_PUNCTUATION.findall(text)) / characters,
            sum(map(len, words)) / max(len(words), 1),
            len(set(known)) / max(len(known), 1),
            sum(len(word) == 1 for word in known) / max(len(known), 1),
            len(_CURRENCY.findall(text)),
            text.count("%"),
            text.count("?"),
            text.count("@"),
        ],
        dtype=np.float64,
    )


def measure_pages(texts: Sequence[str]) -> NDArray[np.float64]:
    """Measure many pages.

    Parameters
    ----------
    texts : sequence of str, length n
        Cleaned texts.

    Returns
    -------
    ndarray of float64, shape (n, 20)
        As `measure_page`; NaN for texts without the lines of a page.
    """
    measures = np.full((len(texts), len(SHAPE_NAMES)), np.nan)
    for row, text in zip(measures, texts, strict=True):
        if has_lines(text):
            row[:] = measure_page(text)
    return measures


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
            for row, measured in zip(rows, measures, strict=True):
                if not np.isnan(measured[0]):
                    row[:] = np.where(measured[:, None] >= self.deciles, step, -step).ravel()
        return rows
