"""Doubts of a model about what people decided; each document is asked about once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from textclf.library.latest import holding_decision, holding_decisions
from textclf.library.records import LabelIssue
from textclf.library.rows import insert_if_new
from textclf.library.tables import ClaimRow, DecisionRow, LabelIssueRow


def keep_label_issues(session: Session, found: Iterable[LabelIssue], *, at: datetime) -> int:
    """Keep doubts in place of those that nobody answered; gives how many are asked about."""
    session.execute(delete(LabelIssueRow).where(LabelIssueRow.answered_at.is_(None)))
    kept = 0
    for one in found:
        holding = select(DecisionRow).where(DecisionRow.id.in_(holding_decisions()))
        decision = session.scalar(holding.where(DecisionRow.document_id == one.document_id))
        # somebody else may have decided meanwhile
        if decision is not None and decision.category == one.decided:
            values = {"decision_id": decision.id, "category": one.category, "score": one.score, "found_at": at}
            kept += insert_if_new(session, LabelIssueRow, document_id=one.document_id, **values)
    return kept


def list_label_issues(session: Session) -> list[LabelIssue]:
    """List the doubts that nobody answered, about decisions that hold, the strongest first."""
    rows = session.execute(_open().order_by(LabelIssueRow.score.desc(), LabelIssueRow.document_id))
    return [
        LabelIssue(document_id=issue.document_id, decided=decision.category, by=decision.by, category=issue.category,
                   score=issue.score)
        for issue, decision in rows
    ]  # fmt: skip


def count_label_issues(session: Session, *, at: datetime) -> int:
    """Count the documents to ask about that nobody looks at."""
    claimed = select(ClaimRow.document_id).where(ClaimRow.until > at)
    return session.scalar(
        select(func.count()).select_from(_open().where(LabelIssueRow.document_id.not_in(claimed)).subquery())
    ) or 0  # fmt: skip


def answer_label_issue(session: Session, document_id: int, *, at: datetime) -> bool:
    """Note that somebody decided again; returns whether that was asked for."""
    doubted = LabelIssueRow.document_id == document_id, LabelIssueRow.answered_at.is_(None)
    answered: Any = session.execute(update(LabelIssueRow).where(*doubted).values(answered_at=at))
    return bool(answered.rowcount)


def _open() -> Select[LabelIssueRow, DecisionRow]:
    query = select(LabelIssueRow, DecisionRow).join(DecisionRow, DecisionRow.id == LabelIssueRow.decision_id)
    holds = LabelIssueRow.decision_id == holding_decision(LabelIssueRow.document_id)
    return query.where(LabelIssueRow.answered_at.is_(None), holds)
