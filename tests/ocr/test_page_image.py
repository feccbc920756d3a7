from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ocr.batch import read_document
from ocr.document import Word
from ocr.layer_check import text_layer_worth
from ocr.ocr_result import OcrResult, quality
from ocr.page_image import is_blank, page_scale, read_upright, row_at
from ocr.reading_options import Limits, ReadingOptions
from ocr.text_layers import TextLayer
from textclf.base.errors import BadInputError, UsageError


@pytest.mark.parametrize(
    ("height", "scale"), [(4, 2.5), (8, 2.5), (10, 2), (14.9, 1.34), (15, 1), (34, 1), (34.1, 0.59), (None, 1)]
)
def test_letters_are_brought_to_a_height_that_tesseract_reads_well(height, scale):
    assert page_scale(height, "auto") == pytest.approx(scale, abs=0.01)


def test_a_given_scale_counts():
    assert page_scale(8, 1.5) == 1.5


@pytest.mark.parametrize("scale", [0, -1, 8.1, float("nan")])
def test_a_scale_without_meaning_is_refused(scale):
    with pytest.raises(UsageError, match="scale"):
        ReadingOptions(scale=scale)


@pytest.mark.parametrize("lines", [2, 3, 5, 9, 40])
@pytest.mark.parametrize("noise", [0, 6])
def test_a_page_is_not_parted_within_a_line(lines, noise):
    tops = range(60, 60 + 30 * lines, 30)
    page = Image.new("L", (800, 120 + 30 * lines), 240)
    for top in tops:
        ImageDraw.Draw(page).text((50, top), "amount due within thirty days, bank charges", fill=0, font_size=20)
    if noise:
        page = ImageChops.subtract(page, Image.effect_noise(page.size, noise).point(lambda value: abs(value - 128)))
    ends = [0, 1 / 2, 1] if lines == 2 else [0, 1 / 4, 1 / 2, 3 / 4, 1]
    rows = [row_at(page, share) for share in ends]
    assert rows == sorted(rows)
    inside = [(row, top) for row in rows for top in tops if top + 5 <= row <= top + 19]
    assert inside == []


def test_where_a_page_has_no_lines_it_is_parted_all_the_same():
    noise = np.random.default_rng(0).normal(128, 60, (1000, 300)).clip(0, 255).astype(np.uint8)
    page = Image.fromarray(noise)
    assert [round(row_at(page, share), -2) for share in (0, 0.5, 1)] == [0, 500, 1000]
    assert row_at(Image.new("L", (300, 1000), 255), 0.5) == 0


def test_blank_is_only_what_holds_nothing():
    assert is_blank(Image.new("L", (3000, 4000), 200))
    assert is_blank(Image.effect_noise((2000, 2000), 20).point(lambda value: value // 8 + 220))
    page = Image.new("L", (2480, 3508), 255)
    ImageDraw.Draw(page).text((200, 200), "3", fill=0, font_size=50)
    assert not is_blank(page)


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_turned_page_is_put_upright(page, encoded, turned):
    read = read_document(encoded(page().rotate(turned, expand=True))).pages[0]
    assert read.rotation == (360 - turned) % 360
    assert (read.width, read.height) == (1240, 900)
    assert "payment of your insurance" in read.text
    dear = next(word for word in read.words if word.text == "Dear")
    assert dear.box == pytest.approx((80, 70, 165, 105), abs=12)


def test_a_poor_page_that_stands_upright_is_not_turned(page, encoded):
    poor = page().resize((310, 225)).filter(ImageFilter.GaussianBlur(1.2))
    assert read_document(encoded(poor)).pages[0].rotation == 0


def _reading(confidence: float, *, count: int = 30, box: tuple[int, int, int, int] = (0, 0, 50, 10)) -> OcrResult:
    return OcrResult(words=tuple(Word(text="payment", confidence=confidence, box=box, line=0) for _ in range(count)))


@pytest.mark.parametrize(
    ("confidence", "count", "readings"), [(65, 1, 1), (64, 9, 4), (64, 10, 1), (55, 30, 1), (54, 30, 2), (54, 10, 4)]
)
def test_a_legible_reading_is_the_only_one(confidence, count, readings):
    seen = []
    read_upright(Image.new("L", (10, 10)), lambda image: seen.append(image) or _reading(confidence, count=count))
    assert len(seen) == readings


def test_of_a_poor_page_only_a_quarter_is_tried_turned():
    sizes = []
    read_upright(Image.new("L", (100, 400)), lambda image: sizes.append(image.size) or _reading(40))
    assert sizes[0] == (100, 400)
    assert sizes[1] <= (100, 115)


@pytest.mark.parametrize(("count", "readings"), [(20, 2), (19, 4)])
def test_readings_are_bounded(count, readings):
    seen = []
    _, rotation = read_upright(Image.new("L", (10, 10)), lambda image: seen.append(image) or _reading(40, count=count))
    assert (len(seen), rotation) == (readings, 0)


def test_a_poor_reading_that_no_attempt_betters_is_still_put_upright_by_its_boxes():
    sideways = _reading(40, box=(10, 20, 20, 70))
    reading, rotation = read_upright(Image.new("L", (100, 200)), lambda image: sideways)
    assert rotation == 90
    assert reading.words[0].box == (20, 80, 70, 90)


def test_an_attempt_that_fails_keeps_the_first_reading():
    answers = iter([_reading(30)])

    def read(image: Image.Image) -> OcrResult:
        try:
            return next(answers)
        except StopIteration:
            raise BadInputError("no time left") from None

    assert read_upright(Image.new("L", (10, 10)), read) == (_reading(30), 0)


def _layer(text: str, **fields: float) -> TextLayer:
    words = tuple(Word(text=word, confidence=100, box=(0, 0, 1, 1), line=0) for word in text.split())
    return TextLayer(text=text, words=words, **fields)


@pytest.mark.parametrize(
    ("layer", "worth"),
    [
        (_layer(""), "nothing"),
        (_layer(" .\r\n-"), "nothing"),
        (_layer("Total amount 42,00"), "enough"),
        (_layer("12/03/2024 42,00"), "enough"),
        (_layer("Totale dell’anno\r\ninter\x02national"), "enough"),
        (_layer("Total \ue001\ue002\ue003 amount"), "doubtful"),
        (_layer("xkcd qwrt zzzz Total"), "doubtful"),
        (_layer("䴀甀氀琀椀挀漀氀漀爀"), "doubtful"),
    ],
)
def test_a_text_layer_is_judged(layer, worth):
    assert text_layer_worth(layer) == worth


def test_quality_counts_real_words_by_confidence():
    assert quality([Word(text="payment", confidence=50, box=(0, 0, 1, 1), line=0)]) == pytest.approx(7 / 4)
    assert quality([Word(text="x|~#", confidence=99, box=(0, 0, 1, 1), line=0)]) == 0


@pytest.mark.parametrize("name", ["max_bytes", "max_pages", "max_pixels", "seconds_per_page"])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(UsageError, match=name):
        Limits(**{name: 0})
