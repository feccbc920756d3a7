"""From texts and scans to predictions: the tables and lines that the commands give out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from features.csv_files import write_rows
from features.ngrams import BATCH
from textclf.documents import InputDocument, TableOptions, read_documents
from textclf.errors import BadDataError, SomeFailedError
from textclf.explanation import explain
from textclf.prediction import Prediction
from textclf.scans import Reading, find_scans

if TYPE_CHECKING:
    from ocr.documents import Document
    from textclf.runtime import Runtime

__all__ = [
    "as_json",
    "check_strict",
    "classify_files",
    "iter_predictions",
    "predict_table",
    "prediction_columns",
    "prediction_row",
]


def predict_table(
    model: Runtime,
    source: Path,
    output: Path,
    table: TableOptions,
    *,
    keep_columns: bool = False,
    why: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
    warn: Callable[[str], None] = lambda message: None,
) -> dict[str, int]:
    """Predict a documents CSV row by row, in constant memory.

    Parameters
    ----------
    model : Runtime
        The model.
    source, output : pathlib.Path
        Documents CSV (or datasource) and predictions CSV.
    table : TableOptions
        How the CSV is read.
    keep_columns : bool, default False
        Carry the other columns of the source along.
    why : bool, default False
        Add a column ``why`` with what spoke for and against each category.
    progress : callable, optional
        Told the number of rows done.
    warn : callable, optional
        Told about rows that were changed.

    Returns
    -------
    dict of str to int
        Rows by decision (``accept``, ``review``) and by status (``failed``).
    """
    columns = [*prediction_columns(model.categories), *(["why"] if why else [])]
    counts = {"accept": 0, "review": 0, "failed": 0}
    further: list[str] = []
    documents = read_documents(source, table)
    first = next(documents, None)
    if first is None:
        raise BadDataError("no row to predict", where=source, remedy="mend --where")
    if keep_columns:
        used = {table.id_column, table.text_column, *columns}
        further = [name for name in first.values if name not in used]

    def rows() -> Iterator[dict[str, object]]:
        for done, (document, prediction) in enumerate(iter_predictions(model, chain([first], documents)), 1):
            if document.note:
                warn(f"{source}: line {document.line}: {document.note}")
            counts[prediction.decision] += 1
            counts["failed"] += prediction.status == "failed"
            progress(done)
            row = prediction_row(model, prediction)
            if why:
                row["why"] = explain(model, document.text).to_line() if prediction.predicted_category else ""
            yield {**{name: document.values.get(name, "") for name in further}, **row}

    write_rows(output, [*columns, *further], rows(), formulas_safe=True)
    return counts


def classify_files(model: Runtime, paths: Sequence[Path], reading: Reading) -> Iterator[tuple[Document, Prediction]]:
    """Read scans and say what they are, one after the other.

    Parameters
    ----------
    model : Runtime
        The model.
    paths : sequence of pathlib.Path
        Files and folders.
    reading : Reading
        How to read.

    Yields
    ------
    (Document, Prediction)
        In the order found. What could not be read has status ``failed`` and the reader's error.
    """
    for document in reading.iter_documents(find_scans(paths)):
        (prediction,) = model.predict([document.text], [document.document_id], [document.confidence])
        if document.status == "failed":
            prediction = replace(prediction, status="failed", error=document.error, reason="could not be read")
        elif document.status == "partial":
            prediction = replace(prediction, status="partial", error=document.error)
        yield document, prediction


def prediction_columns(categories: Sequence[str]) -> list[str]:
    """Columns of a predictions CSV.

    Examples
    --------
    >>> prediction_columns(["a", "b"])[-2:]
    ['score_a', 'score_b']
    """
    columns = ["document_id", "predicted_category", "score", "familiarity", "decision", "reason", "status", "error"]
    return columns + [f"score_{category}" for category in categories]


def prediction_row(model: Runtime, prediction: Prediction) -> dict[str, object]:
    """Give the cells of a prediction; scores with six decimals."""
    row: dict[str, object] = {name: getattr(prediction, name) for name in prediction_columns(())}
    row |= {name: f"{getattr(prediction, name):.6f}" for name in ("score", "familiarity")}
    for category, score in zip(model.categories, prediction.scores, strict=False):
        row[f"score_{category}"] = f"{score:.6f}"
    return row


def as_json(prediction: Prediction, model: Runtime, **more: object) -> str:
    """One prediction as a line of JSON."""
    values = asdict(prediction) | {"scores": dict(zip(model.categories, prediction.scores, strict=False))}
    return json.dumps(values | more, ensure_ascii=False)


def check_strict(failed: int, total: int, what: str, *, strict: bool) -> None:
    """With ``--strict``, end with an error if any document failed."""
    if strict and failed:
        raise SomeFailedError(
            f"{failed} of {total} documents {what}", remedy="their rows say why, in the columns status and error"
        )


def iter_predictions(model: Runtime, documents: Iterable[InputDocument]) -> Iterator[tuple[InputDocument, Prediction]]:
    """Predict rows in order; one that cannot be used gets a failed prediction in its place."""
    stream = iter(documents)
    while batch := list(islice(stream, BATCH)):
        good = [document for document in batch if not document.error]
        columns = ([d.text for d in good], [d.document_id for d in good], [d.ocr_confidence for d in good])
        found = iter(model.predict(*columns))
        for document in batch:
            if document.error:
                yield (
                    document,
                    Prediction(
                        document_id=document.document_id,
                        reason="row cannot be used",
                        status="failed",
                        error=f"line {document.line}: {document.error}",
                    ),
                )
            elif document.cut:
                yield document, replace(next(found), status="partial", error=document.note)
            else:
                yield document, next(found)
