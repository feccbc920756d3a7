"""``textclf tune``: searches for better settings."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.base.overwrite_guard import SETTINGS, check_output
from textclf.checks.check_options import SearchOptions
from textclf.commands.arguments import AsJson, DaskTable, LabelledDocuments, OutputFile, Seed, showing
from textclf.commands.console import print_json, print_lines
from textclf.data.sources import TableOptions, read_labelled

if TYPE_CHECKING:
    from textclf.checks.tuning import Tuning

_log = logging.getLogger(__name__)


def tune(
    documents: LabelledDocuments,
    output: OutputFile,
    *,
    as_json: AsJson = False,
    search: SearchOptions,
    settings: Seed,
    table: DaskTable,
) -> None:
    """Search for better settings, and measure them on held-out documents.

        textclf tune documents.csv -o settings.json --minutes 5
        textclf train documents.csv --settings settings.json -o model.textclf

    Prints the best settings, and their accuracy beside that of the defaults. Ctrl-C ends the search and keeps the best
    settings found.
    """
    found = tune_on_table(documents, output, showing(table), search, seed=settings.random_state, dask=table.scans.dask)
    if as_json:
        print_json(asdict(found))
    else:
        print_lines(*found.to_lines())
    _log.info(f"{output}: settings for textclf train --settings")


def tune_on_table(
    source: Path, output: Path, table: TableOptions, search: SearchOptions, *, seed: int, dask: str
) -> Tuning:
    """Search for better settings on documents, and write them."""
    from features.tokens import tokenize
    from textclf.checks.tuning import tune, write_settings
    from textclf.model.category_names import similar_names_warnings

    check_output(output, SETTINGS, inputs=table.inputs(source))
    documents = read_labelled(source, table)
    for message in similar_names_warnings(Counter(documents.categories)):
        _log.warning(message)
    with_text = [i for i, text in enumerate(documents.texts) if tokenize(text)]
    if len(with_text) < len(documents.texts):
        _log.warning(f"{len(documents.texts) - len(with_text)} documents have no text and were left out")
    found = tune(
        [documents.texts[i] for i in with_text],
        [documents.categories[i] for i in with_text],
        minutes=search.minutes,
        candidates=search.candidates,
        seed=seed,
        jobs=table.scans.jobs or -1,
        dask=dask,
    )
    write_settings(output, found, seed=seed)
    return found
