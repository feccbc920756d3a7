"""What a worker process gets to know of its job, and where the files of an object are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aws_ml_adapter.api.storage import StorageOptions
from aws_ml_adapter.server.entities import Entity

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
    """The work for one object: it, the data source to read and the model to use, as they stood when it began."""

    entity: Entity
    source: Entity
    model: Entity | None
    data_dir: Path
    storage: StorageOptions
    best_answer: bool

    @property
    def folder(self) -> Path:
        """Gets the job's files; emptied before it begins."""
        return folder_of(self.data_dir, self.entity.serial)
