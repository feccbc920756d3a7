"""The tokeniser that everything stands on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.tokens import fold, tokenize

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \n\t.,-_'’", []),
        ("Carta d’Identità, Mod.730", ["carta", "d", "identita", "mod", "730"]),
        ("PERCHÉ perché perche", ["perche"] * 3),
        ("snake_case-word", ["snake", "case", "word"]),
        ("€1.234,56", ["1", "234", "56"]),
        ("Straße İstanbul", ["straße", "istanbul"]),
        ("договор 合同", ["договор", "合同"]),
        ("ﬁne x² Ⅳ", ["ﬁne", "x2", "Ⅳ".lower()]),
        ("a\u00a0b\u2028c\x00d", ["a", "b", "c", "d"]),
        ("\U00020000x \ud800y", ["\U00020000x", "y"]),
    ],
)
def test_words_are_folded_runs_of_letters_and_digits(text, words):
    assert tokenize(text) == words


def test_every_character_folds_to_one_character_and_stays_folded():
    # all of Unicode's first plane and a part of those beyond, lone surrogates among them
    for code in (*range(0x10000), *range(0x10000, 0x110000, 97)):
        folded = fold(chr(code))
        assert len(folded) == 1
        assert fold(folded) == folded


@given(ANY_TEXT)
@settings(max_examples=100)
def test_folding_keeps_places_and_folds_each_character_by_itself(text):
    assert fold(text) == "".join(fold(char) for char in text)


@given(ANY_TEXT)
@settings(max_examples=100)
def test_words_of_words_are_the_words(text):
    words = tokenize(text)
    assert tokenize(" ".join(words)) == words


@given(st.text(st.characters(max_codepoint=0x24F), max_size=60))
@settings(max_examples=60)
def test_latin_text_has_the_same_words_in_capitals(text):
    # left out is what has no single counterpart, as ß (SS), İ (an i with a dot of its own) or µ (the Greek capital)
    text = "".join(char for char in text if char.upper().lower() == char.lower() and len(char.lower()) == 1)
    assert tokenize(text.upper()) == tokenize(text.lower()) == tokenize(text)
