"""``textclf compare``: shows which decisions change from one model to another."""

from __future__ import annotations

import logging
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import BadDataError
from textclf.base.overwrite_guard import CHANGES, check_output
from textclf.base.tables import write_rows
from textclf.commands.application import Argument, Option
from textclf.commands.arguments import AsJson, Documents, LabelledTable, load_to_accept, showing
from textclf.commands.check import SHOWN
from textclf.commands.console import print_json, print_lines
from textclf.data.labels import GIVEN_CATEGORY, refuse_filled_in
from textclf.data.sources import TableOptions, read_documents
from textclf.model.settings import AcceptanceOptions

if TYPE_CHECKING:
    from textclf.evaluation.comparison import Comparison
    from textclf.model.predict import Model

_log = logging.getLogger(__name__)


def compare(
    model_a: Annotated[Path, Argument(metavar="MODEL_A", help="The model in use.")],
    model_b: Annotated[Path, Argument(metavar="MODEL_B", help="The model that might replace it.")],
    documents: Documents,
    *,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Write all changes to this CSV file.")
    ] = None,
    as_json: AsJson = False,
    accepting: AcceptanceOptions,
    table: LabelledTable,
) -> None:
    """Show which decisions change from one model to another, and whether one of them is better.

        textclf compare old.textclf new.textclf documents.csv --where split=test -o changes.csv

    Give documents that neither model was trained on. Without a category column or folders per category, it only shows
    what changes. Prints how many each model has right and accepts, McNemar's test, and the changes.
    """
    a, b = load_to_accept(model_a, accepting), load_to_accept(model_b, accepting)
    found = compare_on_table(a, b, documents, showing(table), output=output)
    if as_json:
        print_json({**asdict(found), "verdict": found.verdict})
    else:
        print_lines(*found.to_lines(SHOWN))
    if output is not None:
        _log.info(f"{output}: {len(found.changes)} changes")


def compare_on_table(a: Model, b: Model, source: Path, table: TableOptions, *, output: Path | None) -> Comparison:
    """Compare two models on the documents of a table, and write the changes if requested."""
    from textclf.evaluation.comparison import Change, compare_models

    if output is not None:
        check_output(output, CHANGES, inputs=table.inputs(source))
        refuse_filled_in(output)
    found = compare_models(a, b, read_documents(source, table))
    if not found.documents:
        raise BadDataError("no row to compare on", where=source, remedy="correct --where")
    if output is not None:
        names = [*(field.name for field in fields(Change)), GIVEN_CATEGORY]
        rows = (asdict(change) | {GIVEN_CATEGORY: change.category} for change in found.changes)
        write_rows(output, names, rows, formulas_safe=True)
    return found
