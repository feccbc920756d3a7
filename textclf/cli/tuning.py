"""The command that searches for better settings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from textclf.cli.options import (
    AsJson,
    CategoryColumn,
    Dask,
    Encoding,
    IdColumn,
    Jobs,
    Option,
    Output,
    Seed,
    Table,
    TextColumn,
    Where,
    checked_jobs,
    print_json,
    print_lines,
    table_options,
)
from textclf.console import say, warn

__all__ = ["tune"]


def tune(
    table: Table,
    output: Output,
    minutes: Annotated[float, Option(help="Time for all of it.")] = 5.0,
    candidates: Annotated[int, Option(help="At most so many settings; 0 for as many as there is time for.")] = 0,
    seed: Seed = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "auto",
    where: Where = [],  # noqa: B006
    jobs: Jobs = None,
    dask: Dask = "",
    as_json: AsJson = False,
) -> None:
    """Search for better settings, and measure them on documents that the search never saw.

    Ctrl-C ends the search and keeps the best so far. Train with: textclf train documents.csv --settings settings.json
    """
    from textclf.improving import tune_on_table

    options = table_options(id_column, text_column, category_column, encoding, where)
    found = tune_on_table(
        table,
        output,
        options,
        minutes=minutes,
        candidates=candidates,
        seed=seed or 0,
        jobs=checked_jobs(jobs) or -1,
        dask=dask,
        talk=say,
        warn=warn,
    )
    if as_json:
        print_json(asdict(found))
    else:
        print_lines(*found.to_lines())
    say(f"{output}: settings for textclf train --settings")
