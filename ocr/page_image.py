"""How a page image is read: at which scale, in which strips, and which way up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from PIL import Image

from ocr.document import Word, mean_confidence
from ocr.ocr_result import LEGIBLE_CONFIDENCE, OcrResult, moved, quality, turned
from ocr.reading_state import STRIPS, WHOLE, Strip
from textclf.base.errors import BadInputError

_LOW, _BEST, _HIGH, _MOST_SCALE = 15, 20, 34, 2.5
"""Heights of letters in pixels: of 44 pages at eight scales each, nearly all good text came out with 20 to 34."""
_FEW_ROWS = 200
"""An image of fewer is not worth parting."""
_IN_LINE = 0.25
"""Of the median ink of rows with ink: more is in a row that runs through a line of text."""
_FAR = 0.2
"""Of the rows that hold ink: no place to part a page is farther from where it should be."""
_CLEARLY_BETTER = 1.5
"""Times the quality: seen are 3 to 10 times where the other way up is right."""
_FEW_WORDS = 20


def page_scale(height: float | None, scale: float | Literal["auto"]) -> float:
    """Choose the factor by which a page whose letters have that height in pixels is enlarged before it is read."""
    if scale != "auto":
        return scale
    if height is None or _LOW <= height <= _HIGH:
        return 1.0
    return min(_MOST_SCALE, _BEST / height)


def is_blank(image: Image.Image) -> bool:
    """Return whether a grey image, brought down so that noise is averaged away, holds nothing."""
    low, high = image.reduce(max(1, min(image.size) // 350)).getextrema()
    return float(high) - float(low) <= 24  # type: ignore[arg-type]


def row_at(image: Image.Image, share: float) -> int:
    """Give the row between two lines of text that is nearest to a share, 0 to 1, of the rows that hold ink."""
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


def read_strip(
    image: Image.Image, strip: Strip, read: Callable[[Image.Image], OcrResult]
) -> tuple[OcrResult, int, float]:
    """Read a strip, or more; give also the degrees the page is turned by, and down to which share of it was read."""
    # if the topmost strip holds no word, those below it are read too, until one does; if that reads so poorly that the
    # page might be turned, or the image is small, the whole is read
    if strip != WHOLE and image.height >= _FEW_ROWS:
        for tried in STRIPS[STRIPS.index(strip) :]:
            top, bottom = (row_at(image, share) for share in tried)
            result = read(image.crop((0, top, image.width, bottom))) if top < bottom else OcrResult()
            if strip.start > 0 or (result.is_legible and not result.is_sideways):
                return moved(result, down=top), 0, tried.end
            if result.words:
                break
    return *read_upright(image, read), 1.0


def read_upright(image: Image.Image, read: Callable[[Image.Image], OcrResult]) -> tuple[OcrResult, int]:
    """Read an image the way up that gives the best text; give also the degrees it is turned by, counter-clockwise."""
    # Tesseract's own guess is not asked, as it fails on pages with little text
    first = read(image)
    # text turned clockwise by 90 degrees is read well, with words taller than wide
    sideways = first.is_sideways
    best = (turned(first, image.size, 90), 90) if sideways else (first, 0)
    if first.is_legible or not first.words:
        return best
    try:
        if len(first.words) >= _FEW_WORDS:
            rotation = 270 if sideways else 180
            box, words = _wordiest_quarter(image, first, sideways=sideways)
            if _is_better(read(image.crop(box).rotate(rotation, expand=True)), words):
                best = read(image.rotate(rotation, expand=True)), rotation
            return best
        # too few words show which way lines run
        for rotation in (270, 180, 90) if sideways else (180, 270, 90):
            result = read(image.rotate(rotation, expand=True))
            if _is_better(result, best[0].words):
                best = result, rotation
            if best[0].is_legible:
                break
    except BadInputError:
        pass
    return best


def _is_better(result: OcrResult, words: Sequence[Word]) -> bool:
    gain = quality(result.words) / max(1e-9, quality(words))
    # few words may be read of a photo's quarter, but surely
    sure = result.confidence >= LEGIBLE_CONFIDENCE and mean_confidence(words) < LEGIBLE_CONFIDENCE - 15
    return not result.is_sideways and gain > (1 if sure else _CLEARLY_BETTER)


def _wordiest_quarter(
    image: Image.Image, result: OcrResult, *, sideways: bool
) -> tuple[tuple[int, int, int, int], list[Word]]:
    """Find the quarter of a page, across its lines, that holds most words, and these."""
    across = 0 if sideways else 1
    length = image.size[across]
    placed = [((word.box[across] + word.box[across + 2]) / 2, word) for word in result.words]
    middles = sorted(middle for middle, _ in placed)
    start = max(middles, key=lambda middle: bisect_right(middles, middle + length / 4) - bisect_left(middles, middle))
    # half a line more, so that the first is not cut
    low, high = max(0, round(start - length / 64)), min(length, round(start + length / 4 + length / 64))
    box = (low, 0, high, image.height) if sideways else (0, low, image.width, high)
    return box, [word for middle, word in placed if low <= middle <= high]
