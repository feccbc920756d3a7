from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.engine.feature_plan import Features, parse_numbers
from aws_ml_adapter.engine.transforms import Transforms
from features.schema import AttributeType, Schema

SCHEMA = Schema(
    attributes=(
        ("note", AttributeType.TEXT),
        ("town", AttributeType.CATEGORICAL),
        ("paid", AttributeType.BINARY),
        ("age", AttributeType.NUMERIC),
        ("sum", AttributeType.NUMERIC),
    )
)
ROWS = [
    ["Net total 5, net.", "Rome", "Yes", "20", "1e3"],
    ["", "", "", "", ""],
    ["total", "Rome", "0", "40", "x"],
    ["  ", "Pisa", "maybe", "60", "-1"],
]


def made(outputs: str, rows: list[list[str]] = ROWS) -> tuple[Transforms, list[dict[int, float]]]:
    recipe = parse_recipe(f'{{"outputs": [{outputs}]}}', SCHEMA)
    transforms = Transforms.fit(recipe, SCHEMA, lambda: [list(rows)])
    return transforms, by_row(transforms.transform(rows, transforms.places(SCHEMA)))


def by_row(features: Features) -> list[dict[int, float]]:
    starts, keys, values = features
    return [dict(zip(keys[i:j].tolist(), values[i:j].tolist(), strict=True)) for i, j in pairwise(starts.tolist())]


def test_a_word_counts_once_and_long_texts_no_more_than_short_ones():
    _, rows = made('"no_punct(lowercase(note))"')
    assert [len(row) for row in rows] == [3, 0, 1, 0]
    assert [sum(value**2 for value in row.values()) for row in rows] == pytest.approx([1, 0, 1, 0])
    assert set(rows[2]) < set(rows[0])


def test_missing_and_invalid_values_are_a_feature_of_their_own():
    _, rows = made('"town", "paid"')
    assert [len(row) for row in rows] == [2, 2, 2, 2]
    assert set(rows[1]) & set(rows[3]), "a BINARY value that is neither is as good as missing"
    assert not set(rows[0]) & set(rows[1])
    assert len(set(rows[0]) & set(rows[2])) == 1, "Rome in both, paid in one"


def test_numbers_are_standardised_with_or_without_normalize():
    for output in ('"age"', '"normalize(age)"'):
        _, rows = made(output)
        [young], [missing], [middle], [old] = (row.values() for row in rows)
        assert (young, middle, old) == pytest.approx((-1.2247449, 0, 1.2247449))
        assert missing == 1
        assert set(rows[0]) == set(rows[2]) != set(rows[1])


def test_a_constant_number_is_0():
    _, rows = made('"age"', [["", "", "", "7", ""]] * 3)
    assert [list(row.values()) for row in rows] == [[0], [0], [0]]


def test_bins_are_equally_full_and_a_value_on_an_edge_is_in_the_upper_one():
    data = [["", "", "", str(i), ""] for i in range(100)]
    transforms, rows = made('"quantile_bin(age, 4)"', data)
    keys = [next(iter(row)) for row in rows]
    assert sorted(keys.count(key) for key in set(keys)) == [25, 25, 25, 25]
    edge = transforms.edges[0][1]
    below, on, above = (
        next(iter(by_row(transforms.transform([["", "", "", repr(float(x)), ""]], transforms.places(SCHEMA)))[0]))
        for x in (np.nextafter(edge, 0), edge, edge + 1)
    )
    assert below != on
    assert on == above


def test_equal_values_share_a_bin_and_numbers_beyond_the_training_data_have_one():
    data = [["", "", "", value, ""] for value in ["1"] * 50 + ["2"] * 50]
    transforms, _ = made('"quantile_bin(age, 10)"', data)
    ask = [["", "", "", value, ""] for value in ("1", "-1e300", "2", "1e300", "")]
    one, low, two, high, missing = by_row(transforms.transform(ask, transforms.places(SCHEMA)))
    assert one.keys() == low.keys()
    assert two.keys() == high.keys()
    assert len({*one, *two, *missing}) == 3


