"""The n-grams that a model keeps, and the TF-IDF rows of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.core.rows import KeptKeys
from features.ngrams import BUCKET_BITS, NgramView, SparseRows, compiled_views


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
    """The kept n-grams of all views side by side, for weighing those of texts."""

    tables: tuple[NgramTable, ...]
    # first column of each view, and the number of all columns
    starts: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    # the views and the kept n-grams as the core takes them
    compiled: bytes = field(init=False, repr=False, compare=False)
    kept: KeptKeys = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys = [(number << BUCKET_BITS) + table.buckets.astype(np.int64) for number, table in enumerate(self.tables)]
        idf = [table.idf for table in self.tables]
        kept = KeptKeys(
            np.concatenate([np.empty(0, np.int64), *keys]),
            np.concatenate([np.empty(0, np.float32), *idf]),
            len(self.tables) << BUCKET_BITS,
        )
        object.__setattr__(self, "starts", np.cumsum([0, *(len(table.buckets) for table in self.tables)]))
        object.__setattr__(self, "kept", kept)
        object.__setattr__(self, "compiled", compiled_views(tuple(table.view for table in self.tables)))

    def weigh(self, counted: SparseRows) -> SparseRows:
        """Turn the counts of `features.ngrams.count_ngrams` with the same views into TF-IDF rows, one per text.

        Values are ``(1 + ln count) * idf``, divided by the Euclidean length of the row within the view; n-grams that
        were not kept are ignored.
        """
        return SparseRows(*self.kept.weigh(*counted))

    def first_view(self) -> NgramTfidf:
        """Give the columns of the first view alone."""
        return NgramTfidf(self.tables[:1])


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
