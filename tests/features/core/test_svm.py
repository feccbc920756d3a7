"""Linear SVMs of sparse rows, against scikit-learn's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array
from sklearn.svm import LinearSVC

from features.core.svm import fit_svms


def problem(rows: int, width: int, categories: int):
    """Sparse rows, targets (the last is no category) and costs; a few columns tell the target."""
    draw = np.random.default_rng(rows)
    matrix = random_array((rows, width), density=0.1, format="lil", dtype=np.float32, rng=draw)
    targets = draw.integers(categories + 1, size=rows)
    targets[: categories + 1] = np.arange(categories + 1)
    for row, target in enumerate(targets):
        matrix[row, target] = draw.random() * 2
    return csr_array(matrix), targets, draw.random(rows) + 0.5


def fitted(matrix, targets, costs, categories, *, tolerance, seed=0):
    return fit_svms(
        matrix.indptr,
        matrix.indices,
        matrix.data,
        targets,
        costs,
        width=matrix.shape[1],
        categories=categories,
        tolerance=tolerance,
        seed=seed,
    )


@pytest.mark.parametrize(("rows", "width", "categories"), [(20, 30, 1), (60, 40, 3), (200, 1_000, 4), (300, 90, 13)])
def test_margins_are_those_of_scikit_learn(rows, width, categories):
    matrix, targets, costs = problem(rows, width, categories)
    weights, constants = fitted(matrix, targets, costs, categories, tolerance=1e-4)
    for category in range(categories):
        expected = LinearSVC(dual=True, tol=1e-6, random_state=0, max_iter=100_000)
        expected.fit(matrix, targets == category, sample_weight=costs)
        margins = matrix @ weights[:, category] + constants[category]
        assert np.allclose(margins, expected.decision_function(matrix), atol=2e-3)


def test_the_same_weights_come_again_also_in_threads_and_others_by_another_seed():
    given = problem(300, 500, 5)
    once = fitted(*given, 5, tolerance=0.1)
    with ThreadPoolExecutor(4) as pool:
        for weights, constants in pool.map(lambda _: fitted(*given, 5, tolerance=0.1), range(8)):
            assert weights.tobytes() == once[0].tobytes()
            assert constants.tobytes() == once[1].tobytes()
    assert fitted(*given, 5, tolerance=0.1, seed=1)[0].tobytes() != once[0].tobytes()


def test_rows_without_entries_and_columns_without_rows_do_no_harm():
    matrix = csr_array((4, 3), dtype=np.float32)
    weights, constants = fitted(matrix, np.array([0, 1, 1, 1]), np.ones(4), 2, tolerance=0.01)
    assert not weights.any()
    assert constants[0] < 0 < constants[1]
