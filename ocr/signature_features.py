"""What a place looks like, in numbers: its ink, strokes and lines, what was read in it, and the labels around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import cv2
import numpy as np
import numpy.typing as npt

from ocr.document import bounding_box
from ocr.page_marks import Box, MarkedWord, Mask, PageMarks
from ocr.signature_cues import Cue, Label
from ocr.signature_search import PageView, clipped, is_level, overlap

FORMAT = 1
"""Rises when the features of a place change, because a model is worth something with its own features only."""

_CUES: tuple[Cue, ...] = get_args(Cue)
_NEAR = 4.0
"""Distance in letters at which a label counts for a third of what it does beside the place."""
_FAR = 12.0
"""Distance in letters beyond which a label belongs to something else."""
DIRECTIONS = slice(33, 105)
"""The features that count directions of strokes."""
_DIRECTIONS = 8
_ROWS, _COLUMNS = 2, 4
"""Cells of a place in which the directions of strokes are counted."""
_GRID = (32, 96)

_REACH = 2.5
"""Letters by which an edge is moved at most."""

Vector = npt.NDArray[np.float64]


def features(view: PageView, box: Box) -> npt.NDArray[np.float32]:
    """Describe a place, in the pixels of the marks, by numbers; shape (n_features,)."""
    marks, labels = view.marks, view.labels
    box = settled(view, box)
    inner, outer = _view(marks, box, 0.3), _view(marks, box, 1.5)
    return np.concatenate(
        [
            _shape(marks, box),
            _ink(marks, inner),
            _strokes(marks, inner),
            _directions(marks, inner),
            _lines(marks, box, inner, outer),
            _read(marks, box),
            _around(marks, labels, box),
            _nearest(view, box),
        ]
    ).astype(np.float32)


def settled(view: PageView, box: Box) -> Box:
    """Move the edges of a box that cuts through what a pen wrote, so that its exact bounds matter little."""
    reach = _REACH * view.marks.letter
    near = (box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach)
    written = [one for one in view.strokes if is_level(one, box) and overlap(one, box) > 0.3]
    left, top, right, bottom = bounding_box([box, *written])
    grown = max(left, near[0]), max(top, near[1]), min(right, near[2]), min(bottom, near[3])
    return clipped(grown, view.marks.size)


def _view(marks: PageMarks, box: Box, room: float) -> tuple[slice, slice]:
    """Give the rows and columns of a box with some letters of room around it."""
    width, height = marks.size
    left, top, right, bottom = box
    room *= marks.letter
    rows = slice(int(max(0, top - room)), int(max(top - room + 1, min(height, bottom + room))))
    return rows, slice(int(max(0, left - room)), int(max(left - room + 1, min(width, right + room))))


def _shape(marks: PageMarks, box: Box) -> Vector:
    width, height = (box[2] - box[0]) / marks.letter, (box[3] - box[1]) / marks.letter
    x, y = (box[0] + box[2]) / 2 / marks.size[0], (box[1] + box[3]) / 2 / marks.size[1]
    return np.array([np.log(width), np.log(height), np.log(width / height), x, y])


def _ink(marks: PageMarks, view: tuple[slice, slice]) -> Vector:
    """Measure how much ink there is, printed or not, and how it is spread."""
    ink, free = marks.ink[view], marks.free[view]
    total, own = float(ink.sum()), float(free.sum())
    squares = marks.letter**2
    rows, columns = free.sum(axis=1) > 0, free.sum(axis=0) > 0
    solid = cv2.erode(free, np.ones((4, 4), np.uint8)).sum()
    ys = np.nonzero(free)[0]
    middle, spread = (ys.mean() / len(free), ys.std() / len(free)) if ys.size else (0.5, 0.0)
    return np.array(
        [
            np.log1p(100 * own / free.size),
            np.log1p(100 * total / ink.size),
            np.log1p(own / squares),
            own / max(1.0, total),
            rows.mean(),
            columns.mean(),
            float(solid) / max(1.0, own),
            middle,
            spread,
        ]
    )


def _strokes(marks: PageMarks, view: tuple[slice, slice]) -> Vector:
    """Measure the connected strokes that no printed word covers: their sizes, widths, lengths and loops."""
    free, letter = marks.free[view], marks.letter
    closed = cv2.morphologyEx(free, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    stats = stats[1:][stats[1:, 4] >= 5]
    if not len(stats):
        return np.zeros(19)
    wide, tall, area = stats[:, 2] / letter, stats[:, 3] / letter, stats[:, 4].astype(float)
    order = np.argsort(-area)
    largest = order[0]
    like_letters = (tall > 0.45) & (tall < 1.35) & (wide < 1.8)
    distance = cv2.distanceTransform(free, cv2.DIST_L2, 3)
    ridge = distance[(distance > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)) - 1e-6)]
    length = area.sum() / max(1.0, 2 * float(ridge.mean()))
    holes = cv2.connectedComponents((1 - closed).astype(np.uint8), connectivity=4)[0] - 2
    turns = (np.diff(free, axis=1) != 0).sum(axis=1)
    turns_down = (np.diff(free, axis=0) != 0).sum(axis=0)
    span = stats[:, 0].min(), (stats[:, 0] + stats[:, 2]).max()
    feet = (stats[:, 1] + stats[:, 3])[area >= np.median(area)] / letter
    return np.array(
        [
            np.log1p(len(stats)),
            min(8.0, tall.max()),
            min(20.0, wide.max()),
            tall[largest],
            min(20.0, wide[largest]),
            area[largest] / area.sum(),
            area[largest] / (stats[largest, 2] * stats[largest, 3]),
            np.average(tall, weights=area),
            np.average(wide, weights=area),
            area[like_letters].sum() / area.sum(),
            float(tall.std()),
            float(ridge.mean()) if ridge.size else 0.0,
            float(ridge.std()) if ridge.size else 0.0,
            np.log1p(length / letter),
            np.log1p(max(0, holes)),
            float(turns[turns > 0].mean()) / max(1.0, (span[1] - span[0]) / letter) if (turns > 0).any() else 0.0,
            float(turns_down[turns_down > 0].mean()) if (turns_down > 0).any() else 0.0,
            (span[1] - span[0]) / letter / 10,
            float(feet.std()),
        ]
    )


def _directions(marks: PageMarks, view: tuple[slice, slice]) -> Vector:
    """Count the directions of strokes, in all and by cell (Dalal and Triggs 2005, histograms of oriented gradients)."""
    free = marks.free[view]
    ys, xs = np.nonzero(free)
    if ys.size < 12:
        return np.zeros((1 + _ROWS * _COLUMNS) * _DIRECTIONS)
    tight = free[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].astype(np.float32)
    around = cv2.GaussianBlur(np.pad(tight, 2), (3, 3), 0).astype(np.float32)
    whole = _histogram(around)
    small = cv2.resize(around, _GRID[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    cells = [
        _histogram(small, np.s_[row * 16 : row * 16 + 16, column * 24 : column * 24 + 24])
        for row in range(_ROWS)
        for column in range(_COLUMNS)
    ]
    counts = np.concatenate(cells)
    return np.concatenate([whole / max(1e-6, whole.sum()), counts / max(1e-6, float(counts.max()))])


def _histogram(grey: npt.NDArray[np.float32], cell: tuple[slice, slice] = np.s_[:, :]) -> Vector:
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)[cell]
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)[cell]
    bins = ((np.arctan2(down, across) % np.pi) / np.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    lengths = np.hypot(across, down).ravel().astype(np.float64)
    return np.bincount(bins.ravel(), weights=lengths, minlength=_DIRECTIONS).astype(np.float64)


def _lines(marks: PageMarks, box: Box, inner: tuple[slice, slice], outer: tuple[slice, slice]) -> Vector:
    """Measure the ruled lines under, in and around a place."""
    letter = marks.letter
    foot = slice(int(max(0, box[3] - 1.2 * letter)), int(box[3] + 1.2 * letter))
    under = _longest(marks.across[foot, inner[1]])
    rules = marks.rules
    if len(rules):
        over = (np.minimum(rules[:, 2], box[2]) - np.maximum(rules[:, 0], box[0])) > 0.4 * (box[2] - box[0])
        inside = over & (rules[:, 3] > box[1] + letter) & (rules[:, 3] < box[3] - 0.8 * letter)
        above = over & (rules[:, 3] <= box[1] + letter) & (rules[:, 3] > box[1] - 6 * letter)
        below = over & (rules[:, 3] >= box[3] + letter) & (rules[:, 3] < box[3] + 7 * letter)
        near = over & (np.abs(rules[:, 3] - box[3]) <= 1.2 * letter)
        length = float((rules[near, 2] - rules[near, 0]).max()) / letter if near.any() else 0.0
        counts = [min(4, int(side.sum())) for side in (inside, above, below)]
    else:
        length, counts = 0.0, [0, 0, 0]
    sides = float(marks.down[outer].any(axis=0).sum()) / letter
    return np.array([under, np.log1p(length), *counts, min(2.0, sides), _longest(marks.across[inner])])


def _longest(across: Mask) -> float:
    """Give the share of the width that the best three neighbouring rows of a line cover."""
    if not across.size:
        return 0.0
    joined = cv2.dilate(across, np.ones((3, 1), np.uint8))
    return float(joined.mean(axis=1).max())


def _read(marks: PageMarks, box: Box) -> Vector:
    """Measure what was read in a place, printed or not."""
    inside = [word for word in marks.words if _shared(word, box) > 0.5]
    characters = "".join(word.text for word in inside)
    printed = [word for word in inside if word.printed]
    width = (box[2] - box[0]) / marks.letter
    digits = sum(map(str.isdigit, characters))
    covered = sum(word.box[2] - word.box[0] for word in printed) / max(1.0, box[2] - box[0])
    return np.array(
        [
            min(4.0, len(characters) / max(1.0, width)),
            digits / max(1, len(characters)),
            float(digits >= 3),
            np.log1p(len(printed)),
            float(np.mean([word.confidence for word in inside])) / 100 if inside else 0.0,
            min(3.0, covered),
            sum(map(str.isupper, characters)) / max(1, len(characters)),
            float("/" in characters or "-" in characters),
        ]
    )


def _shared(word: MarkedWord, box: Box) -> float:
    width = min(word.box[2], box[2]) - max(word.box[0], box[0])
    height = min(word.box[3], box[3]) - max(word.box[1], box[1])
    area = max(1.0, (word.box[2] - word.box[0]) * (word.box[3] - word.box[1]))
    return max(0.0, width) * max(0.0, height) / area


def _around(marks: PageMarks, labels: Sequence[Label], box: Box) -> Vector:
    """Measure how near the labels of each kind are on each side, and the print beside, above and below."""
    letter = marks.letter
    near = np.zeros((len(_CUES), 4))
    for label in labels:
        row = near[_CUES.index(label.cue)]
        for side, distance in enumerate(_distances(label.box, box, letter)):
            row[side] = max(row[side], np.exp(-distance / _NEAR))
    heading = np.zeros(3)
    for number, cues in enumerate((("sign", "approve"), ("date",), ("field",))):
        # a heading of the column, such as over a list of lines
        heading[number] = max(
            (
                np.exp(-(box[1] - label.box[3]) / letter / 20)
                for label in labels
                if label.cue in cues
                and label.box[3] < box[1] + letter
                and label.box[0] < box[2]
                and label.box[2] > box[0] - letter
            ),
            default=0.0,
        )
    print_near = np.zeros(3)
    for word in marks.words:
        if word.printed:
            for side, distance in enumerate(_distances(word.box, box, letter)[:3]):
                print_near[side] = max(print_near[side], np.exp(-distance / _NEAR))
    # the nearest kind of label to the left, above and below, against the others
    best = near[:, :3].max(axis=1)
    return np.concatenate([near.ravel(), heading, print_near, [best[:3].max() - best[5:].max()]])


def _nearest(view: PageView, box: Box) -> Vector:
    """Tell the kind of the nearest label and of the one before it on its line, and how near printed names are."""
    letter = view.marks.letter
    nearest, before = np.zeros(len(_CUES)), np.zeros(len(_CUES))
    best, closest = _FAR, 40.0
    for label in view.labels:
        left, above, below, inside = _distances(label.box, box, letter)
        # people write beside and above labels, and less often below
        distance = min(left, below, inside, 1.5 * above + 0.5)
        if distance < best:
            best, nearest = distance, np.zeros(len(_CUES))
            nearest[_CUES.index(label.cue)] = 1
        if left < closest:
            closest, before = left, np.zeros(len(_CUES))
            before[_CUES.index(label.cue)] = 1
    names = np.zeros(4)
    for name in view.names:
        for side, distance in enumerate(_distances(name, box, letter)):
            names[side] = max(names[side], np.exp(-distance / _NEAR))
    return np.concatenate([nearest, before, names, [min(best, _FAR) / _FAR]])


def _distances(other: Box, box: Box, letter: float) -> tuple[float, float, float, float]:
    """Give the distance in letters of a label that is to the left, above, below or inside; infinite elsewhere."""
    none = float("inf")
    level = min(other[3], box[3] + 0.5 * letter) - max(other[1], box[1] - 0.5 * letter) > 0.5 * (other[3] - other[1])
    within = min(other[2], box[2]) - max(other[0], box[0]) > min(2 * letter, 0.3 * (other[2] - other[0]))
    left = (box[0] - other[2]) / letter
    above, below = (box[1] - other[3]) / letter, (other[1] - box[3]) / letter
    return (
        max(0.0, left) if level and left > -2 else none,
        max(0.0, above) if within and above > -0.8 else none,
        max(0.0, below) if within and below > -0.8 else none,
        0.0 if within and level and left <= -2 else none,
    )
