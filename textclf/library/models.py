"""Models, and which of them is on duty."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from textclf.base.errors import BadDataError
from textclf.library.tables import DutyRow, ModelRow


def get_model(session: Session, model_id: str) -> ModelRow:
    """Give the row of a model."""
    row = session.get(ModelRow, model_id)
    if row is None:
        raise no_model(model_id)
    return row


def no_model(model_id: str) -> BadDataError:
    """Make the error for a model that is not in the library."""
    return BadDataError(f"there is no model {model_id[:12]!r}", remedy="add it first")


def put_on_duty(session: Session, model_id: str, *, by: str, at: datetime, went_back: bool = False) -> DutyRow:
    """Put a model on duty unless it is so already."""
    get_model(session, model_id)
    on_duty = duty_rows(session, changing=True)
    if not went_back and on_duty and on_duty[-1].model_id == model_id:
        return on_duty[-1]
    row = DutyRow(model_id=model_id, since=at, by=by, went_back=went_back)
    session.add(row)
    session.flush()
    return row


def go_back(session: Session, *, by: str, at: datetime) -> DutyRow:
    """Put the model on duty that was so before the present one."""
    before = duty_rows(session, changing=True)[:-1]
    if not before:
        raise BadDataError("no other model was on duty before", remedy="put one on duty by its name")
    return put_on_duty(session, before[-1].model_id, by=by, at=at, went_back=True)


def duty_rows(session: Session, *, changing: bool = False) -> list[DutyRow]:
    """Give the models that were on duty one after the other, without those from which somebody went back."""
    if changing:
        # processes do so one after the other, each with what the one before has added; predictions go on meanwhile
        session.execute(select(ModelRow.id).order_by(ModelRow.id).with_for_update(key_share=True))
    stack: list[DutyRow] = []
    for row in session.scalars(select(DutyRow).order_by(DutyRow.id)):
        if row.went_back:
            # going back from the present model to the one before
            del stack[-2:]
        stack.append(row)
    return stack
