"""Tables that a person has filled in or corrected are not overwritten; those left as they were written are."""

from __future__ import annotations

from pathlib import Path

import pytest

from textclf.base.errors import ExitCode


@pytest.fixture
def documents(corpus, table, tmp_path):
    """Documents of which some categories are wrong, one twice and one without a category."""
    rows = [list(row) for row in corpus(8).rows()]
    for row in rows[:4]:
        row[2] = "letter"
    rows.append(["copy", rows[5][1], rows[5][2]])
    rows[-2][2] = ""
    return table(tmp_path / "documents.csv", rows)


@pytest.fixture(scope="module")
def other(classifier, corpus, tmp_path_factory):
    """A model that takes all letters for something else."""
    _, texts, categories = corpus(6)
    path = tmp_path_factory.mktemp("other") / "model.textclf"
    exchanged = {"letter": "receipt", "receipt": "letter"}
    classifier().fit(texts, [exchanged.get(one, one) for one in categories]).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("findings.csv", ("check", "documents.csv", "--no-label-issues", "-o", "findings.csv")),
        ("changes.csv", ("compare", "model.textclf", "other.textclf", "documents.csv", "-o", "changes.csv")),
        ("report/confused_pairs.csv", ("evaluate", "model.textclf", "documents.csv", "-o", "report")),
    ],
)
def test_a_corrected_category_is_not_lost(
    textclf, tmp_path, documents, model_path, other, corpus, read_table, table, monkeypatch, name, command
):
    monkeypatch.chdir(tmp_path)
    Path("model.textclf").symlink_to(model_path)
    Path("other.textclf").symlink_to(other)
    assert textclf(*command).code == 0
    written = read_table(Path(name))
    assert any(row["category"] for row in written)
    assert [row["given_category"] for row in written] == [row["category"] for row in written]
    # as it is, it may be written anew, also from other documents
    table(documents, corpus(8).rows())
    assert textclf(*command).code == 0
    assert textclf(*command).code == 0
    corrected = [dict(row) for row in written]
    corrected[0]["category"] = "receipt" if corrected[0]["category"] != "receipt" else "invoice"
    table(Path(name), [list(row.values()) for row in corrected], list(corrected[0]))
    refused = textclf(*command)
    assert (refused.code, read_table(Path(name))) == (ExitCode.USAGE, corrected)
    assert f"{name}: has 1 category filled in, which would be lost; give the result another name" in refused.error


@pytest.fixture
def scans(scan, tmp_path):
    for folder, words in (("invoice", "Invoice total due"), ("letter", "Dear Madam")):
        scan(tmp_path / "scans" / folder / "1.png", words, "of the year")
    return tmp_path / "scans"


def test_a_category_typed_beside_a_text_is_not_lost(textclf, scans, tmp_path, read_table, table):
    out, labels = tmp_path / "documents.csv", tmp_path / "labels.csv"
    ocr = ("ocr", scans, "--lang", "eng", "--jobs", 1, "--cache", tmp_path / "cache", "-o", out)
    assert textclf(*ocr).code == 0
    assert textclf(*ocr).code == 0
    found = read_table(out)
    found[1]["category"] = "letter"
    table(out, [list(row.values()) for row in found], list(found[0]))
    refused = textclf(*ocr)
    assert (refused.code, read_table(out)) == (ExitCode.USAGE, found)
    assert "documents.csv: has 1 category filled in, which would be lost" in refused.error
    # one that the labels have as well is written again
    table(labels, [("scans/letter/1.png", "letter"), ("scans/invoice/1.png", "bill")], ("file", "category"))
    assert textclf(*ocr, "--labels", labels).code == 0
    assert [row["category"] for row in read_table(out)] == ["bill", "letter"]
    assert textclf(*ocr).code == ExitCode.USAGE


def test_categories_that_were_folders_do_not_hinder_filing_otherwise(textclf, scans, tmp_path, read_table, table):
    out = tmp_path / "documents.csv"
    ocr = (
        "ocr",
        scans,
        "--lang",
        "eng",
        "--jobs",
        1,
        "--cache",
        tmp_path / "cache",
        "--labels-from-folders",
        "-o",
        out,
    )
    assert textclf(*ocr).code == 0
    (scans / "letter" / "1.png").rename(scans / "invoice" / "2.png")
    assert textclf(*ocr).code == 0
    found = read_table(out)
    assert [(row["document_id"], row["category"]) for row in found] == [
        ("invoice/1.png", "invoice"),
        ("invoice/2.png", "invoice"),
    ]
    found[1]["category"] = "letter"
    table(out, [list(row.values()) for row in found], list(found[0]))
    assert textclf(*ocr).code == ExitCode.USAGE
