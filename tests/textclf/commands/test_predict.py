"""``textclf predict``: one row per document, whatever is wrong with it."""

from __future__ import annotations

import json

import pytest

from textclf.base.errors import ExitCode

COLUMNS = [
    *("document_id", "category", "predicted_category", "score", "familiarity", "decision", "reason", "status", "error"),
    "page_categories",
]


def test_predictions_have_the_promised_columns_in_the_order_of_the_rows(
    textclf, documents, tmp_path, model_path, model, read_table
):
    said = textclf("predict", model_path, documents, "-o", tmp_path / "p.csv")
    assert (said.code, said.out) == (0, "")
    rows = read_table(tmp_path / "p.csv")
    assert list(rows[0]) == [*COLUMNS, "score_invoice", "score_letter", "score_receipt"]
    source = read_table(documents)
    assert [row["document_id"] for row in rows] == [row["document_id"] for row in source]
    expected = list(model.pipe([row["text"] for row in source]))
    for row, prediction in zip(rows, expected, strict=True):
        assert row["predicted_category"] == prediction.predicted_category
        assert float(row["score"]) == pytest.approx(prediction.score, abs=1e-6)
        assert (row["decision"], row["reason"], row["status"]) == (prediction.decision, prediction.reason, "ok")
        assert sum(float(row[f"score_{name}"]) for name in model.categories) == pytest.approx(1, abs=1e-5)


def test_rows_that_cannot_be_used_keep_their_line(textclf, tmp_path, model_path, read_table):
    path = tmp_path / "documents.csv"
    path.write_bytes(
        b"document_id,text\n1,total due vat\n2,too,many\n3\n\n4,\n5,dear\0 madam\n5,same id\n6,"
        + b"vat " * 250_001
        + b"\n"
    )
    said = textclf("predict", model_path, path, "-o", tmp_path / "p.csv")
    assert said.code == 0
    rows = read_table(tmp_path / "p.csv")
    assert [row["document_id"] for row in rows] == ["1", "2", "3", "4", "5", "5", "6"]
    assert [row["status"] for row in rows] == ["ok", "failed", "failed", "skipped", "ok", "ok", "partial"]
    assert [row["decision"] for row in rows[1:4]] == ["review"] * 3
    assert "line 3" in rows[1]["error"]
    assert "3 cells" in rows[1]["error"]
    assert rows[1]["predicted_category"] == rows[1]["score_invoice"] == ""
    assert rows[3]["reason"] == "no text"
    assert "1,000,000" in rows[6]["error"]
    assert "NUL" in said.err
    strict = textclf("predict", model_path, path, "-o", tmp_path / "strict.csv", "--strict")
    assert strict.code == ExitCode.SOME_FAILED
    assert "2 of 7" in strict.error
    assert (tmp_path / "strict.csv").read_bytes() == (tmp_path / "p.csv").read_bytes()


def test_a_table_with_a_byte_order_mark_latin_1_or_other_names_is_read(textclf, tmp_path, model_path, read_table):
    out = tmp_path / "p.csv"
    (tmp_path / "bom.csv").write_bytes("document_id,text\nà,dear madam\n".encode("utf-8-sig"))
    assert textclf("predict", model_path, tmp_path / "bom.csv", "-o", out).code == 0
    assert read_table(out)[0]["document_id"] == "à"
    (tmp_path / "latin.csv").write_bytes("nr,body\nà,dear madam\n".encode("latin-1"))
    columns = ("--id-column", "nr", "--text-column", "body")
    refused = textclf("predict", model_path, tmp_path / "latin.csv", "-o", out, "--encoding", "utf-8", *columns)
    assert refused.code == ExitCode.BAD_DATA
    assert "--encoding cp1252" in refused.error
    for encoding in ("auto", "latin-1"):
        said = textclf("predict", model_path, tmp_path / "latin.csv", "-o", out, "--encoding", encoding, *columns)
        assert said.code == 0
        assert ("was read as cp1252" in said.err) is (encoding == "auto")
        assert read_table(out)[0]["document_id"] == "à"


def test_cells_that_a_spreadsheet_would_run_are_made_harmless(textclf, tmp_path, table, model_path, read_table):
    path = table(tmp_path / "d.csv", [("=1+1", "vat", "@SUM(A1)")], ("document_id", "text", "note"))
    assert textclf("predict", model_path, path, "-o", tmp_path / "p.csv", "--keep-columns").code == 0
    (row,) = read_table(tmp_path / "p.csv")
    assert (row["document_id"], row["note"]) == ("'=1+1", "'@SUM(A1)")


def test_memory_does_not_grow_with_the_table(textclf, tmp_path, table, model_path):
    import tracemalloc

    peaks = []
    for rows in (100, 1200):
        path = table(
            tmp_path / "d.csv", [(str(n), f"total due vat {n} " * 20) for n in range(rows)], ("document_id", "text")
        )
        tracemalloc.start()
        assert textclf("predict", model_path, path, "-o", tmp_path / "p.csv").code == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


def test_empty_pages_at_the_end_are_pages(textclf, tmp_path, model_path, model, read_table, table):
    text = "total due vat\f\f\f"
    assert len(model(text).pages) == 3
    path = table(tmp_path / "pages.csv", [("1", text), ("2", "total due vat\f\f")], ("document_id", "text"))
    textclf("clean", path, "-o", tmp_path / "clean.csv")
    for source in (path, tmp_path / "clean.csv"):
        textclf("predict", model_path, source, "-o", tmp_path / "p.csv")
        assert [row["page_categories"].rpartition("; ")[2] for row in read_table(tmp_path / "p.csv")] == [
            "2-3 no text",
            "2 no text",
        ]


