"""Sparse rows and their products, against NumPy's and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from features.core.rows import add_products, multiply, multiply_rows


@pytest.fixture(params=[(1, 1), (7, 40), (40, 7), (60, 3_000)])
def rows(request):
    found = random_array(request.param, density=0.2, format="csr", dtype=np.float32, rng=np.random.default_rng(0))
    found.sort_indices()
    return found


def parts(matrix):
    return matrix.indptr, matrix.indices, matrix.data


@pytest.mark.parametrize("width", [1, 3, 16])
def test_products_with_a_dense_matrix_are_those_of_scipy(rows, width):
    matrix = np.random.default_rng(1).normal(size=(rows.shape[1], width)).astype(np.float32)
    assert np.allclose(multiply(*parts(rows), matrix), rows @ matrix, atol=1e-5)
    # columns beyond the matrix do not count
    part = rows.shape[1] // 2
    assert np.allclose(multiply(*parts(rows), matrix[:part]), rows[:, :part] @ matrix[:part], atol=1e-5)


def test_products_of_dense_rows_are_added(rows):
    dense, matrix = rows.toarray(), np.random.default_rng(1).normal(size=(rows.shape[1], 4)).astype(np.float32)
    products = np.ones((rows.shape[0], 4))
    add_products(products, dense, matrix)
    assert np.allclose(products, 1 + dense @ matrix, atol=1e-5)
    alone = np.ones((1, 4))
    add_products(alone, dense[-1:], matrix)
    assert alone.tobytes() == products[-1:].tobytes()


def test_inner_products_of_rows_are_those_of_scipy(rows):
    expected = np.tril((rows @ rows.T).toarray())
    assert np.allclose(multiply_rows(parts(rows), parts(rows.tocsc())), expected, atol=1e-5)


def test_no_rows_have_no_products():
    none = csr_array((0, 5), dtype=np.float32)
    assert multiply(*parts(none), np.ones((5, 2), np.float32)).shape == (0, 2)
    assert multiply_rows(parts(none), parts(none.tocsc())).shape == (0, 0)
