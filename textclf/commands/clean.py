"""``textclf clean``: cleans the texts of a CSV."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from ocr.reading_options import ReadingOptions
from textclf.base.plurals import counted
from textclf.commands.application import Argument, Options
from textclf.commands.arguments import OutputFile
from textclf.data.scans import clean_table
from textclf.data.sources import TableOptions

_log = logging.getLogger(__name__)


def clean(
    documents: Annotated[Path, Argument(metavar="DOCUMENTS", help="A CSV with a column of texts.")],
    output: OutputFile,
    *,
    reading: Annotated[ReadingOptions, Options(only=("variants",))],
    table: Annotated[TableOptions, Options(only=("text_column", "encoding"))],
) -> None:
    """Clean the texts of a CSV like those of scans; all other columns stay.

        textclf clean others.csv -o cleaned.csv --text-column body

    For texts read by another program, to make them like those read by textclf.
    """
    rows = clean_table(
        documents, output, variants=reading.variants, text_column=table.text_column, encoding=table.encoding
    )
    _log.info(f"{output}: {counted(rows, 'document')}")
