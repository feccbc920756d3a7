"""Documents of unknown kinds, simulated from the training documents: what is accepted if a category is left out.

Each category is left out of training in turn, and its documents are predicted by a model of the others: to that model
they are of an unknown kind. How sure it is of them shows which scores mean little, and which categories are so loose
that they take whatever comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.model.accept import LOWEST, AcceptanceCurve, Level
from textclf.model.linear import fit_svm
from textclf.model.training_texts import TrainingTexts

MAX_PARTS = 10
"""Models that are fitted, at most: of more categories, several are left out together."""
LOOSE, LOOSER, LEAST = 1 / 3, 2, 10
"""Share of the documents of other categories that a loose one takes, how many times the mean that is, and how many."""


def left_out_margins(observed: TrainingTexts, matrix: Any, *, c: float, seed: int) -> NDArray[np.float64]:
    """Give the margins of each document from a model trained without its category, shape (n, k).

    The rows of the matrix are those of `TrainingTexts.targets`. In the place of a category left out stands the least
    margin of the others. With two categories there is no other model: shape (0, 2).
    """
    documents, categories = len(observed.labels), len(observed.categories)
    if categories < 3:
        return np.empty((0, categories))
    # copies would hardly change a margin
    rows = observed.originals
    matrix, targets, weights = matrix[rows], observed.targets[rows], observed.target_weights[rows]
    margins = np.empty((documents, categories))
    for others, asked in left_out_parts(observed.labels, categories):
        # out-of-distribution documents, numbered after the last category, are never left out
        kept = np.isin(targets, [*others, categories])
        slopes, intercept = fit_svm(
            matrix[kept],
            np.searchsorted(others, targets[kept]),
            weights[kept],
            categories=len(others),
            c=c,
            seed=seed,
        )
        put_left_out(margins, others, asked, matrix[asked] @ slopes.T + intercept)
    return margins


def left_out_parts(labels: NDArray[np.int64], categories: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Leave out each category in turn, or several together: gives the other ones, and the documents left out."""
    parts = np.arange(categories) % MAX_PARTS
    for part in np.unique(parts).tolist():
        others = np.flatnonzero(parts != part)
        yield others, np.flatnonzero(~np.isin(labels, others))


def put_left_out(
    margins: NDArray[np.float64], others: NDArray[np.int64], asked: NDArray[np.int64], found: NDArray[np.float64]
) -> None:
    """Put margins of the other categories in their places; in the place of one left out stands the least of them."""
    margins[asked] = found.min(axis=1, keepdims=True)
    margins[np.ix_(asked, others)] = found


def lowest_score(scores: NDArray[np.float64], unknown: NDArray[np.float64], max_unknown: float) -> float:
    """Find the score that at most a share of the simulated documents of unknown kinds reaches.

    It is raised at most to the median of the out-of-fold scores that could be accepted, so that half of these still
    are. Both arrays hold the largest score of each document.
    """
    if not len(unknown) or max_unknown >= 1:
        return LOWEST
    rank = int(max_unknown * len(unknown))
    enough = np.nextafter(np.sort(unknown)[-rank - 1], 2)
    likely = scores[scores >= LOWEST]
    return float(max(LOWEST, min(enough, np.median(likely)))) if len(likely) else LOWEST


def without_unknown_kinds(
    curve: AcceptanceCurve,
    scores: NDArray[np.float64],
    right: NDArray[np.bool_],
    unknown: NDArray[np.float64],
    max_unknown: float,
) -> AcceptanceCurve:
    """Let no threshold be lower than `lowest_score`, and tell the share of simulated documents that each accepts."""

    def told(level: Level) -> Level:
        return replace(level, unknown=float((unknown >= level.threshold).mean())) if len(unknown) else level

    threshold = lowest_score(scores, unknown, max_unknown)
    taken = scores >= threshold
    lowest = Level(
        documents=int(taken.sum()),
        wrong=int((~right[taken]).sum()),
        expected_wrong=float((1 - scores[taken]).sum()),
        threshold=threshold,
    )
    return replace(curve, levels=tuple(map(told, curve.levels)), lowest=told(lowest))


def warn_of_loose(categories: Sequence[str], labels: NDArray[np.int64], unknown: NDArray[np.float64]) -> Iterator[str]:
    """Warn of each category that takes many documents of others, given the simulated scores, shape (n, k)."""
    if not len(unknown):
        return
    taken = np.bincount(unknown.argmax(axis=1)[unknown.max(axis=1) >= LOWEST], minlength=len(categories))
    shares = taken / (len(labels) - np.bincount(labels, minlength=len(categories)))
    for category, many, share in zip(categories, taken.tolist(), shares.tolist(), strict=True):
        if many >= LEAST and share >= max(LOOSE, LOOSER * shares.mean()):
            yield (
                f"category {category!r} is loose: it takes {share:.0%} of the documents of other categories if these "
                "are left out of training, and may take documents of unknown kinds too; train with some of them "
                "(--other, out_of_distribution), or divide it into narrower categories"
            )
