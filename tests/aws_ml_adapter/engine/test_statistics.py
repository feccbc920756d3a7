"""Statistics of a data source."""

from __future__ import annotations

import json
import random
import tracemalloc
from dataclasses import replace
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.engine.statistics import DataStatistics, compute_statistics
from features.schema import AttributeType, Schema

TEXT, BINARY, NUMERIC, CATEGORICAL = AttributeType


def compute(values, type_, *, size=7):
    """Statistics of one column."""
    rows = [[value] for value in values]
    batches = (rows[i : i + size] for i in range(0, len(rows), size))
    return compute_statistics(batches, Schema(attributes=(("x", type_),))).attributes[0]


def test_rows_and_rejected_rows():
    batches = [[["1"], None, ["2"]], [None], [["3"]]]
    statistics = compute_statistics(batches, Schema(attributes=(("x", NUMERIC),)))
    assert (statistics.rows, statistics.rejected) == (5, 2)


@pytest.mark.parametrize("batches", [[], [[None, None]]])
def test_no_row_at_all_is_a_fault_of_the_data(batches):
    with pytest.raises(DataFault, match="no row could be read"):
        compute_statistics(batches, Schema(attributes=(("x", NUMERIC),)))


def test_numbers():
    found = compute(["3", "1", " 2 ", "", "  ", "many", "nan", "1_0", "1e0"], NUMERIC)
    assert (found.missing, found.invalid, found.distinct, found.distinct_exact) == (2, 3, 3, True)
    assert found.most_frequent == (("1", 2), ("2", 1), ("3", 1))
    assert found.numeric.mean == pytest.approx(1.75)
    assert found.numeric.deviation == pytest.approx(pstdev([3, 1, 2, 1]))
    assert (found.numeric.minimum, found.numeric.maximum) == (1, 3)
    assert len(found.numeric.quantiles) == 21
    assert found.numeric.quantiles[10] == 1.5


def test_binary_values_in_every_spelling():
    found = compute(["1", "yes", " TRUE ", "n", "", "2"], BINARY)
    assert (found.missing, found.invalid, found.distinct) == (1, 1, 2)
    assert found.most_frequent == (("1", 3), ("0", 1))
    assert found.numeric is None


def test_categories_are_never_split_nor_stripped():
    found = compute(["a b", "a b", "a", " a", "", " "], CATEGORICAL)
    assert (found.missing, found.invalid, found.distinct) == (2, 0, 3)
    assert found.most_frequent == (("a b", 2), (" a", 1), ("a", 1))


def test_texts_are_counted_in_words():
    found = compute(["to be or", "not to be", "", "\t"], TEXT)
    assert (found.missing, found.invalid, found.distinct) == (2, 0, 4)
    assert found.most_frequent == (("be", 2), ("to", 2), ("not", 1), ("or", 1))
    assert (found.numeric.mean, found.numeric.minimum, found.numeric.maximum) == (3, 3, 3)


def test_missing_texts_have_no_number_of_words():
    found = compute(["two words", "", " ", "four words of text"] * 20, TEXT).numeric
    assert (found.mean, found.minimum, found.maximum) == (3, 2, 4)
    assert found.quantiles == (2,) * 10 + (3,) + (4,) * 10
    assert compute(["", " "], TEXT).numeric is None


@pytest.mark.parametrize("type_", [NUMERIC, BINARY])
@pytest.mark.parametrize("values", [[""], ["x", "", "?"]])
def test_a_column_without_a_value(type_, values):
    found = compute(values, type_)
    assert found.missing + found.invalid == len(values)
    assert (found.distinct, found.most_frequent, found.numeric) == (0, (), None)


def test_only_the_ten_most_frequent_are_shown():
    found = compute([f"v{i}" for i in range(12) for _ in range(i + 1)], CATEGORICAL)
    assert found.most_frequent == tuple((f"v{i}", i + 1) for i in range(11, 1, -1))
    assert found.distinct == 12


def test_values_alike_in_a_hundred_characters_count_as_one():
    found = compute(["x" * 100, "x" * 100 + "y", "x" * 99], CATEGORICAL)
    assert (found.distinct, found.most_frequent) == (2, (("x" * 100, 2), ("x" * 99, 1)))


@pytest.mark.parametrize("type_", [CATEGORICAL, TEXT, NUMERIC])
def test_ten_thousand_different_values_are_counted_and_of_more_the_frequent_ones_found(type_):
    values = [str(i) for i in range(10_000)]
    found = compute(values, type_, size=1_000)
    assert (found.distinct, found.distinct_exact) == (10_000, True)
    # from the middle on, because late ones must be found, too
    values = [str(i) for i in range(30_000)]
    for i in range(15_000, 30_000, 3):
        values[i] = "7"
    found = compute(values, type_, size=1_000)
    assert (found.distinct, found.distinct_exact) == (10_000, False)
    if type_ is NUMERIC:
        assert found.most_frequent == ()
    else:
        assert found.most_frequent[0][0] == "7"
        assert 4_000 <= found.most_frequent[0][1] <= 5_001


def test_quantiles_of_a_sample_are_near_those_of_all():
    numbers = np.random.default_rng(5).exponential(size=50_000)
    found = compute([repr(number) for number in numbers.tolist()], NUMERIC, size=1_000).numeric
    assert (found.quantiles[0], found.quantiles[-1]) == (numbers.min(), numbers.max())
    ranks = [(numbers <= quantile).mean() for quantile in found.quantiles]
    # a sample of 10,000: 5 standard deviations are 0.025
    assert ranks == pytest.approx(np.linspace(0, 1, 21), abs=0.025)
    assert found.mean == pytest.approx(numbers.mean())
    assert found.deviation == pytest.approx(numbers.std())


