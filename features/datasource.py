"""The datasource: one CSV file with all columns, valid for Amazon ML, and its schema in a second file."""

from __future__ import annotations

import math
import random
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.look import LOOK_COLUMNS, look_values
from features.schema import AttributeType, Schema, parse_binary, parse_numeric
from textclf.base.errors import BadDataError
from textclf.base.files import input_error, write_aside
from textclf.base.tables import Row, csv_writer, read_rows

ROW_LIMIT = 100_000
"""Bytes of a row, its line end included. Amazon ML rejects rows over 100 KB."""

_GAP = "\n[…]\n"
_TARGET = "category"
_GROUP = "group"
_LOOK = "page_look"
_SCHEMA_LIMIT = 1_000_000
_PREPARE_AGAIN = "write it again with textclf prepare"

# what str.splitlines or a CSV reader takes for a line end, NUL, lone surrogates (which no file can hold), and the
# two characters that the encoding itself needs
_TO_ENCODE = re.compile("[\0\n-\r\x1c-\x1e\x85\u2028\u2029␤␛\ud800-\udfff]")
_TO_DECODE = re.compile(" ?␤ ?|␛([0-9A-F]{4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasourceRow:
    """One document with all its columns; category and group may be empty."""

    document_id: str
    # cleaned, with its line structure
    text: str
    # the keywords found in it, and for each column whether a keyword of its category was found
    common_words: str = ""
    indicators: tuple[bool, ...] = ()
    # document vector, finite
    vector: tuple[float, ...] = ()
    category: str = ""
    # what the document belongs to, such as its issuer; the schema excludes it from learning
    group: str = ""
    # what its first page looks like; the schema excludes it, as `look_values` are in columns of their own
    look: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasourceSummary:
    """The number of rows written, and the ids of documents whose texts lost their middle to fit 100 KB."""

    rows: int
    shortened: tuple[str, ...] = ()


def schema_path(path: str | Path) -> Path:
    """Name the schema file of a datasource, where Amazon ML's console looks for it."""
    path = Path(path)
    # a path such as . has no name
    return path.parent / f"{path.name}.schema"


def vector_columns(size: int) -> tuple[str, ...]:
    """Name the columns of a document vector."""
    return tuple(f"w2v_{i:03}" for i in range(size))


def datasource_schema(
    indicator_names: Sequence[str], vector_size: int, *, grouped: bool = False, looks: bool = False
) -> Schema:
    """Describe the columns of a datasource.

    It has one for the group of each document if `grouped`, and those of the look of its first page with `looks`.
    """
    excluded = tuple(name for name, kept in ((_GROUP, grouped), (_LOOK, looks)) if kept)
    return Schema(
        attributes=(
            ("document_id", AttributeType.CATEGORICAL),
            ("text_data", AttributeType.TEXT),
            ("common_words", AttributeType.TEXT),
            *((name, AttributeType.BINARY) for name in indicator_names),
            *((name, AttributeType.NUMERIC) for name in vector_columns(vector_size)),
            *((name, AttributeType.NUMERIC) for name in LOOK_COLUMNS if looks),
            *((name, AttributeType.CATEGORICAL) for name in excluded),
            (_TARGET, AttributeType.CATEGORICAL),
        ),
        target=_TARGET,
        row_id="document_id",
        excluded=excluded,
    )


def encode_text(text: str) -> str:
    r"""Write a text on one line, reversibly; `decode_text` restores it.

    A line feed becomes ``␤`` between two spaces. Other characters that a program may take for a line end (``\r``,
    ``\v``, ``\f``, U+001C to U+001E, U+0085, U+2028, U+2029), NUL, lone surrogates, and ``␤`` and ``␛`` themselves
    become ``␛`` and four hexadecimal digits.
    """
    return _TO_ENCODE.sub(lambda match: " ␤ " if match[0] == "\n" else f"␛{ord(match[0]):04X}", text)


def decode_text(value: str) -> str:
    """Restore what `encode_text` wrote."""
    return _TO_DECODE.sub(lambda match: chr(int(match[1], 16)) if match[1] else "\n", value)


def write_datasource(
    path: str | Path,
    documents: Sequence[Any],
    *,
    to_row: Callable[[Any], DatasourceRow] = lambda row: row,
    indicator_names: Sequence[str],
    vector_size: int,
    seed: int,
    grouped: bool = False,
    looks: bool = False,
) -> DatasourceSummary:
    """Write documents as a datasource, in an order drawn from a seed, with the schema at ``<path>.schema``.

    They are rows, or what `to_row` makes rows of one by one, so that all of them never stand in memory. A row over
    100 KB loses the middle of its text, which then reads ``[…]`` on a line of its own. Raises `BadDataError` if there
    are too many columns, or a row is over 100 KB even without its text.

    References
    ----------
    Amazon Machine Learning Developer Guide, "Understanding the Data Format for Amazon ML",
    https://docs.aws.amazon.com/machine-learning/latest/dg/understanding-the-data-format-for-amazon-ml.html
    """
    schema = datasource_schema(indicator_names, vector_size, grouped=grouped, looks=looks)
    draw = random.Random(seed)  # noqa: S311 - an order to learn from, not a secret
    # random() gives the same numbers in every Python version, which shuffle() does not promise
    order = sorted(range(len(documents)), key=[draw.random() for _ in range(len(documents))].__getitem__)
    shortened: list[str] = []
    # both files are renamed at the end, so that no datasource is ever paired with another's schema
    with write_aside(schema_path(path)) as schema_aside, write_aside(path) as aside:
        schema_aside.write_text(schema.to_json(), encoding="utf-8", newline="")
        with aside.open("w", encoding="utf-8", newline="") as file:
            csv_writer(file.write).writerow(schema.names)
            for index in order:
                row = to_row(documents[index])
                line = _line(row, row.text, schema)
                if _size(line) > ROW_LIMIT:
                    line = _shortened_line(row, schema)
                    shortened.append(row.document_id)
                file.write(line)
    return DatasourceSummary(rows=len(order), shortened=tuple(sorted(shortened)))


def read_datasource_schema(path: str | Path) -> Schema:
    """Read the schema beside a datasource and check that it is one of ours."""
    place = schema_path(path)
    try:
        with place.open(encoding="utf-8") as file:
            text = file.read(_SCHEMA_LIMIT + 1)
    except OSError as error:
        raise input_error(error, place, _PREPARE_AGAIN) from error
    except UnicodeDecodeError as error:
        raise BadDataError("is not UTF-8", where=place, remedy=_PREPARE_AGAIN) from error
    schema = Schema.from_json(text, where=place)
    indicators = [name for name, kind in schema.attributes if kind is AttributeType.BINARY]
    looks = _LOOK in schema.excluded
    numbers = sum(kind is AttributeType.NUMERIC for _, kind in schema.attributes)
    vector_size = numbers - len(LOOK_COLUMNS) * looks
    if schema != datasource_schema(indicators, vector_size, grouped=_GROUP in schema.excluded, looks=looks):
        raise BadDataError("does not describe the columns of a datasource", where=place, remedy=_PREPARE_AGAIN)
    return schema


def read_datasource(path: str | Path) -> Iterator[DatasourceRow]:
    """Read a datasource that `write_datasource` wrote, row by row, unchanged except for texts that were too long."""
    schema = read_datasource_schema(path)
    for row in read_rows(path, required=schema.names):
        error = row.error
        if not error and tuple(row.values) != schema.names:
            error = "the columns are not those of the schema beside the file"
        if error:
            raise BadDataError(f"line {row.line}: {error}", where=path, remedy=_PREPARE_AGAIN)
        yield _datasource_row(row, schema, path)


def _datasource_row(row: Row, schema: Schema, path: str | Path) -> DatasourceRow:
    indicators: list[bool] = []
    vector: list[float] = []
    for name, kind in schema.attributes:
        value = row.values[name]
        try:
            if kind is AttributeType.BINARY:
                indicators.append(parse_binary(value))
            elif kind is AttributeType.NUMERIC:
                vector.append(parse_numeric(value))
        except BadDataError as error:
            raise BadDataError(
                f"line {row.line}: '{value[:40]}' in column '{name}' is not {kind}", where=path, remedy=_PREPARE_AGAIN
            ) from error
    return DatasourceRow(
        document_id=decode_text(row.values["document_id"]),
        text=decode_text(row.values["text_data"]),
        common_words=decode_text(row.values["common_words"]),
        indicators=tuple(indicators),
        vector=tuple(vector[: len(vector) - len(LOOK_COLUMNS) * (_LOOK in schema.excluded)]),
        category=decode_text(row.values[_TARGET]),
        group=decode_text(row.values.get(_GROUP, "")),
        look=decode_text(row.values.get(_LOOK, "")),
    )


def _line(row: DatasourceRow, text: str, schema: Schema) -> str:
    cells = [
        *(encode_text(value) for value in (row.document_id, text, row.common_words)),
        *("1" if indicator else "0" for indicator in row.indicators),
        # repr() is the shortest decimal that parses to the same number
        *(repr(_finite(number)) for number in row.vector),
        *(map(repr, look_values(row.look)) if _LOOK in schema.excluded else ()),
        *(encode_text(value) for name, value in ((_GROUP, row.group), (_LOOK, row.look)) if name in schema.excluded),
        encode_text(row.category),
    ]
    if len(cells) != len(schema.names):
        raise ValueError(f"'{row.document_id}' has {len(cells)} values for {len(schema.names)} columns")
    lines: list[str] = []
    csv_writer(lines.append).writerow(cells)
    return lines[0]


def _shortened_line(row: DatasourceRow, schema: Schema) -> str:
    """Give the row with the longest beginning and end of its text that fit."""

    def line(kept: int) -> str:
        return _line(row, row.text[: kept - kept // 2] + _GAP + row.text[len(row.text) - kept // 2 :], schema)

    # the size of a character does not depend on its neighbours, so the size of the line is monotonic
    fits = bisect_right(range(len(row.text)), ROW_LIMIT, key=lambda kept: _size(line(kept))) - 1
    if fits < 0:
        raise BadDataError(
            f"the row of '{row.document_id[:64]}' is over {ROW_LIMIT:,} bytes even without its text",
            remedy="use fewer keyword categories or shorter vectors",
        )
    return line(fits)


def _size(line: str) -> int:
    return len(line) if line.isascii() else len(line.encode())


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a finite number")
    return float(number)
