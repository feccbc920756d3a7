"""Pages with the words drawn that spoke for a category and against it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ocr.batch import read_document
from ocr.document import Page, Word
from ocr.reading_options import Limits, ReadingOptions
from textclf.base.errors import BadInputError
from textclf.data.drawing import draw_explanation
from textclf.data.word_places import strongest_words, word_boxes
from textclf.model.explain import WordAmount, explain

OPTIONS = ReadingOptions(languages=("eng",))
LINES = ("invoice total due", "dear aunt", "vat number gross payment")


def blueness(picture: Image.Image, box) -> float:
    """How much bluer than yellow the middle of a box is, 0 where it is grey."""
    left, top, right, bottom = box
    piece = np.asarray(picture.crop((left, top, right, bottom)).convert("RGB"), dtype=float)
    return float((piece[..., 2] - piece[..., 0]).mean())


def drawn_words(document, model, path):
    explained = explain(model, document.text)
    (written,) = draw_explanation(document, explained, path, Limits())
    picture = Image.open(written)
    (page,) = document.pages
    band = picture.height - round(picture.width * page.height / page.width)
    factor = picture.width / page.width
    found = {}
    for word in page.words:
        left, top, right, bottom = (edge * factor for edge in word.box)
        found[word.text.lower()] = blueness(picture, (left, top + band, right, bottom + band))
    return explained, found


@pytest.mark.parametrize("rotation", [0, 180])
def test_words_for_the_category_are_blue_and_those_against_it_orange(model, scan, tmp_path, rotation):
    path = scan(tmp_path / "page.png", *LINES)
    Image.open(path).rotate(rotation, expand=True).save(path)
    document = read_document(path, options=OPTIONS)
    explained, found = drawn_words(document, model, tmp_path / "out.png")
    assert explained.category == "invoice"
    amounts = {word.text.lower(): word.amount for word in explained.words}
    strongest = max(map(abs, amounts.values()))
    assert found.keys() >= {"invoice", "dear", "vat", "gross"}
    for word, amount in amounts.items():
        if abs(amount) > 0.2 * strongest:
            assert (found[word] > 3) == (amount > 0), word
            assert (found[word] < -3) == (amount < 0), word


def test_a_page_with_a_text_layer_is_drawn_too(model, tmp_path):
    fpdf = pytest.importorskip("fpdf", reason="writes the PDF")
    pdf = fpdf.FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=24)
    for line in LINES:
        pdf.cell(text=line, new_x="LMARGIN", new_y="NEXT")
    pdf.output(str(tmp_path / "digital.pdf"))
    document = read_document(tmp_path / "digital.pdf", options=OPTIONS)
    assert document.pages[0].source == "text layer"
    _, found = drawn_words(document, model, tmp_path / "out.png")
    assert found["invoice"] > 3


def test_pages_are_numbered_and_the_same_input_gives_the_same_bytes(model, scan, tmp_path):
    pages = [Image.open(scan(tmp_path / f"{n}.png", *LINES)) for n in range(2)]
    pages[0].save(tmp_path / "two.tiff", save_all=True, append_images=pages[1:])
    document = read_document(tmp_path / "two.tiff", options=OPTIONS)
    explained = explain(model, document.text)
    written = draw_explanation(document, explained, tmp_path / "out.png", Limits())
    assert [path.name for path in written] == ["out.png", "out-2.png"]
    first = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in draw_explanation(document, explained, written[0], Limits())] == first


def test_a_page_without_a_word_is_shaded_where_its_look_spoke(model, tmp_path):
    picture = Image.new("L", (600, 800), 255)
    picture.paste(0, (60, 80, 300, 700))
    picture.save(tmp_path / "drawing.png")
    document = read_document(tmp_path / "drawing.png", options=OPTIONS)
    assert not document.text
    regions = tuple((1.0, *(0.0,) * 10, -1.0) for _ in range(16))
    explained = replace(explain(model, document.text), regions=regions)
    (written,) = draw_explanation(document, explained, tmp_path / "out.png", Limits())
    shown = Image.open(written)
    assert blueness(shown, (5, 300, 25, 500)) > 3
    assert blueness(shown, (shown.width - 25, 300, shown.width - 5, 500)) < -3
    assert blueness(shown, (330, 300, 400, 500)) == pytest.approx(0, abs=1)


def test_a_document_without_a_word_cannot_be_drawn(model, tmp_path):
    Image.new("L", (400, 300), 255).save(tmp_path / "blank.png")
    document = read_document(tmp_path / "blank.png", options=OPTIONS)
    with pytest.raises(BadInputError, match="no word"):
        draw_explanation(document, explain(model, document.text), tmp_path / "out.png", Limits())
    assert not (tmp_path / "out.png").exists()


def test_words_that_cleaning_changed_are_found_again():
    read = ["Insur-", "ance", "||", "lnvoice", "Total"]
    words = tuple(
        Word(text=text, confidence=90, box=(10 * i, 0, 10 * i + 8, 10), line=0) for i, text in enumerate(read)
    )
    page = Page(number=1, words=words, width=100, height=10)
    clean = [WordAmount("Insurance", 0, 9, 0.5), WordAmount("Invoice", 10, 17, 0.25), WordAmount("Total", 18, 23, -0.1)]
    found = {round(100 * box[0]) // 10: word.amount for box, word in word_boxes(page, clean)}
    assert found[4] == -0.1
    assert found[0] == 0.5
    assert found[3] == 0.25


def test_the_words_that_decided_are_told_with_their_page_and_place(model, scan, tmp_path):
    pages = [Image.open(scan(tmp_path / f"{n}.png", *LINES[n:])) for n in range(2)]
    pages[0].save(tmp_path / "two.tiff", save_all=True, append_images=pages[1:])
    document = read_document(tmp_path / "two.tiff", options=OPTIONS)
    explained = explain(model, document.text)
    words = strongest_words(document, explained, 8)
    assert len(words) == 8
    assert [abs(word.weight) for word in words] == sorted((abs(word.weight) for word in words), reverse=True)
    assert {word.page for word in words} == {1, 2}
    for word in words:
        read = [one for one in document.pages[word.page - 1].words if one.text.lower() == word.text.lower()]
        centre = word.box[0] + (word.box[2] - word.box[0]) / 2
        assert any(one.box[0] < centre * document.pages[0].width < one.box[2] for one in read), word
