from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from aws_ml_adapter.engine.token_hashes import CARTESIAN_LIMIT, Tokens, cartesian, ngrams, osb, strip_punctuation, words

# line ends of all kinds, Unicode spaces, a character of four bytes, a lone surrogate
TEXTS = st.lists(st.text("ab \n\t\x1c\u2003é\U0001f600\ud800", max_size=12), min_size=1, max_size=5)


def read(tokens: Tokens, names: dict[int, str]) -> list[tuple[int, str]]:
    return sorted(
        (row, names[number]) for row, number in zip(tokens.rows.tolist(), tokens.hashes.tolist(), strict=True)
    )


def same_pattern(tokens: Tokens, expected: list[tuple[int, str]]) -> None:
    """Tokens are known by their hashes only, so compare which are equal, and their rows."""
    found = list(zip(tokens.rows.tolist(), tokens.hashes.tolist(), strict=True))
    assert sorted(row for row, _ in found) == sorted(row for row, _ in expected)
    assert len(set(found)) == len(set(expected))
    assert len({number for _, number in found}) == len({text for _, text in expected})


@given(TEXTS)
def test_words_are_those_of_str_split(texts):
    tokens = words([texts])[0]
    expected = [(row, word) for row, text in enumerate(texts) for word in text.split()]
    assert tokens.rows.tolist() == [row for row, _ in expected]
    pairs = set(zip(tokens.hashes.tolist(), (word for _, word in expected), strict=True))
    assert len(pairs) == len({number for number, _ in pairs}) == len({word for _, word in pairs})


@given(TEXTS, TEXTS)
def test_columns_split_together_give_the_same_as_alone(left, right):
    together = words([left, right])
    for tokens, column in zip(together, (left, right), strict=True):
        alone = words([column])[0]
        assert tokens.hashes.tolist() == alone.hashes.tolist()
        assert tokens.rows.tolist() == alone.rows.tolist()


@given(TEXTS, st.integers(2, 10))
def test_ngrams_hold_all_lower_orders_and_never_cross_rows(texts, longest):
    expected = [
        (row, " ".join(split[i : i + n]))
        for row, text in enumerate(texts)
        for split in [text.split()]
        for n in range(1, longest + 1)
        for i in range(len(split) - n + 1)
    ]
    same_pattern(ngrams(words([texts])[0], longest), expected)


# https://docs.aws.amazon.com/machine-learning/latest/dg/data-transformations-reference.html
def test_osb_pairs_the_first_word_of_each_window_with_the_others():
    texts = ["The quick brown fox jumps"]
    expected = "The_quick The__brown The___fox quick_brown quick__fox quick___jumps brown_fox brown__jumps fox_jumps"
    same_pattern(osb(words([texts])[0], 4), [(0, pair) for pair in expected.split()])


@given(TEXTS, st.integers(2, 10))
def test_osb_distinguishes_distances(texts, window):
    expected = [
        (row, f"{split[i]}{'_' * ahead}{split[i + ahead]}")
        for row, text in enumerate(texts)
        for split in [text.split()]
        for ahead in range(1, window)
        for i in range(len(split) - ahead)
    ]
    same_pattern(osb(words([texts])[0], window), expected)


@given(st.lists(st.tuples(st.text("ab ", max_size=8), st.text("bc ", max_size=8)), min_size=1, max_size=4))
def test_cartesian_pairs_all_words_of_a_row(rows):
    left, right = words([[a for a, _ in rows], [b for _, b in rows]])
    expected = [(row, f"{x}_{y}") for row, (a, b) in enumerate(rows) for x, y in product(a.split(), b.split())]
    same_pattern(cartesian(left, right, len(rows)), expected)


def test_cartesian_ends_at_its_limit():
    for length, made in ((250, 250 * 400), (251, CARTESIAN_LIMIT)):
        left, right = words([[" ".join(map(str, range(length)))], [" ".join(map(str, range(400)))]])
        assert len(cartesian(left, right, 1).hashes) == made


def test_punctuation_goes_from_the_ends_of_words_only():
    assert strip_punctuation("“Fasten” your seat-belts! ¡ahora! -- 5.50€ $5 ...") == (
        "Fasten your seat-belts ahora 5.50€ 5"
    )
