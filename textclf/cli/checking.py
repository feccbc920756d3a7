"""Commands that look at documents before, and at models after training."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.options import (
    AsJson,
    CategoryColumn,
    Encoding,
    IdColumn,
    Jobs,
    Option,
    Table,
    TextColumn,
    Where,
    print_json,
    print_lines,
    table_options,
)
from textclf.console import say, warn
from textclf.documents import TableOptions
from textclf.errors import SomeFailedError

__all__ = ["check", "compare"]

SHOWN = 10
"""Findings of a kind shown on the screen; ``-o`` writes all."""


def check(
    table: Table,
    against: Annotated[
        Path | None, Option(help="Documents to test on, of which none should stand among DOCUMENTS.")
    ] = None,
    against_where: Annotated[
        list[str], Option(help="Only rows of --against with this value: column=value. May stand several times.")
    ] = [],  # noqa: B006
    output: Annotated[Path | None, Option("--output", "-o", help="Write all findings to this CSV file.")] = None,
    threshold: Annotated[float, Option(help="How alike two texts are that count as copies, such as 0.8.")] = 0.8,
    labels: Annotated[
        bool, Option(help="Look for labels that are likely wrong; trains models, which takes a minute or more.")
    ] = True,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "auto",
    where: Where = [],  # noqa: B006
    jobs: Jobs = None,
    strict: Annotated[
        bool, Option("--strict", help="Exit with code 8 if findings make labels or figures wrong.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look for what spoils learning: copies, leaks, contradictions, odd labels and categories, empty texts.

    Train and test in one file: textclf check documents.csv --where split=train --against documents.csv
    --against-where split=test
    """
    from textclf.improving import check_table

    def options(conditions: list[str]) -> TableOptions:
        return table_options(id_column, text_column, category_column, encoding, conditions)

    found = check_table(
        table,
        options(where),
        against=against,
        against_table=options(against_where),
        output=output,
        threshold=threshold,
        labels=labels,
        jobs=jobs or -1,
        talk=say,
        warn=warn,
    )
    if as_json:
        print_json({**asdict(found), "problems": found.problems})
    else:
        print_lines(*found.to_lines(SHOWN))
    if output is not None:
        say(f"{output}: {len(found.findings)} findings")
    if strict and found.problems:
        raise SomeFailedError(
            f"findings that make labels or figures wrong: {found.problems}", where=table, remedy="mend the documents"
        )


def compare(
    model_a: Annotated[Path, typer.Argument(metavar="MODEL_A", help="The model in use.")],
    model_b: Annotated[Path, typer.Argument(metavar="MODEL_B", help="The model that might take its place.")],
    table: Table,
    output: Annotated[Path | None, Option("--output", "-o", help="Write all changes to this CSV file.")] = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "auto",
    where: Where = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Show which decisions change from one model to another, and whether one of them is better.

    Give documents that neither model was trained on; without a category column it only shows what changes.
    """
    from textclf.improving import compare_on_table
    from textclf.model_file import load_model

    options = table_options(id_column, text_column, category_column, encoding, where)
    found = compare_on_table(load_model(model_a), load_model(model_b), table, options, output=output, warn=warn)
    if as_json:
        print_json({**asdict(found), "verdict": found.verdict})
    else:
        print_lines(*found.to_lines(SHOWN))
    if output is not None:
        say(f"{output}: {len(found.changes)} changes")
