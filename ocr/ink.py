"""Accounting for the ink of a page: the places and heights of letters, and the letters that no word covers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Boxes = npt.NDArray[np.int64]

FEW_LETTERS = 8
"""Fewer letters, as of two short words, are not treated as text."""

_SHORT_SIDE = 1000
_WINDOW = (31, 31)
_SENSITIVITY = 0.2
_CELL = 50
# FLANN_INDEX_KDTREE_SINGLE
_KD_TREE = 4
_NEAR, _FAR = (6, 4), (30, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of a page image with letters, and their median height in pixels; if scattered, words far apart."""

    box: tuple[int, int, int, int]
    letter_height: float
    letters: int
    is_scattered: bool = False


def letter_boxes(image: Image.Image) -> Boxes:
    """Find components with the size, shape and position of letters; rows of left, top, right, bottom, shape (n, 4)."""
    # connected components of ink, dark on light and light on dark; letters that touch count as one
    factor = max(1, round(min(image.size) / _SHORT_SIDE))
    grey = np.asarray(image.reduce(factor) if factor > 1 else image)
    # one thread, because pages are read in parallel already
    cv2.setNumThreads(1)
    mean, weight = local_threshold(grey)
    # ink is the rarer, paper the more frequent shade
    mostly_dark = cv2.boxFilter((grey < mean).astype(np.float32), cv2.CV_32F, (2 * _WINDOW[0], 2 * _WINDOW[1])) > 0.5
    found, specks = [np.zeros((0, 4), dtype=np.int64)], [np.zeros((0, 2), dtype=np.int64)]
    for ink in ((grey < mean * weight) & ~mostly_dark, (255 - grey < (255 - mean) * weight) & mostly_dark):
        if not ink.any():
            continue
        components: Boxes = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)[2].astype(np.int64)
        # the first component is the background
        left, top, width, height, area = (components[1:, column] for column in range(5))
        letter = (height >= 4) & (height < min(grey.shape) / 8) & (width <= 8 * height) & (height <= 6 * width)
        letter &= (area >= 0.15 * width * height) & (area < 0.95 * width * height)
        found.append(np.column_stack([left, top, left + width, top + height])[letter])
        specks.append(np.column_stack([left, top])[(width < 4) & (height < 4)])
    boxes = np.concatenate(found)
    boxes = boxes[_beside_another(boxes) | _beside_another(boxes[:, [1, 0, 3, 2]])]
    return boxes[~_is_noise(boxes, np.concatenate(specks), grey.shape)] * factor


