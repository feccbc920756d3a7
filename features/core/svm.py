"""Linear SVMs of sparse rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.core.library import load_library

_LANES = 4
_PASSES = 1_000


def fit_svms(
    starts: NDArray[Any],
    columns: NDArray[Any],
    values: NDArray[Any],
    targets: NDArray[np.int64],
    costs: NDArray[np.float64],
    *,
    width: int,
    categories: int,
    tolerance: float,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a linear SVM with squared hinge loss for each of k categories against the rest.

    Parameters
    ----------
    starts, columns, values : ndarray
        Sparse rows, of `width` columns.
    targets : ndarray of int64, shape (n,)
        Category of each row; those of k count against all.
    costs : ndarray of float64, shape (n,)
        Of each row, above 0.
    tolerance : float
        Largest difference of projected gradients, as of LIBLINEAR.
    seed : int
        Of the order in which rows are taken.

    Returns
    -------
    weights : ndarray of float32, shape (width, k)
    constants : ndarray of float32, shape (k,)
    """
    # the weights that are used most stay in the processor's cache
    places = np.empty(width, np.int32)
    places[np.argsort(-np.bincount(columns, minlength=width), kind="stable")] = np.arange(width, dtype=np.int32)
    arrays = [
        np.ascontiguousarray(array, kind)
        for array, kind in (
            (starts, np.int64),
            (places[columns], np.int32),
            (values, np.float32),
            (targets, np.int32),
            (costs, np.float64),
        )
    ]
    stride = -(-categories // _LANES) * _LANES
    weights, constants = np.zeros((width, stride), np.float32), np.zeros(stride, np.float32)
    first, *others = (array.ctypes.data for array in arrays)
    if not load_library().fit_svms(
        first,
        len(targets),
        *others,
        categories,
        tolerance,
        _PASSES,
        seed,
        weights.ctypes.data,
        constants.ctypes.data,
    ):
        raise MemoryError
    return weights[places, :categories], constants[:categories]
