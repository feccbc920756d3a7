"""The description of a job that a worker process receives, and the paths of an object's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aws_ml_adapter.api.storage import StorageOptions
from aws_ml_adapter.server.entities import Entity

LOG, MODEL, STATISTICS, EVALUATION = "log.txt", "model.zip", "statistics.json", "evaluation.json"
"""Names of the files in an object's folder."""


def objects_folder(data_dir: Path) -> Path:
    """Return the folder that contains the folders of all objects."""
    return data_dir / "objects"


def folder_of(data_dir: Path, serial: int) -> Path:
    """Return the folder of an object's files; its id cannot be the name, because ``..`` is a valid id."""
    return objects_folder(data_dir) / str(serial)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The object to work on, its data source and its model, as they were when the job started."""

    entity: Entity
    source: Entity
    model: Entity | None
    data_dir: Path
    storage: StorageOptions
    best_answer: bool

    @property
    def folder(self) -> Path:
        """The folder of the object's files, emptied when the job starts."""
        return folder_of(self.data_dir, self.entity.serial)
