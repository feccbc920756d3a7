"""Whatever takes a documents CSV takes a folder of scans and texts as well."""

from __future__ import annotations

import json

import pytest

from textclf.base.errors import ExitCode
from textclf.data.sources import read_documents

QUICK = ("--lexicon", "none", "--vectors", "none", "--no-background", "--no-diagnostics", "--jobs", "1")


@pytest.fixture
def pair(tmp_path, table, corpus):
    """The same documents as a table and as a folder per category."""
    rows = [(f"{category}/deeper/{name}.txt", text, category) for name, text, category in corpus(5, seed=7).rows()]
    for name, text, _ in rows:
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(text)
    return table(tmp_path / "table.csv", rows), tmp_path / "tree"


FILE_COLUMNS = {"path", "sha256"}
"""That tell which file a row is about: a table need not have them."""
COMMANDS = {
    "check": lambda documents, out, model, lexicon: ("check", documents, "--no-label-issues", "--json", "-o", out),
    "check against": lambda documents, out, model, lexicon: (
        *("check", documents, "--no-label-issues", "--against", documents, "-o", out),
    ),
    "compare": lambda documents, out, model, lexicon: ("compare", model, model, documents, "--json", "-o", out),
    "evaluate": lambda documents, out, model, lexicon: ("evaluate", model, documents, "--by", "category", "-o", out),
    "predict": lambda documents, out, model, lexicon: ("predict", model, documents, "-o", out),
    "prepare": lambda documents, out, model, lexicon: ("prepare", documents, "-o", out, *QUICK[:4]),
    "train": lambda documents, out, model, lexicon: ("train", documents, "-o", out, *QUICK),
    "keywords suggest": lambda documents, out, model, lexicon: ("keywords", "suggest", documents, "-n", "2", "-o", out),
    "keywords check": lambda documents, out, model, lexicon: (*("keywords", "check", lexicon, documents, "--no-gain"),),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_gives_what_its_table_gives(textclf, tmp_path, pair, model_path, lexicon_file, read_table, command):
    found = []
    for number, documents in enumerate(pair):
        said = textclf(*COMMANDS[command](documents, tmp_path / f"out{number}", model_path, lexicon_file))
        assert said.code == 0, said.err
        found.append(said.out.replace(str(documents), ""))
        out = tmp_path / f"out{number}"
        if command == "evaluate":
            metrics = json.loads((out / "metrics.json").read_text())
            del metrics["title"]
            found[-1] += json.dumps(metrics)
        elif command == "predict":
            rows = [{name: cell for name, cell in row.items() if name not in FILE_COLUMNS} for row in read_table(out)]
            found.append(rows)
        elif out.exists():
            files = sorted(path for path in (out, *out.rglob("*")) if path.is_file())
            found.append([path.read_bytes() for path in files])
    half = len(found) // 2
    assert found[:half] == found[half:]
    assert found[0] or half > 1


def test_tune_reads_a_folder(textclf, pair, tmp_path):
    said = textclf("tune", pair[1], "-o", tmp_path / "s.json", "--jobs", "1")
    assert said.code == ExitCode.BAD_DATA
    assert "5 documents" in said.error


def test_scans_in_a_folder_are_read_and_what_cannot_be_keeps_its_row(textclf, scan, tmp_path, model_path, read_table):
    new = tmp_path / "new"
    scan(new / "a.png", "total due vat number", "gross payment terms bank invoice")
    (new / "note.txt").write_text("dear madam, kind regards and love, yours sincerely")
    (new / "later").mkdir()
    (new / "later" / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    said = textclf("predict", model_path, new, "-o", tmp_path / "p.csv", "--keep-columns", "--lang", "eng", "-v")
    assert said.code == 0
    rows = {row["document_id"]: row for row in read_table(tmp_path / "p.csv")}
    assert [(name, row["predicted_category"], row["status"]) for name, row in rows.items()] == [
        ("note.txt", "letter", "ok"),
        ("a.png", "invoice", "ok"),
        ("later/broken.pdf", "", "failed"),
    ]
    assert rows["later/broken.pdf"]["reason"] == "could not be read"
    assert "line" not in rows["later/broken.pdf"]["error"]
    assert (rows["a.png"]["file"], rows["later/broken.pdf"]["category"]) == (str(new / "a.png"), "later")
    assert float(rows["a.png"]["ocr_confidence"]) > 60
    assert [line for line in said.err.splitlines() if "a.png: 1 pages, " in line]


def test_a_scan_that_cannot_be_read_counts_as_not_predicted_and_is_said(textclf, pair, tmp_path, model_path):
    (pair[1] / "letter" / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    said = textclf("evaluate", model_path, pair[1], "-o", tmp_path / "report")
    assert said.code == 0
    assert "documents  16" in said.out
    assert json.loads((tmp_path / "report" / "metrics.json").read_text())["not_predicted"] == ["letter/broken.pdf"]
    assert "warning" in said.err
    assert "letter/broken.pdf" in said.err


def test_what_stands_beside_the_folders_per_category_is_not_read_and_that_is_said(
    textclf, pair, scan, tmp_path, model_path
):
    scan(pair[1] / "beside.png", "total due")
    # where `textclf file` leaves documents for a person to look into
    scan(pair[1] / "_review" / "doubtful.png", "total due")
    said = textclf("evaluate", model_path, pair[1], "-o", tmp_path / "report", "--no-cache")
    assert said.code == 0
    assert "left out 2 files beside the folders per category" in said.err
    assert "read 1" not in said.err


@pytest.mark.parametrize("command", ["check", "evaluate", "prepare", "train", "keywords suggest", "keywords check"])
def test_a_flat_folder_is_refused_where_categories_are_needed(textclf, tmp_path, model_path, lexicon_file, command):
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "a.txt").write_text("total due")
    said = textclf(*COMMANDS[command](tmp_path / "flat", tmp_path / "out", model_path, lexicon_file))
    assert said.code == ExitCode.BAD_INPUT
    assert "folder named after it" in said.error


def test_others_may_be_a_flat_folder(textclf, pair, tmp_path):
    (tmp_path / "flat").mkdir()
    for number in range(3):
        (tmp_path / "flat" / f"{number}.txt").write_text(f"butter sugar eggs flour oven {number}")
    run = ("train", pair[0], "-o", tmp_path / "m.textclf", *QUICK)
    assert textclf(*run, "--other", tmp_path / "flat").code == 0
    assert "fitting" in textclf(*run).err
    (tmp_path / "empty").mkdir()
    said = textclf(*run, "--other", tmp_path / "empty")
    assert said.code == ExitCode.BAD_DATA
    assert "no scan and no .txt file" in said.error


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "--where", "split=test"),
        ("predict", "--where", "split=test"),
        ("train", "--where", "split=test"),
        ("train", "--group", "issuer"),
        ("prepare", "--group", "issuer"),
    ],
)
def test_a_folder_has_no_columns_to_choose_by(textclf, pair, tmp_path, model_path, lexicon_file, arguments):
    command, *options = arguments
    said = textclf(*COMMANDS[command](pair[1], tmp_path / "out", model_path, lexicon_file), *options)
    assert said.code == ExitCode.USAGE
    assert options[0] in said.error


def test_a_prepared_folder_stands_for_its_datasource(textclf, pair, tmp_path, model_path, read_table):
    assert textclf("prepare", pair[0], "-o", tmp_path / "prepared", *QUICK[:4]).code == 0
    assert textclf("predict", model_path, tmp_path / "prepared", "-o", tmp_path / "p.csv").code == 0
    assert len(read_table(tmp_path / "p.csv")) == 15
    assert "documents  15" in textclf("evaluate", model_path, tmp_path / "prepared", "-o", tmp_path / "r").out


def test_a_text_file_with_form_feeds_has_pages(tmp_path):
    (tmp_path / "a.txt").write_text("one\f\fthree\f")
    (document,) = read_documents(tmp_path)
    assert (document.text, document.pages) == ("one\n\nthree", ("one", "", "three"))
