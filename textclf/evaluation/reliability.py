"""Whether scores can be relied on: what accepting by score costs, and how close scores come to the share right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BINS, LEAST_IN_BIN = 10, 10
"""Bins of the report's reliability diagram, and documents in each; with fewer documents there are fewer bins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedAt:
    """How much could be accepted at one error.

    Parameters
    ----------
    max_error : float
        Error among accepted documents that may be reached, 0 to 1.
    accepted : float
        Largest share of documents with no more error than that, 0 to 1; 0 if there is none.
    error : float or None
        Share of wrong ones among those; None if none is accepted.
    threshold : float or None
        The lowest score accepted; None if none is.
    """

    max_error: float
    accepted: float
    error: float | None
    threshold: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskCoverage:
    """The error among accepted documents as the score asked for falls: one point for each score that occurs.

    Parameters
    ----------
    documents : int
        All documents, also those without a score.
    thresholds : ndarray of float64, shape (m,)
        The scores that occur, falling: documents with at least this score are accepted.
    accepted : ndarray of float64, shape (m,)
        Share of the documents accepted, rising; 1 at the end if all have a score.
    error : ndarray of float64, shape (m,)
        Share of wrong ones among the accepted.
    upper : ndarray of float64, shape (m,)
        Upper end of the one-sided 95 % interval of that error, for each point taken alone.
    """

    documents: int
    thresholds: NDArray[np.float64]
    accepted: NDArray[np.float64]
    error: NDArray[np.float64]
    upper: NDArray[np.float64]

    @property
    def area(self) -> float:
        """Area under the curve (AURC): the mean error over all shares accepted, 0 to 1; lower is better."""
        return float(np.diff(self.accepted, prepend=0.0) @ self.error / self.accepted[-1])

    def accepted_at(self, max_error: float) -> AcceptedAt:
        """Say how many of these documents could be accepted with no more than `max_error` wrong among them.

        The threshold is chosen with hindsight on the same documents: others will not do quite as well.
        """
        low_enough = np.flatnonzero(self.error <= max_error)
        if not len(low_enough):
            return AcceptedAt(max_error=max_error, accepted=0.0, error=None, threshold=None)
        last = low_enough[-1]
        return AcceptedAt(
            max_error=max_error,
            accepted=float(self.accepted[last]),
            error=float(self.error[last]),
            threshold=float(self.thresholds[last]),
        )

    def thinned(self, points: int) -> RiskCoverage:
        """Give the same curve by at most so many of its points, both ends among them."""
        kept = np.unique(np.linspace(0, len(self.thresholds) - 1, points).round().astype(int))
        return RiskCoverage(
            documents=self.documents,
            thresholds=self.thresholds[kept],
            accepted=self.accepted[kept],
            error=self.error[kept],
            upper=self.upper[kept],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Documents of neighbouring scores.

    Parameters
    ----------
    documents : int
        How many.
    score : float
        Their mean score, 0 to 1.
    right : float
        Share of right ones among them, 0 to 1.
    interval : tuple of float
        Lower and upper end of the 95 % Wilson interval of that share.
    """

    documents: int
    score: float
    right: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How close scores come to the share of right predictions.

    Parameters
    ----------
    documents : int
        Documents that were predicted; the others have no score.
    bins : tuple of ReliabilityBin
        Equally many documents in each, lowest scores first.
    ece : float
        `debiased_ece` over as many bins.
    ece_interval : tuple of float
        Its 95 % interval, see `ece_interval`.
    known : int
        Those of the documents whose category the model knows.
    log_loss, brier : float or None
        Over those, all categories' scores taken into account; None if there is none.
    """

    documents: int
    bins: tuple[ReliabilityBin, ...]
    ece: float
    ece_interval: tuple[float, float]
    known: int
    log_loss: float | None
    brier: float | None


def upper_error(wrong: NDArray[np.int64], accepted: NDArray[np.int64], confidence: float = 0.95) -> NDArray[np.float64]:
    """Bound an error rate from above.

    Parameters
    ----------
    wrong, accepted : ndarray of int64, shape (n,)
        Wrong documents among so many accepted ones, at least one.
    confidence : float, default 0.95
        How sure it shall be that the true rate is below.

    Returns
    -------
    ndarray of float64, shape (n,)
        Upper end of the one-sided interval of C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial
        limits illustrated in the case of the binomial", Biometrika 26 (1934), 404-413.

    Examples
    --------
    >>> import numpy as np
    >>> upper_error(np.array([0, 1]), np.array([59, 1])).round(4).tolist()
    [0.0495, 1.0]
    """
    from scipy.stats import beta

    some_right = wrong < accepted
    bound = beta.ppf(confidence, wrong + 1, np.where(some_right, accepted - wrong, 1))
    return np.where(some_right, bound, 1.0)


def risk_coverage(
    scores: NDArray[np.float64], right: NDArray[np.bool_], *, documents: int | None = None
) -> RiskCoverage:
    """Work out what accepting by score costs, for every threshold.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Score of each document, n at least 1. Any number that rises with trust will do.
    right : ndarray of bool, shape (n,)
        Whether its predicted category is the true one.
    documents : int, optional
        All documents, if there are more that have no score and so cannot be accepted; n without it.

    Returns
    -------
    RiskCoverage
        Documents of the same score are accepted together, so that their order changes nothing.

    References
    ----------
    Y. Geifman, R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017, arXiv:1705.08500 (the
    curve); Y. Geifman, G. Uziel, R. El-Yaniv, "Bias-reduced uncertainty estimation for deep neural classifiers",
    ICLR 2019, arXiv:1805.08206 (the area under it).

    Examples
    --------
    >>> import numpy as np
    >>> curve = risk_coverage(np.array([0.9, 0.8, 0.8, 0.3]), np.array([True, True, False, False]))
    >>> curve.accepted.tolist(), curve.error.round(2).tolist(), round(curve.area, 4)
    ([0.25, 0.75, 1.0], [0.0, 0.33, 0.5], 0.2917)
    >>> curve.accepted_at(0.4).accepted
    0.75
    """
    documents = documents or len(scores)
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    wrong = np.cumsum(~right[order], dtype=np.int64)[last]
    return RiskCoverage(
        documents=documents,
        thresholds=ordered[last],
        accepted=(last + 1) / documents,
        error=wrong / (last + 1),
        upper=upper_error(wrong, last + 1),
    )


def equal_mass(values: NDArray[np.float64], groups: int) -> list[NDArray[np.int64]]:
    """Part numbers into groups of neighbours, equally many in each as far as equal ones can stay together.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        The numbers, n at least 1.
    groups : int
        How many groups are wanted; fewer where many values are equal.

    Returns
    -------
    list of ndarray of int64
        Positions in `values`, lowest values first; no group is empty.

    Examples
    --------
    >>> import numpy as np
    >>> [group.tolist() for group in equal_mass(np.array([3.0, 1.0, 2.0, 2.0, 9.0, 4.0]), 3)]
    [[1, 2, 3], [0], [5, 4]]
    """
    order = np.argsort(values, kind="stable")
    return np.split(order, _ends(values[order], groups)[:-1])


def _ends(ordered: NDArray[np.float64], groups: int) -> NDArray[np.int64]:
    """Where each group of sorted values ends; the last number is their length."""
    wanted = np.linspace(0, len(ordered), groups + 1).round().astype(int)[1:]
    return np.unique(np.searchsorted(ordered, ordered[wanted[wanted > 0] - 1], side="right"))


def reliability_bins(
    scores: NDArray[np.float64], right: NDArray[np.bool_], bins: int = MOST_BINS
) -> tuple[ReliabilityBin, ...]:
    """Compare scores with the share of right predictions, bin by bin.

    Parameters
    ----------
    scores, right
        As for `risk_coverage`; the scores are probabilities.
    bins : int, default 10
        How many bins are wanted, see `equal_mass`.

    Returns
    -------
    tuple of ReliabilityBin
        Lowest scores first.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = reliability_bins(np.array([0.5, 0.6, 0.9, 1.0]), np.array([False, True, True, True]), bins=2)
    >>> low.score, low.right, high.right, round(high.interval[0], 3)
    (0.55, 0.5, 1.0, 0.342)
    """
    from scipy.stats import binomtest

    found = []
    for group in equal_mass(scores, bins):
        interval = binomtest(int(right[group].sum()), len(group)).proportion_ci(0.95, method="wilson")
        found.append(
            ReliabilityBin(
                documents=len(group),
                score=float(scores[group].mean()),
                right=float(right[group].mean()),
                interval=(float(interval.low), float(interval.high)),
            )
        )
    return tuple(found)


def debiased_ece(scores: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15) -> float:
    """Measure how far scores are from the share right: expected calibration error, L2 norm, debiased, equal mass.

    Parameters
    ----------
    scores, right, bins
        As for `reliability_bins`.

    Returns
    -------
    float
        Root of the weighted mean, over bins, of (mean score - share right) squared, less what chance adds to it,
        ``share * (1 - share) / (documents - 1)``; 0 where chance explains all. The plain estimate of a perfectly
        calibrated model is about 0.04 at 1,000 documents; this one is not pushed up. It is at least the L1 form,
        the mean distance, of the same bins.

    References
    ----------
    A. Kumar, P. Liang, T. Ma, "Verified uncertainty calibration", NeurIPS 2019, arXiv:1909.10155 (the debiased
    estimator); R. Roelofs et al., "Mitigating bias in calibration error estimation", AISTATS 2022, arXiv:2012.08668
    (bins of equal mass).

    Examples
    --------
    >>> import numpy as np
    >>> draw = np.random.default_rng(0)
    >>> scores = draw.uniform(0.5, 1, 4000)
    >>> round(debiased_ece(scores, draw.random(4000) < scores - 0.1), 2)
    0.1
    """
    order = np.argsort(scores, kind="stable")
    _, squared = _squared_error(scores[order], right[order], bins)
    return float(np.sqrt(max(squared, 0.0)))


def ece_interval(
    scores: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15, *, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Give the 95 % interval of `debiased_ece`.

    Parameters
    ----------
    scores, right, bins
        As for `debiased_ece`.
    draws : int, default 1000
        Bootstrap samples.
    seed : int, default 0
        Of the draws.

    Returns
    -------
    tuple of float
        Lower and upper end. The bootstrap is the basic (pivotal) one, on the squared error: a sample drawn from the
        documents stands to their plain error as the debiased error of the documents stands to the true one. Plain
        percentiles would carry the chance error of the documents and that of the draw both.

    References
    ----------
    A. C. Davison, D. V. Hinkley, "Bootstrap methods and their application", Cambridge 1997, section 5.2.

    Examples
    --------
    >>> import numpy as np
    >>> draw = np.random.default_rng(0)
    >>> scores = draw.uniform(0.5, 1, 1000)
    >>> low, high = ece_interval(scores, draw.random(1000) < scores, draws=200)
    >>> low == 0 < high < 0.06
    True
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


def log_loss(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Mean negative logarithm of the score given to the true category.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, k)
        Probability of each category; n at least 1.
    truth : ndarray of int64, shape (n,)
        Number of the true category of each document.

    Returns
    -------
    float
        In natural-log units, 0 at best; a score of 0 counts as the smallest number above it.

    Examples
    --------
    >>> import numpy as np
    >>> round(log_loss(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([1, 0])), 3)
    0.347
    """
    given = scores[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(given, np.finfo(np.float64).eps)).mean())


def brier(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Mean squared distance of the scores from the truth, summed over the categories.

    Parameters
    ----------
    scores, truth
        As for `log_loss`.

    Returns
    -------
    float
        0 at best, 2 at worst.

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78 (1950), 1-3.

    Examples
    --------
    >>> import numpy as np
    >>> brier(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([1, 0]))
    0.25
    """
    distance = scores - (np.arange(scores.shape[1]) == truth[:, None])
    return float((distance**2).sum(axis=1).mean())


def calibration(
    scores: NDArray[np.float64],
    right: NDArray[np.bool_],
    category_scores: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    seed: int = 0,
) -> Calibration:
    """Put together how close the scores of an evaluation come to the truth.

    Parameters
    ----------
    scores, right
        As for `risk_coverage`, of the documents that were predicted.
    category_scores, truth
        As for `log_loss`, of those among them whose category the model knows; there may be none.
    seed : int, default 0
        Of the bootstrap.

    Returns
    -------
    Calibration
        With at most ten bins of at least ten documents each.

    Examples
    --------
    >>> import numpy as np
    >>> all_scores = np.tile([0.75, 0.25], (40, 1))
    >>> found = calibration(all_scores[:, 0], np.arange(40) < 30, all_scores, np.repeat([0, 1], [30, 10]))
    >>> found.bins[0].score, found.bins[0].right, found.ece, found.brier
    (0.75, 0.75, 0.0, 0.375)
    """
    bins = max(min(len(scores) // LEAST_IN_BIN, MOST_BINS), 1)
    return Calibration(
        documents=len(scores),
        bins=reliability_bins(scores, right, bins),
        ece=debiased_ece(scores, right, bins),
        ece_interval=ece_interval(scores, right, bins, seed=seed),
        known=len(truth),
        log_loss=log_loss(category_scores, truth) if len(truth) else None,
        brier=brier(category_scores, truth) if len(truth) else None,
    )
