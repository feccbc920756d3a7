"""Which prediction of a document was made last, and which decision on it holds, as parts of queries."""

from __future__ import annotations

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from textclf.library.tables import DecisionRow, PredictionRow

DocumentId = InstrumentedAttribute[int]
"""The column with the id of a document in the query around."""


def last_prediction(document_id: DocumentId) -> ScalarSelect[int]:
    """Give the id of the prediction that was made last for a document."""
    row = aliased(PredictionRow)
    query = select(row.id).where(row.document_id == document_id).order_by(row.made_at.desc(), row.id.desc())
    return query.limit(1).correlate(document_id.class_).scalar_subquery()


def holding_decision(document_id: DocumentId) -> ScalarSelect[int]:
    """Give the id of the decision that holds for a document: the last that is not undone."""
    row = aliased(DecisionRow)
    query = select(func.max(row.id)).where(row.document_id == document_id, row.undone_at.is_(None))
    return query.correlate(document_id.class_).scalar_subquery()


def holding_decisions() -> Select[int]:
    """Select the ids of the decisions that hold, one for each document that was decided."""
    return select(func.max(DecisionRow.id)).where(DecisionRow.undone_at.is_(None)).group_by(DecisionRow.document_id)


def is_decided(document_id: DocumentId) -> ColumnElement[bool]:
    """Tell whether a decision holds for a document."""
    row = aliased(DecisionRow)
    return select(row.id).where(row.document_id == document_id, row.undone_at.is_(None)).exists()
