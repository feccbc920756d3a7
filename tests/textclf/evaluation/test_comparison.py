"""Two models on the same documents."""

from __future__ import annotations

import json
from dataclasses import replace
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.base.errors import ExitCode
from textclf.data.sources import InputDocument
from textclf.evaluation.comparison import EFFECTS, compare_models, difference_interval, mcnemar


@pytest.fixture(scope="module")
def worse(classifier, corpus):
    """Trained on documents of which every third invoice is called a letter, and on no receipt."""
    rows = [row for row in corpus(24).rows() if row[2] != "receipt"]
    categories = ["letter" if i % 3 == 0 else category for i, (_, _, category) in enumerate(rows)]
    return classifier().fit([text for _, text, _ in rows], categories).model_


@pytest.fixture(scope="module")
def documents(corpus):
    rows = corpus(10, seed=5).rows()
    return [InputDocument(document_id=name, text=text, category=category) for name, text, category in rows]


def test_a_model_compared_with_itself_changes_nothing(model, documents):
    found = compare_models(model, model, documents)
    assert (found.documents, found.known, found.changes) == (30, 30, ())
    assert found.only_a_right == found.only_b_right == 0
    assert found.p_value == 1
    assert found.difference[0] < 0 < found.difference[1]
    assert "chance could explain" in found.verdict


def test_a_worse_model_is_found_out_and_every_change_listed(model, worse, documents):
    found = compare_models(model, worse, documents)
    by_a, by_b = (list(one.pipe([d.text for d in documents])) for one in (model, worse))
    right = [
        (a.predicted_category == d.category, b.predicted_category == d.category)
        for a, b, d in zip(by_a, by_b, documents, strict=True)
    ]
    assert found.only_a_right == right.count((True, False)) >= 9
    assert found.both_right == right.count((True, True))
    assert found.only_in_a == ("receipt",)
    assert found.verdict.startswith("A is right more often")
    changed = [
        b.document_id
        for a, b in zip(by_a, by_b, strict=True)
        if (a.predicted_category, a.decision) != (b.predicted_category, b.decision)
    ]
    assert len(found.changes) == len(changed)
    order = [EFFECTS.index(change.effect) for change in found.changes]
    assert order == sorted(order)
    assert found.only_b_accepts - found.only_a_accepts == found.accepted_b - found.accepted_a
    assert sum(count for *_, count in found.pairs) == sum(
        a.predicted_category != b.predicted_category for a, b in zip(by_a, by_b, strict=True)
    )
    assert found.pairs[0][0] == "receipt"
    back = compare_models(worse, model, documents)
    assert back.verdict.startswith("B is right more often")
    assert back.p_value == found.p_value
    assert back.difference == pytest.approx((-found.difference[1], -found.difference[0]))


def test_papers_of_none_of_the_categories_are_wrong_only_where_they_are_accepted(model, worse, documents):
    of_a_category, none = documents[:20], [replace(one, category="none of these") for one in documents[20:]]
    alone, found = compare_models(model, worse, of_a_category), compare_models(model, worse, [*of_a_category, *none])
    for name in ("known", "both_right", "both_wrong", "only_a_right", "only_b_right", "p_value", "difference"):
        assert getattr(found, name) == getattr(alone, name), name
    accepted = [sum(one.decision == "accept" for one in own.pipe([d.text for d in none])) for own in (model, worse)]
    assert (found.none_of_these, found.none_of_these_accepted_a, found.none_of_these_accepted_b) == (10, *accepted)
    assert found.accepted_wrong_a == alone.accepted_wrong_a + accepted[0] > 0
    assert f"none of these 10; A accepts {accepted[0]} of them, B {accepted[1]}" in found.to_lines(3)


def test_without_known_categories_it_says_what_changes_and_no_more(model, worse, documents):
    found = compare_models(model, worse, [InputDocument(document_id=d.document_id, text=d.text) for d in documents])
    assert found.known == 0
    assert {change.effect for change in found.changes} <= {"other category", "accepted now", "no longer accepted"}
    assert "cannot be said which model is better" in found.verdict
    assert not any("right  " in line for line in found.to_lines(3))


def test_a_row_that_cannot_be_used_counts_nowhere(model, worse, documents):
    broken = InputDocument(document_id="x", text="dear madam", category="invoice", error="row has 4 cells")
    found = compare_models(model, worse, [broken, *documents])
    assert (found.documents, found.known, found.unusable) == (30, 30, 1)
    assert "1 row could not be used" in found.to_lines(3)


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_test_is_the_exact_binomial_one(only_a, only_b):
    n, least = only_a + only_b, min(only_a, only_b)
    expected = min(1, 2 * sum(comb(n, k) for k in range(least + 1)) / 2**n) if n else 1
    assert mcnemar(only_a, only_b) == pytest.approx(expected)
    assert mcnemar(only_a, only_b) == mcnemar(only_b, only_a)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 200))
def test_the_interval_holds_the_difference_seen(only_a, only_b, others):
    documents = only_a + only_b + others
    low, high = difference_interval(only_a, only_b, documents)
    assert -1 <= low < high <= 1
    if documents:
        assert low <= (only_b - only_a) / documents <= high


def test_the_command_shows_and_writes_the_changes(textclf, model_path, worse, documents, table, tmp_path, read_table):
    from textclf.model.file import save_model

    save_model(worse, tmp_path / "worse.textclf")
    path = table(tmp_path / "d.csv", [(d.document_id, d.text, d.category) for d in documents])
    said = textclf("compare", model_path, tmp_path / "worse.textclf", path, "-o", tmp_path / "changes.csv")
    assert said.code == 0
    assert "only A knows receipt" in said.out
    assert "McNemar" in said.out
    assert said.out.splitlines()[-1].startswith("A is right more often")
    rows = read_table(tmp_path / "changes.csv")
    found = json.loads(textclf("compare", model_path, tmp_path / "worse.textclf", path, "--json").out)
    assert found["verdict"] == said.out.splitlines()[-1]
    assert [row["document_id"] for row in rows] == [change["document_id"] for change in found["changes"]]
    none = textclf("compare", model_path, model_path, path, "--where", "category=nothing")
    assert none.code == ExitCode.BAD_DATA
