"""Commands that decide: rows of a table, or scans."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from textclf.base.errors import BadInputError, UsageError
from textclf.base.outputs import PICTURE, check_output, picture_paths
from textclf.commands.application import Option
from textclf.commands.console import show_rows
from textclf.commands.options import (
    AsJson,
    Dask,
    Effort,
    Engine,
    FolderFlags,
    Model,
    OutputFile,
    ReadingFlags,
    Scans,
    Strict,
    Table,
    TableFlags,
    WorkFlags,
    print_lines,
)

_log = logging.getLogger(__name__)


def predict(
    model: Model,
    table: Table,
    output: OutputFile,
    *,
    keep_columns: Annotated[bool, Option(help="Carry the other columns of the table along.")] = False,
    why: Annotated[bool, Option("--why", help="Add a column with the words that spoke for and against.")] = False,
    dask: Dask = "",
    strict: Strict = False,
    columns: TableFlags,
    folder: FolderFlags,
) -> None:
    """Predict documents into a predictions CSV: one row a document, in the order of the table.

        textclf predict model.textclf documents.csv -o predictions.csv
        textclf predict model.textclf new-scans/ -o predictions.csv

    Writes document_id, predicted_category, score, decision (accept or review), reason and more.
    """
    from textclf.data.predictions import check_strict, predict_table
    from textclf.model.file import load_model

    options = folder.apply(columns.options(), table)
    with show_rows("predicted") as progress:
        counts = predict_table(
            load_model(model),
            table,
            output,
            options,
            keep_columns=keep_columns,
            why=why,
            jobs=folder.jobs,
            dask=dask,
            progress=progress,
        )
    failed = f", {counts['failed']} of them failed" if counts["failed"] else ""
    _log.info(f"{output}: {counts['accept']} accepted, {counts['review']} for review{failed}")
    check_strict(counts["failed"], counts["accept"] + counts["review"], "could not be predicted", strict=strict)


def classify(
    model: Model,
    paths: Scans,
    *,
    as_json: AsJson = False,
    why: Annotated[bool, Option("--why", help="Also say which words and features spoke for and against.")] = False,
    explain: Annotated[
        Path | None,
        Option(
            "--explain",
            metavar="PNG",
            help="Draw the words that spoke for and against on the page; a folder for several documents.",
        ),
    ] = None,
    engine: Engine = "auto",
    effort: Effort = "full",
    dask: Dask = "",
    strict: Strict = False,
    flags: ReadingFlags,
    work: WorkFlags,
) -> None:
    """Say what kind of document each scan is: one line a document, or one JSON object a line.

        textclf classify model.textclf new.pdf photo.jpg --why

    Prints category, score, accept or review, the document and, for review, the reason.
    """
    from textclf.data.drawing import draw_explanation
    from textclf.data.predictions import as_json as json_line
    from textclf.data.predictions import check_strict, classify_files
    from textclf.data.scans import find_scans, source_of
    from textclf.model.file import load_model

    loaded = load_model(model)
    options = flags.options()
    if explain is not None:
        found_scans = find_scans(paths)
        if explain.suffix and len(found_scans) > 1:
            raise UsageError(f"{explain} is one file", where="--explain", remedy="give a folder for several documents")
        pictures = picture_paths(explain, (found.document_id for found in found_scans))
        for picture in pictures.values():
            check_output(picture, PICTURE, inputs=[model, *(found.file for found in found_scans)])
    failed = total = 0
    scans = work.scans(options, engine, dask)
    explained = why or explain is not None
    for document, prediction, found in classify_files(loaded, paths, scans, effort, why=explained):
        total += 1
        failed += document.status != "ok"
        if as_json:
            more = {"why": None if found is None else found.to_dict()} if why else {}
            sure = round(document.confidence, 1)
            read: dict[str, object] = {"pages": document.page_count, "pages_read": round(document.pages_read, 2)}
            read |= {"ocr_confidence": sure, "ocr_engine": document.engine, **source_of(document)}
            print_lines(json_line(prediction, loaded, **read, **more))
        else:
            unread = document.pages_read < document.page_count and not prediction.error
            part = f"read {document.pages_read:.1f} of {document.page_count} pages" if unread else ""
            note = "; ".join(filter(None, (prediction.error or prediction.reason, part)))
            print_lines(
                f"{prediction.predicted_category or '-':<24} {prediction.score:6.1%}  {prediction.decision:<6}  "
                f"{document.document_id}{f'  ({note})' if note else ''}"
            )
            if why and found is not None:
                print_lines(*(f"    {line}" for line in found.to_lines()))
        if explain is not None and found is not None:
            try:
                picture = pictures[document.document_id]
                for path in draw_explanation(document, found, picture, options.limits, options.password):
                    _log.info(f"{path}")
            except BadInputError as error:
                _log.warning(str(error))
    check_strict(failed, total, "were not read in full", strict=strict)
