"""Parsing, moments and samples of numbers read in batches."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.engine.number_columns import Moments, Reservoir, read_numbers
from features.schema import AttributeType


def test_values_of_each_type_are_read_and_others_are_nan():
    numbers = read_numbers(["1", " -2.5e1 ", "", " ", "nan", "inf", "1_0", "1e999", "yes"])
    np.testing.assert_array_equal(numbers, [1, -25, *[np.nan] * 7])
    truths = read_numbers(["1", " Yes ", "f", "", "2"], AttributeType.BINARY)
    np.testing.assert_array_equal(truths, [1, 1, 0, np.nan, np.nan])
    assert read_numbers([]).shape == (0,)


@given(st.lists(st.integers(0, 40), max_size=20), st.integers(1, 30))
@settings(max_examples=40)
def test_a_sample_is_the_same_in_whatever_pieces_the_rows_come(cuts, size):
    def sample(ends: list[int]) -> list[int]:
        reservoir: Reservoir[int] = Reservoir(size, seed=3)
        for begin, end in pairwise([0, *ends]):
            reservoir.add(range(begin, end), int)
        return reservoir.sample

    whole = sample([40])
    assert sample([*sorted(cuts), 40]) == whole
    assert len(set(whole)) == len(whole) == min(size, 40), "no row twice"
    assert set(whole) <= set(range(40))


def test_each_row_is_as_likely_in_the_sample_as_any_other():
    counts = np.zeros(50)
    for seed in range(2_000):
        reservoir: Reservoir[int] = Reservoir(10, seed)
        reservoir.add(range(50), int)
        counts[reservoir.sample] += 1
    # binomial, of a mean of 400 and a deviation of 18
    assert np.abs(counts - 400).max() < 5 * 18


def test_the_largest_numbers_do_not_overflow():
    moments = Moments(2)
    for _ in range(3):
        moments.add(np.array([[1.7e308, 1.0], [-1.7e308, np.nan]]))
    assert moments.means.tolist() == [0, 1]
    assert moments.deviations().tolist() == [1.7e308, 0]


def test_numbers_that_are_all_the_same_have_no_deviation():
    for number in (7.1, 0.1, 1e15 / 3, 1e308):
        moments = Moments(1)
        for count in (100, 37, 1):
            moments.add(np.full((count, 1), number))
        assert (moments.means[0], moments.deviations()[0]) == (number, 0)


def test_numbers_of_any_scale_have_their_mean_and_deviation():
    for unit in (1e-300, 1e-30, 1.0, 1e30, 2.5e307):
        moments = Moments(1)
        # the smallest first, so that the scale has to grow
        for number in (-1.0, 3.0, 7.0):
            moments.add(np.array([[number * unit]]))
        assert moments.means[0] == pytest.approx(3 * unit)
        assert moments.deviations()[0] == pytest.approx(np.sqrt(32 / 3) * unit)
