"""From margins to scores, and from scores to what may be accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.base.errors import UsageError
from textclf.model.prediction import Acceptance

LEVELS = 20
"""How many numbers of accepted documents are tried."""
SEQUENCE_DOCUMENTS, MAX_SEQUENCES = 150, 4
"""Documents for each sequence of levels, and sequences at most: one alone would end at a first chance mistake."""
LOWEST = 0.5
"""A score that is never accepted: more likely wrong than right."""


def softmax(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn margins into probabilities.

    Parameters
    ----------
    margins : ndarray of float64, shape (n, k)
        Calibrated margins, natural-log units.

    Returns
    -------
    ndarray of float64, shape (n, k)
        Rows sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_softmax(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the natural logarithms of what `softmax` gives, of which none is infinite."""
    lower = margins - margins.max(axis=1, keepdims=True)
    return np.asarray(lower - np.log(np.exp(lower).sum(axis=1, keepdims=True)))


def fit_temperature(
    margins: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> float:
    """Find the factor that turns out-of-fold margins into calibrated probabilities.

    Parameters
    ----------
    margins : ndarray of float64, shape (n, k)
        Margins of documents by models that had not seen them, k at least 2.
    truth : ndarray of int64, shape (n,)
        Number of the true category of each.
    weights : ndarray of float64, shape (n,), optional
        How much each counts; 1 each without them.

    Returns
    -------
    float
        The inverse temperature: multiply margins by it before `softmax`.

    Notes
    -----
    Temperature scaling: C. Guo et al., "On calibration of modern neural networks", ICML 2017, as scikit-learn has it.
    The document with the median lead counts once more, with every category alike, as if one further document had a
    random one: a small set without a single mistake would otherwise make the model certain of everything.
    """
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.calibration import CalibratedClassifierCV

    class Margins(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        """Hands given margins through, so that the library's calibrator sees them."""

        def fit(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
            self.classes_ = np.unique(y)
            return self

        def decision_function(self, x: Any) -> Any:
            return x[:, 1] - x[:, 0] if x.shape[1] == 2 else x

        def predict(self, x: Any) -> Any:
            return self.classes_[x.argmax(axis=1)]

    documents, categories = margins.shape
    ordered = np.sort(margins, axis=1)
    typical = np.argsort(ordered[:, -1] - ordered[:, -2], kind="stable")[documents // 2]
    rows = np.vstack([margins, np.repeat(margins[typical : typical + 1], categories, axis=0)])
    labels = np.concatenate([truth, np.arange(categories)])
    # softmax knows differences only; below zero, scikit-learn cannot take margins for probabilities
    rows = rows - rows.max(axis=1, keepdims=True) - 1
    counted = np.ones(documents) if weights is None else weights
    counted = np.concatenate([counted, np.full(categories, 1 / categories)])
    whole = [(np.arange(len(rows)), np.arange(len(rows)))]
    scaler = CalibratedClassifierCV(Margins(), method="temperature", ensemble=False, cv=whole)
    scaler.fit(rows, labels, sample_weight=counted)
    inverse_temperature = float(scaler.calibrated_classifiers_[0].calibrators[0].beta_)
    # scikit-learn spreads the one margin m of two categories to (-m, m); ours already is the difference of the two
    return inverse_temperature * 2 if categories == 2 else inverse_temperature


def least_documents(max_error: float, confidence: float) -> int:
    """Say how many documents without a mistake are needed to promise an error with some confidence.

    Examples
    --------
    >>> least_documents(0.05, 0.9)
    45
    """
    return int(np.ceil(np.log(1 - confidence) / np.log1p(-max_error)))


def check_promise(max_error: float, confidence: float) -> None:
    """Refuse a promise that makes no sense.

    Parameters
    ----------
    max_error, confidence : float
        As `choose_acceptance` takes them.

    Raises
    ------
    textclf.base.errors.UsageError
        One of them is not between 0 and 1.

    Examples
    --------
    >>> check_promise(5, 0.9)
    Traceback (most recent call last):
    textclf.base.errors.UsageError: max_error is 5; give a share between 0 and 1, such as 0.05
    """
    for name, value, example in (("max_error", max_error, 0.05), ("confidence", confidence, 0.9)):
        if not 0 < value < 1:
            raise UsageError(f"{name} is {value}", remedy=f"give a share between 0 and 1, such as {example}")


def why_nothing_is_accepted(acceptance: Acceptance) -> str:
    """Say what it would take to accept something, where `choose_acceptance` found no threshold."""
    least = least_documents(acceptance.max_error, acceptance.confidence)
    return (
        f"accepts nothing: to promise at most {acceptance.max_error:.1%} errors with {acceptance.confidence:.0%} "
        f"confidence, the {least} surest documents at least must be right; "
        "train on more documents, or bear more with --max-error (max_error)"
    )


def choose_acceptance(
    scores: NDArray[np.float64], right: NDArray[np.bool_], max_error: float, confidence: float = 0.9
) -> Acceptance:
    """Choose the lowest score to accept so that the error among accepted documents stays low enough.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Out-of-fold scores of the predicted categories.
    right : ndarray of bool, shape (n,)
        Whether the predicted category is the true one.
    max_error : float
        Error among accepted documents that can be borne, 0 to 1.
    confidence : float, default 0.9
        How sure it shall be that the error stays under it, for documents like these.

    Returns
    -------
    Acceptance
        The threshold lies halfway between the lowest score accepted and the highest one not accepted, or 0.5 where
        that is higher: what is more likely wrong than right is never accepted.

    Notes
    -----
    Of the m documents with the highest scores w are wrong. That their error rate is above `max_error` is given up
    where as few as w mistakes would then come with a chance below ``1 - confidence``: a binomial test, the dual of the
    bound of C. J. Clopper and E. S. Pearson (Biometrika 26, 1934). Trying one m after the other would sooner or later
    find one by luck, so the levels are fixed beforehand, every twentieth of the documents, and tested in order from
    few to many until one fails; with many documents up to four levels start such a sequence, and share the chance of
    error, which a sequence that succeeds hands on to the next (B. L. Wiens, "A fixed sequence Bonferroni procedure",
    Pharmaceutical Statistics 2, 2003; used so for thresholds by A. N. Angelopoulos et al., "Learn then test",
    arXiv:2110.01052). At 0.05 and 0.9 at least 45 documents without a mistake are needed before anything is accepted.

    Examples
    --------
    >>> import numpy as np
    >>> choose_acceptance(np.linspace(0.5, 1, 100), np.arange(100) >= 10, 0.05).accepted
    0.9
    """
    from scipy.stats import binom

    nothing = Acceptance(max_error=max_error, confidence=confidence, threshold=1.01, accepted=0.0, error=0.0)
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], right[order]
    documents = len(scores)
    sequences = min(max(documents // SEQUENCE_DOCUMENTS, 1), MAX_SEQUENCES)
    alone = (1 - confidence) / sequences
    first = least_documents(max_error, 1 - alone)
    levels = np.unique(np.append(np.linspace(0, documents, LEVELS + 1).astype(int), first))
    levels = levels[(levels >= first) & (levels <= documents)]
    starts = set(levels[(np.arange(sequences) * len(levels)) // sequences].tolist()) if len(levels) else set()
    likely = int((scores >= LOWEST).sum())
    chance, best = 0.0, 0
    for level in levels.tolist():
        chance += alone * (level in starts)
        # a threshold takes all documents of the same score or none
        taken = min(int(np.searchsorted(-scores, -scores[level - 1], side="right")), likely)
        wrong = int(taken - right[:taken].sum())
        if chance and binom.cdf(wrong, taken, max_error) <= chance:
            best = taken
        else:
            chance = 0.0
    if not best:
        return nothing
    highest_left = max(float(scores[best]) if best < documents else 0.0, LOWEST)
    return Acceptance(
        max_error=max_error,
        confidence=confidence,
        threshold=(float(scores[best - 1]) + highest_left) / 2,
        accepted=best / documents,
        error=float(1 - right[:best].mean()),
    )
