"""Conversion of numbers to principal components and back."""

from __future__ import annotations

import numpy as np
import pytest

from aws_ml_adapter.engine.components import Components
from aws_ml_adapter.engine.feature_plan import Features

KEYS = np.array([90, 20, 50], np.uint64)
MISSING = KEYS + np.uint64(1)
WORD = np.uint64(7)


def features_of(table: np.ndarray, words: list[int]) -> Features:
    """Rows of numbers, NaN for missing ones, each followed by some words."""
    keys, values, starts = [], [], [0]
    for row, number in zip(table, words, strict=True):
        missing = np.isnan(row)
        keys += [*np.where(missing, MISSING, KEYS), *[WORD] * number]
        values += [*np.where(missing, 1, row), *[0.5] * number]
        starts.append(len(keys))
    return Features(np.array(starts), np.array(keys, np.uint64), np.array(values, np.float32))


def entries(features: Features, row: int) -> dict[int, float]:
    place = slice(*features.starts[row : row + 2])
    return dict(zip(features.keys[place].tolist(), features.values[place].tolist(), strict=True))


def numbers(rows: int = 400) -> np.ndarray:
    random = np.random.default_rng(4)
    base = random.normal(size=(rows, 1))
    table = base + random.normal(size=(rows, 3)) * [0.1, 0.5, 2]
    return (table - table.mean(axis=0)) / table.std(axis=0)


def test_components_are_uncorrelated_and_say_the_same():
    table = numbers()
    features = features_of(table, [0] * len(table))
    components = Components(KEYS)
    components.add(features)
    components.find(KEYS)
    made = components.apply(features).values.reshape(table.shape)
    moments = made.T @ made / len(made)
    assert np.diag(moments) == pytest.approx(components.deviations**2, rel=1e-4)
    assert moments - np.diag(np.diag(moments)) == pytest.approx(np.zeros((3, 3)), abs=1e-5)
    weights = np.array([[1.0], [-2.0], [3.0]])
    assert made @ weights == pytest.approx(table @ components.unfold(weights), abs=1e-5)
    assert np.linalg.norm(components.unfold(weights)) == pytest.approx(np.linalg.norm(weights)), "L2 is the same"


def test_missing_numbers_count_as_the_mean_and_keep_their_own_features():
    table = numbers()
    table[0, 1] = table[2, :] = np.nan
    features = features_of(table, [1, 0, 2, *[0] * (len(table) - 3)])
    components = Components(KEYS)
    components.add(features)
    components.find(KEYS)
    made = components.apply(features)
    known = np.nan_to_num(table)
    for row, others in enumerate([{int(MISSING[1]): 1, int(WORD): 0.5}, {}, dict.fromkeys(MISSING.tolist(), 1)]):
        found = entries(made, row)
        message = sum(found[int(key)] * weight for key, weight in zip(KEYS, [1, -2, 3], strict=True))
        assert message == pytest.approx(known[row] @ components.unfold(np.array([1.0, -2.0, 3.0])), abs=1e-5)
        assert others.items() <= found.items()
    assert made.starts[3] == 3 * 3 + 2 + 0 + 5, "both words of the third row are there"


def test_duplicate_numbers_have_one_component():
    table = numbers()
    table[:, 1] = table[:, 0]
    features = features_of(table, [0] * len(table))
    components = Components(KEYS)
    components.add(features)
    components.find(KEYS)
    made = components.apply(features).values.reshape(table.shape)
    assert components.deviations[0] == 0
    assert not made[:, 0].any()
    assert np.linalg.matrix_rank(made) == 2


def test_features_that_are_not_asked_for_stay_as_they_are():
    table = numbers()
    features = features_of(table, [0] * len(table))
    components = Components(KEYS)
    components.add(features)
    components.find(KEYS[[0, 2]])
    assert components.keys.tolist() == [90, 50]
    assert [entries(components.apply(features), row)[20] for row in range(3)] == pytest.approx(table[:3, 1])
    components.find(KEYS[:0])
    assert components.apply(features) is features
