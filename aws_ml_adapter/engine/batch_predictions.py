"""The results of a batch prediction, byte for byte in the service's form."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.kinds import BINARY_CLASSES, ModelType
from aws_ml_adapter.engine.csv_data import Batch
from aws_ml_adapter.engine.model import Model
from aws_ml_adapter.engine.targets import TargetReader
from features.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionCounts:
    """How many records a batch prediction met.

    Parameters
    ----------
    total : int
        All of them.
    invalid : int
        Those that could not be predicted.
    """

    total: int
    invalid: int


def number_text(value: float, digits: int = 6) -> str:
    """Write a number as Java's pattern ``0.######E0`` does, which the service's files follow.

    Parameters
    ----------
    value : float
        Finite.
    digits : int
        Behind the point, at most.

    Returns
    -------
    str
        One digit before the point.

    Examples
    --------
    >>> number_text(1.945252e-05), number_text(1.0), number_text(0.0), number_text(-1234.5)
    ('1.945252E-5', '1E0', '0E0', '-1.2345E3')
    """
    shown, exponent = f"{value:.{digits}e}".split("e")
    return f"{shown.rstrip('0').rstrip('.')}E{int(exponent)}"


def write_predictions(
    model: Model,
    batches: Iterable[Batch],
    stream: BinaryIO,
    *,
    schema: Schema,
    threshold: float = 0.5,
    best_answer: bool = False,
) -> PredictionCounts:
    """Predict the rows of one data file and write its results.

    One line a row, in their order, below a header; a row that cannot be predicted leaves a blank line. The columns are
    ``tag`` (if the schema has a row id), ``trueLabel`` (if the data have the target; as it stands there, but 0 or 1 of
    BINARY, and empty where it is missing or invalid), and then ``bestAnswer,score`` (BINARY), ``score`` (REGRESSION),
    or one for each class (MULTICLASS).

    Parameters
    ----------
    model : Model
        Predicts.
    batches : iterable of Batch
        The rows of the file.
    stream : binary file
        Where to; the same predictions give the same bytes. It is not closed.
    schema : Schema
        Of the rows.
    threshold : float
        Score of a BINARY model from which its answer is 1.
    best_answer : bool
        Put the most probable class of a MULTICLASS model into a column ``bestAnswer`` before the others.

    Returns
    -------
    PredictionCounts

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/reading-the-batchprediction-output-files.html
    """
    total = invalid = 0
    # of numbers far from nought, such as 1,000,000,001 and 1,000,000,002, the first digits are all the same
    digits = min(6 + int(math.log10(max(abs(model.target.mean / model.target.deviation), 1))), 16)
    true_label = TargetReader(model.target.name, model.type, schema)
    tag = None if schema.row_id is None else schema.names.index(schema.row_id)
    label = schema.names.index(model.target.name) if true_label.known else 0
    header = ["tag"] * (tag is not None) + ["trueLabel"] * true_label.known
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed:
        text = io.TextIOWrapper(packed, encoding="utf-8", errors="surrogatepass", newline="", write_through=False)
        write = csv.writer(text, lineterminator="\n").writerow
        write(header + _score_names(model, best_answer))
        for batch in batches:
            scores, usable = model.predict(batch, schema)
            answers = _answers(model, scores, threshold, best_answer)
            for row, can, answer, numbers in zip(batch.rows, usable, answers, scores.tolist(), strict=True):
                if row is None or not can:
                    text.write("\n")
                    continue
                front = [] if tag is None else [row[tag]]
                if true_label.known:
                    front.append(_label_text(true_label(row), row[label], model.type))
                write([*front, *answer, *(number_text(number, digits) for number in numbers)])
            total += len(batch.rows)
            invalid += int((~usable).sum())
        text.flush()
        text.detach()
    return PredictionCounts(total=total, invalid=invalid)


def _score_names(model: Model, best_answer: bool) -> list[str]:
    match model.type:
        case ModelType.REGRESSION:
            return ["score"]
        case ModelType.BINARY:
            return ["bestAnswer", "score"]
        case ModelType.MULTICLASS:
            return ["bestAnswer"] * best_answer + list(model.target.classes)


def _answers(
    model: Model, scores: NDArray[np.float32], threshold: float, best_answer: bool
) -> Sequence[tuple[()] | tuple[str]]:
    if model.type is ModelType.BINARY:
        return [(BINARY_CLASSES[score >= threshold],) for score in scores[:, 0].tolist()]
    if best_answer and model.type is ModelType.MULTICLASS:
        return [(model.target.classes[best],) for best in scores.argmax(axis=1).tolist()]
    return [()] * len(scores)


def _label_text(value: float | str | None, cell: str, kind: ModelType) -> str:
    if value is None:
        return ""
    # the answers beside it are 0 and 1, however the data spell them
    return BINARY_CLASSES[int(value)] if kind is ModelType.BINARY else cell
