from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from textclf.base.hashing import hash_text
from textclf.library.library import Library
from textclf.library.records import StoredDocument
from textclf.model.prediction import Prediction

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATEGORIES = ("invoice", "letter", "receipt")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str | None:
    """The address of an empty database; None for the SQLite file of the library."""
    return request.getfixturevalue("new_postgresql")() if request.param == "postgresql" else None


@pytest.fixture
def library(tmp_path, database) -> Iterator[Library]:
    with Library.open(tmp_path / "library", database) as library:
        yield library


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """A clock that goes on by a minute whenever it is read."""
    minutes = count()
    return lambda: START + timedelta(minutes=next(minutes))


@pytest.fixture
def add(library, clock) -> Callable[..., StoredDocument]:
    """Adds a document of some name, whose content is that name."""

    def add(name: str, **more: Any) -> StoredDocument:
        return library.add_document(sha256=hash_text(name), name=name, size=len(name), at=clock(), **more)[0]

    return add


@pytest.fixture(scope="session")
def model_files() -> list[Path]:
    """Two small model files, kept by an older version."""
    return sorted((Path(__file__).parents[1] / "model").glob("format-*.textclf"))


@pytest.fixture
def model_id(library, model_files, clock) -> str:
    return library.add_model(model_files[0], at=clock()).id


@pytest.fixture
def for_review(library, add, model_id, clock) -> Callable[..., StoredDocument]:
    """Adds a document that a model wants to be looked at."""

    def predicted(name: str, score: float = 0.6, decision: str = "review") -> StoredDocument:
        document = add(name)
        scores = (score, 1 - score, 0.0)
        prediction = Prediction(
            document_id=name, predicted_category="invoice", score=score, decision=decision, scores=scores
        )
        library.record_prediction(document.id, model_id, prediction, categories=CATEGORIES, at=clock())
        return document

    return predicted
