"""Documents as tables: reading ``documents.csv``, a datasource or labels, writing what was read from scans."""

from __future__ import annotations

import logging
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from features.datasource import read_datasource, schema_path
from ocr.finding import FoundFile, printable
from textclf.base.encodings import AUTO, decode_text
from textclf.base.errors import BadDataError, BadInputError, UsageError
from textclf.base.tables import read_rows, write_rows

if TYPE_CHECKING:
    from ocr.documents import Document
    from textclf.data.scans import Reading

_log = logging.getLogger(__name__)

DATASOURCE = "datasource.csv"
"""What a folder holds that ``textclf prepare`` wrote."""
SOURCE_COLUMNS = ("path", "sha256")
"""What tells which file a document was read from, whatever its id is."""
OCR_COLUMNS = (
    *("file", *SOURCE_COLUMNS, "pages", "ocr_confidence", "ocr_confidence_low"),
    *("ocr_engine", "status", "error", "seconds"),
)
"""What we write beside ``document_id, text, category``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """How documents are read: the rows of a CSV, or the files of a folder that stands for one.

    Parameters
    ----------
    id_column, text_column, category_column : str
        Names of the columns.
    encoding : str
        How the file's bytes stand for characters, or ``auto``; a byte order mark goes before it.
    where : tuple of str
        Conditions ``column=value``: only rows that fulfil all are read.
    where_option : str
        What the user calls the conditions, for errors.
    group_column : str
        Name of the column that says what a document belongs to, such as its issuer; empty for none.
    reading : textclf.data.scans.Reading, optional
        How the scans of a folder are read; with all defaults if not given.

    Raises
    ------
    textclf.base.errors.UsageError
        If a condition is not of that form.
    """

    id_column: str = "document_id"
    text_column: str = "text"
    category_column: str = "category"
    encoding: str = AUTO
    where: tuple[str, ...] = ()
    where_option: str = "--where"
    group_column: str = ""
    reading: Reading | None = None

    def __post_init__(self) -> None:
        for condition in self.where:
            if not condition.partition("=")[1] or not condition.partition("=")[0]:
                raise UsageError(f"{condition!r} is no condition", where=self.where_option, remedy="write column=value")

    @property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """The conditions as pairs of column and value."""
        return tuple((left, right) for left, _, right in (condition.partition("=") for condition in self.where))


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDocument:
    """One document: a row of a CSV, or a file of a folder.

    Parameters
    ----------
    document_id, text, category : str
        As they stand there; category is empty without that column.
    group : str
        What it belongs to, such as its issuer; empty if nothing.
    line : int
        Line of the file that the row begins on; 0 where there is none.
    values : dict of str to str
        All columns of the row.
    error : str
        Why it cannot be used; empty if it can.
    note : str
        What was changed, or is missing; empty if nothing.
    cut : bool
        Whether the text is not whole.
    """

    document_id: str
    text: str
    category: str = ""
    group: str = ""
    line: int = 0
    values: dict[str, str] = field(default_factory=dict)
    error: str = ""
    note: str = ""
    cut: bool = False

    def say(self, what: str) -> str:
        """Put before a message where the document stands: its line, or its id where it is a file."""
        return f"line {self.line}: {what}" if self.line else f"{self.document_id}: {what}"

    @property
    def ocr_confidence(self) -> float | None:
        """How sure OCR was, 0 to 100, where a column ``ocr_confidence`` (or ``confidence``) holds a number."""
        try:
            confidence = float(self.values.get("ocr_confidence", self.values.get("confidence", "")))
        except ValueError:
            return None
        return confidence if math.isfinite(confidence) else None

    @property
    def ocr_engine(self) -> str:
        """What read it, where a column ``ocr_engine`` tells: name and version, such as ``tesserocr 5.5.0``."""
        return self.values.get("ocr_engine", "").strip()


class Labelled(NamedTuple):
    """Documents to learn from: ids, texts, categories and, if any, groups, all of the same length, sorted by id."""

    document_ids: list[str]
    texts: list[str]
    categories: list[str]
    groups: Sequence[str] = ()


def read_documents(
    path: str | Path,
    options: TableOptions | None = None,
    *,
    need_category: bool = False,
) -> Iterator[InputDocument]:
    r"""Read a documents CSV, a datasource with its schema beside it, or a folder, one document at a time.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; a folder that ``textclf prepare`` wrote; or a folder of scans and ``.txt`` files, in which the first
        folder on the way to a file is its category.
    options : TableOptions, optional
        Columns, encoding, conditions, how scans are read.
    need_category : bool, default False
        Whether there must be a category column, or folders that give the categories.

    Yields
    ------
    InputDocument
        In the order of the file, or by id; those that cannot be used have an ``error``.

    Raises
    ------
    textclf.base.errors.BadInputError
        The file cannot be read.
    textclf.base.errors.BadDataError
        A column is missing, or the file is no CSV.
    textclf.base.errors.UsageError
        Conditions or groups for a datasource or a folder, which have no columns to choose by.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "documents.csv"
    >>> _ = path.write_text("document_id,text\n1,total due\n")
    >>> [(document.document_id, document.text) for document in read_documents(path)]
    [('1', 'total due')]
    """
    options = options or TableOptions()
    path = Path(path)
    if path.is_dir() and (path / DATASOURCE).exists():
        path = path / DATASOURCE
    if path.is_dir() or schema_path(path).exists():
        kind = "folder" if path.is_dir() else "datasource"
        if options.where:
            raise UsageError(f"a {kind} takes no conditions", where=options.where_option, remedy="give a documents CSV")
        if options.group_column:
            remedy = "give a documents CSV, here or to textclf prepare"
            raise UsageError(f"a {kind} has no columns to choose", where="--group", remedy=remedy)
        if path.is_dir():
            from textclf.data.scans import read_folder

            yield from read_folder(path, options.reading, need_category=need_category)
        else:
            yield from _from_datasource(path)
        return
    required = {options.id_column: "--id-column", options.text_column: "--text-column"}
    if need_category:
        required[options.category_column] = "--category-column"
    required |= {column: options.where_option for column, _ in options.conditions if column not in required}
    if options.group_column:
        required[options.group_column] = "--group"
    changed: dict[str, list[int]] = {}
    try:
        for row in read_rows(path, required=required, encoding=options.encoding):
            if not all(row.values[column] == value for column, value in options.conditions):
                continue
            if row.note:
                changed.setdefault(row.note, [0, row.line])[0] += 1
            yield InputDocument(
                document_id=row.values[options.id_column],
                text=row.values[options.text_column],
                category=row.values.get(options.category_column, ""),
                group=row.values.get(options.group_column, "").strip(),
                line=row.line,
                values=row.values,
                error=row.error,
                note=row.note,
                cut=row.cut,
            )
    finally:
        for note, (count, line) in changed.items():
            _log.warning(f"{path}: {note} in {count} row{'s' * (count != 1)}, first in line {line}")


def _from_datasource(path: str | Path) -> Iterator[InputDocument]:
    for row in read_datasource(path):
        yield InputDocument(document_id=row.document_id, text=row.text, category=row.category, group=row.group)


def read_labelled(path: str | Path, options: TableOptions | None = None) -> Labelled:
    """Read documents with their categories, to learn from or to evaluate on.

    Parameters
    ----------
    path : str or pathlib.Path
        A documents CSV, a datasource or a folder, as `read_documents` takes them.
    options : TableOptions, optional
        Columns, encoding, conditions.

    Returns
    -------
    Labelled
        Sorted by id, so that the order of the file changes nothing.

    Raises
    ------
    textclf.base.errors.BadInputError
        The file cannot be read.
    textclf.base.errors.BadDataError
        A row has too few or too many cells, an id stands twice, or no row has a category.
    """
    lines: dict[str, int] = {}
    found: list[tuple[str, str, str, str]] = []
    without = 0
    for document in read_documents(path, options, need_category=True):
        if document.error and not document.line:
            continue
        if document.error:
            raise BadDataError(
                document.say(document.error),
                where=path,
                remedy='mend the row; a value with , or " stands in quotes',
            )
        if not document.category.strip():
            without += 1
            continue
        if document.document_id in lines:
            raise BadDataError(
                f"document_id {document.document_id!r} stands in lines {lines[document.document_id]} "
                f"and {document.line}",
                where=path,
                remedy="give each document an id of its own",
            )
        lines[document.document_id] = document.line
        found.append((document.document_id, document.text, document.category.strip(), document.group))
    if without:
        _log.warning(f"{path}: {without} of {without + len(found)} documents have no category and were left out")
    if not found:
        remedy = "fill the category column, or mend --where"
        if Path(path).is_dir():
            remedy = "put documents that can be read into folders named after their categories"
        raise BadDataError("no row with a category", where=path, remedy=remedy)
    found.sort()
    return Labelled(*(list(column) for column in zip(*found, strict=True)))


def write_documents(
    path: str | Path,
    documents: Iterable[Document],
    *,
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write what was read from scans as a documents CSV.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; it is put in place when the last document is written.
    documents : iterable of Document
        What was read.
    labels : mapping, optional
        For a document's id its label, as `textclf.data.labels` gives it: the category, and other columns that go along.

    Raises
    ------
    textclf.base.errors.OutputError
        If the file cannot be written.
    """
    labels = labels or {}
    taken = ("document_id", "text", "category", *OCR_COLUMNS)
    further = [name for name in next(iter(labels.values()), {}) if name not in taken]

    def row(document: Document) -> dict[str, str]:
        label = labels.get(document.document_id, {})
        return {
            **document_cells(document, label.get("category", "")),
            **{name: label.get(name, "") for name in further},
        }

    # text cells are read again by us, so they are not made safe for spreadsheets
    write_rows(path, [*taken, *further], map(row, documents), formulas_safe=False)


