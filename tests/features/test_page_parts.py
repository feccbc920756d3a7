"""Where words stand on a page, and how the page looks."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.characters import read_pages
from features.page_parts import LONGEST_LINE, TAIL_CHARACTERS, has_lines, label_spans, line_spans, part_spans
from features.page_shape import SHAPE_NAMES, PageShape, measure_pages
from features.tokens import fold, tokenize

PARTS = ("page", "top", "head", "tail", "starts", "labels")
PAGE = "ACME Ltd.\n\n  12 High Street\nTo: all\nFrom: me\nSubject: the picnic\n\nDear all,\nwe meet at noon.\nYours"
ANY_TEXT = st.text(st.sampled_from("aB1: .\n\t é€"), max_size=400)


def part_text(text, part):
    """The pieces of a part, on lines of their own."""
    return "\n".join(text[start:end] for start, end in part_spans(text, part))


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
    assert spans == part_spans(text, part, line_spans(text))


@given(ANY_TEXT | st.text("word ", min_size=300, max_size=900))
@settings(max_examples=100, deadline=None)
def test_lines_hold_every_word_once_and_are_not_long(text):
    spans = line_spans(text)
    assert " ".join(text[start:end] for start, end in spans).split() == text.split()
    longest_word = max(map(len, text.split()), default=0)
    assert all(end - start <= max(LONGEST_LINE, longest_word) for start, end in spans)


@given(st.lists(st.text(max_size=60), max_size=4))
@settings(max_examples=100, deadline=None)
def test_a_batch_of_pages_has_the_characters_and_words_of_each(texts):
    pages = read_pages(texts)
    assert pages.words() == [tokenize(text) for text in texts]
    for text, start in zip(texts, pages.starts.tolist(), strict=True):
        assert "".join(map(chr, pages.codes[start : start + len(text)].tolist())) == text
        assert "".join(map(chr, pages.folded[start : start + len(text)].tolist())) == fold(text)


def test_a_shape_says_the_kind_of_each_character():
    assert "".join(map(chr, read_pages(["Invoice No. 20:\tÈ"]).shapes().tolist())) == "\nullllllbulpbddpbu\n"


@given(ANY_TEXT)
def test_labels_are_what_a_regular_expression_finds(text):
    assert label_spans(text) == [match.span() for match in re.finditer(r"[^\W_][^\n:]{0,25}:", text)]


def measured(texts):
    pages = read_pages(texts)
    return measure_pages(pages, pages.words())


@given(st.lists(st.text(st.sampled_from("aB1: .?$\n"), min_size=1, max_size=80), max_size=4))
@settings(max_examples=100, deadline=None)
def test_measures_are_those_of_plain_counting(texts):
    for text, row in zip(texts, measured(texts), strict=True):
        if not has_lines(text):
            assert np.isnan(row).all()
            continue
        found = dict(zip(SHAPE_NAMES, row.tolist(), strict=True))
        lines = [line for line in text.split("\n") if line.strip()]
        lengths = [len(line) for line in lines]
        words = text.split()
        assert (found["characters"], found["lines"], found["words"]) == (len(text), len(lines), len(words))
        assert found["mean line length"] == pytest.approx(np.mean(lengths))
        assert found["longest line"] == max(lengths)
        assert found["spread of line lengths"] == pytest.approx(np.std(lengths), abs=1e-9)
        assert found["short lines"] == pytest.approx(np.mean([length < 12 for length in lengths]))
        colons = [line.rstrip().endswith(":") for line in lines]
        assert found["lines that end with a colon"] == pytest.approx(np.mean(colons))
        assert found["digits"] == pytest.approx(text.count("1") / len(text))
        assert found["capitals"] == pytest.approx(text.count("B") / len(text))
        assert found["punctuation"] == pytest.approx(sum(map(text.count, ":.?$")) / len(text))
        assert found["mean word length"] == pytest.approx(sum(map(len, words)) / len(words))


def test_measures_count_what_they_are_called_for():
    found = dict(zip(SHAPE_NAMES, measured([PAGE])[0].tolist(), strict=True))
    assert (found["lines"], found["words"], found["question marks"]) == (8, 19, 0)
    assert found["longest line"] == len("Subject: the picnic")
    assert measured([]).shape == (0, len(SHAPE_NAMES))


def test_a_page_is_compared_with_the_deciles_of_others():
    pages = [PAGE, "short", "Total: 5 €\n" * 30] * 5
    shape = PageShape.fit(measured(pages))
    rows = shape.rows(measured([*pages, "word " * 400, ""]))
    assert rows.shape == (17, shape.size)
    assert np.linalg.norm(rows[:15], axis=1) == pytest.approx(1, abs=1e-6)
    assert not rows[15:].any()
    assert (rows[0] != rows[1]).any()


def test_without_a_page_nothing_is_measured():
    shape = PageShape.fit(measured(["word " * 400, ""]))
    assert shape.size == 0
    assert shape.rows(measured([PAGE])).shape == (1, 0)
