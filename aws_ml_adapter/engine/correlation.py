"""The correlation of two attributes of any types, from 0 to 1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def correlation(first: NDArray[Any], second: NDArray[Any]) -> float | None:
    """Association of two columns, float (NaN is missing) or str (empty is missing); None if one is constant."""
    present = _present(first) & _present(second)
    first, second = first[present], second[present]
    if len(np.unique(first)) < 2 or len(np.unique(second)) < 2:
        return None
    match first.dtype.kind, second.dtype.kind:
        case "f", "f":
            measure = _pearson(first, second)
        case "f", _:
            measure = _epsilon(first, second)
        case _, "f":
            measure = _epsilon(second, first)
        case _:
            measure = _cramer(first, second)
    return min(measure, 1.0) if math.isfinite(measure) else None


def _present(values: NDArray[Any]) -> NDArray[np.bool_]:
    present: NDArray[np.bool_] = ~np.isnan(values) if values.dtype.kind == "f" else values != ""
    return present


def _centred(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    # scaled first, because squares of the largest floats would overflow
    numbers = numbers / np.abs(numbers).max()
    centred: NDArray[np.float64] = numbers - numbers.mean()
    return centred


def _pearson(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    x, y = _centred(first), _centred(second)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.abs(x @ y) / np.sqrt((x @ x) * (y @ y)))


def _epsilon(numbers: NDArray[np.float64], categories: NDArray[np.str_]) -> float:
    # the root of epsilon squared: Kelley 1935, https://doi.org/10.1073/pnas.21.9.554
    numbers = _centred(numbers)
    _, codes, sizes = np.unique(categories, return_inverse=True, return_counts=True)
    between = float((np.bincount(codes, numbers) ** 2 / sizes).sum())
    whole, n, k = float(numbers @ numbers), len(numbers), len(sizes)
    if n == k or whole == 0:
        return 0.0
    return math.sqrt(max(0.0, 1 - (whole - between) / (n - k) / (whole / (n - 1))))


def _cramer(first: NDArray[np.str_], second: NDArray[np.str_]) -> float:
    # Cramer's V with the correction of Bergsma 2013, https://doi.org/10.1016/j.jkss.2012.10.002
    _, rows, row_sizes = np.unique(first, return_inverse=True, return_counts=True)
    _, columns, column_sizes = np.unique(second, return_inverse=True, return_counts=True)
    n, r, c = len(first), len(row_sizes), len(column_sizes)
    # empty cells add nothing, so the table need not be filled
    cells, counts = np.unique(rows.astype(np.int64) * c + columns, return_counts=True)
    squared = float((counts**2 / (row_sizes[cells // c] * column_sizes[cells % c])).sum()) - 1
    corrected = max(0.0, squared - (r - 1) * (c - 1) / (n - 1))
    smallest = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return math.sqrt(corrected / smallest) if smallest > 0 else 0.0
