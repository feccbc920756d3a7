"""What a person sees who types the commands that read scans: ocr, classify, clean."""

from __future__ import annotations

import json
import re
import textwrap

import numpy as np
import pytest
from PIL import Image, ImageDraw

import textclf as package
from ocr.document import Document, Page, Word
from ocr.reading_options import ReadingOptions
from textclf import DocumentClassifier
from textclf.base.errors import ExitCode
from textclf.commands.classify import _line
from textclf.data.predictions import classify_files, until_accepted
from textclf.data.scans import ScanOptions
from textclf.model.explain import explain
from textclf.model.prediction import Prediction

QUICK = ("--lexicon", "none", "--vectors", "none", "--no-background", "--no-diagnostics", "--jobs", "1")


@pytest.fixture
def documents(tmp_path, table, corpus):
    return table(tmp_path / "documents.csv", corpus(5).rows())


# --- ocr and classify


def test_from_scans_to_a_model_and_a_decision(textclf, scan, tmp_path, read_table, model):
    scans = tmp_path / "scans"
    for number in (1, 2):
        scan(scans / "invoice" / f"{number}.png", "Invoice total due", f"VAT number 471{number}")
        scan(scans / "letter" / f"{number}.png", "Dear Madam", "yours sincerely", f"Margaret {number}")
    (scans / "letter" / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    documents = tmp_path / "documents.csv"
    cache = ("--cache", tmp_path / "cache", "--jobs", "1")
    said = textclf("ocr", scans, "-o", documents, "--labels-from-folders", "--lang", "eng", *cache)
    assert (said.code, said.out) == (0, "")
    assert "4 of 5 documents read in full by tesserocr" in said.err
    assert said.err.count(", 1 incomplete") == 2, "in the progress and at the end"
    assert "(1 of them not read at all)" in said.err
    assert said.err.count("read 5 of 5 documents") == 1
    rows = read_table(documents)
    names = ["invoice/1.png", "invoice/2.png", "letter/1.png", "letter/2.png", "letter/broken.pdf"]
    assert [(row["document_id"], row["category"]) for row in rows] == [(name, name.split("/")[0]) for name in names]
    assert [row["status"] for row in rows] == ["ok"] * 4 + ["failed"]
    assert "4711" in rows[0]["text"]
    assert float(rows[0]["ocr_confidence"]) > 50
    assert rows[4]["error"]
    strict = textclf("ocr", scans, "-o", documents, "--labels-from-folders", "--lang", "eng", "--strict", *cache)
    assert strict.code == ExitCode.SOME_FAILED
    assert "1 of 5" in strict.error

    tree, from_table = tmp_path / "tree.textclf", tmp_path / "table.textclf"
    said = textclf("train", scans, "-o", tree, *QUICK, "--lang", "eng", *cache)
    assert said.code == 0
    assert "letter/broken.pdf" in said.err
    assert textclf("train", documents, "-o", from_table, *QUICK).code == 0
    found = [package.load(path)("VAT total due").scores for path in (tree, from_table)]
    assert found[0] == found[1]

    page = scans / "invoice" / "1.png"
    said = textclf("classify", tree, page, scans / "letter" / "broken.pdf", "--lang", "eng", *cache)
    assert said.code == 0
    first, second = said.out.splitlines()
    assert first.startswith("invoice ")
    assert "1.png" in first
    assert "review" in second
    assert "broken.pdf" in second
    said = textclf("classify", tree, page, scans / "letter" / "broken.pdf", "--lang", "eng", "--json", *cache)
    good, bad = map(json.loads, said.out.splitlines())
    assert good["predicted_category"] == "invoice"
    assert good["scores"].keys() == {"invoice", "letter"}
    assert (bad["status"], bad["decision"], bad["predicted_category"]) == ("failed", "review", "")
    assert bad["error"]

    explained = ("--why", "--explain", tmp_path / "why.png", "--strict")
    said = textclf("classify", tree, page, "--lang", "eng", *explained, *cache)
    assert said.code == 0
    assert "lead of invoice over letter" in said.out
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
    said = textclf("classify", tree, scans, "--lang", "eng", "--why", "--json", "--explain", tmp_path / "why", *cache)
    *good, bad = map(json.loads, said.out.splitlines())
    assert bad["why"] is None
    for line in good:
        why = line["why"]
        amounts = [entry["amount"] for entry in (*why["words"], *why["features"])]
        assert sum(amounts) + why["other_words"] == pytest.approx(why["margin"])
    drawn = sorted(path.relative_to(tmp_path / "why").as_posix() for path in (tmp_path / "why").rglob("*.png"))
    assert drawn == [f"{name}.png" for name in names[:4]]
    said = textclf("classify", tree, scans, "--explain", tmp_path / "why.png", *cache)
    assert said.code == ExitCode.USAGE
    assert "give a folder" in said.error


def test_a_table_can_say_why(textclf, documents, tmp_path, model_path, read_table):
    assert textclf("predict", model_path, documents, "-o", tmp_path / "p.csv", "--why").code == 0
    rows = read_table(tmp_path / "p.csv")
    assert all(re.fullmatch(r"(.+ [+-]\d\.\d{3}; ){5}.+ [+-]\d\.\d{3}", row["why"]) for row in rows)


def test_labels_join_on_their_file_column(textclf, scan, tmp_path, table, read_table):
    scan(tmp_path / "in" / "a.png", "one")
    scan(tmp_path / "in" / "b.png", "two")
    labels = table(tmp_path / "labels.csv", [("in/a.png", "invoice", "train")], ("file", "category", "split"))
    said = textclf("ocr", tmp_path / "in", "-o", tmp_path / "d.csv", "--labels", labels, "--no-cache", "--jobs", 1)
    assert said.code == 0
    assert "1 of 2 documents are not listed there" in said.err
    assert [(row["category"], row["split"]) for row in read_table(tmp_path / "d.csv")] == [
        ("invoice", "train"),
        ("", ""),
    ]


@pytest.mark.parametrize("command", ["ocr", "classify", "train"])
def test_without_tesseract_the_line_that_installs_it_is_shown(
    textclf, scan, tmp_path, model_path, monkeypatch, command
):
    scan(tmp_path / "tree" / "letter" / "a.png", "one")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    arguments = {
        "ocr": ("ocr", tmp_path / "tree", "-o", tmp_path / "out"),
        "classify": ("classify", model_path, tmp_path / "tree"),
        "train": ("train", tmp_path / "tree", "-o", tmp_path / "out"),
    }[command]
    said = textclf(*arguments)
    assert said.code == ExitCode.MISSING_PROGRAM
    assert said.out == ""
    assert "apt-get install tesseract-ocr" in said.error
    assert not (tmp_path / "out").exists()


def test_without_a_language_the_line_that_installs_it_is_shown(textclf, scan, tmp_path):
    scan(tmp_path / "in" / "a.png", "one")
    said = textclf("ocr", tmp_path / "in", "-o", tmp_path / "d.csv", "--lang", "eng+xyz")
    assert said.code == ExitCode.MISSING_PROGRAM
    assert "apt-get install tesseract-ocr-xyz" in said.error


def test_no_scan_is_bad_input(textclf, tmp_path, model_path):
    (tmp_path / "in").mkdir()
    for path in (tmp_path / "in", tmp_path / "none"):
        for arguments in (("ocr", path, "-o", tmp_path / "d.csv"), ("classify", model_path, path)):
            said = textclf(*arguments)
            assert said.code == ExitCode.BAD_INPUT
            assert str(path) in said.error


# --- clean


def test_clean_keeps_all_columns_and_unifies_spellings(textclf, tmp_path, table, read_table):
    path = table(tmp_path / "d.csv", [("1", "the ofﬁce in N.Y.", "x")], ("nr", "text", "more"))
    (tmp_path / "variants").write_text("New York = N.Y.\n")
    said = textclf("clean", path, "-o", tmp_path / "c.csv", "--variants", tmp_path / "variants")
    assert said.code == 0
    (row,) = read_table(tmp_path / "c.csv")
    assert list(row) == ["nr", "text", "more"]
    assert "office" in row["text"]


@pytest.mark.parametrize("as_json", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_engines_are_compared_on_a_folder(textclf, scan, tmp_path, as_json):
    scan(tmp_path / "scans" / "letter.png", "Dear Madam", "yours sincerely")
    said = textclf("engines", tmp_path / "scans", "--lang", "eng", "--jobs", "1", *(["--json"] if as_json else []))
    assert said.code == 0
    if as_json:
        found = json.loads(said.out)
        assert found["least_similarity"] == pytest.approx(found["documents"][0]["similarity"], abs=1e-4)
        return
    first, summary, *engines = said.out.splitlines()
    assert first.endswith("letter.png")
    assert summary.startswith("median similarity ")
    assert [line.split()[0] for line in engines] == ["tesserocr", "tesseract"]


@pytest.mark.parametrize("engine", ["tesserocr", "tesseract"])
def test_the_engine_that_read_is_said(textclf, scan, tmp_path, engine):
    scan(tmp_path / "letter.png", "Dear Madam", "yours sincerely")
    options = ("-o", tmp_path / "documents.csv", "--lang", "eng", "--no-cache", "--jobs", "1")
    said = textclf("ocr", tmp_path / "letter.png", *options, "--engine", engine)
    assert re.search(rf"1 of 1 documents read in full by {engine} \d", said.err)
    said = textclf("ocr", tmp_path / "letter.png", *options, "--engine", "cuneiform")
    assert said.code == ExitCode.USAGE


@pytest.fixture
def pages(scan, tmp_path, corpus):
    """Makes a scan of several pages, each an invoice or a letter."""

    def draw(*categories: str):
        texts = {category: text for text, category in corpus_texts(corpus)}
        drawn = [
            Image.open(scan(tmp_path / f"{number}.png", *textwrap.wrap(texts[category], 45)))
            for number, category in enumerate(categories)
        ]
        drawn[0].save(tmp_path / "pages.tiff", save_all=True, append_images=drawn[1:])
        return tmp_path / "pages.tiff"

    return draw


@pytest.fixture
def three_pages(pages):
    return pages("invoice", "letter", "letter")


def corpus_texts(corpus):
    found = corpus(5)
    return zip(found.texts, found.categories, strict=True)


@pytest.mark.parametrize("effort", ["full", "balanced", "fast"])
def test_no_more_is_read_than_the_decision_needs(textclf, pages, model_path, effort):
    options = ("--lang", "eng", "--no-cache", "--jobs", "1", "--effort", effort)
    three_pages = pages("invoice", "invoice", "invoice")
    said = textclf("classify", model_path, three_pages, "--json", *options)
    (line,) = map(json.loads, said.out.splitlines())
    assert (line["pages"], line["status"]) == (3, "ok")
    assert line["ocr_engine"].startswith("tesser")
    if effort == "full":
        assert line["pages_read"] == 3
    else:
        assert line["pages_read"] < 3
        assert line["predicted_category"] == "invoice"
    if effort == "fast":
        assert re.search(r"read [\d.]+ of 3 pages", textclf("classify", model_path, three_pages, *options).out)


def test_a_stack_is_noticed_though_it_need_not_be_read_to_its_end(textclf, three_pages, model_path):
    options = ("--json", "--lang", "eng", "--no-cache", "--jobs", "1", "--effort", "balanced")
    line = json.loads(textclf("classify", model_path, three_pages, *options).out)
    assert (line["decision"], line["reason"]) == ("review", "pages disagree")


@pytest.fixture(scope="module")
def looking(tmp_path_factory, corpus):
    """A model that knows invoices by their ruled boxes, and letters by their empty page."""
    from ocr.look import measure_look

    found = corpus(24, categories=("invoice", "letter"))
    images = [boxed(i) if kind == "invoice" else plain(i) for i, kind in enumerate(found.categories)]
    classifier = DocumentClassifier(max_error=0.2, lexicon="none", vectors="none", augment=False)
    classifier.fit(found.texts, found.categories, looks=[measure_look(image) for image in images])
    path = tmp_path_factory.mktemp("looking") / "model.textclf"
    classifier.save(path)
    return path


def plain(seed: int) -> Image.Image:
    draw = np.random.default_rng(seed)
    page = Image.new("L", (700, 990), 255)
    for row in range(3, 9):
        ImageDraw.Draw(page).text((80, 80 * row + int(draw.integers(0, 30))), "dear madam " * 3, fill=0)
    return page


def boxed(seed: int) -> Image.Image:
    page = plain(seed + 1000)
    for row in range(8):
        ImageDraw.Draw(page).rectangle((60, 100 + 100 * row, 640, 190 + 100 * row), outline=0, width=4)
    return page


@pytest.mark.parametrize("kinds", [(boxed,), (plain,), pytest.param((boxed, boxed), marks=pytest.mark.slow)])
def test_at_a_glance_nothing_is_read_where_the_look_is_sure(textclf, tmp_path, looking, kinds):
    first, *others = (kind(500 + i) for i, kind in enumerate(kinds))
    first.save(tmp_path / "scan.tiff", save_all=True, append_images=others)
    options = ("--no-cache", "--jobs", "1", "--effort", "glance")
    line = json.loads(textclf("classify", looking, tmp_path / "scan.tiff", "--json", *options).out)
    assert line["predicted_category"] == ("invoice" if kinds[0] is boxed else "letter")
    assert (line["decision"], line["pages_read"], line["status"]) == ("accept", 0, "partial")
    said = textclf("classify", looking, tmp_path / "scan.tiff", *options).out
    assert "no text was read: judged by its look" in said


def test_at_a_glance_papers_that_look_different_are_read(textclf, tmp_path, looking):
    boxed(600).save(tmp_path / "scan.tiff", save_all=True, append_images=[plain(601)])
    options = ("--no-cache", "--jobs", "1", "--effort", "glance", "--json")
    assert json.loads(textclf("classify", looking, tmp_path / "scan.tiff", *options).out)["pages_read"] > 0


def test_at_a_glance_a_model_without_looks_reads_as_fast(textclf, pages, model_path):
    scan = pages("invoice", "invoice", "invoice")
    options = ("--lang", "eng", "--no-cache", "--jobs", "1", "--json", "--effort")
    glance, fast = (
        json.loads(textclf("classify", model_path, scan, *options, effort).out) for effort in ("glance", "fast")
    )
    assert glance == fast


def test_an_effort_that_is_none_is_refused(textclf, three_pages, model_path):
    said = textclf("classify", model_path, three_pages, "--effort", "lazy", "--no-cache")
    assert said.code == ExitCode.USAGE
    assert "'full', 'balanced', 'fast', 'glance'" in said.error


def test_reading_goes_on_until_the_model_accepts(model, corpus):
    text = corpus(24).texts[0]
    threshold = model.training.acceptance.threshold
    score = model(text).score
    sureness = {
        effort: until_accepted(
            lambda document: model(document.text, ocr_confidence=document.confidence), threshold, effort
        )
        for effort in ("fast", "balanced")
    }

    def read(text: str, confidence: float) -> Document:
        words = (Word(text="word", confidence=confidence, box=(0, 0, 1, 1), line=0),)
        return Document(document_id="a", pages=(Page(number=1, text=text, words=words),))

    assert sureness["fast"](read(text, 90)) == pytest.approx(score / threshold)
    assert sureness["balanced"](read(text, 90)) == pytest.approx(2 * score / (1 + threshold))
    assert sureness["fast"](read("", 0)) == 0
    assert sureness["fast"](read("xkcd qwrt zzgh vbnm", 90)) < 1


@pytest.mark.parametrize("effort", ["full", "fast"])
def test_a_text_that_was_predicted_while_it_was_read_is_not_predicted_again(three_pages, model, monkeypatch, effort):
    evidence, texts = type(model).evidence, []

    def counting(self, looked_at, looks=None):
        texts.extend(looked_at)
        return evidence(self, looked_at, looks)

    monkeypatch.setattr(type(model), "evidence", counting)
    scans = ScanOptions(reading=ReadingOptions(languages=("eng",)), effort=effort, jobs=1, no_cache=True)
    ((document, prediction, explanation),) = classify_files(model, [three_pages], scans, why=True)
    assert texts.count(document.paged_text) == 1
    assert prediction == model(document.paged_text, document.document_id, document.confidence)
    assert explanation == explain(model, document.text)


def test_pages_that_disagree_are_said_alike_by_classify_and_predict(
    textclf, three_pages, model_path, tmp_path, read_table
):
    options = ("--lang", "eng", "--jobs", "1", "--cache", tmp_path / "cache")
    line = json.loads(textclf("classify", model_path, three_pages, "--json", *options).out)
    assert (line["pages"], line["decision"], line["reason"]) == (3, "review", "pages disagree")
    assert [page["page"] for page in line["page_predictions"]] == [1, 2, 3]
    assert [page["predicted_category"] for page in line["page_predictions"]] == ["invoice", "letter", "letter"]

    said = textclf("classify", model_path, three_pages, "--why", *options)
    assert re.search(r"\(pages disagree; pages: 1 invoice \d+%, 2-3 letter [\d-]+%\)", said.out)
    assert re.search(r"^    page 2-3 letter [\d-]+%$", said.out, re.MULTILINE)

    documents, predictions = tmp_path / "d.csv", tmp_path / "p.csv"
    textclf("ocr", three_pages, "-o", documents, *options)
    textclf("predict", model_path, documents, "-o", predictions)
    (row,) = read_table(predictions)
    assert (row["decision"], row["reason"]) == (line["decision"], line["reason"])
    assert float(row["score"]) == pytest.approx(line["score"], abs=1e-6)
    assert re.fullmatch(r"1 invoice \d+%; 2-3 letter [\d-]+%", row["page_categories"])
    # cleaning keeps the pages
    textclf("clean", documents, "-o", tmp_path / "c.csv")
    assert (tmp_path / "c.csv").read_bytes() == documents.read_bytes()


def test_many_pages_are_listed_on_one_short_line():
    pages = tuple(Prediction(document_id=f"{n}", predicted_category="ab"[n % 2], score=0.9) for n in range(1, 1001))
    document = Document(document_id="d", page_count=1000, pages=tuple(Page(number=n) for n in range(1, 1001)))
    line = _line(document, Prediction(document_id="d", predicted_category="a", pages=pages))
    assert "pages: 1 b 90%, 2 a 90%, 3 b 90%" in line
    assert line.endswith("…)")
    assert len(line) < 200
