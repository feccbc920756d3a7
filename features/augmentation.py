"""Augmented copies of training texts: with the errors of real OCR, without line breaks, or cut to their first third.

The counts in ``ocr_confusions.json`` come from ``benchmarks/learn_confusions.py``; they hold no text of those pages.
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
"""Shares of all errors in the table that insert a stray character, and that misread two characters together."""

NOISE = 0.1
"""Share of misread characters in a misread copy: about one word in three is affected, as in bad scans."""
TOP_EVERY = 3
"""One text in so many also has a copy of its first third."""


class _Confusions(NamedTuple):
    """What a piece of text was read as, and the cumulative share of each reading but the last."""

    readings: tuple[str, ...]
    shares: NDArray[np.float64]


def add_ocr_noise(text: str, rate: float, rng: np.random.Generator) -> str:
    """Replace, delete and insert characters, at a rate of 0 to 1, with the frequencies of real OCR errors.

    Line breaks stay. Capitals are misread like their lower-case letters; where a character was never misread, only a
    stray character may be inserted.
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
        # a stray character replaces none, other readings replace one or two
        known = [length for length in (1, 2) if folded[place : place + length] in table] or [0]
        length = 0 if kind < STRAY else known[-1] if kind > 1 - PAIR else known[0]
        found = table[folded[place : place + length]]
        parts.append(text[done:place])
        parts.append(found.readings[int(np.searchsorted(found.shares, draw, side="right"))])
        done = place + length
    parts.append(text[done:])
    return "".join(parts)


class AugmentedCopies(NamedTuple):
    """Copies of some texts, and the position of the original of each."""

    texts: list[str]
    of: NDArray[np.int64]


def augmented_copies(texts: Sequence[str], seed: int) -> AugmentedCopies:
    """Make augmented copies: one of each text, and one more of every third text.

    Every other text is misread, the others lose their line breaks; the further copies hold the first third of the
    lines, or of the words where a text has no lines. A model that is trained on them too does not depend on what a bad
    scan, a PDF without lines or a partly read page lacks.
    """
    texts = as_texts(texts)
    copies = [
        add_ocr_noise(text, NOISE, np.random.default_rng([seed, i])) if i % 2 else " ".join(text.split())
        for i, text in enumerate(texts)
    ]
    numbers = np.arange(len(texts))
    return AugmentedCopies(
        [*copies, *map(_first_third, texts[::TOP_EVERY])], np.concatenate([numbers, numbers[::TOP_EVERY]])
    )


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
