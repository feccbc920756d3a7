"""What a worker process is told of its job, and where the files of an object are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.kinds import Kind
from aws_ml_adapter.api.storage import StorageOptions

LOG, MODEL, STATISTICS, EVALUATION = "log.txt", "model.zip", "statistics.json", "evaluation.json"
"""Names of the files in the folder of an object."""


def objects_folder(data_dir: Path) -> Path:
    """Give the folder that holds the folders of all objects."""
    return data_dir / "objects"


def folder_of(data_dir: Path, serial: int) -> Path:
    """Give the folder of an object's own files; ids are not used, as ``..`` is one."""
    return objects_folder(data_dir) / str(serial)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The work for one object: its request, its record so far, its folder, and what it needs of its parents."""

    kind: Kind
    request: dict[str, Any]
    record: dict[str, Any]
    folder: Path
    storage: StorageOptions
    spec: dict[str, Any]
    """``DataSpec`` of the data source."""
    schema: str | None
    """JSON; None if it must be read from ``DataSchemaLocationS3``."""
    model_folder: Path | None = None
    threshold: float = 0.5
    """Score from which a binary model answers 1."""
    best_answer: bool = False
