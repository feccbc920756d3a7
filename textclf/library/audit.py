"""What became of accepted documents, month by month: a random sample to look at, and how documents drift."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from textclf.library.tables import DecisionRow, DocumentRow, PredictionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """An accepted document of a sample; `decided` is what a person said it is, empty if nobody looked at it."""

    document_id: int
    name: str
    accepted_as: str
    decided: str

    @property
    def is_wrong(self) -> bool:
        """Whether a person said that it is something else."""
        return bool(self.decided) and self.decided != self.accepted_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Documents predicted in a time, those of them that were unfamiliar, and decisions that were corrections."""

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
    """Draw documents that were accepted in a month, at random: the same ones whenever it is asked.

    While the month lasts, a document may take the place of another, but what is in the sample does not depend on what
    anybody decided.
    """
    later = aliased(PredictionRow)
    last = select(later.id).where(later.document_id == DocumentRow.id).order_by(later.made_at.desc(), later.id.desc())
    query = select(DocumentRow.id, DocumentRow.sha256, DocumentRow.name, PredictionRow.predicted_category)
    query = query.join(PredictionRow, PredictionRow.id == last.limit(1).correlate(DocumentRow).scalar_subquery())
    query = query.where(PredictionRow.decision == "accept", *_in(PredictionRow.made_at, month))
    drawn = sorted(session.execute(query).all(), key=lambda row: _draw(row[1], month))[:size]
    decided = _decided(session, [row[0] for row in drawn])
    return [
        Sampled(document_id=row[0], name=row[2], accepted_as=row[3], decided=decided.get(row[0], "")) for row in drawn
    ]


def measure_drift(session: Session, month: datetime, *, unfamiliar_below: float) -> Drift:
    """Count what was unfamiliar and what was corrected in a month."""
    predicted = select(func.count()).select_from(PredictionRow).where(*_in(PredictionRow.made_at, month))
    held = DecisionRow.undone_at.is_(None)
    decided = select(func.count()).select_from(DecisionRow).where(held, *_in(DecisionRow.at, month))
    return Drift(
        predicted=session.scalar(predicted) or 0,
        accepted=session.scalar(predicted.where(PredictionRow.decision == "accept")) or 0,
        unfamiliar=session.scalar(predicted.where(PredictionRow.familiarity < unfamiliar_below)) or 0,
        decided=session.scalar(decided.where(DecisionRow.before != "")) or 0,
        corrected=session.scalar(decided.where(DecisionRow.before != "", DecisionRow.before != DecisionRow.category))
        or 0,
    )


def _in(column: InstrumentedAttribute[datetime], month: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column >= month, column < next_month(month)


def _draw(sha256: str, month: datetime) -> bytes:
    return hashlib.sha256(f"{month:%Y-%m} {sha256}".encode()).digest()


def _decided(session: Session, ids: list[int]) -> dict[int, str]:
    query = select(DecisionRow.document_id, DecisionRow.category).where(
        DecisionRow.document_id.in_(ids), DecisionRow.undone_at.is_(None)
    )
    # the last one holds
    return {row[0]: row[1] for row in session.execute(query.order_by(DecisionRow.id))}
