from __future__ import annotations

import csv
import os

import pytest

from features.datasource import DatasourceRow, write_datasource
from ocr.document import Document, Page, Word
from textclf.base.errors import BadDataError, BadInputError, UsageError
from textclf.data.scans import write_documents
from textclf.data.sources import TableOptions, read_documents, read_labelled


@pytest.fixture
def path(tmp_path):
    return tmp_path / "documents.csv"


@pytest.fixture
def datasource(tmp_path):
    rows = [
        DatasourceRow(document_id="b", text="two\nlines", category="letter"),
        DatasourceRow(document_id="a", text="total", category="invoice"),
    ]
    write_datasource(tmp_path / "datasource.csv", rows, indicator_names=[], vector_size=0, seed=1)
    return tmp_path / "datasource.csv"


def test_rows_come_in_order_with_all_their_columns(path, table):
    table(
        path, [("2", "total", "x", "train"), ("1", "dear", "y", "test")], ("document_id", "text", "category", "split")
    )
    first, second = read_documents(path)
    assert (first.document_id, first.text, first.category, first.line) == ("2", "total", "x", 2)
    assert second.values == {"document_id": "1", "text": "dear", "category": "y", "split": "test"}


def test_columns_may_have_other_names(path, table):
    table(path, [("7", "total", "x")], ("nr", "body", "kind"))
    options = TableOptions(id_column="nr", text_column="body", category_column="kind")
    assert read_labelled(path, options) == (["7"], ["total"], ["x"], [""], [""], [], [])


@pytest.mark.parametrize("missing", ["document_id", "text", "category"])
def test_a_column_that_is_missing_is_named_with_those_that_are_there(path, table, missing):
    names = [name for name in ("document_id", "text", "category") if name != missing]
    table(path, [("1", "x")], names)
    with pytest.raises(BadDataError, match=f"no column '{missing}'.*{names[1]}"):
        list(read_documents(path, need_category=True))


def test_without_categories_texts_can_still_be_read(path, table):
    table(path, [("1", "x")], ("document_id", "text"))
    assert [document.category for document in read_documents(path)] == [""]


def test_conditions_choose_rows(path, table):
    rows = [("1", "a", "x", "train"), ("2", "b", "y", "test"), ("3", "c", "y", "train")]
    table(path, rows, ("document_id", "text", "category", "split"))
    assert read_labelled(path, TableOptions(where=("split=train",))).document_ids == ["1", "3"]
    assert read_labelled(path, TableOptions(where=("split=train", "category=y"))).document_ids == ["3"]
    with pytest.raises(BadDataError, match="no row with a category"):
        read_labelled(path, TableOptions(where=("split=none",)))
    with pytest.raises(BadDataError, match="no column 'colour'"):
        list(read_documents(path, TableOptions(where=("colour=red",))))


def test_a_condition_may_hold_an_equals_sign_and_an_empty_value(path, table):
    table(path, [("1", "a=b", "x"), ("2", "", "x")])
    assert [document.document_id for document in read_documents(path, TableOptions(where=("text=a=b",)))] == ["1"]
    assert [document.document_id for document in read_documents(path, TableOptions(where=("text=",)))] == ["2"]


@pytest.mark.parametrize("condition", ["", "split", "=train"])
def test_what_is_no_condition_is_refused(condition):
    with pytest.raises(UsageError, match="column=value"):
        TableOptions(where=(condition,))


def test_what_is_learned_from_is_sorted_and_trimmed(path, table):
    table(path, [("b", "two", " y "), ("a", "one", "x")])
    assert read_labelled(path) == (["a", "b"], ["one", "two"], ["x", "y"], ["", ""], ["", ""], [], [])


def test_rows_without_a_category_are_left_out_and_counted(path, table, caplog):
    table(path, [("a", "one", "x"), ("b", "two", " "), ("b", "three", "")])
    assert read_labelled(path).document_ids == ["a"]
    assert caplog.messages == [f"{path}: 2 of 3 documents have no category and were left out"]


def test_the_texts_of_rows_without_a_category_are_given_to_those_who_ask(path, table, caplog):
    table(path, [("a", "one", "x"), ("b", "two", " "), ("b", "three", ""), ("c", "", "")])
    labelled = read_labelled(path, keep_unlabelled=True)
    assert (labelled.document_ids, labelled.unlabelled) == (["a"], ["two", "three"])
    assert caplog.messages == [f"{path}: 1 of 4 documents have neither category nor text and were left out"]


def test_documents_of_none_of_the_categories_stand_by_themselves_however_that_is_written(path, table, caplog):
    table(path, [("c", "three", " None of these"), ("b", "two", "none_of_these"), ("a", "one", "x")])
    labelled = read_labelled(path)
    assert (labelled.document_ids, labelled.none_of_these) == (["a"], [("b", "two"), ("c", "three")])
    assert labelled.with_none_of_these().categories == ["x", "none of these", "none of these"]
    assert not caplog.messages


def test_an_id_that_stands_twice_is_refused_with_both_lines(path, table):
    table(path, [("a", "one", "x"), ("b", "two\nlines", "x"), ("a", "three", "y")])
    with pytest.raises(BadDataError, match="two documents have document_id 'a', in lines 2 and 5"):
        read_labelled(path)


