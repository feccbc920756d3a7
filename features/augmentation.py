"""Texts as poor OCR would have read them, to train on: what was read for what is learned from real pages.

The counts in ``ocr_confusions.json`` come from ``benchmarks/learn_confusions.py``; no text of those pages is in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.layout import has_lines
from features.text_arguments import as_texts
from features.tokens import fold

STRAY, PAIR = 0.15, 0.2
"""Shares of all errors in the table: a stray character was added, two characters were read as one thing."""

NOISE = 0.1
"""Share of misread characters in an augmented copy: on pages of poor scans one word in three is then hit."""
TOPS = 3
"""Texts for each one whose first third is trained on."""


class _Confusions(NamedTuple):
    """What was read for a piece of text, and up to which share of all readings each of them goes."""

    readings: tuple[str, ...]
    shares: NDArray[np.float64]


def add_ocr_noise(text: str, rate: float, rng: np.random.Generator) -> str:
    """Misread a share of the characters of a text, 0 to 1: replace, drop and add some as real OCR did.

    Line breaks stay. Capitals are misread as their small letters are; before a character that was never misread only a
    stray one may come.
    """
    table = _table()
    folded = fold(text)
    hits = np.flatnonzero(rng.random(len(text)) < rate)
    draws = rng.random((len(hits), 2))
    parts = []
    done = 0
    for place, (kind, draw) in zip(hits.tolist(), draws.tolist(), strict=True):
        if place < done or text[place] == "\n":
            continue
        # a stray character stands for nothing, the others for one or two that were there
        known = [length for length in (1, 2) if folded[place : place + length] in table] or [0]
        length = 0 if kind < STRAY else known[-1] if kind > 1 - PAIR else known[0]
        found = table[folded[place : place + length]]
        parts.append(text[done:place])
        parts.append(found.readings[int(np.searchsorted(found.shares, draw, side="right"))])
        done = place + length
    parts.append(text[done:])
    return "".join(parts)


class AugmentedCopies(NamedTuple):
    """Copies of some texts, and the position of the text that each is a copy of."""

    texts: list[str]
    of: NDArray[np.int64]


def augmented_copies(texts: Sequence[str], seed: int) -> AugmentedCopies:
    """Make copies of texts as they might have come: misread, without line breaks, or the first third only.

    Trained on beside the texts, they teach a model not to lean on what a poor scan, a PDF without lines or a page of
    which only the upper part was read lacks. One of each text, every other misread and the others without line breaks;
    and the first third of the lines, or of the words where there are no lines, of each third text.
    """
    texts = as_texts(texts)
    copies = [
        add_ocr_noise(text, NOISE, np.random.default_rng([seed, i])) if i % 2 else " ".join(text.split())
        for i, text in enumerate(texts)
    ]
    numbers = np.arange(len(texts))
    return AugmentedCopies([*copies, *map(_first_third, texts[::TOPS])], np.concatenate([numbers, numbers[::TOPS]]))


def _first_third(text: str) -> str:
    pieces, between = (text.split("\n"), "\n") if has_lines(text) else (text.split(), " ")
    return between.join(pieces[: max(1, round(len(pieces) / 3))])


@cache
def _table() -> dict[str, _Confusions]:
    data = json.loads(files("features").joinpath("ocr_confusions.json").read_text(encoding="utf-8"))
    readings: dict[str, dict[str, int]] = {}
    for true, read, count in data["confusions"]:
        readings.setdefault(true, {})[read] = count
    return {
        true: _Confusions(tuple(seen), np.cumsum(list(seen.values()))[:-1] / sum(seen.values()))
        for true, seen in readings.items()
    }
