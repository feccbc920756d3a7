"""The n-grams that a model keeps, and the TF-IDF rows of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.ngrams import BUCKET_BITS, NgramView, SparseRows, stack_rows, take_rows

BLOCK = 64
"""Rows that are weighed at a time, which takes about 60 bytes per n-gram."""

_U64 = np.uint64


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramTable:
    """The n-grams of a view that were kept, and their weights."""

    view: NgramView
    # the kept buckets, in rising order
    buckets: NDArray[np.int32]
    # inverse document frequency ``ln((1 + n) / (1 + df)) + 1``, as scikit-learn's TfidfTransformer defines it
    idf: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NgramTfidf:
    """The kept n-grams of all views side by side, for looking up and weighting those of a batch at once."""

    tables: tuple[NgramTable, ...]
    # first column of each view, and the number of all columns
    starts: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    _idf: NDArray[np.float32] = field(init=False, repr=False, compare=False)
    _ranks: NDArray[np.uint64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", np.cumsum([0, *(len(table.buckets) for table in self.tables)]))
        object.__setattr__(
            self, "_idf", np.concatenate([np.empty(0, np.float32), *(table.idf for table in self.tables)])
        )
        # for each block of 32 buckets, a bit for each kept one, and in the upper half the number kept in blocks before;
        # sums of 32 different powers of two are exact in double precision
        buckets = np.concatenate(
            [
                np.empty(0, np.int64),
                *((view << BUCKET_BITS) + table.buckets.astype(np.int64) for view, table in enumerate(self.tables)),
            ]
        )
        blocks = len(self.tables) << BUCKET_BITS >> 5
        bits = np.bincount(buckets >> 5, np.exp2(buckets & 31), minlength=blocks).astype(_U64)
        counts = np.bitwise_count(bits).astype(_U64)
        object.__setattr__(self, "_ranks", ((np.cumsum(counts) - counts) << _U64(32)) | bits)

    def weigh(self, counted: SparseRows) -> SparseRows:
        """Turn the counts of `features.ngrams.count_ngrams` with the same views into TF-IDF rows, one per text.

        Values are ``(1 + ln count) * idf``, divided by the Euclidean length of the row within the view; n-grams that
        were not kept are ignored.
        """
        size = len(counted.starts) - 1
        if size <= BLOCK:
            return self._weigh(counted)
        blocks = (np.arange(begin, min(begin + BLOCK, size)) for begin in range(0, size, BLOCK))
        return stack_rows([self._weigh(take_rows(counted, block)) for block in blocks])

    def first_view(self) -> NgramTfidf:
        """Give the columns of the first view alone."""
        return NgramTfidf(self.tables[:1])

    def _weigh(self, counted: SparseRows) -> SparseRows:
        size = len(counted.starts) - 1
        columns, known = self._look_up(counted.indices)
        starts = known.searchsorted(counted.starts)
        values = (1 + np.log(counted.values[known])) * self._idf[columns]
        # keys number the columns of all texts, from which the begin of each view of each text is found
        shifts = np.arange(size) * len(self._idf)
        keys = columns + shifts.repeat(starts[1:] - starts[:-1])
        # a view ends where the next begins, the last one of a text where the next text does
        ends = keys.searchsorted((shifts[:, None] + self.starts[1:]).ravel())
        lengths = ends.copy()
        lengths[1:] -= ends[:-1]
        owners = np.arange(len(lengths)).repeat(lengths)
        # bincount adds in order, so a row is bit for bit the same alone and in a batch
        norms = np.sqrt(np.bincount(owners, values.astype(np.float64) ** 2, minlength=len(lengths)))
        return SparseRows(starts, columns.astype(np.int32), (values / norms[owners]).astype(np.float32))

    def _look_up(self, buckets: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Look buckets up: give the columns, and the positions of the buckets that have one."""
        # NumPy indexes faster with intp
        ranks, bit = self._ranks[(buckets >> 5).astype(np.intp)], (buckets & 31).astype(_U64)
        known = np.flatnonzero((ranks >> bit) & _U64(1) != 0)
        ranks, bit = ranks[known], bit[known]
        # a bucket's column is the number of those kept before it
        inside = np.bitwise_count(ranks & ((_U64(1) << bit) - _U64(1)))
        return (ranks >> _U64(32)).view(np.int64) + inside, known


def fit_tfidf(counted: SparseRows, views: Sequence[NgramView], *, min_documents: int = 2) -> NgramTfidf:
    """Keep the n-grams that occur in at least `min_documents` of the training texts."""
    buckets, frequency = np.unique(counted.indices, return_counts=True)
    kept = frequency >= min_documents
    buckets, frequency = buckets[kept], frequency[kept]
    documents = len(counted.starts) - 1
    idf = (np.log((1 + documents) / (1 + frequency)) + 1).astype(np.float32)
    bounds = np.searchsorted(buckets, np.arange(len(views) + 1) << BUCKET_BITS)
    return NgramTfidf(
        tuple(
            NgramTable(view=view, buckets=buckets[first:last] - np.int32(number << BUCKET_BITS), idf=idf[first:last])
            for number, (view, (first, last)) in enumerate(zip(views, pairwise(bounds.tolist()), strict=True))
        )
    )
