from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from textclf.base.errors import UsageError
from textclf.model.accept import choose_acceptance
from textclf.model.settings import TrainingSettings


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
    scores = np.linspace(1, 0.6, 400)
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


def test_a_larger_bound_never_accepts_less():
    draw = np.random.default_rng(3)
    scores = draw.random(300)
    right = draw.random(300) < scores
    accepted = [choose_acceptance(scores, right, bound).accepted for bound in (0.01, 0.05, 0.1, 0.2, 0.4)]
    assert accepted == sorted(accepted)


@pytest.mark.parametrize("promise", [(5, 0.9), (0, 0.9), (0.05, 1), (0.05, 90)])
def test_a_promise_that_is_no_share_is_refused(promise):
    with pytest.raises(UsageError, match="must be"):
        TrainingSettings(max_error=promise[0], confidence=promise[1])
