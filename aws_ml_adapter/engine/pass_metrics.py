"""Metrics of the predictions during a training pass, for the log of the job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.kinds import ModelType


class PassMetrics:
    """Metrics of several learners; each row is predicted before the update."""

    def __init__(self, model_type: ModelType, width: int, rows: int, learners: int) -> None:
        self._type = model_type
        binary = model_type is ModelType.BINARY
        # one count for each pair of true and predicted class
        self._classes = 2 if binary else width if model_type is ModelType.MULTICLASS else 0
        self._counts = np.zeros((learners, self._classes**2), np.int64)
        # separate arrays, so that dropping some copies nothing
        self._margins = [np.zeros(rows if binary else 0, np.float32) for _ in range(learners)]
        self._positive = np.zeros(rows if binary else 0, np.bool_)

    def add(self, rows: slice, margins: NDArray[np.float32], values: NDArray[np.float32]) -> None:
        """Add a block of rows with margins of shape (n, learners, width) and their true values."""
        if not self._classes:
            return
        binary = self._type is ModelType.BINARY
        predicted = margins[:, :, 0] > 0 if binary else margins.argmax(axis=2)
        pairs = values.astype(np.int64)[:, None] * self._classes + predicted
        for counts, own in zip(self._counts, pairs.T, strict=True):
            counts += np.bincount(own, minlength=len(counts))
        if binary:
            for kept, given in zip(self._margins, margins[:, :, 0].T, strict=True):
                kept[rows] = given
            self._positive[rows] = values > 0

    def keep(self, chosen: Sequence[int]) -> None:
        """Drop all learners except the chosen ones."""
        self._counts, self._margins = self._counts[list(chosen)], [self._margins[i] for i in chosen]

    def describe(self) -> str:
        """Format all `figures` as ``name=value``, separated by spaces."""
        return " ".join(f"{name}={value:.6g}" for name, value in self.figures().items())

    def figures(self) -> dict[str, float]:
        """Return accuracy and F1 of the first learner; for BINARY also recall, precision, AUC; for REGRESSION none."""
        if not self._classes:
            return {}
        counts = self._counts[0].reshape(self._classes, self._classes)
        right, true, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
        f1 = 2 * right / np.maximum(true + predicted, 1)
        found = {"accuracy": right.sum() / max(counts.sum(), 1)}
        if self._type is ModelType.MULTICLASS:
            found["macro-f1"] = f1[true + predicted > 0].mean() if counts.any() else 0.0
        else:
            found |= {"recall": right[1] / max(true[1], 1), "precision": right[1] / max(predicted[1], 1)}
            found |= {"f1": f1[1], "auc": area_under_curve(self._positive, self._margins[0])}
        return {name: float(value) for name, value in found.items()}


def area_under_curve(positive: NDArray[np.bool_], scores: NDArray[np.floating[Any]]) -> float:
    """Return the area under the ROC curve by the Mann-Whitney statistic; NaN if all rows have the same target."""
    lower, upper = np.sort(scores[~positive]), np.sort(scores[positive])
    pairs = len(lower) * len(upper)
    above = sum(int(lower.searchsorted(upper, side).sum()) for side in ("left", "right")) / 2
    return above / pairs if pairs else float("nan")
