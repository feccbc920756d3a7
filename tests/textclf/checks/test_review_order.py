"""The order in which documents are reviewed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from textclf.checks.review_order import MAX_ORDERED, review_order


def test_different_doubtful_documents_come_before_copies_of_one(corpus):
    _, texts, kinds = corpus(10)
    # all invoices are a little more doubtful than all others
    order = review_order(texts, [0.8 if kind == "invoice" else 0.7 for kind in kinds])
    assert kinds[order[0]] == "invoice"
    assert {kinds[i] for i in order[:4]} == {"invoice", "letter", "receipt"}
    assert sorted(order) == [*range(len(texts))]


def test_what_is_in_doubt_comes_before_what_is_not(corpus):
    _, texts, _ = corpus(10)
    doubts = [0.9 if i % 3 == 0 else 0.0 for i in range(len(texts))]
    assert all(doubts[i] for i in review_order(texts, doubts)[:5])


def test_copies_come_by_their_doubt():
    assert review_order(["invoice total due"] * 4, [0.1, 0.9, 0.5, 0.7]) == [1, 3, 2, 0]


@given(st.lists(st.tuples(st.sampled_from(["", "a", "invoice total", "dear sir"]), st.floats(0, 1)), max_size=6))
@settings(max_examples=25)
def test_every_document_is_there_once(documents):
    order = review_order([text for text, _ in documents], [doubt for _, doubt in documents])
    assert sorted(order) == [*range(len(documents))]


def test_beyond_the_most_doubtful_only_doubt_counts():
    texts = [f"word{i}" for i in range(MAX_ORDERED + 2)]
    doubts = [0.5] * MAX_ORDERED + [0.1, 0.2]
    assert review_order(texts, doubts)[-2:] == [MAX_ORDERED + 1, MAX_ORDERED]
