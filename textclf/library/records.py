"""What a library gives: plain values, which stay as they are when the database changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ocr.document import Word

Order = Literal["unsure", "oldest", "surest"]
"""In which order documents for review are shown; ``unsure``: the smallest margin over the runner-up first."""
Operation = Literal["move", "copy", "link"]
MoveState = Literal["planned", "done", "undoing", "undone", "failed", "lost", "kept"]
"""``planned``, ``undoing``: about to be done; ``failed``: not done; ``lost``: the file is no longer where it was put;
``kept``: a copy that was not removed, as it or its source was changed or its source is gone."""
TaskState = Literal["pending", "started", "success", "failure"]
UNREAD = "unread"
"""Status of a document that nobody has tried to read yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document by its content; `path` is where it was found last, empty if the library keeps the file itself."""

    id: int
    sha256: str
    name: str
    path: str
    size: int
    added_at: datetime
    status: str
    error: str
    page_count: int
    reading: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """A page that was read, with its words and their boxes; `rotation` as `ocr.document.Page` has it."""

    document_id: int
    number: int
    width: int
    height: int
    rotation: int
    text: str
    words: tuple[Word, ...]
    look: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A model: `id` is the SHA-256 of its file, `trained_on` that of its training data."""

    id: str
    name: str
    added_at: datetime
    trained_on: str
    figures: dict[str, Any]
    parent_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Since when, and by whose doing, a model is on duty; `went_back` if it was on duty before its successor was."""

    id: int
    model_id: str
    since: datetime
    by: str
    went_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPrediction:
    """What a model predicted for a document; scores are None where nothing was scored."""

    id: int
    document_id: int
    model_id: str
    predicted_category: str
    score: float | None
    familiarity: float | None
    decision: str
    reason: str
    runner_up: str
    runner_up_score: float | None
    pages: list[dict[str, Any]]
    evidence: dict[str, Any]
    made_at: datetime
    max_error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided: `category` in place of `before`."""

    id: int
    document_id: int
    category: str
    before: str
    by: str
    at: datetime
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelIssue:
    """A doubt: somebody decided one category, but the text reads like another; `by` is empty until it is kept."""

    document_id: int
    decided: str
    category: str
    score: float
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who is looking at a document, and until when it is kept for that person."""

    document_id: int
    by: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of ``file`` or ``watch``, and the folder that it files into."""

    id: int
    command: str
    into: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A file operation of a run, and how far it came."""

    id: int
    run: int
    document_id: int
    source: str
    target: str
    how: Operation
    state: MoveState
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work that was asked for, how often it was begun, and its result once it is finished."""

    id: str
    state: TaskState
    created_at: datetime
    finished_at: datetime | None
    request: dict[str, Any]
    result: dict[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A decision that holds, with what training needs of its document."""

    document_id: int
    sha256: str
    name: str
    path: str
    text: str
    look: str
    confidence: float | None
    category: str
    predicted_category: str
    by: str
    at: datetime
    # when the document was decided for the first time
    first_at: datetime
