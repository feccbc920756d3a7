"""Reading CSV files in any state, and writing them."""

from __future__ import annotations

import csv
import os
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textclf.base import tables as csv_files
from textclf.base.errors import BadDataError, BadInputError, OutputError, UsageError
from textclf.base.tables import Row, read_rows, safe_cell, write_rows


@pytest.fixture
def save(tmp_path):
    def _save(content: bytes | str, name: str = "documents.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _save


def rows(path: Path, *required: str, **options) -> list[Row]:
    return list(read_rows(path, required=required or ("text",), **options))


def test_reads_rows_with_their_line_numbers(save):
    path = save('id,text\r\n1,"a\nb, ""c"""\r\n\r\n2,d')
    assert rows(path) == [
        Row(line=2, values={"id": "1", "text": 'a\nb, "c"'}),
        Row(line=5, values={"id": "2", "text": "d"}),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_byte_order_mark_tells_the_encoding(save, encoding):
    mark = "" if encoding in ("utf-8-sig", "utf-16", "utf-32") else "\ufeff"
    path = save(f'{mark}"text"\nSocietà € 𝄞\n'.encode(encoding))
    assert [row.values for row in rows(path)] == [{"text": "Società € 𝄞"}]


@pytest.mark.parametrize("before", [0, 1, 5_000, 20_000])
def test_bytes_of_another_encoding_name_the_line_and_the_remedy(save, before):
    path = save(b"text\n" + b"fine\n" * before + "perché\n".encode("latin-1") + b"fine\n" * 5)
    with pytest.raises(BadDataError, match=rf"line {before + 2} is not utf-8; .*--encoding cp1252"):
        rows(path, encoding="utf-8")
    assert rows(path, encoding="latin-1")[before].values == {"text": "perché"}
    assert rows(path)[before].values == {"text": "perché"}


def test_a_file_without_the_mark_its_encoding_asks_for_is_refused(save):
    with pytest.raises(BadDataError, match=r"line 1 is not utf-16; .*--encoding utf-8"):
        rows(save("text\na\n"), encoding="utf-16")


def test_an_unknown_encoding_is_a_usage_error(save):
    with pytest.raises(UsageError, match="no encoding 'klingon'"):
        rows(save("text\na\n"), encoding="klingon")


def test_nuls_are_removed_and_the_row_says_so(save):
    found = rows(save(b"id,text\n1,a\0b\n2,c\n"))
    assert [(row.values["text"], row.note) for row in found] == [("ab", "NUL characters removed"), ("c", "")]


def test_ragged_rows_are_marked_and_keep_their_line(save):
    found = rows(save("id,text,category\n1,a\n2,b,c\n3,d,e,f\n"))
    assert [row.error for row in found] == [
        "row has 2 cells, the header has 3",
        "",
        "row has 4 cells, the header has 3",
    ]
    assert [row.values["id"] for row in found] == ["1", "2", "3"]
    assert found[0].values["category"] == ""


@pytest.mark.parametrize(("length", "cut"), [(99, False), (100, False), (101, True)])
def test_a_cell_over_the_limit_is_cut_and_marked(save, length, cut):
    (row,) = rows(save(f"text\n{'x' * length}\n"), cell_limit=100)
    assert row.cut is cut
    assert len(row.values["text"]) == min(length, 100)
    assert row.note == ("'text' cut to 100 characters" if cut else "")


def test_a_cell_of_5_megabytes_costs_no_more_than_its_end(save):
    (first, second) = rows(save(f'text\n"{"word " * 1_000_000}"\nnext\n'))
    assert first.cut
    assert len(first.values["text"]) == csv_files.CELL_LIMIT
    assert second.values == {"text": "next"}


def test_a_row_at_the_limit_is_read_and_one_past_it_refused(save, monkeypatch):
    monkeypatch.setattr(csv_files, "_ROW_LIMIT", 100)
    assert len(rows(save("text\n" + "x" * 99 + "\n" + "y" * 99 + "\n"))) == 2
    with pytest.raises(BadDataError, match="row that begins on line 3 has more than 100 characters; look for a quote"):
        rows(save("text\nfine\n" + "x" * 100 + "\n"))


def test_an_open_quote_in_a_long_file_is_found_before_it_fills_the_memory(save, monkeypatch):
    monkeypatch.setattr(csv_files, "_ROW_LIMIT", 10_000)
    path = save("id,text\n1,fine\n" + '2,"open\n' + "3,swallowed\n" * 100_000)
    with pytest.raises(BadDataError, match=r"row that begins on line 3 .*look for a quote"):
        rows(path)


@pytest.mark.parametrize("tail", ['"', '"open', '"open\n3,swallowed\n', '"open""\n'])
def test_an_open_quote_at_the_end_is_an_error_not_a_long_cell(save, tail):
    with pytest.raises(BadDataError, match="a quote in the row that begins on line 3 is never closed"):
        rows(save(f"id,text\n1,fine\n2,{tail}"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; give a CSV file with the columns text"),
        ("\n\n", "is empty"),
        (",,\n1,2,3\n", "is empty"),
        ("id,text\n", "has a header and no row below it"),
        ("text,id,text\n1,2,3\n", "has two columns 'text'"),
        ("id,body\n1,a\n", r"has no column 'text' \(found: id, body\)"),
        ("id;body\n1;a\n", r"has no column 'text' \(found: id, body\)"),
        ("sep=;\n", "is empty"),
        (b"PK\x03\x04 and so on", "is a spreadsheet or an archive"),
        (",".join(f"c{i}" for i in range(10_001)), "has 10,001 columns"),
    ],
)
def test_a_file_that_does_not_do_says_why_in_one_line(save, content, message):
    with pytest.raises(BadDataError, match=message) as caught:
        rows(save(content))
    assert "documents.csv: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ten_thousand_columns_are_read(save):
    names = [f"c{i}" for i in range(9_999)]
    (row,) = rows(save(",".join(["text", *names]) + "\n" + "x" + "," * 9_999 + "\n"))
    assert row.values["text"] == "x"


def test_columns_without_a_name_are_left_out(save):
    (row,) = rows(save(",text,,\n0,a,,\n"))
    assert row == Row(line=2, values={"text": "a"})


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_header_tells_what_separates_the_cells(save, separator):
    path = save(f'id{separator}text{separator}price\n1{separator}"two{separator}\nlines"{separator}"12,50"\n')
    assert [row.values for row in rows(path)] == [{"id": "1", "text": f"two{separator}\nlines", "price": "12,50"}]


def test_a_separator_in_the_names_or_in_the_cells_misleads_nobody(save):
    assert rows(save("id;text\n1;a,b,c\n"))[0].values == {"id": "1", "text": "a,b,c"}
    assert rows(save("text;raw,text\na,b\n"), "text;raw")[0].values == {"text;raw": "a", "text": "b"}


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n", "\ufeffsep=;\n"])
def test_the_line_that_excel_states_the_separator_in_is_no_header(save, first):
    (row,) = rows(save(first + "text;price\na;12,50\n"))
    assert row == Row(line=3, values={"text": "a", "price": "12,50"})


def test_empty_columns_and_lines_as_spreadsheets_append_them_do_not_count(save):
    found = rows(save("id;text;;\n1;a;;\n2;b\n3;c;;;;\n;;;\n;;;\n"))
    assert [(row.values["id"], row.error) for row in found] == [("1", ""), ("2", ""), ("3", "")]


def test_lines_may_end_in_carriage_returns_alone(save):
    found = rows(save('id,text\r1,a\r2,"b\rc"\r'))
    assert [row.values["text"] for row in found] == ["a", "b\rc"]


def test_names_may_stand_between_blanks(save):
    assert rows(save("id, text \n1,a\n"))[0].values == {"id": "1", "text": "a"}


def test_what_is_no_readable_file_is_bad_input(save, tmp_path):
    with pytest.raises(BadInputError, match="no such file"):
        rows(tmp_path / "missing.csv")
    with pytest.raises(BadInputError, match="is a directory"):
        rows(tmp_path)
    path = save("text\na\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(BadInputError, match="permission denied"):
        rows(path)


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write("id,text\n")
            file.writelines(f"{i},some words of document {i}\n" for i in range(count))
        tracemalloc.start()
        assert sum(1 for _ in read_rows(path, required=["text"])) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak(20_000) < peak(200) + 100_000


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_give_rows_or_one_of_our_errors(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"text,id\n" + content)
    # any other exception fails the test
    with suppress(BadDataError):
        for row in read_rows(path, required=["text"]):
            assert set(row.values) == {"text", "id"}


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


record = st.fixed_dictionaries({"id": text, "text": text}).filter(lambda cells: any(cells.values()))


@given(st.lists(record, min_size=1, max_size=5))
@settings(max_examples=50)
def test_what_is_written_is_read_again(tmp_path_factory, records):
    path = tmp_path_factory.getbasetemp() / "round.csv"
    assert write_rows(path, ["id", "text"], records, formulas_safe=False) == len(records)
    assert [row.values for row in rows(path)] == records


cell = st.text("'=+-@\t\r1.e a,\n", max_size=6)


@given(
    st.lists(st.fixed_dictionaries({"id": cell, "text": cell}).filter(lambda cells: any(cells.values())), min_size=1)
)
@example([{"id": value, "text": "x"} for value in ("=1", "'=1", "''=1", "'", "-1", "'-1", "'a")])
def test_what_is_made_safe_from_formulas_is_read_as_it_was(tmp_path_factory, records):
    path = tmp_path_factory.getbasetemp() / "safe.csv"
    write_rows(path, ["id", "text"], records, formulas_safe=True)
    assert [row.values for row in read_rows(path, required=["id"], formulas_safe=True)] == records


@pytest.mark.parametrize("value", ["=1+1", "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\tx", "\rx", "=", "--1", "1e5-"])
def test_cells_a_spreadsheet_would_run_become_text(value):
    assert safe_cell(value) == (value if value[0].isdigit() else f"'{value}")


@pytest.mark.parametrize("value", ["", "-1", "+0.5", "-1e-05", "-.5", "plain", "a=b", "'plain", "1+1"])
def test_numbers_and_plain_text_stay(value):
    assert safe_cell(value) == value


def test_tables_for_people_are_formula_safe_and_others_are_not(tmp_path):
    record = {"id": "=1+1", "score": -0.25, "rest": None}
    path = tmp_path / "table.csv"
    write_rows(path, ["id", "score", "rest"], [record], formulas_safe=True)
    assert path.read_bytes() == b"id,score,rest\n'=1+1,-0.25,\n"
    write_rows(path, ["id", "score", "rest"], [record], formulas_safe=False)
    assert path.read_bytes() == b"id,score,rest\n=1+1,-0.25,\n"


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def broken():
        yield {"id": "1"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(path, ["id"], broken(), formulas_safe=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_text() == "old"
    with pytest.raises(OutputError):
        write_rows(tmp_path, ["id"], [], formulas_safe=True)


def test_other_csv_readers_agree(tmp_path):
    path = tmp_path / "table.csv"
    record = {"id": 'a "quoted", one', "text": "line\rline\nline"}
    write_rows(path, ["id", "text"], [record], formulas_safe=False)
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [record]
