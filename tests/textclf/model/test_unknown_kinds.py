"""What is accepted of categories that are left out of training in turn."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.model.accept import LOWEST, acceptance_curve
from textclf.model.unknown_kinds import lowest_score, warn_of_loose, without_unknown_kinds

WORDS = {
    "invoice": "total due amount payment iban vat customer invoice",
    "letter": "dear sir yours faithfully regards letter thank reply",
    "recipe": "butter flour sugar oven spoon bake cream recipe",
    "timetable": "train platform departs arrives monday sunday station timetable",
}
COMMON = "the of and a to in is it on for page number date"


def papers(kinds, each, *, seed=0):
    """Texts of eight words of their kind among twenty that all kinds use."""
    draw = random.Random(seed)
    texts = [
        " ".join([*draw.choices(WORDS[kind].split(), k=8), *draw.choices(COMMON.split(), k=20)])
        for kind in kinds
        for _ in range(each)
    ]
    return texts, [kind for kind in kinds for _ in range(each)]


scores = st.lists(st.floats(0.2, 1), min_size=1, max_size=60).map(np.array)


@given(scores, scores, st.floats(0, 0.99))
def test_no_more_simulated_documents_than_allowed_are_accepted_or_half_of_the_others_are_lost(known, unknown, share):
    lowest = lowest_score(known, unknown, share)
    likely = known[known >= LOWEST]
    assert lowest >= LOWEST
    assert (unknown >= lowest).mean() <= share or not len(likely) or lowest == pytest.approx(np.median(likely))
    assert (likely >= lowest).mean() >= 0.5 if len(likely) else lowest == LOWEST


def test_a_threshold_is_raised_but_never_lowered():
    known = np.repeat([0.9, 0.8, 0.7, 0.6], 10)
    right = np.arange(40) < 38
    curve = acceptance_curve(known, right)
    raised = without_unknown_kinds(curve, known, right, np.array([0.75, 0.65, 0.3, 0.3, 0.3]), 0.2)
    assert curve.at(0.2, 0.9).threshold == pytest.approx(0.55)
    found = raised.at(0.2, 0.9)
    assert 0.65 < found.threshold < 0.7
    assert (found.accepted, found.error, found.unknown_accepted) == (0.75, 0.0, 0.2)
    strict = without_unknown_kinds(curve, known, right, np.full(5, 0.5), 0.2)
    assert strict.at(0.2, 0.9).threshold == curve.at(0.2, 0.9).threshold
    assert strict.at(0.2, 0.9).unknown_accepted == 0
    assert raised.at(0.01, 0.9) == curve.at(0.01, 0.9)


def test_a_category_that_takes_what_is_left_out_is_named():
    labels = np.repeat(np.arange(4), 10)
    unknown = np.full((40, 4), 0.1)
    unknown[np.arange(40), [3] * 20 + [0] * 10 + [1] * 10] = 0.7
    (warning,) = warn_of_loose(["a", "b", "c", "Form"], labels, unknown)
    assert warning.startswith("category 'Form' is loose: it takes 67% of the documents of other categories")
    assert not list(warn_of_loose(["a", "b", "c", "Form"], labels, np.minimum(unknown, 0.4)))


def test_fewer_documents_of_unknown_kinds_are_accepted_and_the_share_is_told(classifier):
    texts, kinds = papers(["invoice", "letter", "recipe"], 20)
    strange, _ = papers(["timetable"], 20, seed=1)
    known, truth = papers(["invoice", "letter", "recipe"], 10, seed=2)
    shares, mine = [], []
    for limit in (1.0, 0.1):
        model = classifier(max_error=0.2, max_unknown=limit).fit(texts, kinds).model_
        found = list(model.pipe(known))
        shares.append(np.mean([prediction.decision == "accept" for prediction in model.pipe(strange)]))
        mine.append(np.mean([prediction.decision == "accept" for prediction in found]))
        assert np.mean([p.predicted_category == kind for p, kind in zip(found, truth, strict=True)]) > 0.9
    assert shares[1] <= shares[0]
    assert shares[1] <= 0.2
    assert mine[1] >= 0.4
    assert model.training.acceptance.unknown_accepted <= 0.1


def test_with_two_categories_nothing_is_simulated(classifier):
    texts, kinds = papers(["invoice", "letter"], 20)
    assert classifier(max_error=0.2).fit(texts, kinds).model_.training.acceptance.unknown_accepted is None