def test_the_order_of_the_rows_does_not_decide_what_is_sampled():
    numbers = np.arange(60_000)
    found = compute([str(number) for number in numbers.tolist()], NUMERIC, size=1_000).numeric
    assert found.quantiles == pytest.approx(np.linspace(0, 59_999, 21), abs=1_500)


def test_correlation_with_the_target_by_type():
    random_ = random.Random(1)
    rows = []
    for _ in range(2_000):
        y = random_.random() < 0.4
        rows.append(
            [
                "yes" if y else "no",
                str(random_.gauss(float(y), 0.5)),
                str(random_.random()),
                random_.choice("ab" if y else "cd"),
                random_.choice("abcd"),
                "1" if y ^ (random_.random() < 0.1) else "0",
                "some words",
                "constant",
            ]
        )
    schema = Schema(
        attributes=(
            ("y", BINARY),
            ("near", NUMERIC),
            ("far", NUMERIC),
            ("all", CATEGORICAL),
            ("none", CATEGORICAL),
            ("most", BINARY),
            ("text", TEXT),
            ("same", CATEGORICAL),
        ),
        target="y",
    )
    found = {each.name: each.correlation for each in compute_statistics([rows], schema).attributes}
    assert (found["y"], found["text"], found["same"]) == (None, None, None)
    assert found["near"] == pytest.approx(0.7, abs=0.05)
    assert found["all"] == pytest.approx(1)
    assert found["most"] == pytest.approx(0.8, abs=0.05)
    assert max(found["far"], found["none"]) < 0.1


@pytest.mark.parametrize("target", [None, "text"])
def test_without_a_target_that_can_be_learned_there_is_no_correlation(target):
    schema = Schema(attributes=(("x", NUMERIC), ("text", TEXT)), target=target)
    statistics = compute_statistics([[["1", "a"], ["2", "a b"], ["3", "a b c"]]], schema)
    assert [attribute.correlation for attribute in statistics.attributes] == [None, None]


def test_blanks_are_no_category_to_correlate_with():
    schema = Schema(attributes=(("x", CATEGORICAL), ("y", NUMERIC)), target="y")
    statistics = compute_statistics([[[" ", "5"], ["", "7"], ["a", "1"], ["a", "2"]]], schema)
    assert statistics.attributes[0].correlation is None


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(numbers, min_size=1, max_size=50), st.integers(1, 20))
@settings(max_examples=50)
def test_moments_are_the_same_in_whatever_batches(values, size):
    found = compute([repr(value) for value in values], NUMERIC, size=size).numeric
    assert (found.minimum, found.maximum) == (min(values), max(values))
    assert list(found.quantiles) == sorted(found.quantiles)
    scale = max(map(abs, values)) or 1.0
    scaled = [value / scale for value in values]
    assert found.mean / scale == pytest.approx(fmean(scaled), abs=1e-9)
    assert found.deviation / scale == pytest.approx(np.std(scaled), rel=1e-6, abs=1e-6)


def test_the_largest_and_the_smallest_floats_do_not_overflow_or_vanish():
    found = compute(["1.7e308", "-1.7e308"], NUMERIC).numeric
    assert found.quantiles[::10] == (-1.7e308, 0.0, 1.7e308)
    assert set(compute(["5e-324"], NUMERIC).numeric.quantiles) == {5e-324}


def test_numbers_so_rare_that_the_sample_has_none_still_have_quantiles():
    values = [""] * 200_000
    values[100_000] = "3"
    assert compute(values, NUMERIC, size=10_000).numeric.quantiles == (3.0,) * 21


cells = st.sampled_from(["", " ", "1", "0", "-2.5", "yes", "no", "1e308", "-1e308", "1e999", "a b", "é", "x" * 300])


@given(
    st.lists(st.one_of(st.none(), st.lists(cells, min_size=4, max_size=4)), max_size=12),
    st.sampled_from([None, "a", "b", "c", "d"]),
)
@settings(max_examples=50)
def test_whatever_comes_is_counted_and_round_trips(rows, target):
    schema = Schema(attributes=(("a", TEXT), ("b", BINARY), ("c", NUMERIC), ("d", CATEGORICAL)), target=target)
    if not any(rows):
        return
    statistics = compute_statistics([rows], schema)
    assert DataStatistics.from_json(statistics.to_json()) == statistics
    json.loads(statistics.to_json(), parse_constant=pytest.fail)
    assert statistics.to_json() == compute_statistics([rows], schema).to_json()
    one_by_one = compute_statistics([[row] for row in rows], schema)
    for attribute, other in zip(statistics.attributes, one_by_one.attributes, strict=True):
        assert replace(attribute, numeric=None) == replace(other, numeric=None)


def test_memory_stays_bounded_whatever_the_values():
    schema = Schema(attributes=(("t", TEXT), ("c", CATEGORICAL), ("n", NUMERIC)))

    def batches(count):
        for i in range(count):
            long = f"{i:05}" + "x" * 20_000
            yield [[f"{long} {j}{long}", f"{j}{long}", f"{i}.{j}"] for j in range(100)]

    def peak(count):
        tracemalloc.start()
        try:
            compute_statistics(batches(count), schema)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(100) < 40_000_000
