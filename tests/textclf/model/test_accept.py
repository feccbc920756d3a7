from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom

from textclf.base.errors import UsageError
from textclf.model.accept import MAX_ERRORS, Acceptance, acceptance_curve, binomial_tail, why_nothing_is_accepted
from textclf.model.settings import AcceptanceOptions, TrainingSettings


def choose_acceptance(
    scores: NDArray[np.float64], right: NDArray[np.bool_], max_error: float, confidence: float = 0.9
) -> Acceptance:
    return acceptance_curve(scores, right).at(max_error, confidence)


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


def test_a_mistake_among_the_first_of_many_documents_does_not_end_it():
    scores = np.linspace(1, 0.9, 400)
    right = np.ones(400, bool)
    right[[3, 30]] = False
    assert choose_acceptance(scores, right, 0.05).accepted > 0.9
    assert choose_acceptance(scores[:60], right[:60], 0.05).accepted == 0


def test_the_error_exceeds_the_maximum_in_one_of_ten_trainings_at_most():
    exceeded = 0
    for seed in range(150):
        draw = np.random.default_rng(seed)
        scores = draw.uniform(0.5, 1, 300)
        # the chance of a mistake rises from 0 to .2 as the score falls; above a score it is half of that, on average
        right = draw.random(300) > 0.4 * (1 - scores)
        threshold = choose_acceptance(scores, right, 0.05).threshold
        exceeded += 0.2 * (1 - threshold) > 0.05
    assert exceeded <= 0.1 * 150


def test_what_is_more_likely_wrong_than_right_is_never_accepted():
    scores = np.array([0.9] * 60 + [0.49] * 60)
    assert choose_acceptance(scores, np.ones(120, bool), 0.05).threshold == 0.7


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(10, 400), st.floats(0.3, 3))
def test_a_larger_maximum_error_never_accepts_less(seed, documents, skill):
    draw = np.random.default_rng(seed)
    scores = draw.random(documents) ** (1 / skill)
    curve = acceptance_curve(scores, draw.random(documents) < scores)
    accepted = [
        curve.at(max_error, 0.9).accepted
        for max_error in sorted({*MAX_ERRORS, *np.arange(0.01, 0.4, 0.01).round(2).tolist()})
    ]
    assert accepted == sorted(accepted)


@pytest.mark.parametrize(("documents", "rate"), [(1, 0.3), (45, 0.05), (1000, 0.5), (50_000, 0.02), (9, 0.9999)])
def test_binomial_probabilities_are_those_of_scipy(documents, rate):
    found = binomial_tail(documents, documents, rate)
    assert found == pytest.approx(binom.cdf(np.arange(documents + 1), documents, rate), rel=1e-6, abs=1e-12)


def test_the_curve_of_many_documents_is_as_small_as_that_of_few():
    draw = np.random.default_rng(0)
    scores = draw.random(200_000)
    assert len(acceptance_curve(scores, draw.random(200_000) < scores).levels) <= 40


def test_where_nothing_is_accepted_it_is_said_what_would_do():
    draw = np.random.default_rng(5)
    scores = 0.5 + 0.5 * draw.random(60) ** 0.2
    curve = acceptance_curve(scores, draw.random(60) < scores)
    assert curve.at(0.05, 0.9).accepted == 0
    total = curve.documents_needed(0.05, 0.9)
    said = why_nothing_is_accepted(curve.at(0.05, 0.9), curve)
    assert f"about {total - 60} more documents" in said
    offered = float(re.search(r"--max-error ([\d.]+)", said)[1])
    assert curve.at(offered, 0.9).accepted > 0
    assert curve.at(offered - 0.01, 0.9).accepted == 0
    # where the estimate is right, so many documents are enough
    many = np.tile(scores, -(-total // 60))
    assert acceptance_curve(many, draw.random(len(many)) < many).at(0.05, 0.9).accepted > 0


def test_no_number_of_documents_is_promised_where_the_highest_scores_are_wrong():
    scores = np.linspace(0.99, 0.6, 40)
    curve = acceptance_curve(scores, np.arange(40) % 2 == 1)
    assert curve.documents_needed(0.05, 0.9) is None
    assert "more documents like these would not do" in why_nothing_is_accepted(curve.at(0.05, 0.9), curve)


def test_where_nothing_was_wrong_more_right_documents_would_do():
    curve = acceptance_curve(np.linspace(0.99, 0.6, 36), np.ones(36, dtype=bool))
    said = why_nothing_is_accepted(curve.at(0.01, 0.9), curve)
    assert "maximum error of 1% with 90% confidence, at least the 230 documents" in said
    assert "about 194 more documents like these would do if those with the highest scores are all right" in said
    assert acceptance_curve(np.linspace(0.99, 0.6, 230), np.ones(230, dtype=bool)).at(0.01, 0.9).accepted > 0
    said = why_nothing_is_accepted(curve.at(0.0001, 0.9999), curve)
    assert "maximum error of 0.01% with 99.99% confidence, at least the 92,099 documents" in said


@pytest.mark.parametrize("promise", [(5, 0.9), (0, 0.9), (0.05, 1), (0.05, 90)])
def test_a_promise_that_is_no_share_is_refused(promise):
    with pytest.raises(UsageError, match="must be"):
        TrainingSettings(max_error=promise[0], confidence=promise[1])


@pytest.mark.parametrize("max_error", [0, 1, 5, -0.1, float("nan"), "0.1"])
def test_a_maximum_error_at_use_that_is_no_share_is_refused(model, max_error):
    for use in (lambda: AcceptanceOptions(max_error=max_error), lambda: model("dear madam", max_error=max_error)):
        with pytest.raises(UsageError, match="max_error"):
            use()
