"""Fitting a model, cross-validation, and diagnostics."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.augmentation import augmented_copies
from features.feature_set import FeatureRows, FeatureSet, FeatureSettings, ObservedTexts, fit_features, observe
from features.ngrams import NgramView
from textclf.base.executor import Executor, in_process
from textclf.model.folds import FOLDS, Folds, share_of, stratified_folds
from textclf.model.predict import LinearModel
from textclf.model.training_record import CurvePoint
from textclf.model.typicality import fit_centroids, similarity

# Weights of the small feature blocks relative to the n-gram rows, which have length 1 (bench_feature_weights.py).
# Keywords learned from the training documents overfit them; those written by a person hold for any issuer.
KEYWORD_WEIGHT = 1.0
LEARNED_KEYWORD_WEIGHT = 0.2
VECTOR_WEIGHT = 0.3

TOLERANCE = 0.1
"""Of the solver: margins differ by 0.002 on average from those at 0.001, in a third of the time."""

MIXED = "{}, groups mixed"
WITH_PARTS, WITHOUT_PARTS = "{}, with parts of the page", "{}, without parts of the page"

_log = logging.getLogger(__name__)


class TrainingTexts(NamedTuple):
    """All texts that a model is trained on, analysed once for all folds."""

    documents: ObservedTexts
    labels: NDArray[np.int64]  # position of each document's category in `categories`
    categories: Sequence[str]
    weights: NDArray[np.float64]  # how much each document counts
    copies: ObservedTexts  # augmented copies, with the weights of their documents
    copied: NDArray[np.int64]  # position of the original of each copy
    out_of_distribution: tuple[ObservedTexts, ...]  # texts of no category, and their copies
    unlabelled: ObservedTexts  # texts of unknown category, without copies

    def take(self, chosen: NDArray[np.int64]) -> TrainingTexts:
        """Select documents by position, with their copies and all documents of no or unknown category."""
        places = np.full(len(self.labels), -1)
        places[chosen] = np.arange(len(chosen))
        copied = places[self.copied]
        kept = np.flatnonzero(copied >= 0)
        return self._replace(
            documents=self.documents.take(chosen),
            labels=self.labels[chosen],
            weights=self.weights[chosen],
            copies=self.copies.take(kept),
            copied=copied[kept],
        )

    def seen_by(self, views: Sequence[NgramView]) -> TrainingTexts:
        """Keep only the n-grams of these views."""
        return self._replace(
            documents=self.documents.seen_by(views),
            copies=self.copies.seen_by(views),
            out_of_distribution=tuple(part.seen_by(views) for part in self.out_of_distribution),
            unlabelled=self.unlabelled.seen_by(views),
        )


def observe_texts(texts: Sequence[str], settings: FeatureSettings) -> ObservedTexts:
    """Find words, n-grams and layout of texts as the settings require."""
    return observe(texts, settings.views, layout=settings.layout)


def observe_training(
    texts: Sequence[str],
    labels: NDArray[np.int64],
    categories: Sequence[str],
    settings: FeatureSettings,
    *,
    weights: NDArray[np.float64] | None = None,
    out_of_distribution: Sequence[str] = (),
    unlabelled: Sequence[str] = (),
    documents: ObservedTexts | None = None,
) -> TrainingTexts:
    """Analyse all texts that a model is trained on, except `documents`, if they were analysed before.

    The result serves all settings with the same views, layout, augmentation and seed.
    """
    outside = observe_texts(out_of_distribution, settings)
    with_text = [i for i, words in enumerate(outside.words) if words]
    pile = observe_texts(unlabelled, settings)
    copies, copied = augmented_copies(texts if settings.augment else [], settings.seed)
    more, _ = augmented_copies([out_of_distribution[i] for i in with_text] if settings.augment else [], settings.seed)
    return TrainingTexts(
        documents=observe_texts(texts, settings) if documents is None else documents,
        labels=labels,
        categories=categories,
        weights=np.ones(len(texts)) if weights is None else weights,
        copies=observe_texts(copies, settings),
        copied=copied,
        out_of_distribution=(outside.take(np.array(with_text, np.int64)), observe_texts(more, settings)),
        unlabelled=pile.take(np.flatnonzero([bool(words) for words in pile.words])),
    )


class Fitted(NamedTuple):
    """Features, linear model and centroids of the categories, as fitted on documents."""

    features: FeatureSet
    linear: LinearModel
    centroids: NDArray[np.float32]


def fit_model(observed: TrainingTexts, settings: FeatureSettings, *, c: float) -> Fitted:
    """Fit features and a one-vs-rest linear SVM; every category must have a document."""
    from scipy import sparse
    from sklearn.svm import LinearSVC

    categories, labels = observed.categories, observed.labels
    features, rows = fit_features(observed.documents, [categories[label] for label in labels], settings)
    further = [part for part in (observed.copies, *observed.out_of_distribution) if part.words]
    blocks = [_matrix(part, features) for part in (rows, *map(features.rows_of, further))]
    matrix, places = _for_liblinear(sparse.vstack(blocks, format="csr"))
    # out-of-distribution documents form one more category, which is never predicted
    outside = np.full(sum(len(part.words) for part in observed.out_of_distribution), len(categories))
    targets = np.concatenate([labels, labels[observed.copied], outside])
    weights = np.concatenate([observed.weights, observed.weights[observed.copied], np.ones(len(outside))])
    svm = LinearSVC(C=c, tol=TOLERANCE, class_weight="balanced", random_state=settings.seed)
    with warnings.catch_warnings():
        from sklearn.exceptions import ConvergenceWarning

        # closer convergence would change no figure, and the user can do nothing about it
        warnings.simplefilter("ignore", ConvergenceWarning)
        svm.fit(matrix, targets, sample_weight=weights)
    slopes, intercept = svm.coef_[: len(categories), places], svm.intercept_[: len(categories)]
    if len(slopes) == 1:
        slopes, intercept = np.vstack([-slopes, slopes]) / 2, np.concatenate([-intercept, intercept]) / 2
    centroids = fit_centroids(rows.ngrams, labels, len(categories), len(features.ngrams.tables[0].buckets))
    return Fitted(features, _split_weights(slopes, intercept, features, rows), centroids)


class CrossValidated(NamedTuple):
    """Out-of-fold margins and similarities, and how good they are."""

    margins: NDArray[np.float64]  # (n, k)
    similarity: NDArray[np.float64]  # (n,), to the training documents of the predicted category
    trained: float  # documents per model, mean over the folds
    folds: int
    accuracy: float
    macro_f1: float
    fitted: Fitted | None  # on all documents, if requested


def cross_validate(
    observed: TrainingTexts,
    settings: FeatureSettings,
    *,
    c: float,
    folds: Folds,
    executor: Executor | None = None,
    fraction: float = 1.0,
    fit_all: bool = False,
) -> CrossValidated:
    """Predict each document by a model trained on other folds; every category has at least two documents.

    Lexicon, vectors and everything else that learns are fitted on the training part of each fold, or a fraction of it.
    With ``fit_all``, a model of all documents is fitted in parallel with the folds. Without an executor everything runs
    in this process.
    """
    from sklearn.metrics import accuracy_score, f1_score

    labels = observed.labels
    parts = [(share_of(train, labels, fraction, settings.seed), test) for train, test in folds]
    executor = executor or in_process()
    shared = executor.share((observed, settings, c))
    # the longest task first, so that no core is idle at the end
    tasks: list[Any] = [(shared, "the model of all documents", None)] if fit_all else []
    tasks += [(shared, f"fold {number} of {len(parts)}", part) for number, part in enumerate(parts, 1)]
    done = list(executor.map(_fit_part, tasks, name=lambda _shared, name, _fold: name))
    fitted = done.pop(0) if fit_all else None
    margins = np.empty((len(labels), len(observed.categories)))
    similar = np.empty(len(labels))
    for (_, test), part in zip(parts, done, strict=True):
        margins[test], similar[test] = part
    predicted = margins.argmax(axis=1)
    return CrossValidated(
        margins=margins,
        similarity=similar,
        trained=sum(len(train) for train, _ in parts) / len(parts),
        folds=len(parts),
        accuracy=float(accuracy_score(labels, predicted)),
        macro_f1=float(f1_score(labels, predicted, average="macro")),
        fitted=fitted,
    )


def fit_and_measure(
    observed: TrainingTexts,
    settings: FeatureSettings,
    groups: NDArray[np.int64] | None,
    *,
    c: float,
    executor: Executor,
    diagnostics: bool,
) -> tuple[Fitted, dict[str, CrossValidated], list[CrossValidated]]:
    """Fit, cross-validate and, if requested, diagnose; results by name (the model's last), and the learning curve."""
    labels = observed.labels
    folds = stratified_folds(labels, FOLDS, settings.seed, groups)
    validate = partial(cross_validate, c=c, folds=folds, executor=executor)
    _log.info(
        f"fitting and cross-validating on {len(labels)} documents of {len(observed.categories)} categories, "
        f"{len(folds)} folds"
    )
    found = validate(observed, settings, fit_all=True)
    *smaller, name = feature_groups(settings)
    results: dict[str, CrossValidated] = {}
    further: dict[str, CrossValidated] = {}
    if groups is not None:
        # positions of words depend on the issuer too: this shows whether they help with issuers not trained on
        _log.info("cross-validating without parts of the page")
        with_parts, found_with_parts = observed, found
        bare = replace(settings, views=tuple(view for view in settings.views if view.part == "page"))
        observed = observed.seen_by(bare.views)
        found = validate(observed, bare)
        if found.accuracy >= found_with_parts.accuracy:
            further[WITH_PARTS.format(name)], settings = found_with_parts, bare
        else:
            further[WITHOUT_PARTS.format(name)], found, observed = found, found_with_parts, with_parts
    curve = [found]
    if diagnostics:
        for part in smaller:
            _log.info(f"cross-validating with {part} alone")
            results[part] = validate(observed, feature_groups(settings)[part])
        if groups is not None:
            _log.info("cross-validating with the groups mixed")
            further[MIXED.format(name)] = validate(
                observed, settings, folds=stratified_folds(labels, FOLDS, settings.seed)
            )
        for fraction in (0.5, 0.25, 0.125):
            _log.info(f"cross-validating on {fraction:.1%} of the training documents")
            curve.append(validate(observed, settings, fraction=fraction))
    fitted = found.fitted or fit_model(observed, settings, c=c)
    return fitted, results | further | {name: found}, curve


def feature_groups(settings: FeatureSettings) -> dict[str, FeatureSettings]:
    """Give the settings of each feature group by name, each with the groups before it."""
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
    """Build the curve from cross-validations on shares of the data, one point per number of documents."""
    points = {round(result.trained): result for result in results}
    return tuple(
        CurvePoint(documents=documents, accuracy=result.accuracy, macro_f1=result.macro_f1)
        for documents, result in sorted(points.items())
    )


def _fit_part(
    shared: tuple[TrainingTexts, FeatureSettings, float],
    _name: str,
    fold: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
) -> Any:
    """Fit a model on all documents, or on a training part, with margins and similarity of its test part."""
    observed, settings, c = shared
    if fold is None:
        return fit_model(observed, settings, c=c)
    train, test = fold
    fitted = fit_model(observed.take(train), settings, c=c)
    rows = fitted.features.rows_of(observed.documents.take(test))
    margins = fitted.linear.margins(rows)
    return margins, similarity(fitted.centroids, rows.ngrams, margins.argmax(axis=1))


def _keyword_weights(features: FeatureSet) -> NDArray[np.float32]:
    """Weight of the indicator of each lexicon category."""
    learned = [category.learned for category in features.matcher.lexicon.categories]
    return np.where(learned, LEARNED_KEYWORD_WEIGHT, KEYWORD_WEIGHT).astype(np.float32)


def _matrix(rows: FeatureRows, features: FeatureSet) -> Any:
    """All feature groups side by side, as scikit-learn requires."""
    from scipy import sparse

    ngrams = rows.ngrams
    blocks = [
        sparse.csr_array(
            (ngrams.values, ngrams.indices, ngrams.starts), shape=(len(rows.indicators), features.ngrams.starts[-1])
        ),
        sparse.csr_array(rows.layout),
        sparse.csr_array(rows.indicators * _keyword_weights(features)),
        sparse.csr_array(rows.vectors * VECTOR_WEIGHT),
    ]
    return sparse.hstack(blocks, format="csr")


def _for_liblinear(matrix: Any) -> tuple[Any, NDArray[np.int64]]:
    """Sort the columns by frequency; gives the matrix and the new position of each column."""
    frequency = np.bincount(matrix.indices, minlength=matrix.shape[1])
    places = np.empty_like(frequency)
    # the solver is faster when the weights that it uses most stay in the processor's cache
    places[np.argsort(-frequency, kind="stable")] = np.arange(len(frequency))
    # liblinear takes 32-bit indices
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
