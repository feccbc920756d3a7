"""Documents to train on or to predict: rows of a documents CSV or a datasource, or files of a folder."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from features.datasource import read_datasource, schema_path
from ocr.file_search import FoundFile, find_documents
from textclf.base.encodings import AUTO, decode_text
from textclf.base.errors import BadDataError, BadInputError, UsageError
from textclf.base.files import reason_of
from textclf.base.hashing import hash_file
from textclf.base.options import option
from textclf.base.plurals import counted
from textclf.base.tables import read_rows
from textclf.data.labels import category_folder, read_categories
from textclf.data.scans import SOURCE_COLUMNS, ScanOptions, document_cells
from textclf.model.category_names import NONE_OF_THESE, as_category
from textclf.model.pages import several_pages, without_page_breaks

if TYPE_CHECKING:
    from ocr.document import Document

_log = logging.getLogger(__name__)

DATASOURCE = "datasource.csv"
"""Name of the file in a folder that ``textclf prepare`` wrote."""
_MAX_BYTES = 10_000_000
"""Bytes read of a text file."""
_NAMED = 5
"""Number of unreadable documents that a warning names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """Options for reading documents: rows of a CSV, or files of a folder in its place.

    Parameters
    ----------
    id_column, text_column, category_column : str
        Names of the columns.
    encoding : str
        Encoding of the file, or ``auto``; a byte order mark takes precedence.
    where : tuple of str
        Conditions ``column=value``; only rows that meet all of them are read.
    where_option : str
        Name of the option with the conditions, for errors.
    labels : tuple of str
        Tables with the categories of documents by id, in place of the category column or the folders.
    group_column : str
        Name of the column with the group of a document, such as its issuer; empty for none.
    scans : textclf.data.scans.ScanOptions
        Options for the scans of a folder.

    Raises
    ------
    textclf.base.errors.UsageError
        If a condition is not of that form.
    """

    text_column: str = option("text", metavar="NAME", help="Name of the column that holds the text.")
    id_column: str = option("document_id", metavar="NAME", help="Name of the column that holds the document's id.")
    category_column: str = option("category", metavar="NAME", help="Name of the column that holds the category.")
    encoding: str = option(AUTO, metavar="NAME", help="Encoding of the CSV file, such as cp1252; auto detects it.")
    where: tuple[str, ...] = option(
        (), metavar="COLUMN=VALUE", help="Only rows with this value; repeatable, all conditions must hold."
    )
    where_option: str = "--where"
    labels: tuple[str, ...] = option(
        (),
        metavar="FILE",
        help="CSV with document_id and category, such as select and predict write and you fill in: the categories of "
        f"the documents, in place of those of DOCUMENTS; {NONE_OF_THESE!r} for papers of no category. Repeatable: "
        "later files correct earlier ones.",
    )
    group_column: str = option(
        "",
        name="group",
        metavar="NAME",
        help="Column with the group of each document, such as its issuer. Cross-validation keeps the documents of "
        "a group together, so that scores and threshold hold for new issuers.",
    )
    scans: ScanOptions = field(default_factory=ScanOptions)

    def __post_init__(self) -> None:
        for condition in self.where:
            if not condition.partition("=")[1] or not condition.partition("=")[0]:
                raise UsageError(
                    f"{condition!r} is not a condition", where=self.where_option, remedy="write column=value"
                )

    @property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """The conditions as pairs of column and value."""
        return tuple((left, right) for left, _, right in (condition.partition("=") for condition in self.where))

    def meets(self, values: Mapping[str, str]) -> bool:
        """Say whether a row meets all conditions, by its columns."""
        return all(values[column] == value for column, value in self.conditions)

    def inputs(self, *sources: Path | None) -> list[Path]:
        """List the files that are read with these options, none of which an output may overwrite."""
        given = [source for source in sources if source is not None]
        return [*given, *(source / DATASOURCE for source in given), *map(Path, self.labels)]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDocument:
    """One document: a row of a CSV, or a file of a folder."""

    document_id: str
    text: str
    # text of each page, if it has several
    pages: tuple[str, ...] = ()
    # as `as_category` gives it
    category: str = ""
    # such as its issuer
    group: str = ""
    # line of the file on which the row begins, 0 without a row
    line: int = 0
    # what its first page looks like, if that is known
    look: str = ""
    # all columns
    values: dict[str, str] = field(default_factory=dict)
    # why it cannot be used
    error: str = ""
    # what was changed or is missing
    note: str = ""
    # whether the text is incomplete
    cut: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "category", as_category(self.category))

    @classmethod
    def of_scan(cls, document: Document, category: str = "") -> InputDocument:
        """Make the row that ``textclf ocr`` would write for a scan."""
        return cls(
            document_id=document.document_id,
            text=document.text,
            pages=several_pages(document.paged_text),
            category=category,
            look=document.look,
            values=document_cells(document, category),
            error=document.error if document.status == "failed" else "",
            note=document.error if document.status == "partial" else "",
            cut=document.status == "partial",
        )

    def located(self, what: str) -> str:
        """Prefix a message with the line of the document or, if it is a file, its id."""
        return f"line {self.line}: {what}" if self.line else f"{self.document_id}: {what}"

    @property
    def ocr_confidence(self) -> float | None:
        """OCR confidence, 0 to 100, if a column ``ocr_confidence`` (or ``confidence``) has such a number."""
        try:
            confidence = float(self.values.get("ocr_confidence", self.values.get("confidence", "")))
        except ValueError:
            return None
        return confidence if 0 <= confidence <= 100 else None

    @property
    def has_unsure_cuts(self) -> bool:
        """Whether the file was split, and where to cut it is doubtful, by the column ``cuts`` of ``textclf ocr``."""
        return self.values.get("cuts", "") == "review" and "part_of" in self.values

    @property
    def ocr_engine(self) -> str:
        """Name and version of the OCR engine, such as ``tesserocr 5.5.0``, from a column ``ocr_engine``."""
        return self.values.get("ocr_engine", "").strip()


