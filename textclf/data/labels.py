"""Labels that stand in a file of their own, and the scans they are meant for."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from ocr.finding import FoundFile
from textclf.base.encodings import AUTO
from textclf.base.errors import BadDataError
from textclf.base.tables import Row, read_rows

_log = logging.getLogger(__name__)

_NAMED = 5
"""How many rows are named that fit no file."""

Labels = Mapping[str, Mapping[str, str]]
"""For a document's id its label: ``category``, and what further columns hold."""


def read_labels(path: str | Path, *, encoding: str = AUTO) -> list[Row]:
    """Read a labels file: a CSV with the columns ``file`` and ``category``.

    Parameters
    ----------
    path : str or pathlib.Path
        The file. Paths in it are relative to its folder.
    encoding : str
        How its bytes stand for characters; see `textclf.base.encodings.open_text`.

    Returns
    -------
    list of textclf.base.tables.Row
        In the order of the file.

    Raises
    ------
    textclf.base.errors.BadInputError, textclf.base.errors.BadDataError
        As `textclf.base.tables.read_rows`; and if a file stands there twice.
    """
    lines: dict[str, int] = {}
    rows = []
    for row in read_rows(path, required=["file", "category"], encoding=encoding):
        if row.error:
            raise BadDataError(f"line {row.line}: {row.error}", where=path, remedy="mend the row")
        place = _place(path, row.values["file"])
        if place in lines:
            raise BadDataError(
                f"file {row.values['file']!r} stands in lines {lines[place]} and {row.line}",
                where=path,
                remedy="leave one of them out",
            )
        lines[place] = row.line
        rows.append(row)
    return rows


def match_labels(path: str | Path, rows: Iterable[Row], files: Iterable[FoundFile]) -> Labels:
    """Find the label of each document.

    A row means the file of its very path. A row that means none so is given to the one file whose path differs from
    it only in the kind of slashes, in case, or in how accented letters are composed.

    Parameters
    ----------
    path : str or pathlib.Path
        The labels file; paths in it are relative to its folder.
    rows : iterable of textclf.base.tables.Row
        From `read_labels`.
    files : iterable of ocr.finding.FoundFile
        The documents.

    Returns
    -------
    mapping of str to mapping of str to str
        For the id of each document that has a label, its row.
    """
    unlabelled = {os.path.realpath(found.file): found.document_id for found in files}
    total = len(unlabelled)
    labels: dict[str, Mapping[str, str]] = {}
    left = []
    for row in rows:
        if (document_id := unlabelled.pop(_place(path, row.values["file"]), None)) is None:
            left.append(row)
        else:
            labels[document_id] = row.values
    files_alike: defaultdict[str, list[str]] = defaultdict(list)
    rows_alike: defaultdict[str, list[Row]] = defaultdict(list)
    for place, document_id in unlabelled.items():
        files_alike[_alike(place)].append(document_id)
    for row in left:
        rows_alike[_alike(_place(path, row.values["file"].strip().replace("\\", "/")))].append(row)
    near, unsure, unmatched = [], [], []
    for key, alike in rows_alike.items():
        documents = files_alike[key]
        if not documents:
            unmatched += alike
        elif len(documents) == len(alike) == 1:
            labels[documents[0]] = alike[0].values
            near += alike
        else:
            unsure += alike
    for what, found in (
        ("matched, though slashes, case or accents differ", near),
        ("left out, as only case or accents tell the files or the rows apart that they fit", unsure),
        ("left out, as they fit no file that is read", unmatched),
    ):
        if found:
            named = ", ".join(f"{row.values['file']} (line {row.line})" for row in found[:_NAMED])
            _log.warning(f"{path}: rows {what} ({len(found)}): {named}{', …' if len(found) > _NAMED else ''}")
    if without := total - len(labels):
        _log.warning(f"{path}: {without} of {total} documents do not stand there and get no category")
    return labels


def labels_from_folders(files: Iterable[FoundFile]) -> Labels:
    """Take the first folder under the path given for the category.

    Parameters
    ----------
    files : iterable of ocr.finding.FoundFile
        The documents.

    Returns
    -------
    mapping of str to mapping of str to str
        For the id of each document in a folder, its category.
    """
    files = list(files)
    labels = {found.document_id: {"category": found.folder} for found in files if found.folder}
    if without := len(files) - len(labels):
        _log.warning(
            f"{without} of {len(files)} documents get no category, as they lie in no folder under the path given: "
            "give the folder that holds the folders"
        )
    return labels


def _place(path: str | Path, file: str) -> str:
    return os.path.realpath(Path(path).parent / file)


def _alike(place: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", place).casefold())
