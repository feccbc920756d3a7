"""Documents as tables: reading ``documents.csv``, a datasource or labels, writing what was read from scans."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from features.csv_files import read_rows, write_rows
from features.datasource import read_datasource, schema_path
from textclf.errors import BadDataError, BadInputError, UsageError

if TYPE_CHECKING:
    from ocr.documents import Document
    from textclf.scans import Reading

__all__ = [
    "InputDocument",
    "Labelled",
    "TableOptions",
    "read_documents",
    "read_labelled",
    "read_labels",
    "write_documents",
]

DATASOURCE = "datasource.csv"
"""What a folder holds that ``textclf prepare`` wrote."""
OCR_COLUMNS = ("file", "pages", "ocr_confidence", "ocr_confidence_low", "ocr_engine", "status", "error", "seconds")
"""What we write beside ``document_id, text, category``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """How documents are read: the rows of a CSV, or the files of a folder that stands for one.

    Parameters
    ----------
    id_column, text_column, category_column : str
        Names of the columns.
    encoding : str
        How the file's bytes stand for characters; a byte order mark goes before it.
    where : tuple of str
        Conditions ``column=value``: only rows that fulfil all are read.
    where_option : str
        What the user calls the conditions, for errors.
    group_column : str
        Name of the column that says what a document belongs to, such as its issuer; empty for none.
    reading : textclf.scans.Reading, optional
        How the scans of a folder are read; with all defaults if not given.

    Raises
    ------
    textclf.errors.UsageError
        If a condition is not of that form.
    """

    id_column: str = "document_id"
    text_column: str = "text"
    category_column: str = "category"
    encoding: str = "utf-8"
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
    path: str | Path, options: TableOptions | None = None, *, need_category: bool = False
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
    textclf.errors.BadInputError
        The file cannot be read.
    textclf.errors.BadDataError
        A column is missing, or the file is no CSV.
    textclf.errors.UsageError
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
            from textclf.scans import read_folder

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
    for row in read_rows(path, required=required, encoding=options.encoding):
        if all(row.values[column] == value for column, value in options.conditions):
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
        A documents CSV, a datasource or a folder, as `read_documents` takes them.
    options : TableOptions, optional
        Columns, encoding, conditions.
    warn : callable, optional
        Told about documents that were changed or left out.

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
    for document in read_documents(path, options, need_category=True):
        if document.error and not document.line:
            warn(f"{path}: {document.say(document.error)}")
            continue
        if document.error:
            raise BadDataError(
                document.say(document.error),
                where=path,
                remedy='mend the row; a value with , or " stands in quotes',
            )
        if document.note:
            warn(f"{path}: {document.say(document.note)}")
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
        remedy = "fill the category column, or mend --where"
        if Path(path).is_dir():
            remedy = "put documents that can be read into folders named after their categories"
        raise BadDataError("no row with a category", where=path, remedy=remedy)
    found.sort()
    return Labelled(*(list(column) for column in zip(*found, strict=True)))


def read_labels(path: str | Path) -> dict[Path, dict[str, str]]:
    """Read a labels file: a CSV with the columns ``file`` and ``category``.

    Parameters
    ----------
    path : str or pathlib.Path
        The file. Paths in it are relative to its folder.

    Returns
    -------
    dict of pathlib.Path to dict of str to str
        For each file, resolved, its row.

    Raises
    ------
    textclf.errors.BadInputError, textclf.errors.BadDataError
        As `features.csv_files.read_rows`; and if a file stands there twice.
    """
    labels: dict[Path, dict[str, str]] = {}
    for row in read_rows(path, required=["file", "category"]):
        if row.error:
            raise BadDataError(f"line {row.line}: {row.error}", where=path, remedy="mend the row")
        file = (Path(path).parent / row.values["file"]).resolve()
        if file in labels:
            raise BadDataError(
                f"line {row.line}: file {row.values['file']!r} stands there twice", where=path, remedy="leave one"
            )
        labels[file] = row.values
    return labels


def write_documents(
    path: str | Path,
    documents: Iterable[Document],
    *,
    labels: dict[Path, dict[str, str]] | None = None,
    from_folders: bool = False,
) -> None:
    """Write what was read from scans as a documents CSV.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; it is put in place when the last document is written.
    documents : iterable of Document
        What was read.
    labels : dict, optional
        From `read_labels`; gives the category, and its other columns go along.
    from_folders : bool, default False
        Take the first folder of the document's id for its category.

    Raises
    ------
    textclf.errors.OutputError
        If the file cannot be written.
    """
    labels = labels or {}
    taken = ("document_id", "text", "category", *OCR_COLUMNS)
    further = [name for name in next(iter(labels.values()), {}) if name not in taken]

    def row(document: Document) -> dict[str, str]:
        label = labels.get(Path(document.file).resolve(), {})
        category = folder_category(document.document_id) if from_folders else ""
        return {
            **document_cells(document, category or label.get("category", "")),
            **{name: label.get(name, "") for name in further},
        }

    # text cells are read again by us, so they are not made safe for spreadsheets
    write_rows(path, [*taken, *further], map(row, documents), formulas_safe=False)


def document_cells(document: Document, category: str) -> dict[str, str]:
    """Give the cells of a document that was read, by column."""
    return {
        "document_id": document.document_id,
        "text": document.text,
        "category": category,
        "file": document.file,
        "pages": str(document.page_count),
        "ocr_confidence": f"{document.confidence:.1f}",
        "ocr_confidence_low": f"{document.confidence_low:.1f}",
        "ocr_engine": document.engine,
        "status": document.status,
        "error": document.error,
        "seconds": f"{document.seconds:.2f}",
    }


def folder_category(document_id: str) -> str:
    """Tell the category of a file in a folder: the first folder on the way to it; empty for one that is in none."""
    folder, slash, _ = document_id.partition("/")
    return folder if slash else ""


def check_folder(folder: Path) -> list[Path]:
    """List the category folders of a folder-per-category tree, sorted; none is an error."""
    try:
        folders = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise BadInputError(f"cannot be listed ({(error.strerror or str(error)).lower()})", where=folder) from error
    if not folders:
        raise BadInputError(
            "holds no folder per category and no datasource.csv",
            where=folder,
            remedy="put the documents of each category into a folder named after it, or run `textclf prepare` first",
        )
    return folders


def text_files(folders: Sequence[Path], *, max_bytes: int = 10_000_000) -> Iterator[tuple[str, str, str]]:
    """Yield id, text and category of the ``.txt`` files in category folders, sorted; hidden ones are passed over."""
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            inner = file.relative_to(folder)
            if file.suffix.lower() != ".txt" or any(part.startswith(".") for part in inner.parts):
                continue
            if file.is_file() and file.resolve().is_relative_to(folder.resolve()):
                try:
                    with file.open("rb") as stream:
                        text = stream.read(max_bytes).decode("utf-8-sig", errors="replace")
                except OSError as error:
                    reason = (error.strerror or str(error)).lower()
                    raise BadInputError(f"cannot be read ({reason})", where=file) from error
                yield f"{folder.name}/{inner.as_posix()}", text, folder.name
