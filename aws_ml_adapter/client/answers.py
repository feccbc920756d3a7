"""Reading the results of batch predictions, converting them to predictions, and evaluating them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from features.datasource import decode_text
from textclf.base.errors import BadDataError
from textclf.model.accept import Acceptance, acceptance_curve, review_reason
from textclf.model.prediction import UNUSABLE_ROW, Prediction, failed_prediction

if TYPE_CHECKING:
    from textclf.evaluation.results import EvaluationReport

_FURTHER_COLUMNS = ("tag", "trueLabel", "bestAnswer")


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonEvaluation:
    """The service's macro F1, and a report computed from batch predictions of the same documents."""

    evaluation_id: str
    average_f1: float
    report: EvaluationReport
    unusable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """A line of results: row id, true label, and the probability of each category."""

    tag: str
    true_label: str
    scores: tuple[float, ...]


def parse_manifest(text: str, *, folder: str, where: str) -> dict[str, str]:
    """Parse a manifest into a mapping from data files to results below a folder; raises `BadDataError`."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"is not JSON ({error})", where) from error
    if not isinstance(content, dict) or not all(
        isinstance(result, str) and result.startswith(folder) for result in content.values()
    ):
        raise _damaged(f"does not list results below {folder}", where)
    return content


def read_results(stream: BinaryIO, categories: Sequence[str], *, where: str) -> Iterator[ResultRow | None]:
    """Yield the rows of a gzipped result file, None if the service could not predict; raises `BadDataError`."""
    try:
        with gzip.GzipFile(fileobj=stream, mode="rb") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
            lines = csv.reader(text)
            # the developer guide shows a space after each comma
            header = [decode_text(name).strip() for name in next(lines, [])]
            own, scores = _places(header, categories, where)
            for cells in lines:
                if not any(cells):
                    yield None
                    continue
                if len(cells) != len(header):
                    raise _damaged(f"line {lines.line_num} has {len(cells)} values, not {len(header)}", where)
                yield ResultRow(
                    tag=decode_text(cells[own["tag"]]) if "tag" in own else "",
                    true_label=decode_text(cells[own["trueLabel"]]) if "trueLabel" in own else "",
                    scores=tuple(_score(cells[scores[name]]) if name in scores else 0.0 for name in categories),
                )
    except (OSError, EOFError, zlib.error, csv.Error, ValueError) as error:
        if isinstance(error, BadDataError):
            raise
        raise _damaged(f"is damaged ({error})", where) from error


def to_prediction(
    document_id: str, row: ResultRow | None, categories: Sequence[str], acceptance: Acceptance | None
) -> Prediction:
    """Convert a line of results to a prediction; familiarity is 0, because Amazon ML does not compute it."""
    if row is None:
        return failed_prediction(document_id, UNUSABLE_ROW, "the service could not predict")
    best = max(range(len(categories)), key=row.scores.__getitem__)
    reason = review_reason(categories, row.scores, acceptance)
    return Prediction(
        document_id=document_id,
        predicted_category=categories[best],
        score=row.scores[best],
        decision="review" if reason else "accept",
        reason=reason,
        scores=row.scores,
    )


def choose_accepted(
    rows: Sequence[ResultRow], categories: Sequence[str], max_error: float, confidence: float
) -> Acceptance:
    """Choose the lowest score to accept, from results of held-out documents."""
    import numpy as np

    said = [to_prediction("", row, categories, None) for row in rows]
    right = [prediction.predicted_category == row.true_label for prediction, row in zip(said, rows, strict=True)]
    scores = np.array([prediction.score for prediction in said])
    return acceptance_curve(scores, np.array(right, dtype=np.bool_)).at(max_error, confidence)


def _places(header: Sequence[str], categories: Sequence[str], where: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return the positions of the service's own columns, which come first, and of the categories."""
    own: dict[str, int] = {}
    for name in _FURTHER_COLUMNS:
        # a category may have the same name
        if name in header and header.index(name) == len(own) and (name not in categories or header.count(name) > 1):
            own[name] = len(own)
    scores = {name: place for place, name in enumerate(header) if place >= len(own)}
    if unknown := sorted(set(scores) - set(categories)):
        raise _damaged(f"has a column '{unknown[0][:64]}', which is not a category of the training data", where)
    if not scores or len(own) + len(scores) < len(header):
        raise _damaged("has no column of a category, or a duplicate", where)
    return own, scores


def _score(text: str) -> float:
    score = float(text)
    if not math.isfinite(score):
        raise ValueError(f"'{text}' is not a score")
    # rounded scores may be slightly more than 1
    return min(max(score, 0.0), 1.0)


def _damaged(what: str, where: str) -> BadDataError:
    return BadDataError(what, where=where, remedy="remove everything with `amazon-ml delete` and train again")
