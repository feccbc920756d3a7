"""Reliability of scores: risk-coverage curve, calibration error, log loss and Brier score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BINS, MIN_IN_BIN = 10, 10
"""Bins of the report's reliability diagram, and documents per bin; with fewer documents there are fewer bins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedAt:
    """The largest share of documents that can be accepted with no more than `max_error` wrong among them."""

    max_error: float
    accepted: float
    # error and lowest score among the accepted; None if nothing can be accepted
    error: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskCoverage:
    """Risk-coverage curve: the error among accepted documents as the threshold falls, a point per different score."""

    # scores from which documents are accepted, in descending order
    thresholds: NDArray[np.float64]
    # share of all documents, including those without a score
    accepted: NDArray[np.float64]
    error: NDArray[np.float64]
    # upper end of the one-sided 95 % interval of the error at each single point
    upper: NDArray[np.float64]

    @property
    def area(self) -> float:
        """Area under the curve (AURC): the mean error over all shares accepted, 0 to 1; lower is better."""
        return float(np.diff(self.accepted, prepend=0.0) @ self.error / self.accepted[-1])

    def accepted_at(self, max_error: float) -> AcceptedAt:
        """Choose the threshold in hindsight; on other documents the error will be a little higher."""
        low_enough = np.flatnonzero(self.error <= max_error)
        if not len(low_enough):
            return AcceptedAt(max_error=max_error, accepted=0.0)
        accepted, error, threshold = (
            float(values[low_enough[-1]]) for values in (self.accepted, self.error, self.thresholds)
        )
        return AcceptedAt(max_error=max_error, accepted=accepted, error=error, threshold=threshold)

    def thinned(self, points: int) -> RiskCoverage:
        """Keep at most `points` points of the curve, including both ends."""
        kept = np.unique(np.linspace(0, len(self.thresholds) - 1, points).round().astype(int))
        return replace(self, **{name: getattr(self, name)[kept] for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Documents of neighbouring scores: their mean score, the share right, and its 95 % Wilson interval."""

    documents: int
    score: float
    right: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How close scores are to the share of right predictions."""

    # documents that were predicted; the others have no score
    documents: int
    bins: tuple[ReliabilityBin, ...]
    ece: float
    ece_interval: tuple[float, float]
    # documents whose category the model knows, over which the losses are; None without any
    known: int
    log_loss: float | None
    brier: float | None


def upper_error(wrong: NDArray[Any], accepted: NDArray[Any], confidence: float = 0.95) -> NDArray[np.float64]:
    """Give the upper end of the one-sided Clopper-Pearson interval of each error rate, for `accepted` of 1 or more."""
    from scipy.stats import beta

    some_right = wrong < accepted
    bound = beta.ppf(confidence, wrong + 1, np.where(some_right, accepted - wrong, 1))
    return np.where(some_right, bound, 1.0)


def wilson_interval(right: int, documents: int) -> tuple[float, float]:
    """Give the 95 % Wilson score interval of a share."""
    from scipy.stats import binomtest

    interval = binomtest(right, documents).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def risk_coverage(
    scores: NDArray[np.float64], right: NDArray[np.bool_], *, documents: int | None = None
) -> RiskCoverage:
    """Compute the risk-coverage curve; `documents` also counts those without a score.

    Sources: Y. Geifman, R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017 (the curve);
    Y. Geifman, G. Uziel, R. El-Yaniv, "Bias-reduced uncertainty estimation", ICLR 2019 (the area under it).
    """
    from sklearn.metrics import confusion_matrix_at_thresholds

    # documents of the same score are accepted together, so that their order changes nothing
    _, wrong, _, well, thresholds = confusion_matrix_at_thresholds(right, scores)
    accepted = wrong + well
    return RiskCoverage(
        thresholds=thresholds,
        accepted=accepted / (documents or len(scores)),
        error=wrong / accepted,
        upper=upper_error(wrong, accepted),
    )


def equal_mass(values: NDArray[np.float64], groups: int) -> list[NDArray[np.int64]]:
    """Split values into groups of about equal size, lowest first; gives their positions in `values`.

    Equal values stay together, so there may be fewer groups.
    """
    order = np.argsort(values, kind="stable")
    return np.split(order, _ends(values[order], groups)[:-1])


def _ends(ordered: NDArray[np.float64], groups: int) -> NDArray[np.int64]:
    """End of each group of sorted values; the last is their number."""
    wanted = np.linspace(0, len(ordered), groups + 1).round().astype(int)[1:]
    return np.unique(np.searchsorted(ordered, ordered[wanted[wanted > 0] - 1], side="right"))


def reliability_bins(
    scores: NDArray[np.float64], right: NDArray[np.bool_], bins: int = MAX_BINS
) -> tuple[ReliabilityBin, ...]:
    """Compare scores with the share of right predictions in bins of equal mass, lowest scores first."""
    return tuple(
        ReliabilityBin(
            documents=len(group),
            score=float(scores[group].mean()),
            right=float(right[group].mean()),
            interval=wilson_interval(int(right[group].sum()), len(group)),
        )
        for group in equal_mass(scores, bins)
    )


def debiased_ece(scores: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15) -> float:
    """Estimate the expected calibration error in the L2 norm, debiased, in bins of equal mass; 0 if chance explains it.

    For a perfectly calibrated model the plain estimate is about 0.04 at 1,000 documents; this one is unbiased.
    Sources: A. Kumar, P. Liang, T. Ma, "Verified uncertainty calibration", NeurIPS 2019 (the debiased estimator);
    R. Roelofs et al., "Mitigating bias in calibration error estimation", AISTATS 2022 (bins of equal mass).
    """
    order = np.argsort(scores, kind="stable")
    _, squared = _squared_error(scores[order], right[order], bins)
    return float(np.sqrt(max(squared, 0.0)))


def ece_interval(
    scores: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15, *, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Give the 95 % interval of `debiased_ece` by a basic (pivotal) bootstrap on the squared error.

    The debiased error of a sample differs from the plain error of the documents as the debiased error of the documents
    differs from the true error; percentiles would include the chance error of both documents and sample. Source:
    A. C. Davison, D. V. Hinkley, "Bootstrap methods and their application", Cambridge 1997, section 5.2.
    """
    generator = np.random.default_rng(seed)
    order = np.argsort(scores, kind="stable")
    scores, right = scores[order], right[order]
    plain, debiased = _squared_error(scores, right, bins)
    drawn = np.empty(draws)
    for i in range(draws):
        times = np.bincount(generator.integers(len(scores), size=len(scores)), minlength=len(scores))
        drawn[i] = _squared_error(np.repeat(scores, times), np.repeat(right, times), bins)[1]
    low, high = np.quantile(drawn - plain, [0.025, 0.975])
    return float(np.sqrt(max(debiased - high, 0.0))), float(np.sqrt(max(debiased - low, 0.0)))


def _squared_error(ordered: NDArray[np.float64], right: NDArray[np.bool_], bins: int) -> tuple[float, float]:
    """Squared calibration error of documents sorted by score, plain and debiased (which may be negative)."""
    ends = _ends(ordered, bins)
    starts = np.append(0, ends[:-1])
    documents = ends - starts
    share = np.add.reduceat(right.astype(np.float64), starts) / documents
    squares = (np.add.reduceat(ordered, starts) / documents - share) ** 2
    chance = share * (1 - share) / np.maximum(documents - 1, 1)
    return float(documents @ squares) / len(ordered), float(documents @ (squares - chance)) / len(ordered)


def losses(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> tuple[float, float]:
    """Give log loss in natural units, and Brier score summed over the categories (0 to 2); scores have shape (n, k)."""
    from sklearn.metrics import brier_score_loss, log_loss

    # rounding may lift a score or the sum of a row slightly above 1
    scores = scores / scores.sum(axis=1, keepdims=True)
    labels = np.arange(scores.shape[1])
    brier = brier_score_loss(truth, scores, labels=labels, scale_by_half=False)
    return float(log_loss(truth, scores, labels=labels)), float(brier)


def calibration(
    scores: NDArray[np.float64],
    right: NDArray[np.bool_],
    category_scores: NDArray[np.float64],
    truth: NDArray[np.int64],
) -> Calibration:
    """Compute all figures; `category_scores` and `truth` are for the documents of a known category, if any."""
    bins = max(min(len(scores) // MIN_IN_BIN, MAX_BINS), 1)
    log_loss, brier = losses(category_scores, truth) if len(truth) else (None, None)
    return Calibration(
        documents=len(scores),
        bins=reliability_bins(scores, right, bins),
        ece=debiased_ece(scores, right, bins),
        ece_interval=ece_interval(scores, right, bins),
        known=len(truth),
        log_loss=log_loss,
        brier=brier,
    )
