"""From margins to scores, and from scores to what may be accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.prediction import Acceptance

__all__ = ["choose_acceptance", "fit_temperature", "softmax"]


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


def fit_temperature(margins: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Find the factor that turns out-of-fold margins into calibrated probabilities.

    Parameters
    ----------
    margins : ndarray of float64, shape (n, k)
        Margins of documents by models that had not seen them, k at least 2.
    truth : ndarray of int64, shape (n,)
        Number of the true category of each.

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
    weights = np.concatenate([np.ones(documents), np.full(categories, 1 / categories)])
    whole = [(np.arange(len(rows)), np.arange(len(rows)))]
    scaler = CalibratedClassifierCV(Margins(), method="temperature", ensemble=False, cv=whole)
    scaler.fit(rows, labels, sample_weight=weights)
    inverse_temperature = float(scaler.calibrated_classifiers_[0].calibrators[0].beta_)
    # scikit-learn spreads the one margin m of two categories to (-m, m); ours already is the difference of the two
    return inverse_temperature * 2 if categories == 2 else inverse_temperature


def choose_acceptance(scores: NDArray[np.float64], right: NDArray[np.bool_], max_error: float) -> Acceptance:
    """Choose the lowest score to accept so that the error among accepted documents stays low enough.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Out-of-fold scores of the predicted categories.
    right : ndarray of bool, shape (n,)
        Whether the predicted category is the true one.
    max_error : float
        Error among accepted documents that can be borne, 0 to 1.

    Returns
    -------
    Acceptance
        The threshold that accepts most while ``(wrong + 1) / (accepted + 1) <= max_error``. It lies halfway between
        the lowest score accepted and the highest one not accepted, or 0.5 where that is higher: what is more likely
        wrong than right is never accepted.

    Notes
    -----
    The added one stands for the document to come, as in conformal risk control (A. N. Angelopoulos et al., "Conformal
    risk control", ICLR 2024, theorem 1). It is a rule of thumb here, not the theorem's promise: that wants an error
    that can only grow as more is accepted, and this share can fall. With ``max_error`` 0.05 at least 19 documents
    without a mistake are needed before anything is accepted.

    Examples
    --------
    >>> import numpy as np
    >>> choose_acceptance(np.linspace(0.5, 1, 40), np.arange(40) >= 10, 0.05)
    Acceptance(max_error=0.05, threshold=0.6217948717948718, accepted=0.75, error=0.0)
    """
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], right[order]
    accepted = np.arange(1, len(scores) + 1)
    wrong = np.cumsum(~right)
    # a threshold takes all documents of the same score or none
    last_of_score = np.append(scores[1:] < scores[:-1], True)
    possible = np.flatnonzero(((wrong + 1) / (accepted + 1) <= max_error) & last_of_score & (scores >= 0.5))
    if not len(possible):
        return Acceptance(max_error=max_error, threshold=1.01, accepted=0.0, error=0.0)
    best = possible[-1]
    highest_left = max(float(scores[best + 1]) if best + 1 < len(scores) else 0.0, 0.5)
    threshold = (float(scores[best]) + highest_left) / 2
    return Acceptance(
        max_error=max_error,
        threshold=threshold,
        accepted=float(accepted[best] / len(scores)),
        error=float(wrong[best] / accepted[best]),
    )
