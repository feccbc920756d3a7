from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont, ImageOps

from ocr.ink import FEW_LETTERS, letter_boxes, letter_height, uncovered, unread_regions

LINE = "the premium of your insurance contract"


def written(*lines: str, size: tuple[int, int] = (1000, 700), height: int = 40, top: int = 60) -> Image.Image:
    image = Image.new("L", size, 255)
    for row, line in enumerate(lines):
        ImageDraw.Draw(image).text((50, top + row * height * 3 // 2), line, font=ImageFont.load_default(height), fill=0)
    return image


@pytest.mark.parametrize("height", [14, 20, 40, 80])
def test_the_height_of_letters_is_that_of_most(height):
    image = written(LINE, LINE, size=(2400, 1400), height=height)
    # the x-height of the font is 0.55 of its size
    assert letter_height(letter_boxes(image)) == pytest.approx(0.55 * height, rel=0.25)


def test_white_letters_on_black_count_as_well():
    image = written(LINE, LINE)
    assert len(letter_boxes(ImageOps.invert(image))) == pytest.approx(len(letter_boxes(image)), rel=0.1)


@pytest.mark.parametrize(
    "draw",
    [
        lambda pen: None,
        lambda pen: pen.rectangle((100, 100, 900, 600), fill=0),
        lambda pen: pen.rectangle((100, 100, 900, 600), outline=0, width=3),
        lambda pen: [pen.line((100, y, 900, y), fill=0, width=2) for y in range(100, 600, 30)],
        lambda pen: [pen.ellipse((x, 300, x + 2, 302), fill=0) for x in range(100, 900, 20)],
        lambda pen: pen.ellipse((100, 100, 500, 500), fill=90),
    ],
    ids=["nothing", "black", "frame", "rules", "dots", "disc"],
)
def test_what_is_no_writing_is_no_letter(draw):
    image = Image.new("L", (1000, 700), 255)
    draw(ImageDraw.Draw(image))
    assert len(letter_boxes(image)) < FEW_LETTERS


def test_screens_of_dots_and_noise_are_no_letters_but_words_among_some_specks_are():
    noise = np.random.default_rng(1).random((700, 1000))
    assert len(letter_boxes(Image.fromarray((noise > 0.2).astype(np.uint8) * 255))) < FEW_LETTERS
    screen = Image.linear_gradient("L").resize((1000, 700)).convert("1").convert("L")
    assert len(letter_boxes(screen)) < FEW_LETTERS
    clean = np.asarray(written(LINE, LINE))
    specked = Image.fromarray(np.where(noise > 0.999, 0, clean).astype(np.uint8))
    assert len(letter_boxes(specked)) == pytest.approx(len(letter_boxes(Image.fromarray(clean))), rel=0.3)


def test_letters_of_a_shadowed_photo_are_found():
    page = np.asarray(written(LINE, LINE, LINE), dtype=float)
    shadow = np.linspace(0.25, 1, page.shape[1])
    image = Image.fromarray((page * shadow).astype(np.uint8))
    assert len(letter_boxes(image)) == pytest.approx(len(letter_boxes(written(LINE, LINE, LINE))), rel=0.1)


def test_letters_that_no_word_covers_are_one_region_a_block():
    image = written(LINE, LINE)
    image.paste(written(LINE, LINE, top=500, size=(1000, 700)).crop((0, 450, 1000, 700)), (0, 450))
    letters = letter_boxes(image)
    upper, lower = unread_regions(letters, image.size)
    assert upper.box[3] < 300 < 450 < lower.box[1]
    left = uncovered(letters, [upper.box])
    (only,) = unread_regions(left, image.size)
    assert only == lower
    assert upper.letters + lower.letters == len(letters)
    assert unread_regions(uncovered(left, [lower.box]), image.size) == []


def test_fewer_than_eight_letters_are_no_region():
    boxes = np.array([(20 * n, 10, 20 * n + 10, 30) for n in range(FEW_LETTERS)])
    assert len(unread_regions(boxes, (500, 100))) == 1
    assert unread_regions(boxes[1:], (500, 100)) == []


boxes = st.tuples(*[st.integers(0, 400)] * 2, *[st.integers(1, 60)] * 2).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@settings(max_examples=40)
@given(st.lists(boxes, max_size=60), st.lists(boxes, max_size=20))
def test_every_letter_is_covered_or_left_and_regions_hold_no_others(letters, words):
    rows = np.array(letters, dtype=np.int64).reshape(-1, 4)
    left = uncovered(rows, words)
    kept = set(map(tuple, left.tolist()))
    for letter in letters:
        x, y = (letter[0] + letter[2]) / 2, (letter[1] + letter[3]) / 2
        if any(word[0] <= x <= word[2] and word[1] <= y <= word[3] for word in words):
            assert letter not in kept
    regions = unread_regions(left, (500, 500))
    assert sum(region.letters for region in regions) <= len(left)
    for region in regions:
        assert 0 <= region.box[0] < region.box[2] <= 500
        assert 0 <= region.box[1] < region.box[3] <= 500


@settings(max_examples=30)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_any_pixels_are_looked_at_without_a_fault(width, height, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    found = letter_boxes(Image.fromarray(pixels))
    assert found.shape[1] == 4
    assert (found[:, 2] <= width).all()
    assert (found[:, 3] <= height).all()
