"""``textclf check``: looks for problems of documents before training."""

from __future__ import annotations

import logging
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import SomeFailedError, UsageError
from textclf.base.overwrite_guard import FINDINGS, check_output
from textclf.base.tables import write_rows
from textclf.checks.check_options import CheckOptions
from textclf.commands.application import Option
from textclf.commands.arguments import AsJson, LabelledDocuments, LabelledTable, showing
from textclf.commands.console import print_json, print_lines
from textclf.data.labels import GIVEN_CATEGORY, refuse_filled_in
from textclf.data.sources import TableOptions, read_labelled

if TYPE_CHECKING:
    from textclf.checks.data_check import DataCheck

_log = logging.getLogger(__name__)

SHOWN = 10
"""Findings of each kind that are printed; ``-o`` writes all."""


def check(
    documents: LabelledDocuments,
    *,
    against: Annotated[Path | None, Option(help="Test documents, none of which should be among DOCUMENTS.")] = None,
    against_where: Annotated[
        list[str], Option(metavar="COLUMN=VALUE", help="Only rows of --against with this value; repeatable.")
    ] = [],  # noqa: B006
    against_labels: Annotated[
        list[str], Option(metavar="FILE", help="As --labels, for the documents of --against; repeatable.")
    ] = [],  # noqa: B006
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Write all findings to this CSV file.")
    ] = None,
    strict: Annotated[
        bool, Option("--strict", help="Exit with code 8 if findings make labels or figures wrong.")
    ] = False,
    as_json: AsJson = False,
    options: CheckOptions,
    table: LabelledTable,
) -> None:
    """Look for problems before training: copies, leaks, contradictions, label issues, empty texts.

        textclf check documents.csv -o findings.csv
        textclf check documents.csv --labels to_label.csv
        textclf check documents.csv --where split=train --against documents.csv --against-where split=test

    Prints up to ten findings of each kind, the most important first; -o writes all of them.
    """
    table = showing(table)
    found = check_table(
        documents,
        table,
        options,
        against=against,
        against_table=replace(
            table, where=tuple(against_where), where_option="--against-where", labels=tuple(against_labels)
        ),
        output=output,
    )
    if as_json:
        print_json({**asdict(found), "problems": found.problems})
    else:
        print_lines(*found.to_lines(SHOWN))
    if output is not None:
        _log.info(f"{output}: {len(found.findings)} findings")
    if strict and found.problems:
        raise SomeFailedError(
            f"findings that make labels or figures wrong: {found.problems}",
            where=documents,
            remedy="correct the documents",
        )


def check_table(
    source: Path,
    table: TableOptions,
    options: CheckOptions,
    *,
    against: Path | None,
    against_table: TableOptions,
    output: Path | None,
) -> DataCheck:
    """Check the documents of a table, also against test documents, and write the findings if requested."""
    from textclf.checks.data_check import Finding, check_documents

    if output is not None:
        check_output(output, FINDINGS, inputs=[*table.inputs(source), *against_table.inputs(against)])
        refuse_filled_in(output)
    if against is None and (against_table.where or against_table.labels):
        where = "--against-where" if against_table.where else "--against-labels"
        raise UsageError("says something of the documents of --against", where=where, remedy="give --against too")
    documents = read_labelled(source, table, none_is_enough=True)
    others = None if against is None else read_labelled(against, against_table, none_is_enough=True)
    jobs = table.scans.jobs or -1
    found = check_documents(
        documents, others, threshold=options.threshold, label_issues=options.label_issues, jobs=jobs
    )
    if output is not None:
        names = [*(field.name for field in fields(Finding)), GIVEN_CATEGORY]
        rows = (asdict(finding) | {GIVEN_CATEGORY: finding.category} for finding in found.findings)
        write_rows(output, names, rows, formulas_safe=True)
    return found
