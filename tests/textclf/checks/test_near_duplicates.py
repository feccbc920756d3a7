from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textclf.checks import near_duplicates as duplicates
from textclf.checks.near_duplicates import SHINGLE, Copies, jaccard, near_duplicates, same_texts, shingles

WORDS = [f"{first}{second}{third}" for first in "bdfgklmnprst" for second in "aeiou" for third in "lmnrst"]
TEXT = st.text(st.sampled_from("abcé ÀB.\n-7"), max_size=60)


def page(draw, words=120):
    return " ".join(draw.choices(WORDS, k=words))


def misread(text, draw, share):
    """Another letter in place of some."""
    return "".join(draw.choice("abcdefgh") if char != " " and draw.random() < share else char for char in text)


def plainly_near(texts, threshold):
    sets = [shingles(text) for text in texts]
    return {
        (first, second)
        for second in range(len(texts))
        for first in range(second)
        if jaccard(sets[first], sets[second]) >= threshold
    }


@given(TEXT)
@settings(max_examples=40)
def test_shingles_are_the_character_windows_of_the_folded_words(text):
    words = " ".join(duplicates.tokenize(text))
    padded = f" {words} "
    windows = {padded[i : i + SHINGLE] for i in range(max(len(padded) - SHINGLE + 1, 1))} if words else set()
    found = shingles(text)
    assert len(found) == len(windows)
    assert np.array_equal(found, np.unique(found))


@given(TEXT, TEXT)
@settings(max_examples=40)
def test_similarity_is_that_of_the_sets_and_the_same_both_ways(one, other):
    value = jaccard(shingles(one), shingles(other))
    assert value == jaccard(shingles(other), shingles(one))
    assert 0 <= value <= 1
    if duplicates.tokenize(one) and duplicates.tokenize(one) == duplicates.tokenize(other):
        assert value == 1


def test_case_accents_and_white_space_make_no_other_text():
    assert same_texts(["È così,\nsì", "e  COSI, si ", "e cosi si", ""]) == [[0, 1], [2], [3]]


def test_two_scans_of_one_page_are_near_duplicates_and_pages_of_the_same_words_are_not():
    draw = random.Random(0)
    pages = [page(draw) for _ in range(60)]
    texts = pages + [misread(text, draw, 0.01) for text in pages[:30]]
    found = near_duplicates(texts, 0.8)
    assert {(pair.first, pair.second) for pair in found} == {(i, 60 + i) for i in range(30)}
    assert all(0.8 <= pair.similarity < 1 for pair in found)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_finds_what_comparing_all_pairs_finds(threshold):
    draw = random.Random(1)
    texts = []
    for _ in range(25):
        text = page(draw)
        texts += [text, misread(text, draw, 0.01), misread(text, draw, 0.04), f"{text} {page(draw, 40)}"]
    texts = [documents[0] for documents in ([texts[i] for i in same] for same in same_texts(texts))]
    found = {(pair.first, pair.second) for pair in near_duplicates(texts, threshold)}
    plain = plainly_near(texts, threshold)
    assert found <= plain
    # of a group that is all alike some pairs may be left out, never a document
    assert {i for pair in found for i in pair} == {i for pair in plain for i in pair}


def test_threshold_is_met_exactly_and_missed_just_above():
    texts = ["abcdefgh", "abcdefghi"]
    (likeness,) = near_duplicates(texts, 0.1)
    assert near_duplicates(texts, likeness.similarity) == [likeness]
    assert near_duplicates(texts, likeness.similarity + 1e-9) == []


def test_a_large_group_holds_together_without_comparing_all_pairs(monkeypatch):
    draw = random.Random(2)
    form = page(draw, 300)
    texts = [f"{form} number {number}" for number in range(1500)]
    compared = []
    monkeypatch.setattr(duplicates, "jaccard", lambda one, other: compared.append(1) or jaccard(one, other))
    group = list(Copies(texts, ["form"] * len(texts), 0.8).duplicates())
    assert len(group) == 1499
    assert {copy.group for copy in group} == {1}
    assert len(compared) < 60 * len(texts)


def test_texts_without_words_are_alike_to_nothing():
    assert near_duplicates(["", " .,- ", "…"], 0.1) == []
    assert list(Copies(["", "", "  ", "..."], ["a", "b", "a", "b"], 0.8).duplicates()) == []


def test_one_text_or_none():
    assert near_duplicates([], 0.8) == []
    assert near_duplicates(["alone"], 0.8) == []


def test_the_same_pairs_every_time():
    draw = random.Random(3)
    texts = [misread(text, draw, 0.02) for text in [page(draw)] * 20]
    assert near_duplicates(texts, 0.6) == near_duplicates(texts, 0.6)


def test_test_documents_are_compared_with_training_documents_only():
    draw = random.Random(4)
    one, two = page(draw), page(draw)
    texts = [one, two, misread(one, draw, 0.01), misread(two, draw, 0.01), misread(two, draw, 0.01)]
    assert {pair[:2] for pair in near_duplicates(texts, 0.7, own=2)} == {(0, 2), (1, 3), (1, 4)}


def test_a_leak_is_found_among_many_test_documents_that_are_alike():
    draw = random.Random(5)
    form = page(draw)
    training = [page(draw) for _ in range(20)] + [form]
    testing = [f"{form} {number}" for number in range(200)]
    copies = Copies(training + testing, ["x"] * 221, 0.8, own=21)
    assert {(copy.document, copy.other) for copy in copies.leaks()} == {(i, 20) for i in range(21, 221)}
    assert list(copies.duplicates()) == []


def test_the_same_test_document_twice_is_two_leaks_and_no_duplicate():
    copies = Copies(["one two three", "ONE two  three", "One Two Three"], ["a", "a", "b"], 0.8, own=1)
    assert [copy[:4] for copy in copies.leaks()] == [(1, 0, 1.0, True), (2, 0, 1.0, True)]
    assert list(copies.duplicates()) == []
    assert list(copies.contradictions()) == []


def test_copies_say_which_document_stands_for_which():
    draw = random.Random(6)
    form, other = page(draw), page(draw)
    near = misread(form, draw, 0.01)
    copies = Copies([form, other, near, form.upper(), near], ["a", "a", "b", "a", "b"], 0.8)
    found = list(copies.duplicates())
    assert [(copy.document, copy.other, copy.same, copy.group) for copy in found] == [
        (3, 0, True, 1),
        (2, 0, False, 1),
        (4, 2, True, 1),
    ]
    # the duplicates say which documents are copies of these two
    assert [(copy.document, copy.other) for copy in copies.contradictions()] == [(0, 2)]


def test_a_text_that_stands_many_times_costs_no_square_of_that():
    texts = ["the same text for all of them"] * 20_000
    started = time.process_time()
    copies = Copies(texts, ["a", *["b"] * 19_999], 0.8)
    assert len(list(copies.duplicates())) == 19_999
    assert [(copy.document, copy.other) for copy in copies.contradictions()] == [(0, 1)]
    assert time.process_time() - started < 10


@pytest.mark.slow
def test_fifty_thousand_documents():
    draw = random.Random(7)
    pages = [page(draw, 150) for _ in range(40_000)]
    texts = pages + [misread(text, draw, 0.01) for text in pages[:10_000]]
    found = near_duplicates(texts, 0.8)
    right = sum((pair.first, pair.second) == (pair.second - 40_000, pair.second) for pair in found)
    assert right == len(found)
    # one misreading in a hundred leaves some pages less alike than the threshold
    assert right > 9_000
