"""Columns of numbers that come bit by bit: reading them, their mean and deviation, and a sample of their rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from features.schema import AttributeType, parse_binary, parse_numeric
from textclf.base.errors import BadDataError

# below that of the smallest float
_NO_EXPONENT = -2_000


def read_numbers(values: Sequence[str], kind: AttributeType = AttributeType.NUMERIC) -> NDArray[np.float64]:
    """Read NUMERIC or BINARY values.

    Parameters
    ----------
    values : sequence of str, length n
        As they stand in the data.
    kind : AttributeType
        BINARY ones become 0 and 1; of any other type numbers are read.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN for what is missing or not of the type.

    Examples
    --------
    >>> read_numbers(["1", " 2.5 ", "", "two"]).tolist()
    [1.0, 2.5, nan, nan]
    """
    if kind is not AttributeType.BINARY:
        # nearly all columns have nothing but numbers and empty cells; what Python alone takes for a number is none
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
    """Give the inner edges of quantile bins.

    Parameters
    ----------
    numbers : ndarray of float64, shape (n,)
        Rising.
    bins : int
        How many are wanted; where numbers are alike, there are fewer.

    Returns
    -------
    ndarray of float64
        Rising, each once; a number on an edge belongs to the bin above, and none is below the first of ``numbers``.

    Examples
    --------
    >>> bin_edges(np.array([1.0, 1, 1, 2, 3, 4]), 3).tolist()
    [3.0]
    """
    if not len(numbers):
        return np.empty(0)
    edges = np.unique(numbers[np.arange(1, bins) * len(numbers) // bins])
    return np.asarray(edges[edges > numbers[0]])


def standardised(numbers: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Take the mean off and divide by the deviation, whatever the scale of the numbers.

    Parameters
    ----------
    numbers : ndarray of float64, shape (n,)
        Finite, one at least.

    Returns
    -------
    values : ndarray of float64, shape (n,)
    mean, deviation : float
        What they were; a deviation of 0 is given as 1.

    Examples
    --------
    >>> values, mean, deviation = standardised(np.array([1e308, 1.5e308]))
    >>> values.tolist(), mean, deviation
    ([-1.0, 1.0], 1.25e+308, 2.5e+307)
    """
    # by a power of two nothing is rounded; sums and squares of the largest floats would overflow
    exponent = int(_exponents(numbers))
    numbers = np.ldexp(numbers, -exponent)
    mean, deviation = math.fsum(numbers) / len(numbers), float(numbers.std())
    if deviation == 0:
        return numbers - mean, math.ldexp(mean, exponent), 1.0
    return (numbers - mean) / deviation, math.ldexp(mean, exponent), math.ldexp(deviation, exponent)


def _exponents(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give, for each column, that of the power of two just above all numbers."""
    largest = np.abs(numbers).max(axis=0, initial=0)
    return np.where(largest > 0, np.frexp(largest)[1], _NO_EXPONENT)


class Moments:
    """Mean and deviation of columns of numbers.

    Parameters
    ----------
    columns : int
        How many.

    Attributes
    ----------
    counts : ndarray of float64, shape (columns,)
        Numbers met so far.

    References
    ----------
    T. Chan, G. Golub, R. LeVeque: "Algorithms for computing the sample variance", The American Statistician 37
    (1983), https://doi.org/10.1080/00031305.1983.10483115

    Examples
    --------
    >>> moments = Moments(1)
    >>> moments.add(np.array([[1.0], [np.nan]]))
    >>> moments.add(np.array([[3.0]]))
    >>> moments.means.tolist(), moments.deviations().tolist()
    ([2.0], [1.0])
    """

    def __init__(self, columns: int) -> None:
        self.counts = np.zeros(columns)
        # divided by powers of two, which rounds nothing: squares of the largest floats would overflow
        self._exponents = np.full(columns, _NO_EXPONENT)
        self._means = np.zeros(columns)
        self._squares = np.zeros(columns)

    @property
    def means(self) -> NDArray[np.float64]:
        """The means, of float64 and shape (columns,); 0 where there is no number."""
        return np.asarray(np.ldexp(self._means, self._exponents))

    def add(self, numbers: NDArray[np.float64]) -> None:
        """Take in the numbers of some rows.

        Parameters
        ----------
        numbers : ndarray of float64, shape (n, columns)
            NaN is left out.
        """
        known = ~np.isnan(numbers)
        counts = known.sum(axis=0)
        numbers = np.where(known, numbers, 0)
        exponents = np.maximum(self._exponents, _exponents(numbers))
        self._means = np.ldexp(self._means, self._exponents - exponents)
        self._squares = np.ldexp(self._squares, 2 * (self._exponents - exponents))
        self._exponents = exponents
        numbers = np.ldexp(numbers, -exponents)
        # from one of the numbers on, so that those that are all the same differ by nothing
        origins = np.where(counts > 0, np.where(known, numbers, -np.inf).max(axis=0, initial=-np.inf), 0)
        means = origins + np.where(known, numbers - origins, 0).sum(axis=0) / np.maximum(counts, 1)
        squares = np.where(known, (numbers - means) ** 2, 0).sum(axis=0)
        total = np.maximum(self.counts + counts, 1)
        gaps = means - self._means
        self._squares += squares + gaps**2 * (self.counts * counts / total)
        self._means += gaps * (counts / total)
        self.counts += counts

    def deviations(self) -> NDArray[np.float64]:
        """Give the standard deviations, of the population.

        Returns
        -------
        ndarray of float64, shape (columns,)
            0 where there is no number.
        """
        return np.asarray(np.ldexp(np.sqrt(self._squares / np.maximum(self.counts, 1)), self._exponents))


class Reservoir:
    """Chooses a uniform sample of rows whose number is not known before.

    Parameters
    ----------
    size : int
        Rows of the sample, once there are so many.
    seed : int
        The same seed chooses the same rows, in whatever pieces they come.

    Attributes
    ----------
    seen : int
        Rows so far.

    References
    ----------
    J. Vitter: "Random sampling with a reservoir" (algorithm R), ACM Transactions on Mathematical Software 11 (1985),
    https://doi.org/10.1145/3147.3165

    Examples
    --------
    >>> reservoir = Reservoir(3, seed=0)
    >>> rows, places = reservoir.choose(3)
    >>> rows.tolist(), places.tolist()
    ([0, 1, 2], [0, 1, 2])
    """

    def __init__(self, size: int, seed: int) -> None:
        self.seen = 0
        self._size = size
        self._random = np.random.default_rng(seed)

    def choose(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Choose from the rows that come next.

        Parameters
        ----------
        number : int
            How many come.

        Returns
        -------
        rows : ndarray of int64, shape (m,)
            Which of them belong to the sample, rising.
        places : ndarray of int64, shape (m,)
            Where in the sample: behind its last row until it is full, then in the place of another. Of two rows with
            one place the later one stays.
        """
        places = np.arange(self.seen, self.seen + number)
        late = places >= self._size
        places[late] = self._random.integers(0, places[late] + 1)
        self.seen += number
        rows = np.flatnonzero(places < self._size)
        return rows, places[rows]
