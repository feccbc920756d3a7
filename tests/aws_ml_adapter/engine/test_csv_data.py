"""Amazon ML's CSV."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.faults import DataFault, RequestFault
from aws_ml_adapter.api.rearrangement import Rearrangement, SplitStrategy
from aws_ml_adapter.engine.csv_data import REJECTED_LIMIT, ROW_LIMIT, DataFile, read_batches, record_row
from features.schema import AttributeType, Schema

TEXT, BINARY, NUMERIC, CATEGORICAL = AttributeType
SCHEMA = Schema(attributes=(("a", TEXT), ("b", NUMERIC)), has_header=False)
WITH_HEADER = Schema(attributes=SCHEMA.attributes)
ONE_COLUMN = Schema(attributes=(("a", TEXT),), has_header=False)


def data_file(content: bytes, *, chunk: int | None = None, name: str = "s3://bucket/data.csv") -> DataFile:
    """A file that is read in arbitrary pieces."""
    chunk = chunk or (7 if len(content) < 1_000 else 65_537)
    return DataFile(
        name=name,
        size=len(content),
        chunks=lambda: (content[i : i + chunk] for i in range(0, len(content), chunk)),
    )


def read(content: bytes, schema: Schema = SCHEMA, **options) -> list[list[str] | None]:
    return [row for batch in read_batches([data_file(content)], schema, **options) for row in batch]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b"x,1", ["x", "1"]),
        (b",", ["", ""]),
        (b" x , 1 ", [" x ", " 1 "]),
        (b'"x, y",1', ["x, y", "1"]),
        (b'"say ""x""",1', ['say "x"', "1"]),
        (b'"",""', ["", ""]),
        (b'5" pipe,1', ['5" pipe', "1"]),
        ("naïve – ✓,1".encode(), ["naïve – ✓", "1"]),
        ("a\u2028b\x85c,1".encode(), ["a\u2028b\x85c", "1"]),
        (b"caf\xe9,1", ["caf\ufffd", "1"]),
        (b"x\0y,1", ["x\0y", "1"]),
        (b"x", None),
        (b"x,1,2", None),
        (b"", None),
        (b'"x,1', None),
        (b'x,"1', None),
        (b"x\ry,1", None),
        (b'"x\ry",1', None),
    ],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_line_is_a_row_or_rejected(line, row, line_end):
    content = line_end.join([b"before,0", line, b"after,2", b""])
    assert read(content) == [["before", "0"], row, ["after", "2"]]


def test_a_quote_left_open_costs_one_row_only():
    assert read(b'a,1\n"b,2\nc,3\nd",4\ne,5\n') == [["a", "1"], None, ["c", "3"], ['d"', "4"], ["e", "5"]]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_last_line_may_do_without_an_end(end):
    assert read(b"a,1\nb,2" + end) == [["a", "1"], ["b", "2"]]


def test_blank_lines_keep_their_place_and_are_rejected():
    assert read(b"a,1\n\nb,2\n\n") == [["a", "1"], None, ["b", "2"], None]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_blank_line_of_a_single_column_is_no_row_but_an_empty_value_is(line_end):
    assert read(line_end.join([b"a", b"", b'""', b"b", b""]), ONE_COLUMN) == [["a"], None, [""], ["b"]]


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"a,b"])
def test_no_row_gives_no_batch(content):
    assert list(read_batches([data_file(content)], WITH_HEADER)) == []


@pytest.mark.parametrize(("rows", "sizes"), [(3, [3]), (4, [4]), (5, [4, 1]), (8, [4, 4])])
def test_batches_are_full_but_the_last(rows, sizes):
    batches = list(read_batches([data_file(b"a,1\n" * (rows - 1) + b"a\n")], SCHEMA, size=4))
    assert [len(batch) for batch in batches] == sizes
    assert sum(batch.count(None) for batch in batches) == 1


@pytest.mark.parametrize("header", [b"a,b", b' a ,"b"', b"A,number of b", codecs.BOM_UTF8 + b"a,b", b"a,b\r"])
def test_the_header_is_left_out_whatever_it_calls_the_columns(header):
    assert read(header + b"\nx,1\n", WITH_HEADER) == [["x", "1"]]