def local_threshold(grey: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Give the local mean, and the factor of it below which a pixel is ink, each of the shape of the image.

    Source: J. Sauvola and M. Pietikäinen, "Adaptive document image binarization", Pattern Recognition 33, 2000.
    """
    mean = cv2.boxFilter(grey, cv2.CV_32F, _WINDOW)
    deviation = np.sqrt(np.maximum(cv2.sqrBoxFilter(grey, cv2.CV_32F, _WINDOW) - mean * mean, 0))
    return np.asarray(mean, np.float32), np.asarray(1 - _SENSITIVITY * (1 - deviation / 128), np.float32)


def _is_noise(boxes: Boxes, specks: Boxes, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return which boxes are among more than three times as many specks, as in halftone screens and scanner noise."""
    # on 20 real pages letters have 0 to 2 specks each around them; screens and black areas 4 and more
    counts = []
    for places in (boxes, specks):
        grid = np.zeros((shape[0] // _CELL + 1, shape[1] // _CELL + 1), dtype=np.float32)
        np.add.at(grid, (places[:, 1] // _CELL, places[:, 0] // _CELL), 1)
        counts.append(cv2.boxFilter(grid, cv2.CV_32F, (3, 3), normalize=False))
    noisy: npt.NDArray[np.bool_] = counts[1] > 3 * counts[0]
    return noisy[boxes[:, 1] // _CELL, boxes[:, 0] // _CELL]


def _beside_another(boxes: Boxes) -> npt.NDArray[np.bool_]:
    """Return which boxes have a neighbour on their line of similar height, at most 1.2 times that height away."""
    beside = np.zeros(len(boxes), dtype=bool)
    if len(boxes) < 2:
        return beside
    height = boxes[:, 3] - boxes[:, 1]
    # from each right lower corner to the nearest left lower corners; OpenCV's k-d tree is exact with unlimited checks
    lower_left, lower_right = (boxes[:, columns].astype(np.float32) for columns in ([0, 3], [2, 3]))
    tree = cv2.flann.Index(lower_left, {"algorithm": _KD_TREE})
    nearest, _ = tree.knnSearch(lower_right, min(4, len(boxes)), params={"checks": -1})
    left, right = np.repeat(np.arange(len(boxes)), nearest.shape[1]), nearest.ravel()
    tall, short = np.maximum(height[left], height[right]), np.minimum(height[left], height[right])
    gap, drop = boxes[right, 0] - boxes[left, 2], np.abs(boxes[right, 3] - boxes[left, 3])
    pair = (left != right) & (np.abs(gap) < 1.2 * tall) & (drop < 0.5 * tall) & (tall <= 2 * short)
    beside[left[pair]] = beside[right[pair]] = True
    return beside


def letter_height(boxes: Boxes) -> float | None:
    """Give the median height of letters in pixels, or None if there are too few."""
    return float(np.median(boxes[:, 3] - boxes[:, 1])) if len(boxes) >= FEW_LETTERS else None


def uncovered(boxes: Boxes, words: Iterable[tuple[float, float, float, float]]) -> Boxes:
    """Give the letter boxes whose centre lies in no word, enlarged by a quarter of its height."""
    covers = np.array(list(words), dtype=float).reshape(-1, 4)
    margin = (covers[:, 3:] - covers[:, 1:2]) / 4 + 1
    covers += margin * (-1, -1, 1, 1)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    free = np.ones(len(boxes), dtype=bool)
    # in blocks of words, to bound the memory
    for start in range(0, len(covers), 256):
        left, top, right, bottom = covers[start : start + 256].T[:, :, None]
        free &= ~((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).any(axis=0)
    return boxes[free]


def unread_regions(boxes: Boxes, size: tuple[int, int]) -> list[Region]:
    """Group letters that are close together, at least ``FEW_LETTERS``, into regions with a margin, from the top."""
    regions, scattered = _grouped(boxes, size, _NEAR)
    # words with wide gaps between them, such as the cells of a table
    far, _ = _grouped(scattered, size, _FAR)
    regions.extend(replace(region, is_scattered=True) for region in far)
    return sorted(regions, key=lambda region: (region.box[1], region.box[0]))


def _grouped(boxes: Boxes, size: tuple[int, int], reach: tuple[int, int]) -> tuple[list[Region], Boxes]:
    """Group letters at most `reach` letter heights apart, across and down; give the remaining letters too."""
    height = letter_height(boxes)
    if height is None:
        return [], boxes
    cells = (boxes / height).astype(int)
    grid = np.zeros((cells[:, 3].max() + 1, cells[:, 2].max() + 1), dtype=np.uint8)
    for left, top, right, bottom in cells.tolist():
        grid[top : bottom + 1, left : right + 1] = 1
    count, labels = cv2.connectedComponents(cv2.dilate(grid, np.ones((reach[1] + 1, reach[0] + 1))))
    owner = labels[cells[:, 1], cells[:, 0]]
    regions, alone = [], np.ones(len(boxes), dtype=bool)
    for label in range(1, count):
        own = boxes[owner == label]
        own_height = letter_height(own)
        if own_height is None:
            continue
        alone &= owner != label
        room = round(own_height)
        left, top = (max(0, int(edge) - room) for edge in own[:, :2].min(axis=0))
        right, bottom = (min(side, int(edge) + room) for side, edge in zip(size, own[:, 2:].max(axis=0), strict=True))
        regions.append(Region(box=(left, top, right, bottom), letter_height=own_height, letters=len(own)))
    return regions, boxes[alone]


def without_rules(image: Image.Image, height: float) -> Image.Image:
    """Paint over ruled lines, runs of ink more than three letters long, in the colour of the paper."""
    # Tesseract ignores table cells between thick rules
    grey = np.asarray(image).copy()
    ink = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]
    run = max(2, round(3 * height))
    across, down = (cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(shape, np.uint8)) for shape in ((1, run), (run, 1)))
    # including the grey pixels at their edges
    grey[cv2.dilate(cv2.max(across, down), np.ones((3, 3), np.uint8)) > 0] = np.median(grey)
    return Image.fromarray(grey)
