"""Stochastic gradient descent of several learners side by side."""

# The learners differ only in their steps, and process the same blocks of rows. Each weight has a step size of its own,
# which decreases with its past gradients (AdaGrad [1]) and starts from the scale of its feature, so that the unit of a
# feature does not matter. Regularisation is applied to the weights of a block's features, more
# strongly the rarer these are [2], by proximal steps [3], which never diverge.
#
# [1] J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic
#    optimization", JMLR 12, 2011.
# [2] F. Niu et al., "Hogwild!: a lock-free approach to parallelizing stochastic gradient descent", NIPS 2011,
#    section 2.
# [3] J. Duchi and Y. Singer, "Efficient online and batch learning using forward backward splitting", JMLR 10, 2009.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.kinds import ModelType
from aws_ml_adapter.api.parameters import Parameters
from aws_ml_adapter.engine.training_rows import Block, Blocks, largest

_Floats = NDArray[np.float32]
_Link = Callable[[_Floats, _Floats], tuple[_Floats, _Floats]]

_SMALLEST = np.float32(1e-30)
_LARGEST = float(np.finfo(np.float32).max)
_HALF = np.float32(0.5)


class Step(NamedTuple):
    """Losses of each rate on a block before the update, and margins of shape (n, rates, width)."""

    losses: NDArray[np.float64]
    # losses of the learners that hold out the fold of the row; without folds the same as ``losses``
    unseen: NDArray[np.float64]
    margins: _Floats


class Rate(NamedTuple):
    """A learning rate, and whether it is divided by the deviation of each feature."""

    value: float
    # this makes components of small variance effective, which is worse if they are noise
    per_deviation: bool = False

    def __str__(self) -> str:
        return f"{self.value:g}{'/deviation' if self.per_deviation else ''}"


