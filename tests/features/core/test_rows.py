"""Sparse rows and their products, against NumPy's and SciPy's."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_array, hstack, random_array

from features.core.rows import KeptKeys, RowMap, gram_matrix, multiply, multiply_chosen, put_beside
from features.core.texts import compare
from features.core.words import WordTable


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


def test_each_row_is_multiplied_by_the_column_chosen_for_it(rows):
    draw = np.random.default_rng(1)
    matrix = draw.normal(size=(rows.shape[1], 4)).astype(np.float32)
    chosen = draw.integers(0, 4, rows.shape[0])
    expected = (rows @ matrix)[np.arange(rows.shape[0]), chosen]
    assert np.allclose(multiply_chosen(*parts(rows), matrix, chosen), expected, atol=1e-5)
    part = rows.shape[1] // 2
    expected = (rows[:, :part] @ matrix[:part])[np.arange(rows.shape[0]), chosen]
    assert np.allclose(multiply_chosen(*parts(rows), matrix[:part], chosen), expected, atol=1e-5)
    with pytest.raises(ValueError, match="no column of the matrix"):
        multiply_chosen(*parts(rows), matrix, np.full(rows.shape[0], 4))


@pytest.mark.parametrize("restore", [lambda one: one, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_linear_map_is_the_sum_of_its_parts_for_each_row_as_if_it_were_alone(rows, restore):
    draw = np.random.default_rng(1)
    sparse, weights, intercept = (
        draw.normal(size=shape).astype(np.float32) for shape in ((rows.shape[1], 4), (5, 4), 4)
    )
    dense = draw.normal(size=(rows.shape[0], 5)).astype(np.float32)
    mapping = restore(RowMap(sparse, weights, intercept))
    mapped = mapping.map(*parts(rows), dense)
    assert np.allclose(mapped, rows @ sparse + dense @ weights + intercept, atol=1e-4)
    assert mapping.map(*parts(rows[-1:]), dense[-1:]).tobytes() == mapped[-1:].tobytes()
    # columns that have no weights do not count
    part = rows.shape[1] // 2
    fewer = RowMap(sparse[:part], weights, intercept).map(*parts(rows), dense)
    assert np.allclose(fewer, rows[:, :part] @ sparse[:part] + dense @ weights + intercept, atol=1e-4)


@pytest.mark.parametrize("most", [0, 3, 1_000])
def test_inner_products_of_rows_are_those_of_scipy_without_the_columns_with_more_entries(rows, most):
    columns = rows.tocsc()
    kept = rows[:, np.flatnonzero(np.diff(columns.indptr) <= most)]
    expected = np.tril((kept @ kept.T).toarray())
    assert np.allclose(gram_matrix(*parts(columns), rows=rows.shape[0], most=most), expected, atol=1e-5)


def test_inner_products_are_the_same_however_many_blocks_the_columns_take():
    rows = random_array((40, 20_000), density=0.3, format="csc", dtype=np.float32, rng=np.random.default_rng(0))
    expected = np.tril((rows.astype(np.float64) @ rows.T.astype(np.float64)).toarray())
    assert rows.nnz > 3 * 2**16
    assert np.allclose(gram_matrix(*parts(rows), rows=40, most=40), expected, rtol=1e-12)


def test_sparse_and_dense_rows_beside_each_other_are_those_of_scipy(rows):
    dense = random_array((rows.shape[0], 7), density=0.5, dtype=np.float32, rng=np.random.default_rng(0)).toarray()
    starts, columns, values = put_beside(*parts(rows), dense, first=rows.shape[1])
    expected = hstack([rows, csr_array(dense)], format="csr")
    assert np.array_equal(starts, expected.indptr)
    assert np.array_equal(columns, expected.indices)
    assert np.array_equal(values, expected.data)


def test_no_rows_have_no_products():
    none = csr_array((0, 5), dtype=np.float32)
    assert multiply(*parts(none), np.ones((5, 2), np.float32)).shape == (0, 2)
    assert gram_matrix(*parts(none.tocsc()), rows=0, most=5).shape == (0, 0)
    assert put_beside(*parts(none), np.ones((0, 2), np.float32), first=5)[0].tolist() == [0]


@pytest.mark.parametrize("width", [1, 10, 15, 16, 40])
def test_weights_beside_the_frequencies_change_no_row_and_no_product(width):
    draw = np.random.default_rng(0)
    keys = np.unique(draw.integers(0, 1 << 22, 5_000))
    idf, weights = draw.uniform(1, 5, len(keys)).astype(np.float32), draw.normal(size=(len(keys), width))
    weights = weights.astype(np.float32)
    kept = KeptKeys(keys, idf, 1 << 22)
    counted = np.array([0, 3_000]), keys[:3_000].astype(np.int32), draw.integers(1, 9, 3_000).astype(np.float32)
    expected = kept.weigh(*counted)
    beside = kept.put_beside(weights)
    assert (beside == weights).all()
    for restored in (kept, pickle.loads(pickle.dumps(kept))):
        for one, other in zip(restored.weigh(*counted), expected, strict=True):
            assert one.tobytes() == other.tobytes()
    assert multiply(*expected, beside).tobytes() == multiply(*expected, weights).tobytes()


def test_what_does_not_fit_together_is_refused_before_any_memory_is_read():
    ones = partial(np.ones, dtype=np.float32)
    with pytest.raises(ValueError, match="no linear map"):
        RowMap(ones((2, 3)), ones((4, 2)), ones(3))
    with pytest.raises(ValueError, match="do not fit the map"):
        RowMap(ones((2, 3)), ones((4, 3)), ones(3)).map(*parts(csr_array((1, 2), dtype=np.float32)), ones((1, 5)))
    with pytest.raises(ValueError, match="do not fit their rows"):
        KeptKeys(np.arange(3), ones(3), 1 << 22).weigh(np.array([0, 9]), np.arange(3), ones(3))
    with pytest.raises(ValueError, match="do not fit together"):
        WordTable(["a", "b"]).embed([["b"]], ones(2), ones((1, 4)), ones(4), unit=True)
    with pytest.raises(ValueError, match="do not fit together"):
        compare(np.ones((1, 20)), np.ones((19, 9)), 1)
    # other types than the core's are converted
    vectors = WordTable(["a", "b"]).embed([["b"]], np.ones(2), np.eye(2), np.zeros(2), unit=True)
    assert vectors.tolist() == [[0, 1]]
