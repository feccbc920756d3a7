"""Evaluations: the service's metric of a model on data, and the details that its console showed."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.api.kinds import CLASS_LIMIT, ModelType
from aws_ml_adapter.engine.csv_data import Rows
from aws_ml_adapter.engine.ml_model import MLModel
from aws_ml_adapter.engine.pass_metrics import area_under_curve
from aws_ml_adapter.engine.targets import TargetReader, unused_rows
from features.schema import Schema
from textclf.base.errors import BadDataError
from textclf.base.from_json import from_json

METRICS = {
    ModelType.BINARY: "BinaryAUC",
    ModelType.MULTICLASS: "MulticlassAvgFScore",
    ModelType.REGRESSION: "RegressionRMSE",
}

_BINS = 100
_FEW = 0.1
_SHIFT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryScores:
    """Histograms of the scores of a BINARY model, in 100 bins from 0 to 1; an edge belongs to the bin above."""

    negatives: tuple[int, ...]
    positives: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Confusion matrix of a MULTICLASS model: rows by true class (first index) and predicted class (second)."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def f_scores(self) -> tuple[float | None, ...]:
        """Return the F1 of each class; None if the data lack the class."""
        counts = np.array(self.counts)
        return tuple(
            float(2 * counts[i, i] / (counts[i].sum() + counts[:, i].sum())) if counts[i].any() else None
            for i in range(len(counts))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """Histogram of true minus predicted value of a REGRESSION model; one more edge than counts."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The metric of a model on data, and the baseline, which uses only the target of the training data."""

    type: ModelType
    # area under the ROC curve, mean F1 of the classes that the data have, or root mean squared error
    metric: float
    # the metric of always predicting 0.5, the most frequent class, or the mean
    baseline: float
    rows: int
    invalid_rows: int
    alerts: tuple[str, ...]
    details: BinaryScores | Confusion | Residuals

    @property
    def properties(self) -> dict[str, str]:
        """The ``Properties`` of ``PerformanceMetrics``, as in GetEvaluation."""
        return {METRICS[self.type]: repr(self.metric)}

    def to_json(self) -> str:
        """Serialise as JSON, deterministically."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Parse the result of `to_json`; raises `BadDataError`."""
        try:
            evaluation: Evaluation = from_json(json.loads(text), cls)
        except (TypeError, ValueError, RecursionError) as error:
            raise BadDataError("is not an evaluation", remedy="evaluate again") from error
        return evaluation


def evaluate(model: MLModel, batches: Iterable[Rows], schema: Schema) -> Evaluation:
    """Compare predictions with the true targets; raises `DataFault` if there are no usable targets."""
    read = TargetReader(model.target.name, model.type, schema)
    if not read.known:
        raise DataFault(f"the data lack the target '{model.target.name}'", remedy="evaluate on data that have it")
    truth, answers = array("d"), array("d")
    # the classes of the model come first, in the order of its scores, so that a prediction is an index
    classes = {name: place for place, name in enumerate(model.target.classes)}
    invalid = 0
    for batch in batches:
        labelled: list[list[str] | None] = []
        for row in batch:
            label = None if row is None else read(row)
            if label is None:
                invalid += 1
            else:
                labelled.append(row)
                truth.append(_place(label, classes, model) if isinstance(label, str) else label)
        scores, _ = model.predict(labelled, schema)
        answers.extend(scores.argmax(axis=1) if model.type is ModelType.MULTICLASS else scores[:, 0])
    if not truth:
        raise DataFault(f"no row has a usable value of the target '{model.target.name}'")
    measured = _MEASURES[model.type](model, tuple(classes), np.frombuffer(truth), np.frombuffer(answers))
    return Evaluation(
        type=model.type,
        metric=measured.metric,
        baseline=measured.baseline,
        rows=len(truth),
        invalid_rows=invalid,
        alerts=tuple(_alerts(model, schema, len(truth), invalid, measured.shift)),
        details=measured.details,
    )


def _place(label: str, classes: dict[str, int], model: MLModel) -> int:
    """Return the index of a class; a new one is appended."""
    place = classes.setdefault(label, len(classes))
    if place >= len(model.target.classes) + CLASS_LIMIT:
        raise DataFault(f"the target '{model.target.name}' has more than {CLASS_LIMIT} classes that the model lacks")
    return place


class _Measured(NamedTuple):
    metric: float
    baseline: float
    details: BinaryScores | Confusion | Residuals
    # shift of the target since training: the largest difference in the share of a class, or the difference of the means
    # in standard deviations
    shift: float


