from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from textclf.base.errors import OutputError
from textclf.evaluation.evaluate import evaluate_predictions
from textclf.evaluation.report import write_report
from textclf.evaluation.results import EvaluationReport
from textclf.model.accept import Acceptance, AcceptanceCurve, Level
from textclf.model.prediction import Prediction
from textclf.model.training_record import CrossValidation, CurvePoint, TrainingRecord

ABOUT = {"title": "Test split", "model_name": "model.textclf", "created": "2026-03-14 09:26 UTC"}
FILES = ["report.html", "metrics.json", "confusion.csv", "confusion.png", "confused_pairs.csv"]
VOID = {"meta", "link", "br", "col", "img", "hr", "input"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def training(categories: list[str], threshold: float = 0.6) -> TrainingRecord:
    return TrainingRecord(
        documents=dict.fromkeys(categories, 12),
        empty_texts=1,
        folds=5,
        groups=(
            CrossValidation(features="text", accuracy=0.8, macro_f1=0.75),
            CrossValidation(features="text + keywords", accuracy=0.9, macro_f1=0.875),
        ),
        curve=(
            CurvePoint(documents=10, accuracy=0.55, macro_f1=0.5),
            CurvePoint(documents=29, accuracy=0.9, macro_f1=0.875),
        ),
        acceptance=Acceptance(max_error=0.05, confidence=0.9, threshold=threshold, accepted=0.7, error=0.031),
        acceptance_curve=AcceptanceCurve(
            documents=100, levels=(Level(documents=70, wrong=2, expected_wrong=2.5, threshold=threshold),)
        ),
        data_hash="ab" * 32,
    )


def evaluation(categories: list[str], documents: int = 60, threshold: float = 0.6) -> EvaluationReport:
    """Every seventh document is taken for the next category, the fifth cannot be predicted."""
    truths, predictions, texts = [], [], []
    for index in range(documents):
        truth = index % len(categories)
        answer = categories[(truth + (index % 7 == 0)) % len(categories)]
        score = 0.4 + 0.59 * (index % 10) / 10
        truths.append(categories[truth])
        texts.append(f"Text of document {index}")
        predictions.append(
            Prediction(document_id=f"scan {index}.pdf", status="failed", error="the engine crashed")
            if index == 4
            else Prediction(
                document_id=f"scan {index}.pdf",
                predicted_category=answer,
                score=score,
                decision="accept" if score >= threshold else "review",
            )
        )
    return evaluate_predictions(categories, truths, predictions, texts=texts)


class Page(HTMLParser):
    """Checks that every element is closed in turn, and keeps what the page says and refers to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.text += "" if tag in {"span", "tspan"} else " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def read_page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def charts(page: Page) -> set[str]:
    return {value.removesuffix("-desc") for name, value in page.attributes if name == "id" and value.endswith("-desc")}


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_page_says_what_came_out(tmp_path: Path) -> None:
    categories = ["contract", "invoice", "letter"]
    report = evaluation(categories)
    paths = write_report(report, tmp_path / "new", training=training(categories), **ABOUT)
    assert [path.name for path in paths] == FILES
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(FILES)
    page = read_page(tmp_path / "new")
    for fact in (
        *(
            "Test split",
            "50 of 60",
            "72.0% to 90.7%",
            "contract taken for invoice",
            "scan 21.pdf",
            "the engine crashed",
        ),
        *("60.0%", "+12.5 points", "36 documents of 3 categories", "1 without text"),
    ):
        assert fact in page.text, fact
    assert charts(page) == {"score", "risk", "reliability", "curve"}


def everything() -> EvaluationReport:
    """Every part of the page has something to show."""
    truths, predictions, texts = [], [], []
    for index in range(60):
        score = 0.5 + index / 125
        predictions.append(
            Prediction(
                document_id=f"scan {index}.pdf",
                predicted_category="invoice" if index % 6 else "letter",
                score=score,
                familiarity=index / 60,
                decision="review" if index < 20 else "accept",
                reason="" if index >= 20 else "poor scan" if index < 5 else "unsure between invoice and letter",
                scores=(score, 1 - score) if index % 6 else (1 - score, score),
            )
        )
        # the worst read one is a letter indeed
        truths.append("invoice" if index else "letter")
        texts.append(f"Dear <b>Sir</b> {index}\n" + "word " * 100)
    return evaluate_predictions(
        ["invoice", "letter"],
        truths,
        predictions,
        texts=texts,
        groups={"issuer": ["Acme", "Widget & Co"] * 30},
        ocr_confidences=[40.0 + index for index in range(60)],
        explain=lambda document: [("dear <i>sir", 1.25), ("total due", -0.5)],
    )


def test_page_tells_what_can_be_left_to_the_model(tmp_path: Path) -> None:
    write_report(everything(), tmp_path, training=training(["invoice", "letter"]), **ABOUT)
    page = read_page(tmp_path)
    for fact in (
        *("accepted 40 of 60 documents", "6 of them were wrong", "27.5%", "with 90% confidence", "by issuer below"),
        *(
            "maximum error: 5.0%",
            "66.7%, 15.0% of them wrong",
            "at most 5%",
            "unsure 15 25.0% 12",
            "poor scan 5 8.3% 5",
        ),
        *("all predicted documents", "40 to 51", "88 to 99"),
    ):
        assert fact in page.text, fact
    assert charts(page) == {"score", "risk", "reliability", "curve", "familiarity"}
    # what a decision maker asks first stands first
    headings = ("How much can be left", "Why documents are", "How far scores", "Label issues")
    places = [page.text.index(heading) for heading in (*headings, "Learning curve")]
    assert places == sorted(places)


def test_errors_are_explained_with_their_text(tmp_path: Path) -> None:
    report = everything()
    write_report(report, tmp_path, training=None, **ABOUT)
    page = read_page(tmp_path)
    assert page.tags.count("details") == len(report.confident_errors)
    for fact in ("For letter", "dear <i>sir+1.25", "total due-0.50", "Dear <b>Sir</b> 54 word"):
        assert fact in page.text, fact
    assert not {"b", "i"} & set(page.tags)
    widths = [value for name, value in page.attributes if name == "style" and value and value.startswith("width")]
    assert {"width:100.0%", "width:40.0%"} <= set(widths)


def test_metrics_hold_the_new_figures_without_texts(tmp_path: Path) -> None:
    report = everything()
    write_report(report, tmp_path, training=None, **ABOUT)
    text = (tmp_path / "metrics.json").read_text(encoding="utf-8")
    assert "Dear" not in text
    assert "dear" not in text
    figures = json.loads(text)
    assert report.risk_coverage is not None
    assert figures["risk_coverage"]["aurc"] == report.risk_coverage.area
    assert [point["max_error"] for point in figures["risk_coverage"]["accepted_at"]] == [0.01, 0.02, 0.05, 0.1]
    assert figures["risk_coverage"]["accepted"][-1] == 1
    assert figures["accepted_error_bound_95"] == pytest.approx(0.2747, abs=1e-4)
    assert figures["calibration"]["known"] == 60
    assert [group["documents"] for group in figures["by_ocr_confidence"]] == [12] * 5
    assert figures["reasons"][0] == {"reason": "unsure", "documents": 15, "right": 12}
    assert figures["confident_errors"][0]["document_id"] == "scan 54.pdf"
    assert figures["label_issues"][0]["suggested"] == "letter"


def test_same_input_gives_same_bytes(tmp_path: Path) -> None:
    report = evaluation(["a", "b", "c"])
    first = write_report(report, tmp_path / "1", training=training(["a", "b", "c"]), **ABOUT)
    second = write_report(report, tmp_path / "2", training=training(["a", "b", "c"]), **ABOUT)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    with Image.open(first[3]) as picture:
        assert set(picture.info) == {"dpi", "Software"}
        assert picture.info["Software"] == "textclf"


def test_metrics_file_holds_all_figures(tmp_path: Path) -> None:
    report = evaluation(["a", "b"])
    write_report(report, tmp_path, training=training(["a", "b"]), **ABOUT)
    figures = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert figures["risk_coverage"]["accepted"][-1] == pytest.approx(59 / 60)
    assert (figures["title"], figures["model"], figures["created"]) == tuple(ABOUT.values())
    assert figures["accuracy"] == report.accuracy
    assert figures["accuracy_interval_95"] == list(report.accuracy_interval_95)
    assert figures["confusion"]["documents"] == report.confusion.tolist()
    assert [category["f1"] for category in figures["categories"]] == [f.f1 for f in report.categories]
    assert figures["training"]["acceptance"]["max_error"] == 0.05
    assert figures["not_predicted"] == ["scan 4.pdf"]
    assert "Text of document" not in json.dumps(figures)


def test_tables_hold_every_document(tmp_path: Path) -> None:
    report = evaluation(["a", "b"])
    write_report(report, tmp_path, training=None, **ABOUT)
    header, *rows = read_csv(tmp_path / "confusion.csv")
    assert header == ["true category", "a", "b", "(not predicted)"]
    assert [[row[0], *map(int, row[1:])] for row in rows] == [
        [name, *counts] for name, counts in zip("ab", report.confusion.tolist(), strict=True)
    ]
    header, *rows = read_csv(tmp_path / "confused_pairs.csv")
    assert len(rows) == report.documents - report.right
    last = dict(zip(header, rows[-1], strict=True))
    assert (last["document_id"], last["predicted_category"], last["error"]) == ("scan 4.pdf", "", "the engine crashed")


HOSTILE = [
    "<script>document.title = 'owned'</script>",
    '"><img src=http://evil.example/x.png onerror=alert(1)>',
    "=HYPERLINK(1), a, b",
    "cost $x_1$ {{ 7 * 7 }}",
    "請求書 🧾",
    "lone \udcff\nline",
    "x" * 300,
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    predictions = [
        Prediction(document_id=f"{name}/1", predicted_category=HOSTILE[index - 1], score=0.9, decision="accept")
        for index, name in enumerate(HOSTILE)
    ]
    unread = Prediction(document_id=HOSTILE[0], status="failed", error=HOSTILE[1])
    report = evaluate_predictions(
        HOSTILE,
        [*HOSTILE, "</style><script>"],
        [*predictions, unread],
        texts=[*HOSTILE, "</td>"],
        explain=lambda document: [(HOSTILE[0], 1.0), (f"{HOSTILE[0]} ", -1.0)],
    )
    write_report(
        report, folder, title=HOSTILE[0], training=training(HOSTILE), model_name=HOSTILE[1], created=HOSTILE[3]
    )
    return folder


def test_documents_cannot_write_into_the_page(hostile: Path) -> None:
    page = read_page(hostile)
    assert not {"script", "img", "iframe", "link", "object"} & set(page.tags)
    assert not {name for name, _ in page.attributes} & {"src", "href", "onerror", "onload", "action"}
    for name in (*HOSTILE[:4], HOSTILE[4], "lone ? line", "</style><script>"):
        assert name in page.text


def test_page_refers_to_nothing_outside(hostile: Path, tmp_path: Path) -> None:
    write_report(evaluation(["a", "b"]), tmp_path, training=training(["a", "b"]), **ABOUT)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]|url\(|@import", html)
    assert "Content-Security-Policy" in (hostile / "report.html").read_text(encoding="utf-8")


def test_tables_hold_no_formulas(hostile: Path) -> None:
    for name in ("confusion.csv", "confused_pairs.csv"):
        rows = read_csv(hostile / name)
        assert len({len(row) for row in rows}) == 1
        assert not [cell for row in rows for cell in row if cell.startswith("=")]
        assert [cell for row in rows for cell in row if cell.startswith("'=HYPERLINK(1), a, b")]


@pytest.mark.parametrize("count", [2, 30, pytest.param(60, marks=pytest.mark.slow)])
def test_picture_and_page_from_two_to_sixty_categories(count: int, tmp_path: Path) -> None:
    categories = [f"{index} category with rather a long name" for index in range(count)]
    write_report(evaluation(categories, documents=3 * count), tmp_path, training=training(categories), **ABOUT)
    page = read_page(tmp_path)
    scopes = [value for name, value in page.attributes if name == "scope"]
    assert scopes.count("row") >= 2 * count
    with Image.open(tmp_path / "confusion.png") as picture:
        picture.load()
        assert 300 < picture.width < 4000
        colours = picture.convert("RGB").getcolors(1 << 24)
    assert colours is not None
    # a document of the right category: the blue cells of the diagonal
    assert any(blue > red + 60 for _, (red, _, blue) in colours)


def test_papers_of_none_of_the_categories_are_told_apart(tmp_path: Path) -> None:
    truths = ["invoice", "letter", *["none of these"] * 3]
    said = [
        Prediction(document_id=f"{i}", predicted_category="letter", score=0.9 - i / 10, decision=decision)
        for i, decision in enumerate(["accept"] * 3 + ["review"] * 2)
    ]
    report = evaluate_predictions(["invoice", "letter"], truths, said, texts=None)
    write_report(report, tmp_path, training=training(["invoice", "letter"]), **ABOUT)
    page = read_page(tmp_path).text
    assert "1 of 2 documents got the right category" in page
    assert "3 further documents of none of these categories, 1 of them accepted, which is wrong" in page
    assert "1 accepted and right 2 accepted and wrong 2 for a person to look at (0 of them right)" in page
    assert "It accepted 3 of 5 documents, and 2 of them were wrong" in page
    assert "a category that the model does not know" not in page
    assert "none of these taken for letter · 1 document" in page
    mistakes = (tmp_path / "confused_pairs.csv").read_text().splitlines()
    assert [row["document_id"] for row in csv.DictReader(mistakes)] == ["0", "2"]
    assert "none of these" not in (tmp_path / "confusion.csv").read_text()


def test_all_right_has_no_list_of_errors(tmp_path: Path) -> None:
    predictions = [Prediction(document_id="a", predicted_category="x", score=1.0, decision="accept")]
    report = evaluate_predictions(["x", "y"], ["x"], predictions, texts=None)
    write_report(report, tmp_path, training=None, **ABOUT)
    page = read_page(tmp_path)
    assert "1 of 1 document got the right category" in page.text
    assert "not in this test" in page.text
    for absent in ("Most confused", "Not predicted", "Learning curve", "Weakest", "accepted from"):
        assert absent not in page.text, absent
    assert len(read_csv(tmp_path / "confused_pairs.csv")) == 1


def test_all_wrong_and_nothing_accepted(tmp_path: Path) -> None:
    predictions = [Prediction(document_id="a", predicted_category="y", score=0.5)]
    report = evaluate_predictions(["x", "y"], ["x"], predictions, texts=None)
    write_report(report, tmp_path, training=training(["x", "y"], threshold=1.01), **ABOUT)
    page = read_page(tmp_path)
    assert "0 of 1 document" in page.text
    assert "No document was accepted" in page.text
    assert "no threshold kept the error under 5%" in page.text
    assert "accepted from" not in page.text
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["accepted_accuracy"] is None


def test_nothing_could_be_predicted(tmp_path: Path) -> None:
    predictions = [Prediction(document_id="a", reason="no text", status="skipped", error="the text is empty")]
    write_report(evaluate_predictions(["x", "y"], ["x"], predictions, texts=[""]), tmp_path, training=None, **ABOUT)
    page = read_page(tmp_path)
    assert "not predicted: the text is empty" in page.text
    assert "It accepted nothing here" in page.text
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["risk_coverage"] is None


def test_nearly_all_is_not_called_all(tmp_path: Path) -> None:
    predictions = [Prediction(document_id=str(n), predicted_category="x", score=0.9) for n in range(5000)]
    report = evaluate_predictions(["x", "y"], ["x"] * 4999 + ["y"], predictions, texts=None)
    write_report(report, tmp_path, training=None, **ABOUT)
    assert "Accuracy 99.9%" in read_page(tmp_path).text


def test_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(evaluation(["a", "b"]), tmp_path / "taken", training=None, **ABOUT)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium installed")
def test_browser_shows_the_page(hostile: Path, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    picture = tmp_path / "page.png"
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--enable-logging=stderr",
        "--window-size=1000,1200",
        f"--screenshot={picture}",
        "--dump-dom",
        (hostile / "report.html").as_uri(),
    ]
    done = subprocess.run([CHROMIUM, *options], capture_output=True, timeout=60, check=True)
    assert b"CONSOLE" not in done.stderr
    dom = done.stdout.decode()
    assert "<title>&lt;script&gt;" in dom
    assert dom.rstrip().endswith("</html>")
    with Image.open(picture) as shot:
        colours = shot.convert("RGB").getcolors(1 << 24)
    # the bar under the figures: what was accepted and wrong
    assert colours is not None
    assert (0xB9, 0x4F, 0x06) in {colour for _, colour in colours}
