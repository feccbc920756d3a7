"""Fitting a model, cross-validation, and diagnostics."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet, FeatureSettings, fit_features
from textclf.base.executor import Executor, in_process
from textclf.model.calibrate import Calibration, calibrate
from textclf.model.compact_rows import compact_rows, full_slopes
from textclf.model.folds import FOLDS, Folds, share_of, stratified_folds
from textclf.model.linear import feature_matrix, fit_svm, split_weights
from textclf.model.neighbours import Neighbours, first_view_rows, fit_neighbours
from textclf.model.predict import LinearModel
from textclf.model.self_training import PseudoLabels, embed, is_of_use, pseudo_label, with_pseudo_labels
from textclf.model.training_record import CurvePoint
from textclf.model.training_texts import TrainingTexts
from textclf.model.typicality import fit_centroids, similarity
from textclf.model.unknown_kinds import left_out_margins

MIXED = "{}, groups mixed"
WITH_UNLABELLED = "{} + unlabelled documents"
WITH_PARTS, WITHOUT_PARTS = "{}, with parts of the page", "{}, without parts of the page"

_log = logging.getLogger(__name__)


class Fitted(NamedTuple):
    """Features, linear model, centroids of the categories and neighbours, as fitted on documents."""

    features: FeatureSet
    linear: LinearModel
    centroids: NDArray[np.float32]
    neighbours: Neighbours | None  # None without unlabelled documents
    left_out: NDArray[np.float64]  # (n, k), as `left_out_margins` gives them, or (0, k)
    pseudo: PseudoLabels  # the unlabelled documents that were trained on too


def fit_model(
    observed: TrainingTexts,
    settings: FeatureSettings,
    *,
    c: float,
    self_training: bool = False,
    leave_out: bool = False,
) -> Fitted:
    """Fit features and a one-vs-rest linear SVM; every category must have a document.

    Unlabelled documents of unknown kinds are trained on as out-of-distribution ones; with ``self_training``, others
    with labels predicted for them. With ``leave_out``, models without each of the categories are fitted too, to the
    same features.
    """
    pseudo = pseudo_label(observed, settings, c=c, self_training=self_training)
    # from here on the unlabelled documents, among them the pseudo-labelled ones, are needed as neighbours only
    compared = [part.seen_by(settings.views[:1]) for part in (observed.documents, observed.unlabelled)]
    observed = with_pseudo_labels(observed, pseudo)._replace(unlabelled=compared[1])
    categories, labels = observed.categories, observed.labels
    features, rows = fit_features(observed.documents, [categories[label] for label in labels], settings)
    columns = len(features.ngrams.tables[0].buckets)
    centroids = fit_centroids(rows.ngrams, labels, len(categories), columns)
    further = (part for part in (observed.copies, *observed.out_of_distribution) if part.words)
    compact, matrix = compact_rows(feature_matrix(chain([rows], map(features.rows_of, further)), features))
    # the solver takes most memory: neither n-grams nor rows are kept meanwhile
    observed = observed.seen_by(())
    del rows, further
    slopes, intercept = fit_svm(
        compact, observed.targets, observed.target_weights, categories=len(categories), c=c, seed=settings.seed
    )
    slopes = full_slopes(slopes, compact, matrix)
    near, among = (first_view_rows(part, features) for part in compared)
    return Fitted(
        features=features,
        linear=split_weights(slopes, intercept, features),
        centroids=centroids,
        neighbours=fit_neighbours(near, among, columns, seed=settings.seed) if observed.many_unlabelled else None,
        left_out=left_out_margins(observed, compact, c=c, seed=settings.seed)
        if leave_out
        else np.empty((0, len(categories))),
        pseudo=pseudo,
    )


def get_ready(*, with_keywords: bool, with_vectors: bool) -> None:
    """Load what fitting needs, as a process does before its first fold."""
    import sklearn.svm  # noqa: F401

    if with_vectors:
        import gensim.models  # noqa: F401
    if with_keywords:
        from features.keyword_learning import load_dictionaries

        load_dictionaries()


class CrossValidated(NamedTuple):
    """Out-of-fold margins, similarities and densities, and how good they are."""

    margins: NDArray[np.float64]  # (n, k), as fitted
    calibration: Calibration
    similarity: NDArray[np.float64]  # (n,), to the training documents of the predicted category
    density: NDArray[np.float64]  # (n,), of labelled neighbours; zeros without unlabelled documents
    unlabelled: NDArray[np.float64]  # (p, k), margins of the unlabelled documents, as fitted
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
    self_training: bool = False,
) -> CrossValidated:
    """Predict each document by a model trained on other folds; every category has at least two documents.

    Lexicon, vectors and everything else that learns are fitted on the training part of each fold, or a fraction of it;
    with ``self_training``, the labels of unlabelled documents are predicted by that part alone. A part of the
    unlabelled documents is held out from each fold, too. With ``fit_all``, a model of all documents is fitted in
    parallel with the folds. Without an executor everything runs in this process.
    """
    from sklearn.metrics import accuracy_score, f1_score

    labels = observed.labels
    parts = [(share_of(train, labels, fraction, settings.seed), test) for train, test in folds]
    executor = executor or in_process()
    shared = executor.share((observed, settings, c, self_training))
    # the longest task first, so that no core is idle at the end
    tasks: list[Any] = [(shared, "the model of all documents", None)] if fit_all else []
    # their order depends on nothing but the texts
    held_out = np.arange(len(observed.unlabelled.words)) % len(parts)
    pile = [(np.flatnonzero(held_out != number), np.flatnonzero(held_out == number)) for number in range(len(parts))]
    tasks += [
        (shared, f"fold {number} of {len(parts)}", (*part, *rest))
        for number, (part, rest) in enumerate(zip(parts, pile, strict=True), 1)
    ]
    done = list(executor.map(_fit_part, tasks, name=lambda _shared, name, _fold: name))
    fitted = done.pop(0) if fit_all else None
    margins = np.empty((len(labels), len(observed.categories)))
    copies = np.empty((len(observed.copied), len(observed.categories)))
    similar, density = np.empty(len(labels)), np.empty(len(labels))
    unlabelled = np.empty((len(held_out), len(observed.categories)))
    for (_, test), (_, asked), part in zip(parts, pile, done, strict=True):
        margins[test], copies[np.isin(observed.copied, test)], similar[test], density[test], unlabelled[asked] = part
    calibration = calibrate(margins, labels, observed.weights, parts, copies=copies, copied=observed.copied)
    predicted = calibration.corrected.argmax(axis=1)
    return CrossValidated(
        margins=margins,
        calibration=calibration,
        similarity=similar,
        density=density,
        unlabelled=unlabelled,
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
    """Fit, cross-validate and, if requested, diagnose; results by name (the model's last), and the learning curve.

    Where labels come from keywords, no accuracy says whether self-training helps, and it is always used.
    """
    labels = observed.labels
    folds = stratified_folds(labels, FOLDS, settings.seed, groups)
    validate = partial(cross_validate, c=c, folds=folds, executor=executor)
    _log.info(
        f"fitting and cross-validating on {len(labels)} documents of {len(observed.categories)} categories, "
        f"{len(folds)} folds"
    )
    self_training = is_of_use(len(labels), len(observed.categories), len(observed.unlabelled.words))
    observed = with_embedded(observed, settings, self_training=self_training)
    found = validate(observed, settings, fit_all=not self_training)
    *smaller, name = feature_groups(settings)
    results: dict[str, CrossValidated] = {}
    further: dict[str, CrossValidated] = {}
    if groups is not None:
        # positions of words depend on the issuer too: this shows whether they help with issuers not trained on
        _log.info("cross-validating without parts of the page")
        with_parts, found_with_parts = observed, found
        bare = replace(settings, views=tuple(view for view in settings.views if view.part == "page"))
        observed = with_embedded(observed.seen_by(bare.views), bare, self_training=self_training)
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
    if self_training:
        _log.info(f"cross-validating with {len(observed.unlabelled.words)} unlabelled documents")
        taught = validate(observed, settings, fit_all=True, self_training=True)
        if taught.accuracy >= found.accuracy or observed.by_keywords:
            results[name], name, found = found, WITH_UNLABELLED.format(name), taught
        else:
            further[WITH_UNLABELLED.format(name)] = taught
    fitted = found.fitted or fit_model(observed, settings, c=c, leave_out=True)
    return fitted, results | further | {name: found}, curve


def with_embedded(observed: TrainingTexts, settings: FeatureSettings, *, self_training: bool) -> TrainingTexts:
    """Compute once what all folds and all but the last step have in common, if there are unlabelled documents."""
    if not observed.unlabelled.words:
        return observed
    return observed._replace(embedded=embed(observed, settings, self_training=self_training))


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
    shared: tuple[TrainingTexts, FeatureSettings, float, bool],
    _name: str,
    fold: tuple[NDArray[np.int64], ...] | None,
) -> Any:
    """Fit a model on all documents; or on a training part, and give what cross-validation needs of its test part."""
    observed, settings, c, self_training = shared
    if fold is None:
        return fit_model(observed, settings, c=c, self_training=self_training, leave_out=True)
    train, test, given, asked = fold
    fitted = fit_model(observed.take(train, given), settings, c=c, self_training=self_training)
    held_out = observed.take(test)
    rows = fitted.features.rows_of(held_out.documents)
    margins, copies, unlabelled = (
        fitted.linear.margins(found)
        for found in (rows, *map(fitted.features.rows_of, (held_out.copies, observed.unlabelled.take(asked))))
    )
    density = fitted.neighbours.density(rows.ngrams) if fitted.neighbours else np.zeros(len(test))
    return margins, copies, similarity(fitted.centroids, rows.ngrams, margins.argmax(axis=1)), density, unlabelled
