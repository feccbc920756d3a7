"""Training a model: from rows to weights, within the size allowed, with a log of how it went."""

# NUMERIC features are learned from as their principal components. Several learning rates are tried at once. In the
# first pass each block of rows is predicted before it is learned from, so the losses so far say how a rate does on
# unseen rows [1]; poor ones are halted during the first pass, all but the best at its end. What exceeds the size
# is pruned then, and the other passes make up for it.
#
# A pass over few rows says little, and many passes overfit them. There each learning rate is cross-validated:
# further learners leave out a fold each, and the losses of the rows left out choose the rate, over several passes, and
# the pass after which the weights were best.
#
# [1] A. Blum, A. Kalai and J. Langford, "Beating the hold-out: bounds for k-fold and progressive cross-validation",
#    COLT 1999.

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.api.kinds import ModelType
from aws_ml_adapter.api.parameters import Parameters
from aws_ml_adapter.api.recipe import Recipe
from aws_ml_adapter.engine.components import Components
from aws_ml_adapter.engine.csv_data import Rows
from aws_ml_adapter.engine.gradient_descent import Learners
from aws_ml_adapter.engine.ml_model import FEATURE_BYTES, MLModel, model_size
from aws_ml_adapter.engine.pass_metrics import PassMetrics
from aws_ml_adapter.engine.targets import TargetSummary, TargetValues
from aws_ml_adapter.engine.training_log import ServiceLog
from aws_ml_adapter.engine.training_rows import Blocks, KeyCounts, RowStore, write_blocks
from aws_ml_adapter.engine.transforms import Transforms
from features.schema import Schema

RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Learning rates to compare, unless others are given."""

# enough steps in a pass over small data, and enough rows in a step for speed
_STEPS = 500
_LARGEST_BLOCK = 256
# after so many rows half of the learners are halted; after twice as many half of the others
_FIRST_HALT = 8_192
_FIRST_REPORT = 64
# bytes for the weights of all learners, unless the model size asked for needs more: learners are halted early and
# fewer features are compared to stay within it
_STATE_BYTES = 1 << 28
# features counted while rows are read: 12 bytes each, and as much again to merge new ones
_KEYS = 5_000_000
# a pass must improve the loss by this share: that of the pass before, or the best cross-validated one
_CONVERGED = 1e-4
_FOLDS = 5
_CROSS_VALIDATED_ROWS = 10_000
# so many passes may fail to improve the cross-validated loss
_PATIENCE = 5


def train(
    read: Callable[[], Iterable[Rows]],
    *,
    schema: Schema,
    recipe: Recipe,
    model_type: ModelType,
    parameters: Parameters,
    seed: int = 0,
    rates: Sequence[float] = RATES,
    log: Callable[[str], object] = lambda line: None,
) -> MLModel:
    """Train a model of at most ``max_size`` bytes; the same rows, parameters and seed give the same one."""
    targets = TargetValues(schema, model_type)
    log(f"training: type={model_type} " + " ".join(f"{k}={v}" for k, v in parameters.to_strings().items()))
    if not parameters.shuffle:
        log("warning: sgd.shuffleType is none, so rows are learned from in the order of the data")
    transforms = Transforms.fit(recipe, schema, read, seed=seed)
    with tempfile.TemporaryDirectory(prefix="amazon-ml-") as folder:
        rows = _prepare(read, transforms, targets, parameters, seed, Path(folder), log)
        target, blocks = rows.target, rows.blocks
        folds = _folds(rows, transforms, 2 * len(rates), seed)
        learners = Learners(blocks, model_type, target.width, parameters, rates, rows.deviations(), folds)
        course = _Course(learners, lambda: PassMetrics(model_type, target.width, target.rows, len(learners.rates)), log)
        passes = course.learn(blocks, rows.values, parameters.max_passes, rows.room)
    # in double precision, because standardising may have subtracted a large mean
    weights, intercept = (part.astype(np.float64) for part in course.best)
    weights[rows.columns] = rows.components.unfold(weights[rows.columns])
    used = np.flatnonzero(weights.any(axis=1))
    used = used[np.argsort(blocks.keys[used])]
    log(
        f"finished-training: total-passes={passes} valid-records={target.rows} "
        f"invalid-records={target.invalid_rows} learning-rate={course.rate} features={len(used)}"
    )
    return MLModel(
        transforms=transforms,
        target=target,
        keys=blocks.keys[used],
        weights=weights[used].astype(np.float32),
        intercept=intercept.astype(np.float32),
    )


class _Prepared(NamedTuple):
    """The rows to learn from: ``values`` are their targets, in the order of the blocks."""

    target: TargetSummary
    blocks: Blocks
    values: NDArray[np.float32]
    # how many features the model may have
    room: int
    components: Components
    # the columns of the components, among those of the blocks
    columns: NDArray[np.int64]

    def deviations(self) -> NDArray[np.float32]:
        """Deviations of the components, and 1 for all other columns."""
        deviations = np.ones(len(self.blocks.keys), np.float32)
        deviations[self.columns] = self.components.deviations
        return deviations


def _prepare(
    read: Callable[[], Iterable[Rows]],
    transforms: Transforms,
    targets: TargetValues,
    parameters: Parameters,
    seed: int,
    folder: Path,
    log: Callable[[str], object],
) -> _Prepared:
    """Read the rows, and store them in blocks in the order of learning."""
    counts = KeyCounts(min(parameters.max_size // FEATURE_BYTES, _KEYS))
    places = transforms.places(transforms.schema)
    # L1 shall leave few attributes with a weight, not few components
    components = Components(transforms.number_keys[: 0 if parameters.l1 else None])
    with RowStore(folder) as store:
        for batch in read():
            features = transforms.transform(targets.take(batch), places)
            store.append(features)
            counts.add(features.keys)
            components.add(features)
        target, values = targets.finish()
        room = _room(transforms, target, parameters.max_size)
        # more than the model has room for, as learning shows which are useful
        keys = counts.most_frequent(max(room, min(2 * room, _STATE_BYTES // (8 * target.width))))
        log(f"features: different={len(keys)} room={room}")
        order = np.arange(target.rows)
        if parameters.shuffle:
            order = np.random.default_rng(seed).permutation(order)
        size = min(max(target.rows // _STEPS, 1), _LARGEST_BLOCK)
        # all of them or none, as a component without one of its weights is another
        components.find(keys if len(components.keys) <= room else keys[:0])
        blocks = write_blocks(map(components.apply, store.read(order, size)), keys, folder / "blocks")
    by_key = np.argsort(blocks.keys)
    columns = by_key[np.searchsorted(blocks.keys, components.keys, sorter=by_key)]
    return _Prepared(target, blocks, values.astype(np.float32)[order], room, components, columns)


def _room(transforms: Transforms, target: TargetSummary, max_size: int) -> int:
    """Return number of features that a model of a size can have."""
    nothing = np.empty((0, target.width), np.float32)
    frame = MLModel(
        transforms=transforms,
        target=target,
        keys=np.empty(0, np.uint64),
        weights=nothing,
        intercept=np.zeros(target.width, np.float32),
    )
    room = (max_size - model_size(frame)) // (FEATURE_BYTES + nothing.itemsize * target.width)
    if room < 1:
        raise DataFault(
            f"{max_size:,} bytes leave no room for weights beside the schema, the recipe and its bins",
            remedy="raise sgd.maxMLModelSizeInBytes or use fewer bins",
        )
    return room


def _folds(rows: _Prepared, transforms: Transforms, rates: int, seed: int) -> NDArray[np.int64]:
    """Fold that each row belongs to, or 0 for all if they are not to be cross-validated."""
    number, columns = rows.target.rows, len(rows.blocks.keys)
    state = 8 * columns * rows.target.width * rates * (_FOLDS + 1)
    # else rows left out would fall into bins that no other row is in, which never happens in predicting
    least = _FOLDS * max((bins for _, bins in transforms.bins), default=1)
    if not least <= number <= _CROSS_VALIDATED_ROWS or columns > rows.room or state > _STATE_BYTES:
        return np.zeros(number, np.int64)
    return np.random.default_rng(seed).permutation(number) % _FOLDS + 1


class _Course:
    """The passes of several learners over the rows, until the best of them gains nothing any more."""

    def __init__(
        self, learners: Learners, new_metrics: Callable[[], PassMetrics], log: Callable[[str], object]
    ) -> None:
        self._learners, self._new_metrics, self._log = learners, new_metrics, log
        # of the current pass
        self._metrics = new_metrics()
        self._report, self._next_halt = _FIRST_REPORT, _FIRST_HALT
        self._losses, self._unseen = np.zeros((2, len(learners.rates)))
        self.rate, self.best = learners.rates[0], learners.weights(0)

    def learn(self, blocks: Blocks, values: NDArray[np.float32], max_passes: int, room: int) -> int:
        """Go over the blocks until nothing is gained; gives the number of passes, and leaves the best weights."""
        learners, log = self._learners, self._log
        service_log, begun = ServiceLog(log), list(learners.rates)
        passes = self._passes_cross_validated(blocks, values) if learners.folds else self._passes(blocks, values, room)
        number = 0
        for number, (name, loss) in enumerate(passes, 1):
            log(
                f"finished-pass: pass={number} {self._describe_losses(len(values))} {name}={loss:.6g} "
                f"{self._metrics.describe()}"
            )
            leading = learners.rates[0]
            service_log.finish_pass(begun.index(leading) + 1, leading.value, float(loss), self._metrics.figures())
            if number == max_passes:
                break
        else:
            log("converged")
            service_log.converge()
        if not learners.folds:
            self.rate, self.best = learners.rates[0], learners.weights(0)
        return number

    def _passes(self, blocks: Blocks, values: NDArray[np.float32], room: int) -> Iterator[tuple[str, float]]:
        """Go on until a pass hardly betters the loss; gives it for each pass."""
        learners, before = self._learners, np.inf
        for number in count(1):
            self._go_over(blocks, values, number)
            if number == 1:
                self._halt(1)
                self._log(f"pruned: features={learners.prune(room)}")
            loss = float(self._losses[0] / len(values) + learners.penalties()[0])
            yield "with-penalty", loss
            # negated, because a loss of 0 or NaN never improves
            if number > 1 and not before - loss > _CONVERGED * before:
                return
            before = loss

    def _passes_cross_validated(self, blocks: Blocks, values: NDArray[np.float32]) -> Iterator[tuple[str, float]]:
        """Go on until some passes have not bettered the cross-validated loss; gives it for each pass."""
        learners, least, stale = self._learners, np.inf, 0
        for number in count(1):
            self._go_over(blocks, values, number)
            unseen = np.nan_to_num(self._unseen, nan=np.inf) / len(values)
            place = int(unseen.argmin())
            # of equally good weights the later ones are kept, which were regularised for longer
            if number == 1 or unseen[place] <= least * (1 + _CONVERGED):
                self.rate, self.best = learners.rates[place], learners.weights(place)
            stale = 0 if least - unseen[place] > _CONVERGED * least else stale + 1
            least = min(least, float(unseen[place]))
            yield "cross-validated", float(unseen[place])
            if stale == _PATIENCE:
                return
            # after 1, 2, 4 ... passes
            if number & (number - 1) == 0:
                self._halt((len(learners.rates) + 1) // 2)

    def _go_over(self, blocks: Blocks, values: NDArray[np.float32], number: int) -> None:
        learners = self._learners
        start = (number - 1) * len(values)
        seen = start
        self._metrics, (self._losses, self._unseen) = self._new_metrics(), np.zeros((2, len(learners.rates)))
        for block in blocks:
            while len(learners.rates) > 1 and learners.state_bytes(block) > _STATE_BYTES:
                self._halt((len(learners.rates) + 1) // 2)
            step = learners.step(block, values[block.rows])
            self._losses += step.losses
            self._unseen += step.unseen
            self._metrics.add(block.rows, step.margins, values[block.rows])
            seen += block.rows.stop - block.rows.start
            if seen >= self._report:
                self._log(f"progress: records={seen} {self._describe_losses(seen - start)}")
                self._report *= 2
            if seen >= self._next_halt and len(learners.rates) > 1 and not learners.folds:
                self._halt((len(learners.rates) + 1) // 2)
                self._next_halt *= 2

    def _halt(self, left: int) -> None:
        """Keep the learners with the smallest losses."""
        rates = self._learners.rates
        chosen = sorted(np.argsort(np.nan_to_num(self._unseen, nan=np.inf), kind="stable")[:left].tolist())
        halted = [str(rate) for i, rate in enumerate(rates) if i not in chosen]
        if halted:
            self._log(f"halted: learning-rates={','.join(halted)}")
        self._learners.keep(chosen)
        self._metrics.keep(chosen)
        self._losses, self._unseen = self._losses[chosen], self._unseen[chosen]

    def _describe_losses(self, rows: int) -> str:
        return " ".join(
            f"loss[learning-rate={rate}]={loss / rows:.6g}"
            for rate, loss in zip(self._learners.rates, self._losses, strict=True)
        )
