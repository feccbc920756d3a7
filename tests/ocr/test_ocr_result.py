from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.document import Word
from ocr.ocr_result import OcrResult, inserted, line_text, moved, stacked, turned, with_layer, without


def line(text: str, top: int, left: int = 0) -> OcrResult:
    """A line of words, each 10 pixels a letter wide and 20 high."""
    words = []
    for word in text.split():
        words.append(Word(text=word, confidence=90, box=(left, top, left + 10 * len(word), top + 20), line=0))
        left += 10 * len(word) + 10
    return OcrResult(words=tuple(words), text=text)


PAGE = OcrResult(
    words=stacked([line("Dear Sir", 0), line("thank you", 30), line("Yours", 90)]).words,
    text="Dear Sir\n\nthank you\n\n\nYours",
)


@pytest.mark.parametrize(
    ("top", "left", "text"),
    [
        (60, 0, "Dear Sir\n\nthank you\nTotal due\n\n\nYours"),
        (300, 0, "Dear Sir\n\nthank you\n\n\nYours\nTotal due"),
        (30, 400, "Dear Sir\n\nthank you\nTotal due\n\n\nYours"),
        (-30, 0, "Total due\nDear Sir\n\nthank you\n\n\nYours"),
    ],
    ids=["between", "below", "beside", "above"],
)
def test_a_block_stands_where_it_was_found(top, left, text):
    page = inserted(PAGE, line("Total due", top, left))
    assert page.text == text
    assert [word.text for word in page.words] == text.split()
    lines = [word.line for word in page.words]
    assert lines == sorted(lines)
    assert set(lines) == set(range(4))


def test_a_block_of_the_right_column_follows_the_lines_above_it_there():
    page = stacked(
        [line("left one", 0), line("left two", 100), line("right one", 0, 500), line("right three", 100, 500)]
    )
    assert inserted(page, line("right two", 50, 500)).text.split("\n")[2:] == ["right one", "right two", "right three"]


def test_nothing_inserted_changes_nothing():
    assert inserted(PAGE, OcrResult()) == PAGE


def test_what_is_known_is_left_out_with_its_line():
    assert without(PAGE, line("Sir", 0, 50)).text == "Dear\n\nthank you\n\n\nYours"
    assert without(PAGE, line("thank you", 30)).text == "Dear Sir\n\n\nYours"
    assert without(PAGE, PAGE) == OcrResult()


def test_a_line_of_the_layer_replaces_what_was_read_in_its_place():
    read = stacked([line("Dear 5ir", 0), line("thank you", 30)])
    assert with_layer(read, line("Dear Sir", 0), is_drawn=False).text == "Dear Sir\nthank you"


def test_a_line_that_only_the_layer_has_is_inserted():
    assert (
        with_layer(line("thank you", 30), line("Protocol 4711", 0), is_drawn=False).text == "Protocol 4711\nthank you"
    )


def test_a_layer_that_stands_beside_its_words_is_not_read_twice():
    beside = moved(PAGE, down=15, right=900)
    assert with_layer(PAGE, beside, is_drawn=False) == PAGE
    assert len(with_layer(PAGE, beside, is_drawn=True).words) == 2 * len(PAGE.words)


def test_boxes_are_scaled_before_they_are_shifted():
    assert moved(line("Total", 20, 10), factor=0.5, down=100).words[0].box == (5, 110, 30, 120)


@pytest.mark.parametrize(
    ("lefts", "text"),
    [([0, 20, 40, 80, 100, 120], "D U E  P E R"), ([0, 20, 40, 60, 80, 100], "D U E P E R"), ([0, 20, 80], "D U E")],
)
def test_between_letters_set_apart_a_wide_gap_is_written_as_two_blanks(lefts, text):
    letters = zip("DUEPER", lefts, strict=False)
    assert line_text([Word(text=char, confidence=90, box=(x, 0, x + 9, 9), line=0) for char, x in letters]) == text


words = st.builds(
    Word,
    text=st.text("abc", min_size=1, max_size=5),
    confidence=st.just(90.0),
    box=st.tuples(*[st.integers(0, 80)] * 4).map(lambda b: (min(b[::2]), min(b[1::2]), max(b[::2]), max(b[1::2]))),
    line=st.just(0),
)
readings = st.lists(words, min_size=1, max_size=4).map(
    lambda found: OcrResult(words=tuple(found), text=" ".join(word.text for word in found))
)
pages = st.lists(readings, max_size=5).map(stacked)


@settings(max_examples=40)
@given(pages, pages)
def test_insertion_keeps_all_words_and_their_lines(page, block):
    both = inserted(page, block)
    assert sorted(word.text for word in both.words) == sorted(word.text for word in (*page.words, *block.words))
    assert both.text.split() == [word.text for word in both.words]
    assert [len(text.split()) for text in both.text.split("\n") if text] == [
        sum(word.line == number for word in both.words)
        for number in range(1 + max((w.line for w in both.words), default=-1))
    ]


@settings(max_examples=40)
@given(pages, st.sampled_from([0, 90, 180, 270]))
def test_turning_round_and_back_gives_the_same_boxes(page, rotation):
    size = (100, 90)
    there = turned(page, size, rotation)
    assert turned(there, size if rotation % 180 == 0 else size[::-1], -rotation % 360) == page
