"""Where words stand on a page, and how the page looks."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.layout import (
    LAYOUT_FEATURES,
    PART_BITS,
    TAIL_CHARACTERS,
    LayoutScale,
    has_lines,
    measure_layout,
    part_bits,
)
from features.text_batch import read_batch
from features.tokens import fold, tokenize

PARTS = ("page", "top", "head", "tail", "starts", "labels")
PAGE = "ACME Ltd.\n\n  12 High Street\nTo: all\nFrom: me\nSubject: the picnic\n\nDear all,\nwe meet at noon.\nYours"
ANY_TEXT = st.text(st.sampled_from("aB1: .\n\t é€"), max_size=400)


def part_text(text, part):
    """The pieces of a part as they are counted, white space squeezed."""
    pieces = read_batch([text]).pieces
    chosen = part_bits(pieces, [text], {part}) & PART_BITS[part] > 0
    return "".join(map(chr, pieces.codes[chosen].tolist()))


def test_head_and_top_are_lines_that_are_not_blank():
    assert part_text(PAGE, "head").splitlines()[-1] == "subject: the picnic"
    assert part_text(PAGE, "top").split() == PAGE.lower().split()
    assert part_text(PAGE, "labels") == "\nto:\nfrom:\nsubject:"
    assert part_text(PAGE, "starts").splitlines()[1:4] == ["acme ltd.", "12 high", "to: all"]


def test_a_page_without_line_breaks_has_a_head_of_so_many_characters_and_no_line_starts():
    flat = "word " * 400
    assert has_lines(PAGE)
    assert not has_lines(flat)
    assert part_text(flat, "starts") == ""
    assert part_text(flat, "head").split() == ["word"] * 100
    assert part_text(flat, "top").split() == ["word"] * 200
    assert part_text(flat, "tail").split() == ["word"] * 60


@given(st.lists(ANY_TEXT | st.text("word ", min_size=300, max_size=900), max_size=4))
@settings(max_examples=150)
def test_parts_are_those_that_lines_and_pieces_tell(texts):
    pieces = read_batch(texts).pieces
    if not len(pieces.owners):
        return
    bits = part_bits(pieces, texts, set(PARTS)).tolist()
    begin = 0
    for number, text in enumerate(texts):
        words = text.split()
        if not words:
            continue
        end = pieces.gaps[np.searchsorted(pieces.owners, number, side="right")]
        line = "".join(map(chr, pieces.codes[begin : end + 1].tolist()))
        assert line.split() == list(map(fold, words))
        found = [
            {part for part, bit in PART_BITS.items() if bits[begin + match.start()] & bit} - {"labels"}
            for match in re.finditer(r"\S+", line)
        ]
        assert found == [parts for parts, _ in plain_parts(text)]
        labels = {
            place
            for match in re.finditer(r"(?:\A|(?<=[\n:]))[^\n:]*:", line[1:])
            for place in range(max(match.start(), match.end() - 27), match.end())
        }
        for place in range(len(line) - 1):
            if line[place + 1].isspace():
                continue
            assert bool(bits[begin + place + 1] & PART_BITS["labels"]) == (place in labels)
        begin = end


def plain_parts(text):
    """Each piece of a text, with the parts that it is in."""
    lines = [line.split() for line in text.split("\n") if line.strip()]
    spots = [(i, j, word) for i, words in enumerate(lines) for j, word in enumerate(words)]
    place, length = 0, len(" ".join(text.split()))
    for i, j, word in spots:
        rules = {
            "top": i < 10 and place < 1000,
            "head": i < 5 and place < 500,
            "tail": length - place <= TAIL_CHARACTERS,
            "starts": j < 2 and has_lines(text),
        }
        yield {"page", *(part for part, holds in rules.items() if holds)}, word
        place += len(word) + 1


@given(st.lists(st.text(max_size=60), max_size=4))
@settings(max_examples=100)
def test_a_batch_of_pages_has_the_characters_and_words_of_each(texts):
    pages = read_batch(texts)
    assert pages.words() == [tokenize(text) for text in texts]
    for text, start in zip(texts, pages.starts.tolist(), strict=True):
        assert "".join(map(chr, pages.codes[start : start + len(text)].tolist())) == text
        assert "".join(map(chr, pages.folded[start : start + len(text)].tolist())) == fold(text)


def test_a_shape_says_the_kind_of_each_character():
    assert "".join(map(chr, read_batch(["Invoice No. 20:\tÈ"]).shapes().tolist())) == "\nullllllbulpbddpbu\n"


def measured(texts):
    pages = read_batch(texts)
    return measure_layout(pages, pages.words())


@given(st.lists(st.text(st.sampled_from("aB1: .?$\n"), min_size=1, max_size=80), max_size=4))
@settings(max_examples=100)
def test_measures_are_those_of_plain_counting(texts):
    for text, row in zip(texts, measured(texts), strict=True):
        if not has_lines(text):
            assert np.isnan(row).all()
            continue
        found = dict(zip(LAYOUT_FEATURES, row.tolist(), strict=True))
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
    found = dict(zip(LAYOUT_FEATURES, measured([PAGE])[0].tolist(), strict=True))
    assert (found["lines"], found["words"], found["question marks"]) == (8, 19, 0)
    assert found["longest line"] == len("Subject: the picnic")
    assert measured([]).shape == (0, len(LAYOUT_FEATURES))


def test_a_page_is_compared_with_the_deciles_of_others():
    pages = [PAGE, "short", "Total: 5 €\n" * 30] * 5
    shape = LayoutScale.fit(measured(pages))
    rows = shape.rows(measured([*pages, "word " * 400, ""]))
    assert rows.shape == (17, shape.size)
    assert np.linalg.norm(rows[:15], axis=1) == pytest.approx(1, abs=1e-6)
    assert not rows[15:].any()
    assert (rows[0] != rows[1]).any()


def test_without_a_page_nothing_is_measured():
    shape = LayoutScale.fit(measured(["word " * 400, ""]))
    assert shape.size == 0
    assert shape.rows(measured([PAGE])).shape == (1, 0)


def test_a_page_of_accents_without_letters_is_measured():
    pages = read_batch(["\u00a8 \n\u00b4"])
    assert np.isfinite(measure_layout(pages, pages.words())).all()
