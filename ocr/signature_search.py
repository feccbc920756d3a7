"""Finding where on a page a signature may belong: beside labels, over ruled lines, and where a pen was used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ocr.document import bounding_box
from ocr.page_marks import Box, PageMarks
from ocr.signature_cues import Label, find_labels, find_names

MOST_PLACES = 48
"""Most places of a page that are looked at."""

_TALL, _WIDE = 1.7, 4.5
"""Height and width, in letters, from which a connected stroke may be handwriting."""
_SHORTEST_LINE, _LONGEST_LINE = 3.5, 70.0
_ABOVE, _BELOW, _OPEN = 2.6, 0.5, 20.0
"""Room of a place above and below its line, and its width where nothing bounds it, in letters."""
_MOST_LINES, _COLUMN = 8, 18.0
"""Lines below a heading such as *Signature*, and the height of its column, in letters."""
_LEAST_GAP = 1.6
"""Height in letters of the least gap for a signature."""
_FEW_WORDS = 4
"""Words of a label that has a place beside it although nothing bounds it."""
_SAME = 0.45
"""Share of the smaller of two boxes above which they are one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """The marks on a page, its labels, printed names, and what a pen wrote."""

    marks: PageMarks
    labels: tuple[Label, ...]
    names: tuple[Box, ...]
    strokes: tuple[Box, ...]


def page_view(marks: PageMarks) -> PageView:
    """Look for labels and for handwriting."""
    return PageView(
        marks=marks,
        labels=tuple(find_labels(marks)),
        names=tuple(find_names(marks)),
        strokes=tuple(pen_strokes(marks)),
    )


def candidate_places(view: PageView) -> list[Box]:
    """List boxes in the pixels of the marks, those found by labels first, at most `MOST_PLACES`."""
    marks, strokes = view.marks, view.strokes
    places: list[Box] = []
    for label in view.labels:
        if label.cue not in ("date", "field"):
            for box in _places_of(marks, label):
                written = [one for one in strokes if overlap(one, box) >= 0.4 and is_level(one, box)]
                _add(places, bounding_box([box, *written]) if written else box)
    for stroke in strokes:
        _add(places, stroke)
    return [clipped(place, marks.size) for place in places[:MOST_PLACES]]


