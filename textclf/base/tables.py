"""Reading and writing CSV files row by row, whatever state they are in."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from textclf.base.encodings import AUTO, open_text
from textclf.base.errors import BadDataError, BadInputError
from textclf.base.files import write_aside

if TYPE_CHECKING:
    from _csv import Writer

CELL_LIMIT = 1_000_000
"""Characters of a cell that are kept, unless told otherwise."""

_ROW_LIMIT = 16 * 1024 * 1024
"""Characters of a row that are held in memory at most; a quote left open runs into it."""

_COLUMN_LIMIT = 10_000

_SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""What Excel writes and reads as the first line."""

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a CSV file.

    Parameters
    ----------
    line : int
        The line of the file the row begins on, from 1 (the header).
    values : dict of str to str
        Column to value, in the order of the header; columns without a name are left out. Of a row with ``error``
        the cells in the order they stand, which may not be where they belong.
    error : str
        Why the row cannot be used; empty if it can.
    note : str
        What was changed in the row; empty if nothing.
    cut : bool
        Whether a cell lost its end because it was over the limit.
    """

    line: int
    values: dict[str, str]
    error: str = ""
    note: str = ""
    cut: bool = False


def read_rows(
    path: str | Path,
    *,
    required: Sequence[str] | Mapping[str, str],
    encoding: str = AUTO,
    cell_limit: int = CELL_LIMIT,
) -> Iterator[Row]:
    r"""Read a CSV file with a header, one row at a time, in constant memory.

    Cells are separated by commas, semicolons, tabs or ``|``: by what gives the columns that are required, or as a first
    line such as ``sep=;`` says. Values may hold line breaks within quotes. Lines without any value are left out, and so
    are empty cells beyond the header; NUL characters are removed and the row says so in ``note``, a cell over the limit
    loses its end (``cut``, ``note``), a row with too few or too many cells has an ``error``.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    required : sequence of str, or dict of str to str
        Columns that must be there; with what set each name, such as ``--text-column``, for the error.
    encoding : str
        How the file's bytes stand for characters; see `textclf.base.encodings.open_text`, which also unpacks gzip.
    cell_limit : int
        Characters of a cell that are kept.

    Yields
    ------
    Row
        In the order of the file.

    Raises
    ------
    textclf.base.errors.BadInputError
        The file is missing, a folder, or may not be read.
    textclf.base.errors.BadDataError
        The file is empty, has no row, names a column twice or not at all, is not in ``encoding``, has a quote that
        is never closed, or a row over 16 Mi characters or 10,000 columns; or it is a spreadsheet, or packed with gzip
        and damaged.
    textclf.base.errors.UsageError
        There is no such encoding.

    References
    ----------
    RFC 4180, "Common Format and MIME Type for Comma-Separated Values (CSV) Files",
    https://www.rfc-editor.org/rfc/rfc4180

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "documents.csv"
    >>> _ = path.write_text('document_id,text\n1,"two\nlines"\n2\n')
    >>> for row in read_rows(path, required=["text"]):
    ...     print((row.line, row.values["text"], row.error))
    (2, 'two\nlines', '')
    (4, '', 'row has 1 cell, the header has 2')
    """
    # process-wide: our own limit on the row comes first, so every caller may set the same value
    csv.field_size_limit(_ROW_LIMIT)
    with open_text(path, encoding) as file:
        lines = _Lines(file, path)
        cells = csv.reader(lines, delimiter=_separator(lines, required))
        header = _read_header(cells, lines, path, required)
        count = 0
        for row_cells in _read_cells(cells, lines, path):
            if not any(row_cells):
                continue
            count += 1
            yield _row(header, row_cells, line=lines.row_line, nuls=lines.nuls, cell_limit=cell_limit)
        if not count:
            raise BadDataError(
                "has a header and no row below it", where=path, remedy="give a file with at least one document"
            )


def safe_cell(value: str) -> str:
    """Keep a spreadsheet program from taking a value for a formula.

    Parameters
    ----------
    value : str
        What shall stand in the cell.

    Returns
    -------
    str
        The value, with an apostrophe before it if it begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage
        return and is not a plain number.

    References
    ----------
    OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("-0.5"), safe_cell("plain")
    ("'=1+1", '-0.5', 'plain')
    """
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value


def write_rows(
    path: str | Path, fieldnames: Sequence[str], rows: Iterable[Mapping[str, object]], *, formulas_safe: bool
) -> int:
    r"""Write a CSV file in UTF-8, a row at a time, and put it in place when it is whole.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    fieldnames : sequence of str
        The columns, in order.
    rows : iterable of mapping
        Column to value; a missing column or None gives an empty cell.
    formulas_safe : bool
        Pass text through `safe_cell`: right for tables that people open, wrong for those we read again.

    Returns
    -------
    int
        Number of rows written.

    Raises
    ------
    textclf.base.errors.OutputError
        The file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
    >>> write_rows(path, ["name", "score"], [{"name": "=A1", "score": 0.5}], formulas_safe=True)
    1
    >>> path.read_text()
    "name,score\n'=A1,0.5\n"
    """
    count = 0
    with write_aside(path) as aside, aside.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv_writer(file.write)
        writer.writerow(fieldnames)
        for row in rows:
            cells = [row.get(name) for name in fieldnames]
            if formulas_safe:
                cells = [safe_cell(cell) if isinstance(cell, str) else cell for cell in cells]
            writer.writerow(cells)
            count += 1
    return count


def csv_writer(write: Callable[[str], object]) -> Writer:
    r"""Give a csv writer whose rows end in a line feed and whose values may hold any line break.

    Parameters
    ----------
    write : callable
        Called with each row as one string.

    Returns
    -------
    csv.writer
        Its ``writerow`` calls ``write`` once.

    Examples
    --------
    >>> csv_writer(lambda line: print(repr(line))).writerow(["a\rb", 1])
    '"a\rb",1\n'
    """
    return csv.writer(_LineFeed(write))


class _LineFeed:
    # csv quotes a carriage return within a value only if its own row end has one (CPython before 3.13)
    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def write(self, row: str) -> None:
        self._write(row.removesuffix("\r\n") + "\n")


class _Lines:
    """The lines of a file for csv.reader, with what it does not tell: where a row began, and how."""

    def __init__(self, file: TextIO, path: str | Path) -> None:
        self._file, self._path = file, path
        self._line = 0
        self._given_back = ""
        self.next_row()

    def next_row(self) -> None:
        self.row_line = self._line + 1
        self._row_size = 0
        self.nuls = False
        self.ended = False

    def next_line(self) -> str:
        """Read the next line that is not blank; empty at the end."""
        return next((line for line in self if line.strip()), "")

    def give_back(self, line: str) -> None:
        """Read a line once more."""
        self._given_back = line
        self._line -= bool(line)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line, self._given_back = self._given_back, ""
            line = line or self._file.readline(_ROW_LIMIT - self._row_size + 1)
        except UnicodeError as error:
            # the lines before are all handed out, so the bad byte is so many line breaks further on
            before = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
            line_number = self._line + 1 + before.count(b"\n")
            encoding = self._file.encoding.removesuffix("-sig")
            other = "cp1252" if encoding == "utf-8" else "utf-8"
            raise BadDataError(
                f"line {line_number} is not {encoding}",
                where=self._path,
                remedy=f"name the encoding it was saved in, such as --encoding {other}",
            ) from error
        if not line:
            self.ended = True
            raise StopIteration
        self._line += 1
        self._row_size += len(line)
        if self._row_size > _ROW_LIMIT:
            raise BadDataError(
                f"the row that begins on line {self.row_line} has more than {_ROW_LIMIT:,} characters",
                where=self._path,
                remedy="look for a quote that is opened there and never closed",
            )
        if "\0" in line:
            self.nuls = True
            line = line.replace("\0", "")
        return line


def _separator(lines: _Lines, required: Iterable[str]) -> str:
    """Find out what separates the cells; the header is left to be read."""
    first = lines.next_line()
    if stated := _SEPARATOR_LINE.fullmatch(first):
        return stated[1]
    lines.give_back(first)

    def columns(separator: str) -> list[str]:
        return [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]

    def fitness(separator: str) -> tuple[int, int]:
        names = columns(separator)
        return len(set(required).intersection(names)), len(names)

    return max(_SEPARATORS, key=fitness)


def _read_cells(reader: Iterator[list[str]], lines: _Lines, path: str | Path) -> Iterator[list[str]]:
    while True:
        lines.next_row()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise BadDataError(
                f"line {lines.row_line} is not CSV ({error})", where=path, remedy="save the table as CSV again"
            ) from error
        except OSError as error:
            raise BadInputError(f"cannot be read ({(error.strerror or str(error)).lower()})", where=path) from error
        if cells is None:
            return
        if lines.ended:
            raise BadDataError(
                f"a quote in the row that begins on line {lines.row_line} is never closed",
                where=path,
                remedy='close it there, or double it ("") if it belongs to the text',
            )
        if cells:
            yield cells


def _read_header(
    reader: Iterator[list[str]], lines: _Lines, path: str | Path, required: Sequence[str] | Mapping[str, str]
) -> list[str]:
    header = [name.strip() for name in next(_read_cells(reader, lines, path), [])]
    if not any(header):
        raise BadDataError("is empty", where=path, remedy=f"give a CSV file with the columns {', '.join(required)}")
    if len(header) > _COLUMN_LIMIT:
        raise BadDataError(
            f"has {len(header):,} columns, more than {_COLUMN_LIMIT:,}",
            where=path,
            remedy="keep the columns that are needed",
        )
    named = [name for name in header if name]
    twice = next((name for name, count in Counter(named).items() if count > 1), None)
    if twice is not None:
        raise BadDataError(f"has two columns '{_short(twice)}'", where=path, remedy="rename or remove one of them")
    for name in required:
        if name not in named:
            raise _missing_column(name, named, path, required[name] if isinstance(required, Mapping) else "")
    return header


def _missing_column(name: str, found: Sequence[str], path: str | Path, option: str) -> BadDataError:
    listed = ", ".join(_short(column) for column in found[:10]) + (", …" if len(found) > 10 else "")
    remedy = f"{option} names it: mend that, or the first line" if option else "name the columns so in the first line"
    return BadDataError(f"has no column '{name}' (found: {listed})", where=path, remedy=remedy)


def _short(name: str) -> str:
    return name if len(name) <= 64 else f"{name[:63]}…"


def _row(header: Sequence[str], cells: list[str], *, line: int, nuls: bool, cell_limit: int) -> Row:
    error = ""
    if any(cells[len(header) :]) or any(header[len(cells) :]):
        error = f"row has {len(cells)} cell{'s' * (len(cells) != 1)}, the header has {len(header)}"
    notes = ["NUL characters removed"] if nuls else []
    values = dict.fromkeys((name for name in header if name), "")
    cut = False
    for name, cell in zip(header, cells, strict=False):
        if not name:
            continue
        if len(cell) > cell_limit:
            notes.append(f"'{_short(name)}' cut to {cell_limit:,} characters")
            cut = True
        values[name] = cell[:cell_limit]
    return Row(line=line, values=values, error=error, note=", ".join(notes), cut=cut)
