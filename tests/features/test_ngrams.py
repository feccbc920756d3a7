"""N-grams against a plain counting of the same definition, and their weights against scikit-learn's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfTransformer

from features.ngrams import BUCKET_BITS, VIEWS, NgramView, SparseRows, count_ngrams, find_ngrams, stack_rows
from features.tfidf import NgramTfidf, fit_tfidf
from features.tokens import WORD, fold, tokenize

WORDS, CHARACTERS = VIEWS[0], VIEWS[1]


def count(texts, view):
    return count_ngrams(texts, [view])


EACH_VIEW = pytest.mark.parametrize(
    "view", [replace(view, part="page", form="text") for view in VIEWS], ids=lambda view: view.name
)
ODD = [
    *"aAbéÉ1_.' \n\t\r",
    "\u00a0",
    "\u2028",
    "\x85",
    "\x1c",
    "´",
    "①",
    "ﬁ",
    "\u0301",
    "\U00020000",
    "😀",
    "𝒜",
    "\ud800",
]
TEXT = st.text(st.sampled_from(ODD) | st.characters(exclude_categories=()), max_size=40)
ENGLISH = ["to be or not to be", "to be is to do", "do be do", "", "not one word here twice"]


def plain_ngrams(text: str, view: NgramView) -> list[tuple[str, ...]]:
    """The n-grams as `NgramView` defines them, one by one."""
    inner_blanks = view.unit == "word"
    units = tokenize(text) if inner_blanks else list(squeezed(text))
    windows = [
        tuple(units[start : start + n])
        for n in range(view.shortest, view.longest + 1)
        for start in range(len(units) - n + 1)
    ]
    return [
        window
        for window in windows
        if inner_blanks or not (any(map(str.isspace, window[1:-1])) or "".join(window).isspace())
    ]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", lambda run: "\n" if "\n" in run.group() else " ", f"\n{fold(text)}\n")


def plain_bucket(window: tuple[str, ...], view: NgramView) -> int:
    """The bucket of one n-gram, in Python's own whole numbers. Model files depend on it: it may never change."""

    def mix(number: int) -> int:
        number = (number ^ (number >> 16)) * 0x85EBCA6B % 2**32
        number = (number ^ (number >> 13)) * 0xC2B2AE35 % 2**32
        return number ^ (number >> 16)

    def polynomial(characters: str) -> int:
        return sum((ord(char) + 1) * pow(0x9E3779B1, i, 2**32) for i, char in enumerate(characters)) % 2**32

    if view.unit == "character":
        return mix((polynomial("".join(reversed(window))) + len(window)) % 2**32) >> 10
    hashed = polynomial(window[0])
    for word in window[1:]:
        hashed = (mix(hashed) + polynomial(word)) % 2**32
    return mix(hashed) >> 10


def plain_counts(text: str, view: NgramView) -> dict[int, float]:
    return Counter(plain_bucket(window, view) for window in plain_ngrams(text, view))


def counted(texts: Sequence[str], view: NgramView) -> list[dict[int, float]]:
    return as_dicts(count(texts, view))


def as_dicts(rows: SparseRows) -> list[dict[int, float]]:
    spans = [slice(*bounds) for bounds in pairwise(rows.starts)]
    for span in spans:
        assert (np.diff(rows.indices[span]) > 0).all()
    return [dict(zip(rows.indices[span].tolist(), rows.values[span].tolist(), strict=True)) for span in spans]


# counts


@EACH_VIEW
@given(texts=st.lists(TEXT, max_size=5))
@settings(max_examples=50)
def test_counts_are_those_of_plain_counting_for_any_texts(view, texts):
    assert counted(texts, view) == [plain_counts(text, view) for text in texts]


@pytest.mark.parametrize(
    "view",
    [
        NgramView(name="three words", unit="word", shortest=3, longest=3),
        NgramView(name="one word", unit="word", shortest=1, longest=1),
        NgramView(name="long", unit="character", shortest=4, longest=9),
        NgramView(name="single", unit="character", shortest=1, longest=2),
    ],
    ids=lambda view: view.name,
)
@given(texts=st.lists(st.text("ab \n", max_size=25), max_size=4))
@settings(max_examples=40)
def test_so_are_those_of_other_lengths(view, texts):
    assert counted(texts, view) == [plain_counts(text, view) for text in texts]


