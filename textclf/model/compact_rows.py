"""Compact rows: as many columns as there are documents, with the same inner products as the rows of all features.

Nothing but inner products of its rows decides what margins a linear SVM gives. A document has thousands of n-grams, so
up to a few thousand documents are learned from in a small part of the time and memory as rows of a Cholesky factor of
their Gram matrix.

Source: B. Schölkopf and A. J. Smola, "Learning with Kernels", MIT Press, 2002, on the kernel as all that is needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.core.rows import gram_matrix
from textclf.base.one_thread import one_thread

MOST = 4_000
"""Rows up to which compact ones are made: the Gram matrix takes 8 bytes times their square."""
RIDGE = 1e-9
"""Added to squared lengths, relative to their mean: some rows may be the same."""
FREQUENT = 3 / 16
"""Share of the rows above which a column is multiplied as a dense one."""
BLOCK = 1_024
"""Dense columns that are multiplied at a time."""


def compact_rows(matrix: Any) -> tuple[Any, Any]:
    """Give rows with the same inner products as those of a sparse matrix, and what `full_slopes` takes.

    Of more than `MOST` rows, both are the matrix itself.
    """
    from scipy.linalg import cholesky

    if not 0 < matrix.shape[0] <= MOST:
        return matrix, matrix
    # the caller need not hold the rows any more
    matrix = matrix.tocsc()
    with one_thread():
        gram = _gram(matrix)
        diagonal = np.einsum("ii->i", gram)
        diagonal += max(RIDGE * diagonal.mean(), np.finfo(np.float64).tiny)
        # in place: the lower triangle by rows is the upper one by columns
        upper = cholesky(gram.T, lower=False, overwrite_a=True, check_finite=False)
        return upper.T, matrix


def full_slopes(slopes: NDArray[np.float64], compact: Any, matrix: Any) -> NDArray[np.float64]:
    """Turn slopes that were fitted to the compact rows of a matrix into those of its columns."""
    from scipy.linalg import solve_triangular

    if compact is matrix:
        return slopes
    with one_thread():
        dual = solve_triangular(compact, slopes.T, trans="T", lower=True)
    return np.asarray((matrix.T @ dual.astype(matrix.dtype)).T)


def _gram(columns: Any) -> NDArray[np.float64]:
    """Compute the lower triangle of the inner products of the rows of a matrix in columns."""
    rows = columns.shape[0]
    most = int(FREQUENT * rows)
    gram = gram_matrix(columns.indptr, columns.indices, columns.data, rows=rows, most=most)
    frequent = np.flatnonzero(np.diff(columns.indptr) > most)
    for begin in range(0, len(frequent), BLOCK):
        block = columns[:, frequent[begin : begin + BLOCK]].toarray().astype(np.float64)
        gram += block @ block.T
    return gram
