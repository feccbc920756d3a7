"""Commands that read: scans into a documents CSV, and a table's texts cleaned alike."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from textclf.commands.application import Argument, Option
from textclf.commands.console import show_reading
from textclf.commands.options import (
    AsJson,
    Dask,
    Encoding,
    Engine,
    Jobs,
    OutputFile,
    ReadingFlags,
    Scans,
    Strict,
    TextColumn,
    TextLayer,
    VariantsFile,
    WorkFlags,
    print_json,
    print_lines,
)

_log = logging.getLogger(__name__)


def ocr(
    paths: Scans,
    output: OutputFile,
    *,
    labels: Annotated[Path | None, Option(help="CSV with the columns file and category.")] = None,
    labels_from_folders: Annotated[bool, Option(help="The first folder's name is the category.")] = False,
    encoding: Annotated[
        str, Option(metavar="NAME", help="Encoding of the labels file, such as cp1252; auto finds it out.")
    ] = "auto",
    engine: Engine = "auto",
    dask: Dask = "",
    strict: Strict = False,
    flags: ReadingFlags,
    work: WorkFlags,
) -> None:
    """Read scans into documents.csv: one row a document, with its text, confidence and what went wrong.

        textclf ocr scans/ -o documents.csv
        textclf ocr filed/ -o documents.csv --labels-from-folders     (filed/invoice/a.pdf, filed/letter/b.jpg ...)

    Writes a CSV with document_id, text, category, ocr_confidence, status, error and more. A run that was stopped goes
    on where it was: pages that were read are in the cache.
    """
    from textclf.data.predictions import check_strict
    from textclf.data.scans import read_scans

    scans = work.scans(flags.options(), engine, dask)
    counts = read_scans(paths, output, scans, labels=labels, labels_from_folders=labels_from_folders, encoding=encoding)
    without = counts.pop("without text")
    total = sum(counts.values())
    faulty = f", {counts['partial']} in part, {counts['failed']} not at all" if counts["ok"] < total else ""
    said = f" by {scans.engine.name} {scans.engine.version}" if scans.engine else ""
    blank = f"; {without} without text" if without else ""
    _log.info(f"{output}: {counts['ok']} of {total} documents read in full{said}{faulty}{blank}")
    check_strict(total - counts["ok"], total, "were not read in full", strict=strict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OcrFlags(ReadingFlags):
    text_layer: TextLayer = "ignore"


def engines(
    paths: Scans,
    *,
    jobs: Jobs = None,
    as_json: AsJson = False,
    flags: _OcrFlags,
) -> None:
    """Read scans with both engines, and show how far their texts agree and how long each took.

        textclf engines scans/ --max-pages 1

    Prints a line a document: similarity of the texts, seconds of tesserocr, seconds of tesseract.
    """
    from dataclasses import asdict
    from statistics import median

    from ocr.agreement import compare_engines
    from ocr.engines import open_engine
    from textclf.data.scans import find_scans

    options = flags.options()
    pair = open_engine("tesserocr"), open_engine("tesseract")
    with show_reading() as progress:
        found = list(
            compare_engines(
                [found[:2] for found in find_scans(paths)], pair, options=options, jobs=jobs, progress=progress
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
    table: Annotated[Path, Argument(metavar="DOCUMENTS", help="A CSV with a column of texts.")],
    output: OutputFile,
    variants: VariantsFile = None,
    text_column: TextColumn = "text",
    encoding: Encoding = "auto",
) -> None:
    """Clean the texts of a CSV as those of scans are cleaned; all other columns stay.

        textclf clean others.csv -o cleaned.csv --text-column body

    For texts that another program has read, so that they are like those that textclf reads.
    """
    from textclf.data.scans import clean_table

    rows = clean_table(table, output, variants=variants, text_column=text_column, encoding=encoding)
    _log.info(f"{output}: {rows} documents")
