"""Words looked up by the compiled core, against dictionaries and plain comparisons."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from features.core import MisreadWords, WordTable, skeletons

WORDS = st.lists(st.text(max_size=12), max_size=30)
NEAR = st.text("abcrnmil1", min_size=1, max_size=11)


@given(known=WORDS, asked=WORDS)
@settings(max_examples=200)
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
    assert MisreadWords([([], 0), ([], 2)]).find(["a", ""]) == []
    assert MisreadWords([(["a"], 0)]).find([]) == []
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
@settings(max_examples=300)
def test_skeletons_are_those_of_plain_replacements(words):
    assert skeletons(words) == [plain_skeleton(word) for word in words]


def plain_misread(lists, word):
    """The entries of the first list that the word may be a misreading of, compared one by one."""
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
@settings(max_examples=400)
def test_misread_words_are_those_of_plain_comparisons(lists, asked):
    expected = [(number, *found) for number, word in enumerate(asked) for found in plain_misread(lists, word)]
    assert MisreadWords(lists).find(asked) == expected


def test_more_entries_than_words_are_all_found():
    alike = ["i" * 8, "l" * 8, "1" * 8] * 400
    assert MisreadWords([(alike, 0)]).find(["illilill"]) == [(0, 0, entry) for entry in range(1_200)]


@pytest.mark.parametrize("length", [6, 7, 8, 100_000])
def test_words_of_any_length_are_compared(length):
    word = "ab" * (length // 2) + "c"
    assert MisreadWords([([word], 1)]).find([word[:-1] + "xc"]) == [(0, 0, 0)]
