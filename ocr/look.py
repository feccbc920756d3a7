"""The look of a page: what its image shows whatever its words say.

Measured on the page scaled to one size, in grey and in ink on paper:

- ``ink``: share of ink in a grid over the page (zoning);
- ``gradients``: histograms of oriented gradients (N. Dalal, B. Triggs, CVPR 2005);
- ``runs``: lengths of runs of ink and of paper, across and down, of the page and its quarters (A. Gordo, F. Perronnin,
  E. Valveny, "Large-scale document image retrieval and classification with runlength histograms and binary embeddings",
  Pattern Recognition 46, 2013);
- ``components``: height, width, fill and ink of connected components: letters, rules, boxes, pictures, handwriting;
- ``patterns``: the neighbours of each pixel of ink, at three sizes (local binary patterns: T. Ojala, M. Pietikäinen,
  T. Mäenpää, PAMI 24, 2002);
- ``profiles``: projections of the ink onto both sides of the page, and their spectra, which show the spacing of lines;
- ``page``: shape of the page, share of ink, brightness, contrast and shades.

Counts become shares, and shares their square roots, by which rare values count too (the Hellinger kernel).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ocr.ink import local_threshold
from textclf.base.look_format import BLOCKS, COLUMNS, ROWS, encode_look

WIDTH, HEIGHT = 512, 672
_SMALL = (WIDTH // 4, HEIGHT // 4)
_PAPER = 235
"""Shade from which nothing is ink."""
_RUN_ENDS = 2 ** np.arange(8)
"""Longest runs of all classes of lengths but the last."""
_HEIGHTS, _WIDTHS = np.array([3, 5, 7, 10, 14, 20, 32, 64]), np.array([3, 5, 7, 10, 14, 20, 32, 64])
_SIDES = np.array([4, 8, 12, 20, 40, 80, 160])
_INK_HEIGHTS, _INK_WIDTHS = np.array([6, 10, 14, 20, 32, 64, 128]), np.array([6, 12, 24, 48, 96, 192, 384])
_SPECK = 3
_LOUDEST = 4.0
"""Logarithm of what the strongest band of a spectrum may reach."""
_NEIGHBOURS = np.array([[1, 2, 4], [8, 0, 16], [32, 64, 128]], dtype=np.float32)
_PATTERN_INK = 0.3
"""Share of ink from which a pixel of a bitmap made smaller is ink."""


def measure_look(image: Image.Image) -> str:
    """Measure an upright grey page image; gives the text that `textclf.base.look_format` reads."""
    # one thread, because pages are read in parallel already
    cv2.setNumThreads(1)
    # whole factors are several times faster
    factor = max(1, min(image.width // WIDTH, image.height // HEIGHT))
    reduced = np.asarray(image.reduce(factor) if factor > 1 else image)
    grey = cv2.resize(reduced, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    mean, weight = local_threshold(grey)
    # a page that is blank but for its grey has none
    ink = ((grey < mean * weight) & (grey < _PAPER)).astype(np.uint8)
    measures = {
        "ink": np.sqrt(cv2.resize(ink.astype(np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)),
        "gradients": _gradients(cv2.resize(grey, _SMALL, interpolation=cv2.INTER_AREA)),
        "runs": np.stack([_runs(ink), _runs(np.ascontiguousarray(ink.T))]),
        "components": _components(ink),
        "patterns": np.stack([_patterns(ink), *(_patterns(_smaller(ink, factor)) for factor in (2, 4))]),
        "profiles": _profiles(ink),
        "page": _page(grey, ink, image.width / image.height),
    }
    return encode_look(np.concatenate([measures[name].ravel() for name in BLOCKS]))


def _smaller(ink: NDArray[Any], factor: int) -> NDArray[np.uint8]:
    reduced = cv2.resize(ink.astype(np.float32), (WIDTH // factor, HEIGHT // factor), interpolation=cv2.INTER_AREA)
    found: NDArray[np.uint8] = (reduced > _PATTERN_INK).astype(np.uint8)
    return found


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn counts along the last axis into square roots of shares."""
    return np.asarray(np.sqrt(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)))


