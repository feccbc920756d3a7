from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.core.tokens import KEY_BITS, Tokens, ngrams, osb, pairs, row_keys, split_words

# line ends of all kinds, Unicode spaces, a character of four bytes, a lone surrogate
TEXTS = st.lists(st.text("ab \n\t\x1c\u2003é\U0001f600\ud800", max_size=12), min_size=1, max_size=5)


def placed(tokens: Tokens) -> list[tuple[int, int]]:
    rows = np.repeat(np.arange(len(tokens.starts) - 1), np.diff(tokens.starts))
    return list(zip(rows.tolist(), tokens.hashes.tolist(), strict=True))


def same_pattern(tokens: Tokens, expected: list[tuple[int, str]]) -> None:
    """Tokens are known by their hashes only, so compare which are equal, and their rows."""
    found = placed(tokens)
    assert sorted(row for row, _ in found) == sorted(row for row, _ in expected)
    assert len(set(found)) == len(set(expected))
    assert len({number for _, number in found}) == len({text for _, text in expected})


@given(TEXTS)
def test_words_are_those_of_str_split(texts):
    tokens = split_words(texts)
    expected = [(row, word) for row, text in enumerate(texts) for word in text.split()]
    assert [row for row, _ in placed(tokens)] == [row for row, _ in expected]
    pairs = set(zip(tokens.hashes.tolist(), (word for _, word in expected), strict=True))
    assert len(pairs) == len({number for number, _ in pairs}) == len({word for _, word in pairs})


@given(TEXTS, st.integers(2, 10))
def test_ngrams_hold_all_lower_orders_and_never_cross_rows(texts, longest):
    expected = [
        (row, " ".join(split[i : i + n]))
        for row, text in enumerate(texts)
        for split in [text.split()]
        for n in range(1, longest + 1)
        for i in range(len(split) - n + 1)
    ]
    same_pattern(ngrams(split_words(texts), longest), expected)


# https://docs.aws.amazon.com/machine-learning/latest/dg/data-transformations-reference.html
def test_osb_pairs_the_first_word_of_each_window_with_the_others():
    texts = ["The quick brown fox jumps"]
    expected = "The_quick The__brown The___fox quick_brown quick__fox quick___jumps brown_fox brown__jumps fox_jumps"
    same_pattern(osb(split_words(texts), 4), [(0, pair) for pair in expected.split()])


@given(TEXTS, st.integers(2, 10))
def test_osb_distinguishes_distances(texts, window):
    expected = [
        (row, f"{split[i]}{'_' * ahead}{split[i + ahead]}")
        for row, text in enumerate(texts)
        for split in [text.split()]
        for ahead in range(1, window)
        for i in range(len(split) - ahead)
    ]
    same_pattern(osb(split_words(texts), window), expected)


@given(st.lists(st.tuples(st.text("ab ", max_size=8), st.text("bc ", max_size=8)), min_size=1, max_size=4))
def test_pairs_are_of_all_words_of_a_row(rows):
    left, right = (split_words(texts) for texts in zip(*rows, strict=True))
    expected = [(row, f"{x}_{y}") for row, (a, b) in enumerate(rows) for x, y in product(a.split(), b.split())]
    same_pattern(pairs(left, right, 1_000), expected)


def test_pairs_end_at_their_limit_in_each_row():
    left, right = split_words(["a b c", "a b", "", "a"]), split_words(["x y", "x y", "x", ""])
    assert np.diff(pairs(left, right, 5).starts).tolist() == [5, 4, 0, 0]


@given(TEXTS)
def test_keys_of_a_row_are_the_different_ones_in_rising_order_with_length_1(texts):
    tokens = split_words(texts)
    starts, keys, values = row_keys(tokens, 7)
    for row, text in enumerate(texts):
        own = keys[starts[row] : starts[row + 1]].tolist()
        assert own == sorted(set(own))
        assert len(own) == len(set(text.split()))
        assert max(own, default=0) < 2**KEY_BITS
        assert sum(values[starts[row] : starts[row + 1]] ** 2) == pytest.approx(float(bool(own)))
    assert starts[-1] == len(keys) == len(values)


def test_hashes_do_not_change_as_models_keep_them():
    tokens = split_words(["Dear aunt", "é \U0001f600"])
    assert tokens.hashes.tolist() == [
        12880648356811539263,
        2956094824065649491,
        8278062457674268280,
        3800448602182332369,
    ]
    assert row_keys(ngrams(tokens, 2), 1)[1].tolist() == [
        106039009210540865,
        237650897706797196,
        267320835009482473,
        94745889973917846,
        97338384075670942,
        158254679229538215,
    ]
