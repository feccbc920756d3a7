"""What a worker process is told of its job, and where the files of an object are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.kinds import Kind
from aws_ml_adapter.api.storage import StorageOptions
from aws_ml_adapter.server.databases import Query

LOG, MODEL, STATISTICS, EVALUATION = "log.txt", "model.zip", "statistics.json", "evaluation.json"
"""Names of the files in the folder of an object."""

TEMPORARY = "tmp"
"""Name of the folder in it that takes a worker's temporary files."""


def objects_folder(data_dir: Path) -> Path:
    """Give the folder that holds the folders of all objects.

    Parameters
    ----------
    data_dir : pathlib.Path
        The server's.

    Returns
    -------
    pathlib.Path
    """
    return data_dir / "objects"


def folder_of(data_dir: Path, serial: int) -> Path:
    """Folder of an object's own files.

    Parameters
    ----------
    data_dir : pathlib.Path
        The server's.
    serial : int
        The object's; ids are not used, as ``..`` is one.

    Returns
    -------
    pathlib.Path
    """
    return objects_folder(data_dir) / str(serial)


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The data of a data source.

    Parameters
    ----------
    spec : dict
        The ``DataSpec`` of the request that made it; of data from a database, where they are staged.
    schema : str or None
        JSON; None if it must be read from ``DataSchemaLocationS3``.
    query : Query or None
        Gives the data that are to be staged first.
    """

    spec: dict[str, Any]
    schema: str | None
    query: Query | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The work for one object.

    Parameters
    ----------
    kind : Kind
    request : dict
        The request that made the object.
    record : dict
        What the object's record holds so far.
    folder : pathlib.Path
        Gets the job's files; emptied before it begins.
    storage : StorageOptions
    data : Data
        What to read.
    model_folder : pathlib.Path or None
        Where the model of an evaluation or a batch prediction is.
    threshold : float
        Score from which a binary model answers 1.
    best_answer : bool
        Whether a batch prediction of a multiclass model has a column ``bestAnswer``.
    """

    kind: Kind
    request: dict[str, Any]
    record: dict[str, Any]
    folder: Path
    storage: StorageOptions
    data: Data
    model_folder: Path | None = None
    threshold: float = 0.5
    best_answer: bool = False
