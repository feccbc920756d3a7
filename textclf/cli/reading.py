"""Commands that read: scans into a documents CSV, and a table's texts cleaned alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from textclf.cli.options import (
    Cache,
    Dask,
    Encoding,
    Jobs,
    Lang,
    MaxBytes,
    MaxPages,
    NoCache,
    Option,
    Output,
    Scale,
    Scans,
    Seconds,
    Segmentation,
    Strict,
    Table,
    TextColumn,
    TextLayer,
    VariantsFile,
    open_reading,
    reading_options,
)
from textclf.console import say, show_reading, warn
from textclf.documents import TableOptions

__all__ = ["clean", "ocr"]


def ocr(
    paths: Scans,
    output: Output,
    labels: Annotated[Path | None, Option(help="CSV with the columns file and category.")] = None,
    labels_from_folders: Annotated[bool, Option(help="The first folder's name is the category.")] = False,
    lang: Lang = "",
    scale: Scale = "auto",
    page_segmentation: Segmentation = 3,
    text_layer: TextLayer = "auto",
    variants: VariantsFile = None,
    max_pages: MaxPages = 100,
    max_bytes: MaxBytes = 200_000_000,
    seconds_per_page: Seconds = 60.0,
    jobs: Jobs = None,
    cache: Cache = None,
    no_cache: NoCache = False,
    dask: Dask = "",
    strict: Strict = False,
) -> None:
    """Read scans into documents.csv: one row a document, with its text, confidence and what went wrong.

    A run that was stopped goes on where it was: pages that were read are in the cache.
    """
    from textclf.predicting import check_strict
    from textclf.scans import read_scans

    options = reading_options(
        lang, scale, page_segmentation, text_layer, variants, max_pages, max_bytes, seconds_per_page
    )
    with show_reading() as progress:
        reading = open_reading(options, jobs, cache, no_cache, progress, dask)
        counts = read_scans(paths, output, reading, labels=labels, labels_from_folders=labels_from_folders, warn=warn)
    total = sum(counts.values())
    faulty = f", {counts['partial']} in part, {counts['failed']} not at all" if counts["ok"] < total else ""
    say(f"{output}: {counts['ok']} of {total} documents read in full{faulty}")
    check_strict(total - counts["ok"], total, "were not read in full", strict=strict)


def clean(
    table: Table,
    output: Output,
    variants: VariantsFile = None,
    text_column: TextColumn = "text",
    encoding: Encoding = "utf-8",
) -> None:
    """Clean the texts of a CSV as those of scans are cleaned; all other columns stay."""
    from textclf.scans import clean_table

    rows = clean_table(table, output, variants=variants, table=TableOptions(text_column=text_column, encoding=encoding))
    say(f"{output}: {rows} documents")
