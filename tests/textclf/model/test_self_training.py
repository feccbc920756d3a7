"""Self-training: what unlabelled documents give, and that they reveal no label that is held out."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from features.feature_set import FeatureSettings
from textclf import DocumentClassifier
from textclf.model.fit import cross_validate, fit_model, with_embedded
from textclf.model.folds import stratified_folds
from textclf.model.self_training import is_of_use, most_certain, pseudo_label
from textclf.model.training_texts import observe_training

BARE = FeatureSettings(lexicon="none", vectors="none")
QUICK = DocumentClassifier(lexicon="none", vectors="none", augment=False, background=False)
CATEGORIES = ["invoice", "letter", "receipt"]


def test_words_that_only_unlabelled_documents_have_are_learned():
    """A document of the words on the right is linked to its category by unlabelled ones that have both kinds."""
    known = {"invoice": ("total", "maturity"), "letter": ("dear", "affection"), "receipt": ("cash", "groceries")}
    texts = [f"{left} {left} today {i}" for left, _ in known.values() for i in range(4)]
    labels = np.repeat(np.arange(3), 4)
    linked = [f"{left} {right} {i}" for left, right in known.values() for i in range(12)]
    unseen = [right for _, right in known.values()]
    observed = observe_training(texts, labels, CATEGORIES, BARE, unlabelled=linked)
    found = {}
    for self_training in (False, True):
        fitted = fit_model(observed, BARE, c=1.0, self_training=self_training)
        found[self_training] = fitted.linear.margins(fitted.features.rows(unseen)).argmax(axis=1).tolist()
    assert found[True] == [0, 1, 2]
    assert found[False] != [0, 1, 2]


def test_a_category_is_capped_and_its_surest_documents_come_first():
    lead = np.linspace(0.1, 1, 100)
    margins = np.zeros((110, 2))
    margins[:100, 0], margins[100:, 1] = lead, 0.5
    chosen, labels = most_certain(margins, 40)
    counts = np.bincount(labels).tolist()
    assert counts[1] == 10  # rare and not capped
    assert 20 < counts[0] < 30
    assert chosen[labels == 0].tolist() == list(range(100 - counts[0], 100))
    assert [found.tolist() for found in most_certain(np.zeros((0, 2)), 0)] == [[], []]


def test_no_label_of_a_held_out_document_reaches_the_pile():
    """With random labels nothing can be known, even though each text is in the pile too."""
    draw = random.Random(0)
    texts = [" ".join([*draw.choices("abcdefghijklmnopqrstuvwxyz", k=6), f"n{i}"]) for i in range(60)]
    labels = np.array([i % 3 for i in range(60)])
    settings = FeatureSettings(lexicon="none", vectors="none", augment=False)
    observed = observe_training(texts, labels, CATEGORIES, settings, unlabelled=texts)
    folds = stratified_folds(labels, 5, 0)
    assert cross_validate(observed, settings, c=1.0, folds=folds, self_training=True).accuracy < 0.5


@pytest.mark.parametrize(("labelled", "unlabelled", "used"), [(60, 1, True), (61, 1, False), (6, 0, False)])
def test_many_labelled_documents_need_no_others(labelled, unlabelled, used):
    assert is_of_use(labelled, 3, unlabelled) is used


def test_training_records_what_the_unlabelled_documents_gave(corpus):
    _, texts, categories = corpus(4)
    _, more, _ = corpus(10, seed=1)
    fitted = QUICK.fit(texts, categories, unlabelled=more)
    record = fitted.model_.training
    assert (record.unlabelled.given, record.unlabelled.used) == (30, 30)
    assert list(record.unlabelled.pseudo_labelled) == ["invoice", "letter", "receipt"]
    assert 15 <= sum(record.unlabelled.pseudo_labelled.values()) <= 23
    assert [group.features for group in record.groups] == ["text", "text + unlabelled documents"]
    assert sum(record.documents.values()) == 12
    _, many, known = corpus(21)
    enough = QUICK.fit(many, known, unlabelled=more).model_.training
    assert (enough.unlabelled.used, sum(enough.unlabelled.pseudo_labelled.values())) == (30, 0)
    assert [group.features for group in enough.groups] == ["text"]


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_model_does_not_depend_on_the_order_of_unlabelled_documents_or_the_processes(corpus, tmp_path, processes):
    _, texts, categories = corpus(4)
    _, more, _ = corpus(10, seed=1)
    for name, given, jobs in (("a", more, 1), ("b", more[::-1], processes)):
        QUICK.set_params(n_jobs=jobs).fit(texts, categories, unlabelled=given).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_computed_once_for_all_folds_gives_a_part_of_the_texts_the_labels_of_these_alone(corpus):
    """The rows of copies and out-of-distribution texts follow their documents when some are left out."""
    _, texts, categories = corpus(6)
    labels = np.searchsorted(CATEGORIES, categories)
    pile = corpus(20, seed=1).texts
    settings = replace(BARE, augment=True)
    foreign = [f"recipe of butter flour and sugar {number}" for number in range(5)]

    def found(chosen, unlabelled):
        observed = observe_training(
            [texts[i] for i in chosen],
            labels[chosen],
            CATEGORIES,
            settings,
            out_of_distribution=foreign,
            unlabelled=[pile[i] for i in unlabelled],
        )
        return pseudo_label(observed, settings, c=1.0, self_training=True)

    whole = observe_training(texts, labels, CATEGORIES, settings, out_of_distribution=foreign, unlabelled=pile)
    whole = with_embedded(whole, settings, self_training=True)
    everything = np.arange(len(texts)), np.arange(len(pile))
    same = pseudo_label(whole.take(*everything), settings, c=1.0, self_training=True)
    assert all(np.array_equal(one, other) for one, other in zip(same, found(*everything), strict=True))
    assert len(same.chosen) > 20
    part = np.flatnonzero(np.arange(len(texts)) % 6 > 1), np.flatnonzero(np.arange(len(pile)) % 5 > 0)
    fewer, alone = pseudo_label(whole.take(*part), settings, c=1.0, self_training=True), found(*part)
    given, expected = (dict(zip(one.chosen.tolist(), one.labels.tolist(), strict=True)) for one in (fewer, alone))
    both = given.keys() & expected.keys()
    # n-grams and idf of all texts are not quite those of a part
    assert len(both) > 0.8 * len(expected)
    assert all(given[one] == expected[one] for one in both)
