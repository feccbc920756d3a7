"""Labels of scans or documents, from a file of their own or from folder names."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ocr.file_search import FoundFile
from textclf.base.encodings import AUTO
from textclf.base.errors import BadDataError, UsageError
from textclf.base.overwrite_guard import CHANGES, FINDINGS, PREDICTIONS, TO_LABEL
from textclf.base.plurals import counted
from textclf.base.tables import Row, read_header, read_rows
from textclf.model.category_names import as_category

_log = logging.getLogger(__name__)

ID, CATEGORY = "document_id", "category"
"""Columns of the tables in which a person fills in categories."""
GIVEN_CATEGORY = "given_category"
"""Column of the tables that list known categories: a copy of them, which shows what a person has corrected."""
NOT_CATEGORIES = ("_review", "_failed", "_duplicates")
"""Folders beside those of the categories in which `textclf file` leaves documents for a person to look into."""
_NAMED = 5
"""Number of rows that a warning names."""
_WRITTEN = (PREDICTIONS, TO_LABEL, FINDINGS, CHANGES)
"""Tables of ours that a person may fill in."""
_WRITTEN_CATEGORIES = (
    CATEGORY,
    GIVEN_CATEGORY,
    "predicted_category",
    "guess",
    "other_category",
    "category_a",
    "category_b",
)
"""Columns of these that hold categories."""

Labels = Mapping[str, Mapping[str, str]]
"""Label by document id: ``category`` and any further columns."""


class FilledIn(NamedTuple):
    """A row of a table in which a person has filled in a category."""

    category: str
    # all columns
    values: Mapping[str, str]


def read_labels(path: str | Path, files: Iterable[FoundFile], *, encoding: str = AUTO) -> Labels:
    """Read the labels of documents from a CSV with the columns ``file`` and ``category``.

    Paths in it are relative to its folder, or else to the working folder. A row whose path is no file that is read
    is matched with the only file whose path differs just in slashes, in case, or in the composition of accents.
    """
    documents = {os.path.realpath(found.file): found.document_id for found in files}
    rows = _rows_by_place(path, encoding, documents)
    labels = {documents[place]: row.values for place, row in rows.items() if place in documents}
    files_alike: defaultdict[str, list[str]] = defaultdict(list)
    rows_alike: defaultdict[str, list[Row]] = defaultdict(list)
    for place in documents.keys() - rows.keys():
        files_alike[_alike(place)].append(documents[place])
    for place, row in rows.items():
        if place not in documents:
            rows_alike[_alike(_place(path, row.values["file"].strip().replace("\\", "/")))].append(row)
    near, ambiguous, unmatched = [], [], []
    for key, alike in rows_alike.items():
        if not files_alike[key]:
            unmatched += alike
        elif len(files_alike[key]) == len(alike) == 1:
            labels[files_alike[key][0]] = alike[0].values
            near += alike
        else:
            ambiguous += alike
    for what, found in (
        ("matched, though slashes, case or accents differ", near),
        ("left out, as the files or rows that match differ only in slashes, case or accents", ambiguous),
        ("left out, as they match no file that is read", unmatched),
    ):
        if found:
            named = ", ".join(f"{row.values['file']} (line {row.line})" for row in found[:_NAMED])
            _log.warning(f"{path}: rows {what} ({len(found)}): {named}{', …' if len(found) > _NAMED else ''}")
    if without := len(documents) - len(labels):
        _log.warning(f"{path}: {without} of {len(documents)} documents are not listed there and get no category")
    return labels


def read_categories(
    paths: Sequence[str | Path], *, id_column: str, category_column: str, encoding: str = AUTO
) -> dict[str, str]:
    """Read the categories of documents by id as `read_filled_in` does, which also gives their rows."""
    rows = read_filled_in(paths, id_column=id_column, category_column=category_column, encoding=encoding)
    return {name: row.category for name, row in rows.items()}


def read_filled_in(
    paths: Sequence[str | Path], *, id_column: str, category_column: str, encoding: str = AUTO
) -> dict[str, FilledIn]:
    """Read the rows with a category, by id, from tables such as ``textclf select`` writes; empty ones are left out.

    A table without a column of the name given is read by the name that ``textclf select`` writes. So is a category in a
    table of ours, whose other columns were copied, or mean something else. Later tables correct earlier ones, with a
    warning. Raises `BadDataError` for a row with too few or too many cells, and for a document of
    two categories in one table.
    """
    found: dict[str, FilledIn] = {}
    for path in paths:
        header = read_header(path, expected=[id_column, category_column, ID, CATEGORY], encoding=encoding)
        id_name = id_column if id_column in header else ID
        written = any(kind.columns <= {*header} for kind in _WRITTEN)
        named = category_column in header and (category_column in _WRITTEN_CATEGORIES or not written)
        category_name = category_column if named else CATEGORY
        required = {id_name: "--id-column", category_name: "--category-column"}
        own: dict[str, FilledIn] = {}
        for row in read_rows(path, required=required, encoding=encoding, formulas_safe=True):
            if row.error:
                raise BadDataError(f"line {row.line}: {row.error}", where=path, remedy="fix the row")
            name, category = row.values[id_name], as_category(row.values[category_name])
            if category and (before := own.setdefault(name, FilledIn(category, row.values))).category != category:
                raise BadDataError(
                    f"document_id {name!r} is of category {before.category!r}, and in line {row.line} of {category!r}",
                    where=path,
                    remedy="decide for one",
                )
        if changed := [name for name, row in own.items() if name in found and found[name].category != row.category]:
            name = changed[0]
            _log.warning(
                f"{path}: corrects the category of {counted(len(changed), 'document')} of an earlier table, such as "
                f"{name!r} from {found[name].category!r} to {own[name].category!r}"
            )
        found |= own
    return found


def refuse_filled_in(path: Path, known: Iterable[tuple[str, str]] = (), *, in_folders: bool = False) -> None:
    """Raise `UsageError` if a person has filled in or corrected categories in a table that will be written anew.

    Those `known` are not lost, as they will be written again: pairs of id and category. With ``in_folders``, neither
    are those that name a folder of the id.
    """
    if not path.exists() or not path.stat().st_size:
        return
    filled: Counter[tuple[str, str]] = Counter()
    for row in read_rows(path, required=(), formulas_safe=True, may_be_empty=True):
        category = as_category(row.values.get(CATEGORY, ""))
        name = row.values.get(ID, "")
        copied = category == as_category(row.values.get(GIVEN_CATEGORY, ""))
        if category and not copied and not (in_folders and category in name.split("/")[:-1]):
            filled[name, category] += 1
    if filled:
        filled -= Counter(pair for pair in known if pair in filled)
    if filled:
        raise UsageError(
            f"has {counted(filled.total(), 'category', 'categories')} filled in, which would be lost",
            where=path,
            remedy="give the result another name with -o",
        )


def category_folder(found: FoundFile) -> str:
    """Give the first folder below the given path, which is the category; empty if there is none."""
    return "" if found.folder in NOT_CATEGORIES else found.folder


def labels_by_folder(files: Sequence[FoundFile]) -> Labels:
    """Use the first folder below the given path as the category."""
    labels = {found.document_id: {"category": category_folder(found)} for found in files if category_folder(found)}
    if without := len(files) - len(labels):
        _log.warning(
            f"{without} of {len(files)} documents get no category, as they are in no folder below the given path: "
            "give the folder that contains the folders per category"
        )
    return labels


def _rows_by_place(path: str | Path, encoding: str, documents: Container[str]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for row in read_rows(path, required=["file", "category"], encoding=encoding, formulas_safe=True):
        if row.error:
            raise BadDataError(f"line {row.line}: {row.error}", where=path, remedy="fix the row")
        place, here = _place(path, row.values["file"]), os.path.realpath(row.values["file"])
        first = rows.setdefault(here if place not in documents and here in documents else place, row)
        if first is not row:
            raise BadDataError(
                f"file {row.values['file']!r} is in lines {first.line} and {row.line}",
                where=path,
                remedy="remove one of them",
            )
    return rows


def _place(path: str | Path, file: str) -> str:
    return os.path.realpath(Path(path).parent / file)


def _alike(place: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", place).casefold())
