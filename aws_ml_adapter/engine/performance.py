"""Evaluations: the service's metric of a model on data, and what its console showed beside it."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.api.kinds import CLASS_LIMIT, ModelType
from aws_ml_adapter.engine.csv_data import Batch
from aws_ml_adapter.engine.model import Model
from aws_ml_adapter.engine.pass_metrics import area_under_curve
from aws_ml_adapter.engine.targets import TargetReader, unused_rows
from features.schema import Schema
from textclf.base.errors import BadDataError

METRICS = {
    ModelType.BINARY: "BinaryAUC",
    ModelType.MULTICLASS: "MulticlassAvgFScore",
    ModelType.REGRESSION: "RegressionRMSE",
}

_BINS = 100
_FEW = 0.1
_SHIFT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreHistogram:
    """Scores of a BINARY model, in 100 bins of equal width from 0 to 1.

    Parameters
    ----------
    negatives, positives : tuple of int
        Rows of each bin whose target is 0, or 1; a score on a bin's edge belongs to the bin above.
    """

    negatives: tuple[int, ...]
    positives: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Answers of a MULTICLASS model.

    Parameters
    ----------
    classes : tuple of str
        Those of the model and of the data.
    counts : tuple of tuple of int
        Rows of each true class (first index) and predicted class (second).
    """

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def f_scores(self) -> tuple[float | None, ...]:
        """Give the F1 of each class.

        Returns
        -------
        tuple of (float or None)
            None for one that the data lack.
        """
        counts = np.array(self.counts)
        return tuple(
            float(2 * counts[i, i] / (counts[i].sum() + counts[:, i].sum())) if counts[i].any() else None
            for i in range(len(counts))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """What a REGRESSION model was off by: true minus predicted.

    Parameters
    ----------
    edges : tuple of float
        Of the bins, rising: one more than there are bins.
    counts : tuple of int
        Rows of each bin.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How well a model does on data.

    Parameters
    ----------
    type : ModelType
        Of the model.
    metric : float
        Area under the ROC curve (BINARY), mean of the F1 of the classes that the data have (MULTICLASS), or root mean
        squared error (REGRESSION).
    baseline : float
        The same for a model that knows the training target only: 0.5, always the most frequent class, always the mean.
    rows : int
        Rows with a usable target.
    invalid_rows : int
        The others.
    alerts : tuple of str
        What makes the metric doubtful.
    details : ScoreHistogram, Confusion or Residuals
        By type.
    """

    type: ModelType
    metric: float
    baseline: float
    rows: int
    invalid_rows: int
    alerts: tuple[str, ...]
    details: ScoreHistogram | Confusion | Residuals

    @property
    def properties(self) -> dict[str, str]:
        """The ``Properties`` of ``PerformanceMetrics``, as GetEvaluation gives them."""
        return {METRICS[self.type]: repr(self.metric)}

    def to_json(self) -> str:
        """Write as JSON.

        Returns
        -------
        str
            The same for the same evaluation.
        """
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON.

        Returns
        -------
        Evaluation

        Raises
        ------
        textclf.base.errors.BadDataError
            It is something else.
        """
        try:
            content = json.loads(text)
            kind = ModelType(content.pop("type"))
            details = {name: _tuples(value) for name, value in content.pop("details").items()}
            return cls(**content | {"alerts": tuple(content["alerts"])}, type=kind, details=_DETAILS[kind](**details))
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise BadDataError("is no evaluation", remedy="evaluate again") from error


_DETAILS: dict[ModelType, type[ScoreHistogram | Confusion | Residuals]] = {
    ModelType.BINARY: ScoreHistogram,
    ModelType.MULTICLASS: Confusion,
    ModelType.REGRESSION: Residuals,
}


def evaluate(model: Model, batches: Iterable[Batch], schema: Schema) -> Evaluation:
    """Compare what a model predicts with the truth.

    Parameters
    ----------
    model : Model
        The model.
    batches : iterable of Batch
        The rows; those without a usable target are left out, and counted.
    schema : Schema
        Of the rows. Columns are found by name and read as the training data's were.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataFault
        The data lack the target, no row has a usable one, all have the same (BINARY), or there are more than 100
        classes.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/binary-model-insights.html,
    https://docs.aws.amazon.com/machine-learning/latest/dg/multiclass-model-insights.html,
    https://docs.aws.amazon.com/machine-learning/latest/dg/regression-model-insights.html
    """
    read = TargetReader(model.target.name, model.type, schema)
    if not read.known:
        raise DataFault(f"the data lack the target '{model.target.name}'", remedy="evaluate on data that have it")
    truth, answers = array("d"), array("d")
    # the model's first, in the order of its scores, so that an answer is the place of a class
    classes = {name: place for place, name in enumerate(model.target.classes)}
    invalid = 0
    for batch in batches:
        labelled: list[list[str] | None] = []
        for row in batch.rows:
            label = None if row is None else read(row)
            if label is None:
                invalid += 1
            else:
                labelled.append(row)
                truth.append(_place(label, classes, model) if isinstance(label, str) else label)
        scores, _ = model.predict(Batch(rows=labelled), schema)
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


def _place(label: str, classes: dict[str, int], model: Model) -> int:
    """Give the place of a class, at the end if it is a new one."""
    place = classes.setdefault(label, len(classes))
    if place >= len(model.target.classes) + CLASS_LIMIT:
        raise DataFault(f"the target '{model.target.name}' has more than {CLASS_LIMIT} classes that the model lacks")
    return place


class _Measured(NamedTuple):
    metric: float
    baseline: float
    details: ScoreHistogram | Confusion | Residuals
    # how far the target is from that of training: the largest difference of a class's share, or that of the means in
    # standard deviations
    shift: float


def _measure_binary(
    model: Model, _: tuple[str, ...], truth: NDArray[np.float64], answers: NDArray[np.float64]
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
        details=ScoreHistogram(negatives=tuple(negatives.tolist()), positives=tuple(positives.tolist())),
        shift=abs(float(positive.mean()) - model.target.counts[1] / model.target.rows),
    )


def _measure_multiclass(
    model: Model, met: tuple[str, ...], truth: NDArray[np.float64], answers: NDArray[np.float64]
) -> _Measured:
    known = model.target.classes
    classes = (*known, *sorted(met[len(known) :]))
    places = np.array([classes.index(name) for name in met])
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (places[truth.astype(np.int64)], answers.astype(np.int64)), 1)
    confusion = Confusion(classes=classes, counts=_tuples(counts.tolist()))
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
    model: Model, _: tuple[str, ...], truth: NDArray[np.float64], answers: NDArray[np.float64]
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
    """Give what to divide by so that squares neither overflow nor vanish: a power of two, which rounds nothing."""
    exponent = min(math.frexp(largest)[1], 1_023)
    return 2.0**exponent if abs(exponent) > 500 else 1.0


def _in_units(value: np.float64, unit: float) -> float:
    # JSON has no form for what is not finite
    return float(np.nan_to_num(value * unit))


_MEASURES = {
    ModelType.BINARY: _measure_binary,
    ModelType.MULTICLASS: _measure_multiclass,
    ModelType.REGRESSION: _measure_regression,
}


def _alerts(model: Model, schema: Schema, rows: int, invalid: int, shift: float) -> Iterator[str]:
    """Say what the console would: https://docs.aws.amazon.com/machine-learning/latest/dg/evaluation-alerts.html."""
    if rows < _FEW * model.target.rows:
        yield f"evaluated on {rows:,} rows, less than {_FEW:.0%} of the {model.target.rows:,} of training"
    if alert := other_target(model, schema):
        yield alert
    if dict(schema.attributes) != dict(model.schema.attributes):
        yield "the schema differs from that of the training data"
    if alert := unused_rows(model.target.name, rows, invalid):
        yield alert
    if shift > _SHIFT:
        yield "the target is distributed otherwise than in training"


def other_target(model: Model, schema: Schema) -> str | None:
    """Say that data name another target than the model's, by which they are evaluated all the same; None if not."""
    if schema.target in (None, model.target.name):
        return None
    return f"the data name the target '{schema.target}', but the model's, '{model.target.name}', was evaluated"


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