class Labelled(NamedTuple):
    """Documents of known category, sorted by id: ids, texts, categories, groups and looks, of the same length."""

    document_ids: list[str]
    texts: list[str]
    categories: list[str]
    groups: Sequence[str] = ()
    looks: Sequence[str] = ()
    # texts of the documents without a category, where they were asked for
    unlabelled: Sequence[str] = ()
    # ids and texts of the documents that belong to none of the categories
    none_of_these: Sequence[tuple[str, str]] = ()

    def with_none_of_these(self) -> Labelled:
        """Give also the documents of none of the categories as labelled ones; all else is left out."""
        ids, texts = ([document[i] for document in self.none_of_these] for i in (0, 1))
        none = [NONE_OF_THESE] * len(ids)
        return Labelled(self.document_ids + ids, self.texts + texts, self.categories + none)


def read_documents(
    path: str | Path, options: TableOptions | None = None, *, need_category: bool = False, all_rows: bool = False
) -> Iterator[InputDocument]:
    r"""Read a documents CSV, a datasource with its schema, or a folder, one document at a time.

    Parameters
    ----------
    path : str or pathlib.Path
        A file; a folder that ``textclf prepare`` wrote; or a folder of scans and ``.txt`` files, where the first
        folder of a file's path is its category.
    options : TableOptions, optional
        Columns, encoding, conditions, reading of scans.
    need_category : bool, default False
        Whether there must be a category column, or folders that give the categories.
    all_rows : bool, default False
        Whether to give also the rows that do not meet the conditions.

    Yields
    ------
    InputDocument
        In the order of the file, or by id; unusable documents have an ``error``.

    Raises
    ------
    textclf.base.errors.BadInputError
        The file cannot be read.
    textclf.base.errors.BadDataError
        A column is missing, or the file is not a CSV.
    textclf.base.errors.UsageError
        Conditions or groups for a datasource or a folder, which have no further columns.
    """
    options = options or TableOptions()
    path = Path(path)
    if path.is_dir() and (path / DATASOURCE).exists():
        path = path / DATASOURCE
    documents = _read_source(path, options, need_category=need_category and not options.labels)
    if options.labels:
        documents = _with_labels(documents, path, options)
    for document in documents:
        if all_rows or options.meets(document.values):
            yield document


def iter_usable(source: str | Path, documents: Iterable[InputDocument]) -> Iterator[InputDocument]:
    """Leave out documents with an error; a warning counts the rows among them."""
    unusable = 0
    for document in documents:
        # `read_documents` has reported files that cannot be read
        unusable += bool(document.error and document.line)
        if not document.error:
            yield document
    if unusable:
        _log.warning(f"{source}: left out {counted(unusable, 'row')} with too few or too many cells")


