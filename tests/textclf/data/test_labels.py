"""Labels of a file or of folders, and the scans they are meant for."""

from __future__ import annotations

import unicodedata

import pytest

from ocr.file_search import FoundFile, find_documents
from textclf.base.errors import BadDataError
from textclf.data.labels import labels_by_folder, read_labels


@pytest.fixture
def matched(tmp_path, table, caplog):
    """Makes files, matches a labels file of two columns with them, and gives categories by id and what was said."""

    def match(files, *rows):
        for name in files:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"x")
        path = table(tmp_path / "labels.csv", rows, ("file", "category"))
        caplog.clear()
        labels = read_labels(path, find_documents([tmp_path / "in"]))
        return {name: label["category"] for name, label in labels.items()}, [
            line.removeprefix(f"{path}: ") for line in caplog.messages
        ]

    return match


def test_a_row_means_the_file_of_its_path(matched):
    found = matched(["in/a.png", "in/sub/b.pdf"], ("in/a.png", "x"), ("./in/sub/../sub/b.pdf", "y"))
    assert found == ({"a.png": "x", "sub/b.pdf": "y"}, [])


def test_a_path_may_also_be_that_from_the_working_folder(matched, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert matched(["in/a.png", "in/b.png"], ("../in/a.png", "x"), ("in/b.png", "y")) == (
        {"a.png": "x", "b.png": "y"},
        [],
    )


def test_a_link_to_a_file_is_that_file(matched, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "folder").symlink_to("in")
    assert matched(["in/a.png"], ("folder/a.png", "x"))[0] == {"a.png": "x"}


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("sub/a.png", "in\\sub\\a.png"),
        ("B.png", "in/b.png"),
        ("b.png", "IN/B.PNG"),
        ("caffè.png", unicodedata.normalize("NFD", "in/caffè.png")),
        (unicodedata.normalize("NFD", "caffè.png"), "in/caffè.png"),
        ("a.png", " in/a.png "),
    ],
)
def test_near_names_are_matched_and_told(matched, name, row):
    labels, told = matched([f"in/{name}"], (row, "x"))
    assert labels == {name: "x"}
    assert told == [f"rows matched, though slashes, case or accents differ (1): {row} (line 2)"]


def test_a_near_name_of_two_files_is_not_guessed(matched):
    labels, told = matched(["in/b.png", "in/B.png"], ("in/b.PNG", "x"))
    assert labels == {}
    assert told == [
        "rows left out, as the files or rows that match differ only in slashes, case or accents (1): in/b.PNG (line 2)",
        "2 of 2 documents are not listed there and get no category",
    ]
    # the very name goes before a near one
    assert matched([], ("in/b.png", "x"), ("in/B.png", "y")) == ({"b.png": "x", "B.png": "y"}, [])


def test_rows_that_fit_nothing_are_counted_and_the_first_named(matched):
    labels, told = matched(["in/a.png"], ("in/a.png", "x"), *((f"in/none-{n}.png", "y") for n in range(7)))
    assert labels == {"a.png": "x"}
    named = ", ".join(f"in/none-{n}.png (line {n + 3})" for n in range(5))
    assert told == [f"rows left out, as they match no file that is read (7): {named}, …"]


def test_a_file_with_two_labels_is_refused(tmp_path, table):
    path = table(tmp_path / "labels.csv", [("a.png", "x"), ("./a.png", "y")], ("file", "category"))
    with pytest.raises(BadDataError, match=r"'./a.png' is in lines 2 and 3"):
        read_labels(path, [])
    (tmp_path / "ragged.csv").write_text("file,category\na.png\n")
    with pytest.raises(BadDataError, match="line 2"):
        read_labels(tmp_path / "ragged.csv", [])


def test_paths_and_categories_from_predictions_csv_lose_their_apostrophe(tmp_path, table):
    path = table(tmp_path / "labels.csv", [("'-1a.png", "'=x"), ("'b.png", "y")], ("file", "category"))
    labels = read_labels(path, [FoundFile(name, tmp_path / name, "") for name in ("-1a.png", "'b.png")])
    assert {name: label["category"] for name, label in labels.items()} == {"-1a.png": "=x", "'b.png": "y"}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_labels_come_in_any_encoding(tmp_path, encoding):
    (tmp_path / "labels.csv").write_bytes("file;category\na.png;perchè\n".encode(encoding))
    labels = read_labels(tmp_path / "labels.csv", [FoundFile("a", tmp_path / "a.png", "")])
    assert labels == {"a": {"file": "a.png", "category": "perchè"}}


def test_the_first_folder_is_the_category(tmp_path, caplog):
    for name in ("invoice/2024/a.png", "letter/b.png", "c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert labels_by_folder(find_documents([tmp_path])) == {
        "invoice/2024/a.png": {"category": "invoice"},
        "letter/b.png": {"category": "letter"},
    }
    assert caplog.messages == [
        "1 of 3 documents get no category, as they are in no folder below the given path: "
        "give the folder that contains the folders per category"
    ]
