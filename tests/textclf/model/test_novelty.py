"""Unlabelled documents of unknown kinds: how many, and which."""

from __future__ import annotations

import random

import numpy as np
import pytest

from features.feature_set import FeatureSettings
from textclf import DocumentClassifier
from textclf.model.novelty import novel_share
from textclf.model.self_training import pseudo_label
from textclf.model.training_texts import observe_training

BARE = FeatureSettings(lexicon="none", vectors="none", augment=False)
QUICK = DocumentClassifier(lexicon="none", vectors="none", augment=False, background=False)
RECIPE = "butter flour sugar cream bake oven bread apples honey invoice total dear card kind"


def recipes(count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join([*draw.choices(RECIPE.split(), k=30), f"recipe {i}"]) for i in range(count)]


def pseudo_labels(corpus, pile, **options):
    _, texts, categories = corpus(10)
    names, labels = np.unique(categories, return_inverse=True)
    observed = observe_training(texts, labels, names.tolist(), BARE, unlabelled=pile)
    return pseudo_label(observed, BARE, c=1.0, self_training=True, **options)


def test_documents_of_another_kind_are_found_and_not_labelled(corpus):
    pile = [*corpus(20, seed=1).texts, *recipes(60, 1)]
    found = pseudo_labels(corpus, pile)
    of_recipes = found.novel >= 60
    assert of_recipes.sum() > 30
    assert of_recipes.mean() > 0.95
    assert (found.chosen >= 60).mean() < 0.1
    assert not np.intersect1d(found.chosen, found.novel).size


def test_few_are_found_where_there_are_none(corpus):
    assert len(pseudo_labels(corpus, corpus(40, seed=1).texts).novel) <= 12


def test_among_few_unlabelled_documents_none_is_looked_for(corpus):
    assert not pseudo_labels(corpus, recipes(49, 1)).novel.size
    assert pseudo_labels(corpus, recipes(50, 1)).novel.size


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_the_share_is_estimated(share):
    found = []
    for seed in range(50):
        draw = np.random.default_rng(seed)
        others = np.concatenate(
            [draw.normal(size=1_000 - int(share * 1_000)), draw.normal(-3, size=int(share * 1_000))]
        )
        found.append(novel_share(draw.normal(size=60), others))
    assert share - 0.1 < np.mean(found) < share + 0.05


def test_a_category_of_one_document_can_be_trained_with_a_pile(corpus):
    """Cross-validation leaves one document of two, which cannot be left out again."""
    _, texts, categories = corpus(2)
    QUICK.fit(texts, categories, unlabelled=[*corpus(20, seed=1).texts, *recipes(20, 2)])


def test_documents_of_the_unknown_kinds_of_the_pile_are_accepted_less_often(corpus):
    _, texts, categories = corpus(24)
    classifier = DocumentClassifier(lexicon="none", vectors="none", background=False, max_error=0.2)
    plain = classifier.fit(texts, categories).model_
    taught = classifier.fit(texts, categories, unlabelled=[*corpus(20, seed=1).texts, *recipes(60, 1)]).model_

    def mean_score(model, asked):
        return np.mean([prediction.score for prediction in model.pipe(asked)])

    asked = recipes(30, 5)
    assert mean_score(taught, asked) < mean_score(plain, asked)
    assert taught.training.unlabelled.novel > 30
    assert [prediction.decision for prediction in taught.pipe(asked)].count("accept") <= 1
