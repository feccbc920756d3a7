"""Choosing the documents of a pile to label."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textclf.base.errors import BadDataError, UsageError
from textclf.checks.selection import select_documents

KINDS = ("invoice", "letter", "receipt")


def skewed(corpus, sizes=(60, 20, 6)):
    """A pile in which one kind is rare, in random order, and the kind of each text."""
    kinds = corpus(max(sizes)).rows()
    rows = [row for kind, size in zip(KINDS, sizes, strict=True) for row in [r for r in kinds if r[2] == kind][:size]]
    random.Random(0).shuffle(rows)
    return [text for _, text, _ in rows], [kind for _, _, kind in rows]


def test_the_first_few_are_of_all_kinds_though_one_is_rare(corpus):
    texts, kinds = skewed(corpus)
    chosen = select_documents(texts, 6)
    assert len({one.position for one in chosen}) == 6
    assert {kinds[one.position] for one in chosen} == {*KINDS}
    by_size = sorted(chosen, key=lambda one: one.group)
    assert [one.group for one in by_size] == [1, 2, 3, 4, 5, 6]
    assert [one.documents for one in by_size] == sorted((one.documents for one in chosen), reverse=True)
    assert all(one.position in one.members for one in chosen)
    assert sorted(i for one in chosen for i in one.members) == [*range(len(texts))]
    assert not any(one.guess or one.score for one in chosen)


def test_groups_are_named_by_words_of_their_kind(corpus):
    from tests.textclf.conftest import OWN_WORDS

    texts, kinds = skewed(corpus, (30, 30, 30))
    for one in select_documents(texts, 3):
        assert one.words
        assert {*one.words} <= {*OWN_WORDS[kinds[one.position]].split()}


def test_with_labelled_documents_what_they_do_not_cover_comes_first_and_is_guessed(corpus):
    texts, kinds = skewed(corpus, (40, 40, 40))
    known = [i for i, kind in enumerate(kinds) if kind != "receipt"][:30]
    pile = [i for i in range(len(texts)) if i not in known]
    chosen = select_documents(
        [texts[i] for i in pile],
        8,
        labelled=[texts[i] for i in known],
        categories=[kinds[i] for i in known],
    )
    found = Counter(kinds[pile[one.position]] for one in chosen)
    assert found["receipt"] > 4
    assert {one.guess for one in chosen} <= {"invoice", "letter"}
    assert all(0.5 <= one.score <= 1 for one in chosen)


def test_one_labelled_category_is_enough_but_gives_no_guess(corpus):
    texts, _ = skewed(corpus)
    chosen = select_documents(texts[1:], 3, labelled=texts[:1], categories=["known"])
    assert [(one.guess, one.score) for one in chosen] == [("", 0.0)] * 3


def test_of_copies_one_is_enough_and_none_of_what_is_labelled_or_has_no_text(corpus):
    texts, _ = skewed(corpus, (6, 6, 0))
    spoilt = [text.upper() for text in texts] + [f"{text} end" for text in texts] + ["", "  ", "?!"]
    chosen = select_documents(texts + spoilt, 50)
    originals = Counter(one.position % len(texts) for one in chosen)
    assert originals == Counter(range(len(texts)))
    again = select_documents(texts + spoilt, 50, labelled=texts[:5], categories=["a", "a", "b", "b", "b"])
    assert {one.position % len(texts) for one in again} == {*range(5, len(texts))}


def test_the_same_seed_gives_the_same_documents_and_the_first_of_many_cover_most(corpus):
    texts, kinds = skewed(corpus)
    many = select_documents(texts, 30, seed=3)
    assert many == select_documents(texts, 30, seed=3)
    assert len({kinds[one.position] for one in many[:5]}) == 3


@given(st.lists(st.text(st.sampled_from("ab c\n?"), max_size=8), max_size=12), st.integers(1, 14))
@settings(max_examples=30, deadline=None)
def test_any_texts_give_different_documents_with_words(texts, n):
    chosen = select_documents(texts, n)
    words = [texts[one.position].split() for one in chosen]
    assert len(chosen) <= n
    assert len({tuple(found) for found in words}) == len(words)
    assert all(any(char in "abc" for char in texts[one.position]) for one in chosen)
    assert bool(chosen) == any(char in "abc" for text in texts for char in text)


def test_progress_counts_all_texts(corpus):
    texts, _ = skewed(corpus)
    seen: list[int] = []
    select_documents(texts, 3, labelled=["dear"], categories=["letter"], progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == len(texts) + 1


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(UsageError, match="1 or more"):
        select_documents(["a text"], 0)
    with pytest.raises(BadDataError, match="one category per text"):
        select_documents(["a text"], 1, labelled=["another"])
