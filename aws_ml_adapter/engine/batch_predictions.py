"""The result files of a batch prediction, byte for byte in the service's format."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.kinds import BINARY_CLASSES, ModelType
from aws_ml_adapter.engine.csv_data import Rows
from aws_ml_adapter.engine.ml_model import MLModel
from aws_ml_adapter.engine.targets import TargetReader
from features.schema import Schema


class PredictionCounts(NamedTuple):
    """The number of records of a batch prediction, and of those that could not be predicted."""

    total: int
    invalid: int


def number_text(value: float, digits: int = 6) -> str:
    """Format a finite number like Java's pattern ``0.######E0``, as in the service's files."""
    shown, exponent = f"{value:.{digits}e}".split("e")
    return f"{shown.rstrip('0').rstrip('.')}E{int(exponent)}"


def write_predictions(
    model: MLModel,
    batches: Iterable[Rows],
    stream: BinaryIO,
    *,
    schema: Schema,
    threshold: float = 0.5,
    best_answer: bool = False,
) -> PredictionCounts:
    """Predict one data file, and write a CSV with one line per row, empty for rows that cannot be predicted."""
    total = invalid = 0
    # more digits for targets that differ only in the last ones, such as 1,000,000,001 and 1,000,000,002
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
            for row, can, answer, numbers in zip(batch, usable, answers, scores.tolist(), strict=True):
                if row is None or not can:
                    text.write("\n")
                    continue
                front = [] if tag is None else [row[tag]]
                if true_label.known:
                    front.append(_label_text(true_label(row), row[label], model.type))
                write([*front, *answer, *(number_text(number, digits) for number in numbers)])
            total += len(batch)
            invalid += int((~usable).sum())
        text.flush()
        text.detach()
    return PredictionCounts(total=total, invalid=invalid)


def _score_names(model: MLModel, best_answer: bool) -> list[str]:
    match model.type:
        case ModelType.REGRESSION:
            return ["score"]
        case ModelType.BINARY:
            return ["bestAnswer", "score"]
        case ModelType.MULTICLASS:
            return ["bestAnswer"] * best_answer + list(model.target.classes)


def _answers(
    model: MLModel, scores: NDArray[np.float32], threshold: float, best_answer: bool
) -> Sequence[tuple[()] | tuple[str]]:
    if model.type is ModelType.BINARY:
        return [(BINARY_CLASSES[score >= threshold],) for score in scores[:, 0].tolist()]
    if best_answer and model.type is ModelType.MULTICLASS:
        return [(model.target.classes[best],) for best in scores.argmax(axis=1).tolist()]
    return [()] * len(scores)


def _label_text(value: float | str | None, cell: str, kind: ModelType) -> str:
    if value is None:
        return ""
    # 0 or 1 like the predictions, however the data spell them
    return BINARY_CLASSES[int(value)] if kind is ModelType.BINARY else cell
