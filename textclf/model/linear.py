"""The linear SVM: from features to a matrix, and from its solution to the weights of the model."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.core.rows import put_beside
from features.feature_set import FeatureRows, FeatureSet
from textclf.model.predict import LinearModel

# Weights of the small feature blocks relative to the n-gram rows, which have length 1 (bench_feature_weights.py).
# Keywords learned from the training documents overfit them; those written by a person hold for any issuer.
KEYWORD_WEIGHT = 1.0
LEARNED_KEYWORD_WEIGHT = 0.2
VECTOR_WEIGHT = 0.3

TOLERANCE = 0.1
"""Of the solver: margins differ by 0.002 on average from those at 0.001, in a third of the time."""


def fit_svm(
    matrix: Any, targets: NDArray[np.int64], weights: NDArray[np.float64], *, categories: int, c: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a one-vs-rest linear SVM to rows, sparse or not; slopes of shape (k, columns) and k intercepts.

    Rows of target k are of no category: negative examples for all. Their weights are parts of the weight that each
    category has.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    places: Any = slice(None)
    if not isinstance(matrix, np.ndarray):
        matrix, places = for_liblinear(matrix)
    totals = np.bincount(targets, weights, minlength=categories)[:categories]
    # all categories weigh the same; the weights of other rows are parts of a category
    balance = np.append(totals.mean() / totals, totals.mean())
    svm = LinearSVC(C=c, tol=TOLERANCE, dual=True, random_state=seed)
    with warnings.catch_warnings():
        # closer convergence would change no figure, and the user can do nothing about it
        warnings.simplefilter("ignore", ConvergenceWarning)
        svm.fit(matrix, targets, sample_weight=weights * balance[targets])
    slopes, intercept = svm.coef_[:categories, places], svm.intercept_[:categories]
    if len(slopes) == 1:
        slopes, intercept = np.vstack([-slopes, slopes]) / 2, np.concatenate([-intercept, intercept]) / 2
    return slopes, intercept


def keyword_weights(features: FeatureSet) -> NDArray[np.float32]:
    """Weight of the indicator of each lexicon category."""
    learned = [category.learned for category in features.matcher.lexicon.categories]
    return np.where(learned, LEARNED_KEYWORD_WEIGHT, KEYWORD_WEIGHT).astype(np.float32)


def feature_matrix(parts: Iterable[FeatureRows], features: FeatureSet) -> Any:
    """Rows of several parts below each other, all feature groups side by side, as scikit-learn requires."""
    from scipy import sparse

    starts, indices, values = [np.zeros(1, np.int64)], [], []
    first, width = int(features.ngrams.starts[-1]), 0
    for rows in parts:
        dense = _dense_columns(rows, features)
        width = dense.shape[1]
        ends, columns, joined = put_beside(*rows.ngrams, dense, first=first)
        starts.append(ends[1:] + starts[-1][-1])
        indices.append(columns)
        values.append(joined)
        # not kept while the next one is made, nor beside what all of them are put together to
        del rows, columns, joined
    joined = np.concatenate(values)
    values.clear()
    ends = np.concatenate(starts)
    # otherwise SciPy would copy all column numbers with 64 bits
    if ends[-1] <= np.iinfo(np.int32).max:
        ends = ends.astype(np.int32)
    return sparse.csr_array((joined, np.concatenate(indices), ends), shape=(len(ends) - 1, first + width))


def stack_matrices(parts: Sequence[Any]) -> Any:
    """Put the rows of matrices, all sparse or none, below each other."""
    from scipy import sparse

    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    return sparse.vstack(parts, format="csr")


def _dense_columns(rows: FeatureRows, features: FeatureSet) -> NDArray[np.float32]:
    """Give all but the n-grams side by side, weighed."""
    indicators = rows.indicators * keyword_weights(features)
    return np.concatenate([rows.layout, indicators, rows.vectors * np.float32(VECTOR_WEIGHT)], axis=1, dtype=np.float32)


def for_liblinear(matrix: Any) -> tuple[Any, NDArray[np.int64]]:
    """Sort the columns by frequency; gives the matrix and the new position of each column."""
    frequency = np.bincount(matrix.indices, minlength=matrix.shape[1])
    places = np.empty_like(frequency)
    # the solver is faster when the weights that it uses most stay in the processor's cache
    places[np.argsort(-frequency, kind="stable")] = np.arange(len(frequency))
    # liblinear takes 32-bit indices and 64-bit values; scikit-learn would make them beside those that there are
    matrix.indices, matrix.indptr = places.astype(np.int32)[matrix.indices], matrix.indptr.astype(np.int32)
    matrix.data = matrix.data.astype(np.float64)
    matrix.has_sorted_indices = False
    matrix.sort_indices()
    return matrix, places


def split_weights(weights: NDArray[np.float64], intercept: NDArray[np.float64], features: FeatureSet) -> LinearModel:
    """Give the weights of each feature group."""
    columns = weights.T.astype(np.float32)
    widths = [features.layout.size, len(features.matcher.lexicon.categories), features.vectors.size]
    ends = np.cumsum([features.ngrams.starts[-1], *widths])
    ngrams, layout, indicators, vectors = np.split(columns, ends[:-1])
    return LinearModel(
        ngrams=np.ascontiguousarray(ngrams),
        layout=np.ascontiguousarray(layout),
        indicators=np.ascontiguousarray(indicators) * keyword_weights(features)[:, None],
        vectors=np.ascontiguousarray(vectors) * np.float32(VECTOR_WEIGHT),
        intercept=intercept.astype(np.float32),
    )


def corrected(linear: LinearModel, correction: NDArray[np.float64]) -> LinearModel:
    """Let weights take up a correction of the margins."""
    matrix = correction.astype(np.float32)
    blocks = {
        name: np.einsum("fk,kc->fc", getattr(linear, name), matrix)
        for name in ("ngrams", "layout", "indicators", "vectors")
    }
    return LinearModel(**blocks, intercept=(linear.intercept @ correction).astype(np.float32))
