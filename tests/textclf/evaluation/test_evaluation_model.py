from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from textclf.commands.evaluate import evaluate_model
from textclf.data.sources import TableOptions
from textclf.evaluation.results import EvaluationReport
from textclf.model.predict import Model


@pytest.fixture
def evaluated(model: Model, corpus: Callable, table: Callable, tmp_path: Path) -> Callable[..., EvaluationReport]:
    def evaluate(column: str, values: list[str]) -> EvaluationReport:
        rows = corpus(8, seed=1).rows()
        # two letters that were filed as receipts
        rows = [(name, text, "receipt" if name in ("letter-00", "letter-01") else kind) for name, text, kind in rows]
        path = table(
            tmp_path / "documents.csv",
            [(*row, values[index % len(values)]) for index, row in enumerate(rows)],
            header=("document_id", "text", "category", column),
        )
        return evaluate_model(model, "m.textclf", path, tmp_path / "out", TableOptions(), by=[], created="2026-03-14")

    return evaluate


@pytest.mark.parametrize("column", ["ocr_confidence", "confidence"])
def test_accuracy_by_ocr_confidence_where_the_table_has_it(evaluated: Callable, column: str, tmp_path: Path) -> None:
    report = evaluated(column, ["96.5", "71.0", "", "unknown", "nan"])
    assert [(group.lowest, group.highest) for group in report.by_ocr_confidence] == [(71.0, 96.5)]
    assert report.by_ocr_confidence[0].documents == 10
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["by_ocr_confidence"][0]["documents"] == 10


def test_the_report_names_the_engines_that_read(evaluated: Callable, tmp_path: Path) -> None:
    report = evaluated("ocr_engine", ["tesserocr 5.5.0", "tesserocr 5.5.0", "tesseract 5.3.0", ""])
    assert list(report.ocr_engines.items()) == [("tesserocr 5.5.0", 12), ("tesseract 5.3.0", 6)]
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["ocr_engines"] == report.ocr_engines
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Read with tesserocr 5.5.0 (12 documents), tesseract 5.3.0 (6 documents)." in page


def test_table_without_ocr_confidence_has_no_such_figures(evaluated: Callable) -> None:
    assert evaluated("issuer", ["a"]).by_ocr_confidence == ()


def test_wrong_labels_come_up(evaluated: Callable, tmp_path: Path) -> None:
    report = evaluated("issuer", ["a"])
    assert report.label_issues
    for issue in report.label_issues:
        assert (issue.category, issue.suggested) == ("receipt", "letter")
    assert "Label issues" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_documents_that_the_model_was_trained_on_are_noticed(
    textclf: Callable, corpus: Callable, table: Callable, tmp_path: Path
) -> None:
    rows = corpus(6).rows()
    seen = table(tmp_path / "seen.csv", rows[::-1])
    others = table(tmp_path / "others.csv", rows[:-1])
    quick = ("--lexicon", "none", "--vectors", "none", "--no-diagnostics", "--jobs", "1")
    textclf("train", seen, "-o", tmp_path / "m.textclf", *quick)
    said = [textclf("evaluate", tmp_path / "m.textclf", path, "-o", tmp_path / "out") for path in (seen, others)]
    assert ["trained on these very documents" in one.err for one in said] == [True, False]
