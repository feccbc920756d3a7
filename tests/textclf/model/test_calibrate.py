from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom

from textclf.model.calibrate import choose_acceptance, fit_temperature, softmax

margins_of_many = arrays(
    np.float64,
    st.tuples(st.integers(2, 30), st.integers(2, 5)),
    elements=st.floats(-50, 50, allow_nan=False, width=32),
)


@given(margins_of_many)
def test_scores_are_probabilities_that_keep_the_order(margins):
    scores = softmax(margins)
    assert np.allclose(scores.sum(axis=1), 1)
    assert (scores >= 0).all()
    assert (scores[np.arange(len(scores)), margins.argmax(axis=1)] == scores.max(axis=1)).all()


def test_huge_margins_do_not_overflow():
    assert softmax(np.array([[1e300, 0.0], [-1e300, 1e300]])).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@given(margins_of_many, st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_any_margins_give_a_finite_factor_above_zero(margins, seed):
    truth = np.random.default_rng(seed).integers(0, margins.shape[1], len(margins))
    factor = fit_temperature(margins, truth)
    assert np.isfinite(factor)
    assert factor > 0


@pytest.mark.parametrize("categories", [2, 3, 6])
@pytest.mark.parametrize("sharpness", [0.3, 4.0])
def test_scores_say_how_often_they_are_right(categories, sharpness):
    draw = np.random.default_rng(1)
    true_margins = draw.normal(size=(6000, categories)) * 2
    chances = softmax(true_margins)
    truth = (chances.cumsum(axis=1) > draw.random((6000, 1))).argmax(axis=1)
    scores = softmax(true_margins * sharpness * fit_temperature(true_margins * sharpness, truth))
    best, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    for low in (0.4, 0.6, 0.8):
        inside = (best >= low) & (best < low + 0.2)
        if inside.sum() > 200:
            assert abs(best[inside].mean() - right[inside].mean()) < 0.05


@pytest.mark.parametrize("categories", [2, 4])
def test_few_documents_without_a_mistake_do_not_make_certain(categories):
    margins = np.eye(categories)[np.arange(12) % categories] * 5.0
    factor = fit_temperature(margins, np.arange(12) % categories)
    assert 0.8 < softmax(margins * factor).max() < 0.999


def test_margins_that_say_nothing_give_scores_that_say_nothing():
    draw = np.random.default_rng(0)
    margins, truth = draw.normal(size=(400, 4)), draw.integers(0, 4, 400)
    scores = softmax(margins * fit_temperature(margins, truth))
    assert scores.max() < 0.4


def test_the_order_of_documents_changes_no_score():
    draw = np.random.default_rng(2)
    margins, truth = draw.normal(size=(50, 3)), draw.integers(0, 3, 50)
    order = draw.permutation(50)
    assert fit_temperature(margins, truth) == pytest.approx(fit_temperature(margins[order], truth[order]), rel=1e-3)


@given(
    st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.7, 0.71, 0.9, 1.0]), st.booleans()), min_size=1, max_size=80),
    st.sampled_from([0.01, 0.05, 0.2, 0.5]),
)
def test_what_is_accepted_keeps_the_bound(documents, max_error):
    scores, right = (np.array(column) for column in zip(*documents, strict=True))
    chosen = choose_acceptance(scores, right, max_error)
    accepted = scores >= chosen.threshold
    assert chosen.accepted == pytest.approx(accepted.mean())
    if accepted.any():
        assert chosen.threshold >= 0.5
        assert chosen.error == pytest.approx((~right[accepted]).mean())
        # were the error rate as high as the bound, so few mistakes would come with a chance of a tenth at most
        assert binom.cdf((~right[accepted]).sum(), accepted.sum(), max_error) <= 0.1
    else:
        assert chosen.threshold > 1


def test_what_is_likelier_wrong_than_right_does_not_vouch_for_the_others():
    scores = np.array([0.5, 0.2, 0.2, 0.2])
    assert choose_acceptance(scores, np.ones(4, bool), 0.5).accepted == 0


def test_forty_five_documents_without_a_mistake_are_needed_for_five_percent():
    assert choose_acceptance(np.full(44, 0.9), np.ones(44, bool), 0.05).accepted == 0
    assert choose_acceptance(np.full(45, 0.9), np.ones(45, bool), 0.05).accepted == 1
    assert choose_acceptance(np.full(45, 0.9), np.ones(45, bool), 0.05, 0.91).accepted == 0


def test_what_is_more_likely_wrong_than_right_is_never_accepted():
    scores = np.array([0.9] * 60 + [0.49] * 60)
    assert choose_acceptance(scores, np.ones(120, bool), 0.05).threshold == 0.7


def test_a_larger_bound_never_accepts_less():
    draw = np.random.default_rng(3)
    scores = draw.random(300)
    right = draw.random(300) < scores
    accepted = [choose_acceptance(scores, right, bound).accepted for bound in (0.01, 0.05, 0.1, 0.2, 0.4)]
    assert accepted == sorted(accepted)
