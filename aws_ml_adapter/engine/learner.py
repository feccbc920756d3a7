"""Training a model of limited size, with a log."""

# NUMERIC features are replaced by their principal components. Several learning rates are trained in parallel. In the
# first pass each block of rows is predicted before the update, so its losses estimate the error of a rate on unseen
# rows [1]; poor rates are dropped during the first pass, and all but the best at its end. Then features that exceed the
# size are pruned, and further passes compensate for it.
#
# With few rows, one pass is a poor estimate, and many passes overfit. Then each learning rate is cross-validated:
# further learners hold out one fold each, and the losses on held-out rows choose the rate, over several passes, and the
# pass with the best weights.
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
"""The learning rates that are compared by default."""

# enough steps per pass for small data, and enough rows per step for speed
_STEPS = 500
_MAX_BLOCK = 256
# after this many rows half of the learners are dropped; after twice as many, half of the others
_FIRST_HALT = 8_192
_FIRST_REPORT = 64
# bytes for the weights of all learners, unless the requested model size needs more: to stay within this limit, learners
# are dropped early and fewer features are compared
_STATE_BYTES = 1 << 28
# maximum features counted while rows are read: 12 bytes each, and as much again to merge new ones
_KEYS = 5_000_000
# a pass must improve the loss by this share, compared with the previous pass or the best cross-validated loss
_CONVERGED = 1e-4
_FOLDS = 5
_CROSS_VALIDATED_ROWS = 10_000
# passes without an improvement of the cross-validated loss before training stops
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
    """Train a model of up to ``max_size`` bytes; deterministic for the same rows, parameters and seed."""
    targets = TargetValues(schema, model_type)
    log(f"training: type={model_type} " + " ".join(f"{k}={v}" for k, v in parameters.to_strings().items()))
    if not parameters.shuffle:
        log("warning: sgd.shuffleType is none, so the rows are used in the order of the data")
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
    """The training rows; ``values`` are their targets, in the order of the blocks."""

    target: TargetSummary
    blocks: Blocks
    values: NDArray[np.float32]
    # maximum features of the model
    room: int
    components: Components
    # the columns of the components, among those of the blocks
    columns: NDArray[np.int64]

    def deviations(self) -> NDArray[np.float32]:
        """Return the deviations of the components, and 1 for all other columns."""
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
    """Read the rows, and store them in blocks in the order of training."""
    counts = KeyCounts(min(parameters.max_size // FEATURE_BYTES, _KEYS))
    places = transforms.places(transforms.schema)
    # L1 is used to get few attributes with a weight, not few components
    components = Components(transforms.number_keys[: 0 if parameters.l1 else None])
    with RowStore(folder) as store:
        for batch in read():
            features = transforms.transform(targets.take(batch), places)
            store.append(features)
            counts.add(features.keys)
            components.add(features)
        target, values = targets.finish()
        room = _room(transforms, target, parameters.max_size)
        # more than fit into the model, because training shows which are useful
        keys = counts.most_frequent(max(room, min(2 * room, _STATE_BYTES // (8 * target.width))))
        log(f"features: different={len(keys)} room={room}")
        order = np.arange(target.rows)
        if parameters.shuffle:
            order = np.random.default_rng(seed).permutation(order)
        size = min(max(target.rows // _STEPS, 1), _MAX_BLOCK)
        # all or none, because components need the weights of all their features
        components.find(keys if len(components.keys) <= room else keys[:0])
        blocks = write_blocks(map(components.apply, store.read(order, size)), keys, folder / "blocks")
    by_key = np.argsort(blocks.keys)
    columns = by_key[np.searchsorted(blocks.keys, components.keys, sorter=by_key)]
    return _Prepared(target, blocks, values.astype(np.float32)[order], room, components, columns)


def _room(transforms: Transforms, target: TargetSummary, max_size: int) -> int:
    """Return the maximum number of features of a model of this size."""
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
            f"{max_size:,} bytes leave no room for weights besides the schema, the recipe and its bins",
            remedy="raise sgd.maxMLModelSizeInBytes or use fewer bins",
        )
    return room


def _folds(rows: _Prepared, transforms: Transforms, rates: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each row, or 0 for all rows without cross-validation."""
    number, columns = rows.target.rows, len(rows.blocks.keys)
    state = 8 * columns * rows.target.width * rates * (_FOLDS + 1)
    # with fewer rows, held-out rows would be in bins without training rows, which never happens in prediction
    min_rows = _FOLDS * max((bins for _, bins in transforms.bins), default=1)
    if not min_rows <= number <= _CROSS_VALIDATED_ROWS or columns > rows.room or state > _STATE_BYTES:
        return np.zeros(number, np.int64)
    return np.random.default_rng(seed).permutation(number) % _FOLDS + 1


class _Course:
    """The passes of several learners over the rows, until the best learner no longer improves."""

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
        """Run passes until there is no improvement; returns their number, and sets the best weights."""
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
        """Run passes until the loss hardly improves, and yield it after each pass."""
        learners, before = self._learners, np.inf
        for number in count(1):
            self._go_over(blocks, values, number)
            if number == 1:
                self._halt(1)
                self._log(f"pruned: features={learners.prune(room)}")
            loss = float(self._losses[0] / len(values) + learners.penalties()[0])
            yield "with-penalty", loss
            # negated, so that a loss of 0 or NaN also ends the training
            if number > 1 and not before - loss > _CONVERGED * before:
                return
            before = loss

    def _passes_cross_validated(self, blocks: Blocks, values: NDArray[np.float32]) -> Iterator[tuple[str, float]]:
        """Run passes until several have not improved the cross-validated loss, and yield it after each pass."""
        learners, best, stale = self._learners, np.inf, 0
        for number in count(1):
            self._go_over(blocks, values, number)
            unseen = np.nan_to_num(self._unseen, nan=np.inf) / len(values)
            place = int(unseen.argmin())
            # of equally good weights the later ones are kept, because they were regularised for longer
            if number == 1 or unseen[place] <= best * (1 + _CONVERGED):
                self.rate, self.best = learners.rates[place], learners.weights(place)
            stale = 0 if best - unseen[place] > _CONVERGED * best else stale + 1
            best = min(best, float(unseen[place]))
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
        """Keep only the learners with the smallest losses."""
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
