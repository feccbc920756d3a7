"""Decisions of people, and who looks at which document meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from textclf.base.errors import BadDataError
from textclf.library.documents import current_prediction, get_document
from textclf.library.records import Order
from textclf.library.rows import insert_if_new
from textclf.library.tables import ClaimRow, DecisionRow, DocumentRow, PredictionRow


class ClaimedError(BadDataError):
    """A document that somebody else is looking at."""

    code = "claimed"


def decide(session: Session, document_id: int, category: str, *, by: str, at: datetime) -> DecisionRow:
    """Decide the category of a document; the same decision again adds nothing."""
    get_document(session, document_id)
    # two processes decide one after the other
    session.execute(select(DocumentRow.id).where(DocumentRow.id == document_id).with_for_update())
    claim = session.get(ClaimRow, document_id)
    if claim is not None and claim.by != by and claim.until > at:
        raise ClaimedError(
            f"{claim.by} is looking at document {document_id}", remedy="wait until it is decided or released"
        )
    holding = decision_that_holds(session, document_id)
    if claim is not None:
        session.delete(claim)
    if holding is not None and (holding.category, holding.by) == (category, by):
        return holding
    prediction = current_prediction(session, document_id)
    before = holding.category if holding else prediction.predicted_category if prediction else ""
    row = DecisionRow(document_id=document_id, category=category, before=before, by=by, at=at)
    session.add(row)
    session.flush()
    return row


def undo(session: Session, *, by: str, at: datetime) -> DecisionRow | None:
    """Undo the last decision of a person that is not undone; what held before holds again."""
    query = select(DecisionRow).where(DecisionRow.by == by, DecisionRow.undone_at.is_(None))
    row = session.scalar(query.order_by(DecisionRow.id.desc()).limit(1).with_for_update())
    if row is not None:
        row.undone_at, row.undone_by = at, by
    return row


def decision_that_holds(session: Session, document_id: int) -> DecisionRow | None:
    """Give the last decision on a document that is not undone."""
    query = select(DecisionRow).where(DecisionRow.document_id == document_id, DecisionRow.undone_at.is_(None))
    return session.scalar(query.order_by(DecisionRow.id.desc()).limit(1))


def claim_next(
    session: Session, *, by: str, at: datetime, until: datetime, order: Order, passed_over: Sequence[int]
) -> int | None:
    """Claim a document for review that nobody looks at, a person's own first; gives its id."""
    own = select(ClaimRow.document_id).where(ClaimRow.by == by, ClaimRow.document_id.not_in(passed_over))
    for document_id in session.scalars(own.order_by(ClaimRow.document_id)):
        if take_claim(session, document_id, by=by, at=at, until=until):
            return document_id
    query = for_review(at).where(PredictionRow.document_id.not_in(passed_over)).order_by(*_ORDERS[order])
    query = query.limit(1).with_for_update(of=PredictionRow, skip_locked=True)
    while (found := session.scalar(query)) is not None:
        # another process may have claimed it since the query began
        if take_claim(session, found, by=by, at=at, until=until):
            return found
    return None


def release(session: Session, document_id: int, *, by: str) -> bool:
    """Give up a claim of one's own; returns whether there was one."""
    claim = session.get(ClaimRow, document_id)
    if claim is None or claim.by != by:
        return False
    session.delete(claim)
    return True


def count_for_review(session: Session, at: datetime) -> int:
    """Count documents for review that nobody looks at."""
    return session.scalar(select(func.count()).select_from(for_review(at).subquery())) or 0


def take_claim(session: Session, document_id: int, *, by: str, at: datetime, until: datetime) -> bool:
    """Claim a document, or keep a claim of one's own for longer; returns False if somebody else looks at it."""
    free = or_(ClaimRow.until <= at, ClaimRow.by == by)
    taken: Any = session.execute(
        update(ClaimRow).where(ClaimRow.document_id == document_id, free).values(by=by, until=until)
    )
    if taken.rowcount == 1:
        return True
    get_document(session, document_id)
    return insert_if_new(session, ClaimRow, document_id=document_id, by=by, until=until)


def margin() -> Any:
    """Give the lead of a prediction over its runner-up, 0 where nothing was scored, as an expression of a query."""
    return func.coalesce(PredictionRow.score - func.coalesce(PredictionRow.runner_up_score, 0.0), 0.0)


_ORDERS: dict[Order, tuple[Any, ...]] = {
    "unsure": (margin(), PredictionRow.document_id),
    "oldest": (PredictionRow.document_id,),
    "surest": (margin().desc(), PredictionRow.document_id),
}


def for_review(at: datetime) -> Select[int]:
    """Select documents whose last prediction asks for review, without a decision or a claim that is valid."""
    later = aliased(PredictionRow)
    newer = or_(
        later.made_at > PredictionRow.made_at,
        (later.made_at == PredictionRow.made_at) & (later.id > PredictionRow.id),
    )
    document = PredictionRow.document_id
    return select(document).where(
        PredictionRow.decision == "review",
        ~select(later.id).where(later.document_id == document, newer).exists(),
        ~select(DecisionRow.id).where(DecisionRow.document_id == document, DecisionRow.undone_at.is_(None)).exists(),
        ~select(ClaimRow.document_id).where(ClaimRow.document_id == document, ClaimRow.until > at).exists(),
    )


def count_corrections(session: Session) -> dict[tuple[str, str], int]:
    """Count the decisions that hold and changed something, by the category before and after."""
    later = aliased(DecisionRow)
    same = later.document_id == DecisionRow.document_id
    is_last = ~select(later.id).where(same, later.id > DecisionRow.id, later.undone_at.is_(None)).exists()
    query = select(DecisionRow.before, DecisionRow.category, func.count()).where(
        DecisionRow.undone_at.is_(None), is_last, DecisionRow.before != DecisionRow.category
    )
    rows = session.execute(query.group_by(DecisionRow.before, DecisionRow.category))
    return {(before, after): count for before, after, count in rows}
