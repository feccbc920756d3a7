from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from textclf.model.calibrate import MIN_DOCUMENTS, calibrate, fit_correction, fit_temperature, log_softmax, softmax
from textclf.model.folds import stratified_folds

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


def confused(documents: int) -> tuple[np.ndarray, np.ndarray]:
    """Margins of three categories, of which the third is rare and its documents look a little like the second."""
    draw = np.random.default_rng(4)
    truth = draw.choice(3, documents, p=[0.5, 0.4, 0.1])
    margins = draw.normal(0, 0.7, (documents, 3)) + np.eye(3)[truth]
    margins[truth == 2, 1] += 0.8
    return margins, truth


def test_a_correction_lowers_the_log_loss_of_further_documents():
    margins, truth = confused(4000)
    known, further = slice(0, 600), slice(600, None)
    factor = fit_temperature(margins[known], truth[known])
    correction = fit_correction(margins[known], truth[known], factor, np.ones(600))

    def log_loss(given):
        logarithms = log_softmax(given * factor)
        return -logarithms[np.arange(len(truth)), truth][further].mean()

    assert log_loss(margins @ correction) < log_loss(margins) - 0.02


def calibrated(margins, truth, copies=None, copied=None):
    return calibrate(
        margins,
        truth,
        np.ones(len(truth)),
        stratified_folds(truth, 5, 0),
        copies=np.empty((0, 3)) if copies is None else copies,
        copied=np.empty(0, np.int64) if copied is None else copied,
    )


def test_margins_of_few_documents_are_not_corrected():
    margins, truth = confused(3 * MIN_DOCUMENTS)
    few, enough = calibrated(margins[1:], truth[1:]), calibrated(margins, truth)
    assert (margins @ few.correction).tolist() == margins.tolist()
    assert few.corrected.tolist() == margins[1:].tolist()
    assert (margins @ enough.correction).tolist() != margins.tolist()
    assert enough.corrected.tolist() != margins.tolist()


def test_a_correction_is_judged_by_documents_that_it_was_not_fitted_to():
    draw = np.random.default_rng(5)
    margins, truth = draw.normal(size=(120, 3)), np.arange(120) % 3
    found = calibrated(margins, truth)

    def log_loss(given):
        return -log_softmax(given)[np.arange(120), truth].mean()

    assert log_loss(margins @ found.correction) < log_loss(margins) < log_loss(found.corrected)


def test_misread_copies_are_learned_from():
    def misread(documents):
        margins, truth = confused(documents)
        return 0.5 * margins + 0.5 * (truth == 2)[:, None] * np.array([1, 0, 0])

    margins, truth = confused(600)
    later, later_truth = misread(4000), confused(4000)[1]
    without, with_copies = calibrated(margins, truth), calibrated(margins, truth, misread(600), np.arange(600))

    def log_loss(found):
        logarithms = log_softmax(later @ found.correction * found.inverse_temperature)
        return -logarithms[np.arange(4000), later_truth].mean()

    assert log_loss(with_copies) < log_loss(without) - 0.01


def test_a_correction_favours_no_category_where_the_margins_are_equal():
    margins, truth = confused(600)
    found = calibrated(margins, truth)
    assert np.full((1, 3), -0.7) @ found.correction == pytest.approx(np.full((1, 3), -0.7))
    # a document of no known kind, whose margins are all low, stays one
    assert (margins @ found.correction).mean(axis=1) == pytest.approx(margins.mean(axis=1), abs=1e-6)


def test_a_document_of_weight_two_corrects_like_two_of_them():
    margins, truth = confused(200)
    twice = fit_correction(np.vstack([margins, margins[:50]]), np.append(truth, truth[:50]), 1.5, np.ones(250))
    weighted = fit_correction(margins, truth, 1.5, np.repeat([2.0, 1.0], [50, 150]))
    assert weighted == pytest.approx(twice, abs=1e-3)
