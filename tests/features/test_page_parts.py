"""Where words stand on a page, and how the page looks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.page_parts import LONGEST_LINE, TAIL_CHARACTERS, has_lines, line_spans, part_spans, part_text, shape_of
from features.page_shape import SHAPE_NAMES, PageShape, measure_page, measure_pages

PARTS = ("page", "top", "head", "tail", "starts", "labels")
PAGE = "ACME Ltd.\n\n  12 High Street\nTo: all\nFrom: me\nSubject: the picnic\n\nDear all,\nwe meet at noon.\nYours"
ANY_TEXT = st.text(st.sampled_from("aB1: .\n\t é€"), max_size=400)


def test_head_and_top_are_lines_that_are_not_blank():
    assert part_text(PAGE, "head").splitlines()[-1] == "Subject: the picnic"
    assert part_text(PAGE, "top") == PAGE
    assert part_text(PAGE, "labels") == "To:\nFrom:\nSubject:"
    assert part_text(PAGE, "starts").splitlines()[:3] == ["ACME Ltd.", "12 High", "To: all"]


def test_a_page_without_line_breaks_is_wrapped_and_has_no_line_starts():
    flat = "word " * 400
    assert has_lines(PAGE)
    assert not has_lines(flat)
    assert part_spans(flat, "starts") == []
    assert 400 < len(part_text(flat, "head")) < 5 * LONGEST_LINE + 5
    assert len(part_text(flat, "tail")) == TAIL_CHARACTERS


@pytest.mark.parametrize("part", PARTS)
@given(text=ANY_TEXT)
@settings(max_examples=50, deadline=None)
def test_parts_are_pieces_of_the_page_in_order(part, text):
    spans = part_spans(text, part)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert part_text(text, part) == "\n".join(text[start:end] for start, end in spans)


@given(ANY_TEXT | st.text("word ", min_size=300, max_size=900))
@settings(max_examples=100, deadline=None)
def test_lines_hold_every_word_once_and_are_not_long(text):
    spans = line_spans(text)
    assert " ".join(text[start:end] for start, end in spans).split() == text.split()
    longest_word = max(map(len, text.split()), default=0)
    assert all(end - start <= max(LONGEST_LINE, longest_word) for start, end in spans)


@given(ANY_TEXT)
def test_a_shape_says_the_kind_of_each_character_and_cuts_runs(text):
    shape = shape_of(text)
    assert set(shape) <= set("uldpb\n")
    assert len(shape) <= len(text)
    assert not any(3 * kind in shape for kind in "uldpb")


def test_the_length_of_a_ruled_line_does_not_matter():
    assert shape_of("Total -----") == shape_of("Total ----------------")


def test_measures_count_what_they_are_called_for():
    found = dict(zip(SHAPE_NAMES, measure_page(PAGE).tolist(), strict=True))
    assert (found["lines"], found["words"], found["question marks"]) == (8, 19, 0)
    assert found["longest line"] == len("Subject: the picnic")
    assert measure_page("").shape == (len(SHAPE_NAMES),)


def test_a_page_is_compared_with_the_deciles_of_others():
    pages = [PAGE, "short", "Total: 5 €\n" * 30] * 5
    shape = PageShape.fit(measure_pages(pages))
    rows = shape.rows(measure_pages([*pages, "word " * 400, ""]))
    assert rows.shape == (17, shape.size)
    assert np.linalg.norm(rows[:15], axis=1) == pytest.approx(1, abs=1e-6)
    assert not rows[15:].any()
    assert (rows[0] != rows[1]).any()


def test_without_a_page_nothing_is_measured():
    shape = PageShape.fit(measure_pages(["word " * 400, ""]))
    assert shape.size == 0
    assert shape.rows(measure_pages([PAGE])).shape == (1, 0)
