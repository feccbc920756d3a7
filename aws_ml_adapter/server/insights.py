"""Figures for the web pages, computed from evaluations and statistics."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aws_ml_adapter.api.rearrangement import Rearrangement, SplitStrategy
from aws_ml_adapter.engine.performance import BinaryScores, Confusion
from aws_ml_adapter.engine.statistics import NumericStatistics

_BINS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """The outcome of a BINARY model that predicts 1 (positive) for scores of at least the threshold."""

    threshold: float
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def accuracy(self) -> float:
        """Share of the rows that are predicted correctly."""
        right = self.true_positives + self.true_negatives
        return right / (right + self.false_positives + self.false_negatives)

    @property
    def precision(self) -> float | None:
        """Share of the predictions of 1 that are correct; None if there are none."""
        answers = self.true_positives + self.false_positives
        return self.true_positives / answers if answers else None

    @property
    def recall(self) -> float:
        """Share of the rows of target 1 that are found."""
        return self.true_positives / (self.true_positives + self.false_negatives)

    @property
    def false_positive_rate(self) -> float:
        """Share of the rows of target 0 that are predicted as 1."""
        return self.false_positives / (self.false_positives + self.true_negatives)


def at_cutoff(histogram: BinaryScores, threshold: float) -> Cutoff:
    """Count correct and wrong predictions at the threshold of 0.01, 0.02, ... 0.99 that is nearest.

    The histogram has at least one row of each target, as evaluations have:
    https://docs.aws.amazon.com/machine-learning/latest/dg/binary-model-insights.html.
    """
    bins = len(histogram.negatives)
    first = min(max(round(threshold * bins), 1), bins - 1)
    return Cutoff(
        threshold=first / bins,
        true_positives=sum(histogram.positives[first:]),
        false_positives=sum(histogram.negatives[first:]),
        true_negatives=sum(histogram.negatives[:first]),
        false_negatives=sum(histogram.positives[:first]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A confusion matrix as displayed, most frequent classes first."""

    classes: tuple[str, ...]
    """Without the classes that are merged into the last row and column."""
    counts: tuple[tuple[int, ...], ...]
    """Rows of data by true class (first index) and predicted class (second)."""
    f_scores: tuple[float | None, ...]
    """F1 of each class; None if the data lack the class, and for the merged classes."""
    joined: int
    """Number of classes merged into the last row and column; 0 if none are merged."""

    @property
    def true(self) -> tuple[int, ...]:
        """Rows of data of each true class."""
        return tuple(map(sum, self.counts))

    @property
    def predicted(self) -> tuple[int, ...]:
        """Rows of data of each predicted class."""
        return tuple(map(sum, zip(*self.counts, strict=True)))


def shown_matrix(confusion: Confusion, *, max_classes: int = 10) -> Matrix:
    """Order classes by frequency, and merge the rarest into one if there are more than ``max_classes``.

    https://docs.aws.amazon.com/machine-learning/latest/dg/multiclass-model-insights.html
    """
    counts = np.array(confusion.counts)
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    joined = len(order) - max_classes + 1 if len(order) > max_classes else 0
    named = order[: len(order) - joined]
    # the row and column of each class; the last one for all merged classes
    places = np.full(len(order), len(named))
    places[named] = range(len(named))
    size = len(named) + bool(joined)
    shown = np.zeros((size, size), np.int64)
    np.add.at(shown, (places[:, None], places[None, :]), counts)
    scores = confusion.f_scores()
    return Matrix(
        classes=tuple(confusion.classes[i] for i in named),
        counts=tuple(tuple(row) for row in shown.tolist()),
        f_scores=(*(scores[i] for i in named), *([None] if joined else [])),
        joined=joined,
    )


def equal_bins(numbers: NumericStatistics) -> tuple[float, ...]:
    """Estimate from quantiles the shares of numbers in 20 bins of equal width, or of each integer if they are few."""
    # halved, because the difference of the largest floats would overflow
    quantiles = np.array(numbers.quantiles) / 2
    edges = np.linspace(quantiles[0], quantiles[-1], _BINS + 1)
    if edges[-1] - edges[0] < _BINS / 2 and all(map(float.is_integer, numbers.quantiles)):
        edges = np.arange(2 * quantiles[0] - 0.5, 2 * quantiles[-1] + 1) / 2
    steps = len(quantiles) - 1
    # in reverse, because a value on an edge belongs to the bin above, except for the maximum
    below = steps - np.interp(-edges, -quantiles[::-1], range(steps + 1))
    below[-1] = steps
    return tuple((np.diff(below) / steps).tolist())


def may_share_rows(first: Rearrangement, second: Rearrangement) -> bool:
    """Return whether two shares of the same data can have rows in common.

    Two random shares with different seeds, or a random and a sequential one, may always, unless one is empty.
    """
    rows = [{*range(100)} - _percents(each) if each.complement else _percents(each) for each in (first, second)]
    alike = first.strategy is second.strategy
    if alike and (first.strategy is SplitStrategy.SEQUENTIAL or first.seed == second.seed):
        return not rows[0].isdisjoint(rows[1])
    return all(rows)


def _percents(share: Rearrangement) -> set[int]:
    return {*range(share.begin, share.end)}


def ticks(highest: float, *, max_ticks: int = 4) -> tuple[float, ...]:
    """Return the ticks of an axis from 0 to at least the highest value, in steps of 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(highest / max_ticks))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * max_ticks >= highest)
    step = max(step, 1)
    return tuple(step * i for i in range(math.ceil(highest / step) + 1))
