"""Typicality: how typical a document is of those that a model was trained on.

A score only compares the known categories with each other: one of them is the best even for an out-of-distribution
document. Typicality asks whether any of them fits, by two kinds of evidence: the margins of the one-vs-rest
classifiers, which are all low for a document of no known kind and middling twice for one of two kinds; and the
similarity of the words to the documents of the predicted category. If training was given unlabelled documents, a
document that has fewer labelled neighbours among them than usual is less typical too. All are compared with the
out-of-fold values of the training documents, which gives a conformal p-value: the familiarity of a prediction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from features.core.rows import multiply_chosen
from features.ngrams import SparseRows
from textclf.model.neighbours import Neighbours

QUANTILES = 201
RUNNER_UP_WEIGHT, SIMILARITY_WEIGHT, DENSITY_WEIGHT = 0.5, 0.3, 0.8
"""Weights relative to that of the largest margin, which is 1; see benchmarks/bench_familiarity.py."""
MIN_OWN = 0.01
"""Lower bound of a category's mean similarity to itself: its documents may have no word in common."""
MIN_DEVIATION = 0.01
"""Lower bound of the standard deviation of densities, which may all be equal."""

_NORMAL = NormalDist()
_STEPS = np.linspace(0, 1, QUANTILES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typicality:
    """Centroids of the categories, and how the evidence of the training documents is distributed out of fold."""

    # (m, k): mean TF-IDF row of each category in the first view, divided by the mean similarity of its documents to it
    centroids: NDArray[np.float32]
    # (3, 201), evenly spaced: of the evidence of the margins, of the similarity, and of both combined
    quantiles: NDArray[np.float64]
    neighbours: Neighbours | None = None
    # (2,): mean and standard deviation of the density of the training documents; zeros without neighbours
    densities: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def familiarity(self, ngrams: SparseRows, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the training documents that were less typical, 0 to 1; 0 without a known word of the first view."""
        # a bound of 0.02 rejects no more than 2 % of the documents of known kinds: S. Bates et al., "Testing for
        # outliers with conformal p-values", Annals of Statistics 51, 2023
        similar = similarity(self.centroids, ngrams, margins.argmax(axis=1))
        found = self.of_evidence(margins, similar, self.neighbours.density(ngrams) if self.neighbours else None)
        begins, ends = ngrams.starts[:-1], ngrams.starts[1:]
        known = ends > begins
        # the columns of the first view come first
        known[known] = ngrams.indices[begins[known]] < len(self.centroids)
        return np.where(known, found, 0.0)

    def of_evidence(
        self, margins: NDArray[np.float64], similar: NDArray[np.float64], density: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Share of the training documents that were less typical, given the evidence of each document."""
        found = _combined(self.quantiles, margin_evidence(margins), similar)
        if density is not None:
            found -= _sparseness(self.densities, density)
        return share_below(self.quantiles[2], found)


def fit_centroids(ngrams: SparseRows, labels: NDArray[np.int64], categories: int, columns: int) -> NDArray[np.float32]:
    """Average the rows of each category in the first view, the first `columns` columns.

    The centroids are scaled so that documents have a mean similarity of 1 to the others of their category, which has at
    least two.
    """
    first_view = np.flatnonzero(ngrams.indices < columns)
    rows = ngrams.starts.searchsorted(first_view, side="right") - 1
    words, values = ngrams.indices[first_view], ngrams.values[first_view]
    sums = np.zeros((columns, categories))
    np.add.at(sums, (words, labels[rows]), values)
    counts = np.bincount(labels, minlength=categories)
    # the squared length of a sum, minus those of its terms, is the sum over all pairs of different documents
    lengths = np.bincount(labels[rows], values.astype(np.float64) ** 2, minlength=categories)
    own = ((sums**2).sum(axis=0) - lengths) / np.maximum(counts * (counts - 1), 1)
    centroids: NDArray[np.float32] = (sums / counts / np.maximum(own, MIN_OWN)).astype(np.float32)
    return centroids


def similarity(centroids: NDArray[np.float32], ngrams: SparseRows, predicted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Similarity to the predicted category: about 1 for its own documents, 0 for those that share no word with it."""
    # the columns of the first view come first
    return multiply_chosen(*ngrams, centroids, predicted)


def fit_typicality(
    centroids: NDArray[np.float32],
    margins: NDArray[np.float64],
    similar: NDArray[np.float64],
    neighbours: Neighbours | None = None,
    density: NDArray[np.float64] | None = None,
) -> Typicality:
    """Fit to out-of-fold margins, `similarity` to the predicted category and density of neighbours."""
    evidence = margin_evidence(margins)
    quantiles = np.vstack([np.quantile(evidence, _STEPS), np.quantile(similar, _STEPS), np.zeros(QUANTILES)])
    found = _combined(quantiles, evidence, similar)
    densities = np.zeros(2)
    if neighbours is not None and density is not None:
        densities = np.array([density.mean(), density.std()])
        found -= _sparseness(densities, density)
    quantiles[2] = np.quantile(found, _STEPS)
    return Typicality(centroids=centroids, quantiles=quantiles, neighbours=neighbours, densities=densities)


def _sparseness(densities: NDArray[np.float64], density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh how far a density is below the usual one; more labelled neighbours than usual tell nothing."""
    mean, deviation = densities.tolist()
    weighed: NDArray[np.float64] = DENSITY_WEIGHT * np.maximum(mean - density, 0) / max(deviation, MIN_DEVIATION)
    return weighed


def margin_evidence(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how well the best of the categories fits, and the second best, from margins of shape (n, k)."""
    best = np.sort(margins, axis=1)
    evidence: NDArray[np.float64] = best[:, -1] + RUNNER_UP_WEIGHT * best[:, -2]
    return evidence


def _combined(
    quantiles: NDArray[np.float64], evidence: NDArray[np.float64], similar: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weigh both kinds of evidence, each as a standard normal score (Stouffer's method)."""
    by_margin, by_words = share_below(quantiles[0], evidence), share_below(quantiles[1], similar)
    return normal_scores(by_margin) + SIMILARITY_WEIGHT * normal_scores(by_words)


def normal_scores(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn shares of a distribution into standard normal scores, of which none is extreme."""
    edge = 1 / (2 * QUANTILES)
    return np.array([_NORMAL.inv_cdf(min(max(share, edge), 1 - edge)) for share in shares.tolist()])


def share_below(quantiles: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the share of a distribution, known by its evenly spaced quantiles, that is below each value."""
    below = quantiles.searchsorted(values) / len(quantiles)
    between = np.interp(values, quantiles, _STEPS)
    # small sets have many equal quantiles, which np.interp does not handle
    return np.minimum(below, between)
