"""Words looked up by the compiled core, against dictionaries and plain comparisons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from features.core.words import SETTLED, WANTED, WordFinder, WordTable, skeletons


def misread_words(lists, **bounds):
    return WordFinder([], [], lists, **bounds)


WORDS = st.lists(st.text(max_size=12), max_size=30)
NEAR = st.text("abcrnmil1", min_size=1, max_size=11)


@given(known=WORDS, asked=WORDS)
@settings(max_examples=60)
def test_words_are_found_as_in_a_dictionary(known, asked):
    def plain(word):
        # a table has no words with line breaks, which part words
        return word.replace("\n", " ")

    first = {plain(word): place for place, word in reversed(list(enumerate(known)))}
    table = WordTable(list(map(plain, known)))
    assert table.find([*asked, *known]).tolist() == [first.get(plain(word), -1) for word in [*asked, *known]]


def test_an_empty_table_knows_no_word_and_an_empty_text_asks_for_none():
    assert WordTable([]).find(["", "a", ""]).tolist() == [-1, -1, -1]
    assert WordTable(["", "a"]).find(["", "a", "b"]).tolist() == [0, 1, -1]
    assert WordTable(["a"]).find([]).tolist() == []
    assert misread_words([([], 0), ([], 2)]).find(["a", ""]) == []
    assert misread_words([(["a"], 0)]).find([]) == []
    assert skeletons([]) == []


def test_a_large_table_finds_every_word():
    words = [f"word{number * 7919:x}" for number in range(50_000)]
    table = WordTable(words)
    assert table.find(words).tolist() == list(range(50_000))
    assert table.find([word + "s" for word in words]).max() == -1


def plain_skeleton(word):
    shape = word.translate(str.maketrans("0125689", "olzsgbg"))
    for read, meant in (("rn", "m"), ("vv", "w"), ("cl", "d"), ("i", "l")):
        shape = shape.replace(read, meant)
    return shape


@given(st.lists(st.text("rnvwcldiom0123456789 é", max_size=14), min_size=1, max_size=20))
@settings(max_examples=100)
def test_skeletons_are_those_of_plain_replacements(words):
    assert skeletons(words) == [plain_skeleton(word) for word in words]


def plain_misread(lists, word):
    """The entries of the first list that the word may be a misreading of, compared one by one."""
    if not word or set(word) <= set("0123456789"):
        return []
    for number, (entries, deletions) in enumerate(lists):
        found = [
            (number, entry)
            for entry, other in enumerate(entries)
            if LCSseq.distance(plain_skeleton(word), plain_skeleton(other)) <= deletions
            and not (deletions and (other in word or plain_skeleton(other) in plain_skeleton(word)))
        ]
        if found:
            return found
    return []


@given(
    lists=st.lists(st.tuples(st.lists(NEAR, max_size=25), st.integers(0, 2)), max_size=3),
    asked=st.lists(NEAR | st.just(""), max_size=20),
)
@settings(max_examples=120)
def test_misread_words_are_those_of_plain_comparisons(lists, asked):
    expected = [[number, *found] for number, word in enumerate(asked) for found in plain_misread(lists, word)]
    assert misread_words(lists).find(asked) == expected


def test_more_entries_than_words_are_all_found():
    alike = ["i" * 8, "l" * 8, "1" * 8] * 400
    assert misread_words([(alike, 0)]).find(["illilill"]) == [[0, 0, entry] for entry in range(1_200)]


@pytest.mark.parametrize("length", [6, 7, 8, 100_000])
def test_words_of_any_length_are_compared(length):
    word = "ab" * (length // 2) + "c"
    assert misread_words([([word], 1)], longest=2 * length).find([word[:-1] + "xc"]) == [[0, 0, 0]]


def test_settled_words_are_not_misread_and_wanted_ones_are_found():
    kinds = [SETTLED, WANTED, SETTLED + WANTED, 0]
    finder = WordFinder(["lnvoice", "invo1ce", "invoice", "other"], kinds, [(["invoice"], 0)], shortest=3, longest=7)
    asked = ["lnvoice", "other", "invoice", "invo1ce", "1nvoice", "invoiiice", "in"]
    assert finder.find(asked) == [[2, -1, 2], [3, -1, 1], [3, 0, 0], [4, 0, 0]]


@given(st.lists(st.text("ab1", max_size=4), max_size=30))
@settings(max_examples=40)
def test_mean_vectors_are_those_of_plain_averages(words):
    known = ["a", "b", "ab", "ba"]
    draw = np.random.default_rng(0)
    matrix, weights = draw.normal(size=(4, 5)).astype(np.float32), draw.uniform(1, 2, 4).astype(np.float32)
    common = matrix[0] / np.linalg.norm(matrix[0])
    places = [known.index(word) for word in words if word in known]
    mean = np.average(matrix[places], axis=0, weights=weights[places]) if places else np.zeros(5)
    mean -= (mean @ common) * common
    found = WordTable(known).embed([words], weights, matrix, common, unit=False)[0]
    assert np.allclose(found, mean, atol=1e-6)
    unit = WordTable(known).embed([[], words], weights, matrix, common, unit=True)
    assert not unit[0].any()
    if np.linalg.norm(mean) > 1e-3:
        assert np.allclose(unit[1], mean / np.linalg.norm(mean), atol=1e-4)
