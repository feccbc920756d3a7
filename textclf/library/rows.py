"""Rows as plain values, and rows that several processes may insert at once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from textclf.library.tables import Base

R = TypeVar("R")


def record(kind: type[R], row: Base) -> R:
    """Copy a row into a dataclass whose fields are columns."""
    values: dict[str, Any] = {one.name: getattr(row, one.name) for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**values)


def insert_if_new(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row; returns False, and changes nothing, if another with its key or unique value is there."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    inserted = insert(table).values(values).on_conflict_do_nothing().returning(*inspect(table).primary_key)
    return session.execute(inserted).first() is not None
