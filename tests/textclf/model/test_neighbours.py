"""Labelled and unlabelled neighbours of a document."""

from __future__ import annotations

import random
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

import textclf
from features.ngrams import VIEWS, count_ngrams
from features.tfidf import fit_tfidf
from textclf.model.file import save_model
from textclf.model.neighbours import MOST, Neighbours, fit_neighbours
from textclf.model.training_texts import MANY_UNLABELLED

RECIPE = "invoice total of butter flour sugar and the net weight of cream to bake by card"


def recipes(count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(RECIPE.split(), k=30)) for _ in range(count)]


@pytest.fixture(scope="module")
def columns(corpus):
    return fit_tfidf(count_ngrams([*corpus(30).texts, *recipes(30, 1)], VIEWS[:1]), VIEWS[:1])


@pytest.fixture(scope="module")
def rows(columns):
    """TF-IDF rows of texts."""
    return lambda texts: columns.weigh(count_ngrams(texts, VIEWS[:1]))


@pytest.fixture(scope="module")
def fitted(columns, rows, corpus):
    def fit(labelled, unlabelled):
        return fit_neighbours(rows(labelled), rows(unlabelled), columns.starts[-1], seed=0)

    return fit


def test_a_kind_that_only_the_unlabelled_documents_have_has_fewer_labelled_neighbours(fitted, rows, corpus):
    found = fitted(corpus(30).texts, [*corpus(20, seed=2).texts, *recipes(40, 2)])
    known, unknown = found.density(rows(corpus(10, seed=3).texts)), found.density(rows(recipes(30, 3)))
    assert np.quantile(unknown, 0.9) < np.quantile(known, 0.1)


def test_a_document_among_the_unlabelled_ones_has_the_density_that_it_has_when_it_is_not(fitted, rows, corpus):
    found = fitted(corpus(30).texts, [*recipes(40, 2), *corpus(10, seed=2).texts])
    asked = rows(recipes(40, 2)[:1])
    without = replace(found, unlabelled=found.unlabelled[1:])
    assert found.density(asked) == pytest.approx(without.density(asked), abs=1e-6)


def test_a_document_has_the_same_density_alone_and_in_a_batch(fitted, rows, corpus):
    found = fitted(corpus(30).texts, recipes(60, 2))
    asked = [*corpus(3, seed=4).texts, ""]
    together = found.density(rows(asked)).tolist()
    assert together == [found.density(rows([text])).item() for text in asked]
    assert together == Neighbours.from_arrays(found.to_arrays()).density(rows(asked)).tolist()


def test_few_unlabelled_documents_are_not_compared_with(classifier, corpus):
    _, texts, categories = corpus(8)
    for count, compared in ((MANY_UNLABELLED - 1, False), (MANY_UNLABELLED, True)):
        model = classifier().fit(texts, categories, unlabelled=corpus(MANY_UNLABELLED, seed=3).texts[:count]).model_
        assert (model.typicality.neighbours is not None) is compared
        # also in the folds, of which each has a part of them only
        known = [prediction.familiarity for prediction in model.pipe(corpus(5, seed=4).texts)]
        assert np.mean(known) > 0.2


def test_of_many_documents_a_part_is_kept(fitted, corpus):
    found = fitted(corpus(5).texts, recipes(MOST + 100, 2))
    assert found.unlabelled.shape[0] == MOST
    assert sum(array.nbytes for array in found.to_arrays().values()) < 1_000_000


def test_unlabelled_documents_make_their_kind_less_familiar(classifier, corpus):
    _, texts, categories = corpus(24)
    plain = classifier().fit(texts, categories).model_
    given = classifier().fit(texts, categories, unlabelled=[*corpus(10, seed=2).texts, *recipes(60, 2)]).model_

    def familiarity(model, asked):
        return np.mean([prediction.familiarity for prediction in model.pipe(asked)])

    assert familiarity(given, recipes(20, 5)) < familiarity(plain, recipes(20, 5))
    assert familiarity(given, corpus(10, seed=6).texts) > 0.35
    file = BytesIO()
    save_model(given, file)
    assert list(textclf.load(file.getvalue()).pipe(recipes(3, 7))) == list(given.pipe(recipes(3, 7)))
