"""Fitting a model, and finding out by cross-validation how good it is."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.augmentation import augmented_copies
from features.feature_set import FeatureRows, FeatureSet, FeatureSettings, ObservedTexts, fit_features, observe
from textclf.base.errors import BadDataError
from textclf.base.parallel import worker_pool
from textclf.model.folds import Folds, share_of
from textclf.model.predict import LinearModel
from textclf.model.prediction import CrossValidation, CurvePoint
from textclf.model.typicality import fit_centroids, similarity

FEW = 5
"""A category with fewer documents is warned about."""

# Weights of the small feature blocks beside the n-gram rows of length 1: benchmarks/bench_feature_weights.py. Keywords
# learned from the training documents fit these too well; those that a person wrote down hold for any issuer.
KEYWORD_WEIGHT = 1.0
LEARNED_KEYWORD_WEIGHT = 0.2
VECTOR_WEIGHT = 0.3

TOLERANCE = 0.1
"""Of the solver: margins differ by 0.002 on average from those at 0.001, for a third of the time."""


class CrossValidated(NamedTuple):
    """What cross-validation gives.

    Parameters
    ----------
    margins : ndarray of float64, shape (n, k)
        Margins of each document by the model that had not seen it.
    trained : float
        Documents that a model was trained on, mean over the folds.
    folds : int
        How many models.
    accuracy, macro_f1 : float
        Over all documents.
    similarity : ndarray of float64, shape (n,)
        How similar each document is to those of its predicted category that the model had seen.
    """

    margins: NDArray[np.float64]
    trained: float
    folds: int
    accuracy: float
    macro_f1: float
    similarity: NDArray[np.float64]


class TrainingTexts(NamedTuple):
    """All texts that a model is trained on, looked at once for all folds.

    Parameters
    ----------
    documents : ObservedTexts
        The n documents.
    copies : ObservedTexts
        Poor copies of them, m in all.
    copied : ndarray of int64, shape (m,)
        Position of the document that each is a copy of.
    others : ObservedTexts
        Texts of no category, with their copies.
    weights : ndarray of float64, shape (n,)
        How much each document counts.
    """

    documents: ObservedTexts
    copies: ObservedTexts
    copied: NDArray[np.int64]
    others: ObservedTexts
    weights: NDArray[np.float64]

    def take(self, chosen: NDArray[np.int64]) -> TrainingTexts:
        """Choose documents by their positions, with their copies and all others."""
        places = np.full(len(self.documents.words), -1)
        places[chosen] = np.arange(len(chosen))
        copied = places[self.copied]
        kept = np.flatnonzero(copied >= 0)
        return TrainingTexts(
            documents=self.documents.take(chosen),
            copies=self.copies.take(kept),
            copied=copied[kept],
            others=self.others,
            weights=self.weights[chosen],
        )


def observe_training(
    texts: Sequence[str],
    settings: FeatureSettings,
    others: Sequence[str] = (),
    weights: NDArray[np.float64] | None = None,
) -> TrainingTexts:
    """Look at all texts that a model is trained on.

    Parameters
    ----------
    texts : sequence of str, length n
        Cleaned texts.
    settings : FeatureSettings
        How features are made.
    others : sequence of str, optional
        Cleaned texts of no category: every category's machine learns to turn them away.
    weights : ndarray of float64, shape (n,), optional
        How much each document counts, above 0; 1 each without them. A poor copy counts as its document.

    Returns
    -------
    TrainingTexts
        For `fit_model` and `cross_validate`, with these settings or others of the same views, shape and copies.
    """

    def look(seen: Sequence[str]) -> ObservedTexts:
        return observe(seen, settings.views, layout=settings.layout)

    weights = np.ones(len(texts)) if weights is None else weights
    if not settings.augment:
        return TrainingTexts(look(texts), look([]), np.empty(0, np.int64), look(others), weights)
    copies = augmented_copies(texts, settings.seed)
    more = augmented_copies(others, settings.seed).texts
    return TrainingTexts(look(texts), look(copies.texts), copies.of, look([*others, *more]), weights)


class Fitted(NamedTuple):
    """What is fitted on documents: from text to features, to margins, and the categories' own documents."""

    features: FeatureSet
    linear: LinearModel
    centroids: NDArray[np.float32]


