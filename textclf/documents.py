"""Documents as tables: reading ``documents.csv``, a datasource or labels, writing what was read from scans."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from features.csv_files import read_rows, write_rows
from features.datasource import read_datasource, schema_path
from features.encodings import AUTO, decode_text
from ocr.finding import FoundFile, printable
from textclf.errors import BadDataError, BadInputError, UsageError

if TYPE_CHECKING:
    from ocr.documents import Document

__all__ = [
    "InputDocument",
    "Labelled",
    "TableOptions",
    "read_documents",
    "read_labelled",
    "write_documents",
]

SOURCE_COLUMNS = ("path", "sha256")
"""What tells which file a document was read from, whatever its id is."""
OCR_COLUMNS = (
    *("file", *SOURCE_COLUMNS, "pages", "ocr_confidence", "ocr_confidence_low"),
    *("ocr_engine", "status", "error", "seconds"),
)
"""What we write beside ``document_id, text, category``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """How a documents CSV is read.

    Parameters
    ----------
    id_column, text_column, category_column : str
        Names of the columns.
    encoding : str
        How the file's bytes stand for characters, or ``auto``; a byte order mark goes before it.
    where : tuple of str
        Conditions ``column=value``: only rows that fulfil all are read.
    group_column : str
        Name of the column that says what a document belongs to, such as its issuer; empty for none.

    Raises
    ------
    textclf.errors.UsageError
        If a condition is not of that form.
    """

    id_column: str = "document_id"
    text_column: str = "text"
    category_column: str = "category"
    encoding: str = AUTO
    where: tuple[str, ...] = ()
    group_column: str = ""

    def __post_init__(self) -> None:
        for condition in self.where:
            if not condition.partition("=")[1] or not condition.partition("=")[0]:
                raise UsageError(f"{condition!r} is no condition", where="--where", remedy="write column=value")

    @property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """The conditions as pairs of column and value."""
        return tuple((left, right) for left, _, right in (condition.partition("=") for condition in self.where))


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDocument:
    """One row of a documents CSV.

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
        Why the row cannot be used; empty if it can.
    note : str
        What was changed in the row; empty if nothing.
    cut : bool
        Whether the text was over the limit and lost its end.
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
    warn: Callable[[str], None] = lambda message: None,
) -> Iterator[InputDocument]:
    r"""Read a documents CSV, or a datasource with its schema beside it, one row at a time.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    options : TableOptions, optional
        Columns, encoding, conditions.
    need_category : bool, default False
        Whether the category column must be there.
    warn : callable, optional
        Told which encoding was found, and at the end what was changed in rows: each kind of change once.

    Yields
    ------
    InputDocument
        In the order of the file; rows that cannot be used have an ``error``.

    Raises
    ------
    textclf.errors.BadInputError
        The file cannot be read.
    textclf.errors.BadDataError
        A column is missing, or the file is no CSV.
    textclf.errors.UsageError
        Conditions on a datasource, which has no columns to choose by.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "documents.csv"
    >>> _ = path.write_text("document_id,text\n1,total due\n")
    >>> [(document.document_id, document.text) for document in read_documents(path)]
    [('1', 'total due')]
    """
    options = options or TableOptions()
    if schema_path(path).exists():
        if options.where:
            raise UsageError(
                "a datasource takes no conditions", where="--where", remedy="choose the rows when preparing it"
            )
        yield from _from_datasource(path)
        return
    required = [options.id_column, options.text_column, *([options.category_column] if need_category else [])]
    required += [column for column, _ in options.conditions if column not in required]
    required += [options.group_column] if options.group_column else []
    changed: dict[str, list[int]] = {}
    try:
        for row in read_rows(path, required=required, encoding=options.encoding, warn=warn):
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
            warn(f"{path}: {note} in {count} row{'s' * (count != 1)}, first in line {line}")


def _from_datasource(path: str | Path) -> Iterator[InputDocument]:
    for row in read_datasource(path):
        yield InputDocument(document_id=row.document_id, text=row.text, category=row.category, group=row.group)


def read_labelled(
    path: str | Path, options: TableOptions | None = None, *, warn: Callable[[str], None] = lambda message: None
) -> Labelled:
    """Read documents with their categories, to learn from or to evaluate on.

    Parameters
    ----------
    path : str or pathlib.Path
        A documents CSV or a datasource.
    options : TableOptions, optional
        Columns, encoding, conditions.
    warn : callable, optional
        Told about rows that were changed or left out.

    Returns
    -------
    Labelled
        Sorted by id, so that the order of the file changes nothing.

    Raises
    ------
    textclf.errors.BadInputError
        The file cannot be read.
    textclf.errors.BadDataError
        A row has too few or too many cells, an id stands twice, or no row has a category.
    """
    lines: dict[str, int] = {}
    found: list[tuple[str, str, str, str]] = []
    without = 0
    for document in read_documents(path, options, need_category=True, warn=warn):
        if document.error:
            raise BadDataError(
                f"line {document.line}: {document.error}",
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
        warn(f"{path}: {without} of {without + len(found)} documents have no category and were left out")
    if not found:
        raise BadDataError("no row with a category", where=path, remedy="fill the category column, or mend --where")
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
        For a document's id its label, as `textclf.labels` gives it: the category, and other columns that go along.

    Raises
    ------
    textclf.errors.OutputError
        If the file cannot be written.
    """
    labels = labels or {}
    taken = ("document_id", "text", "category", *OCR_COLUMNS)
    further = [name for name in next(iter(labels.values()), {}) if name not in taken]

    def row(document: Document) -> dict[str, object]:
        label = labels.get(document.document_id, {})
        return {
            "document_id": document.document_id,
            "text": document.text,
            "category": label.get("category", ""),
            "file": printable(document.file),
            **source_of(document),
            "pages": document.page_count,
            "ocr_confidence": f"{document.confidence:.1f}",
            "ocr_confidence_low": f"{document.confidence_low:.1f}",
            "ocr_engine": document.engine,
            "status": document.status,
            "error": document.error,
            "seconds": f"{document.seconds:.2f}",
            **{name: label.get(name, "") for name in further},
        }

    # text cells are read again by us, so they are not made safe for spreadsheets
    write_rows(path, [*taken, *further], map(row, documents), formulas_safe=False)


def source_of(document: Document) -> dict[str, str]:
    """Tell which file a document was read from: its absolute path and the SHA-256 of its content."""
    path = printable(os.path.abspath(document.file)) if document.file else ""  # noqa: PTH100 - keeps links as given
    return dict(zip(SOURCE_COLUMNS, (path, document.sha256), strict=True))


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


def read_texts(
    files: Iterable[FoundFile], *, warn: Callable[[str], None], max_bytes: int = 10_000_000
) -> Iterator[tuple[FoundFile, str]]:
    """Read text files in any encoding; those that cannot be read, and what others than UTF-8 were found, are told."""
    encodings: Counter[str] = Counter()
    for found in files:
        try:
            with found.file.open("rb") as stream:
                text, encoding = decode_text(stream.read(max_bytes))
        except OSError as error:
            warn(f"{found.document_id}: cannot be read ({(error.strerror or str(error)).lower()}) and was left out")
            continue
        encodings[encoding] += 1
        yield found, text
    for encoding, count in encodings.items():
        if encoding != "utf-8":
            warn(f"{count} of {encodings.total()} .txt files are not UTF-8 and were read as {encoding}")
