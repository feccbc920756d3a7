"""Rows of few columns that a linear SVM learns the same from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from textclf.model import compact_rows as module
from textclf.model.compact_rows import compact_rows, full_slopes
from textclf.model.linear import fit_svm


@pytest.fixture
def matrix():
    """Forty rows, the last two equal, and one of zeros."""
    found = random_array((37, 900), density=0.1, dtype=np.float32, rng=np.random.default_rng(0)).toarray()
    return csr_array(np.vstack([found, np.zeros((1, 900), np.float32), found[[5, 5]]]))


def test_a_model_gives_the_margins_that_it_gives_when_fitted_to_all_columns(matrix):
    labels, weights = np.arange(40) % 3, np.linspace(0.5, 2, 40)
    fit = {"categories": 3, "c": 1.0, "seed": 0}
    compact, columns = compact_rows(matrix)
    assert compact.shape == (40, 40)
    slopes, intercept = fit_svm(compact, labels, weights, **fit)
    expected, expected_intercept = fit_svm(matrix.copy(), labels, weights, **fit)
    unseen = random_array((20, 900), density=0.1, format="csr", rng=np.random.default_rng(1))
    margins = unseen @ expected.T + expected_intercept
    assert np.abs(margins).max() > 0.1
    assert np.allclose(unseen @ full_slopes(slopes, compact, columns).T + intercept, margins, atol=1e-4)


@pytest.mark.parametrize("rare", [0.0, 1.1])
def test_frequent_and_rare_columns_count_alike(matrix, monkeypatch, rare):
    monkeypatch.setattr(module, "FREQUENT", rare)
    monkeypatch.setattr(module, "BLOCK", 128)
    compact, _ = compact_rows(matrix)
    assert np.allclose(compact @ compact.T, (matrix @ matrix.T).toarray(), atol=1e-5)


def test_where_there_are_many_rows_all_columns_stay(matrix, monkeypatch):
    monkeypatch.setattr(module, "MOST", 40)
    assert compact_rows(matrix)[0].shape == (40, 40)
    monkeypatch.setattr(module, "MOST", 39)
    assert all(found is matrix for found in compact_rows(matrix))
    assert full_slopes(np.ones((2, 900)), matrix, matrix).shape == (2, 900)


def test_no_row_and_rows_of_nothing_are_rows(matrix):
    assert compact_rows(matrix[:0])[0].shape == (0, 900)
    assert compact_rows(csr_array((3, 900), dtype=np.float32))[0].shape == (3, 3)
