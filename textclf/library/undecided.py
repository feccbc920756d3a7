"""Documents that nobody decided, with what a model needs of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from textclf.library.database import Database
from textclf.library.latest import is_decided, last_prediction
from textclf.library.tables import DocumentRow, PredictionRow

_BATCH = 200
"""Documents read at once, whose texts fit into memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """A document that was read; `category` and `decision` are those predicted last, empty without a prediction."""

    document_id: int
    sha256: str
    name: str
    text: str
    look: str
    confidence: float | None
    category: str
    decision: str
    model_id: str


def iter_undecided(database: Database) -> Iterator[Undecided]:
    """Yield documents without a decision, by id, in constant memory."""
    query = select(DocumentRow, DocumentRow.text, PredictionRow)
    query = query.outerjoin(PredictionRow, PredictionRow.id == last_prediction(DocumentRow.id))
    query = query.where(DocumentRow.status.in_(("ok", "partial")), ~is_decided(DocumentRow.id)).order_by(DocumentRow.id)
    after = 0
    while True:
        with database.reading() as session:
            rows = session.execute(query.where(DocumentRow.id > after).limit(_BATCH)).all()
            batch = [_undecided(*row) for row in rows]
        if not batch:
            return
        yield from batch
        after = batch[-1].document_id


def count_undecided(session: Session) -> int:
    """Count documents that were read and have no decision."""
    query = select(func.count()).where(DocumentRow.status.in_(("ok", "partial")), ~is_decided(DocumentRow.id))
    return session.scalar(query) or 0


def undecided_of(session: Session, ids: list[int]) -> set[int]:
    """Give those of some documents that have no decision."""
    return set(session.scalars(select(DocumentRow.id).where(DocumentRow.id.in_(ids), ~is_decided(DocumentRow.id))))


def _undecided(document: DocumentRow, text: str, prediction: PredictionRow | None) -> Undecided:
    return Undecided(
        document_id=document.id,
        sha256=document.sha256,
        name=document.name,
        text=text,
        look=document.reading.get("look", ""),
        confidence=document.reading.get("confidence"),
        category=prediction.predicted_category if prediction else "",
        decision=prediction.decision if prediction else "",
        model_id=prediction.model_id if prediction else "",
    )
