"""Commands that look at documents before, and at models after training."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

from textclf.base.errors import SomeFailedError
from textclf.commands.application import Argument, Option
from textclf.commands.options import AsJson, FolderFlags, LabelledFlags, LabelledTable, Table, print_json, print_lines

_log = logging.getLogger(__name__)

SHOWN = 10
"""Findings of a kind shown on the screen; ``-o`` writes all."""


def check(
    table: LabelledTable,
    *,
    against: Annotated[
        Path | None, Option(help="Documents to test on, of which none should stand among DOCUMENTS.")
    ] = None,
    against_where: Annotated[
        list[str],
        Option(metavar="COLUMN=VALUE", help="Only rows of --against with this value. May stand several times."),
    ] = [],  # noqa: B006
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Write all findings to this CSV file.")
    ] = None,
    threshold: Annotated[
        float, Option(help="How alike two texts are that count as copies, such as 0.8.", min=0.01, max=1)
    ] = 0.8,
    labels: Annotated[
        bool, Option(help="Look for labels that are likely wrong; trains models, which takes a minute or more.")
    ] = True,
    strict: Annotated[
        bool, Option("--strict", help="Exit with code 8 if findings make labels or figures wrong.")
    ] = False,
    as_json: AsJson = False,
    columns: LabelledFlags,
    folder: FolderFlags,
) -> None:
    """Look for what spoils learning: copies, leaks, contradictions, odd labels and categories, empty texts.

        textclf check documents.csv -o findings.csv
        textclf check documents.csv --where split=train --against documents.csv --against-where split=test

    Prints up to ten findings of each kind, the most pressing first; -o writes all of them.
    """
    from textclf.commands.improving import check_table

    options = folder.apply(columns.options(), table, against)
    found = check_table(
        table,
        options,
        against=against,
        against_table=replace(options, where=tuple(against_where), where_option="--against-where"),
        output=output,
        threshold=threshold,
        labels=labels,
        jobs=folder.jobs or -1,
    )
    if as_json:
        print_json({**asdict(found), "problems": found.problems})
    else:
        print_lines(*found.to_lines(SHOWN))
    if output is not None:
        _log.info(f"{output}: {len(found.findings)} findings")
    if strict and found.problems:
        raise SomeFailedError(
            f"findings that make labels or figures wrong: {found.problems}", where=table, remedy="mend the documents"
        )


def compare(
    model_a: Annotated[Path, Argument(metavar="MODEL_A", help="The model in use.")],
    model_b: Annotated[Path, Argument(metavar="MODEL_B", help="The model that might take its place.")],
    table: Table,
    *,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Write all changes to this CSV file.")
    ] = None,
    as_json: AsJson = False,
    columns: LabelledFlags,
    folder: FolderFlags,
) -> None:
    """Show which decisions change from one model to another, and whether one of them is better.

        textclf compare old.textclf new.textclf documents.csv --where split=test -o changes.csv

    Give documents that neither model was trained on. Without a category column, or folders that give the categories,
    it only shows what changes. Prints how many each model has right and accepts, McNemar's test, and the changes.
    """
    from textclf.commands.improving import compare_on_table
    from textclf.model.file import load_model

    options = folder.apply(columns.options(), table)
    found = compare_on_table(load_model(model_a), load_model(model_b), table, options, output=output)
    if as_json:
        print_json({**asdict(found), "verdict": found.verdict})
    else:
        print_lines(*found.to_lines(SHOWN))
    if output is not None:
        _log.info(f"{output}: {len(found.changes)} changes")