def fit_model(
    observed: TrainingTexts,
    labels: NDArray[np.int64],
    categories: Sequence[str],
    settings: FeatureSettings,
    *,
    c: float,
) -> Fitted:
    """Fit features and weights on all documents given.

    Parameters
    ----------
    observed : TrainingTexts
        From `observe_training`.
    labels : ndarray of int64, shape (n,)
        Position of each document's category in `categories`; every category occurs.
    categories : sequence of str, length k
        All categories.
    settings : FeatureSettings
        How features are made.
    c : float
        Inverse strength of the regularisation of scikit-learn's ``LinearSVC``.

    Returns
    -------
    Fitted
        From text to features, from features to margins, and `textclf.model.typicality.fit_centroids`.
    """
    from scipy import sparse
    from sklearn.svm import LinearSVC

    features, rows = fit_features(observed.documents, [categories[label] for label in labels], settings)
    weights_of_keywords = _keyword_weights(features)
    blocks = [
        _matrix(part, features.ngrams.starts[-1], weights_of_keywords)
        for part in [rows, *(features.rows_of(part) for part in (observed.copies, observed.others) if part.words)]
    ]
    matrix, places = _for_liblinear(sparse.vstack(blocks, format="csr"))
    others = np.full(len(observed.others.words), len(categories))
    targets = np.concatenate([labels, labels[observed.copied], others])
    weights = np.concatenate([observed.weights, observed.weights[observed.copied], np.ones(len(others))])
    machine = LinearSVC(C=c, tol=TOLERANCE, class_weight="balanced", random_state=settings.seed)
    with warnings.catch_warnings():
        from sklearn.exceptions import ConvergenceWarning

        # how well it converges changes no figure, and the user can do nothing about it
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(matrix, targets, sample_weight=weights)
    # the machine that knows the others from all else has no category
    slopes, intercept = machine.coef_[: len(categories), places], machine.intercept_[: len(categories)]
    if len(slopes) == 1:
        slopes, intercept = np.vstack([-slopes, slopes]) / 2, np.concatenate([-intercept, intercept]) / 2
    centroids = fit_centroids(rows.ngrams, labels, len(categories), len(features.ngrams.tables[0].buckets))
    return Fitted(features, _split_weights(slopes, intercept, features, rows), centroids)


def cross_validate(
    observed: TrainingTexts,
    labels: NDArray[np.int64],
    categories: Sequence[str],
    settings: FeatureSettings,
    *,
    c: float,
    folds: Folds,
    jobs: int = 1,
    share: float = 1.0,
) -> CrossValidated:
    """Predict each document by a model that has not seen it.

    Lexicon, vectors and all else that learns are fitted anew on the training part of each fold.

    Parameters
    ----------
    observed, labels, categories, settings, c
        As for `fit_model`; every category has at least two documents.
    folds : list of (ndarray of int64, ndarray of int64)
        From `textclf.model.folds.stratified_folds`.
    jobs : int, default 1
        Processes; -1 for all cores.
    share : float, default 1.0
        Share of each fold's training part to train on (for the learning curve); every category stays.

    Returns
    -------
    CrossValidated
        Out-of-fold margins and what they are worth.
    """
    return _cross_validate(observed, labels, categories, settings, c, folds, jobs, share, whole=False)[0]


def fit_and_cross_validate(
    observed: TrainingTexts,
    labels: NDArray[np.int64],
    categories: Sequence[str],
    settings: FeatureSettings,
    *,
    c: float,
    folds: Folds,
    jobs: int = 1,
) -> tuple[Fitted, CrossValidated]:
    """Do `fit_model` on all documents beside the folds of `cross_validate`, so that no core waits."""
    result, (fitted,) = _cross_validate(observed, labels, categories, settings, c, folds, jobs, 1.0, whole=True)
    return fitted, result


def _cross_validate(
    observed: TrainingTexts,
    labels: NDArray[np.int64],
    categories: Sequence[str],
    settings: FeatureSettings,
    c: float,
    folds: Folds,
    jobs: int,
    share: float,
    *,
    whole: bool,
) -> tuple[CrossValidated, list[Fitted]]:
    from joblib import delayed
    from sklearn.metrics import accuracy_score, f1_score

    parts = [(share_of(train, labels, share, settings.seed), test) for train, test in folds]
    with worker_pool(jobs) as pool:
        # the longest task first, so that no core waits for it at the end
        tasks = [delayed(fit_model)(observed, labels, categories, settings, c=c)] if whole else []
        tasks += [
            delayed(_fold_margins)(observed, labels, categories, settings, c, train, test) for train, test in parts
        ]
        done = pool(tasks)
    fitted = [done.pop(0)] if whole else []
    margins = np.empty((len(labels), len(categories)))
    similar = np.empty(len(labels))
    for (_, test), part in zip(parts, done, strict=True):
        margins[test], similar[test] = part
    predicted = margins.argmax(axis=1)
    trained = sum(len(train) for train, _ in parts) / len(parts)
    result = CrossValidated(
        margins=margins,
        trained=trained,
        folds=len(parts),
        accuracy=float(accuracy_score(labels, predicted)),
        macro_f1=float(f1_score(labels, predicted, average="macro")),
        similarity=similar,
    )
    return result, fitted


def feature_groups(settings: FeatureSettings) -> dict[str, FeatureSettings]:
    """Name the feature groups of some settings, each with the settings that give it and those before it.

    Examples
    --------
    >>> list(feature_groups(FeatureSettings()))
    ['text', 'text + keywords', 'text + keywords + vectors']
    >>> list(feature_groups(FeatureSettings(lexicon="none")))
    ['text', 'text + vectors']
    """
    from dataclasses import replace

    name = "text"
    groups = {name: replace(settings, lexicon="none", vectors="none")}
    if settings.lexicon != "none":
        name += " + keywords"
        groups[name] = replace(settings, vectors="none")
    if settings.vectors != "none":
        name += " + vectors"
        groups[name] = settings
    return groups


