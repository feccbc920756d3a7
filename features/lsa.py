"""Latent semantic analysis: short dense rows of documents, whose cosine similarity compares what they are about.

Source: S. Deerwester et al., "Indexing by latent semantic analysis", Journal of the American Society for Information
Science 41(6), 1990.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.core.rows import multiply
from features.ngrams import SparseRows
from textclf.base.one_thread import one_thread

DIMENSIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Lsa:
    """A projection of TF-IDF rows, which needs numpy only."""

    # (columns of the first view, dimensions)
    projection: NDArray[np.float32]

    def rows(self, ngrams: SparseRows) -> NDArray[np.float32]:
        """Project the first view of TF-IDF rows to rows of length 1; of zeros without a known n-gram."""
        # the columns of the first view come first, those of others are beyond the projection
        rows = multiply(*ngrams, self.projection)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def fit_lsa(ngrams: SparseRows, columns: int, *, dimensions: int = DIMENSIONS, seed: int = 0) -> Lsa:
    """Fit the projection to the first view, the first `columns` columns, of TF-IDF rows."""
    from scipy.sparse import csr_array
    from sklearn.utils.extmath import randomized_svd

    first_view = np.flatnonzero(ngrams.indices < columns)
    starts = first_view.searchsorted(ngrams.starts)
    dimensions = min(dimensions, len(starts) - 1, columns)
    if not dimensions:
        return Lsa(projection=np.zeros((columns, 0), dtype=np.float32))
    matrix = csr_array(
        (ngrams.values[first_view], ngrams.indices[first_view], starts), shape=(len(starts) - 1, columns)
    )
    with one_thread():
        _, _, components = randomized_svd(matrix, dimensions, random_state=seed)
    return Lsa(projection=np.ascontiguousarray(components.T, dtype=np.float32))
