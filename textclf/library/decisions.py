"""Decisions of people, and how many there are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from textclf.library.claims import ClaimedError
from textclf.library.documents import current_prediction, get_document
from textclf.library.label_issues import answer_label_issue
from textclf.library.latest import holding_decisions
from textclf.library.tables import ClaimRow, DecisionRow, DocumentRow


def decide(session: Session, document_id: int, category: str, *, by: str, at: datetime) -> DecisionRow:
    """Decide the category of a document; the same decision again adds nothing, unless it was asked for."""
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
    was_asked = answer_label_issue(session, document_id, at=at)
    if not was_asked and holding is not None and (holding.category, holding.by) == (category, by):
        return holding
    prediction = current_prediction(session, document_id)
    before = holding.category if holding else prediction.predicted_category if prediction else ""
    row = DecisionRow(document_id=document_id, category=category, before=before, by=by, at=at)
    session.add(row)
    session.flush()
    return row


def decided_by_another(session: Session, document_id: int, *, by: str) -> str:
    """Give who else decided a document that a person does not hold a claim of; an empty string if nobody did."""
    session.execute(select(DocumentRow.id).where(DocumentRow.id == document_id).with_for_update())
    claim, holding = session.get(ClaimRow, document_id), decision_that_holds(session, document_id)
    is_held = claim is not None and claim.by == by
    return "" if is_held or holding is None or holding.by == by else holding.by


def undo(session: Session, *, by: str, at: datetime) -> DecisionRow | None:
    """Undo the last decision of a person that is not undone; what held before holds again."""
    query = select(DecisionRow).where(DecisionRow.by == by, DecisionRow.undone_at.is_(None))
    row = session.scalar(query.order_by(DecisionRow.id.desc()).limit(1).with_for_update())
    if row is not None:
        row.undone_at, row.undone_by = at, by
    return row


def decision_that_holds(session: Session, document_id: int) -> DecisionRow | None:
    """Give the last decision on a document that is not undone."""
    holding = holding_decisions().where(DecisionRow.document_id == document_id)
    return session.scalar(select(DecisionRow).where(DecisionRow.id.in_(holding)))


def count_decided(session: Session) -> dict[str, int]:
    """Count the decisions that hold by category, the most frequent first."""
    counts = select(DecisionRow.category, func.count()).where(DecisionRow.id.in_(holding_decisions()))
    counts = counts.group_by(DecisionRow.category).order_by(func.count().desc(), DecisionRow.category)
    return dict(session.execute(counts).all())


def last_change(session: Session) -> datetime | None:
    """Give the time at which a decision was last made or undone."""
    times = session.execute(select(func.max(DecisionRow.at), func.max(DecisionRow.undone_at))).one()
    return max((time for time in times if time is not None), default=None)


def count_corrections(session: Session) -> dict[tuple[str, str], int]:
    """Count the decisions that hold and changed something, by the category before and after."""
    pair = (DecisionRow.before, DecisionRow.category)
    changed = DecisionRow.id.in_(holding_decisions()), DecisionRow.before != DecisionRow.category
    rows = session.execute(select(*pair, func.count()).where(*changed).group_by(*pair))
    return {(before, after): count for before, after, count in rows}
