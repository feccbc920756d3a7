"""Reading Amazon ML's CSV files into rows of a schema."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, compress, islice

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.faults import DataFault, RequestFault
from aws_ml_adapter.api.rearrangement import Rearrangement
from aws_ml_adapter.engine.number_columns import read_numbers
from features.schema import AttributeType, Schema

ROW_LIMIT = 102_400
"""Maximum bytes of a row without line feed, 100 KB: https://docs.aws.amazon.com/machine-learning/latest/dg/
understanding-the-data-format-for-amazon-ml.html."""

REJECTED_LIMIT = 10_000
"""Maximum number of rejected rows of a data source; with more, the data source fails."""

_END_MARK = "end"

_OTHER_FORMATS = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "a spreadsheet or an archive",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A data file: its URL, its size in bytes, and a function that reads it in chunks."""

    name: str
    size: int
    chunks: Callable[[], Iterable[bytes]]


Rows = list[list[str] | None]
"""Consecutive rows in the order of the schema's attributes: '' is a missing value, None a rejected row."""


def read_batches(
    files: Sequence[DataFile],
    schema: Schema,
    *,
    rearrangement: Rearrangement | None = None,
    only: DataFile | None = None,
    size: int = 1_000,
    warn: Callable[[str], object] = lambda message: None,
) -> Iterator[Rows]:
    """Read the rows of data files, or those of one file, in order and constant memory; raises `DataFault`."""
    # https://docs.aws.amazon.com/machine-learning/latest/dg/understanding-the-data-format-for-amazon-ml.html
    # a row is rejected if it is over 100 KB, has more or fewer values than the schema has attributes, or has an open
    # quote or a carriage return; bytes that are not UTF-8 become U+FFFD
    lines = chain.from_iterable(_shares(files, schema, rearrangement, only, warn))
    read = rejected = 0
    first_fault = ""
    while some := list(islice(lines, size)):
        rows = _parse(some, len(schema.names))
        rejected += rows.count(None)
        if rejected and not first_fault:
            i = rows.index(None)
            start = some[i][:40].decode("utf-8", "replace")
            first_fault = f"the first is row {read + i + 1:,} ('{start}'), which {_fault(some[i], schema)}"
        if rejected > REJECTED_LIMIT:
            raise DataFault(
                f"more than {REJECTED_LIMIT:,} rows were rejected: {first_fault}",
                where=", ".join(file.name for file in files[:3]),
                remedy="correct the data or the schema",
            )
        read += len(rows)
        yield rows
    if rejected:
        warn(f"{rejected:,} of {read:,} rows were rejected: {first_fault}")


def record_row(record: Mapping[str, str], schema: Schema) -> list[str]:
    """Convert a real-time record to a row of a schema; raises `RequestFault` if it is over 100 KB."""
    row = [record.get(name, "") for name in schema.names]
    # characters are counted first, so that long texts need not be encoded
    if sum(map(len, row)) > ROW_LIMIT or sum(len(value.encode("utf-8", "replace")) for value in row) > ROW_LIMIT:
        raise RequestFault(f"the record is larger than {ROW_LIMIT:,} bytes", where="Record")
    return row


def _line_blocks(chunks: Iterable[bytes]) -> Iterator[tuple[NDArray[np.int64], list[bytes]]]:
    """Yield offsets of lines, and the lines without line feeds, cut just above the maximum length."""
    begin, tail, dropped = 0, b"", 0
    for chunk in chain(chunks, (None,)):
        lines = [b""] if chunk is None else chunk.split(b"\n")
        lines[0] = tail + lines[0]
        tail = lines.pop() if chunk is not None else b""
        if lines and (chunk is not None or lines[0]):
            ends = begin + dropped + np.cumsum([len(line) + 1 for line in lines], dtype=np.int64)
            yield np.concatenate(([begin], ends[:-1])), lines
            begin, dropped = int(ends[-1]), 0
        if len(tail) > ROW_LIMIT:
            dropped += len(tail) - (ROW_LIMIT + 1)
            tail = tail[: ROW_LIMIT + 1]


def _shares(
    files: Sequence[DataFile],
    schema: Schema,
    rearrangement: Rearrangement | None,
    only: DataFile | None,
    warn: Callable[[str], object],
) -> Iterator[Iterable[bytes]]:
    """Yield the selected lines of each block."""
    end = sum(file.size for file in files)
    begin = None
    for file_begin, file in zip(accumulate((file.size for file in files), initial=0), files, strict=False):
        left_out = only is not None and file is not only
        if left_out and begin is not None:
            continue
        for offsets, lines in _data_lines(file, schema, warn):
            begin = file_begin + int(offsets[0]) if begin is None else begin
            if left_out:
                break
            if rearrangement is None:
                yield lines
            else:
                yield compress(lines, rearrangement.keeps(file_begin + offsets, begin=begin, end=end))


