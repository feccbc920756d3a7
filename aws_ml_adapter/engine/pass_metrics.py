"""What the predictions of a pass over the training rows were worth, for the log of the job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.kinds import ModelType


class PassMetrics:
    """Counts how often several learners are right, each row predicted before it is learned from.

    Parameters
    ----------
    model_type : ModelType
        What is learned; of REGRESSION the loss says all.
    width : int
        Scores of a row.
    rows : int
        Of a pass.
    learners : int
        How many.

    Examples
    --------
    >>> metrics = PassMetrics(ModelType.BINARY, width=1, rows=4, learners=1)
    >>> margins = np.array([-2, 1, 3, 4], np.float32).reshape(4, 1, 1)
    >>> metrics.add(slice(0, 4), margins, np.array([0, 0, 1, 1], np.float32))
    >>> metrics.describe()
    'accuracy=0.75 recall=1 precision=0.666667 f1=0.8 auc=1'
    """

    def __init__(self, model_type: ModelType, width: int, rows: int, learners: int) -> None:
        self._type = model_type
        binary = model_type is ModelType.BINARY
        # one count for each pair of a true and a predicted class
        self._classes = 2 if binary else width if model_type is ModelType.MULTICLASS else 0
        self._counts = np.zeros((learners, self._classes**2), np.int64)
        # apart from each other, so that to keep some copies none
        self._margins = [np.zeros(rows if binary else 0, np.float32) for _ in range(learners)]
        self._positive = np.zeros(rows if binary else 0, np.bool_)

    def add(self, rows: slice, margins: NDArray[np.float32], values: NDArray[np.float32]) -> None:
        """Count a block of rows.

        Parameters
        ----------
        rows : slice
            Their places in the pass.
        margins : ndarray of float32, shape (n, learners, width)
            What each learner gave them.
        values : ndarray of float32, shape (n,)
            The truth: 0 or 1, or the number of the class.
        """
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
        """Forget all learners but the chosen ones.

        Parameters
        ----------
        chosen : sequence of int
            Their places.
        """
        self._counts, self._margins = self._counts[list(chosen)], [self._margins[i] for i in chosen]

    def describe(self) -> str:
        """Say what the first learner reached.

        Returns
        -------
        str
            ``name=value``, separated by blanks: of two classes accuracy, recall, precision, F1 and AUC, of several
            accuracy and the mean of their F1 scores, of REGRESSION nothing.
        """
        return " ".join(f"{name}={value:.6g}" for name, value in self.figures().items())

    def figures(self) -> dict[str, float]:
        """Give what the first learner reached, as `describe` says it."""
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
    """Give the area under the ROC curve: the share of pairs in which the positive row has the higher score.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
        Which rows are positive.
    scores : ndarray of float32 or float64, shape (n,)
        Higher for what is rather positive; ties count half.

    Returns
    -------
    float
        0 to 1; NaN if all rows are alike.

    References
    ----------
    J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC)
    curve", Radiology 143, 1982.

    Examples
    --------
    >>> area_under_curve(np.array([False, True, True]), np.array([0.1, 0.1, 0.7], np.float32))
    0.75
    """
    lower, upper = np.sort(scores[~positive]), np.sort(scores[positive])
    pairs = len(lower) * len(upper)
    above = sum(int(lower.searchsorted(upper, side).sum()) for side in ("left", "right")) / 2
    return above / pairs if pairs else float("nan")