class Learners:
    """Weights of several learners, one for each rate and held-out fold, and their update steps."""

    # deviations are 1 for features whose steps do not depend on them; if any is not 1, each rate has two learners;
    # folds are numbered from 1, and all 0 without cross-validation
    def __init__(
        self,
        blocks: Blocks,
        model_type: ModelType,
        width: int,
        parameters: Parameters,
        rates: Sequence[float],
        deviations: _Floats,
        folds: NDArray[np.int64],
    ) -> None:
        kinds = (False, True) if (deviations != 1).any() else (False,)
        self._inverse = np.where(deviations > 0, 1 / np.where(deviations > 0, deviations, 1), 0).astype(np.float32)
        self._link, self._width = _LINKS[model_type], width
        columns = len(blocks.keys)
        squares, entries, occurrences = (np.zeros(columns, np.float32) for _ in range(3))
        for block in blocks:
            local = block.matrix.indices
            squares[block.columns] += np.bincount(local, block.matrix.data**2, minlength=len(block.columns))
            entries[block.columns] += np.bincount(local, minlength=len(block.columns))
            occurrences[block.columns] += 1
        self._sizes = np.sqrt(squares)
        self._rarity = (len(blocks) / np.maximum(occurrences, 1)).astype(np.float32)
        self._start = np.maximum(squares / np.maximum(entries, 1), _SMALLEST)
        self._l1, self._l2 = (np.float32(min(amount, _LARGEST)) for amount in (parameters.l1, parameters.l2))
        self._folds = folds
        # first the learner of all rows, then those that hold out fold 1, 2 and so on
        self.folds = int(folds.max(initial=0))
        self._left_out = np.arange(self.folds + 1)
        self._set_rates([Rate(value, kind) for kind in kinds for value in rates])
        scores = len(self._values)
        self._intercepts, self._intercept_gradients = np.zeros(scores, np.float32), np.ones(scores, np.float32)
        # weights, then the sums of their squared gradients, in one array because they are used together
        self._state = np.empty((0, 2 * scores), np.float32)

    def weights(self, place: int) -> tuple[_Floats, _Floats]:
        """Return weights and intercept of a rate's learner of all rows."""
        begin = place * len(self._left_out) * self._width
        scores = slice(begin, begin + self._width)
        return self._state[:, scores].copy(), self._intercepts[scores].copy()

    def step(self, block: Block, values: _Floats) -> Step:
        """Predict a block, then update the weights."""
        self._reserve(block)
        state = self._state.take(block.columns, axis=0)
        weights, summed = state[:, : len(self._values)], state[:, len(self._values) :]
        margins = (block.matrix @ weights + self._intercepts).reshape(len(values), -1, self._width)
        residuals, losses = self._link(margins, values)
        unseen = np.tile(self._left_out == self._folds[block.rows, None], len(self.rates))
        if len(self._left_out) > 1:
            residuals = residuals.reshape(margins.shape) * ~unseen[:, :, None]
        residuals = residuals.reshape(len(values), -1)
        gradient = block.transposed @ residuals
        summed += gradient**2
        steps = self._widths(block.columns) / np.sqrt(summed)
        weights -= steps * gradient
        if self._l1 or self._l2:
            weights[:] = self._shrunk(weights, steps * (self._rarity[block.columns] * np.float32(len(values)))[:, None])
        _put(self._state, block.columns, state)
        gradient = residuals.sum(axis=0)
        self._intercept_gradients += gradient**2
        self._intercepts -= self._values / np.sqrt(self._intercept_gradients) * gradient
        every = len(self._left_out)
        return Step(
            losses[:, ::every].sum(axis=0, dtype=np.float64),
            np.where(unseen, losses, 0).reshape(len(values), -1, every).sum(axis=(0, 2), dtype=np.float64),
            margins[:, ::every],
        )

    def state_bytes(self, block: Block) -> int:
        """Return the bytes of the learners after an update with a block."""
        return max(len(self._state), _reach(block)) * self._state.shape[1] * self._state.itemsize

    def penalties(self) -> NDArray[np.float64]:
        """Return the penalty of each rate, added to the mean loss: ``l1 * sum |w| + l2 / 2 * sum w ** 2``."""
        weights = self._weights().reshape(len(self._state), len(self.rates), -1, self._width)[:, :, 0]
        absolute, squared = (np.sum(part, axis=(0, 2), dtype=np.float64) for part in (np.abs(weights), weights**2))
        return np.asarray(self._l1 * absolute + self._l2 / 2 * squared)

    def keep(self, chosen: Sequence[int]) -> None:
        """Drop the learners of all rates except those at the chosen places (ascending)."""
        each = len(self._left_out) * self._width
        parts = (np.array(chosen)[:, None] * each + np.arange(each)).ravel()
        self._set_rates([self.rates[i] for i in chosen])
        self._state = self._state.take(np.concatenate([parts, parts + len(self._intercepts)]), axis=1)
        self._intercepts = self._intercepts[parts]
        self._intercept_gradients = self._intercept_gradients[parts]

    def prune(self, room: int) -> int:
        """Fix all weights at 0 except those with the most effect on scores; returns the number of features removed."""
        weights = self._weights()
        if len(weights) <= room:
            return 0
        use = np.abs(weights).max(axis=1) * self._sizes
        out = ~largest(use, room)
        weights[out] = 0
        # an infinite sum of gradients keeps them at 0
        self._state[out, len(self._intercepts) :] = np.inf
        return int((use[out] > 0).sum())

    def _weights(self) -> _Floats:
        return self._state[:, : len(self._intercepts)]

    def _set_rates(self, rates: list[Rate]) -> None:
        self.rates, each = rates, len(self._left_out) * self._width
        # of each score
        self._values = np.repeat(np.array([rate.value for rate in rates], np.float32), each)
        self._per_deviation = np.repeat([rate.per_deviation for rate in rates], each)
        self._any_per_deviation = any(rate.per_deviation for rate in rates)

    def _widths(self, columns: NDArray[np.int32]) -> _Floats:
        """Return the learning rate of each weight of some columns, or of each score."""
        if not self._any_per_deviation:
            return self._values
        return np.where(self._per_deviation, self._inverse[columns, None], np.float32(1)) * self._values

    def _reserve(self, block: Block) -> None:
        """Ensure that there are weights for all columns of a block."""
        before, needed = len(self._state), _reach(block)
        if needed > before:
            size = min(needed + needed // 8, len(self._start))
            # in place if possible, as a copy needs twice the memory
            self._state.resize((size, self._state.shape[1]), refcheck=False)
            self._state[before:, len(self._intercepts) :] = self._start[before:size, None]

    def _shrunk(self, weights: _Floats, amounts: _Floats) -> _Floats:
        # an infinite amount leaves 0, as intended
        with np.errstate(over="ignore"):
            if self._l2:
                return np.asarray(weights / (1 + self._l2 * amounts))
            return np.asarray(np.sign(weights) * np.maximum(np.abs(weights) - self._l1 * amounts, 0))


def _reach(block: Block) -> int:
    return int(block.columns[-1]) + 1 if len(block.columns) else 0


def _put(table: _Floats, places: NDArray[np.int32], rows: _Floats) -> None:
    """Replace rows of a table."""
    # viewing a row as one value is several times faster than assigning rows
    row = f"V{table.itemsize * table.shape[1]}"
    table.view(row)[places] = rows.view(row)


def _multinomial(margins: _Floats, values: _Floats) -> tuple[_Floats, _Floats]:
    exponentials = np.exp(margins - margins.max(axis=2, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=2, keepdims=True)
    true = np.arange(len(values)), slice(None), values.astype(np.int64)
    losses = -np.log(np.maximum(probabilities[true], _SMALLEST))
    probabilities[true] -= 1
    return probabilities, losses


def _logistic(margins: _Floats, values: _Floats) -> tuple[_Floats, _Floats]:
    margins, truth = margins[:, :, 0], values[:, None]
    losses = np.logaddexp(0, margins) - truth * margins
    # tanh does not overflow where exp does
    return _HALF + _HALF * np.tanh(_HALF * margins) - truth, losses


def _squared(margins: _Floats, values: _Floats) -> tuple[_Floats, _Floats]:
    residuals = margins[:, :, 0] - values[:, None]
    return residuals, _HALF * residuals**2


_LINKS: dict[ModelType, _Link] = {
    ModelType.MULTICLASS: _multinomial,
    ModelType.BINARY: _logistic,
    ModelType.REGRESSION: _squared,
}
