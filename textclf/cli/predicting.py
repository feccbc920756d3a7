"""Commands that decide: rows of a table, or scans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

from textclf.cli.options import (
    AsJson,
    Cache,
    Dask,
    Effort,
    Encoding,
    Engine,
    IdColumn,
    Jobs,
    Lang,
    MaxBytes,
    MaxPages,
    Model,
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
    Where,
    checked_jobs,
    open_reading,
    print_lines,
    reading_options,
)
from textclf.console import say, show_reading, show_rows, warn
from textclf.documents import TableOptions, source_of
from textclf.errors import BadInputError, UsageError
from textclf.outputs import PICTURE, check_output, picture_paths

__all__ = ["classify", "predict"]


def predict(
    model: Model,
    table: Table,
    output: Output,
    keep_columns: Annotated[bool, Option(help="Carry the other columns of the table along.")] = False,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    encoding: Encoding = "auto",
    where: Where = [],  # noqa: B006
    why: Annotated[bool, Option("--why", help="Add a column with the words that spoke for and against.")] = False,
    jobs: Jobs = None,
    dask: Dask = "",
    strict: Strict = False,
) -> None:
    """Predict a documents CSV into a predictions CSV, row by row, in the order of the table."""
    from textclf.model_file import load_model
    from textclf.predicting import check_strict, predict_table

    options = TableOptions(id_column=id_column, text_column=text_column, encoding=encoding, where=tuple(where))
    with show_rows("predicted") as progress:
        counts = predict_table(
            load_model(model),
            table,
            output,
            options,
            keep_columns=keep_columns,
            why=why,
            jobs=checked_jobs(jobs),
            dask=dask,
            progress=progress,
            warn=warn,
        )
    failed = f", {counts['failed']} of them failed" if counts["failed"] else ""
    say(f"{output}: {counts['accept']} accepted, {counts['review']} for review{failed}")
    check_strict(counts["failed"], counts["accept"] + counts["review"], "could not be predicted", strict=strict)


def classify(
    model: Model,
    paths: Scans,
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
    lang: Lang = "",
    scale: Scale = "auto",
    page_segmentation: Segmentation = 3,
    text_layer: TextLayer = "auto",
    engine: Engine = "auto",
    effort: Effort = "full",
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
    """Say what kind of document each scan is: one line a document, or one JSON object a line."""
    from textclf.drawing import draw_explanation
    from textclf.explanation import explain as explain_text
    from textclf.model_file import load_model
    from textclf.predicting import as_json as json_line
    from textclf.predicting import check_strict, classify_files
    from textclf.scans import find_scans, until_accepted

    runtime = load_model(model)
    options = reading_options(
        lang, scale, page_segmentation, text_layer, variants, max_pages, max_bytes, seconds_per_page, password
    )
    if explain is not None:
        found_scans = find_scans(paths)
        if explain.suffix and len(found_scans) > 1:
            raise UsageError(f"{explain} is one file", where="--explain", remedy="give a folder for several documents")
        pictures = picture_paths(explain, (found.document_id for found in found_scans))
        for picture in pictures.values():
            check_output(picture, PICTURE, inputs=[model, *(found.file for found in found_scans)])
    failed = total = 0
    with show_reading() as progress:
        reading = open_reading(options, jobs, cache, no_cache, progress, engine, dask)
        reading = until_accepted(reading, cast("Any", effort), runtime)
        for document, prediction in classify_files(runtime, paths, reading, warn=warn):
            total += 1
            failed += document.status != "ok"
            found = None
            if prediction.predicted_category and (why or explain is not None):
                found = explain_text(runtime, document.text)
            if as_json:
                more = {"why": None if found is None else found.to_dict()} if why else {}
                sure = round(document.confidence, 1)
                read: dict[str, object] = {"pages": document.page_count, "pages_read": round(document.pages_read, 2)}
                read |= {"ocr_confidence": sure, "ocr_engine": document.engine, **source_of(document)}
                print_lines(json_line(prediction, runtime, **read, **more))
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
                        say(f"{path}")
                except BadInputError as error:
                    warn(str(error))
    check_strict(failed, total, "were not read in full", strict=strict)
