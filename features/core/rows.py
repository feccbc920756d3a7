"""Sparse rows, in the layout of SciPy's CSR matrices: weighed by TF-IDF, and multiplied by dense matrices."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.core.library import Kept, LinearMap, load_library

_COUNTS = (1 + np.log(np.maximum(np.arange(256), 1))).astype(np.float32)
"""``1 + ln count`` of counts below 256."""
_LINE = 16
"""Numbers of single precision in a line of the processor's cache."""
_KINDS = np.int64, np.int32, np.float32


class KeptKeys:
    """The keys of n-grams that were kept, with their weights; their positions are columns.

    Parameters
    ----------
    keys : ndarray of int64, shape (m,)
        In rising order.
    idf : ndarray of float32, shape (m,)
        Inverse document frequency of each.
    bound : int
        All keys are below.
    """

    def __init__(self, keys: NDArray[np.int64], idf: NDArray[np.float32], bound: int) -> None:
        places = keys >> 5
        first = np.flatnonzero(np.diff(places, prepend=-1))
        bits = np.bitwise_or.reduceat(np.uint64(1) << (keys & 31).astype(np.uint64), first)
        # where no key is kept, memory that is all zeros need not even be written
        self._keys = np.zeros(bound >> 5, np.uint64)
        self._keys[places[first]] = (first.astype(np.uint64) << np.uint64(32)) | bits
        self._idf = np.append(idf, 0).astype(np.float32)
        self._attach()

    def _attach(self) -> None:
        stride = self._idf.strides[0] // self._idf.itemsize
        self._kept = Kept(self._keys.ctypes.data, len(self._keys), self._idf.ctypes.data, stride, _COUNTS.ctypes.data)
        self.address = ctypes.addressof(self._kept)

    def put_beside(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Keep weights of shape (m, k) beside the frequencies, so that they come from memory at once; gives their view.

        It has the values of `weights`. A prediction waits for memory more than for anything else.
        """
        height, width = weights.shape
        stride = -(-(width + 1) // _LINE) * _LINE
        memory = np.zeros((height + 1) * stride + _LINE, np.float32)
        # each row begins where a line of the cache does
        first = -(memory.ctypes.data // memory.itemsize) % _LINE
        joint = memory[first : first + (height + 1) * stride].reshape(height + 1, stride)
        joint[:, 0], joint[:-1, 1 : width + 1] = self._idf, weights
        self._idf = joint[:, 0]
        self._attach()
        return joint[:-1, 1 : width + 1]

    def __getstate__(self) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
        return self._keys, np.ascontiguousarray(self._idf)

    def __setstate__(self, arrays: tuple[NDArray[np.uint64], NDArray[np.float32]]) -> None:
        # addresses are those of this process
        self._keys, self._idf = arrays
        self._attach()

    def weigh(
        self, starts: NDArray[np.int64], keys: NDArray[np.int32], times: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """Turn rows of counts into TF-IDF rows: where each starts, and columns and values."""
        starts, keys, times = _plain(starts, np.int64), _plain(keys, np.int32), _plain(times, np.float32)
        if not starts[0] == 0 <= starts[-1] == len(keys) == len(times):
            raise ValueError("the counts do not fit their rows")
        row_starts = np.empty(len(starts), np.int64)
        columns, values = np.empty(len(keys), np.int32), np.empty(len(keys), np.float32)
        written = load_library().weigh(
            self.address,
            starts.ctypes.data,
            len(starts) - 1,
            keys.ctypes.data,
            times.ctypes.data,
            row_starts.ctypes.data,
            columns.ctypes.data,
            values.ctypes.data,
        )
        return row_starts, columns[:written].copy(), values[:written].copy()


def multiply(
    starts: NDArray[np.int64], columns: NDArray[np.int32], values: NDArray[np.float32], matrix: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Multiply sparse rows by a dense matrix; columns, in rising order, beyond its height do not count."""
    starts, columns, values = _plain(starts, np.int64), _plain(columns, np.int32), _plain(values, np.float32)
    if matrix.dtype != np.float32 or matrix.strides[1] != matrix.itemsize:
        matrix = _plain(matrix, np.float32)
    products = np.empty((len(starts) - 1, matrix.shape[1]))
    load_library().multiply(
        starts.ctypes.data,
        len(starts) - 1,
        columns.ctypes.data,
        values.ctypes.data,
        matrix.ctypes.data,
        *matrix.shape,
        matrix.strides[0] // matrix.itemsize,
        products.ctypes.data,
    )
    return products


def multiply_chosen(
    starts: NDArray[np.int64],
    columns: NDArray[np.int32],
    values: NDArray[np.float32],
    matrix: NDArray[np.float32],
    chosen: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Multiply each of n sparse rows by the column of a dense matrix that is chosen for it, shape (n,).

    Columns of the rows, in rising order, beyond the height of the matrix do not count.
    """
    starts, columns, values = _plain(starts, np.int64), _plain(columns, np.int32), _plain(values, np.float32)
    matrix, chosen, rows = _plain(matrix, np.float32), _plain(chosen, np.int64), len(starts) - 1
    if chosen.shape != (rows,) or chosen.min(initial=0) < 0 or chosen.max(initial=0) >= matrix.shape[1]:
        raise ValueError("no column of the matrix is chosen for each row")
    products = np.empty(rows)
    load_library().multiply_chosen(
        starts.ctypes.data,
        rows,
        columns.ctypes.data,
        values.ctypes.data,
        matrix.ctypes.data,
        *matrix.shape,
        chosen.ctypes.data,
        products.ctypes.data,
    )
    return products


class RowMap:
    """A linear map of rows with a sparse and a dense part.

    Parameters
    ----------
    sparse : ndarray of float32, shape (m, k)
        Weights of the columns of the sparse part.
    dense : ndarray of float32, shape (d, k)
        Weights of the dense part.
    intercept : ndarray of float32, shape (k,)
    """

    def __init__(self, sparse: NDArray[np.float32], dense: NDArray[np.float32], intercept: NDArray[np.float32]) -> None:
        if sparse.dtype != np.float32 or sparse.strides[1] != sparse.itemsize:
            sparse = _plain(sparse, np.float32)
        dense, intercept = _plain(dense, np.float32), _plain(intercept, np.float32)
        width = len(intercept)
        if not sparse.shape[1] == dense.shape[1] == width:
            raise ValueError("weights of different widths are no linear map")
        self._parts = sparse, dense, intercept
        self._dense, self._width = len(dense), width
        self._map = LinearMap(
            *(part.ctypes.data for part in self._parts),
            len(sparse),
            len(dense),
            width,
            sparse.strides[0] // sparse.itemsize,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # addresses are those of this process
        return RowMap, self._parts

    def map(
        self,
        starts: NDArray[np.int64],
        columns: NDArray[np.int32],
        values: NDArray[np.float32],
        dense: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """Map n rows, shape (n, k); sparse columns, in rising order, that have no weights do not count."""
        starts, columns, values = _plain(starts, np.int64), _plain(columns, np.int32), _plain(values, np.float32)
        dense, rows = _plain(dense, np.float32), len(starts) - 1
        if dense.shape != (rows, self._dense):
            raise ValueError(f"dense rows of shape {dense.shape} do not fit the map")
        mapped = np.empty((rows, self._width))
        load_library().map_rows(
            ctypes.byref(self._map),
            starts.ctypes.data,
            rows,
            columns.ctypes.data,
            values.ctypes.data,
            dense.ctypes.data,
            mapped.ctypes.data,
        )
        return mapped


def put_beside(
    starts: NDArray[Any], columns: NDArray[Any], values: NDArray[Any], dense: NDArray[Any], *, first: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Put sparse rows and dense ones, as columns from `first` on, beside each other, without the zeros of the dense."""
    given = [_plain(part, kind) for part, kind in zip((starts, columns, values), _KINDS, strict=True)]
    dense = _plain(dense, np.float32)
    if len(dense) != len(starts) - 1:
        raise ValueError(f"{len(starts) - 1} and {len(dense)} rows cannot be put beside each other")
    # one more, which is written to where the last number is zero
    size = len(columns) + dense.size + 1
    joined = np.empty(len(starts), np.int64), np.empty(size, np.int32), np.empty(size, np.float32)
    written = load_library().put_beside(
        given[0].ctypes.data,
        len(dense),
        given[1].ctypes.data,
        given[2].ctypes.data,
        dense.ctypes.data,
        dense.shape[1],
        first,
        *(part.ctypes.data for part in joined),
    )
    return joined[0], joined[1][:written], joined[2][:written]


def gram_matrix(
    starts: NDArray[Any], indices: NDArray[Any], values: NDArray[Any], *, rows: int, most: int
) -> NDArray[np.float64]:
    """Compute the inner products of sparse rows, of which the lower triangle is filled in; the rest is zeros.

    They are given by columns: starts, row numbers in rising order, and values. Columns with more than `most` entries
    are left out.
    """
    given = [_plain(part, kind) for part, kind in zip((starts, indices, values), _KINDS, strict=True)]
    products = np.zeros((rows, rows))
    if not load_library().gram_matrix(
        given[0].ctypes.data,
        len(given[0]) - 1,
        given[1].ctypes.data,
        given[2].ctypes.data,
        rows,
        most,
        products.ctypes.data,
    ):
        raise MemoryError
    return products


def _plain(values: NDArray[Any], kind: type[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values, kind)
