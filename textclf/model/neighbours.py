"""How many documents like this one were labelled, compared with how many there are among the unlabelled ones.

A document of a known kind has neighbours of both sorts; one of a kind that nobody labelled has them among the
unlabelled documents only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet, ObservedTexts
from features.lsa import Lsa, fit_lsa
from features.ngrams import SparseRows, stack_rows

MOST = 4_000
"""Labelled documents, and unlabelled ones, that a model keeps at most."""
LABELLED, UNLABELLED = 5, 10
"""Nearest documents looked at."""
_SCALE = 127


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Short rows of the documents that a model was trained with."""

    lsa: Lsa
    labelled: NDArray[np.int8]  # (n, d): rows of length 127
    unlabelled: NDArray[np.int8]  # (p, d)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Give the arrays to store, for `from_arrays`."""
        projection = self.lsa.projection.astype(np.float16)
        return {"projection": projection, "labelled": self.labelled, "unlabelled": self.unlabelled}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Neighbours:
        """Take stored arrays."""
        lsa = Lsa(projection=arrays["projection"].astype(np.float32))
        return cls(lsa=lsa, labelled=arrays["labelled"], unlabelled=arrays["unlabelled"])

    def density(self, ngrams: SparseRows) -> NDArray[np.float64]:
        """Give the `densities` of documents by their TF-IDF rows."""
        return densities(_rounded(self.lsa.rows(ngrams)), self.labelled, self.unlabelled)


def first_view_rows(observed: ObservedTexts, features: FeatureSet) -> SparseRows:
    """Compute the TF-IDF rows of the first view, the only one that neighbours are found by."""
    return features.ngrams.first_view().weigh(observed.seen_by(observed.views[:1]).counts)


def densities(asked: NDArray[np.int8], labelled: NDArray[np.int8], unlabelled: NDArray[np.int8]) -> NDArray[np.float64]:
    """Mean similarity to the nearest labelled documents, less that to the nearest unlabelled ones, given short rows.

    A document of the same row is the very one that is asked about, and does not count.
    """
    found = np.empty(len(asked))
    known, others = labelled.astype(np.float32), unlabelled.astype(np.float32)
    for number, own in enumerate(asked):
        row = own.astype(np.float32)
        near = (known @ row)[(labelled != own).any(axis=1)]
        among = (others @ row)[(unlabelled != own).any(axis=1)]
        found[number] = _mean_of_largest(near, LABELLED) - _mean_of_largest(among, UNLABELLED)
    return found / _SCALE**2


def fit_neighbours(labelled: SparseRows, unlabelled: SparseRows, columns: int, *, seed: int) -> Neighbours:
    """Fit latent semantic analysis to TF-IDF rows of both; of each, at most `MOST` are kept, at even distances."""
    neighbours = fit_all_neighbours(labelled, unlabelled, columns, seed=seed)
    return replace(neighbours, labelled=_spread(neighbours.labelled), unlabelled=_spread(neighbours.unlabelled))


def fit_all_neighbours(labelled: SparseRows, unlabelled: SparseRows, columns: int, *, seed: int) -> Neighbours:
    """Fit as `fit_neighbours` does, and keep all rows."""
    lsa = fit_lsa(stack_rows([labelled, unlabelled]), columns, seed=seed)
    # rounded as the model file has it, so that a model gives the same from memory and from its file
    lsa = Lsa(projection=lsa.projection.astype(np.float16).astype(np.float32))
    return Neighbours(lsa=lsa, labelled=_rounded(lsa.rows(labelled)), unlabelled=_rounded(lsa.rows(unlabelled)))


def _spread(rows: NDArray[np.int8]) -> NDArray[np.int8]:
    kept: NDArray[np.int8] = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST)).astype(int)]
    return kept


def _rounded(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    rounded: NDArray[np.int8] = np.rint(rows * _SCALE).astype(np.int8)
    return rounded


def _mean_of_largest(values: NDArray[np.float32], number: int) -> float:
    return float(np.sort(values)[-number:].mean(dtype=np.float64)) if len(values) else 0.0
