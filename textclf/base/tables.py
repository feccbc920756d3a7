"""Reading and writing CSV files (RFC 4180) row by row; also malformed ones can be read."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from textclf.base.encodings import AUTO, open_text
from textclf.base.errors import BadDataError
from textclf.base.files import input_error, write_aside

if TYPE_CHECKING:
    from _csv import Writer

CELL_LIMIT = 1_000_000
"""Default maximum of characters of a cell; longer ones are cut."""

_ROW_LIMIT = 16 * 1024 * 1024
"""Maximum of characters of a row, which a quote that is never closed exceeds."""

_COLUMN_LIMIT = 10_000

_SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""First line by which Excel states the separator."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""A formula, with the apostrophes before it, so that each can be told from the one that was added."""
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a CSV file."""

    # where it begins in the file; the header is on line 1
    line: int
    # by column, without columns that have no name; in a row with an error, maybe under the wrong columns
    values: dict[str, str]
    # why the row cannot be used
    error: str = ""
    # what was changed in it
    note: str = ""
    # whether a cell was over the limit and lost its end
    cut: bool = False


def read_rows(
    path: str | Path,
    *,
    required: Sequence[str] | Mapping[str, str],
    encoding: str = AUTO,
    cell_limit: int = CELL_LIMIT,
    formulas_safe: bool = False,
    may_be_empty: bool = False,
) -> Iterator[Row]:
    """Read a CSV file with a header row by row; `required` columns may be mapped to the options that named them.

    `formulas_safe` takes away the apostrophes that `write_rows` adds. A header alone is an error unless the table
    `may_be_empty`.
    """
    # a global setting, but always of this value: `_Lines` raises first
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
            if formulas_safe:
                row_cells = [_unsafe_cell(cell) for cell in row_cells]
            yield _row(header, row_cells, line=lines.row_line, nuls=lines.nuls, cell_limit=cell_limit)
        if not count and not may_be_empty:
            raise BadDataError(
                "has a header and no row below it", where=path, remedy="give a file with at least one document"
            )


def read_header(path: str | Path, *, expected: Iterable[str], encoding: str = AUTO) -> list[str]:
    """Read the names of the columns of a CSV file, some of which are expected."""
    with open_text(path, encoding) as file:
        lines = _Lines(file, path)
        return _read_header(csv.reader(lines, delimiter=_separator(lines, expected)), lines, path, ())


def safe_cell(value: str) -> str:
    """Put an apostrophe before a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value


def _unsafe_cell(cell: str) -> str:
    """Undo `safe_cell`."""
    value = cell.removeprefix("'")
    return value if safe_cell(value) == cell else cell


def write_rows(
    path: str | Path,
    fieldnames: Sequence[str],
    rows: Iterable[Mapping[str, object]],
    *,
    formulas_safe: bool,
    encoding: str = "utf-8",
) -> int:
    """Write a CSV file atomically, and count its rows; `formulas_safe` passes text through `safe_cell`."""
    count = 0
    with write_aside(path) as aside, aside.open("w", encoding=encoding, errors="replace", newline="") as file:
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
    """Give a csv writer whose rows end in a line feed, and whose values may contain any line break."""
    return csv.writer(_LineFeed(write))


class _LineFeed:
    # csv quotes a carriage return in a value only if its line terminator has one (CPython before 3.13)
    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def write(self, row: str) -> None:
        self._write(row.removesuffix("\r\n") + "\n")


class _Lines:
    """The lines of a file for csv.reader, which also records where the current row began and whether it held NUL."""

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
        """Return a line, to be read again."""
        self._given_back = line
        self._line -= bool(line)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line, self._given_back = self._given_back, ""
            line = line or self._file.readline(_ROW_LIMIT - self._row_size + 1)
        except UnicodeError as error:
            # all lines before this block were returned: count the line breaks before the bad byte
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
    """Detect the separator of the cells; the header remains to be read."""
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
            raise input_error(error, path) from error
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
        columns = f"the columns {', '.join(required)}" if required else "a header"
        raise BadDataError("is empty", where=path, remedy=f"give a CSV file with {columns}")
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
    remedy = f"{option} names it: correct that, or the first line" if option else "use these names in the first line"
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
