"""Parameters that several commands share."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import SomeFailedError
from textclf.commands.application import Argument, Option, Options
from textclf.commands.console import show_reading
from textclf.data.sources import TableOptions
from textclf.model.settings import AcceptanceOptions, TrainingSettings

if TYPE_CHECKING:
    from textclf.model.predict import Model

_log = logging.getLogger(__name__)

ModelFile = Annotated[Path, Argument(metavar="MODEL", help="A model file, as train writes it.")]
Documents = Annotated[
    Path,
    Argument(
        metavar="DOCUMENTS",
        help="A CSV with the columns document_id and text, or a folder of scans and .txt files.",
    ),
]
LabelledDocuments = Annotated[
    Path,
    Argument(
        metavar="DOCUMENTS",
        help="A CSV with the columns document_id, text and category; a folder with a folder per category of scans and "
        ".txt files; or the folder that prepare wrote.",
    ),
]
Scans = Annotated[
    list[Path],
    Argument(
        metavar="FILES",
        help="Images, PDFs, or folders of them. A document's id is its path below the folder given; with several "
        "paths, each id begins with the path as given.",
    ),
]
OutputFile = Annotated[Path, Option("--output", "-o", metavar="FILE", help="Where the result goes.")]
OutputFolder = Annotated[Path, Option("--output", "-o", metavar="FOLDER", help="Where the results go.")]
AsJson = Annotated[bool, Option("--json", help="Print JSON for a program to read.")]
Strict = Annotated[bool, Option("--strict", help="Exit with code 8 if any document failed.")]
By = Annotated[
    list[str], Option(metavar="COLUMN", help="Also show the figures for each value of this column; repeatable.")
]

COLUMNS = ("text_column", "id_column", "encoding", "where")
# choices for reading scans that `textclf ocr` offers, but not the commands that read a folder in place of a table
_OCR_ONLY = (
    *("scale", "page_segmentation", "text_layer", "variants", "max_bytes", "max_pages", "seconds_per_page"),
    *("engine", "effort", "split"),
)
Table = Annotated[TableOptions, Options(without=(*_OCR_ONLY, "category_column", "group_column", "labels"))]
LabelledTable = Annotated[TableOptions, Options(without=(*_OCR_ONLY, "group_column", "dask"))]
DaskTable = Annotated[TableOptions, Options(without=(*_OCR_ONLY, "group_column"))]
GroupedTable = Annotated[TableOptions, Options(without=(*_OCR_ONLY, "dask"))]
Seed = Annotated[TrainingSettings, Options(only=("random_state",))]


def showing(table: TableOptions) -> TableOptions:
    """Show progress where a folder of scans is read in place of a table, which a cluster does not do."""
    return replace(table, scans=replace(table.scans, show=show_reading, dask=""))


def load_to_accept(path: Path, accepting: AcceptanceOptions) -> Model:
    """Load a model with the threshold for the maximum error wanted, and warn if it accepts nothing."""
    from textclf.model.accept import why_nothing_is_accepted
    from textclf.model.file import load_model

    model = load_model(path).with_max_error(accepting.max_error)
    record = model.training
    if record.by_keywords:
        _log.warning(f"{path} learned from keywords alone and accepts nothing: correct predictions and train on them")
    elif not record.acceptance.accepted:
        _log.warning(f"{path} {why_nothing_is_accepted(record.acceptance, record.acceptance_curve)}")
    return model


def check_strict(failed: int, total: int, what: str, *, strict: bool) -> None:
    """Raise an error with ``--strict`` if any document failed."""
    if strict and failed:
        raise SomeFailedError(
            f"{failed} of {total} documents {what}", remedy="their rows say why, in the columns status and error"
        )
