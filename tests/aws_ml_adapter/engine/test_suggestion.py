"""The suggested recipe: its form, and the numbers of bins."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.kinds import ModelType
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.engine import suggestion
from aws_ml_adapter.engine.csv_data import Rows
from aws_ml_adapter.engine.suggestion import suggest_recipe
from features.schema import AttributeType, Schema

BINARY, CATEGORICAL, NUMERIC, TEXT = (
    AttributeType.BINARY,
    AttributeType.CATEGORICAL,
    AttributeType.NUMERIC,
    AttributeType.TEXT,
)
COUNTS = (10, 20, 50, 100, 200, 500)
Table = list[list[str] | None]


def schema_of(*attributes: tuple[str, AttributeType], **changes) -> Schema:
    return Schema(attributes=attributes, **{"target": "y"} | changes)


def reading(rows: Table) -> Callable[[], list[Rows]]:
    return lambda: [rows[i : i + 70] for i in range(0, len(rows), 70)]


def bins_of(rows: Table, model_type: ModelType = ModelType.REGRESSION) -> dict[str, int]:
    """Suggested number of bins of each attribute, 0 for none, of rows whose last value is the target."""
    width = max(len(row) for row in rows if row is not None) - 1
    schema = schema_of(*((f"x{i}", NUMERIC) for i in range(width)), ("y", model_type.target_type))
    recipe = parse_recipe(suggest_recipe(schema, reading(rows), model_type), schema)
    return {str(output.arguments[0]): output.number or 0 for output in recipe.outputs}


def table(numbers: np.ndarray, targets: np.ndarray) -> Table:
    return [[*map(repr, row), str(y)] for row, y in zip(numbers.tolist(), targets.tolist(), strict=True)]


def test_it_has_the_form_of_the_services_own_quotes_names_and_can_be_read():
    random = np.random.default_rng(1)
    ages, sizes = random.integers(0, 90, 400), random.normal(size=400)
    odd = "owner's \\ (m²)"
    schema = schema_of(
        ("id", NUMERIC),
        ("age", NUMERIC),
        (odd, NUMERIC),
        ("note", TEXT),
        ("y", NUMERIC),
        ("town", CATEGORICAL),
        ("old", NUMERIC),
        ("paid", BINARY),
        row_id="id",
        excluded=("old",),
    )
    rows = [
        [str(i), str(age), repr(size), "a note", repr(float(30 <= age < 60) + size), "Turin", "5", "1"]
        for i, (age, size) in enumerate(zip(ages.tolist(), sizes.tolist(), strict=True))
    ]
    text = suggest_recipe(schema, reading(rows), ModelType.REGRESSION)
    content = json.loads(text)
    [bins] = [count for count in COUNTS if f"NUMERIC_VARS_QB_{count}" in content["groups"]]
    assert content == {
        "groups": {
            "NUMERIC_VARS_NORM": "group('owner\\'s \\\\ (m²)')",
            f"NUMERIC_VARS_QB_{bins}": "group('age')",
        },
        "assignments": {},
        "outputs": [
            "ALL_BINARY",
            "ALL_CATEGORICAL",
            "normalize(NUMERIC_VARS_NORM)",
            f"quantile_bin(NUMERIC_VARS_QB_{bins},{bins})",
            "ALL_TEXT",
        ],
    }
    outputs = [str(output) for output in parse_recipe(text, schema).outputs]
    assert outputs == ["paid", "town", "normalize('owner\\'s \\\\ (m²)')", f"quantile_bin(age,{bins})", "note"]


def test_lines_get_no_bins_waves_many_and_noise_none():
    random = np.random.default_rng(2)
    x = random.uniform(0, 1, (1_500, 4))
    y = 3 * x[:, 0] + np.sin(6 * x[:, 1]) + np.sin(60 * x[:, 2]) + random.normal(size=1_500) * 0.2
    found = bins_of(table(x, y))
    assert found["x0"] == found["x3"] == 0
    assert 0 < found["x1"] <= 50 <= found["x2"]


def test_bins_are_finer_where_there_is_less_noise():
    random = np.random.default_rng(3)
    x = random.uniform(0, 1, (700, 1))
    wave, noise = np.sin(15 * x[:, 0]), random.normal(size=700)
    clear, noisy = (bins_of(table(x, wave + amount * noise))["x0"] for amount in (0.05, 1.5))
    assert clear > noisy > 0


@pytest.mark.parametrize("model_type", [ModelType.BINARY, ModelType.MULTICLASS])
def test_of_classes_what_lies_between_gets_bins(model_type):
    random = np.random.default_rng(4)
    x = random.normal(size=(400, 3))
    inner = (np.abs(x[:, 0]) < 0.7).astype(int)
    names = np.array(["0", "1"] if model_type is ModelType.BINARY else ["outer", "inner"])
    found = bins_of(table(x, names[inner]), model_type)
    assert found["x0"] > 0
    assert found["x1"] == found["x2"] == 0


@pytest.mark.parametrize("seed", range(4))
def test_two_hundred_rows_of_lines_get_no_bins(seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(200, 8))
    y = x @ random.normal(size=8) + random.normal(size=200)
    assert sum(count > 0 for count in bins_of(table(x, y)).values()) <= 1


@pytest.mark.parametrize("seed", range(3))
def test_of_many_columns_of_noise_none_gets_bins(seed):
    random = np.random.default_rng(20 + seed)
    x = random.normal(size=(200, 90))
    side = (x[:, 0] + x[:, 1] + random.normal(size=200) / 2 > 0).astype(int)
    assert sum(count > 0 for count in bins_of(table(x, side), ModelType.BINARY).values()) <= 1


def test_a_wave_is_found_among_many_columns_of_noise():
    random = np.random.default_rng(9)
    x = random.uniform(0, 1, (400, 60))
    found = bins_of(table(x, np.sin(9 * x[:, 30]) + random.normal(size=400) * 0.3))
    assert found["x30"] > 0
    assert sum(count > 0 for count in found.values()) <= 2


def test_columns_that_are_alike_get_the_same():
    random = np.random.default_rng(10)
    x = np.repeat(random.uniform(0, 1, (500, 2)), 3, axis=1)
    found = bins_of(table(x, np.sin(12 * x[:, 0]) + x[:, 3] + random.normal(size=500) * 0.2))
    assert found["x0"] == found["x1"] == found["x2"] > 0
    assert found["x3"] == found["x4"] == found["x5"] == 0


def test_constants_and_numbers_of_two_values_are_lines():
    random = np.random.default_rng(11)
    sides = random.integers(0, 2, 300)
    x = np.column_stack([np.full(300, 7.1), sides, np.full(300, 1e12), 3.0 * (1 - sides)])
    found = bins_of(table(x, sides + random.normal(size=300) / 2))
    assert set(found.values()) == {0}


@pytest.mark.parametrize(("rows", "bins"), [(49, 0), (50, 10), (249, 20), (250, 50), (499, 50), (500, 100)])
def test_a_bin_has_five_rows_on_average(rows, bins):
    # for a curve without noise the finest bins are the best
    x = np.linspace(0, 1, rows)[:, None]
    assert bins_of(table(x, np.sin(9 * x[:, 0])))["x0"] == bins


def test_correlated_numbers_stay_together_without_bins():
    random = np.random.default_rng(5)
    base = random.normal(size=(300, 1))
    x = base + random.normal(size=(300, 3)) * 0.1
    y = x @ [1.0, -2.0, 1.5] + random.normal(size=300) * 0.05
    assert bins_of(table(x, y)) == {"x0": 0, "x1": 0, "x2": 0}


def test_a_wave_is_found_among_missing_and_invalid_values_and_rejected_rows():
    random = np.random.default_rng(6)
    x = random.uniform(0, 1, (900, 1))
    rows = table(x, np.sin(20 * x[:, 0]))
    for i, value in enumerate(["", "none", " "] * 60):
        rows[5 * i][0] = value
    rows[7] = rows[8] = None
    rows[9][1] = rows[10][1] = "no number"
    assert bins_of(rows)["x0"] >= 20


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [None],
        [["1", "2", ""]],
        [["1", "2", "3"]] * 19,
        [["1", "2", "3"]] * 50,
        [["", "", str(i)] for i in range(50)],
        [["1e308", "-1e308", str((-1) ** i * 1e300)] for i in range(50)],
    ],
)
def test_random_data_get_no_bins(rows):
    schema = schema_of(("x0", NUMERIC), ("x1", NUMERIC), ("y", NUMERIC))
    content = json.loads(suggest_recipe(schema, reading(rows), ModelType.REGRESSION))
    assert content["outputs"] == ["ALL_CATEGORICAL", "normalize(NUMERIC_VARS_NORM)"]


def test_the_data_are_not_read_where_there_are_no_numbers():
    schema = schema_of(("note", TEXT), ("y", BINARY))
    content = json.loads(suggest_recipe(schema, lambda: pytest.fail("read"), ModelType.BINARY))
    assert content == {"groups": {}, "assignments": {}, "outputs": ["ALL_CATEGORICAL", "ALL_TEXT"]}


def test_of_many_rows_a_sample_is_looked_at_which_is_always_the_same(monkeypatch):
    monkeypatch.setattr(suggestion, "_MAX_ROWS", 600)
    random = np.random.default_rng(7)
    x = random.uniform(0, 1, (5_000, 2))
    rows = table(x, np.sin(30 * x[:, 0]) + x[:, 1] + random.normal(size=5_000) * 0.3)
    # sorted by the target, as data often are
    rows.sort(key=lambda row: float(row[-1]))
    assert bins_of(rows) == bins_of(rows)
    assert bins_of(rows)["x0"] >= 20
    assert bins_of(rows)["x1"] == 0


def test_more_classes_than_are_looked_at_do_no_harm():
    random = np.random.default_rng(8)
    x = random.uniform(0, 1, (900, 2))
    classes = np.array([f"kind {int(place * 30) % 15}" for place in x[:, 0]])
    assert bins_of(table(x, classes), ModelType.MULTICLASS)["x0"] >= 20


def test_a_model_type_that_does_not_fit_the_target_is_refused():
    schema = schema_of(("x0", NUMERIC), ("y", BINARY))
    with pytest.raises(RequestFault, match="MULTICLASS model predicts a CATEGORICAL attribute"):
        suggest_recipe(schema, reading([]), ModelType.MULTICLASS)