def _read_source(path: Path, options: TableOptions, *, need_category: bool) -> Iterator[InputDocument]:
    if not path.is_dir() and not schema_path(path).exists():
        yield from _read_table(path, options, need_category=need_category)
        return
    kind = "folder" if path.is_dir() else "datasource"
    if options.where:
        raise UsageError(f"a {kind} takes no conditions", where=options.where_option, remedy="give a documents CSV")
    if options.group_column:
        remedy = "give a documents CSV, here or to textclf prepare"
        raise UsageError(f"a {kind} has no columns to choose", where="--group", remedy=remedy)
    if path.is_dir():
        yield from _read_folder(path, options.scans, need_category=need_category)
        return
    for row in read_datasource(path):
        yield InputDocument(
            document_id=row.document_id, text=row.text, category=row.category, group=row.group, look=row.look
        )


def _with_labels(documents: Iterable[InputDocument], path: Path, options: TableOptions) -> Iterator[InputDocument]:
    """Give documents the categories of the labels files, in place of their own."""
    categories = read_categories(
        options.labels,
        id_column=options.id_column,
        category_column=options.category_column,
        encoding=options.encoding,
    )
    missing = set(categories)
    for document in documents:
        missing.discard(document.document_id)
        yield replace(document, category=categories.get(document.document_id, ""))
    if missing:
        _log.warning(
            f"{', '.join(options.labels)}: {len(missing)} of {len(categories)} labelled documents are not in {path}, "
            f"such as {min(missing)!r}; a spreadsheet may have changed their ids"
        )


def _read_table(path: Path, options: TableOptions, *, need_category: bool) -> Iterator[InputDocument]:
    required = {options.id_column: "--id-column", options.text_column: "--text-column"}
    if need_category:
        required[options.category_column] = "--category-column"
    required |= {column: options.where_option for column, _ in options.conditions if column not in required}
    if options.group_column:
        required[options.group_column] = "--group"
    changed: dict[str, list[int]] = {}
    try:
        for row in read_rows(path, required=required, encoding=options.encoding):
            if row.note and options.meets(row.values):
                changed.setdefault(row.note, [0, row.line])[0] += 1
            yield InputDocument(
                document_id=row.values[options.id_column],
                text=without_page_breaks(row.values[options.text_column]),
                pages=several_pages(row.values[options.text_column]),
                category=row.values.get(options.category_column, ""),
                group=row.values.get(options.group_column, "").strip(),
                line=row.line,
                look=row.values.get("page_look", ""),
                values=row.values,
                error=row.error,
                note=row.note,
                cut=row.cut,
            )
    finally:
        for note, (count, line) in changed.items():
            _log.warning(f"{path}: {note} in {count} row{'s' * (count != 1)}, first in line {line}")


def _read_folder(folder: Path, scans: ScanOptions, *, need_category: bool) -> Iterator[InputDocument]:
    """Read a folder as the rows that ``textclf ocr`` would write: texts first, then scans, each sorted by id."""
    found = find_documents([folder], texts=True)
    if not found:
        raise BadDataError("no scan and no .txt file", where=folder, remedy="put documents there")
    wanted = [where for where in found if category_folder(where) or not need_category]
    if need_category and not wanted:
        raise BadInputError(
            "holds no folder per category with documents in it, and no datasource.csv",
            where=folder,
            remedy="put the documents of each category into a folder named after it, or run `textclf prepare` first",
        )
    if beside := len(found) - len(wanted):
        _log.warning(f"{folder}: left out {counted(beside, 'file')} beside the folders per category")
    yield from read_files(wanted, scans, where=folder)


def read_files(files: Sequence[FoundFile], scans: ScanOptions, *, where: str | Path) -> Iterator[InputDocument]:
    """Read ``.txt`` files, then scans; `where` they were named is said of those that cannot be read."""
    yield from _read_texts(file for file in files if file.file.suffix.lower() == ".txt")
    images = {file.document_id: file for file in files if file.file.suffix.lower() != ".txt"}
    failed: defaultdict[str, list[str]] = defaultdict(list)
    for document in scans.iter_documents(images.values()) if images else ():
        if document.status == "failed":
            failed[document.error].append(document.document_id)
        yield InputDocument.of_scan(document, category_folder(images[document.document_id]))
    for error, names in failed.items():
        named = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        _log.warning(f"{where}: could not be read, {error} ({len(names)}): {named}")


