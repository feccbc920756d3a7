"""What a person sees who splits stacks: split, and ocr and classify with --split."""

from __future__ import annotations

import json

import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

from textclf.base.errors import ExitCode

ACME = ("Acme Trading Ltd", "1 High Street, Carlton - Tel. 0123 456789", "3 May 2021", "Dear Mr Barlow,")
BELL = ("Bell Foods plc", "22 Mill Lane, Oakham - Tel. 0987 654321", "9 June 2022", "Dear Mrs Carver,")
END = ("the invoice total is due, vat number 471.", "Yours sincerely,", "Margaret Johnson")


def policy(page, total):
    clauses = [f"{page}{n}. The insurer pays for damage named in the policy" for n in range(1, 9)]
    return ["Policy 4711882  Harbour Mutual", *clauses, "", f"Page {page} of {total}"]


STACK = ([*ACME, *END], policy(1, 2), policy(2, 2), [*BELL, *END])


def drawn(lines):
    image = Image.new("L", (1000, 1414), 255)
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        pen.text((60, 40 + 60 * row), line, font=ImageFont.load_default(30), fill=0)
    return image


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A scanned stack of a letter, a policy of two pages and another letter."""
    path = tmp_path_factory.mktemp("stack") / "stack.pdf"
    first, *rest = map(drawn, STACK)
    first.save(path, save_all=True, append_images=rest, resolution=120)
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return ("--cache", tmp_path_factory.mktemp("cache"), "--lang", "eng", "--jobs", "1")


def test_a_stack_becomes_files_that_are_named_by_kind(textclf, stack, tmp_path, model_path, cache):
    out = tmp_path / "parts"
    said = textclf("split", stack, "-o", out, "--model", model_path, "--unsure", *cache)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2-3", "4"]
    files = {path.name: len(pypdfium2.PdfDocument(path)) for path in out.iterdir()}
    assert sorted(files.values()) == [1, 1, 2]
    kinds = [line.split()[2] for line in lines]
    assert {name.split(".")[0].split("-")[0] for name in files} == set(kinds)
    again = textclf("split", stack, "-o", out, "--model", model_path, "--unsure", *cache)
    assert again.code == 0
    assert len(list(out.iterdir())) == 6, "nothing is overwritten"


def test_without_a_model_files_are_documents_and_json_says_all(textclf, stack, tmp_path, cache):
    said = textclf("split", stack, "-o", tmp_path / "parts", "--json", "--unsure", *cache)
    parts = [json.loads(line) for line in said.out.splitlines()]
    assert [part["document_id"] for part in parts] == ["stack.pdf#1", "stack.pdf#2-3", "stack.pdf#4"]
    assert [(part["first_page"], part["last_page"]) for part in parts] == [(1, 1), (2, 3), (4, 4)]
    names = [part["file"].rsplit("/")[-1] for part in parts]
    assert names == ["document.pdf", "document-2.pdf", "document-3.pdf"]
    assert {part["part_of"] for part in parts} == {"stack.pdf"}
    assert all(0.5 <= part["cut_score"] <= 1 for part in parts)


def test_a_doubtful_stack_is_told_and_not_written(textclf, tmp_path, cache, monkeypatch, stack):
    from dataclasses import replace

    from ocr import stack as module

    cutter = module.page_cutter()
    doubting = replace(cutter, weights=replace(cutter.weights, sure=1.0))
    monkeypatch.setattr(module, "page_cutter", lambda: doubting)
    said = textclf("split", stack, "-o", tmp_path / "parts", *cache)
    assert said.code == ExitCode.SOME_FAILED
    assert "where to cut 1 of 1 file is doubtful" in said.error
    assert said.out.count("(doubtful stack)") == 3
    assert not (tmp_path / "parts").exists()
    table = tmp_path / "documents.csv"
    assert textclf("ocr", stack, "-o", table, "--split", "auto", *cache).code == 0
    assert table.read_text().count(",review") == 3


def test_ocr_writes_a_row_for_each_document(textclf, stack, tmp_path, read_table, cache):
    table = tmp_path / "documents.csv"
    assert textclf("ocr", stack, "-o", table, "--split", "auto", *cache).code == 0
    rows = read_table(table)
    assert [row["document_id"] for row in rows] == ["stack.pdf#1", "stack.pdf#2-3", "stack.pdf#4"]
    assert [row["pages"] for row in rows] == ["1", "2", "1"]
    assert [row["part_of"] for row in rows] == ["stack.pdf"] * 3
    assert "Acme" in rows[0]["text"]
    assert rows[1]["text"].count("\f") == 1
    assert len({row["sha256"] for row in rows}) == 1
    assert textclf("ocr", stack, "-o", table, "--split", "each-page", *cache).code == 0
    rows = read_table(table)
    assert [row["document_id"] for row in rows] == [f"stack.pdf#{number}" for number in (1, 2, 3, 4)]
    assert textclf("ocr", stack, "-o", table, *cache).code == 0
    (row,) = read_table(table)
    assert (row["document_id"], "part_of" in row) == ("stack.pdf", False)


def test_labels_of_a_file_are_those_of_its_documents(textclf, stack, tmp_path, read_table, cache):
    folder = tmp_path / "scans" / "mixed"
    folder.mkdir(parents=True)
    (folder / "s.pdf").write_bytes(stack.read_bytes())
    table = tmp_path / "documents.csv"
    ask = ("ocr", tmp_path / "scans", "-o", table, "--split", "auto", "--labels-from-folders", *cache)
    assert textclf(*ask).code == 0
    assert [row["category"] for row in read_table(table)] == ["mixed"] * 3


def test_classify_predicts_each_document(textclf, stack, model_path, tmp_path, cache):
    said = textclf("classify", model_path, stack, "--split", "auto", "--json", *cache)
    found = [json.loads(line) for line in said.out.splitlines()]
    assert [one["document_id"] for one in found] == ["stack.pdf#1", "stack.pdf#2-3", "stack.pdf#4"]
    assert [one["pages"] for one in found] == [1, 2, 1]
    assert [(one["first_page"], one["last_page"]) for one in found] == [(1, 1), (2, 3), (4, 4)]
    assert {one["cuts"] for one in found} <= {"accept", "review"}
    pictures = tmp_path / "why"
    ask = ("classify", model_path, stack, "--split", "each-page", "--explain", pictures, *cache)
    assert textclf(*ask).code == 0
    assert (pictures / "stack.pdf#4.png").exists()
    said = textclf("classify", model_path, stack, "--split", "auto", "--explain", tmp_path / "one.png", *cache)
    assert said.code == ExitCode.USAGE


def test_doubtful_cuts_send_all_documents_of_the_stack_to_review(
    textclf, tmp_path, table, model_path, read_table, corpus
):
    header = ("document_id", "text", "category", "part_of", "cuts")
    known = corpus(3)
    rows = [(*row, "s.pdf", "review") for row in known.rows()] + [("alone", known.texts[0], "", "", "")]
    documents = table(tmp_path / "documents.csv", rows, header)
    out = tmp_path / "predictions.csv"
    assert textclf("predict", model_path, documents, "-o", out).code == 0
    decided = {row["document_id"]: (row["decision"], row["reason"]) for row in read_table(out)}
    assert decided.pop("alone")[1] != "unsure where to cut"
    assert set(decided.values()) == {("review", "unsure where to cut")}


def test_splitting_needs_all_pages(textclf, stack, model_path):
    said = textclf("classify", model_path, stack, "--split", "auto", "--effort", "fast")
    assert said.code == ExitCode.USAGE
    assert "--effort" in said.error


def test_files_that_cannot_be_read_do_not_stop_the_others(textclf, stack, tmp_path, cache):
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 cut short")
    said = textclf("split", broken, stack, "-o", tmp_path / "parts", "--unsure", *cache)
    assert said.code == ExitCode.SOME_FAILED
    assert "1 of 2 files could not be read" in said.err
    assert len(list((tmp_path / "parts").iterdir())) == 3


@pytest.mark.slow
def test_a_tiff_is_split_into_tiffs(textclf, tmp_path, cache):
    path = tmp_path / "stack.tif"
    first, *rest = (drawn(lines).convert("1") for lines in STACK)
    first.save(path, save_all=True, append_images=rest, compression="group4", dpi=(120, 120))
    said = textclf("split", path, "-o", tmp_path / "parts", "--unsure", *cache)
    assert said.code == 0
    frames = []
    for name in ("document.tif", "document-2.tif", "document-3.tif"):
        with Image.open(tmp_path / "parts" / name) as image:
            frames.append(image.n_frames)
    assert frames == [1, 2, 1]
