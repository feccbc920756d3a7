"""Readings of parts of a page, put together in reading order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from ocr.documents import Word
from ocr.engines import Reading
from ocr.words import line_text

_ROW = 50
"""Rows of pixels in which words are looked up together."""


def moved(reading: Reading, *, factor: float = 1.0, right: float = 0.0, down: float = 0.0) -> Reading:
    """Give a reading whose boxes are scaled by a factor and then shifted.

    Examples
    --------
    >>> word = Word(text="Total", confidence=90.0, box=(10, 20, 30, 40), line=0)
    >>> moved(Reading(words=(word,), text="Total"), factor=0.5, down=100).words[0].box
    (5, 110, 15, 120)
    """
    if (factor, right, down) == (1.0, 0.0, 0.0):
        return reading
    words = []
    for word in reading.words:
        left, top, right_edge, bottom = (round(edge * factor) for edge in word.box)
        box = (round(left + right), round(top + down), round(right_edge + right), round(bottom + down))
        words.append(replace(word, box=box))
    return replace(reading, words=tuple(words))


def turned(reading: Reading, size: tuple[int, int], rotation: int) -> Reading:
    """Turn boxes as the image that they lie on would be turned.

    Parameters
    ----------
    reading : Reading
        Boxes in pixels of the image.
    size : tuple of int
        Width and height of the image.
    rotation : int
        Degrees, counter-clockwise: 0, 90, 180 or 270.

    Returns
    -------
    Reading
        Boxes in pixels of the turned image.

    Examples
    --------
    >>> word = Word(text="Total", confidence=90.0, box=(10, 20, 40, 30), line=0)
    >>> turned(Reading(words=(word,)), (100, 200), 90).words[0].box
    (20, 60, 30, 90)
    """
    words = reading.words
    width, height = size
    for _ in range(rotation // 90):
        words = tuple(
            replace(word, box=(top, width - right, bottom, width - left))
            for word, (left, top, right, bottom) in ((word, word.box) for word in words)
        )
        width, height = height, width
    return replace(reading, words=words)


def stacked(readings: Iterable[Reading]) -> Reading:
    r"""Make one reading of several, each below the one before.

    Examples
    --------
    >>> stacked([Reading(), Reading(text="Dear Sir"), Reading(text="Yours")]).text
    'Dear Sir\nYours'
    """
    words: list[Word] = []
    text = []
    for reading in readings:
        first = 1 + max((word.line for word in words), default=-1)
        words.extend(replace(word, line=word.line + first) for word in reading.words)
        text.append(reading.text)
    return Reading(words=tuple(words), text="\n".join(filter(None, text)))


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page: its words, its text, how many blank lines stand before it, and its box."""

    words: tuple[Word, ...]
    text: str
    before: int
    box: tuple[int, int, int, int]


def _line(words: Sequence[Word], text: str, before: int = 0) -> _Line:
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    return _Line(tuple(words), text, before, (min(lefts), min(tops), max(rights), max(bottoms)))


def _lines(reading: Reading) -> list[_Line]:
    """Take a reading apart; each line of text that is not blank is a line of words."""
    texts, blank = [], 0
    for text in reading.text.replace("\r", "").split("\n"):
        if text.strip():
            texts.append((text, blank))
        blank = 0 if text.strip() else blank + 1
    by_line = (list(words) for _, words in groupby(reading.words, key=lambda word: word.line))
    # a text that was cut has fewer lines than its words
    return [_line(words, text, before) for words, (text, before) in zip(by_line, texts, strict=False)]


def _joined(lines: Iterable[_Line]) -> Reading:
    kept = list(lines)
    words = tuple(replace(word, line=number) for number, line in enumerate(kept) for word in line.words)
    text = "".join("\n" * (line.before + 1) + line.text for line in kept)
    return Reading(words=words, text=text.lstrip("\n"))


def _trimmed(line: _Line, gone: Callable[[Word], bool]) -> _Line | None:
    """Take words out of a line; None if none is left."""
    words = [word for word in line.words if not gone(word)]
    if len(words) == len(line.words):
        return line
    return _line(words, line_text(words), line.before) if words else None


def without(reading: Reading, known: Reading) -> Reading:
    """Leave out of a reading the words that another has read in the same place."""
    lines = (_trimmed(line, partial(_is_covered, by=known.words)) for line in _lines(reading))
    return _joined(filter(None, lines))


def covered(words: Iterable[Word], by: Sequence[Word]) -> list[Word]:
    """Give the words whose middle lies in one of others."""
    return [word for word in words if _is_covered(word, by)]


def _is_covered(word: Word, by: Iterable[Word]) -> bool:
    x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
    return any(other.box[0] <= x <= other.box[2] and other.box[1] <= y <= other.box[3] for other in by)


def inserted(page: Reading, block: Reading) -> Reading:
    """Put a block of lines where it belongs on a page.

    It follows the last line that stands above the middle of its first line and over it; if there is none, the last line
    above it at all; else it comes first.

    Parameters
    ----------
    page, block : Reading
        With boxes in the same pixels.

    Returns
    -------
    Reading
        All words of both.

    Examples
    --------
    >>> def line(text, top):
    ...     return Reading(words=(Word(text=text, confidence=90.0, box=(0, top, 50, top + 10), line=0),), text=text)
    >>> inserted(stacked([line("Invoice", 0), line("Yours", 90)]), line("Total", 40)).text.split()
    ['Invoice', 'Total', 'Yours']
    """
    lines = _lines(page)
    _insert(lines, _lines(block))
    return _joined(lines)


def _insert(lines: list[_Line], block: list[_Line]) -> None:
    if not block:
        return
    left, right = min(line.box[0] for line in block), max(line.box[2] for line in block)
    _, top, _, bottom = block[0].box
    place = over = 0
    for number, line in enumerate(lines, 1):
        start, upper, end, lower = line.box
        if upper + lower <= top + bottom:
            place = number
            if start < right and left < end:
                over = number
    lines[over or place : over or place] = block


def with_layer(read: Reading, layer: Reading, *, is_drawn: bool) -> Reading:
    """Set the lines of a text layer into a reading of the same page.

    A line that was read in its place replaces what was read there; any other is inserted. Of a layer that is not drawn,
    lines of which most words were read elsewhere are left out: those that some OCR programs write stand beside their
    words.

    Parameters
    ----------
    read, layer : Reading
        With boxes in the same pixels.
    is_drawn : bool
        Whether the layer is drawn, and so stands where it says.

    Returns
    -------
    Reading
        The better text of both.
    """
    anywhere = _word_counts(read.words)
    by_row: dict[int, list[Word]] = {}
    for word in read.words:
        by_row.setdefault((word.box[1] + word.box[3]) // (2 * _ROW), []).append(word)
    replaced: set[int] = set()
    wanted: list[_Line | None] = []
    for line in _lines(layer):
        rows = range(line.box[1] // _ROW, line.box[3] // _ROW + 1)
        near = (word for row in rows for word in by_row.get(row, ()))
        there = covered(near, line.words)
        words = _word_counts(line.words)
        if (words & _word_counts(there)).total() >= words.total() / 2:
            replaced.update(map(id, there))
            wanted.append(line)
        elif is_drawn or (words & anywhere).total() < words.total() / 2:
            wanted.append(_trimmed(line, partial(_is_covered, by=there)))
    lines = [line for line in (_trimmed(line, lambda word: id(word) in replaced) for line in _lines(read)) if line]
    for line in filter(None, wanted):
        _insert(lines, [line])
    return _joined(lines)


def _word_counts(words: Iterable[Word]) -> Counter[str]:
    return Counter(word.text.lower() for word in words)
