"""Corrections over the categories of the documents to train on."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

import textclf as package
from textclf.base.errors import ExitCode

QUICK = ("--vectors", "none", "--lexicon", "none", "--no-background", "--no-diagnostics", "--jobs", "1")


@pytest.fixture
def fill_in(read_table):
    """Writes categories into a predictions CSV, as a person does in a spreadsheet program."""

    def fill(path: Path, categories: dict[str, str]) -> None:
        rows = read_table(path)
        for row in rows:
            row["category"] = categories.get(row["document_id"], "")
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)

    return fill


def trained_on(path: Path) -> dict[str, int]:
    return package.load(path).training.documents


@pytest.fixture
def folders(corpus, tmp_path):
    """Texts in a folder per category, of which the first invoice lies in the wrong one."""
    for name, text, category in corpus(4).rows():
        folder = tmp_path / "filed" / ("letter" if name == "invoice-00" else category)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text(text)
    return tmp_path / "filed"


def test_corrected_predictions_change_some_categories_and_leave_the_others(
    textclf, documents, tmp_path, model_path, fill_in
):
    predictions, output = tmp_path / "predictions.csv", tmp_path / "m.textclf"
    textclf("predict", model_path, documents, "-o", predictions)
    fill_in(predictions, {"invoice-00": "letter", "letter-01": "letter"})
    said = textclf("train", documents, "--corrections", predictions, "-o", output, *QUICK)
    assert said.code == 0, said.err
    assert f"{predictions}: 1 category corrected, 1 confirmed, 0 documents added" in said.err
    assert trained_on(output) == {"invoice": 4, "letter": 6, "receipt": 5}


def test_documents_that_are_not_among_the_others_are_added_from_their_files(
    textclf, folders, tmp_path, model_path, fill_in, corpus, scan
):
    new = tmp_path / "new"
    new.mkdir()
    (new / "a.txt").write_text(corpus(1, seed=9).texts[0])
    scan(new / "b.png", "Dear madam", "with kind regards yours")
    (new / "c.txt").write_text("read once, and changed since")
    (new / "d.txt").write_text("nobody has looked at this one")
    predictions, output = tmp_path / "predictions.csv", tmp_path / "m.textclf"
    textclf("predict", model_path, new, "-o", predictions, "--jobs", "1")
    (new / "c.txt").write_text("something else")
    fill_in(predictions, {"a.txt": "invoice", "b.png": "letter", "c.txt": "receipt"})
    said = textclf("train", folders, "--corrections", predictions, "-o", output, *QUICK)
    assert said.code == 0, said.err
    assert "0 categories corrected, 0 confirmed, 2 documents added" in said.err
    assert "left out as their files have changed: 'c.txt'" in said.err
    assert trained_on(output) == {"invoice": 3 + 1, "letter": 5 + 1, "receipt": 4}


def test_a_file_is_recognised_under_another_id_and_another_file_under_the_same_id_is_not(
    textclf, folders, tmp_path, model_path, fill_in, corpus
):
    textclf("predict", model_path, folders / "letter", "-o", tmp_path / "p.csv")
    fill_in(tmp_path / "p.csv", {"invoice-00.txt": "invoice"})
    other = tmp_path / "other" / "letter"
    other.mkdir(parents=True)
    (other / "letter-01.txt").write_text(corpus(1, seed=9).texts[0])
    textclf("predict", model_path, other.parent, "-o", tmp_path / "q.csv")
    fill_in(tmp_path / "q.csv", {"letter/letter-01.txt": "invoice"})
    corrections = ("--corrections", tmp_path / "p.csv", "--corrections", tmp_path / "q.csv")
    said = textclf("train", folders, *corrections, "-o", tmp_path / "m.textclf", *QUICK)
    assert "1 category corrected, 0 confirmed, 1 document added" in said.err
    assert trained_on(tmp_path / "m.textclf") == {"invoice": 3 + 1 + 1, "letter": 4, "receipt": 4}


def test_held_out_documents_are_not_trained_on_because_they_were_corrected(textclf, tmp_path, table, corpus):
    rows = [(*row, "yes" if row[0].endswith("-04") else "no") for row in corpus(5).rows()]
    documents = table(tmp_path / "d.csv", rows, ("document_id", "text", "category", "held_out"))
    corrections = table(
        tmp_path / "c.csv", [("invoice-04", "invoice"), ("letter-00", "letter")], ("document_id", "category")
    )
    arguments = ("--where", "held_out=no", "--corrections", corrections, "-o", tmp_path / "m.textclf")
    assert textclf("train", documents, *arguments, *QUICK).code == 0
    assert trained_on(tmp_path / "m.textclf") == {"invoice": 4, "letter": 4, "receipt": 4}


def test_corrections_with_texts_add_documents_and_a_mistyped_or_new_category_is_told(
    textclf, documents, tmp_path, table, corpus
):
    _, texts, _ = corpus(3, seed=5)
    rows = [
        ("x", texts[0], "invocie"),
        ("y", texts[1], "Invocie "),
        ("z", texts[2], "none of these"),
        ("w", "", "memo"),
    ]
    corrections = table(tmp_path / "c.csv", rows)
    said = textclf("train", documents, "--corrections", corrections, "-o", tmp_path / "m.textclf", *QUICK)
    assert said.code == ExitCode.BAD_DATA
    assert "'invocie' (is 'invoice' meant?)" in said.error
    assert (
        f"{corrections}: categories that no document had before: 'Invocie' (1 document), 'invocie' (1 doc" in said.err
    )
    assert "left out as they have neither a text nor path and sha256: 'w'" in said.err


def test_contradictions_are_refused_in_one_table_and_told_between_two(textclf, documents, tmp_path, table):
    header = ("document_id", "category")
    both = table(tmp_path / "both.csv", [("invoice-00", "letter"), ("invoice-00", "receipt")], header)
    said = textclf("train", documents, "--corrections", both, "-o", tmp_path / "m.textclf", *QUICK)
    assert said.code == ExitCode.BAD_DATA
    assert "is of category 'letter', and in line 3 of 'receipt'; decide for one" in said.error
    first, second = (table(tmp_path / f"{one}.csv", [("invoice-00", one)], header) for one in ("letter", "receipt"))
    arguments = ("--corrections", first, "--corrections", second, "-o", tmp_path / "m.textclf")
    said = textclf("train", documents, *arguments, *QUICK)
    assert "corrects the category of 1 document of an earlier table" in said.err
    assert trained_on(tmp_path / "m.textclf") == {"invoice": 4, "letter": 5, "receipt": 6}


def test_corrections_need_documents_and_are_not_overwritten(textclf, documents, tmp_path, table):
    corrections = table(tmp_path / "c.csv", [("invoice-00", "letter")], ("document_id", "category"))
    said = textclf("train", "--pile", documents, "--corrections", corrections, "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.USAGE
    said = textclf("train", documents, "--corrections", corrections, "-o", corrections, *QUICK)
    assert said.code == ExitCode.USAGE
    assert "is also what the command reads" in said.error


def test_devices_and_pipes_are_not_waited_for(textclf, documents, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    paths = {"a": "/dev/zero", "b": tmp_path / "pipe", "c": tmp_path}
    rows = [f"{name},letter,{path},{'0' * 64}" for name, path in paths.items()]
    corrections = tmp_path / "corrections.csv"
    corrections.write_text("\n".join(["document_id,category,path,sha256", *rows]))
    said = textclf("train", documents, "--corrections", corrections, "-o", tmp_path / "m.textclf", *QUICK)
    assert said.code == 0, said.err
    assert "left out as their paths are those of no files: 'a', 'b', 'c'" in said.err