def learning_curve(results: Iterable[CrossValidated]) -> tuple[CurvePoint, ...]:
    """Write cross-validations on growing shares of the data as a curve; one point where two had as many documents."""
    points = {round(result.trained): result for result in results}
    return tuple(
        CurvePoint(documents=documents, accuracy=result.accuracy, macro_f1=result.macro_f1)
        for documents, result in sorted(points.items())
    )


def check_categories(counts: Counter[str]) -> list[str]:
    """Refuse documents that nothing can be learned from, and warn about categories with few.

    Parameters
    ----------
    counts : collections.Counter of str
        Documents with text of each category.

    Returns
    -------
    list of str
        One warning a category with fewer than five documents.

    Raises
    ------
    textclf.base.errors.BadDataError
        No document, one category only, or a category with one document.
    """
    if not counts:
        raise BadDataError("no document with text and category", remedy="give documents with both columns filled")
    if len(counts) == 1:
        raise BadDataError(
            f"all documents are of one category, {next(iter(counts))!r}",
            remedy="add documents of at least one other: from one class alone a classifier learns nothing",
        )
    single = sorted(category for category, count in counts.items() if count == 1)
    if single:
        raise BadDataError(
            f"one document only: category {', '.join(map(repr, single))}",
            remedy="add at least one more, or take the category out; five or more are better",
        )
    return [
        f"category {category!r}: {count} of {FEW} documents that a category should have at least"
        for category, count in sorted(counts.items())
        if count < FEW
    ]


def data_hash(*columns: Sequence[str]) -> str:
    """SHA-256 over columns of the same length: ids, texts and categories tell whether a model was trained on these."""
    digest = hashlib.sha256()
    for row in zip(*columns, strict=True):
        for value in row:
            data = value.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big"))
            digest.update(data)
    return digest.hexdigest()


def group_results(results: dict[str, CrossValidated]) -> tuple[CrossValidation, ...]:
    """Write the cross-validation of each feature group for the training record."""
    return tuple(
        CrossValidation(features=name, accuracy=result.accuracy, macro_f1=result.macro_f1)
        for name, result in results.items()
    )


def _fold_margins(
    observed: TrainingTexts,
    labels: NDArray[np.int64],
    categories: Sequence[str],
    settings: FeatureSettings,
    c: float,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    fitted = fit_model(observed.take(train), labels[train], categories, settings, c=c)
    rows = fitted.features.rows_of(observed.documents.take(test))
    margins = fitted.linear.margins(rows)
    return margins, similarity(fitted.centroids, rows.ngrams, margins.argmax(axis=1))


def _keyword_weights(features: FeatureSet) -> NDArray[np.float32]:
    """Weigh the indicator of each lexicon category."""
    learned = [category.learned for category in features.matcher.lexicon.categories]
    return np.where(learned, LEARNED_KEYWORD_WEIGHT, KEYWORD_WEIGHT).astype(np.float32)


def _matrix(rows: FeatureRows, width: int, keyword_weights: NDArray[np.float32]) -> Any:
    """All feature groups side by side, as scikit-learn wants them."""
    from scipy import sparse

    ngrams = rows.ngrams
    blocks = [
        sparse.csr_array((ngrams.values, ngrams.indices, ngrams.starts), shape=(len(rows.indicators), width)),
        sparse.csr_array(rows.layout),
        sparse.csr_array(rows.indicators * keyword_weights),
        sparse.csr_array(rows.vectors * VECTOR_WEIGHT),
    ]
    return sparse.hstack(blocks, format="csr")


def _for_liblinear(matrix: Any) -> tuple[Any, NDArray[np.int64]]:
    """Put the columns that most documents have side by side; give the matrix, and where each column went."""
    frequency = np.bincount(matrix.indices, minlength=matrix.shape[1])
    places = np.empty_like(frequency)
    # the solver takes less time when the weights that it needs again and again stay in the cache
    places[np.argsort(-frequency, kind="stable")] = np.arange(len(frequency))
    # it counts with 32 bits
    matrix.indices, matrix.indptr = places[matrix.indices].astype(np.int32), matrix.indptr.astype(np.int32)
    matrix.has_sorted_indices = False
    matrix.sort_indices()
    return matrix, places


def _split_weights(
    weights: NDArray[np.float64], intercept: NDArray[np.float64], features: FeatureSet, rows: FeatureRows
) -> LinearModel:
    columns = weights.T.astype(np.float32)
    ends = np.cumsum(
        [features.ngrams.starts[-1], rows.layout.shape[1], rows.indicators.shape[1], rows.vectors.shape[1]]
    )
    ngrams, layout, indicators, vectors = np.split(columns, ends[:-1])
    return LinearModel(
        ngrams=np.ascontiguousarray(ngrams),
        layout=np.ascontiguousarray(layout),
        indicators=np.ascontiguousarray(indicators) * _keyword_weights(features)[:, None],
        vectors=np.ascontiguousarray(vectors) * np.float32(VECTOR_WEIGHT),
        intercept=intercept.astype(np.float32),
    )