def _read_texts(files: Iterable[FoundFile]) -> Iterator[InputDocument]:
    """Read text files in any encoding; unreadable ones are left out."""
    encodings: Counter[str] = Counter()
    for where in files:
        try:
            with where.file.open("rb") as file:
                text, encoding = decode_text(file.read(_MAX_BYTES))
                file.seek(0)
                sha256 = hash_file(file)
        except OSError as error:
            _log.warning(f"{where.document_id}: cannot be read ({reason_of(error)}) and was left out")
            continue
        encodings[encoding] += 1
        yield _row_of_file(where, text=text, sha256=sha256)
    for encoding, count in encodings.items():
        if encoding != "utf-8":
            _log.warning(f"{count} of {encodings.total()} .txt files are not UTF-8 and were read as {encoding}")


def _row_of_file(where: FoundFile, *, text: str, sha256: str) -> InputDocument:
    """Make the row of a file that was not read by OCR: the columns about reading are empty."""
    from ocr.document import Document

    cells = document_cells(
        Document(document_id=where.document_id, file=str(where.file), sha256=sha256), category_folder(where)
    )
    known = ("document_id", "category", "file", *SOURCE_COLUMNS)
    values = {name: cell if name in known else "" for name, cell in cells.items()} | {"text": text}
    return InputDocument(
        document_id=where.document_id,
        text=without_page_breaks(text),
        pages=several_pages(text),
        category=category_folder(where),
        values=values,
    )


def read_labelled(
    path: str | Path,
    options: TableOptions | None = None,
    *,
    keep_unlabelled: bool = False,
    none_is_enough: bool = False,
    correct: Callable[[Iterable[InputDocument]], Iterable[InputDocument]] | None = None,
) -> Labelled:
    """Read documents with their categories, for training or evaluation.

    Parameters
    ----------
    path : str or pathlib.Path
        A documents CSV, a datasource or a folder, as `read_documents` takes them.
    options : TableOptions, optional
        Columns, encoding, conditions.
    keep_unlabelled : bool, default False
        Whether to give the texts of documents without a category too, instead of a warning.
    none_is_enough : bool, default False
        Whether documents of none of the categories may be all that there is.
    correct : callable, optional
        What to do with all documents, also those that do not meet the conditions, before they are selected.

    Returns
    -------
    Labelled
        Sorted by id, so that the order in the file does not matter.

    Raises
    ------
    textclf.base.errors.BadInputError
        The file cannot be read.
    textclf.base.errors.BadDataError
        A row has too few or too many cells, an id occurs twice, or there is no document of a category.
    """
    lines: dict[str, int] = {}
    found: list[tuple[str, str, str, str, str]] = []
    without = 0
    unlabelled: list[str] = []
    none_of_these: list[tuple[str, str]] = []
    documents: Iterable[InputDocument] = read_documents(path, options, need_category=True, all_rows=correct is not None)
    for document in correct(documents) if correct else documents:
        if document.error and not document.line:
            continue
        if document.error:
            raise BadDataError(
                document.located(document.error),
                where=path,
                remedy='fix the row; put a value with , or " in quotes',
            )
        if not document.category:
            without += 1
            if keep_unlabelled and document.text.strip():
                unlabelled.append(document.text)
            continue
        if document.document_id in lines:
            at = f", in lines {lines[document.document_id]} and {document.line}" if document.line else ""
            raise BadDataError(
                f"two documents have document_id {document.document_id!r}{at}",
                where=path,
                remedy="give each document a unique id",
            )
        lines[document.document_id] = document.line
        if document.category == NONE_OF_THESE:
            none_of_these.append((document.document_id, document.text))
        else:
            found.append((document.document_id, document.text, document.category, document.group, document.look))
    if left_out := without - len(unlabelled):
        lack = "neither category nor text" if keep_unlabelled else "no category"
        _log.warning(f"{path}: {left_out} of {without + len(lines)} documents have {lack} and were left out")
    if none_of_these and not found and not none_is_enough:
        raise BadDataError(
            f"all documents with a category are of {NONE_OF_THESE!r}",
            where=path,
            remedy="label documents of your categories, too",
        )
    if not found and not none_of_these:
        remedy = f"fill the category column{' of --labels' * bool(options and options.labels)}, or correct --where"
        if Path(path).is_dir() and not (options and options.labels):
            remedy = "put readable documents into folders named after their categories"
        raise BadDataError("no row with a category", where=path, remedy=remedy)
    found.sort()
    document_ids, texts, categories, groups, looks = ([row[i] for row in found] for i in range(5))
    return Labelled(document_ids, texts, categories, groups, looks, unlabelled, sorted(none_of_these))


def snippet(text: str, length: int) -> str:
    """Give the beginning of a text on one line, without control characters."""
    # a text may be megabytes long
    words = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * length]).split())
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"
