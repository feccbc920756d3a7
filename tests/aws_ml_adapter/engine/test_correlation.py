"""Correlation of two attributes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from aws_ml_adapter.engine.correlation import correlation


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


def test_numbers_as_scipy_has_it_whatever_the_sign(random):
    x = random.normal(size=500)
    for y in (x + random.normal(size=500), -x + random.normal(size=500)):
        assert correlation(x, y) == pytest.approx(abs(stats.pearsonr(x, y).statistic))
        assert correlation(y, x) == correlation(x, y)


def test_numbers_and_categories_agree_with_the_analysis_of_variance(random):
    groups = random.integers(0, 4, 500)
    x = groups + random.normal(size=500)
    f = stats.f_oneway(*(x[groups == g] for g in range(4))).statistic
    # epsilon squared, from F: (F - 1) / (F + (n - k) / (k - 1))
    expected = ((f - 1) / (f + 496 / 3)) ** 0.5
    assert correlation(x, groups.astype(str)) == pytest.approx(expected)
    assert correlation(groups.astype(str), x) == pytest.approx(expected)


def test_categories_agree_with_the_chi_squared_of_scipy(random):
    a = random.integers(0, 3, 600)
    b = (a + (random.random(600) < 0.5) * random.integers(0, 4, 600)) % 4
    table = pd.crosstab(a, b).to_numpy()
    squared = stats.chi2_contingency(table, correction=False).statistic / 600
    least = min(3 - 4 / 599, 4 - 9 / 599) - 1
    assert correlation(a.astype(str), b.astype(str)) == pytest.approx(((squared - 6 / 599) / least) ** 0.5)


def test_many_random_categories_do_not_look_correlated(random):
    ids = np.arange(1_000).astype(str)
    many = random.integers(0, 500, 1_000).astype(str)
    y = random.normal(size=1_000)
    classes = random.integers(0, 3, 1_000).astype(str)
    for attribute in (ids, many):
        for target in (y, classes):
            assert correlation(attribute, target) < 0.25
            assert correlation(target, attribute) < 0.25


def test_what_says_all_has_one():
    colours = np.array(["red", "green", "blue"] * 20)
    assert correlation(colours, colours[::1]) == pytest.approx(1)
    assert correlation(colours, np.array([1.0, 2.0, 3.0] * 20)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([], []),
        ([1.0], [2.0]),
        ([1.0, 1.0], [1.0, 2.0]),
        ([np.nan, np.nan], [1.0, 2.0]),
        ([1.0, np.nan, 3.0], [np.nan, 2.0, np.nan]),
        (["a", "a"], ["b", "c"]),
        (["a", "", "b"], ["", "c", ""]),
    ],
)
def test_nothing_can_be_said_of_what_does_not_differ(first, second):
    first, second = np.array(first), np.array(second)
    assert correlation(first, second) is None
    assert correlation(second, first) is None


def test_rows_that_lack_one_are_left_out():
    assert correlation(np.array([1.0, 2.0, 3.0, 9.0, np.nan]), np.array([1.0, 2.0, 3.0, np.nan, 9.0])) == 1
    assert correlation(np.array(["a", "b", "a", "b", "x"]), np.array([1.0, 2.0, 1.0, 2.0, np.nan])) == pytest.approx(1)


def test_the_largest_floats_do_not_overflow():
    x = np.array([1.7e308, -1.7e308, 1e-308, 5.0])
    assert correlation(x, x) == pytest.approx(1)
    assert correlation(x, np.array(["a", "b", "a", "b"])) is not None
