"""Parts of a page, and layout features: lines and their lengths, digits, capitals, punctuation.

Where a word is on a page is as informative as the word itself: a letter begins with an address, a form has labels
before colons. The parts are found from the text alone. Some texts, as of many digital PDFs, have no line breaks, so the
first lines of a page also end after a number of characters.

The measures are compared with the deciles of the training pages, so that a linear model can distinguish few, some and
many, and an outlier has no huge value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from features.core.texts import compare, observe

PagePart = Literal["page", "top", "head", "tail", "starts", "labels"]
"""Parts of a page, found by ``core/text.c``.

"page" is all of it; "top" the pieces, split at white space, that begin in its first ten lines and 1,000 characters;
"head" in its first five lines and 500 characters; "tail" in its last 300 characters; "starts" the first two pieces of
each line, if the text `has_lines`; "labels" up to 26 characters before a colon, on its line.
"""

PART_BITS: dict[str, int] = {part: 1 << bit for bit, part in enumerate(get_args(PagePart))}
"""Bits by which the core knows the parts."""


def has_lines(text: str) -> bool:
    """Return whether a text has the lines of a page: not if it is white space only, or if its lines are very long."""
    return not np.isnan(observe([text], b"")[0].measures[0, 0])


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
"""Names of the measures of `features.core.texts.Observed`, in order: counts, lengths in characters, and shares."""

DECILES = np.linspace(0.1, 0.9, 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutScale:
    """The deciles of the training pages."""

    # of each measure over the training pages, shape (20, 9); shape (0, 9) without layout features
    deciles: NDArray[np.float64]

    @classmethod
    def fit(cls, measures: NDArray[np.float64]) -> LayoutScale:
        """Learn the deciles of measured pages; texts without lines are left out."""
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
        if not self.size:
            return np.zeros((len(measures), 0), dtype=np.float32)
        return compare(measures, self.deciles, self.size**-0.5)
