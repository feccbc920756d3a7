"""``textclf predict``: predicts the documents of a table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import BadDataError
from textclf.base.overwrite_guard import PREDICTIONS, check_output
from textclf.base.tables import write_rows
from textclf.commands.application import Option
from textclf.commands.arguments import (
    Documents,
    ModelFile,
    OutputFile,
    Strict,
    Table,
    check_strict,
    load_to_accept,
    showing,
)
from textclf.commands.console import show_rows
from textclf.data.labels import CATEGORY, refuse_filled_in
from textclf.data.scans import SOURCE_COLUMNS
from textclf.data.sources import TableOptions, read_documents
from textclf.model.settings import AcceptanceOptions

if TYPE_CHECKING:
    from textclf.model.predict import Model

_log = logging.getLogger(__name__)


def predict(
    model: ModelFile,
    documents: Documents,
    output: OutputFile,
    *,
    keep_columns: Annotated[
        bool, Option(help="Also write the other columns of the table, except those that a prediction has itself.")
    ] = False,
    why: Annotated[bool, Option("--why", help="Add a column with the words that spoke for and against.")] = False,
    strict: Strict = False,
    accepting: AcceptanceOptions,
    table: Table,
) -> None:
    """Predict documents into a predictions CSV: one row per document, in the order of the table.

        textclf predict model.textclf documents.csv -o predictions.csv
        textclf predict model.textclf new-scans/ -o predictions.csv

    Writes document_id, predicted_category, score, decision (accept or review), reason and more. The column category is
    for you: fill in the right category of documents that you have looked at, and give the file to textclf train with
    --labels.
    """
    loaded = load_to_accept(model, accepting)
    with show_rows("predicted") as progress:
        counts = predict_table(
            loaded,
            documents,
            output,
            showing(table),
            keep_columns=keep_columns,
            why=why,
            jobs=table.scans.jobs,
            dask=table.scans.dask,
            progress=progress,
        )
    failed = f", {counts['failed']} of them failed" if counts["failed"] else ""
    _log.info(f"{output}: {counts['accept']} accepted, {counts['review']} for review{failed}")
    check_strict(counts["failed"], counts["accept"] + counts["review"], "could not be predicted", strict=strict)


def predict_table(
    model: Model,
    source: Path,
    output: Path,
    table: TableOptions,
    *,
    keep_columns: bool,
    why: bool,
    jobs: int | None,
    dask: str,
    progress: Callable[[int], None],
) -> dict[str, int]:
    """Predict documents into a predictions CSV, in constant memory; gives the numbers of rows by decision, and failed.

    The CSV also has ``path`` and ``sha256`` or, if requested, all columns of the source, and why.
    """
    from textclf.data.predictions import predict_documents, prediction_columns, prediction_row

    check_output(output, PREDICTIONS, inputs=table.inputs(source))
    kept = read_documents(source, table) if keep_columns else ()
    refuse_filled_in(output, ((document.document_id, document.category) for document in kept))
    columns = [*prediction_columns(model.categories), *(["why"] if why else [])]
    counts = {"accept": 0, "review": 0, "failed": 0}
    documents = read_documents(source, table)
    first = next(documents, None)
    if first is None:
        raise BadDataError("no row to predict", where=source, remedy="correct --where")
    used = {table.id_column, table.text_column, *columns}
    # path and hash identify a document independent of its id
    further = [name for name in first.values if name not in used and (keep_columns or name in SOURCE_COLUMNS)]

    def rows() -> Iterator[dict[str, object]]:
        stream = predict_documents(model, chain([first], documents), jobs=jobs, dask=dask, why=why)
        for done, (document, prediction, reasons) in enumerate(stream, 1):
            counts[prediction.decision] += 1
            counts["failed"] += prediction.status == "failed"
            progress(done)
            cells = {name: document.values.get(name, "") for name in further} | prediction_row(
                model.categories, prediction
            )
            cells |= {CATEGORY: document.category if keep_columns else ""} | ({"why": reasons} if why else {})
            yield cells

    write_rows(output, [*columns, *further], rows(), formulas_safe=True)
    return counts
