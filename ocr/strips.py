"""Strips of a page that can be read one after the other, and where to part a page into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL import Image


class Strip(NamedTuple):
    """A strip across a page: from which share of the rows that hold ink, 0 to 1, to which."""

    start: float
    end: float


WHOLE = Strip(0.0, 1.0)
STRIPS = (Strip(0.0, 0.25), Strip(0.25, 0.5), Strip(0.5, 1.0))
"""A page in strips, the most informative first."""
_IN_LINE = 0.25
"""Of the median ink of rows with ink: more is in a row that runs through a line of text."""
_FAR = 0.2
"""Of the rows that hold ink: no place to part a page is farther from where it should be."""


def row_at(image: Image.Image, share: float) -> int:
    """Give the row between two lines of text that is nearest to a share, 0 to 1, of the rows that hold ink."""
    import numpy as np

    if share in (0, 1):
        return round(share * image.height)
    rows = np.ones(max(1, image.height // 300))
    ink = np.convolve(255 - np.asarray(image).mean(axis=1), rows, mode="same")
    ink -= ink.min()
    inked = np.cumsum(ink > 1)
    first, last = (int(np.searchsorted(inked, inked[-1] * share * near)) for near in (0.85, 1.15))
    if ink[first : last + 1].min() > 1:
        lines = np.flatnonzero(ink > _IN_LINE * np.median(ink[ink > 1]))
        # the last row of each line and the first of the next
        above, below = np.insert(lines, 0, -1), np.append(lines, ink.size)
        away = np.abs(inked[(above + below) // 2] - inked[-1] * share)
        away[below - above == 1] = inked[-1]
        nearest = int(np.argmin(away))
        if away[nearest] <= _FAR * inked[-1]:
            first, last = int(above[nearest]) + 1, int(below[nearest]) - 1
    near = ink[first : last + 1]
    blank = np.flatnonzero(near <= near.min() + 1)
    return first + int(blank[len(blank) // 2])