def pen_strokes(marks: PageMarks) -> list[Box]:
    """Find groups of ink that no printed word covers, and that is too tall or too long for letters; largest first."""
    letter, (page_width, page_height) = marks.letter, marks.size
    closed = cv2.morphologyEx(marks.free, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, owner, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    left, top, width, height, area = (stats[:, column] for column in range(5))
    pen = (height >= _TALL * letter) | ((width >= _WIDE * letter) & (height >= 0.6 * letter))
    pen &= (height <= 0.25 * page_height) & (width <= 0.6 * page_width) & (area <= 0.55 * width * height)
    pen &= (left > 2) & (left + width < page_width - 2) & (top > 2)
    small = (height >= 0.4 * letter) & (area <= 0.7 * width * height) & (width <= 0.6 * page_width) & ~pen
    pen[0] = small[0] = False
    reach = np.ones((round(0.5 * letter) | 1, round(1.6 * letter) | 1), np.uint8)
    # letters that stand beside a long stroke belong to its name
    strokes = pen[owner].astype(np.uint8)
    strokes |= small[owner].astype(np.uint8) & cv2.dilate(strokes, reach)
    groups = cv2.connectedComponentsWithStats(cv2.dilate(strokes, reach), connectivity=8)[2][1:]
    edge = reach.shape[1] // 2, reach.shape[0] // 2
    boxes: list[Box] = [
        (float(x + edge[0]), float(y + edge[1]), float(x + w - edge[0]), float(y + h - edge[1]))
        for x, y, w, h, _ in groups.tolist()
    ]
    boxes = [box for box in boxes if box[2] - box[0] >= 1.2 * letter and box[3] - box[1] >= letter]
    return sorted(boxes, key=lambda box: -_area(box))


def _places_of(marks: PageMarks, label: Label) -> Iterator[Box]:
    """Give the places that a label may belong to: on a line beside, above or below it, or in the gap after it."""
    letter, (left, top, right, bottom) = marks.letter, label.box
    rules = marks.rules.astype(float)
    length = rules[:, 2] - rules[:, 0]
    rules = rules[(length >= _SHORTEST_LINE * letter) & (length <= _LONGEST_LINE * letter)]
    y = rules[:, 3]
    across = np.minimum(rules[:, 2], right) - np.maximum(rules[:, 0], left)
    beside = (np.abs(y - bottom) <= 1.0 * letter) & (rules[:, 2] > right + 2 * letter)
    beside &= rules[:, 0] < right + 12 * letter
    above = (y < top + 0.3 * letter) & (y > top - 1.6 * letter) & (across > 0.3 * (right - left))
    if label.cue == "closing":
        gap = _gap_below(marks, label)
        # two formulas may follow each other
        if gap[3] - gap[1] >= _LEAST_GAP * letter:
            yield gap
        return
    for x, rule in sorted(zip(rules[beside, 0], rules[beside], strict=True), key=lambda pair: pair[0])[:1]:
        yield _over(rule, letter, start=max(x, right + 0.2 * letter))
    for rule in rules[above][-1:]:
        yield _over(rule, letter)
    # a person has a title on many other papers too
    if beside.any() or above.any() or label.cue == "role":
        return
    below = (y > bottom + 0.8 * letter) & (y < bottom + _COLUMN * letter) & (across > 0.3 * (right - left))
    column = sorted(rules[below].tolist(), key=lambda rule: rule[3])[:_MOST_LINES]
    for number, rule in enumerate(column):
        # the first line may be the bottom of a cell, with the label in it
        yield _over(np.array(rule), letter, top=bottom if number == 0 else column[number - 1][3])
    # "received" and "approved" are said of much that nobody signs
    if not column and label.cue != "approve" and label.words <= _FEW_WORDS:
        yield (right + 0.3 * letter, top - 1.5 * letter, right + _OPEN * letter, bottom + 0.8 * letter)


def _over(rule: npt.NDArray[np.float64], letter: float, *, start: float = -np.inf, top: float = -np.inf) -> Box:
    foot = float(rule[3])
    high = max(foot - _ABOVE * letter, min(top, foot - letter))
    return max(float(rule[0]), start), high, float(rule[2]), foot + _BELOW * letter


def _gap_below(marks: PageMarks, label: Label) -> Box:
    """Give the gap between the closing formula of a letter and the next line of print below it."""
    letter, (left, _, _, bottom) = marks.letter, label.box
    end = left + _OPEN * letter
    below = [
        word.box[1]
        for word in marks.words
        if word.printed and bottom + 0.5 * letter < word.box[1] and word.box[0] < end and word.box[2] > left - letter
    ]
    return left - letter, bottom + 0.2 * letter, end, min([*below, bottom + 7 * letter])


def _add(places: list[Box], box: Box) -> None:
    for number, place in enumerate(places):
        if overlap(box, place) > _SAME and _area(box) < 5 * _area(place):
            if _area(box) > _area(place):
                places[number] = bounding_box([place, box])
            return
    places.append(box)


def is_level(one: Box, other: Box) -> bool:
    """Return whether the centre of a box is between the top and bottom of another, that is not much smaller."""
    return other[1] <= (one[1] + one[3]) / 2 <= other[3] and _area(one) < 6 * _area(other)


def overlap(one: Box, other: Box) -> float:
    """Give the share of the smaller of two boxes that both cover."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height) / max(1e-9, min(_area(one), _area(other)))


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def clipped(box: Box, size: tuple[int, int]) -> Box:
    """Give the part of a box on a page, at least one pixel."""
    left, top = min(max(0.0, box[0]), size[0] - 1.0), min(max(0.0, box[1]), size[1] - 1.0)
    return left, top, min(max(left + 1, box[2]), float(size[0])), min(max(top + 1, box[3]), float(size[1]))