def test_an_id_of_two_documents_without_lines_is_refused_too(tmp_path):
    rows = [DatasourceRow(document_id="a", text=text, category="letter") for text in ("one", "two")]
    write_datasource(tmp_path / "datasource.csv", rows, indicator_names=[], vector_size=0, seed=1)
    with pytest.raises(BadDataError, match="two documents have document_id 'a'; give each document a unique id"):
        read_labelled(tmp_path)


def test_a_ragged_row_is_refused_for_learning_and_marked_for_predicting(path):
    path.write_text("document_id,text,category\n1,total,due,invoice\n2,dear\n3,x,y\n")
    with pytest.raises(BadDataError, match="line 2: row has 4 cells"):
        read_labelled(path)
    assert [bool(document.error) for document in read_documents(path)] == [True, True, False]


def test_a_datasource_is_read_with_its_texts_as_they_were(datasource):
    assert read_labelled(datasource) == (
        ["a", "b"],
        ["total", "two\nlines"],
        ["invoice", "letter"],
        ["", ""],
        ["", ""],
        [],
        [],
    )


def test_a_datasource_takes_no_conditions(datasource):
    with pytest.raises(UsageError, match="no conditions"):
        list(read_documents(datasource, TableOptions(where=("split=train",))))


def test_a_datasource_that_does_not_fit_its_schema_is_refused(datasource):
    datasource.write_text(datasource.read_text().replace("common_words", "colour"))
    with pytest.raises(BadDataError, match="common_words"):
        list(read_documents(datasource))


WORDS = (Word(text="total", confidence=91.25, box=(0, 0, 1, 1), line=0),)


def test_what_was_read_is_written_with_its_label_and_read_again(tmp_path, path, table, read_table):
    read = Document(
        document_id="in/a.png",
        file=str(tmp_path / "in" / "a.png"),
        pages=(
            Page(number=1, text='line,\n"two"', raw_text="x", words=WORDS, confidence=91.25, engine="tesserocr 5.5.0"),
        ),
        sha256="ab12",
        page_count=1,
        seconds=1.234,
    )
    bad = Document(document_id="bad.pdf", file=str(tmp_path / "bad.pdf"), status="failed", error="is encrypted")
    labels = {"in/a.png": {"file": "in/a.png", "category": "invoice", "split": "train", "status": "ignored"}}
    write_documents(path, iter([read, bad]), labels=labels)
    first, second = read_table(path)
    assert list(first) == [
        *("document_id", "text", "category", "file", "path", "sha256", "pages"),
        *("ocr_confidence", "ocr_confidence_low", "ocr_engine", "status", "error", "seconds", "page_look", "split"),
    ]
    assert (first["path"], first["sha256"]) == (str(tmp_path / "in" / "a.png"), "ab12")
    assert (first["category"], first["split"], first["pages"], first["ocr_confidence"]) == (
        "invoice",
        "train",
        "1",
        "91.2",
    )
    assert (second["category"], second["split"], second["status"]) == ("", "", "failed")
    assert second["error"] == "is encrypted"
    assert [document.text for document in read_documents(path)] == ['line,\n"two"', ""]
    assert [document.ocr_engine for document in read_documents(path)] == ["tesserocr 5.5.0", ""]


def test_a_file_name_that_is_no_text_can_be_written(path, read_table):
    write_documents(path, [Document(document_id="a", file=os.fsdecode(b"/in/perch\xe8.png"))])
    (row,) = read_table(path)
    assert row["file"] == row["path"] == "/in/perch\\xe8.png"


def test_texts_are_read_in_any_encoding_and_that_is_told(tmp_path, caplog):
    texts = {"a": "perchè è così", "b": "già", "c": "città", "d": "plain"}
    for (name, text), encoding in zip(texts.items(), ("utf-16", "cp1252", "utf-8-sig", "ascii"), strict=True):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{name}.txt").write_bytes(text.encode(encoding))
    (tmp_path / "in" / "e.txt").symlink_to("nowhere.txt")
    found = {document.document_id: document.text for document in read_documents(tmp_path)}
    assert found == {f"in/{name}.txt": text for name, text in texts.items()}
    assert caplog.messages[1:] == [
        "1 of 4 .txt files are not UTF-8 and were read as utf-16",
        "1 of 4 .txt files are not UTF-8 and were read as cp1252",
    ]


def test_a_text_that_cannot_be_read_is_left_out_and_told(tmp_path, caplog):
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("Dear Madam")
    documents = read_documents(tmp_path)
    assert next(documents).document_id == "a.txt"
    (tmp_path / "b.txt").unlink()
    assert [document.document_id for document in documents] == ["c.txt"]
    assert caplog.messages == ["b.txt: cannot be read (no such file or directory) and was left out"]


def test_changed_rows_are_told_once_for_each_change(path, caplog):
    path.write_bytes(b"document_id,text\n" + b"1,a\0b\n" * 300 + b"2," + b"x" * 1_000_001 + b"\n")
    assert len(list(read_documents(path))) == 301
    assert caplog.messages == [
        f"{path}: NUL characters removed in 300 rows, first in line 2",
        f"{path}: 'text' cut to 1,000,000 characters in 1 row, first in line 302",
    ]


def test_a_folder_without_folders_is_refused(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(BadInputError, match="no folder per category"):
        list(read_documents(tmp_path, need_category=True))


def test_documents_are_read_one_at_a_time(path):
    def rows():
        yield ["document_id", "text"]
        for number in range(50):
            yield [str(number), "x" * 100_000]

    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows())
    import tracemalloc

    tracemalloc.start()
    for _ in read_documents(path):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