@EACH_VIEW
def test_long_texts_of_many_documents_count_the_same_alone_and_in_a_batch(view):
    texts = [" ".join(f"word{i * j % 97}" for j in range(i * 40)) for i in range(33)]
    assert counted(texts, view) == [row for text in texts for row in counted([text], view)]
    assert counted(texts[-1:], view) == [plain_counts(texts[-1], view)]


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("", []),
        (" \n ", []),
        ("a", ["\na", "a\n", "\na\n"]),
        ("A  b", ["\na", "a ", " b", "b\n", "\na ", " b\n"]),
        ("a \n b", ["\na", "a\n", "\nb", "b\n", "\na\n", "\nb\n"]),
        ("a\u00a0b", ["\na", "a ", " b", "b\n", "\na ", " b\n"]),
    ],
)
def test_character_windows_touch_white_space_with_their_ends_only(text, windows):
    assert counted([text], CHARACTERS) == [Counter(plain_bucket(tuple(window), CHARACTERS) for window in windows)]


def test_the_order_of_words_counts_and_the_place_does_not():
    both, other = counted(["tax return", "return tax"], WORDS)
    assert len(both.keys() & other.keys()) == 2
    assert len(both.keys() ^ other.keys()) == 2
    longer = counted(["what a tax return it is"], WORDS)[0]
    assert both.keys() < longer.keys()


def test_words_beyond_the_first_plane_are_words():
    assert counted(["\U00020000\U00020001 b"], WORDS) == counted(["\U00020000\U00020001. B"], WORDS)
    assert len(counted(["\U00020000\U00020001 b"], WORDS)[0]) == 3
    assert counted(["😀"], WORDS) == [{}]


@EACH_VIEW
def test_an_empty_batch_has_no_rows(view):
    rows = count([], view)
    assert rows.starts.tolist() == [0]
    assert as_dicts(rows) == []


def test_buckets_stay_what_they_are_in_model_files():
    assert sorted(counted(["to be"], WORDS)[0]) == [457168, 847378, 3212054]
    assert sorted(counted(["è"], CHARACTERS)[0]) == [3038001, 3615061, 4107086]


@EACH_VIEW
def test_stacked_batches_are_one_batch(view):
    parts = [count(part, view) for part in (ENGLISH[:2], [], ENGLISH[2:])]
    whole = count(ENGLISH, view)
    for stacked, expected in zip(stack_rows(parts), whole, strict=True):
        assert stacked.dtype == expected.dtype
        assert stacked.tolist() == expected.tolist()
    assert [len(array) for array in stack_rows([])] == [1, 0, 0]


PARTS = ("page", "top", "head", "tail", "starts", "labels")
TWO_OF_A_PART = NgramView(name="longer", unit="character", shortest=4, longest=9, part="head")


@given(texts=st.lists(TEXT, max_size=5))
@settings(max_examples=40)
def test_views_counted_together_are_those_counted_alone(texts):
    views = [*VIEWS, TWO_OF_A_PART]
    together = as_dicts(count_ngrams(texts, views))
    for number, view in enumerate(views):
        own = [{k & 0x3FFFFF: v for k, v in row.items() if k >> BUCKET_BITS == number} for row in together]
        assert own == counted(texts, view)


@pytest.mark.parametrize("part", PARTS)
@given(texts=st.lists(TEXT | st.text("aB1: .\n", max_size=200), max_size=4))
@settings(max_examples=40)
def test_a_part_counts_what_begins_in_it(part, texts):
    assert counted(texts, replace(WORDS, part=part)) == [words_of(text, part) for text in texts]
    assert counted(texts, replace(CHARACTERS, part=part)) == [windows_of(text, part) for text in texts]


def in_part(text: str, part: str) -> list[bool]:
    """Say of each character of a text, white space squeezed, whether it is in a part; of white space nothing."""
    single = NgramView(name="single", unit="character", shortest=1, longest=1, part=part)
    found = set(find_ngrams(text, single).first.tolist())
    return [place in found for place in range(len(squeezed(text)))]


def words_of(text: str, part: str) -> dict[int, float]:
    inside, line = in_part(text, part), squeezed(text)
    words = [(match.group(), inside[match.start()]) for match in WORD.finditer(line)]
    kept = [word for word, within in words if within]
    runs = [tuple(kept[i : i + n]) for n in (1, 2) for i in range(len(kept) - n + 1)]
    return Counter(plain_bucket(run, WORDS) for run in runs)


