"""The queue for review as a whole: what waits and how doubtful it is, and claims in an order chosen elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from textclf.library.decisions import for_review, margin, take_claim
from textclf.library.records import Claim
from textclf.library.rows import record
from textclf.library.tables import ClaimRow, DecisionRow, DocumentRow, PredictionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A document for review; `doubt` is 1 without a lead over the runner-up, 0 where the score is 1 or missing."""

    document_id: int
    doubt: float
    text: str


def list_waiting(session: Session, *, at: datetime, limit: int) -> list[Waiting]:
    """List documents for review that nobody looks at, the most doubtful first."""
    query = for_review(at).join(DocumentRow, DocumentRow.id == PredictionRow.document_id)
    # from what has no score, such as a blank page, a model learns least
    lead = case((PredictionRow.score.is_(None), 1.0), else_=margin())
    query = query.order_by(lead, PredictionRow.document_id).limit(limit)
    rows = session.execute(query.with_only_columns(PredictionRow.document_id, lead, DocumentRow.text))
    return [Waiting(document_id=row[0], doubt=1 - row[1], text=row[2]) for row in rows]


def own_claims(session: Session, *, by: str) -> list[int]:
    """List what a person looks at, so that a page that was closed gets it back."""
    return list(session.scalars(select(ClaimRow.document_id).where(ClaimRow.by == by).order_by(ClaimRow.document_id)))


def claim_first_of(session: Session, ids: Sequence[int], *, by: str, at: datetime, until: datetime) -> Claim | None:
    """Claim the first of some documents that is for review and that nobody looks at."""
    free = set(session.scalars(for_review(at).where(PredictionRow.document_id.in_(ids))))
    for document_id in ids:
        # another process may have claimed it since the query
        if document_id in free and take_claim(session, document_id, by=by, at=at, until=until):
            session.expire_all()
            return record(Claim, session.get_one(ClaimRow, document_id))
    return None


def claimed_by(session: Session, document_id: int, *, at: datetime) -> str:
    """Give who looks at a document; an empty string if nobody does."""
    found = session.get(ClaimRow, document_id)
    return found.by if found is not None and found.until > at else ""


def count_decided(session: Session) -> dict[str, int]:
    """Count the decisions that hold by category, the most frequent first."""
    last = select(func.max(DecisionRow.id)).where(DecisionRow.undone_at.is_(None)).group_by(DecisionRow.document_id)
    counts = select(DecisionRow.category, func.count()).where(DecisionRow.id.in_(last)).group_by(DecisionRow.category)
    return dict(session.execute(counts.order_by(func.count().desc(), DecisionRow.category)).all())


def keep_claim(session: Session, document_id: int, *, by: str, at: datetime, until: datetime) -> bool:
    """Keep a claim of one's own for longer; returns False if it is somebody else's, or given up."""
    found = session.get(ClaimRow, document_id)
    return found is not None and found.by == by and take_claim(session, document_id, by=by, at=at, until=until)
