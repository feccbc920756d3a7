"""Texts as poor OCR would have read them."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from features.augmentation import add_ocr_noise, augmented_copies

TEXT = "Please remit the total amount of 4,711.50 by return of mail.\nYours faithfully\n" * 40


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
def test_about_so_many_characters_are_misread(rate):
    read = add_ocr_noise(TEXT, rate, np.random.default_rng(0))
    assert Levenshtein.distance(TEXT, read) / len(TEXT) == pytest.approx(rate, rel=0.35)
    assert read.count("\n") == TEXT.count("\n")


def test_errors_are_those_that_ocr_makes():
    read = add_ocr_noise("l" * 3000, 1.0, np.random.default_rng(0))
    likely = sum(read.count(letter) for letter in "1iI|")
    unlikely = sum(read.count(letter) for letter in "wmgqz")
    assert likely > 20 * (unlikely + 1)


@given(st.text(max_size=200), st.floats(0, 1), st.integers(0, 5))
@settings(max_examples=40)
def test_any_text_can_be_misread_and_the_same_seed_gives_the_same(text, rate, seed):
    read = [add_ocr_noise(text, rate, np.random.default_rng(seed)) for _ in range(2)]
    assert read[0] == read[1]
    if rate == 0:
        assert read[0] == text


def test_every_other_copy_is_misread_the_others_lose_their_lines():
    (flat, misread, top), of = augmented_copies([TEXT] * 2, seed=1)
    assert of.tolist() == [0, 1, 0]
    assert flat == " ".join(TEXT.split())
    assert TEXT.startswith(top)
    assert top.count("\n") == round(TEXT.count("\n") / 3) - 1
    assert augmented_copies(["word " * 90], seed=1).texts[1].split() == ["word"] * 30
    assert misread != TEXT
    assert misread.count("\n") == TEXT.count("\n")
    assert augmented_copies([TEXT] * 2, seed=1).texts == [flat, misread, top]
    assert augmented_copies([TEXT, TEXT], seed=2).texts[1] != misread


def test_the_table_holds_counts_of_short_pieces_and_no_text():
    table = json.loads(files("features").joinpath("ocr_confusions.json").read_text(encoding="utf-8"))
    assert all(len(true) <= 2 and len(read) <= 2 and count > 0 for true, read, count in table["confusions"])