def test_corrected_predictions_are_trained_on_and_never_overwritten(
    textclf, tmp_path, model_path, corpus, table, read_table
):
    rows = [(f"={name}", text, "letter" if name == "letter-00" else "") for name, text, _ in corpus(12).rows()]
    pile, out = table(tmp_path / "pile.csv", rows, ("nr", "body", "category")), tmp_path / "predictions.csv"
    reading = ("--id-column", "nr", "--text-column", "body")
    predict = ("predict", model_path, pile, *reading, "-o", out)
    assert textclf(*predict).code == 0
    assert {row["category"] for row in read_table(out)} == {""}
    # what the table of documents has is not lost where it is written again
    for _ in range(2):
        assert textclf(*predict, "--keep-columns").code == 0
    assert textclf(*predict).code == ExitCode.USAGE
    found = read_table(out)
    assert [row["document_id"] for row in found if row["category"]] == ["'=letter-00"]

    for row in found[::2]:
        row["category"] = row["document_id"].strip("'=")[:-3]
    table(out, [list(row.values()) for row in found], list(found[0]))
    for refused in (textclf(*predict), textclf(*predict, "--keep-columns")):
        assert refused.code == ExitCode.USAGE
        assert "filled in, which would be lost; give the result another name" in refused.error
    assert read_table(out) == found

    first = table(tmp_path / "first.csv", [("=invoice-00", "receipt"), ("=invoice-01", "invoice")], ("nr", "category"))
    labels = ("--labels", first, "--labels", out)
    said = textclf("check", pile, *reading, *labels, "--no-label-issues", "--json")
    assert json.loads(said.out)["categories"] == {"invoice": 7, "letter": 6, "receipt": 6}
    assert "corrects the category of 1 document of an earlier table" in said.err
    assert "'=invoice-00' from 'receipt' to 'invoice'" in said.err
    quick = ("--vectors", "none", "--lexicon", "none", "--no-background", "--no-diagnostics", "--jobs", "1")
    said = textclf("train", pile, *reading, *labels, "-o", tmp_path / "m.textclf", *quick)
    assert "trained on 19 documents" in said.err


def test_a_confirmed_category_is_kept_though_the_documents_have_the_same(
    textclf, tmp_path, model_path, table, read_table
):
    rows = [("a", "dear madam", "letter"), ("a", "total due", "invoice"), ("b", "cash", "receipt")]
    source, out = table(tmp_path / "d.csv", rows), tmp_path / "p.csv"
    predict = ("predict", model_path, source, "-o", out)
    assert textclf(*predict).code == 0
    found = read_table(out)
    # one that was confirmed, and one of two documents with the same id
    for category, place in (("receipt", 2), ("letter", 1)):
        filled = [{**row, "category": category if n == place else ""} for n, row in enumerate(found)]
        table(out, [list(row.values()) for row in filled], list(found[0]))
        refused = textclf(*predict)
        assert (refused.code, read_table(out)) == (ExitCode.USAGE, filled)
        assert "has 1 category filled in, which would be lost" in refused.error
    twice = [{**row, "category": "letter"} for row in found[:2]]
    table(out, [list(row.values()) for row in twice], list(found[0]))
    refused = textclf(*predict, "--keep-columns")
    assert "has 1 category filled in, which would be lost" in refused.error


def test_a_table_of_a_header_alone_may_be_written_over(textclf, tmp_path, documents, model_path, read_table):
    for command in (("predict", model_path, documents), ("select", documents, "-n", "3")):
        out = tmp_path / f"{command[0]}.csv"
        assert textclf(*command, "-o", out).code == 0
        written = read_table(out)
        out.write_text(out.read_text("utf-8-sig").split("\n")[0] + "\n")
        assert textclf(*command, "-o", out).code == 0
        assert read_table(out) == written


def test_a_correction_counts_more_than_a_column_that_was_copied(
    textclf, tmp_path, model_path, corpus, table, read_table
):
    rows = corpus(3).rows()
    source, out = table(tmp_path / "k.csv", rows, ("document_id", "text", "kind")), tmp_path / "p.csv"
    assert textclf("predict", model_path, source, "--keep-columns", "-o", out).code == 0
    found = read_table(out)
    assert [(row["category"], row["kind"]) for row in found] == [("", kind) for _, _, kind in rows]
    for row in found[:4]:
        row["category"] = "bill"
    table(out, [list(row.values()) for row in found], list(found[0]))
    check = ("check", source, "--labels", out, "--no-label-issues", "--json", "--category-column")
    assert json.loads(textclf(*check, "kind").out)["categories"] == {"bill": 4}
    # its own columns of categories can be chosen, as can any of a table that is not ours
    assert sum(json.loads(textclf(*check, "predicted_category").out)["categories"].values()) == 9
    own = table(
        tmp_path / "own.csv", [(name, kind, "?") for name, _, kind in rows], ("document_id", "kind", "category")
    )
    said = textclf("check", source, "--labels", own, "--no-label-issues", "--json", "--category-column", "kind")
    assert json.loads(said.out)["categories"] == {"invoice": 3, "letter": 3, "receipt": 3}


def test_columns_of_the_table_are_kept_unless_the_prediction_has_them(textclf, tmp_path, model_path, table, read_table):
    names = ("document_id", "text", "why", "note", "reason", "score_letter")
    source, out = table(tmp_path / "d.csv", [("a", "dear madam", "mine", "yes", "no", "9")], names), tmp_path / "p.csv"
    for why, expected in (((), "mine"), (("--why",), "dear")):
        assert textclf("predict", model_path, source, "--keep-columns", *why, "-o", out).code == 0
        (row,) = read_table(out)
        assert expected in row["why"]
        assert (row["note"], row["reason"] == "no", row["score_letter"] == "9") == ("yes", False, False)
        assert "text" not in row
