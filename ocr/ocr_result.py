"""The result of an engine for an image, and combining results for parts of a page in reading order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, pairwise
from statistics import median

from ocr.document import Word, bounding_box, lies_in, mean_confidence
from ocr.words import is_real_word

LEGIBLE_CONFIDENCE = 65
"""Text rotated by 180 or 270 degrees has a confidence of 26 to 52; by 0 or 90 degrees, 67 to 95 (30 pages)."""
_LEGIBLE_SHARE, _FEW_WORDS = 0.3, 10
"""Quality a character: of 187 real scans turned the wrong way none has over .17, most that can be read over .23."""
_WIDE_GAP = 1.6
"""Ratio to the usual gap between spaced letters above which a gap separates words."""
_ROW = 50
"""Pixel rows per bucket of the look-up of words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrResult:
    """The words that an engine read in one image.

    Parameters
    ----------
    words : tuple of Word
        In reading order, boxes in pixels of the image that was given.
    text : str
        The words with their line structure; a blank line between two paragraphs.
    """

    words: tuple[Word, ...] = ()
    text: str = ""

    @property
    def confidence(self) -> float:
        """Mean confidence of the words, weighted by length, 0 to 100; 0 without words."""
        return mean_confidence(self.words)

    @property
    def is_legible(self) -> bool:
        """Whether it is good enough to rule out that the image is upside down."""
        if self.confidence >= LEGIBLE_CONFIDENCE:
            return True
        length = sum(len(word.text) for word in self.words)
        return len(self.words) >= _FEW_WORDS and quality(self.words) >= _LEGIBLE_SHARE * length

    @property
    def is_sideways(self) -> bool:
        """Whether most words, among those long enough to show it, are clearly taller than wide."""
        shown = [word for word in self.words if len(word.text) > 2]
        return 2 * sum(map(is_tall, shown)) > len(shown)

    @property
    def boxes(self) -> list[tuple[int, int, int, int]]:
        """Boxes of the words."""
        return [word.box for word in self.words]


def is_tall(word: Word) -> bool:
    """Return whether a word of three characters or more is clearly taller than wide."""
    left, top, right, bottom = word.box
    return len(word.text) > 2 and bottom - top > 1.5 * (right - left)


def quality(words: Iterable[Word]) -> float:
    """Sum, over words that look real, of length times squared confidence (0 to 1)."""
    # squared, as an upside down page gives many letters with a middling confidence
    return sum(len(word.text) * (word.confidence / 100) ** 2 for word in words if is_real_word(word.text))


def line_text(words: Sequence[Word]) -> str:
    """Join the words of a line by a space; spaced letters by two where their gap is wide, for `clean_text`."""
    text = ""
    for spaced, run in groupby(words, key=lambda word: len(word.text) == 1 and word.text.isalpha()):
        members = list(run)
        gaps = [right.box[0] - left.box[2] for left, right in pairwise(members)]
        wide = _WIDE_GAP * median(gaps) if spaced and len(gaps) > 2 else math.inf
        text += " " + members[0].text
        for gap, word in zip(gaps, members[1:], strict=True):
            text += ("  " if gap > max(0.0, wide) else " ") + word.text
    return text[1:]


def moved(result: OcrResult, *, factor: float = 1.0, right: float = 0.0, down: float = 0.0) -> OcrResult:
    """Scale all boxes by a factor, then shift them."""
    if (factor, right, down) == (1.0, 0.0, 0.0):
        return result
    words = []
    for word in result.words:
        x0, y0, x1, y1 = (round(edge * factor) for edge in word.box)
        words.append(replace(word, box=(round(x0 + right), round(y0 + down), round(x1 + right), round(y1 + down))))
    return replace(result, words=tuple(words))


