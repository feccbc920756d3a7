"""Columns of numbers read in batches: parsing, quantile bins, mean and deviation, and a sample of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.schema import AttributeType, parse_binary, parse_numeric
from textclf.base.errors import BadDataError

Kept = TypeVar("Kept")

# less than the exponent of the smallest float
_NO_EXPONENT = -2_000


def read_numbers(values: Sequence[str], kind: AttributeType = AttributeType.NUMERIC) -> NDArray[np.float64]:
    """Parse NUMERIC or BINARY values (0 or 1) as float64; NaN for missing and invalid ones."""
    if kind is not AttributeType.BINARY:
        # fast path for columns of only numbers and empty cells, excluding numbers that only Python accepts
        with suppress(ValueError):
            numbers = np.array([float(value or "nan") for value in values], np.float64)
            if "_" not in (whole := "".join(values)) and whole.isascii():
                numbers[np.isinf(numbers)] = np.nan
                return numbers
    parse = parse_binary if kind is AttributeType.BINARY else parse_numeric
    known: dict[str, float] = {}
    for value in set(values):
        try:
            known[value] = float(parse(value))
        except BadDataError:
            known[value] = math.nan
    return np.array([known[value] for value in values], np.float64)


def bin_edges(numbers: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Return the distinct inner edges of quantile bins of sorted numbers; an edge belongs to the bin above."""
    if not len(numbers):
        return np.empty(0)
    edges = np.unique(numbers[np.arange(1, bins) * len(numbers) // bins])
    return np.asarray(edges[edges > numbers[0]])


def standardised(numbers: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Return standardised numbers, their mean, and their deviation (1 instead of 0), for numbers of any scale."""
    # dividing by a power of two is exact, and prevents an overflow of sums and squares
    exponent = int(_exponents(numbers))
    numbers = np.ldexp(numbers, -exponent)
    mean, deviation = math.fsum(numbers) / len(numbers), float(numbers.std())
    if deviation == 0:
        return numbers - mean, math.ldexp(mean, exponent), 1.0
    return (numbers - mean) / deviation, math.ldexp(mean, exponent), math.ldexp(deviation, exponent)


def _exponents(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the exponent of the power of two just above all numbers of each column."""
    largest = np.abs(numbers).max(axis=0, initial=0)
    return np.where(largest > 0, np.frexp(largest)[1], _NO_EXPONENT)


class Moments:
    """Mean and population deviation of columns of numbers, updated in batches; NaN is ignored."""

    # merged as in Chan, Golub and LeVeque 1983, https://doi.org/10.1080/00031305.1983.10483115
    def __init__(self, columns: int) -> None:
        self.counts = np.zeros(columns)
        # divided by powers of two, which is exact, and prevents an overflow of squares
        self._exponents = np.full(columns, _NO_EXPONENT)
        self._means = np.zeros(columns)
        self._squares = np.zeros(columns)

    @property
    def means(self) -> NDArray[np.float64]:
        """The means, of shape (columns,); 0 for columns without numbers."""
        return np.asarray(np.ldexp(self._means, self._exponents))

    def add(self, numbers: NDArray[np.float64]) -> None:
        """Add the numbers of some rows, shape (n, columns)."""
        known = ~np.isnan(numbers)
        counts = known.sum(axis=0)
        numbers = np.where(known, numbers, 0)
        exponents = np.maximum(self._exponents, _exponents(numbers))
        self._means = np.ldexp(self._means, self._exponents - exponents)
        self._squares = np.ldexp(self._squares, 2 * (self._exponents - exponents))
        self._exponents = exponents
        numbers = np.ldexp(numbers, -exponents)
        # measured from one of the numbers, so that equal numbers have a variance of exactly 0
        origins = np.where(counts > 0, np.where(known, numbers, -np.inf).max(axis=0, initial=-np.inf), 0)
        means = origins + np.where(known, numbers - origins, 0).sum(axis=0) / np.maximum(counts, 1)
        squares = np.where(known, (numbers - means) ** 2, 0).sum(axis=0)
        total = np.maximum(self.counts + counts, 1)
        gaps = means - self._means
        self._squares += squares + gaps**2 * (self.counts * counts / total)
        self._means += gaps * (counts / total)
        self.counts += counts

    def deviations(self) -> NDArray[np.float64]:
        """Return the standard deviations, of shape (columns,); 0 for columns without numbers."""
        return np.asarray(np.ldexp(np.sqrt(self._squares / np.maximum(self.counts, 1)), self._exponents))


class Reservoir(Generic[Kept]):
    """A uniform sample of a stream of rows; deterministic for the same seed."""

    # algorithm R of Vitter 1985, https://doi.org/10.1145/3147.3165
    def __init__(self, size: int, seed: int) -> None:
        self.seen = 0
        self.sample: list[Kept] = []
        self._size = size
        self._random = np.random.default_rng(seed)

    def add(self, rows: Sequence[Any] | NDArray[np.float64], keep: Callable[[Any], Kept]) -> None:
        """Add rows; the sample stores the result of ``keep`` for each chosen row."""
        places = np.arange(self.seen, self.seen + len(rows))
        late = places >= self._size
        places[late] = self._random.integers(0, places[late] + 1)
        self.seen += len(rows)
        for i in np.flatnonzero(places < self._size).tolist():
            # a place after the last one appends
            self.sample[places[i] : places[i] + 1] = [keep(rows[i])]
