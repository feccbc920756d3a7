"""Which way up a page stands, found out by comparing what is read of it.

Tesseract's own guess is not asked, as it fails on pages with little text.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ocr.documents import Word, mean_confidence
from ocr.ocr_result import LEGIBLE_CONFIDENCE, OcrResult, quality, turned
from textclf.base.errors import BadInputError

if TYPE_CHECKING:
    from PIL import Image

_CLEARLY_BETTER = 1.5
"""Times the quality: seen are 3 to 10 times where the other way up is right."""
_FEW_WORDS = 20


def read_upright(image: Image.Image, read: Callable[[Image.Image], OcrResult]) -> tuple[OcrResult, int]:
    """Read an image the way up that gives the best text; give also the degrees it is turned by, counter-clockwise.

    Boxes are in pixels of the upright image. `BadInputError` counts only if the first reading raises it.
    """
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
