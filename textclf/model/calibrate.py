"""Calibration: temperature scaling turns margins into scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def softmax(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn calibrated margins, shape (n, k), into probabilities; rows sum to 1."""
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_softmax(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithms of `softmax`, all of them finite."""
    lower = margins - margins.max(axis=1, keepdims=True)
    return np.asarray(lower - np.log(np.exp(lower).sum(axis=1, keepdims=True)))


def fit_temperature(
    margins: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> float:
    """Find the inverse temperature: the factor that calibrates out-of-fold margins of shape (n, k)."""
    # Temperature scaling: C. Guo et al., "On calibration of modern neural networks", ICML 2017, as scikit-learn has it.
    # One further document is added, with the margins of the document of median lead and its weight shared equally by
    # all categories: otherwise a small set without a single mistake would make the model certain of everything.
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.calibration import CalibratedClassifierCV

    class Margins(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        """Passes the given margins on to scikit-learn's calibrator."""

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
    # softmax depends on differences only; scikit-learn takes values from 0 to 1 for probabilities, so all are negative
    rows = rows - rows.max(axis=1, keepdims=True) - 1
    counted = np.ones(documents) if weights is None else weights
    counted = np.concatenate([counted, np.full(categories, 1 / categories)])
    whole = [(np.arange(len(rows)), np.arange(len(rows)))]
    scaler = CalibratedClassifierCV(Margins(), method="temperature", ensemble=False, cv=whole)
    scaler.fit(rows, labels, sample_weight=counted)
    inverse_temperature = float(scaler.calibrated_classifiers_[0].calibrators[0].beta_)
    # with two categories scikit-learn expands the margin m to (-m, m), whose difference is twice ours
    return inverse_temperature * 2 if categories == 2 else inverse_temperature
