"""The datasource CSV: valid for Amazon ML, and read back as it was written."""

from __future__ import annotations

import csv
import json
import math
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features import datasource
from features.datasource import (
    DatasourceRow,
    datasource_schema,
    decode_text,
    encode_text,
    read_datasource,
    read_datasource_schema,
    schema_path,
    write_datasource,
)
from features.schema import AttributeType
from textclf.base.errors import BadDataError, BadInputError, OutputError

BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
INDICATORS = ("invoice_common_words", "payslip_common_words")


def row(document_id: str = "a", text: str = "Total\n12.50", **changes) -> DatasourceRow:
    parts = {
        "common_words": "invoice",
        "indicators": (True, False),
        "vector": (0.1, -1e-7, 3.0),
        "category": "invoice",
    }
    return DatasourceRow(document_id=document_id, text=text, **(parts | changes))


def write(path, rows, *, seed=0, indicators=INDICATORS, size=3):
    return write_datasource(path, rows, indicator_names=indicators, vector_size=size, seed=seed)


def in_order(rows):
    return sorted(rows, key=lambda row: row.document_id)


def test_writes_columns_schema_and_values_as_amazon_ml_takes_them(tmp_path):
    path = tmp_path / "datasource.csv"
    write(path, [row(text='He said "a, b"\nTotal')])
    assert path.read_text(encoding="utf-8") == (
        "document_id,text_data,common_words,invoice_common_words,payslip_common_words,w2v_000,w2v_001,w2v_002,category\n"
        'a,"He said ""a, b"" ␤ Total",invoice,1,0,0.1,-1e-07,3.0,invoice\n'
    )
    schema = json.loads(schema_path(path).read_text(encoding="utf-8"))
    assert schema["rowId"] == "document_id"
    assert schema["targetAttributeName"] == "category"
    assert schema["dataFileContainsHeader"] is True
    assert [(a["attributeName"], a["attributeType"]) for a in schema["attributes"]] == [
        ("document_id", "CATEGORICAL"),
        ("text_data", "TEXT"),
        ("common_words", "TEXT"),
        ("invoice_common_words", "BINARY"),
        ("payslip_common_words", "BINARY"),
        ("w2v_000", "NUMERIC"),
        ("w2v_001", "NUMERIC"),
        ("w2v_002", "NUMERIC"),
        ("category", "CATEGORICAL"),
    ]


