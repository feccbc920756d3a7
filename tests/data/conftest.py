"""Helpers for the tests of the sample documents."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def samples() -> Path:
    return ROOT / "data"


@pytest.fixture(scope="session")
def labels(samples: Path) -> list[dict[str, str]]:
    with (samples / "labels.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="session")
def truth(samples: Path) -> dict[str, str]:
    with (samples / "truth.csv").open(newline="", encoding="utf-8") as stream:
        return {row["file"]: row["text"] for row in csv.DictReader(stream)}
