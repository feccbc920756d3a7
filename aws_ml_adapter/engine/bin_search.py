"""Choice of the number of quantile bins of each NUMERIC attribute, by cross-validation."""

# The target is modelled as a sum of one function of each attribute: a line, or a step for each bin. The functions are
# fitted in turn to the residuals of the others (backfitting [1]), beginning with the least squares of all lines. Each
# time every number of bins is cross-validated, and the coarsest one wins whose error is within a standard error of the
# smallest [2]. Squared errors are suitable for classes, too: they are those of the classes' shares.
#
# A line is replaced by steps only if they are better by more standard errors than the best of all attempts would be by
# chance if there were no effect: the largest of m normal variables is about sqrt(2 log m) deviations above 0 [3].
#
# [1] J. H. Friedman and W. Stuetzle, "Projection pursuit regression", JASA 76, 1981; T. Hastie and R. Tibshirani,
#    "Generalized Additive Models", Chapman and Hall 1990, section 4.4.
# [2] L. Breiman et al., "Classification and Regression Trees", Wadsworth 1984, section 3.4.3.
# [3] D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81, 1994.

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.engine.number_columns import Moments, bin_edges

AS_IS = 0
"""Instead of a number of bins: the attribute is used without bins."""

_COUNTS = (AS_IS, 10, 20, 50, 100, 200, 500)
_FOLDS = 10
_SWEEPS = 2
# the minimum for cross-validation
_MIN_ROWS = 2 * _FOLDS
# the minimum average number of rows per bin
_ROWS_OF_BIN = 5
# a smaller relative gain is a rounding error
_TIE = 1e-6

_Floats = NDArray[np.float64]


def choose_bins(numbers: _Floats, targets: _Floats) -> list[int]:
    """Return the number of quantile bins, or `AS_IS`, for each column of numbers (n, q) to predict targets (n, k)."""
    if len(numbers) < _MIN_ROWS:
        return [AS_IS] * numbers.shape[1]
    # equal columns are fitted once, because the first would leave no residuals for the others
    kinds: dict[bytes, int] = {}
    places = [kinds.setdefault(column.tobytes(), len(kinds)) for column in numbers.T]
    fit = _AdditiveFit(numbers[:, [places.index(kind) for kind in range(len(kinds))]], targets)
    chosen: list[int] = []
    for _ in range(_SWEEPS):
        chosen = [fit.choose(column) for column in range(len(kinds))]
    return [chosen[place] for place in places]


class _Candidate(NamedTuple):
    """One function: squared error on each held-out row (n,), and values with each fold held out (f, n, k)."""

    errors: _Floats
    values: NDArray[np.float32]