def turned(result: OcrResult, size: tuple[int, int], rotation: int) -> OcrResult:
    """Rotate boxes counter-clockwise by 0, 90, 180 or 270 degrees, with their image of that width and height."""
    words = result.words
    width, height = size
    for _ in range(rotation // 90):
        words = tuple(
            replace(word, box=(top, width - right, bottom, width - left))
            for word, (left, top, right, bottom) in ((word, word.box) for word in words)
        )
        width, height = height, width
    return replace(result, words=words)


def stacked(results: Iterable[OcrResult]) -> OcrResult:
    """Concatenate results, each below the one before."""
    words: list[Word] = []
    text = []
    for result in results:
        first = 1 + max((word.line for word in words), default=-1)
        words.extend(replace(word, line=word.line + first) for word in result.words)
        text.append(result.text)
    return OcrResult(words=tuple(words), text="\n".join(filter(None, text)))


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page; ``before`` counts the blank lines above it."""

    words: tuple[Word, ...]
    text: str
    before: int
    box: tuple[int, int, int, int]


def _line(words: Sequence[Word], text: str, before: int) -> _Line:
    return _Line(tuple(words), text, before, bounding_box(word.box for word in words))


def _lines(result: OcrResult) -> list[_Line]:
    """Split a result into lines; each non-empty line of text is a line of words."""
    texts, blank = [], 0
    for text in result.text.replace("\r", "").split("\n"):
        if text.strip():
            texts.append((text, blank))
        blank = 0 if text.strip() else blank + 1
    by_line = (list(words) for _, words in groupby(result.words, key=lambda word: word.line))
    # a text that was cut has fewer lines than its words
    return [_line(words, text, before) for words, (text, before) in zip(by_line, texts, strict=False)]


def _joined(lines: Iterable[_Line]) -> OcrResult:
    kept = list(lines)
    words = tuple(replace(word, line=number) for number, line in enumerate(kept) for word in line.words)
    text = "".join("\n" * (line.before + 1) + line.text for line in kept)
    return OcrResult(words=words, text=text.lstrip("\n"))


def _trimmed(lines: Iterable[_Line], gone: Callable[[Word], bool]) -> list[_Line]:
    """Remove words from lines, and lines without any word left."""
    kept = []
    for line in lines:
        words = [word for word in line.words if not gone(word)]
        if len(words) == len(line.words):
            kept.append(line)
        elif words:
            kept.append(_line(words, line_text(words), line.before))
    return kept


def without(result: OcrResult, known: OcrResult) -> OcrResult:
    """Remove from a result the words that another has in the same place."""
    return _joined(_trimmed(_lines(result), partial(_lies_in_word, words=known.words)))


def _lies_in_word(word: Word, words: Iterable[Word]) -> bool:
    return lies_in(word.box, (other.box for other in words))


def inserted(page: OcrResult, block: OcrResult) -> OcrResult:
    """Insert a block of lines in reading order; boxes of both are in pixels of one image."""
    lines = _lines(page)
    _insert(lines, _lines(block))
    return _joined(lines)


def _insert(lines: list[_Line], block: list[_Line]) -> None:
    """Insert after the last line above the block that overlaps it horizontally, else after the last one above."""
    if not block:
        return
    left, _, right, _ = bounding_box(line.box for line in block)
    _, top, _, bottom = block[0].box
    place = over = 0
    for number, line in enumerate(lines, 1):
        start, upper, end, lower = line.box
        if upper + lower <= top + bottom:
            place = number
            if start < right and left < end:
                over = number
    lines[over or place : over or place] = block


def with_layer(read: OcrResult, layer: OcrResult, *, is_drawn: bool) -> OcrResult:
    """Merge the lines of a text layer into the OCR of its page, replacing the words in their place."""
    anywhere = _word_counts(read.words)
    by_row: dict[int, list[Word]] = {}
    for word in read.words:
        by_row.setdefault((word.box[1] + word.box[3]) // (2 * _ROW), []).append(word)
    replaced: set[int] = set()
    wanted: list[_Line] = []
    for line in _lines(layer):
        rows = range(line.box[1] // _ROW, line.box[3] // _ROW + 1)
        there = [word for row in rows for word in by_row.get(row, ()) if _lies_in_word(word, line.words)]
        words = _word_counts(line.words)
        if (words & _word_counts(there)).total() >= words.total() / 2:
            replaced.update(map(id, there))
            wanted.append(line)
        # the invisible text of some OCR programs is displaced from the words
        elif is_drawn or (words & anywhere).total() < words.total() / 2:
            wanted += _trimmed([line], partial(_lies_in_word, words=there))
    lines = _trimmed(_lines(read), lambda word: id(word) in replaced)
    for line in wanted:
        _insert(lines, [line])
    return _joined(lines)


def _word_counts(words: Iterable[Word]) -> Counter[str]:
    return Counter(word.text.lower() for word in words)
