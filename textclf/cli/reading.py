"""Commands that read: scans into a documents CSV, and a table's texts cleaned alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from textclf.cli.options import (
    AsJson,
    Cache,
    Dask,
    Encoding,
    Engine,
    Jobs,
    Lang,
    MaxBytes,
    MaxPages,
    NoCache,
    Option,
    Output,
    Password,
    Scale,
    Scans,
    Seconds,
    Segmentation,
    Strict,
    Table,
    TextColumn,
    TextLayer,
    VariantsFile,
    checked_jobs,
    open_reading,
    print_json,
    print_lines,
    reading_options,
)
from textclf.console import say, show_reading, warn
from textclf.documents import TableOptions

__all__ = ["clean", "engines", "ocr"]


def ocr(
    paths: Scans,
    output: Output,
    labels: Annotated[Path | None, Option(help="CSV with the columns file and category.")] = None,
    labels_from_folders: Annotated[bool, Option(help="The first folder's name is the category.")] = False,
    encoding: Annotated[str, Option(help="Encoding of the labels file, such as cp1252; auto finds it out.")] = "auto",
    lang: Lang = "",
    scale: Scale = "auto",
    page_segmentation: Segmentation = 3,
    text_layer: TextLayer = "auto",
    engine: Engine = "auto",
    variants: VariantsFile = None,
    max_pages: MaxPages = 100,
    max_bytes: MaxBytes = 200_000_000,
    seconds_per_page: Seconds = 60.0,
    password: Password = "",
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
        lang, scale, page_segmentation, text_layer, variants, max_pages, max_bytes, seconds_per_page, password
    )
    with show_reading() as progress:
        reading = open_reading(options, jobs, cache, no_cache, progress, engine, dask)
        counts = read_scans(
            paths,
            output,
            reading,
            labels=labels,
            labels_from_folders=labels_from_folders,
            encoding=encoding,
            warn=warn,
        )
    without = counts.pop("without text")
    total = sum(counts.values())
    faulty = f", {counts['partial']} in part, {counts['failed']} not at all" if counts["ok"] < total else ""
    said = f" by {reading.engine.name} {reading.engine.version}" if reading.engine else ""
    blank = f"; {without} without text" if without else ""
    say(f"{output}: {counts['ok']} of {total} documents read in full{said}{faulty}{blank}")
    check_strict(total - counts["ok"], total, "were not read in full", strict=strict)


def engines(
    paths: Scans,
    lang: Lang = "",
    scale: Scale = "auto",
    page_segmentation: Segmentation = 3,
    text_layer: TextLayer = "ignore",
    max_pages: MaxPages = 100,
    max_bytes: MaxBytes = 200_000_000,
    seconds_per_page: Seconds = 60.0,
    password: Password = "",
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Read scans with both engines, and show how far their texts agree and how long each took."""
    from dataclasses import asdict
    from statistics import median

    from ocr.agreement import compare_engines
    from ocr.tesserocr_engine import open_engine
    from textclf.scans import find_scans

    checked_jobs(jobs)
    options = reading_options(
        lang, scale, page_segmentation, text_layer, None, max_pages, max_bytes, seconds_per_page, password
    )
    pair = open_engine("tesserocr"), open_engine("tesseract")
    with show_reading() as progress:
        found = list(
            compare_engines(
                [found[:2] for found in find_scans(paths, warn)], pair, options=options, jobs=jobs, progress=progress
            )
        )
    seconds = [sum(one.seconds[side] for one in found) for side in (0, 1)]
    similar = [one.similarity for one in found]
    if as_json:
        print_json(
            {
                "engines": [f"{engine.name} {engine.version}" for engine in pair],
                "median_similarity": round(median(similar), 4),
                "least_similarity": round(min(similar), 4),
                "seconds": [round(total, 3) for total in seconds],
                "documents": [asdict(one) for one in found],
            }
        )
        return
    for one in found:
        note = f"  ({'; '.join(filter(None, one.errors))})" if any(one.errors) else ""
        print_lines(f"{one.similarity:6.1%}  {one.seconds[0]:7.2f} s  {one.seconds[1]:7.2f} s  {one.document_id}{note}")
    print_lines(
        f"median similarity {median(similar):.1%}, least {min(similar):.1%}",
        *(f"{engine.name} {engine.version}: {total:.1f} s" for engine, total in zip(pair, seconds, strict=True)),
    )


def clean(
    table: Table,
    output: Output,
    variants: VariantsFile = None,
    text_column: TextColumn = "text",
    encoding: Encoding = "auto",
) -> None:
    """Clean the texts of a CSV as those of scans are cleaned; all other columns stay."""
    from textclf.scans import clean_table

    options = TableOptions(text_column=text_column, encoding=encoding)
    rows = clean_table(table, output, variants=variants, table=options, warn=warn)
    say(f"{output}: {rows} documents")
