"""Corrections of categories, over those of the documents to train on; documents that are missing there are added."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ocr.file_search import FoundFile
from textclf.base.hashing import hash_file
from textclf.base.plurals import counted
from textclf.data.labels import FilledIn, read_filled_in
from textclf.data.sources import InputDocument, TableOptions, read_files
from textclf.model.category_names import NONE_OF_THESE
from textclf.model.pages import several_pages, without_page_breaks

_log = logging.getLogger(__name__)

_NAMED = 3
"""Number of documents that a warning names."""


def correct(
    documents: Iterable[InputDocument], tables: Sequence[Path], options: TableOptions
) -> Iterator[InputDocument]:
    """Give documents that meet the conditions the categories of corrected tables, and add those that are missing.

    A row belongs to the document of its id, unless their files differ by SHA-256, or else to that of the same file.
    What is missing is added with the text of its row, or is read from its path if the file there is still the same.

    Parameters
    ----------
    documents : iterable of InputDocument
        All documents, also those that do not meet the conditions.
    tables : sequence of pathlib.Path
        Tables with the columns ``document_id`` and ``category``, such as ``textclf predict`` writes and a person fills
        in; rows without a category say nothing.
    options : TableOptions
        Columns, encoding, conditions, reading of scans.

    Yields
    ------
    InputDocument
        Those of `documents` in their order, then those that were added.

    Raises
    ------
    textclf.base.errors.BadDataError
        If a table has two categories for a document.
    """
    corrections = _Corrections.of(
        read_filled_in(
            tables, id_column=options.id_column, category_column=options.category_column, encoding=options.encoding
        )
    )
    for document in documents:
        corrected = corrections.apply(document)
        if options.meets(document.values):
            yield corrected
    added = 0
    for document in _missing(corrections.left(), options, where=", ".join(map(str, tables)), taken=corrections.ids):
        added += not document.error
        yield document
    corrections.report(", ".join(map(str, tables)), added)


@dataclass(slots=True)
class _Corrections:
    """Corrections by id, and what became of them."""

    rows: Mapping[str, FilledIn]
    by_file: Mapping[str, tuple[str, FilledIn]]
    ids: set[str] = field(default_factory=set)
    """Ids of the documents that were given."""
    used: set[str] = field(default_factory=set)
    """Ids of the corrections that belong to one of these."""
    known: set[str] = field(default_factory=set)
    """Categories that these had."""
    changed: int = 0

    @classmethod
    def of(cls, rows: Mapping[str, FilledIn]) -> _Corrections:
        return cls(rows, {file: (name, row) for name, row in rows.items() if (file := row.values.get("sha256", ""))})

    def apply(self, document: InputDocument) -> InputDocument:
        """Give a document the category of its correction, if there is one."""
        self.ids.add(document.document_id)
        self.known.add(document.category)
        file = document.values.get("sha256", "")
        name, row = document.document_id, self.rows.get(document.document_id)
        # documents of one stack have the same file
        if (row is None or _differ(file, row.values.get("sha256", ""))) and not document.values.get("part_of"):
            name, row = self.by_file.get(file, (name, None))
        if row is None or _differ(file, row.values.get("sha256", "")):
            return document
        self.used.add(name)
        self.changed += row.category != document.category
        return replace(document, category=row.category)

    def left(self) -> dict[str, FilledIn]:
        """Give the corrections of documents that were not given."""
        return {name: row for name, row in self.rows.items() if name not in self.used}

    def report(self, where: str, added: int) -> None:
        """Say what the corrections changed, and which categories are new."""
        same = len(self.used) - self.changed
        _log.info(
            f"{where}: {counted(max(self.changed, 0), 'category', 'categories')} corrected, {max(same, 0)} confirmed, "
            f"{counted(added, 'document')} added"
        )
        new = Counter(row.category for row in self.rows.values())
        for category in {*self.known, NONE_OF_THESE}:
            del new[category]
        if new:
            listed = ", ".join(
                f"{category!r} ({counted(count, 'document')})" for category, count in sorted(new.items())
            )
            _log.warning(f"{where}: categories that no document had before: {listed}")


def _differ(file: str, other: str) -> bool:
    return bool(file and other and file != other)


def _missing(
    rows: Mapping[str, FilledIn], options: TableOptions, *, where: str, taken: set[str]
) -> Iterator[InputDocument]:
    """Give the documents of corrections, by their text or else from their files."""
    files: list[FoundFile] = []
    left_out: defaultdict[str, list[str]] = defaultdict(list)
    groups = {}
    for name, row in rows.items():
        path = row.values.get("path", "")
        # another file has the id
        own = path if name in taken and path else name
        if text := row.values.get(options.text_column, "").strip():
            yield _of_row(own, text, row, options)
        elif reason := _unreadable(row.values):
            left_out[reason].append(name)
        else:
            files.append(FoundFile(own, Path(path), row.category))
            groups[own] = row.values.get(options.group_column, "").strip()
    for reason, names in left_out.items():
        named = ", ".join(map(repr, names[:_NAMED])) + (", …" if len(names) > _NAMED else "")
        _log.warning(f"{where}: rows of documents not among those to train on, left out as {reason}: {named}")
    for document in read_files(files, options.scans, where=where):
        yield replace(document, group=groups[document.document_id])


def _of_row(name: str, text: str, row: FilledIn, options: TableOptions) -> InputDocument:
    return InputDocument(
        document_id=name,
        text=without_page_breaks(text),
        pages=several_pages(text),
        category=row.category,
        group=row.values.get(options.group_column, "").strip(),
        look=row.values.get("page_look", ""),
        values=dict(row.values),
    )


def _unreadable(values: Mapping[str, str]) -> str:
    """Say why the document of a row cannot be read from its path; empty if it can."""
    path, sha256 = values.get("path", ""), values.get("sha256", "")
    if not path or not sha256:
        return "they have neither a text nor path and sha256"
    if "#" in values.get("document_id", "") and values.get("document_id", "").rpartition("#")[2][:1].isdigit():
        return "they are parts of a stack: give the documents CSV of the parts, too"
    try:
        # a device or a pipe would be read without an end
        if not Path(path).is_file():
            return "their paths are those of no files"
        with Path(path).open("rb") as file:
            return "" if hash_file(file) == sha256 else "their files have changed"
    except (OSError, ValueError):
        return "their files cannot be read"
