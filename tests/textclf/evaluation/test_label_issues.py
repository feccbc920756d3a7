from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from textclf.evaluation import label_issues
from textclf.evaluation.label_issues import find_label_issues, label_issue_scores, out_of_fold_scores


@st.composite
def scored(draw):
    documents, categories = draw(st.integers(1, 12)), draw(st.integers(2, 4))
    raw = draw(arrays(float, (documents, categories), elements=st.floats(0.01, 1)))
    labels = draw(arrays(np.int64, documents, elements=st.integers(0, categories - 1)))
    return raw / raw.sum(axis=1, keepdims=True), labels


@given(scored())
@settings(max_examples=40)
def test_suspects_are_better_scored_elsewhere_and_come_by_falling_score(given_scores):
    scores, labels = given_scores
    suspects = find_label_issues(scores, labels)
    assert len(set(suspects.tolist())) == len(suspects)
    assert (scores[suspects].argmax(axis=1) != labels[suspects]).all()
    assert (np.diff(label_issue_scores(scores, labels)[suspects]) <= 0).all()


@given(scored())
@settings(max_examples=40)
def test_the_order_of_documents_and_of_categories_changes_no_score(given_scores):
    scores, labels = given_scores
    issues = label_issue_scores(scores, labels)
    assert np.allclose(label_issue_scores(scores[::-1], labels[::-1]), issues[::-1])
    turned = scores.shape[1] - 1 - labels
    assert np.allclose(label_issue_scores(scores[:, ::-1], turned), issues)


def test_a_category_that_models_are_never_sure_of_is_not_suspected_for_that():
    # the same score for the given category: usual among the second, a rare thing among the first
    scores = np.array([[0.95, 0.05]] * 9 + [[0.45, 0.55]] + [[0.55, 0.45]] * 10)
    labels = np.array([0] * 10 + [1] * 10)
    issues = label_issue_scores(scores, labels)
    assert issues[9] == pytest.approx(0.5)
    assert issues[10:] == pytest.approx(0)
    assert find_label_issues(scores, labels).tolist() == [9]


def test_no_suspect_where_scores_agree_with_labels():
    scores = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert find_label_issues(scores, np.array([0, 1])).tolist() == []


def test_scores_of_nought_and_a_category_of_no_document():
    scores = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    labels = np.array([0, 0, 1])
    assert np.isfinite(label_issue_scores(scores, labels)).all()
    assert find_label_issues(scores, labels).tolist() == [0, 1]


@pytest.fixture
def quick(monkeypatch):
    """One cross-validation, of 21 documents at once."""
    monkeypatch.setattr(label_issues, "REPEATS", 1)
    monkeypatch.setattr(label_issues, "PART", 21)


def test_turned_labels_come_first(corpus, caplog, quick, monkeypatch):
    monkeypatch.setattr(label_issues, "PART", 100)
    _, texts, categories = corpus(14, seed=5)
    names = sorted(set(categories))
    labels = np.searchsorted(names, categories)
    wrong = [3, 17, 30]
    labels[wrong] = (labels[wrong] + 1) % len(names)
    caplog.set_level("INFO")
    scores = out_of_fold_scores(texts, labels, names)
    assert scores.shape == (42, 3)
    assert np.allclose(scores.sum(axis=1), 1)
    assert sorted(find_label_issues(scores, labels)[:3].tolist()) == wrong
    assert len(caplog.messages) == 1


def test_many_documents_are_looked_at_in_parts_and_rare_categories_stay_whole(corpus, caplog, quick):
    _, texts, categories = corpus(14, seed=5)
    categories[:3] = ["rare"] * 3
    categories[20] = "invoice"
    names = sorted(set(categories))
    labels = np.searchsorted(names, categories)
    caplog.set_level("INFO")
    scores = out_of_fold_scores(texts, labels, names)
    assert [line for line in caplog.messages if line.startswith("part")] == ["part 1 of 2", "part 2 of 2"]
    assert np.allclose(scores.sum(axis=1), 1)
    # every document has a score for its own category; the rare one is known in one part only
    assert (scores[np.arange(42), labels] > 0).all()
    assert len(set((scores[:3] > 0).sum(axis=1))) == 1
    assert (scores[:, names.index("rare")] == 0).any()
    assert find_label_issues(scores, labels)[0] == 20


def test_a_part_of_one_category_has_no_label_issue(corpus, quick):
    _, texts, _ = corpus(14, seed=5)
    labels = np.array([1, 1] + [0] * 40)
    scores = out_of_fold_scores(texts, labels, ["common", "rare"])
    assert np.allclose(scores.sum(axis=1), 1)
    assert (scores[:, 0] == 1).sum() >= 20
