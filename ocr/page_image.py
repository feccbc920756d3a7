"""Reading a page image: its scale, strips and orientation."""

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
"""Heights of letters in pixels: on 44 pages at eight scales each, nearly all good text had 20 to 34."""
_FEW_ROWS = 200
"""An image of fewer rows is not split."""
_IN_LINE = 0.25
"""Share of the median ink of rows with ink, above which a row runs through a line of text."""
_FAR = 0.2
"""Maximum distance of a split from its target, as a share of the rows with ink."""
_CLEARLY_BETTER = 1.5
"""Ratio of quality; 3 to 10 were measured where the other orientation is right."""
_FEW_WORDS = 20


def page_scale(height: float | None, scale: float | Literal["auto"]) -> float:
    """Choose the factor by which a page, with letters of that height in pixels, is enlarged before it is read."""
    if scale != "auto":
        return scale
    if height is None or _LOW <= height <= _HIGH:
        return 1.0
    return min(_MOST_SCALE, _BEST / height)


def is_blank(image: Image.Image) -> bool:
    """Return whether a grey image is blank; it is reduced first, to average noise away."""
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
    """Read at least a strip; give also the degrees the page is turned by, and the share of it read from the top."""
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
    """Read an image in the orientation with the best text; give also its counter-clockwise rotation in degrees."""
    # Tesseract's own detection is not used, because it fails on pages with little text
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
        # too few words to show the direction of lines
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
    # few words of a photo may be read, but confidently
    sure = result.confidence >= LEGIBLE_CONFIDENCE and mean_confidence(words) < LEGIBLE_CONFIDENCE - 15
    return not result.is_sideways and gain > (1 if sure else _CLEARLY_BETTER)


def _wordiest_quarter(
    image: Image.Image, result: OcrResult, *, sideways: bool
) -> tuple[tuple[int, int, int, int], list[Word]]:
    """Find the quarter of a page, across its lines, with most words, and these words."""
    across = 0 if sideways else 1
    length = image.size[across]
    placed = [((word.box[across] + word.box[across + 2]) / 2, word) for word in result.words]
    middles = sorted(middle for middle, _ in placed)
    start = max(middles, key=lambda middle: bisect_right(middles, middle + length / 4) - bisect_left(middles, middle))
    # half a line more, so that the first is not cut
    low, high = max(0, round(start - length / 64)), min(length, round(start + length / 4 + length / 64))
    box = (low, 0, high, image.height) if sideways else (0, low, image.width, high)
    return box, [word for middle, word in placed if low <= middle <= high]
