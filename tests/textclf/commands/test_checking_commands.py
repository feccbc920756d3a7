"""What a person sees of `textclf check`."""

from __future__ import annotations

import json

import pytest

from textclf.base.errors import ExitCode


@pytest.fixture
def spoilt(corpus, table, tmp_path):
    """Documents with a copy, a contradiction, a name in two spellings, an empty text and a lone category."""
    rows = corpus(8).rows()
    invoice = rows[0][1]
    rows += [
        ("copy", invoice.upper(), "invoice"),
        ("contradiction", f"{invoice} and", "letter"),
        ("spelt", rows[1][1] + " with more words of its own", "Invoice"),
        ("blank", "!?", "letter"),
        ("=formula", "one more letter, dear madam, of many words", "lone"),
    ]
    return table(tmp_path / "documents.csv", rows)


def test_findings_are_shown_by_kind_and_written_to_a_table_that_is_no_formula(textclf, spoilt, tmp_path, read_table):
    said = textclf("check", spoilt, "--no-label-issues", "-o", tmp_path / "findings.csv")
    assert said.code == 0
    for words in (
        "contradiction: 1 pair of copies of different categories",
        "similar names: 1 pair of categories that may be one",
        "no text: 1 document without a word",
        "duplicate: 1 document with the same text as another",
        "labels were not checked",
    ):
        assert words in said.out
    rows = read_table(tmp_path / "findings.csv")
    assert [row["document_id"] for row in rows if row["kind"] == "no text"] == ["blank"]
    assert {row["category"] for row in rows if row["kind"] == "small category"} == {"Invoice", "lone"}
    assert not any(cell.startswith("=") for row in rows for cell in row.values())


def test_labels_are_looked_at_unless_told_otherwise(textclf, corpus, table, tmp_path):
    rows = [list(row) for row in corpus(12).rows()]
    rows[3][2] = "letter"
    said = textclf("check", table(tmp_path / "d.csv", rows), "--jobs", "1", "--json")
    assert said.code == 0
    assert "3 of 3" in said.err
    found = json.loads(said.out)
    assert found["labels_checked"]
    issues = [finding for finding in found["findings"] if finding["kind"] == "label issue"]
    assert (issues[0]["document_id"], issues[0]["other_category"]) == ("invoice-03", "invoice")


def test_leaks_from_training_into_testing_within_one_table(textclf, corpus, table, tmp_path):
    rows = [(*row, "train") for row in corpus(6).rows()]
    rows += [("seen", rows[2][1], "invoice", "test"), ("new", "a text that nobody saw before", "invoice", "test")]
    path = table(tmp_path / "d.csv", rows, ("document_id", "text", "category", "split"))
    said = textclf(
        *(
            "check",
            path,
            "--no-label-issues",
            "--where",
            "split=train",
            "--against",
            path,
            "--against-where",
            "split=test",
        )
    )
    assert "leak: 1 document to" in said.out
    assert "seen (invoice)  ~ invoice-02 (invoice)" in said.out


def test_categories_may_stand_in_tables_of_their_own(textclf, corpus, table, tmp_path):
    rows = corpus(6).rows()
    texts = table(tmp_path / "texts.csv", [row[:2] for row in rows], ("document_id", "text"))
    rows[1] = (*rows[1][:2], "Invoice")
    labels = table(tmp_path / "labels.csv", [(row[0], row[2]) for row in rows[:12]], ("document_id", "category"))
    more = table(tmp_path / "more.csv", [("receipt-00", "receipt")], ("document_id", "category"))
    said = textclf(
        *("check", texts, "--labels", labels, "--against", texts, "--against-labels", more, "--no-label-issues")
    )
    assert "similar names: 1 pair" in said.out
    assert "unknown category: 1 category of the test documents" in said.out
    assert "findings in 12 documents of 3 categories" in said.out


def test_a_wrong_option_is_one_line(textclf, spoilt):
    for arguments in (("--threshold", "0"), ("--against-where", "split=test"), ("--against-labels", "l.csv")):
        said = textclf("check", spoilt, *arguments)
        assert said.code == ExitCode.USAGE
        assert arguments[0] in said.error


def test_strict_ends_with_an_error_where_labels_or_figures_are_wrong_and_only_there(
    textclf, spoilt, corpus, table, tmp_path
):
    assert textclf("check", spoilt, "--no-label-issues").code == ExitCode.OK
    said = textclf("check", spoilt, "--no-label-issues", "--strict")
    assert said.code == ExitCode.SOME_FAILED
    assert "contradiction" in said.out
    assert "findings that make labels or figures wrong: 1" in said.error
    sound = [*corpus(6).rows(), ("blank", "", "letter")]
    said = textclf("check", table(tmp_path / "sound.csv", sound), "--no-label-issues", "--strict")
    assert said.code == ExitCode.OK
    assert "no text: 1" in said.out


def test_papers_of_none_of_the_categories_are_compared_but_are_no_category(textclf, corpus, table, tmp_path):
    rows = corpus(6).rows()
    rows += [("none", rows[0][1], "none of these"), ("blank", "", "None of these")]
    test = table(tmp_path / "test.csv", [("new", "a text of its own", "letter"), ("other", "another", "none of these")])
    said = textclf("check", table(tmp_path / "d.csv", rows), "--no-label-issues", "--json", "--against", test)
    found = json.loads(said.out)
    assert (found["documents"], found["against"], len(found["categories"])) == (20, 2, 3)
    kinds = [(finding["kind"], finding["document_id"]) for finding in found["findings"]]
    assert kinds == [("contradiction", "invoice-00"), ("no text", "blank"), ("duplicate", "none")]


def test_documents_without_a_category_are_left_out_and_that_is_said(textclf, corpus, table, tmp_path):
    rows = corpus(6).rows()
    rows += [("unlabelled", rows[0][1], ""), ("unlabelled too", "", " ")]
    said = textclf("check", table(tmp_path / "d.csv", rows), "--no-label-issues", "--json")
    assert "2 of 20 documents have no category" in said.err
    found = json.loads(said.out)
    assert (found["documents"], found["findings"], found["problems"]) == (18, [], 0)