def _data_lines(
    file: DataFile, schema: Schema, warn: Callable[[str], object]
) -> Iterator[tuple[NDArray[np.int64], list[bytes]]]:
    """Yield the lines after the header, in non-empty blocks."""
    blocks = _line_blocks(file.chunks())
    offsets, lines = next(blocks, (np.zeros(0, np.int64), []))
    if lines:
        lines[0] = _text_start(lines[0], file)
        if schema.has_header:
            names = _check_header(lines[0], schema, file)
            if _looks_like_a_row(names, schema):
                warn(
                    f"the first line of {file.name} ('{','.join(names)[:40]}') was read as a header, but has no name "
                    "of the schema, and values of its types: if it is a row, set dataFileContainsHeader to false"
                )
            offsets, lines = offsets[1:], lines[1:]
        elif _cells(lines[0]) == schema.names:
            warn(
                f"the first line of {file.name} has the names of the schema, but was read as a row: if it is a "
                "header, set dataFileContainsHeader to true"
            )
    if lines:
        yield offsets, lines
    yield from blocks


def _text_start(line: bytes, file: DataFile) -> bytes:
    found = next((name for mark, name in _OTHER_FORMATS.items() if line.startswith(mark)), None)
    if found is not None:
        raise DataFault(f"is {found}, not CSV", where=file.name, remedy="store it as plain CSV in UTF-8")
    return line.removeprefix(codecs.BOM_UTF8)


def _check_header(line: bytes, schema: Schema, file: DataFile) -> tuple[str, ...]:
    """Return the names of a header; raises `DataFault` if it does not fit the schema."""
    names = _cells(line)
    if len(names) != len(schema.names) and (other := _other_layout(line, schema)):
        raise DataFault(f"its first line {other[0]}", where=file.name, remedy=other[1])
    if len(names) != len(schema.names):
        raise DataFault(
            f"the header has {len(names):,} name{'s' * (len(names) != 1)}, the schema {len(schema.names):,} attributes",
            where=file.name,
            remedy="list in the schema every column of the file, in order, or set dataFileContainsHeader to false",
        )
    # different names may be other spellings, but the same names in another order would swap columns
    if names != schema.names and sorted(names) == sorted(schema.names):
        raise DataFault(
            "the header has the attributes of the schema in another order",
            where=file.name,
            remedy="list the attributes in the order of the file",
        )
    return names


def _cells(line: bytes) -> tuple[str, ...]:
    (cells,) = _parse([line], None)
    return tuple(cell.strip() for cell in cells or ())


def _looks_like_a_row(names: Sequence[str], schema: Schema) -> bool:
    """Return whether a header looks like a row: no name is in the schema, and all numeric columns have numbers."""
    if set(names) & set(schema.names):
        return False
    numbers = [
        read_numbers([name], kind)[0]
        for name, (_, kind) in zip(names, schema.attributes, strict=True)
        if name and kind in (AttributeType.NUMERIC, AttributeType.BINARY)
    ]
    return bool(numbers) and not np.isnan(numbers).any()


def _other_layout(line: bytes, schema: Schema) -> tuple[str, str] | None:
    """Return the problem of a line in another format than the service's CSV, and the remedy; None if there is none."""
    if b"\r" in line.removesuffix(b"\r"):
        return (
            "has carriage returns: lines must end with a line feed",
            "save it with the line ends of Unix or Windows",
        )
    for separator, name in ((b";", "semicolons"), (b"\t", "tabs"), (b"|", "bars")):
        if line.count(separator) + 1 == len(schema.names) > line.count(b",") + 1:
            return f"has {name} between its values, not commas", "save it with commas between the values"
    return None


def _parse(lines: list[bytes], width: int | None) -> list[list[str] | None]:
    """Parse lines; None for those that are not CSV, too long or, if a width is given, of another width."""
    text = b"\n".join([*lines, b""]).decode("utf-8", "replace").replace("\r\n", "\n")
    # only quotes need the csv module, which is up to three times slower than a split
    rows = [
        line.split(",") if line and '"' not in line and "\r" not in line else _unquote(line)
        for line in text.split("\n")[:-1]
    ]
    return [
        row if len(row) == (width or len(row)) and len(line) <= ROW_LIMIT else None
        for row, line in zip(rows, lines, strict=True)
    ]


def _unquote(line: str) -> list[str]:
    """Parse a line that may have quotes; empty if it is not a row."""
    # fields over the limit of the csv module, and carriage returns, would raise errors
    if "\r" in line or len(line) > ROW_LIMIT:
        return []
    # an open quote would extend over the marker
    rows = [*csv.reader((line, _END_MARK))]
    return rows[0] if len(rows) == 2 else []


def _fault(line: bytes, schema: Schema) -> str:
    """Return the reason why a row was rejected."""
    if len(line) > ROW_LIMIT:
        return f"has more than {ROW_LIMIT:,} bytes"
    if other := _other_layout(line, schema):
        return other[0]
    (row,) = _parse([line], None)
    if not row:
        return "is empty, or has an open quote or a carriage return"
    return f"has {len(row):,} value{'s' * (len(row) != 1)}, the schema {len(schema.names):,} attributes"
