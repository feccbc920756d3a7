"""Calibration: a correction of the margins for categories that are confused, and temperature scaling into scores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MIN_DOCUMENTS = 30
"""Documents per category, on average, from which margins are corrected; with fewer it made scores worse."""
MIXING_PENALTY, SHIFT_PENALTY = 10.0, 2.0
"""Penalties of squared corrections, the first times the number of categories, in units of a document's log loss."""


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


class Correction(NamedTuple):
    """A linear correction of margins, close to none, which linear weights can take up."""

    matrix: NDArray[np.float64]  # (k, k), from the margins as fitted to corrected ones
    shift: NDArray[np.float64]  # (k,)

    def of(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Correct margins, shape (n, k)."""
        return margins @ self.matrix + self.shift


def fit_correction(
    margins: NDArray[np.float64],
    truth: NDArray[np.int64],
    inverse_temperature: float,
    weights: NDArray[np.float64] | None = None,
) -> Correction:
    """Fit a correction that lowers the log loss of out-of-fold margins at this inverse temperature."""
    # Matrix scaling with a penalty on all that differs from temperature scaling: M. Kull et al., "Beyond temperature
    # scaling", NeurIPS 2019, arXiv:1910.12656. It learns how common the categories are and which are confused.
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    documents, categories = margins.shape
    identity = np.eye(categories)
    if documents < MIN_DOCUMENTS * categories:
        return Correction(identity, np.zeros(categories))
    scaled, wanted = margins * inverse_temperature, identity[truth]
    counted = (np.ones(documents) if weights is None else weights)[:, None]
    penalties = np.full((categories + 1, categories), MIXING_PENALTY * categories)
    penalties[-1] = SHIFT_PENALTY

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        given = flat.reshape(penalties.shape)
        logarithms = log_softmax(scaled + scaled @ given[:-1] + given[-1])
        slopes = counted * (np.exp(logarithms) - wanted)
        gradient = np.vstack([scaled.T @ slopes, slopes.sum(axis=0)]) + penalties * given
        return float((penalties * given**2).sum() / 2 - (counted * wanted * logarithms).sum()), gradient.ravel()

    # sums in another order, as with more threads, would change the last bits
    with threadpool_limits(1):
        found = minimize(loss, np.zeros(penalties.size), jac=True, method="L-BFGS-B").x.reshape(penalties.shape)
    return Correction(identity + found[:-1], found[-1] / inverse_temperature)