anything = st.text(st.characters() | st.sampled_from(BREAKS + '␤␛ ",0A\0\ud800'), max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False)
rows_of_anything = st.lists(
    st.builds(
        DatasourceRow,
        document_id=anything,
        text=anything,
        common_words=anything,
        indicators=st.tuples(st.booleans(), st.booleans()),
        vector=st.tuples(numbers, numbers | st.floats(width=32, allow_nan=False, allow_infinity=False), numbers),
        category=anything,
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row.document_id,
)


@given(rows_of_anything)
@settings(max_examples=50)
def test_reading_back_gives_the_same_values(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    assert write(path, rows).shortened == ()
    assert in_order(read_datasource(path)) == in_order(rows)
    content = path.read_text(encoding="utf-8")
    assert len(content.splitlines()) == content.count("\n") == len(rows) + 1


@given(anything)
@example("␤")
@example(" ␤ ")
@example("␛2424")
@example("\n\n \n")
@example("\r\n")
@settings(max_examples=100)
def test_any_text_stands_on_one_line_and_comes_back(text):
    encoded = encode_text(text)
    assert decode_text(encoded) == text
    assert len(encoded.splitlines()) <= 1
    assert "\0" not in encoded
    encoded.encode()


def test_a_line_feed_is_a_token_between_blanks():
    assert encode_text("a\nb\n\nc") == "a ␤ b ␤  ␤ c"
    assert encode_text("a\nb").split() == ["a", "␤", "b"]


def test_a_value_whose_ends_a_spreadsheet_stripped_still_reads():
    assert decode_text("␤ a ␤") == "\na\n"


@pytest.mark.parametrize("text", ["x" * 200_000, "però € 𝄞 " * 20_000, '"' * 120_000, "line\n" * 40_000, "␤" * 30_000])
def test_a_row_over_100_kb_loses_the_middle_of_its_text(tmp_path, text):
    path = tmp_path / "datasource.csv"
    summary = write(path, [row("long", "Head\n" + text + "\nTail"), row("short")])
    assert summary.rows == 2
    assert summary.shortened == ("long",)
    lines = path.read_bytes().split(b"\n")
    assert 99_900 < max(map(len, lines)) + 1 <= datasource.ROW_LIMIT
    long, short = in_order(read_datasource(path))
    assert short == row("short")
    head, tail = long.text.split("\n[…]\n")
    assert long.text.startswith("Head\n")
    assert long.text.endswith("\nTail")
    assert 0 <= len(head) - len(tail) <= 1
    assert ("Head\n" + text + "\nTail").startswith(head)
    assert ("Head\n" + text + "\nTail").endswith(tail)


def test_a_row_of_100_kb_is_whole_and_one_byte_more_is_shortened(tmp_path):
    path = tmp_path / "datasource.csv"
    write(path, [row(text="")])
    rest = len(path.read_bytes().split(b"\n")[1]) + 1
    assert write(path, [row(text="x" * (datasource.ROW_LIMIT - rest))]).shortened == ()
    assert len(path.read_bytes().split(b"\n")[1]) + 1 == datasource.ROW_LIMIT
    assert write(path, [row(text="x" * (datasource.ROW_LIMIT - rest + 1))]).shortened == ("a",)


def test_a_row_over_100_kb_without_its_text_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(BadDataError, match="over 100,000 bytes even without its text"):
        write(tmp_path / "datasource.csv", [row(common_words="x" * 100_000)])
    assert list(tmp_path.iterdir()) == []


def test_the_order_comes_from_the_seed_alone(tmp_path):
    rows = [row(f"{i:02}") for i in range(30)]

    def written(seed):
        path = tmp_path / f"{seed}.csv"
        write(path, rows, seed=seed)
        return path.read_bytes()

    assert written(1) == written(1)
    assert written(1) != written(2)
    # frozen: another order would change the bytes of every datasource made before
    assert [line[:2] for line in written(0).decode().splitlines()[1:6]] == ["25", "15", "03", "12", "07"]


def test_rows_may_be_made_one_by_one(tmp_path):
    class Rows(Sequence):
        def __len__(self):
            return 400

        def __getitem__(self, index):
            return row(str(index), text="word " * 4_000)

    tracemalloc.start()
    write(tmp_path / "datasource.csv", Rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000 < (tmp_path / "datasource.csv").stat().st_size


@pytest.mark.parametrize(
    "wrong",
    [
        {"indicators": (True,)},
        {"vector": (0.0,) * 4},
        {"vector": (0.0, 0.0, math.nan)},
        {"vector": (0.0, 0.0, math.inf)},
    ],
)
def test_rows_that_do_not_fit_the_columns_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError):
        write(tmp_path / "datasource.csv", [row(**wrong)])
    assert list(tmp_path.iterdir()) == []


def test_a_thousand_columns_and_one_more(tmp_path):
    assert len(datasource_schema(INDICATORS, 994).names) == 1_000
    with pytest.raises(BadDataError, match="1,001 attributes"):
        write(tmp_path / "datasource.csv", [], size=995)


def test_the_schema_tells_indicators_and_vector(tmp_path):
    path = tmp_path / "datasource.csv"
    write(path, [row()])
    kinds = [kind for _, kind in read_datasource_schema(path).attributes]
    assert (kinds.count(AttributeType.BINARY), kinds.count(AttributeType.NUMERIC)) == (2, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("12.50", "12.50\nmore", "line 2: row has 2 cells, the header has 9; write it again with textclf prepare"),
        (",1,0,", ",1,2,", "line 2: '2' in column 'payslip_common_words' is not BINARY"),
        (",0.1,", ",a lot,", "line 2: 'a lot' in column 'w2v_000' is not NUMERIC"),
        (",0.1,", ",nan,", "line 2: 'nan' in column 'w2v_000' is not NUMERIC"),
        ("w2v_002", "w2v_003", "no column 'w2v_002'"),
        ("w2v_000,w2v_001", "w2v_001,w2v_000", "the columns are not those of the schema"),
    ],
)
def test_a_file_that_does_not_fit_its_schema_is_refused(tmp_path, old, new, message):
    path = tmp_path / "datasource.csv"
    write(path, [row()])
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(BadDataError, match=message):
        list(read_datasource(path))


def test_a_schema_that_is_missing_or_another_is_refused(tmp_path):
    path = tmp_path / "datasource.csv"
    write(path, [row()])
    beside = schema_path(path)
    whole = beside.read_text(encoding="utf-8")
    for content in (whole.replace("text_data", "body"), whole.replace('"rowId": "document_id"', '"rowId": null'), "{}"):
        beside.write_text(content, encoding="utf-8")
        with pytest.raises(BadDataError, match=r"datasource\.csv\.schema: "):
            list(read_datasource(path))
    beside.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(BadDataError, match="is not UTF-8"):
        list(read_datasource(path))
    beside.unlink()
    with pytest.raises(BadInputError, match="no such file or directory"):
        list(read_datasource(path))


def test_an_interrupted_write_leaves_the_old_pair(tmp_path):
    path = tmp_path / "datasource.csv"
    write(path, [row()])
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}

    class Interrupted(Sequence):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(path, Interrupted(), size=1)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before
    with pytest.raises(OutputError):
        write(tmp_path, [row()])


def test_the_csv_module_reads_one_row_a_line(tmp_path):
    path = tmp_path / "datasource.csv"
    write(path, [row(str(i), text=f"a{BREAKS}b, {i}") for i in range(5)])
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        assert len(list(reader)) == reader.line_num == 6