def source_of(document: Document) -> dict[str, str]:
    """Tell which file a document was read from: its absolute path and the SHA-256 of its content."""
    path = printable(os.path.abspath(document.file)) if document.file else ""  # noqa: PTH100 - keeps links as given
    return dict(zip(SOURCE_COLUMNS, (path, document.sha256), strict=True))


def document_cells(document: Document, category: str) -> dict[str, str]:
    """Give the cells of a document that was read, by column."""
    return {
        "document_id": document.document_id,
        "text": document.text,
        "category": category,
        "file": printable(document.file),
        **source_of(document),
        "pages": str(document.page_count),
        "ocr_confidence": f"{document.confidence:.1f}",
        "ocr_confidence_low": f"{document.confidence_low:.1f}",
        "ocr_engine": document.engine,
        "status": document.status,
        "error": document.error,
        "seconds": f"{document.seconds:.2f}",
    }


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds no folder per category."""
    try:
        with os.scandir(folder) as entries:
            categories = any(entry.is_dir() and not entry.name.startswith(".") for entry in entries)
    except OSError as error:
        raise BadInputError(f"cannot be listed ({(error.strerror or str(error)).lower()})", where=folder) from error
    if not categories:
        raise BadInputError(
            "holds no folder per category and no datasource.csv",
            where=folder,
            remedy="put the documents of each category into a folder named after it, or run `textclf prepare` first",
        )


def read_texts(files: Iterable[FoundFile], *, max_bytes: int = 10_000_000) -> Iterator[tuple[FoundFile, str]]:
    """Read text files in any encoding; those that cannot be read, and what others than UTF-8 were found, are told."""
    encodings: Counter[str] = Counter()
    for found in files:
        try:
            with found.file.open("rb") as stream:
                text, encoding = decode_text(stream.read(max_bytes))
        except OSError as error:
            _log.warning(
                f"{found.document_id}: cannot be read ({(error.strerror or str(error)).lower()}) and was left out"
            )
            continue
        encodings[encoding] += 1
        yield found, text
    for encoding, count in encodings.items():
        if encoding != "utf-8":
            _log.warning(f"{count} of {encodings.total()} .txt files are not UTF-8 and were read as {encoding}")
