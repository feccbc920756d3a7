"""The tables of a library, as SQLAlchemy maps them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Double, ForeignKey, Index, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from ocr.document import Word
from textclf.library.column_types import FilePath, PlainText, UtcTime, WordBoxes


class Base(DeclarativeBase):
    """The common base, with names for constraints that are the same in every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: PlainText,
        datetime: UtcTime,
        float: Double,
        dict[str, Any]: JSON,
        list[dict[str, Any]]: JSON,
    }


class DocumentRow(Base):
    """A document, by its content: the same bytes are one row wherever they lie."""

    __tablename__ = "document"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    path: Mapped[str] = mapped_column(FilePath)
    size: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(index=True)
    error: Mapped[str]
    page_count: Mapped[int]
    text: Mapped[str] = mapped_column(deferred=True)
    reading: Mapped[dict[str, Any]]
    pages: Mapped[list[PageRow]] = relationship(cascade="all, delete-orphan", order_by="PageRow.number")


class PageRow(Base):
    """A page that was read."""

    __tablename__ = "page"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    width: Mapped[int]
    height: Mapped[int]
    rotation: Mapped[int]
    text: Mapped[str]
    words: Mapped[tuple[Word, ...]] = mapped_column(WordBoxes)
    look: Mapped[str]


class ModelRow(Base):
    """A model, by the SHA-256 of its file."""

    __tablename__ = "model"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    added_at: Mapped[datetime]
    trained_on: Mapped[str] = mapped_column(String(64))
    figures: Mapped[dict[str, Any]]
    parent_id: Mapped[str | None] = mapped_column(String(64), ForeignKey("model.id"))


class DutyRow(Base):
    """Which model was put on duty when; the last row holds."""

    __tablename__ = "duty"

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(String(64), ForeignKey("model.id"))
    since: Mapped[datetime]
    by: Mapped[str]
    went_back: Mapped[bool]


class PredictionRow(Base):
    """What a model predicted for a document."""

    __tablename__ = "prediction"
    __table_args__ = (
        UniqueConstraint("document_id", "model_id"),
        Index(None, "document_id", "made_at"),
        Index(None, "decision"),
        Index(None, "accepted_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    model_id: Mapped[str] = mapped_column(String(64), ForeignKey("model.id"))
    predicted_category: Mapped[str]
    score: Mapped[float | None]
    familiarity: Mapped[float | None]
    decision: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str]
    runner_up: Mapped[str]
    runner_up_score: Mapped[float | None]
    pages: Mapped[list[dict[str, Any]]]
    evidence: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    max_error: Mapped[float | None]
    accepted_at: Mapped[datetime | None]


class DecisionRow(Base):
    """What a person decided; rows are never deleted, and the last that is not undone holds."""

    __tablename__ = "decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    category: Mapped[str]
    before: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class LabelIssueRow(Base):
    """A doubt of a model about a decision, of which a person is asked once."""

    __tablename__ = "label_issue"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True, autoincrement=False)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"))
    category: Mapped[str]
    score: Mapped[float]
    found_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class ClaimRow(Base):
    """Who is looking at a document, so that nobody else is shown it."""

    __tablename__ = "claim"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True, autoincrement=False)
    by: Mapped[str]
    until: Mapped[datetime]


class RunRow(Base):
    """A run that moves files: of ``file`` or ``watch``."""

    __tablename__ = "run"

    id: Mapped[int] = mapped_column(primary_key=True)
    command: Mapped[str] = mapped_column(String(16))
    into: Mapped[str] = mapped_column(FilePath)
    started_at: Mapped[datetime]


class MoveRow(Base):
    """The journal of files moved, written before and after each."""

    __tablename__ = "move"
    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    source: Mapped[str] = mapped_column(FilePath)
    target: Mapped[str] = mapped_column(FilePath)
    how: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), index=True)
    at: Mapped[datetime]


class TaskRow(Base):
    """Work that was asked for and is done later."""

    __tablename__ = "task"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    request: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(server_default="0")
    owner: Mapped[str] = mapped_column(server_default="")
    leased_until: Mapped[datetime | None]
    queued_at: Mapped[datetime | None]