def _gradients(grey: NDArray[Any]) -> NDArray[np.float64]:
    rows, columns, directions = BLOCKS["gradients"]
    size, angle = cv2.cartToPolar(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    direction = (angle * (directions / np.pi)).astype(np.int64) % directions
    row = np.arange(grey.shape[0])[:, None] * rows // grey.shape[0]
    column = np.arange(grey.shape[1])[None] * columns // grey.shape[1]
    places = (row * columns + column) * directions + direction
    found = np.bincount(places.ravel(), size.ravel(), rows * columns * directions).reshape(-1, directions)
    total = found.sum(axis=1, keepdims=True)
    # little is said of a cell that is almost blank
    return np.asarray(np.sqrt(found / (total + 0.02 * total.mean() + 1e-6)))


def _runs(ink: NDArray[Any]) -> NDArray[np.float64]:
    """Count runs along rows by place, colour and class of length: shape (5, 2, 9), the page and its quarters."""
    height, width = ink.shape
    edges = np.ones((height, width + 1), dtype=bool)
    edges[:, 1:width] = ink[:, 1:] != ink[:, :-1]
    places = np.flatnonzero(edges.ravel())
    rows, starts = np.divmod(places[:-1], width + 1)
    kept = starts < width
    rows, starts, lengths = rows[kept], starts[kept], np.diff(places)[kept]
    kinds = ink[rows, starts] * 9 + _RUN_ENDS.searchsorted(lengths)
    quarters = 2 * (2 * rows >= height) + (2 * starts + lengths >= width)
    found = np.bincount(quarters * 18 + kinds, minlength=72).reshape(4, 2, 9).astype(np.float64)
    return _shares(np.concatenate([found.sum(axis=0, keepdims=True), found]))


def _components(ink: NDArray[Any]) -> NDArray[np.float64]:
    # the first component is the paper
    found = cv2.connectedComponentsWithStats(ink, connectivity=8)[2][1:]
    width, height, area = found[found[:, 4] >= _SPECK, 2:].T
    high, wide = _SIDES.searchsorted(height), _SIDES.searchsorted(width)
    counts = (
        np.bincount(_HEIGHTS.searchsorted(height), minlength=9),
        np.bincount(_WIDTHS.searchsorted(width), minlength=9),
        np.bincount(np.minimum(9 * area // np.maximum(width * height, 1), 8), minlength=9),
        np.bincount(8 * high + wide, minlength=64),
        np.bincount(_INK_HEIGHTS.searchsorted(height), area, 8),
        np.bincount(_INK_WIDTHS.searchsorted(width), area, 8),
    )
    return np.concatenate([_shares(count.astype(np.float64)) for count in counts])


def _patterns(ink: NDArray[Any]) -> NDArray[np.float64]:
    codes = cv2.filter2D(ink.astype(np.float32), cv2.CV_32F, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    return _shares(np.bincount(codes[ink > 0].astype(np.int64), minlength=256).astype(np.float64))


def _profiles(ink: NDArray[Any]) -> NDArray[np.float64]:
    found = []
    for axis, parts, bands, band in ((1, 48, 32, 5), (0, 32, 16, 6)):
        profile = ink.mean(axis=axis)
        reduced = cv2.resize(profile[None].astype(np.float32), (parts, 1), interpolation=cv2.INTER_AREA)[0]
        spectrum = np.abs(np.fft.rfft(profile - profile.mean()))[: bands * band]
        found += [np.sqrt(reduced), np.log1p(spectrum.reshape(bands, band).max(axis=1)) / _LOUDEST]
    return np.concatenate(found)


def _page(grey: NDArray[Any], ink: NDArray[Any], shape: float) -> NDArray[np.float64]:
    shades = np.bincount((grey >> 5).ravel(), minlength=8).astype(np.float64)
    facts = [(1 + np.log2(shape) / 2) / 2, ink.mean() * 3, grey.mean() / 255, grey.std() / 128]
    return np.concatenate([facts, _shares(shades)])
