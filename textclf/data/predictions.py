"""From texts and scans to predictions: the tables and lines that the commands give out."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.base.errors import BadDataError, SomeFailedError
from textclf.base.outputs import PREDICTIONS, check_output
from textclf.base.parallel import map_in_order
from textclf.base.tables import write_rows
from textclf.data.scans import Reading, find_scans
from textclf.data.sources import SOURCE_COLUMNS, InputDocument, TableOptions, read_documents
from textclf.model.explain import explain
from textclf.model.prediction import Prediction

if TYPE_CHECKING:
    from ocr.documents import Document
    from textclf.model.predict import Model

DOCUMENTS_AT_ONCE, CHARACTERS_AT_ONCE = 64, 500_000
"""That go to a process together at most: enough to make the way there worth it."""
ALONE = 16
"""Times as many documents need no other process."""


def predict_table(
    model: Model,
    source: Path,
    output: Path,
    table: TableOptions,
    *,
    keep_columns: bool = False,
    why: bool = False,
    jobs: int | None = 1,
    dask: str = "",
    progress: Callable[[int], None] = lambda rows: None,
) -> dict[str, int]:
    """Predict documents one by one, in constant memory.

    Parameters
    ----------
    model : Model
        The model.
    source : pathlib.Path
        Documents, as `textclf.data.sources.read_documents` takes them.
    output : pathlib.Path
        The predictions CSV.
    table : TableOptions
        How the documents are read.
    keep_columns : bool, default False
        Carry all other columns of the source along, not only ``path`` and ``sha256``.
    why : bool, default False
        Add a column ``why`` with what spoke for and against each category.
    jobs : int or None, default 1
        Processes; None for all cores. The result does not depend on it.
    dask : str
        Address of a Dask scheduler to predict on its cluster, or ``local``; empty for processes of this machine.
    progress : callable, optional
        Told the number of rows done.

    Returns
    -------
    dict of str to int
        Rows by decision (``accept``, ``review``) and by status (``failed``).
    """
    check_output(output, PREDICTIONS, inputs=[source])
    columns = [*prediction_columns(model.categories), *(["why"] if why else [])]
    counts = {"accept": 0, "review": 0, "failed": 0}
    documents = read_documents(source, table)
    first = next(documents, None)
    if first is None:
        raise BadDataError("no row to predict", where=source, remedy="mend --where")
    used = {table.id_column, table.text_column, *columns}
    # with them a row is found again, whatever the ids are
    further = [name for name in first.values if name not in used and (keep_columns or name in SOURCE_COLUMNS)]

    def rows() -> Iterator[dict[str, object]]:
        stream = _iter_explained(model, chain([first], documents), jobs, dask, why=why)
        for done, (document, prediction, told) in enumerate(stream, 1):
            counts[prediction.decision] += 1
            counts["failed"] += prediction.status == "failed"
            progress(done)
            row = prediction_row(model, prediction)
            if why:
                row["why"] = told
            yield {**{name: document.values.get(name, "") for name in further}, **row}

    write_rows(output, [*columns, *further], rows(), formulas_safe=True)
    return counts


def classify_files(model: Model, paths: Sequence[Path], reading: Reading) -> Iterator[tuple[Document, Prediction]]:
    """Read scans and say what they are, one after the other.

    Parameters
    ----------
    model : Model
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
    for document in reading.iter_documents([found[:2] for found in find_scans(paths)]):
        prediction = model(document.text, document.document_id, document.confidence)
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


def prediction_row(model: Model, prediction: Prediction) -> dict[str, object]:
    """Give the cells of a prediction; scores with six decimals."""
    row: dict[str, object] = {name: getattr(prediction, name) for name in prediction_columns(())}
    row |= {name: f"{getattr(prediction, name):.6f}" for name in ("score", "familiarity")}
    for category, score in zip(model.categories, prediction.scores, strict=False):
        row[f"score_{category}"] = f"{score:.6f}"
    return row


def as_json(prediction: Prediction, model: Model, **more: object) -> str:
    """One prediction as a line of JSON."""
    values = asdict(prediction) | {"scores": dict(zip(model.categories, prediction.scores, strict=False))}
    return json.dumps(values | more, ensure_ascii=False)


def check_strict(failed: int, total: int, what: str, *, strict: bool) -> None:
    """With ``--strict``, end with an error if any document failed."""
    if strict and failed:
        raise SomeFailedError(
            f"{failed} of {total} documents {what}", remedy="their rows say why, in the columns status and error"
        )


def iter_predictions(
    model: Model, documents: Iterable[InputDocument], jobs: int | None = 1
) -> Iterator[tuple[InputDocument, Prediction]]:
    """Predict rows in order; one that cannot be used gets a failed prediction in its place.

    Parameters
    ----------
    model : Model
        The model.
    documents : iterable of InputDocument
        The rows.
    jobs : int or None, default 1
        Processes; None for all cores.

    Yields
    ------
    (InputDocument, Prediction)
        In the order of the rows, in constant memory.
    """
    for document, prediction, _ in _iter_explained(model, documents, jobs, "", why=False):
        yield document, prediction


def _iter_explained(
    model: Model, documents: Iterable[InputDocument], jobs: int | None, dask: str, *, why: bool
) -> Iterator[tuple[InputDocument, Prediction, str]]:
    stream = iter(documents)
    # taken from the stream when a process is free for them, and given back with what it says of them
    under_way: deque[list[InputDocument]] = deque()

    def batches() -> Iterator[list[tuple[str, str, float | None]]]:
        while batch := _up_to(stream, DOCUMENTS_AT_ONCE, CHARACTERS_AT_ONCE):
            under_way.append(batch)
            yield [(d.document_id, d.text, d.ocr_confidence) for d in batch if not d.error]

    task = _predict_and_explain if why else _predict
    for found in map_in_order(task, model, batches(), jobs=jobs, alone=0 if dask else ALONE, dask=dask):
        predictions = iter(found)
        for document in under_way.popleft():
            if document.error:
                yield document, _unusable(document), ""
                continue
            prediction, told = next(predictions)
            if document.cut:
                prediction = replace(prediction, status="partial", error=document.note)
            yield document, prediction, told


def _unusable(document: InputDocument) -> Prediction:
    reason, error = "could not be read", document.error
    if document.line:
        reason, error = "row cannot be used", document.say(error)
    return Prediction(document_id=document.document_id, reason=reason, status="failed", error=error)


def _up_to(stream: Iterator[InputDocument], documents: int, characters: int) -> list[InputDocument]:
    """Take documents from a stream until so many, or so many characters, are reached."""
    taken: list[InputDocument] = []
    while len(taken) < documents and characters > 0 and (document := next(stream, None)):
        taken.append(document)
        characters -= len(document.text)
    return taken


def _predict(model: Model, batch: list[tuple[str, str, float | None]]) -> list[tuple[Prediction, str]]:
    return [(prediction, "") for prediction in model.pipe(*_columns(batch))]


def _predict_and_explain(model: Model, batch: list[tuple[str, str, float | None]]) -> list[tuple[Prediction, str]]:
    return [
        (prediction, explain(model, text).to_line() if prediction.predicted_category else "")
        for prediction, (_, text, _) in zip(model.pipe(*_columns(batch)), batch, strict=True)
    ]


def _columns(batch: list[tuple[str, str, float | None]]) -> tuple[list[str], list[str], list[float | None]]:
    return [text for _, text, _ in batch], [name for name, _, _ in batch], [sure for _, _, sure in batch]
