"""The command that searches for better settings."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Annotated

from textclf.commands.application import Option
from textclf.commands.options import (
    AsJson,
    Dask,
    FolderFlags,
    LabelledFlags,
    LabelledTable,
    OutputFile,
    Seed,
    print_json,
    print_lines,
)

_log = logging.getLogger(__name__)


def tune(
    table: LabelledTable,
    output: OutputFile,
    *,
    minutes: Annotated[float, Option(help="Time for all of it.", min=0.01, max=100_000)] = 5.0,
    candidates: Annotated[int, Option(help="At most so many settings; 0 for as many as there is time for.", min=0)] = 0,
    seed: Seed = None,
    dask: Dask = "",
    as_json: AsJson = False,
    columns: LabelledFlags,
    folder: FolderFlags,
) -> None:
    """Search for better settings, and measure them on documents that the search never saw.

        textclf tune documents.csv -o settings.json --minutes 5
        textclf train documents.csv --settings settings.json -o model.textclf

    Prints what was found, and its accuracy beside that of the defaults. Ctrl-C ends the search and keeps the best so
    far.
    """
    from textclf.commands.improving import tune_on_table

    options = folder.apply(columns.options(), table)
    found = tune_on_table(
        table,
        output,
        options,
        minutes=minutes,
        candidates=candidates,
        seed=seed or 0,
        jobs=folder.jobs or -1,
        dask=dask,
    )
    if as_json:
        print_json(asdict(found))
    else:
        print_lines(*found.to_lines())
    _log.info(f"{output}: settings for textclf train --settings")
