"""What became of accepted documents, month by month: a random sample to look at, and how documents drift."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from textclf.library.latest import holding_decisions
from textclf.library.tables import DecisionRow, DocumentRow, PredictionRow
from textclf.model.category_names import NONE_OF_THESE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """An accepted document of a sample; `decided` is what a person said it is, empty if nobody looked at it."""

    document_id: int
    name: str
    accepted_as: str
    decided: str
    # the maximum error that held when it was accepted; None if that is not known
    promised: float | None

    @property
    def is_wrong(self) -> bool:
        """Whether a person said that it is something else."""
        return bool(self.decided) and self.decided != self.accepted_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Documents that came in a time as they were judged first, and those decided in it that were corrected."""

    predicted: int
    accepted: int
    unfamiliar: int
    decided: int
    corrected: int


def month_of(at: datetime) -> datetime:
    """Give the beginning of a month, in UTC."""
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    """Give the beginning of the month after."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def months_before(month: datetime, count: int) -> list[datetime]:
    """Give so many months, the given one last.

    Examples
    --------
    >>> [f"{one:%Y-%m}" for one in months_before(datetime(2026, 2, 1, tzinfo=UTC), 3)]
    ['2025-12', '2026-01', '2026-02']
    """
    numbers = range(month.year * 12 + month.month - count, month.year * 12 + month.month)
    return [month.replace(year=number // 12, month=number % 12 + 1) for number in numbers]


def draw_sample(session: Session, month: datetime, size: int) -> list[Sampled]:
    """Draw documents that were first accepted in a month, at random: the same ones whenever it is asked.

    While the month lasts, a document may take the place of another, but what is in the sample does not depend on what
    anybody decided, nor on how a document was judged anew.
    """
    earlier = aliased(PredictionRow)
    earlier_ones = select(earlier.id).where(
        earlier.document_id == PredictionRow.document_id,
        tuple_(earlier.accepted_at, earlier.id) < tuple_(PredictionRow.accepted_at, PredictionRow.id),
    )
    accepted = PredictionRow.predicted_category, PredictionRow.max_error
    query = select(DocumentRow.id, DocumentRow.sha256, DocumentRow.name, *accepted)
    query = query.join(PredictionRow).where(*_in(PredictionRow.accepted_at, month), ~earlier_ones.exists())
    drawn = sorted(session.execute(query).all(), key=lambda row: _draw(row[1], month))[:size]
    decided = _decided(session, [row[0] for row in drawn])
    return [
        Sampled(document_id=row[0], name=row[2], accepted_as=row[3], decided=decided.get(row[0], ""), promised=row[4])
        for row in drawn
    ]


def measure_drift(session: Session, month: datetime, *, unfamiliar_below: float) -> Drift:
    """Count the documents that came in a month and were unfamiliar, and those decided in it that were corrected."""
    row = aliased(PredictionRow)
    first = select(func.min(row.id)).where(row.document_id == DocumentRow.id).correlate(DocumentRow).scalar_subquery()
    came = select(func.count()).select_from(DocumentRow).join(PredictionRow, PredictionRow.id == first)
    came = came.where(*_in(DocumentRow.added_at, month))
    # what was predicted is what the first decision replaced
    said_first = aliased(DecisionRow)
    same = said_first.document_id == DecisionRow.document_id
    said = select(said_first.before).where(same, said_first.undone_at.is_(None)).order_by(said_first.id).limit(1)
    predicted = said.correlate(DecisionRow).scalar_subquery()
    decided = select(func.count()).select_from(DecisionRow)
    decided = decided.where(DecisionRow.id.in_(holding_decisions()), *_in(DecisionRow.at, month), predicted != "")
    # a paper of none of the kinds says nothing of how well these are told apart
    decided = decided.where(DecisionRow.category != NONE_OF_THESE)
    return Drift(
        predicted=session.scalar(came) or 0,
        accepted=session.scalar(came.where(PredictionRow.decision == "accept")) or 0,
        unfamiliar=session.scalar(came.where(PredictionRow.familiarity < unfamiliar_below)) or 0,
        decided=session.scalar(decided) or 0,
        corrected=session.scalar(decided.where(predicted != DecisionRow.category)) or 0,
    )


def _in(column: InstrumentedAttribute[Any], month: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column >= month, column < next_month(month)


def _draw(sha256: str, month: datetime) -> bytes:
    return hashlib.sha256(f"{month:%Y-%m} {sha256}".encode()).digest()


def _decided(session: Session, ids: list[int]) -> dict[int, str]:
    query = select(DecisionRow.document_id, DecisionRow.category).where(
        DecisionRow.document_id.in_(ids), DecisionRow.id.in_(holding_decisions())
    )
    return dict(session.execute(query).all())
