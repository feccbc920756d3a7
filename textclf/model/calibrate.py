"""Calibration: a correction of margins for categories that are confused, and temperature scaling into scores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.base.one_thread import one_thread
from textclf.model.folds import Folds

MIN_DOCUMENTS = 30
"""Documents per category, on average, from which margins are corrected; with fewer it made scores worse."""
MIXING_PENALTY = 10.0
"""Penalty of squared corrections, times the number of categories, in units of a document's log loss."""
COPY_WEIGHT = 0.5
"""Of an augmented copy, relative to its document: the correction is to hold for misread texts too."""


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


def fit_correction(
    margins: NDArray[np.float64], truth: NDArray[np.int64], inverse_temperature: float, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit a matrix, by which to multiply margins, that lowers their log loss at this inverse temperature."""
    # Matrix scaling with a penalty on all that differs from temperature scaling: M. Kull et al., "Beyond temperature
    # scaling", NeurIPS 2019, arXiv:1910.12656. It learns which categories are confused. There is no constant, nor does
    # the mean of a document's margins count, which is nearly one: on misread texts, whose margins are closer to each
    # other, it would decide too much.
    from scipy.optimize import minimize

    identity = np.eye(margins.shape[1])
    scaled, wanted, counted = margins * inverse_temperature, identity[truth], weights[:, None]
    scaled -= scaled.mean(axis=1, keepdims=True)
    penalty = MIXING_PENALTY * len(identity)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mixing = flat.reshape(identity.shape)
        logarithms = log_softmax(scaled + scaled @ mixing)
        gradient = scaled.T @ (counted * (np.exp(logarithms) - wanted)) + penalty * mixing
        return float(penalty * (mixing**2).sum() / 2 - (counted * wanted * logarithms).sum()), gradient.ravel()

    with one_thread():
        mixing = minimize(loss, np.zeros(identity.size), jac=True, method="L-BFGS-B").x.reshape(identity.shape)
    return np.asarray(identity + mixing - mixing.mean(axis=0))


class Scored(NamedTuple):
    """Scores of training documents, by models that were not trained on them, or not on their category."""

    scores: NDArray[np.float64]  # (n, k), out of fold
    unknown: NDArray[np.float64]  # (n, k), of models without the category of the document, or (0, k)

    def right(self, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which documents have the highest score for their own category."""
        return np.asarray(self.scores.argmax(axis=1) == labels)


class Calibration(NamedTuple):
    """What turns margins into scores, and the out-of-fold margins that show how good these are."""

    inverse_temperature: float
    correction: NDArray[np.float64]  # (k, k), by which to multiply margins
    corrected: NDArray[np.float64]  # (n, k), each document by a correction fitted to documents of the other folds


def calibrate(
    margins: NDArray[np.float64],
    truth: NDArray[np.int64],
    weights: NDArray[np.float64],
    folds: Folds,
    *,
    copies: NDArray[np.float64],
    copied: NDArray[np.int64],
) -> Calibration:
    """Fit to out-of-fold margins of documents, and of their augmented copies, of the documents `copied`."""
    documents, categories = margins.shape
    inverse_temperature = fit_temperature(margins, truth, weights)
    # of a share of the documents, as for the learning curve, only that share is learned from
    if sum(len(train) for train, _ in folds) < MIN_DOCUMENTS * categories * (len(folds) - 1):
        return Calibration(inverse_temperature, np.eye(categories), margins)
    of, rows = np.append(np.arange(documents), copied), np.vstack([margins, copies])
    counted = np.append(weights, COPY_WEIGHT * weights[copied])

    def fitted_to(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        taken = np.isin(of, chosen)
        return fit_correction(rows[taken], truth[of[taken]], inverse_temperature, counted[taken])

    corrected = np.empty_like(margins)
    for train, test in folds:
        corrected[test] = margins[test] @ fitted_to(train)
    return Calibration(inverse_temperature, fitted_to(np.arange(documents)), corrected)
