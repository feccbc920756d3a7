from __future__ import annotations

import csv
import os

import pytest

from features.datasource import DatasourceRow, write_datasource
from ocr.documents import Document, Page, Word
from textclf.documents import (
    TableOptions,
    check_folder,
    read_documents,
    read_labelled,
    read_labels,
    text_files,
    write_documents,
)
from textclf.errors import BadDataError, BadInputError, UsageError


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
    assert read_labelled(path, options) == (["7"], ["total"], ["x"], [""])


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
    assert read_labelled(path) == (["a", "b"], ["one", "two"], ["x", "y"], ["", ""])


def test_rows_without_a_category_are_left_out_and_counted(path, table):
    table(path, [("a", "one", "x"), ("b", "two", " "), ("b", "three", "")])
    told: list[str] = []
    assert read_labelled(path, warn=told.append).document_ids == ["a"]
    assert told == [f"{path}: 2 of 3 documents have no category and were left out"]


def test_an_id_that_stands_twice_is_refused_with_both_lines(path, table):
    table(path, [("a", "one", "x"), ("b", "two\nlines", "x"), ("a", "three", "y")])
    with pytest.raises(BadDataError, match="'a' stands in lines 2 and 5"):
        read_labelled(path)


def test_a_ragged_row_is_refused_for_learning_and_marked_for_predicting(path):
    path.write_text("document_id,text,category\n1,total,due,invoice\n2,dear\n3,x,y\n")
    with pytest.raises(BadDataError, match="line 2: row has 4 cells"):
        read_labelled(path)
    assert [bool(document.error) for document in read_documents(path)] == [True, True, False]


def test_a_datasource_is_read_with_its_texts_as_they_were(datasource):
    assert read_labelled(datasource) == (["a", "b"], ["total", "two\nlines"], ["invoice", "letter"], ["", ""])


def test_a_datasource_takes_no_conditions(datasource):
    with pytest.raises(UsageError, match="no conditions"):
        list(read_documents(datasource, TableOptions(where=("split=train",))))


def test_a_datasource_that_does_not_fit_its_schema_is_refused(datasource):
    datasource.write_text(datasource.read_text().replace("common_words", "colour"))
    with pytest.raises(BadDataError, match="common_words"):
        list(read_documents(datasource))


def test_labels_are_found_beside_their_file(tmp_path, table):
    path = table(tmp_path / "labels.csv", [("scans/a.png", "x"), ("./scans/../b.pdf", "y")], ("file", "category"))
    labels = read_labels(path)
    assert labels[(tmp_path / "scans" / "a.png").resolve()]["category"] == "x"
    assert labels[(tmp_path / "b.pdf").resolve()]["category"] == "y"


def test_a_file_with_two_labels_is_refused(tmp_path, table):
    path = table(tmp_path / "labels.csv", [("a.png", "x"), ("./a.png", "y")], ("file", "category"))
    with pytest.raises(BadDataError, match=r"line 3.*twice"):
        read_labels(path)
    (tmp_path / "ragged.csv").write_text("file,category\na.png\n")
    with pytest.raises(BadDataError, match="line 2"):
        read_labels(tmp_path / "ragged.csv")


WORDS = (Word(text="total", confidence=91.25, box=(0, 0, 1, 1), line=0),)


def test_what_was_read_is_written_with_its_label_and_read_again(tmp_path, path, table, read_table):
    read = Document(
        document_id="in/a.png",
        file=str(tmp_path / "in" / "a.png"),
        pages=(
            Page(number=1, text='line,\n"two"', raw_text="x", words=WORDS, confidence=91.25, engine="tesserocr 5.5.0"),
        ),
        page_count=1,
        seconds=1.234,
    )
    bad = Document(document_id="bad.pdf", file=str(tmp_path / "bad.pdf"), status="failed", error="is encrypted")
    rows = [("in/a.png", "invoice", "train", "ignored")]
    labels = read_labels(table(tmp_path / "labels.csv", rows, ("file", "category", "split", "status")))
    write_documents(path, iter([read, bad]), labels=labels)
    first, second = read_table(path)
    assert list(first) == [
        *("document_id", "text", "category", "file", "pages", "ocr_confidence", "ocr_confidence_low"),
        *("ocr_engine", "status", "error", "seconds", "split"),
    ]
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


def test_the_first_folder_is_the_category(path, read_table):
    documents = [Document(document_id=name) for name in ("invoice/2024/a.png", "letter/b.png", "c.png")]
    write_documents(path, documents, from_folders=True)
    assert [row["category"] for row in read_table(path)] == ["invoice", "letter", ""]


def test_folders_of_texts_are_read_in_order(tmp_path):
    for name in ("b/2.txt", "b/deep/1.TXT", "a/x.txt", "a/.hidden.txt", "a/.folder/y.txt", ".git/z.txt", "a/y.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\xef\xbb\xbftext of " + name.encode())
    assert list(text_files(check_folder(tmp_path))) == [
        ("a/x.txt", "text of a/x.txt", "a"),
        ("b/2.txt", "text of b/2.txt", "b"),
        ("b/deep/1.TXT", "text of b/deep/1.TXT", "b"),
    ]


def test_no_text_outside_the_folder_is_read(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "tree" / "a").mkdir(parents=True)
    (tmp_path / "tree" / "a" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "tree" / "a" / "own.txt").write_bytes(b"caff\xe8")
    assert list(text_files(check_folder(tmp_path / "tree"))) == [("a/own.txt", "caff\ufffd", "a")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_text_that_may_not_be_read_is_an_error_with_its_name(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").touch(mode=0)
    with pytest.raises(BadInputError, match=r"x\.txt"):
        list(text_files(check_folder(tmp_path)))


def test_a_folder_without_folders_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="no folder per category"):
        check_folder(tmp_path)


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
