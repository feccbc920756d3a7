"""Readings of parts of a page, put together in reading order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ocr.documents import Word
from ocr.engines import Reading

__all__ = ["inserted", "moved", "stacked", "turned", "with_layer", "without"]


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


@dataclass(slots=True, kw_only=True)
class _Line:
    """A line of a page: its words, its text, and how many blank lines stand before it."""

    words: list[Word]
    text: str
    before: int = 0

    @property
    def box(self) -> tuple[int, int, int, int]:
        lefts, tops, rights, bottoms = zip(*(word.box for word in self.words), strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


def _lines(reading: Reading) -> list[_Line]:
    """Take a reading apart; each line of text that is not blank is a line of words."""
    by_line: dict[int, list[Word]] = {}
    for word in reading.words:
        by_line.setdefault(word.line, []).append(word)
    lines: list[_Line] = []
    blank = 0
    texts = []
    for text in reading.text.replace("\r", "").split("\n"):
        if text.strip():
            texts.append((text, blank))
            blank = 0
        else:
            blank += 1
    # a text that was cut has fewer lines than its words
    for words, (text, before) in zip(by_line.values(), texts, strict=False):
        lines.append(_Line(words=words, text=text, before=before))
    return lines


def _joined(lines: list[_Line]) -> Reading:
    words = tuple(replace(word, line=number) for number, line in enumerate(lines) for word in line.words)
    text = "".join("\n" * (line.before + 1) + line.text for line in lines)
    return Reading(words=words, text=text.lstrip("\n"))


def without(reading: Reading, known: Reading) -> Reading:
    """Leave out of a reading the words that another has read in the same place."""
    lines = []
    for line in _lines(reading):
        words = [word for word in line.words if not any(_covers(other.box, word.box) for other in known.words)]
        if words:
            text = line.text if len(words) == len(line.words) else " ".join(word.text for word in words)
            lines.append(_Line(words=words, text=text, before=line.before))
    return _joined(lines)


def _covers(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def inserted(page: Reading, block: Reading) -> Reading:
    """Put a block of lines where it belongs on a page.

    It follows the last line that ends above its middle and stands over or under it; if there is none, the last line
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
    lines, own = _lines(page), _lines(block)
    if not own:
        return page
    boxes = [line.box for line in own]
    left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
    middle = (boxes[0][1] + boxes[0][3]) / 2
    above = [(number, line.box) for number, line in enumerate(lines) if (line.box[1] + line.box[3]) / 2 <= middle]
    over = [number for number, box in above if box[0] < right and left < box[2]]
    place = 1 + max(over or [number for number, _ in above], default=-1)
    return _joined([*lines[:place], *own, *lines[place:]])


def with_layer(read: Reading, layer: Reading) -> Reading:
    """Set the lines of a text layer into a reading of the same page.

    A line that was read in its place replaces what was read there. One of which most words were read elsewhere is left
    out, for layers that some OCR programs write stand beside their words. Any other is inserted.

    Parameters
    ----------
    read, layer : Reading
        With boxes in the same pixels.

    Returns
    -------
    Reading
        The better text of both.
    """
    anywhere = _word_counts(read.words)
    for line in _lines(layer):
        alone = _joined([line])
        wanted = _word_counts(line.words)
        there = [word for word in read.words if any(_covers(own.box, word.box) for own in line.words)]
        if (wanted & _word_counts(there)).total() >= wanted.total() / 2:
            read = inserted(without(read, alone), alone)
        elif (wanted & anywhere).total() < wanted.total() / 2:
            read = inserted(read, without(alone, read))
    return read


def _word_counts(words: Iterable[Word]) -> Counter[str]:
    return Counter(word.text.lower() for word in words)
