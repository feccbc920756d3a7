"""From margins to calibrated scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def softmax(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn calibrated margins, shape (n, k), into probabilities; rows sum to 1."""
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_softmax(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the natural logarithms of what `softmax` gives, of which none is infinite."""
    lower = margins - margins.max(axis=1, keepdims=True)
    return np.asarray(lower - np.log(np.exp(lower).sum(axis=1, keepdims=True)))


def fit_temperature(
    margins: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> float:
    """Find the inverse temperature: the factor that calibrates out-of-fold margins of shape (n, k)."""
    # Temperature scaling: C. Guo et al., "On calibration of modern neural networks", ICML 2017, as scikit-learn has it.
    # The document with the median lead counts once more, with every category alike, as if one further document had a
    # random one: a small set without a single mistake would otherwise make the model certain of everything.
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
