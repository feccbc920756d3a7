"""Predictions of tables and scans, and their rows and JSON lines."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.base.executor import map_in_order
from textclf.data.labels import CATEGORY, ID
from textclf.data.scans import ScanOptions, find_scans
from textclf.data.sources import InputDocument
from textclf.model.pages import join_pages, page_runs
from textclf.model.prediction import UNREADABLE, UNSURE_CUT, UNUSABLE_ROW, Prediction, failed_prediction, pages_for_json

if TYPE_CHECKING:
    from ocr.document import Document
    from ocr.file_search import FoundFile
    from ocr.reading_options import Effort
    from textclf.model.explain import Explanation
    from textclf.model.predict import Evidence, Model

MAX_BATCH_DOCUMENTS, MAX_BATCH_CHARACTERS = 64, 500_000
"""Batch given to a thread or a worker of a cluster, large enough to outweigh the cost of handing it over."""
_Columns = tuple[list[str], list[str], list[float | None], list[str]]
"""Texts, ids, OCR confidences and looks of a batch."""
MAX_CACHED = 64
"""Predictions kept while scans are read: at least the number of documents being read."""


def predict_documents(
    model: Model, documents: Iterable[InputDocument], *, jobs: int | None = 1, dask: str = "", why: bool = False
) -> Iterator[tuple[InputDocument, Prediction, str]]:
    """Predict documents in order, in constant memory; with `why` also name the features that spoke for and against.

    The result does not depend on the number of threads; None means one per core.
    """
    stream = iter(documents)
    # batches taken from the stream whose predictions are not back yet
    pending: deque[list[InputDocument]] = deque()

    def batches() -> Iterator[_Columns]:
        while batch := _up_to(stream, MAX_BATCH_DOCUMENTS, MAX_BATCH_CHARACTERS):
            pending.append(batch)
            usable = [document for document in batch if not document.error]
            yield (
                [join_pages(document.pages) or document.text for document in usable],
                [document.document_id for document in usable],
                [document.ocr_confidence for document in usable],
                [document.look for document in usable],
            )

    options: dict[str, Any] = {"jobs": jobs, "dask": dask, "name": _span}
    for found in map_in_order(_predict, (model, why), batches(), **options):
        predictions = iter(found)
        for document in pending.popleft():
            prediction, reasons = (None, "") if document.error else next(predictions)
            yield document, _with_status(document, prediction), reasons


def classify_files(
    model: Model, paths: Sequence[Path], scans: ScanOptions, *, why: bool = False
) -> Iterator[tuple[Document, Prediction, Explanation | None]]:
    """Find scans and classify them as `classify_found`."""
    yield from classify_found(model, find_scans(paths), scans, why=why)


def classify_found(
    model: Model, files: Iterable[FoundFile], scans: ScanOptions, *, why: bool = False
) -> Generator[tuple[Document, Prediction, Explanation | None]]:
    """Read scans and predict each as soon as it is read, in order; with `why` also explain the prediction.

    With an effort other than ``full``, reading a document stops when the model accepts it.
    """

    # the last prediction made while a document of one page was being read is that of the document
    @lru_cache(maxsize=MAX_CACHED)
    def predict(text: str, confidence: float, look: str) -> tuple[Prediction, Evidence, int]:
        return next(model.pipe_evidence([text], None, [confidence], [look]))

    def predicted(document: Document) -> tuple[Prediction, Evidence, int]:
        return predict(document.paged_text, document.confidence, document.look)

    threshold = model.training.acceptance.threshold
    how_sure = until_accepted(lambda document: predicted(document)[0], threshold, scans.effort)
    cutter = None
    if scans.split == "auto":
        # which tables do without
        from textclf.model.stacks import stack_cutter

        cutter = stack_cutter(model)
    for document in scans.iter_documents(files, how_sure, cutter):
        yield document, *_of_scan(model, document, predicted(document), why=why)


def predict_scan(model: Model, document: Document) -> tuple[Prediction, Explanation | None]:
    """Predict a document that was read, as `classify_files` does, and explain it."""
    texts, confidences, looks = [document.paged_text], [document.confidence], [document.look]
    return _of_scan(model, document, next(model.pipe_evidence(texts, None, confidences, looks)), why=True)


def _of_scan(
    model: Model, document: Document, predicted: tuple[Prediction, Evidence, int], *, why: bool
) -> tuple[Prediction, Explanation | None]:
    prediction, evidence, row = predicted
    prediction = replace(prediction, document_id=document.document_id)
    prediction = _with_status(InputDocument.of_scan(document), prediction)
    if not why or not prediction.predicted_category:
        return prediction, None
    from textclf.model.explain import explain_evidence

    return prediction, explain_evidence(model, evidence, row)


def until_accepted(
    predict: Callable[[Document], Prediction], threshold: float, effort: Effort
) -> Callable[[Document], float]:
    """Make the ``how_sure`` of `ocr.iter_documents` from a function that predicts a document as far as it was read.

    Predicting after every page gives more chances of a wrong prediction than predicting once. Therefore with
    ``balanced`` the score may miss 1 by only half as much as the threshold; with ``fast`` the threshold is enough.
    Where nothing was read, every page must be accepted by its look, as the same.
    """
    enough = (1 + threshold) / 2 if effort == "balanced" else threshold

    def how_sure(document: Document) -> float:
        if not any(page.part for page in document.pages):
            pages = [predict(replace(document, pages=(page,))) for page in document.pages]
            accepted = all(page.decision == "accept" for page in pages)
            return float(accepted and len({page.predicted_category for page in pages}) == 1)
        prediction = predict(document)
        sure = prediction.score / enough
        return sure if prediction.decision == "accept" else min(sure, 0.999)

    return how_sure


def prediction_columns(categories: Sequence[str]) -> list[str]:
    """Give the columns of a predictions CSV.

    Examples
    --------
    >>> prediction_columns(["a", "b"])[-2:]
    ['score_a', 'score_b']
    """
    columns = [ID, CATEGORY, "predicted_category", "score", "familiarity", "decision", "reason", "status", "error"]
    return [*columns, "page_categories"] + [f"score_{category}" for category in categories]


def prediction_row(categories: Sequence[str], prediction: Prediction) -> dict[str, object]:
    """Give the cells of a prediction, with an empty category for a person to fill in; scores with six decimals."""
    row: dict[str, object] = {name: getattr(prediction, name, "") for name in prediction_columns(())}
    row["page_categories"] = "; ".join(page_runs(prediction.pages))
    row |= {name: f"{getattr(prediction, name):.6f}" for name in ("score", "familiarity")}
    for category, score in zip(categories, prediction.scores, strict=False):
        row[f"score_{category}"] = f"{score:.6f}"
    return row


def as_json(prediction: Prediction, model: Model, **more: object) -> str:
    """Give a prediction as a line of JSON."""
    values = asdict(replace(prediction, pages=()))
    del values["pages"]
    values["scores"] = dict(zip(model.categories, prediction.scores, strict=False))
    values["page_predictions"] = pages_for_json(prediction)
    return json.dumps(values | more, ensure_ascii=False)


def _with_status(document: InputDocument, prediction: Prediction | None) -> Prediction:
    """Add the problem of a document to its prediction, or make a failed prediction."""
    if document.error or prediction is None:
        if document.line:
            return failed_prediction(document.document_id, UNUSABLE_ROW, document.located(document.error))
        return failed_prediction(document.document_id, UNREADABLE, document.error)
    if document.has_unsure_cuts and prediction.predicted_category:
        prediction = replace(prediction, decision="review", reason=UNSURE_CUT)
    return replace(prediction, status="partial", error=document.note) if document.cut else prediction


def _up_to(stream: Iterator[InputDocument], documents: int, characters: int) -> list[InputDocument]:
    """Take documents from a stream up to a number of documents, or until a number of characters is reached."""
    taken: list[InputDocument] = []
    while len(taken) < documents and characters > 0 and (document := next(stream, None)):
        taken.append(document)
        characters -= len(document.text)
    return taken


def _span(batch: _Columns) -> str:
    """Name the first and last document of a batch."""
    return " to ".join(dict.fromkeys([*batch[1][:1], *batch[1][-1:]]))


def _predict(shared: tuple[Model, bool], batch: _Columns) -> list[tuple[Prediction, str]]:
    model, why = shared
    if not why:
        return [(prediction, "") for prediction in model.pipe(*batch)]
    from textclf.model.explain import explain_pipe

    return [
        (prediction, "" if explanation is None else explanation.to_line())
        for prediction, explanation in explain_pipe(model, *batch)
    ]
