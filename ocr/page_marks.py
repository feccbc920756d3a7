"""What is drawn on a page beside its words: ink at one scale, ruled lines, and the ink that no printed word covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ocr.document import Page, Word
from ocr.words import is_real_word

Mask = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

_AREA = 850 * 1100
"""Pixels that a page is scaled to: a sheet at about 100 dots per inch, the least at which pen strokes stay apart."""
_WINDOW = 41
_DARKER = 0.82
"""Ink is darker than this share of its surroundings."""
_SHORTEST_RULE, _LONGEST_GAP, _THICKEST = 40, 5, 6
_LETTER = (7.0, 16.0)
"""Bounds of the height of a line's letters, where it is measured on few words."""
_ALIKE, _SURE, _ALONE, _UNSURE = 35.0, 60.0, 75.0, 85.0
"""Confidence from which words count as printed, as handwriting is read less surely: words of a language as high as
the usual one, other words of a language, words alone on their line, and all that are no words of a language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedWord:
    """A word in the pixels of the marks; printed unless it may be handwriting that was misread."""

    text: str
    confidence: float
    box: Box
    line: int
    printed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMarks:
    """The marks on a page, as arrays of 0 and 1 of one scale; `factor` leads to them from the pixels of the page."""

    # all ink but ruled lines
    ink: Mask
    # the part of it that no printed word covers
    free: Mask
    across: Mask
    down: Mask
    words: tuple[MarkedWord, ...]
    rules: npt.NDArray[np.int64]
    """Left, top, right and bottom of each line ruled across the page, shape (n, 4)."""
    letter: float
    factor: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.ink.shape[1], self.ink.shape[0]


def page_marks(image: Image.Image, page: Page) -> PageMarks:
    """Find the marks on an upright page image in grey."""
    cv2.setNumThreads(1)
    factor = (_AREA / (image.width * image.height)) ** 0.5
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    grey = np.asarray(image.resize(size, Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC))
    mean = cv2.boxFilter(grey, cv2.CV_32F, (_WINDOW, _WINDOW))
    ink = (grey < mean * _DARKER).astype(np.uint8)
    scale = size[0] / page.width if page.width else 1.0
    words = _marked(page.words, scale)
    letter = _letter_height(words)
    # letters that touch look like a line, but lines are drawn under words, not through them
    clear = 1 - _cover(words, ink.shape)
    across, down = _runs(ink) & clear, _runs(ink.T.copy()).T & clear
    across, down = _opened(across, 1, _SHORTEST_RULE // 2), _opened(down, _SHORTEST_RULE // 2, 1)
    rules = _rules(across)
    # with the grey pixels at their edges, but not where strokes of a pen cross them
    lines = _grown(across, 3, 1) | _grown(down, 1, 3)
    crossed = _grown(across, 7, 1) & ~lines & ink
    crossed = _grown(crossed, 7, 1) & lines & ink
    rest = ink & ~(lines & ~crossed)
    return PageMarks(
        ink=rest,
        free=_uncovered(rest, words, letter),
        across=across,
        down=down,
        words=words,
        rules=rules,
        letter=letter,
        factor=scale,
    )


def _runs(ink: Mask) -> Mask:
    """Keep the long runs of ink along rows, gaps of a few pixels closed."""
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, _LONGEST_GAP), np.uint8)).astype(np.uint8)
    # two rows together, because a crooked line steps from one to the next
    runs = _opened(_grown(closed, 2, 1), 1, _SHORTEST_RULE) & closed
    # letters that touch fill more than a thin band
    return runs & ~_opened(closed, _THICKEST + 1, 3)


def _grown(mask: Mask, high: int, wide: int) -> Mask:
    return cv2.dilate(mask, np.ones((high, wide), np.uint8)).astype(np.uint8)


def _opened(mask: Mask, high: int, wide: int) -> Mask:
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((high, wide), np.uint8)).astype(np.uint8)


def _rules(across: Mask) -> npt.NDArray[np.int64]:
    joined = cv2.dilate(across, np.ones((3, 2 * _LONGEST_GAP + 1), np.uint8))
    found = cv2.connectedComponentsWithStats(joined, connectivity=8)[2][1:].astype(np.int64)
    left, top, width, height = (found[:, column] for column in range(4))
    level = (width >= _SHORTEST_RULE + 2 * _LONGEST_GAP) & (height <= 5 + width // 25)
    edges = np.column_stack([left + _LONGEST_GAP, top + 1, left + width - _LONGEST_GAP, top + height - 1])
    return edges[level]


def _cover(words: Sequence[MarkedWord], shape: tuple[int, ...]) -> Mask:
    """Give the inner part of printed words, without what may be underlined."""
    cover = np.zeros(shape, np.uint8)
    for word in words:
        left, top, right, bottom = word.box
        if word.printed:
            rows = slice(max(0, round(top + 0.15 * (bottom - top))), round(bottom - 0.2 * (bottom - top)))
            cover[rows, max(0, round(left)) : round(right)] = 1
    return cover


def _marked(words: Sequence[Word], scale: float) -> tuple[MarkedWord, ...]:
    spoken = [(word, is_real_word(word.text.strip())) for word in words if word.text.strip()]
    heights = [word.box[3] - word.box[1] for word, real in spoken if real and word.confidence >= _SURE]
    usual = float(np.median(heights)) if heights else 0.0
    alone = Counter(word.line for word, _ in spoken)
    marked = []
    for word, real in spoken:
        left, top, right, bottom = (edge * scale for edge in word.box)
        # print that is blurred has at least the height of print
        height = word.box[3] - word.box[1]
        alike = real and 0.75 * usual <= height <= 1.3 * usual
        least = _ALIKE if alike else _SURE if real and height <= 1.5 * usual else _UNSURE
        if alone[word.line] == 1:
            least = max(least, _ALONE)
        marked.append(
            MarkedWord(
                text=word.text.strip(),
                confidence=word.confidence,
                box=(left, top, right, bottom),
                line=word.line,
                printed=word.confidence >= least,
            )
        )
    return tuple(marked)


def _letter_height(words: Sequence[MarkedWord]) -> float:
    """Give the median height of printed words: a little more than that of their letters."""
    heights = [word.box[3] - word.box[1] for word in words if word.printed and len(word.text) > 2]
    return float(np.clip(np.median(heights) if heights else 11.0, *_LETTER))


def _uncovered(ink: Mask, words: Sequence[MarkedWord], letter: float) -> Mask:
    free = ink.copy()
    for word in words:
        left, top, right, bottom = word.box
        if word.printed and bottom - top <= 3 * letter:
            rows = slice(max(0, int(top) - 1), int(bottom) + 2)
            free[rows, max(0, int(left) - 1) : int(right) + 2] = 0
    return free
