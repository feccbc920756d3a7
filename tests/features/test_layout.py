"""Where words stand on a page, and how the page looks."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.core.texts import observe
from features.layout import LAYOUT_FEATURES, LayoutScale, has_lines
from features.ngrams import NgramView, compiled_views, find_ngrams
from features.tokens import fold, tokenize

PARTS = ("page", "top", "head", "tail", "starts", "labels")
PAGE = "ACME Ltd.\n\n  12 High Street\nTo: all\nFrom: me\nSubject: the picnic\n\nDear all,\nwe meet at noon.\nYours"
ANY_TEXT = st.text(st.sampled_from("aB1: .\n\t é€"), max_size=400)


def places_in(text, part):
    """The positions of the characters of a text, without white space, that are in a part."""
    single = NgramView(name="single", unit="character", shortest=1, longest=1, part=part)
    found = find_ngrams(text, single)
    return set(found.places[found.first].tolist())


def part_text(text, part):
    """What is in a part, with all else blank."""
    inside = places_in(text, part)
    return "".join(char if place in inside else " " for place, char in enumerate(fold(text)))


def test_head_and_top_are_lines_that_are_not_blank():
    assert part_text(PAGE, "head").split()[-3:] == ["subject:", "the", "picnic"]
    assert part_text(PAGE, "top").split() == PAGE.lower().split()
    assert part_text(PAGE, "labels").split() == ["to:", "from:", "subject:"]
    assert part_text(PAGE, "starts").split()[:6] == ["acme", "ltd.", "12", "high", "to:", "all"]


def test_a_page_without_line_breaks_has_a_head_of_so_many_characters_and_no_line_starts():
    flat = "word " * 400
    assert has_lines(PAGE)
    assert not has_lines(flat)
    assert not places_in(flat, "starts")
    assert part_text(flat, "head").split() == ["word"] * 100
    assert part_text(flat, "top").split() == ["word"] * 200
    assert part_text(flat, "tail").split() == ["word"] * 60


@given(ANY_TEXT | st.text("word ", min_size=300, max_size=900))
@settings(max_examples=50)
def test_parts_are_those_that_lines_and_pieces_tell(text):
    found = {part: places_in(text, part) for part in PARTS}
    pieces = list(re.finditer(r"\S+", text))
    assert [piece.group() for piece in pieces] == [word for _, word in plain_parts(text)]
    for piece, (parts, _) in zip(pieces, plain_parts(text), strict=True):
        for part in set(PARTS) - {"labels"}:
            assert {place in found[part] for place in range(*piece.span())} == {part in parts}


@given(st.text(st.sampled_from("aB:: .\n"), max_size=80) | ANY_TEXT)
@settings(max_examples=50)
def test_a_label_is_up_to_26_characters_before_a_colon(text):
    line = re.sub(r"\s+", lambda run: "\n" if "\n" in run.group() else " ", text.strip())
    labels = {
        place
        for match in re.finditer(r"(?:\A|(?<=[\n:]))[^\n:]*:", line)
        for place in range(max(match.start(), match.end() - 27), match.end())
    }
    # of the characters that are not white space, which squeezing leaves in order
    spots = [place for place, char in enumerate(line) if not char.isspace()]
    places = [place for place, char in enumerate(text) if not char.isspace()]
    expected = {place for spot, place in zip(spots, places, strict=True) if spot in labels}
    assert places_in(text, "labels") == expected


def plain_parts(text):
    """Each piece of a text, with the parts that it is in."""
    lines = [line.split() for line in text.split("\n") if line.strip()]
    spots = [(i, j, word) for i, words in enumerate(lines) for j, word in enumerate(words)]
    place, length = 0, len(" ".join(text.split()))
    for i, j, word in spots:
        rules = {
            "top": i < 10 and place < 1000,
            "head": i < 5 and place < 500,
            "tail": length - place <= 300,
            "starts": j < 2 and has_lines(text),
        }
        yield {"page", *(part for part, holds in rules.items() if holds)}, word
        place += len(word) + 1


def observed(text):
    return observe([text], compiled_views(()))[0]


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_words_are_those_of_the_tokeniser(text):
    assert list(observed(text).words[0]) == tokenize(text)


def measured(texts):
    return np.array([observed(text).measures[0] for text in texts]).reshape(-1, len(LAYOUT_FEATURES))


@given(st.lists(st.text(st.sampled_from("aB1: .?$\n"), min_size=1, max_size=80), max_size=4))
@settings(max_examples=40)
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
    assert np.isfinite(measured(["\u00a8 \n\u00b4"])).all()