def test_normalizing_first_changes_no_bin_and_each_number_has_bins_of_its_own():
    data = [["", "", "", str(i), str(-(i**3))] for i in range(60)]
    outputs = '"quantile_bin(age,7)", "quantile_bin(sum,7)", "quantile_bin(normalize(sum),7)"'
    transforms, _ = made(outputs, data)
    assert [name for name, _ in transforms.bins] == ["age", "sum"]
    assert transforms.edges[0].tolist() == [8, 17, 25, 34, 42, 51]
    assert transforms.edges[1].max() < 0


def test_cartesian_takes_words_values_and_bins():
    _, rows = made('"cartesian(note, quantile_bin(age, 2))", "cartesian(town, paid, note)"')
    assert [len(row) for row in rows] == [8, 0, 2, 0]


def test_the_same_token_in_two_outputs_is_two_features():
    _, rows = made('"note", "lowercase(note)"')
    assert [len(row) for row in rows] == [8, 0, 2, 0]


def test_columns_are_found_by_name_and_absent_ones_are_missing():
    transforms, rows = made('"ALL_INPUTS"')
    turned = Schema(attributes=SCHEMA.attributes[:1:-1])
    short = [row[:1:-1] for row in ROWS]
    features = by_row(transforms.transform(short, transforms.places(turned)))
    empty = [["", "", *row[2:]] for row in ROWS]
    assert features == by_row(transforms.transform(empty, transforms.places(SCHEMA)))
    assert features != rows


ROW = st.tuples(
    st.text("ab .é\n", max_size=12),
    st.sampled_from(["", " ", "a", "b"]),
    st.sampled_from(["1", "no", " T ", "?"]),
    st.one_of(st.sampled_from(["", "nan", "1_0", "inf", "٣"]), st.floats(-1e9, 1e9).map(repr)),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
).map(list)
ALL = (
    '"ngram(lowercase(note),3)", "osb(no_punct(note),4)", "ALL_NUMERIC", "quantile_bin(ALL_NUMERIC,5)", '
    '"ALL_CATEGORICAL", "paid", "cartesian(town,note)"'
)


@settings(max_examples=30)
@given(st.lists(ROW, min_size=1, max_size=8), st.integers(0, 130))
def test_a_row_has_the_same_features_alone_and_among_others(rows, copies):
    rows = rows + rows[:1] * copies
    transforms, together = made(ALL, rows)
    places = transforms.places(SCHEMA)
    for row, features in list(zip(rows, together, strict=True))[:8]:
        alone = transforms.transform([row], places)
        assert by_row(alone) == [features]
        assert alone.keys.max() < 2**58
        assert np.isfinite(alone.values).all()


def test_no_rows_have_no_features():
    transforms, _ = made(ALL)
    features = transforms.transform([], transforms.places(SCHEMA))
    assert features.starts.tolist() == [0]
    assert not len(features.keys)


def test_statistics_come_out_the_same_in_any_batches():
    random = np.random.default_rng(1)
    data = [["", "", "", repr(1e6 + x), "" if x > 1 else repr(x)] for x in random.normal(size=500).tolist()]
    recipe = parse_recipe('{"outputs": ["ALL_NUMERIC", "quantile_bin(ALL_NUMERIC, 10)"]}', SCHEMA)
    whole, pieces = (
        Transforms.fit(recipe, SCHEMA, lambda size=size: [data[i : i + size] for i in range(0, 500, size)])
        for size in (500, 7)
    )
    columns = parse_numbers([row[3:] for row in data])
    np.testing.assert_allclose(pieces.means, np.nanmean(columns, axis=0), rtol=1e-12)
    np.testing.assert_allclose(pieces.deviations, np.nanstd(columns, axis=0), rtol=1e-9)
    for ours, theirs in zip(whole.edges, pieces.edges, strict=True):
        assert ours.tolist() == theirs.tolist()


def test_beyond_what_is_sampled_bins_stay_nearly_equally_full():
    # 250,001 rows of which a sample of 100,000 is kept
    numbers = np.random.default_rng(2).permutation(250_001)
    schema = Schema(attributes=(("n", AttributeType.NUMERIC),))
    recipe = parse_recipe('{"outputs": ["quantile_bin(n, 4)"]}', schema)
    batches = [[[str(n)] for n in part.tolist()] for part in np.array_split(numbers, 50)]
    edges = Transforms.fit(recipe, schema, lambda: batches).edges[0]
    np.testing.assert_allclose(edges / 250_000, [0.25, 0.5, 0.75], atol=0.01)
