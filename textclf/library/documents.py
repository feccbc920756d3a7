"""Documents, their pages and what models predicted for them: one function for each question or change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ocr.document import Document
from textclf.base.errors import BadDataError
from textclf.library.latest import holding_decision, last_prediction
from textclf.library.models import get_model
from textclf.library.records import UNREAD, StoredDocument, StoredPrediction
from textclf.library.rows import insert_if_new, record
from textclf.library.tables import DecisionRow, DocumentRow, PageRow, PredictionRow
from textclf.model.prediction import Prediction, pages_for_json


def add_document(session: Session, *, sha256: str, name: str, size: int, path: str, at: datetime) -> tuple[int, bool]:
    """Add a document unless its content is known; gives its id, and whether it is new."""
    known = select(DocumentRow).where(DocumentRow.sha256 == sha256)
    row = session.scalar(known)
    new = {"sha256": sha256, "name": name, "size": size, "path": path, "added_at": at}
    unread = {"status": UNREAD, "error": "", "page_count": 0, "text": "", "reading": {}}
    is_new = row is None and insert_if_new(session, DocumentRow, **new, **unread)
    row = row or session.scalars(known).one()
    if path:
        row.path = path
    return row.id, is_new


def get_document(session: Session, document_id: int) -> DocumentRow:
    """Give the row of a document."""
    row = session.get(DocumentRow, document_id)
    if row is None:
        raise BadDataError(f"there is no document {document_id}", remedy="take the id from the library")
    return row


def record_reading(session: Session, document_id: int, document: Document) -> None:
    """Keep what was read of a document, in place of what was read before."""
    row = get_document(session, document_id)
    row.status, row.error, row.page_count = document.status, document.error, document.page_count
    row.text = document.paged_text
    row.reading = {
        "engine": document.engine,
        "confidence": round(document.confidence, 1),
        "confidence_low": round(document.confidence_low, 1),
        "pages_read": round(document.pages_read, 2),
        "seconds": round(document.seconds, 3),
        "look": document.look,
        "warnings": [f"page {page.number}: {page.error}" for page in document.pages if page.error],
    }
    row.pages.clear()
    # so that the new pages can have the numbers of the old ones
    session.flush()
    for page, text in zip(document.pages, document.page_texts, strict=True):
        sizes = {"width": page.width, "height": page.height, "rotation": page.rotation}
        row.pages.append(PageRow(number=page.number, text=text, words=page.words, look=page.look, **sizes))


def record_prediction(
    session: Session,
    document_id: int,
    model_id: str,
    prediction: Prediction,
    *,
    categories: Sequence[str],
    evidence: Mapping[str, Any],
    max_error: float | None,
    at: datetime,
) -> PredictionRow:
    """Keep the prediction of a model for a document, in place of an earlier one of the same model."""
    # one process at a time for a document
    session.execute(select(DocumentRow.id).where(DocumentRow.id == document_id).with_for_update())
    get_document(session, document_id)
    get_model(session, model_id)
    same = PredictionRow.document_id == document_id, PredictionRow.model_id == model_id
    row = session.scalar(select(PredictionRow).where(*same))
    if row is None:
        row = PredictionRow(document_id=document_id, model_id=model_id)
        session.add(row)
    ranked = sorted(zip(prediction.scores, categories, strict=True), reverse=True) if prediction.scores else []
    others = [pair for pair in ranked if pair[1] != prediction.predicted_category]
    scored = bool(prediction.predicted_category)
    row.predicted_category = prediction.predicted_category
    row.score = prediction.score if scored else None
    row.familiarity = prediction.familiarity if scored else None
    row.decision, row.reason = prediction.decision, prediction.reason
    row.runner_up_score, row.runner_up = others[0] if others else (None, "")
    row.pages = pages_for_json(prediction)
    row.evidence = dict(evidence)
    # once accepted, that by which it was
    if row.accepted_at is None:
        row.max_error = max_error
    row.made_at = at
    if prediction.decision == "accept" and row.accepted_at is None:
        row.accepted_at = at
    session.flush()
    return row


def current_prediction(session: Session, document_id: int, model_id: str | None = None) -> StoredPrediction | None:
    """Give the prediction of a model for a document, or that made last."""
    query = select(PredictionRow).where(PredictionRow.document_id == document_id)
    if model_id is not None:
        query = query.where(PredictionRow.model_id == model_id)
    row = session.scalar(query.order_by(PredictionRow.made_at.desc(), PredictionRow.id.desc()).limit(1))
    return None if row is None else record(StoredPrediction, row)


def list_documents(session: Session, *, after: int, limit: int, category: str | None) -> list[StoredDocument]:
    """List documents by id, of one category if it is given: that decided or, without a decision, predicted last."""
    query = select(DocumentRow).where(DocumentRow.id > after).order_by(DocumentRow.id).limit(limit)
    if category is not None:
        query = query.where(func.coalesce(decided_category(), predicted_category()) == category)
    return [record(StoredDocument, row) for row in session.scalars(query)]


def decided_category() -> Any:
    """Give the category that holds for a document, as a scalar subquery of a query over documents."""
    return select(DecisionRow.category).where(DecisionRow.id == holding_decision(DocumentRow.id)).scalar_subquery()


def predicted_category() -> Any:
    """Give the category predicted last for a document, as a scalar subquery of a query over documents."""
    last = PredictionRow.id == last_prediction(DocumentRow.id)
    return select(PredictionRow.predicted_category).where(last).scalar_subquery()