def _measure_binary(
    model: MLModel, _: tuple[str, ...], truth: NDArray[np.float64], answers: NDArray[np.float64]
) -> _Measured:
    positive = truth == 1
    if positive.all() or not positive.any():
        raise DataFault(
            f"all rows have the same value of the target '{model.target.name}', so there is no ROC curve",
            remedy="evaluate on data with both",
        )
    bins = np.minimum((answers * _BINS).astype(np.int64), _BINS - 1)
    negatives, positives = (np.bincount(bins[chosen], minlength=_BINS) for chosen in (~positive, positive))
    return _Measured(
        metric=area_under_curve(positive, answers),
        baseline=0.5,
        details=BinaryScores(negatives=tuple(negatives.tolist()), positives=tuple(positives.tolist())),
        shift=abs(float(positive.mean()) - model.target.counts[1] / model.target.rows),
    )


def _measure_multiclass(
    model: MLModel, met: tuple[str, ...], truth: NDArray[np.float64], answers: NDArray[np.float64]
) -> _Measured:
    known = model.target.classes
    classes = (*known, *sorted(met[len(known) :]))
    places = np.array([classes.index(name) for name in met])
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (places[truth.astype(np.int64)], answers.astype(np.int64)), 1)
    confusion = Confusion(classes=classes, counts=tuple(map(tuple, counts.tolist())))
    scores = [score for score in confusion.f_scores() if score is not None]
    most_frequent = int(np.argmax(model.target.counts))
    rows = counts.sum(axis=1)
    shares = np.zeros(len(classes))
    shares[: len(known)] = np.array(model.target.counts) / model.target.rows
    return _Measured(
        metric=float(np.mean(scores)),
        baseline=float(2 * rows[most_frequent] / (len(truth) + rows[most_frequent]) / len(scores)),
        details=confusion,
        shift=float(np.abs(rows / len(truth) - shares).max()),
    )


def _measure_regression(
    model: MLModel, _: tuple[str, ...], truth: NDArray[np.float64], answers: NDArray[np.float64]
) -> _Measured:
    unit = _unit(max(np.abs(truth).max(), np.abs(answers).max(), abs(model.target.mean), model.target.deviation))
    truth, residuals, mean = truth / unit, truth / unit - answers / unit, model.target.mean / unit
    counts, edges = np.histogram(residuals, bins=_BINS)
    with np.errstate(over="ignore"):
        return _Measured(
            metric=_in_units(np.sqrt(np.mean(residuals**2)), unit),
            baseline=_in_units(np.sqrt(np.mean((truth - mean) ** 2)), unit),
            details=Residuals(edges=tuple(_in_units(edge, unit) for edge in edges), counts=tuple(counts.tolist())),
            shift=abs(float(truth.mean()) - mean) / (model.target.deviation / unit),
        )


def _unit(largest: float) -> float:
    """Return a power of two to divide by, which is exact, so that squares neither overflow nor underflow."""
    exponent = min(math.frexp(largest)[1], 1_023)
    return 2.0**exponent if abs(exponent) > 500 else 1.0


def _in_units(value: np.float64, unit: float) -> float:
    # JSON cannot represent numbers that are not finite
    return float(np.nan_to_num(value * unit))


_MEASURES = {
    ModelType.BINARY: _measure_binary,
    ModelType.MULTICLASS: _measure_multiclass,
    ModelType.REGRESSION: _measure_regression,
}


def _alerts(model: MLModel, schema: Schema, rows: int, invalid: int, shift: float) -> Iterator[str]:
    """Yield the console's alerts: https://docs.aws.amazon.com/machine-learning/latest/dg/evaluation-alerts.html."""
    if rows < _FEW * model.target.rows:
        yield f"evaluated on {rows:,} rows, less than {_FEW:.0%} of the {model.target.rows:,} of training"
    if alert := other_target(model, schema):
        yield alert
    if dict(schema.attributes) != dict(model.schema.attributes):
        yield "the schema differs from that of the training data"
    if alert := unused_rows(model.target.name, rows, invalid):
        yield alert
    if shift > _SHIFT:
        yield "the target has another distribution than in training"


def other_target(model: MLModel, schema: Schema) -> str | None:
    """Return a warning if the data name another target than the model's, which is used for the evaluation."""
    if schema.target in (None, model.target.name):
        return None
    return f"the data name the target '{schema.target}', but the evaluation used the model's, '{model.target.name}'"
