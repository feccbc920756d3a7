"""Decisions as documents to train on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import aliased, undefer

from textclf.library.database import Database
from textclf.library.documents import predicted_category
from textclf.library.latest import holding_decisions
from textclf.library.records import Correction
from textclf.library.tables import DecisionRow, DocumentRow

_BATCH = 200
"""Documents read at once, whose texts fit into memory."""


def iter_corrections(database: Database) -> Iterator[Correction]:
    """Yield the decisions that hold, by the ids of their documents, in constant memory."""
    row = aliased(DecisionRow)
    first_at = select(func.min(row.at)).where(row.document_id == DocumentRow.id).correlate(DocumentRow)
    query = select(DocumentRow, DecisionRow, predicted_category(), first_at.scalar_subquery()).join(DecisionRow)
    query = (
        query.where(DecisionRow.id.in_(holding_decisions())).options(undefer(DocumentRow.text)).order_by(DocumentRow.id)
    )
    batch: list[Correction] = []
    while True:
        after = batch[-1].document_id if batch else 0
        with database.reading() as session:
            rows = session.execute(query.where(DocumentRow.id > after).limit(_BATCH))
            batch = [_correction(*row) for row in rows]
        if not batch:
            return
        yield from batch


def _correction(document: DocumentRow, decision: DecisionRow, predicted: str | None, first_at: datetime) -> Correction:
    return Correction(
        document_id=document.id,
        sha256=document.sha256,
        name=document.name,
        path=document.path,
        text=document.text,
        look=document.reading.get("look", ""),
        confidence=document.reading.get("confidence"),
        category=decision.category,
        predicted_category=predicted or "",
        by=decision.by,
        at=decision.at,
        first_at=first_at,
    )
