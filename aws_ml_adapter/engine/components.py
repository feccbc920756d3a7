"""Principal components of the NUMERIC features, which replace them in gradient descent."""

# Gradient descent with a step size per weight is slow if features are nearly collinear, such as powers of one number.
# Components are uncorrelated [1] and span the same linear functions, so their weights can be converted to weights of
# the features; and because their axes are orthogonal, L2 regularisation is the same for both.
#
# [1] I. T. Jolliffe, "Principal Component Analysis", 2nd edition, Springer 2002, chapter 8.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.engine.feature_plan import Features

# share of the largest variance below which a component is only rounding error
_RANK = 1e-12


class Components:
    """Principal components of features with mean 0, which come first in each row, in the order of their keys."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self.keys = keys
        self.deviations = np.zeros(len(keys))
        self._numbers, self._kept = keys, np.ones(len(keys), np.bool_)
        self._axes = self._products = np.zeros((len(keys), len(keys)))
        self._rows = 0

    def add(self, features: Features) -> None:
        """Add rows."""
        table, _ = self._table(features)
        self._products = self._products + table.T @ table
        self._rows += len(table)

    def find(self, keys: NDArray[np.uint64]) -> None:
        """Compute the components of the features with these keys, from all rows added, by increasing deviation."""
        self._kept = np.isin(self._numbers, keys)
        self.keys = self._numbers[self._kept]
        moments = self._products[np.ix_(self._kept, self._kept)] / max(self._rows, 1)
        variances, axes = np.linalg.eigh(moments)
        known = variances > _RANK * variances.max(initial=0)
        self._axes = axes * known
        self.deviations = np.sqrt(np.where(known, variances, 0))

    def apply(self, features: Features) -> Features:
        """Replace the features by their components."""
        width = len(self.keys)
        if not width:
            return features
        table, found = self._table(features)
        height = len(table)
        others = np.ones(len(features.keys), np.bool_)
        others[found] = False
        rows = np.repeat(np.arange(height), np.diff(features.starts))[others]
        starts = np.concatenate([[0], np.cumsum(width + np.bincount(rows, minlength=height))])
        keys, values = np.empty(starts[-1], np.uint64), np.empty(starts[-1], np.float32)
        places = starts[:-1, None] + np.arange(width)
        keys[places], values[places] = self.keys, table @ self._axes
        places = np.arange(len(rows)) + width * (rows + 1)
        keys[places], values[places] = features.keys[others], features.values[others]
        return Features(starts, keys, values)

    def unfold(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert weights of the components to weights of the features; both of shape (q, k)."""
        return np.asarray(self._axes @ weights)

    def _table(self, features: Features) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the numbers of each row, 0 for missing ones, and the positions of the known ones."""
        numbers = self._numbers[self._kept]
        places = features.starts[:-1, None] + np.flatnonzero(self._kept)
        known = features.keys[places] == numbers
        return np.where(known, features.values[places], 0).astype(np.float64), places[known]