def windows_of(text: str, part: str) -> dict[int, float]:
    inside, line = in_part(text, part), squeezed(text)
    windows = [(i, line[i : i + n]) for n in range(2, 6) for i in range(len(line) - n + 1)]
    kept = [
        window
        for i, window in windows
        if not any(map(str.isspace, window[1:-1])) and not window.isspace() and inside[i + window[0].isspace()]
    ]
    return Counter(plain_bucket(tuple(window), CHARACTERS) for window in kept)


@given(texts=st.lists(TEXT, max_size=4))
@settings(max_examples=40)
def test_shapes_count_as_the_text_of_their_letters(texts):
    def letter(char):
        if char == "\n":
            return char
        alpha = char.isalpha()
        kinds = (("b", char.isspace()), ("d", char.isdecimal()), ("u", alpha and char.isupper()), ("l", alpha))
        return next((kind for kind, holds in kinds if holds), "p")

    shapes = [re.sub(r"(.)\1{2,}", r"\1\1", "".join(map(letter, text))) for text in texts]
    view = replace(CHARACTERS, form="shape")
    assert as_dicts(count(texts, view)) == as_dicts(count(shapes, CHARACTERS))


# weights


def fitted(texts: Sequence[str], view: NgramView, **options: int) -> tuple[NgramTfidf, SparseRows]:
    counts = count(texts, view)
    return fit_tfidf(counts, [view], **options), counts


@EACH_VIEW
@given(texts=st.lists(st.text("abc \n", max_size=30), min_size=1, max_size=8), least=st.integers(1, 3))
@settings(max_examples=40)
def test_weights_are_those_of_scikit_learn(view, texts, least):
    columns, counts = fitted(texts, view, min_documents=least)
    (table,) = columns.tables
    buckets, places = np.unique(counts.indices, return_inverse=True)
    matrix = csr_array((counts.values, places, counts.starts), shape=(len(texts), len(buckets)))
    kept = np.bincount(places, minlength=len(buckets)) >= least
    assert table.buckets.tolist() == buckets[kept].tolist()
    ours = columns.weigh(counts)
    ours = csr_array((ours.values, ours.indices, ours.starts), shape=(len(texts), len(table.buckets))).toarray()
    if kept.any():
        theirs = TfidfTransformer(sublinear_tf=True).fit_transform(matrix[:, kept]).toarray()
        assert np.allclose(ours, theirs, atol=1e-6)


@EACH_VIEW
def test_rows_of_a_batch_have_the_bytes_of_rows_one_by_one(view):
    columns, counts = fitted(ENGLISH * 5, view)
    batch = columns.weigh(counts)
    alone = stack_rows([columns.weigh(count([text], view)) for text in ENGLISH * 5])
    for one, other in zip(batch, alone, strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


@EACH_VIEW
def test_a_text_without_a_known_ngram_is_a_row_of_zeros_wherever_it_stands(view):
    columns, _ = fitted(ENGLISH * 2, view)
    unknown = "ξξξ"
    rows = columns.weigh(count([unknown, ENGLISH[0], unknown, "", ENGLISH[0], unknown], view))
    found = as_dicts(rows)
    assert [bool(row) for row in found] == [False, True, False, False, True, False]
    assert found[1] == found[4]
    assert np.linalg.norm(list(found[1].values())) == pytest.approx(1)


@EACH_VIEW
@pytest.mark.parametrize("texts", [[], ["", ""], ["all once"]])
def test_where_nothing_is_kept_every_row_is_zero(view, texts):
    columns, _ = fitted(texts, view)
    assert columns.starts.tolist() == [0, 0]
    assert as_dicts(columns.weigh(count(["all once", ""], view))) == [{}, {}]


def test_views_side_by_side_weigh_as_each_alone():
    texts = ENGLISH * 2 + ["Unheard", "not one line\nhere: twice"]
    counts = count_ngrams(texts[:6], VIEWS)
    columns = fit_tfidf(counts, VIEWS)
    together = as_dicts(columns.weigh(count_ngrams(texts, VIEWS)))
    for view, table, start, end in zip(VIEWS, columns.tables, *bounds(columns), strict=True):
        alone = as_dicts(NgramTfidf((table,)).weigh(count(texts, view)))
        assert [{c - start: v for c, v in row.items() if start <= c < end} for row in together] == alone


def bounds(columns: NgramTfidf) -> tuple[list[int], list[int]]:
    starts = columns.starts.tolist()
    return starts[:-1], starts[1:]
