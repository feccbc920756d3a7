"""``textclf ocr``: reads scans into a documents CSV."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from textclf.commands.application import Option, Options
from textclf.commands.arguments import OutputFile, Scans, Strict, check_strict
from textclf.commands.console import show_reading
from textclf.data.scans import ScanOptions, read_scans

_log = logging.getLogger(__name__)


def ocr(
    paths: Scans,
    output: OutputFile,
    *,
    labels: Annotated[Path | None, Option(help="CSV with the columns file and category.")] = None,
    labels_from_folders: Annotated[bool, Option(help="The first folder's name is the category.")] = False,
    encoding: Annotated[
        str, Option(metavar="NAME", help="Encoding of the labels file, such as cp1252; auto detects it.")
    ] = "auto",
    strict: Strict = False,
    scans: Annotated[ScanOptions, Options(without=("effort",))],
) -> None:
    """Read scans into documents.csv: one row per document, with its text, confidence and errors.

        textclf ocr scans/ -o documents.csv
        textclf ocr filed/ -o documents.csv --labels-from-folders     (filed/invoice/a.pdf, filed/letter/b.jpg ...)

    Writes a CSV with document_id, text, category, ocr_confidence, status, error and more. A run that was stopped
    continues where it was: pages that were read are in the cache.
    """
    engine = scans.open_engine()
    counts = read_scans(
        paths,
        output,
        replace(scans, engine=engine, show=show_reading),
        labels=labels,
        labels_from_folders=labels_from_folders,
        encoding=encoding,
    )
    without = counts.pop("without text")
    total = sum(counts.values())
    faulty = f", {total - counts['ok']} incomplete" if counts["ok"] < total else ""
    unread = f" ({counts['failed']} of them not read at all)" if counts["failed"] else ""
    no_text = f"; {without} without text" if without else ""
    by = f"{engine.name} {engine.version}"
    _log.info(f"{output}: {counts['ok']} of {total} documents read in full by {by}{faulty}{unread}{no_text}")
    check_strict(total - counts["ok"], total, "were not read in full", strict=strict)
