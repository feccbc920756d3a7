"""Unlabelled documents that a model was trained on are predicted as if it were not."""

from __future__ import annotations

import random
from io import BytesIO

import numpy as np
import pytest

import textclf
from textclf import DocumentClassifier
from textclf.model.held_out import held_out

QUICK = DocumentClassifier(lexicon="none", vectors="none", augment=False, background=False)


def noise(count: int, seed: int) -> list[str]:
    """Texts that have nothing in common with others, so that a model that was trained on them knows them by heart."""
    draw = random.Random(seed)
    return [" ".join("".join(draw.choices("abcdefgh", k=7)) for _ in range(30)) for _ in range(count)]


@pytest.fixture(scope="module")
def taught(corpus):
    _, texts, categories = corpus(8)
    pile = [*corpus(3, seed=1).texts, *noise(40, 1)]
    return QUICK.fit(texts, categories, unlabelled=pile).model_, pile


def test_what_was_pseudo_labelled_is_no_surer_than_what_is_new(taught):
    model, pile = taught

    def lead(margins):
        ordered = np.sort(margins, axis=1)
        return (ordered[:, -1] - ordered[:, -2]).mean()

    repeated = lead(model.linear.margins(model.features.rows(pile[9:])))
    new = lead(model.margins(noise(40, 2)))
    assert abs(lead(model.margins(pile[9:])) - new) < (repeated - new) / 2


def test_the_model_file_keeps_it(taught):
    model, pile = taught
    file = BytesIO()
    textclf.model.file.save_model(model, file)
    loaded = textclf.load(file.getvalue())
    assert list(loaded.pipe(pile)) == list(model.pipe(pile))
    assert loaded.predict_proba(pile).tolist() == model.predict_proba(pile).tolist()


def test_texts_are_told_apart():
    kept = held_out(["a", "b", "a"], np.array([[1.0, 2], [3, 4], [1, 2]]))
    assert kept is not None
    assert kept.put(["b", "c", "a"], np.zeros((3, 2))).tolist() == [[3, 4], [0, 0], [1, 2]]
    assert held_out([], np.empty((0, 2))) is None
