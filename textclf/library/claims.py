"""Who looks at which document, so that nobody else is shown it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from textclf.base.errors import BadDataError
from textclf.library.documents import get_document
from textclf.library.rows import insert_if_new
from textclf.library.tables import ClaimRow


class ClaimedError(BadDataError):
    """A document that somebody else is looking at."""

    code = "claimed"


def take_claim(session: Session, document_id: int, *, by: str, at: datetime, until: datetime) -> bool:
    """Claim a document, or keep a claim of one's own for longer; returns False if somebody else looks at it.

    Raises
    ------
    textclf.base.errors.BadDataError
        If there is no document of that id.
    """
    free = or_(ClaimRow.until <= at, ClaimRow.by == by)
    taken: Any = session.execute(
        update(ClaimRow).where(ClaimRow.document_id == document_id, free).values(by=by, until=until)
    )
    if taken.rowcount == 1:
        return True
    get_document(session, document_id)
    return insert_if_new(session, ClaimRow, document_id=document_id, by=by, until=until)


def claim_first(session: Session, ids: Iterable[int], *, by: str, at: datetime, until: datetime) -> int | None:
    """Claim the first of some documents that nobody else looks at; gives its id."""
    return next((one for one in ids if take_claim(session, one, by=by, at=at, until=until)), None)


def keep_claim(session: Session, document_id: int, *, by: str, at: datetime, until: datetime) -> bool:
    """Keep a claim of one's own for longer; returns False if it is somebody else's, or given up."""
    found = session.get(ClaimRow, document_id)
    return found is not None and found.by == by and take_claim(session, document_id, by=by, at=at, until=until)


def release(session: Session, document_id: int, *, by: str) -> bool:
    """Give up a claim of one's own; returns whether there was one."""
    claim = session.get(ClaimRow, document_id)
    if claim is None or claim.by != by:
        return False
    session.delete(claim)
    return True


def claimed_by(session: Session, document_id: int, *, at: datetime) -> str:
    """Give who looks at a document; an empty string if nobody does."""
    found = session.get(ClaimRow, document_id)
    return found.by if found is not None and found.until > at else ""


def own_claims(session: Session, *, by: str) -> list[int]:
    """List what a person looks at, so that a page that was closed gets it back."""
    return list(session.scalars(select(ClaimRow.document_id).where(ClaimRow.by == by).order_by(ClaimRow.document_id)))
