from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from features.feature_set import FeatureSettings
from features.word_vectors import WordVectors
from textclf.base.errors import BadDataError
from textclf.model.fit import (
    cross_validate,
    fit_model,
    learning_curve,
)
from textclf.model.folds import group_numbers, stratified_folds
from textclf.model.linear import TOLERANCE
from textclf.model.training_data import check_categories, data_hash
from textclf.model.training_texts import observe_training

BARE = FeatureSettings(lexicon="none", vectors="none")
CATEGORIES = ["invoice", "letter", "receipt"]


def labels_of(categories: list[str]) -> np.ndarray:
    return np.searchsorted(CATEGORIES, categories)


@pytest.mark.parametrize(
    ("counts", "what", "remedy"),
    [
        ({}, "no document", "both columns filled"),
        ({"invoice": 9}, "one category, 'invoice'", "at least one other"),
        ({"invoice": 9, "letter": 1}, "'letter'", "remove the category"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused_with_a_remedy(counts, what, remedy):
    with pytest.raises(BadDataError) as caught:
        check_categories(Counter(counts))
    assert what in str(caught.value)
    assert remedy in str(caught.value)


def test_categories_with_less_than_five_documents_are_warned_about():
    warnings = check_categories(Counter({"a": 2, "b": 4, "c": 5}))
    assert len(warnings) == 2
    assert "'a' has 2 documents" in warnings[0]
    assert "'b' has 4 documents" in warnings[1]


def test_the_data_hash_tells_any_change():
    one = data_hash(["a", "b"], ["text", "more"], ["x", "y"])
    assert one == data_hash(["a", "b"], ["text", "more"], ["x", "y"])
    assert len(one) == 64
    assert one != data_hash(["a", "b"], ["textm", "ore"], ["x", "y"])
    assert one != data_hash(["a", "c"], ["text", "more"], ["x", "y"])
    assert one != data_hash(["b", "a"], ["more", "text"], ["y", "x"])
    assert data_hash(["a"], ["\ud800"], ["x"]) != data_hash(["a"], ["?"], ["x"])


@pytest.mark.parametrize("lexicon", ["none", "learn"])
def test_labels_without_meaning_are_predicted_by_chance(corpus, lexicon):
    """Keywords that are chosen, or n-grams that are weighed, on held-out documents would show here."""
    _, texts, _ = corpus(30, categories=["invoice"])
    texts = [f"{text} mark{number} mark{number}" for number, text in enumerate(texts * 3)]
    shuffled = np.random.default_rng(0).permutation(np.arange(90) % 3)
    settings = replace(BARE, lexicon=lexicon)
    observed = observe_training(texts, shuffled, CATEGORIES, settings)
    found = cross_validate(observed, settings, c=1.0, folds=stratified_folds(shuffled, 5, 0))
    assert found.accuracy < 0.48


def test_the_margins_of_a_fold_do_not_depend_on_what_is_held_out(corpus):
    """Whatever stands in the held-out documents beside their own text, lexicon, vectors and tables do not see it."""
    _, texts, categories = corpus(10)
    labels = labels_of(categories)
    settings = FeatureSettings(lexicon="learn", vectors="learn", vector_size=4)
    before = margins_of(texts, labels, settings)
    held_out = np.flatnonzero(_second_half(labels))
    changed = [f"{text} planted" * 3 if i in held_out[1:] else text for i, text in enumerate(texts)]
    after = margins_of(changed, labels, settings)
    assert after[held_out[0]].tolist() == before[held_out[0]].tolist()


def margins_of(texts: list[str], labels: np.ndarray, settings: FeatureSettings) -> np.ndarray:
    observed = observe_training(texts, labels, CATEGORIES, settings)
    return cross_validate(observed, settings, c=1.0, folds=stratified_folds(labels, 2, 0)).margins


def _second_half(labels: np.ndarray) -> np.ndarray:
    from sklearn.model_selection import StratifiedKFold

    chosen = np.zeros(len(labels), bool)
    chosen[list(StratifiedKFold(2, shuffle=True, random_state=0).split(labels, labels))[1][1]] = True
    return chosen


def test_every_category_is_in_every_training_part(corpus):
    _, texts, categories = corpus(8)
    texts, categories = [*texts, "rare paper one", "rare paper two"], [*categories, "zebra", "zebra"]
    names = [*CATEGORIES, "zebra"]
    labels = np.searchsorted(names, categories)
    for share in (1.0, 0.125):
        found = cross_validate(
            observe_training(texts, labels, names, BARE),
            BARE,
            c=1.0,
            folds=stratified_folds(labels, 5, 0),
            fraction=share,
        )
        assert found.margins.shape == (26, 4)
        assert np.isfinite(found.margins).all()


def test_more_training_documents_are_no_worse(corpus):
    _, texts, categories = corpus(16)
    labels = labels_of(categories)
    observed = observe_training(texts, labels, CATEGORIES, BARE)
    points = [
        cross_validate(observed, BARE, c=1.0, folds=stratified_folds(labels, 4, 0), fraction=share)
        for share in (0.1, 1.0)
    ]
    small, whole = learning_curve(points)
    assert (small.documents, whole.documents) == (6, 36)
    assert small.accuracy <= whole.accuracy


def test_numpy_alone_gives_the_margins_of_the_library(corpus):
    from sklearn.svm import LinearSVC

    from textclf.model.linear import feature_matrix, for_liblinear

    for names in (CATEGORIES, CATEGORIES[:2]):
        _, texts, categories = corpus(8, categories=names)
        labels = np.searchsorted(names, categories)
        settings = replace(BARE, augment=False)
        features, model, *_ = fit_model(observe_training(texts, labels, names, settings), settings, c=1.0)
        rows = features.rows(texts)
        matrix, _ = for_liblinear(feature_matrix([rows], features))
        library = LinearSVC(tol=TOLERANCE, class_weight="balanced", random_state=0).fit(matrix, labels)
        expected = library.decision_function(matrix)
        margins = model.margins(rows)
        found = margins[:, 1] - margins[:, 0] if len(names) == 2 else margins
        assert np.allclose(found, expected, atol=1e-5)


def test_given_vectors_are_used_and_kept_to_the_words_of_the_texts(corpus):
    _, texts, categories = corpus(6)
    vectors = WordVectors.from_words(("invoice", "madam", "nowhere"), np.eye(3, dtype=np.float32))
    settings = replace(BARE, vectors=vectors)
    fitted = fit_model(observe_training(texts, labels_of(categories), CATEGORIES, settings), settings, c=1.0)
    assert fitted.features.vectors.words == ("invoice", "madam")


def test_documents_of_a_group_are_never_on_both_sides_of_a_fold():
    draw = np.random.default_rng(0)
    labels, groups = np.repeat([0, 1, 2], 20), np.repeat(np.arange(15), 4)
    order = draw.permutation(60)
    labels, groups = labels[order], groups[order]
    folds = stratified_folds(labels, 5, 0, groups)
    assert np.sort(np.concatenate([test for _, test in folds])).tolist() == list(range(60))
    for train, test in folds:
        assert not set(groups[train].tolist()) & set(groups[test].tolist())
        assert set(labels[train].tolist()) == {0, 1, 2}


def test_a_group_may_hold_several_categories_and_a_category_one_group_only():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    numbers, warned = group_numbers(["a", "a", "b", "b", "a", "a", "a", "a"], labels, ["bill", "letter"])
    assert len(warned) == 1
    assert "'letter'" in warned[0]
    assert "'a'" in warned[0]
    for train, _ in stratified_folds(labels, 5, 0, numbers):
        assert set(labels[train].tolist()) == {0, 1}


def test_groups_that_cannot_be_split_are_refused_with_a_remedy():
    labels = np.array([0, 0, 1, 1])
    with pytest.raises(BadDataError, match="--group"):
        # wherever "a" goes, the other part lacks a category
        stratified_folds(labels, 2, 0, np.array([0, 1, 0, 0]))


def test_what_only_the_issuer_tells_is_not_taken_for_knowledge():
    """Each category has two issuers with letterheads of their own, and no word in common."""
    texts, categories, issuers = [], [], []
    for category, issuer in (("bill", "alder"), ("bill", "birch"), ("letter", "cedar"), ("letter", "elm")):
        for number in range(10):
            texts.append(f"{issuer} company {issuer} street {number} page {number}")
            categories.append(category)
            issuers.append(issuer)
    labels = np.searchsorted(["bill", "letter"], categories)
    observed = observe_training(texts, labels, ["bill", "letter"], BARE)
    numbers, _ = group_numbers(issuers, labels, ["bill", "letter"])
    mixed, apart = (
        cross_validate(observed, BARE, c=1.0, folds=stratified_folds(labels, 5, 0, groups))
        for groups in (None, numbers)
    )
    assert mixed.accuracy == 1.0
    assert apart.accuracy < 0.7


def test_keywords_of_a_person_weigh_more_than_learned_ones(corpus):
    from features.lexicon import Lexicon, LexiconCategory
    from textclf.model.linear import keyword_weights

    _, texts, categories = corpus(6)
    own = LexiconCategory(name="invoice", keywords=("vat",))
    lexicon = Lexicon(categories=(own, LexiconCategory(name="letter", keywords=("madam",), learned=True)))
    settings = replace(BARE, lexicon=lexicon)
    fitted = fit_model(observe_training(texts, labels_of(categories), CATEGORIES, settings), settings, c=1.0)
    person, learned = keyword_weights(fitted.features).tolist()
    assert person > learned
