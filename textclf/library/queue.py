"""The queue for review: what waits and how doubtful it is, and who is shown what next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from textclf.library.claims import claim_first, own_claims, release, take_claim
from textclf.library.latest import is_decided, last_prediction
from textclf.library.records import Claim, Order
from textclf.library.rows import record
from textclf.library.tables import ClaimRow, DocumentRow, PredictionRow

_MARGIN: Any = func.coalesce(PredictionRow.score - func.coalesce(PredictionRow.runner_up_score, 0.0), 0.0)
"""The lead of a prediction over its runner-up, 0 where nothing was scored."""
_ORDERS: dict[Order, tuple[Any, ...]] = {
    "unsure": (_MARGIN, PredictionRow.document_id),
    "oldest": (PredictionRow.document_id,),
    "surest": (_MARGIN.desc(), PredictionRow.document_id),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A document for review; `doubt` is 1 without a lead over the runner-up, 0 where the score is 1 or missing."""

    document_id: int
    doubt: float
    text: str


def list_waiting(session: Session, *, at: datetime, limit: int) -> list[Waiting]:
    """List documents for review that nobody looks at, the most doubtful first."""
    query = _for_review(at).join(DocumentRow, DocumentRow.id == PredictionRow.document_id)
    # from what has no score, such as a blank page, a model learns least
    lead = case((PredictionRow.score.is_(None), 1.0), else_=_MARGIN)
    query = query.order_by(lead, PredictionRow.document_id).limit(limit)
    rows = session.execute(query.with_only_columns(PredictionRow.document_id, lead, DocumentRow.text))
    return [Waiting(document_id=row[0], doubt=1 - row[1], text=row[2]) for row in rows]


def count_for_review(session: Session, at: datetime) -> int:
    """Count documents for review that nobody looks at."""
    return session.scalar(select(func.count()).select_from(_for_review(at).subquery())) or 0


def claim_next(
    session: Session, *, by: str, at: datetime, until: datetime, order: Order, passed_over: Sequence[int]
) -> Claim | None:
    """Claim a document for review that nobody looks at, a person's own first."""
    for document_id in own_claims(session, by=by):
        if document_id not in passed_over and take_claim(session, document_id, by=by, at=at, until=until):
            return _claim(session, document_id)
    query = _for_review(at).where(PredictionRow.document_id.not_in(passed_over)).order_by(*_ORDERS[order])
    query = query.limit(1).with_for_update(of=PredictionRow, skip_locked=True)
    while (found := session.scalar(query)) is not None:
        # another process may have claimed it since the query began, or decided it and given up its claim
        if take_claim(session, found, by=by, at=at, until=until):
            if session.scalar(select(DocumentRow.id).where(DocumentRow.id == found, ~is_decided(DocumentRow.id))):
                return _claim(session, found)
            release(session, found, by=by)
    return None


def claim_first_of(session: Session, ids: Sequence[int], *, by: str, at: datetime, until: datetime) -> Claim | None:
    """Claim the first of some documents that is for review and that nobody looks at."""
    free = set(session.scalars(_for_review(at).where(PredictionRow.document_id.in_(ids))))
    # another process may have claimed one since the query
    found = claim_first(session, (one for one in ids if one in free), by=by, at=at, until=until)
    return None if found is None else _claim(session, found)


def _claim(session: Session, document_id: int) -> Claim:
    session.expire_all()
    return record(Claim, session.get_one(ClaimRow, document_id))


def _for_review(at: datetime) -> Select[int]:
    """Select documents whose last prediction asks for review, without a decision or a claim that is valid."""
    document = PredictionRow.document_id
    return select(document).where(
        PredictionRow.decision == "review",
        PredictionRow.id == last_prediction(document),
        ~is_decided(document),
        ~select(ClaimRow.document_id).where(ClaimRow.document_id == document, ClaimRow.until > at).exists(),
    )