class _AdditiveFit:
    """Sums of functions of the attributes, one for each fold, fitted to the rows of the other folds."""

    def __init__(self, numbers: _Floats, targets: _Floats) -> None:
        rows, attributes = numbers.shape
        self._numbers, self._targets = numbers, targets
        folds = np.random.default_rng(0).permutation(rows) % _FOLDS
        self._learned = [np.flatnonzero(folds != fold) for fold in range(_FOLDS)]
        self._left_out = [np.flatnonzero(folds == fold) for fold in range(_FOLDS)]
        # by attribute, fold, row and target; in single precision, because it is the largest array
        self._values = np.empty((attributes, _FOLDS, rows, targets.shape[1]), np.float32)
        self._sums = np.empty((_FOLDS, rows, targets.shape[1]))
        # the columns of the least squares: standardised numbers, with the mean for missing ones
        moments = Moments(attributes)
        moments.add(numbers)
        deviations = moments.deviations()
        # halved, because the difference of the largest floats would overflow
        scaled = (numbers / 2 - moments.means / 2) / np.where(deviations > 0, deviations / 2, np.inf)
        self._scaled = np.where(np.isnan(numbers), 0, scaled)
        for fold, learned in enumerate(self._learned):
            self._start(fold, learned)

    def choose(self, column: int) -> int:
        """Fit the function of an attribute again, and return its number of bins."""
        known = np.count_nonzero(~np.isnan(self._numbers[:, column]))
        counts = [count for count in _COUNTS if count * _ROWS_OF_BIN <= known]
        line, *steps = (self._candidate(column, count) for count in counts)
        count, chosen = AS_IS, line
        if steps:
            best = min(steps, key=lambda candidate: float(candidate.errors.mean()))
            if _is_better(best.errors, line.errors, len(self._values) * len(steps)):
                place = next(i for i, candidate in enumerate(steps) if _as_good(candidate.errors, best.errors))
                count, chosen = counts[place + 1], steps[place]
        self._sums += chosen.values - self._values[column]
        self._values[column] = chosen.values
        return count

    def _start(self, fold: int, learned: NDArray[np.int64]) -> None:
        """Fit all lines at once, by ridge regression because attributes may be correlated."""
        own = self._scaled[learned]
        mean = self._targets[learned].mean(axis=0)
        moments = own.T @ own + np.identity(own.shape[1])
        weights = np.linalg.solve(moments, own.T @ (self._targets[learned] - mean))
        self._values[:, fold] = self._scaled.T[:, :, None] * weights[:, None, :]
        self._sums[fold] = mean + self._scaled @ weights

    def _candidate(self, column: int, count: int) -> _Candidate:
        errors, values = np.empty(len(self._targets)), np.empty(self._values.shape[1:], np.float32)
        for fold, (learned, left_out) in enumerate(zip(self._learned, self._left_out, strict=True)):
            residuals = self._targets - self._sums[fold] + self._values[column, fold]
            function = self._line if count == AS_IS else self._steps
            values[fold] = function(column, count, learned, residuals)
            errors[left_out] = ((residuals[left_out] - values[fold, left_out]) ** 2).sum(axis=1)
        return _Candidate(errors, values)

    def _line(self, column: int, _: int, learned: NDArray[np.int64], residuals: _Floats) -> _Floats:
        scaled = self._scaled[:, column]
        missing = np.isnan(self._numbers[:, column])
        known, unknown = learned[~missing[learned]], learned[missing[learned]]
        centred = scaled - (scaled[known].mean() if len(known) else 0)
        mean = residuals[known].mean(axis=0) if len(known) else 0
        slope = centred[known] @ residuals[known] / max(float(centred[known] @ centred[known]), 1e-12)
        other = residuals[unknown].mean(axis=0) if len(unknown) else np.zeros(residuals.shape[1])
        return np.where(missing[:, None], other, mean + centred[:, None] * slope)

    def _steps(self, column: int, count: int, learned: NDArray[np.int64], residuals: _Floats) -> _Floats:
        """Return the mean of each bin; the edges are from the training rows, so that no bin is empty."""
        numbers = self._numbers[:, column]
        missing = np.isnan(numbers)
        edges = bin_edges(np.sort(numbers[learned][~missing[learned]]), count)
        bins = np.where(missing, len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
        height, width = len(edges) + 2, residuals.shape[1]
        cells = bins[learned, None] * width + np.arange(width)
        sums = np.bincount(cells.ravel(), residuals[learned].ravel(), minlength=height * width).reshape(height, width)
        counts = np.bincount(bins[learned], minlength=height)
        return np.asarray((sums / np.maximum(counts, 1)[:, None])[bins])


def _is_better(errors: _Floats, others: _Floats, attempts: int) -> bool:
    """Return whether errors are smaller by more than the best of this many attempts would be by chance."""
    gains = others - errors
    by_chance = np.sqrt(2 * np.log(attempts)) * gains.std() / np.sqrt(len(gains))
    return bool(gains.mean() > max(by_chance, _TIE * others.mean()))


def _as_good(errors: _Floats, smallest: _Floats) -> bool:
    """Return whether the mean difference to the smallest errors is within its standard error."""
    gaps = errors - smallest
    return bool(gaps.mean() <= gaps.std() / np.sqrt(len(gaps)))