def test_a_byte_order_mark_without_header():
    assert read(codecs.BOM_UTF8 + b"x,1\n") == [["x", "1"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"b,a\n1,x\n", "the header has the attributes of the schema in another order"),
        (b"a,b,c\nx,1,2\n", "the header has 3 names, the schema 2 attributes"),
        (b"\nx,1\n", "the header has 0 names"),
        (b'"a,b\nx,1\n', "the header has 0 names"),
        (gzip.compress(b"a,b\nx,1\n", mtime=0), "is gzip, not CSV"),
        (b"PK\x03\x04...", "is a spreadsheet or an archive, not CSV"),
        ("a,b\nx,1\n".encode("utf-16"), "is UTF-16, not CSV"),
        (codecs.BOM_UTF16_BE + "a,b".encode("utf-16-be"), "is UTF-16, not CSV"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_by_name(content, message):
    with pytest.raises(DataFault) as caught:
        read(content, WITH_HEADER)
    assert str(caught.value).startswith(f"s3://bucket/data.csv: {message}")


@pytest.mark.parametrize("chunk", [1_000, 1_000_000])
def test_rows_at_the_limit_and_one_past_it(chunk):
    widest = b"x" * (ROW_LIMIT - 2) + b",1"
    quoted = b'"' + b"x" * (ROW_LIMIT - 4) + b'",1'
    content = b"\n".join([widest, b"x" + widest, quoted, b"x" + quoted, b"x" * 500_000, b"y,1"])
    (batch,) = read_batches([data_file(content, chunk=chunk)], SCHEMA)
    assert [row if row is None else len(row[0]) for row in batch] == [
        ROW_LIMIT - 2,
        None,
        ROW_LIMIT - 4,
        None,
        None,
        1,
    ]


def test_the_limit_is_one_of_bytes_not_characters():
    assert read("é".encode() * (ROW_LIMIT // 2 - 1) + b",1\n" + "é".encode() * (ROW_LIMIT // 2) + b",1\n")[1:] == [None]


def test_rejected_rows_at_the_limit_and_one_past_it():
    good = b"x,1\n"
    assert read(good + b"x\n" * REJECTED_LIMIT + good).count(None) == REJECTED_LIMIT
    with pytest.raises(DataFault) as caught:
        read(good + b"x\n" * (REJECTED_LIMIT + 1) + good)
    assert str(caught.value) == (
        "s3://bucket/data.csv: more than 10,000 rows were rejected: the first is row 2 ('x'), which has 1 value, "
        "the schema 2 attributes; correct the data or the schema"
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "is empty, or has an open quote"),
        (b'"x,1', "is empty, or has an open quote"),
        (b"x" * (ROW_LIMIT + 1), "has more than 102,400 bytes"),
        (b"1,2,3", "has 3 values, the schema 2 attributes"),
    ],
)
def test_the_message_says_why_the_first_row_was_rejected(line, reason):
    with pytest.raises(DataFault, match=reason):
        read(line + b"\n" + b"x\n" * REJECTED_LIMIT)


def test_only_the_rejected_rows_of_the_share_count():
    content = b"x,1\n" * 30_000 + b"xxx\n" * 30_000
    half = Rearrangement(end=50)
    assert len(read(content, rearrangement=half)) == 30_000
    with pytest.raises(DataFault):
        read(content, rearrangement=Rearrangement(begin=50))


def test_several_files_are_read_one_after_the_other_each_with_its_header():
    files = [data_file(b"a,b\nx,1\ny,2"), data_file(b""), data_file(b"a,b\nz,3\n"), data_file(b"a,b\n")]
    (batch,) = read_batches(files, WITH_HEADER)
    assert batch == [["x", "1"], ["y", "2"], ["z", "3"]]


def test_the_fault_of_a_header_names_its_file():
    files = [data_file(b"a,b\nx,1\n"), data_file(b"b,a\nx,1\n", name="s3://bucket/second.csv")]
    with pytest.raises(DataFault, match=r"^s3://bucket/second\.csv: the header"):
        list(read_batches(files, WITH_HEADER))


def test_a_sequential_share_does_not_count_the_header():
    content = b"a,b\n" + b"".join(b"%d,1\n" % i for i in range(10))
    long_header = b"a" * 100 + b",b" * 1 + content[3:]
    for part in (content, long_header):
        assert [row[0] for row in read(part, WITH_HEADER, rearrangement=Rearrangement(end=70))] == list("0123456")
        assert [row[0] for row in read(part, WITH_HEADER, rearrangement=Rearrangement(begin=70))] == list("789")


def test_a_sequential_share_runs_through_all_files():
    files = [data_file(b"%d,1\n" % i * 10) for i in range(10)]
    (batch,) = read_batches(files, SCHEMA, rearrangement=Rearrangement(begin=25, end=50))
    assert [row[0] for row in batch] == ["2"] * 5 + ["3"] * 10 + ["4"] * 10


@pytest.mark.parametrize("strategy", SplitStrategy)
def test_the_files_together_give_the_share_of_all_one_by_one(strategy):
    files = [data_file(b"n\n" + b"".join(b"%d\n" % n for n in range(i, i + 40)), name=str(i)) for i in (100, 200, 300)]
    schema = Schema(attributes=(("n", AttributeType.NUMERIC),), has_header=True)
    share = Rearrangement(begin=20, end=60, strategy=strategy)

    def rows(**only: DataFile) -> list[list[str] | None]:
        return [row for batch in read_batches(files, schema, rearrangement=share, **only) for row in batch]

    assert rows() == [row for file in files for row in rows(only=file)] != []


@given(
    st.lists(st.sampled_from([b"x,1", b'"a, b",2', b"", b"bad", b"longer value,3\r", b"y" * 300]), max_size=40),
    st.integers(1, 400),
    st.integers(1, 7),
)
@settings(max_examples=50)
def test_shares_and_chunks_never_change_lose_or_double_a_row(lines, chunk, size):
    file = data_file(b"\n".join(lines), chunk=chunk)
    whole = [row for batch in read_batches([file], SCHEMA) for row in batch]
    # an empty last line without a line feed is not a row
    assert len(whole) == len(lines) - (bool(lines) and not lines[-1])
    for strategy in SplitStrategy:
        parts = [
            [row for batch in read_batches([file], SCHEMA, rearrangement=part, size=size) for row in batch]
            for part in (
                Rearrangement(end=70, strategy=strategy, seed="s"),
                Rearrangement(end=70, strategy=strategy, seed="s", complement=True),
            )
        ]
        if strategy is SplitStrategy.SEQUENTIAL:
            assert parts[0] + parts[1] == whole
        assert sorted(map(str, parts[0] + parts[1])) == sorted(map(str, whole))


values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=12)


@given(st.lists(st.tuples(values, values, values), max_size=20), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
@settings(max_examples=50)
def test_reads_what_the_csv_module_writes(rows, quoting):
    out = io.StringIO()
    csv.writer(out, quoting=quoting).writerows(rows)
    schema = Schema(attributes=(("a", TEXT), ("b", TEXT), ("c", TEXT)), has_header=False)
    assert read(out.getvalue().encode(), schema) == [list(row) for row in rows]


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=60)
def test_whatever_comes_is_read_or_refused(content, has_header):
    try:
        rows = read(content, WITH_HEADER if has_header else SCHEMA)
    except DataFault:
        return
    assert all(row is None or len(row) == 2 for row in rows)


def test_memory_does_not_grow_with_the_data():
    line = b"some words of a text," + b"1" * 100 + b"\n"

    def peak(count: int) -> int:
        block = line * 1_000
        file = DataFile(name="d", size=len(block) * count, chunks=lambda: (block for _ in range(count)))
        tracemalloc.start()
        try:
            assert sum(len(batch) for batch in read_batches([file], SCHEMA)) == 1_000 * count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(40) < peak(10) + 100_000


def test_a_line_without_end_does_not_fill_the_memory():
    block = b"x" * 100_000
    file = DataFile(name="d", size=10**8, chunks=lambda: (block for _ in range(1_000)))
    tracemalloc.start()
    try:
        assert list(read_batches([file], SCHEMA)) == [[None]]
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_record_in_the_order_of_the_schema():
    assert record_row({"b": "1", "other": "z"}, SCHEMA) == ["", "1"]
    assert record_row({}, SCHEMA) == ["", ""]
    assert record_row({"a": "two\nlines", "b": ""}, SCHEMA) == ["two\nlines", ""]


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_record_at_the_limit_and_one_past_it(letter):
    text = letter * ((ROW_LIMIT - 2) // len(letter.encode()))
    assert record_row({"a": text, "b": "42", "other": text}, SCHEMA) == [text, "42"]
    with pytest.raises(RequestFault, match="larger than 102,400 bytes"):
        record_row({"a": text, "b": "421"}, SCHEMA)
