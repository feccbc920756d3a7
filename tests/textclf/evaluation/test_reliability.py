from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from textclf.evaluation.reliability import (
    calibration,
    debiased_ece,
    ece_interval,
    equal_mass,
    losses,
    reliability_bins,
    risk_coverage,
    upper_error,
)

# scores that often are equal
SCORED = st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=60)


def arrays(rows):
    return np.array([score for score, _ in rows]), np.array([right for _, right in rows])


def calibrated(documents: int, *, shift: float = 0.0, seed: int = 0):
    """Scores, and answers that are right as often as the score less `shift` says."""
    draw = np.random.default_rng(seed)
    scores = draw.beta(6, 1, documents)
    return scores, draw.random(documents) < scores - shift


def test_risk_and_coverage_worked_out_by_hand():
    scores = np.array([0.2, 0.9, 0.7, 0.7, 0.8])
    right = np.array([False, True, False, True, True])
    curve = risk_coverage(scores, right)
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.7, 0.2]
    assert curve.accepted.tolist() == [0.2, 0.4, 0.8, 1.0]
    assert curve.error.tolist() == [0, 0, 0.25, 0.4]
    assert curve.area == pytest.approx(0.4 * 0.25 + 0.2 * 0.4)
    at = curve.accepted_at(0.3)
    assert (at.accepted, at.error, at.threshold) == (0.8, 0.25, 0.7)


def test_documents_without_a_score_cannot_be_accepted():
    curve = risk_coverage(np.array([0.9, 0.8]), np.array([True, True]), documents=4)
    assert curve.accepted.tolist() == [0.25, 0.5]
    assert curve.area == 0


def test_no_threshold_is_named_where_none_does():
    at = risk_coverage(np.array([0.9, 0.8]), np.array([False, True])).accepted_at(0.1)
    assert (at.accepted, at.error, at.threshold) == (0, None, None)


def test_area_of_perfect_and_worst_order():
    right = np.arange(1000) >= 100
    best = risk_coverage(np.arange(1000.0), right).area
    # Geifman, Uziel, El-Yaniv 2019: about r + (1 - r) ln(1 - r) for a perfect order at error r
    assert best == pytest.approx(0.1 + 0.9 * np.log(0.9), abs=1e-3)
    assert best < risk_coverage(np.ones(1000), right).area == pytest.approx(0.1)
    assert risk_coverage(-np.arange(1000.0), right).area > 0.1


@settings(max_examples=50)
@given(SCORED, st.randoms(use_true_random=False))
def test_order_of_documents_changes_nothing(rows, shuffle):
    curve = risk_coverage(*arrays(rows))
    again = list(rows)
    shuffle.shuffle(again)
    other = risk_coverage(*arrays(again))
    assert curve.error.tolist() == other.error.tolist()
    assert curve.area == other.area
    assert (np.diff(curve.accepted) > 0).all()
    assert (curve.upper >= curve.error).all()
    assert curve.accepted[-1] == 1
    bins, others = (reliability_bins(*arrays(order), bins=4) for order in (rows, again))
    assert [(group.documents, group.right) for group in bins] == [(group.documents, group.right) for group in others]
    few = curve.thinned(3)
    assert len(few.accepted) <= 3
    assert few.error[-1] == curve.error[-1]


def test_bound_is_the_one_of_clopper_and_pearson():
    wrong, accepted = np.array([0, 3, 10, 7]), np.array([20, 100, 200, 7])
    exact = [
        binomtest(w, n, alternative="less").proportion_ci(0.95, method="exact").high
        for w, n in zip(wrong.tolist(), accepted.tolist(), strict=True)
    ]
    np.testing.assert_allclose(upper_error(wrong, accepted), exact)


@settings(max_examples=50)
@given(SCORED, st.integers(1, 12))
def test_groups_hold_every_document_once_and_keep_equals_together(rows, groups):
    scores, _ = arrays(rows)
    found = equal_mass(scores, groups)
    assert sorted(np.concatenate(found).tolist()) == list(range(len(scores)))
    assert 1 <= len(found) <= groups
    assert all(len(group) for group in found)
    for lower, higher in pairwise(found):
        assert scores[lower].max() < scores[higher].min()


def test_calibrated_scores_are_not_called_miscalibrated():
    errors = [debiased_ece(*calibrated(995, seed=seed)) for seed in range(60)]
    assert np.median(errors) < 0.01
    # the plain estimate would say about 0.04
    bins = reliability_bins(*calibrated(995), bins=15)
    assert np.sqrt(np.mean([(group.score - group.right) ** 2 for group in bins])) > 0.025


@pytest.mark.parametrize("shift", [0.05, 0.2])
def test_scores_that_promise_too_much_are_found_out(shift):
    errors = [debiased_ece(*calibrated(4000, shift=shift, seed=seed)) for seed in range(20)]
    assert np.mean(errors) == pytest.approx(shift, abs=0.01)


def test_interval_holds_the_true_error():
    inside = 0
    for seed in range(40):
        low, high = ece_interval(*calibrated(600, shift=0.05, seed=seed), bins=10, draws=100)
        assert 0 <= low <= high <= 1
        inside += low <= 0.05 <= high
    assert inside >= 36


def test_interval_is_the_same_each_time():
    scores, right = calibrated(300)
    assert ece_interval(scores, right, draws=50) == ece_interval(scores, right, draws=50)
    assert ece_interval(scores, right, draws=50) != ece_interval(scores, right, draws=50, seed=1)


def test_losses_worked_out_by_hand():
    log_loss, brier = losses(np.array([[0.5, 0.5, 0.0], [1.0000000001, 0.0, 0.0]]), np.array([1, 0]))
    assert (log_loss, brier) == (pytest.approx(np.log(2) / 2), pytest.approx(0.25))


def test_sure_and_wrong_is_a_finite_loss():
    log_loss, brier = losses(np.array([[1.0, 0.0]]), np.array([1]))
    assert 30 < log_loss < 40
    assert brier == 2


def test_bins_tell_score_and_share_right_with_its_wilson_interval():
    low, high = reliability_bins(np.array([0.5, 0.6, 0.9, 1.0]), np.array([False, True, True, True]), bins=2)
    assert (low.score, low.right, high.right) == (pytest.approx(0.55), 0.5, 1.0)
    # by the formula of 1927: z^2 / (n + z^2) where all are wrong
    assert high.interval[0] == pytest.approx(1 - 1.959964**2 / (2 + 1.959964**2))


@pytest.mark.parametrize(("documents", "bins"), [(1, 1), (19, 1), (20, 2), (99, 9), (100, 10), (5000, 10)])
def test_bins_of_the_report_grow_with_the_documents(documents, bins):
    scores, right = calibrated(documents)
    found = calibration(scores, right, np.empty((0, 2)), np.empty(0, dtype=np.int64))
    assert len(found.bins) == bins
    assert sum(group.documents for group in found.bins) == found.documents == documents
    assert (found.known, found.log_loss, found.brier) == (0, None, None)
