"""`DocumentClassifier`, the estimator that trains."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, InvalidParameterError
from sklearn.utils.validation import check_is_fitted

from features.feature_set import FeatureSettings
from features.language_detection import fit_language_detector
from features.lexicon import Lexicon, read_lexicon
from features.text_arguments import as_texts
from features.tokens import tokenize
from features.word_vectors import WordVectors, read_word_vectors
from textclf.base.errors import BadDataError, UsageError
from textclf.model import fit as training
from textclf.model.accept import choose_acceptance, why_nothing_is_accepted
from textclf.model.calibrate import fit_temperature, log_softmax, softmax
from textclf.model.file import library_versions, save_model
from textclf.model.fit import CrossValidated
from textclf.model.folds import group_numbers, stratified_folds
from textclf.model.predict import Model
from textclf.model.prediction import TrainingRecord
from textclf.model.training_data import TrainingData, read_training_data
from textclf.model.typicality import fit_typicality

_log = logging.getLogger(__name__)

MAX_VECTOR_SIZE = 1000
FOLDS = 5
MIXED = "{}, groups mixed"
WITH_PARTS, WITHOUT_PARTS = "{}, with parts of the page", "{}, without parts of the page"


class InvalidOptionError(UsageError, InvalidParameterError):  # type: ignore[misc]
    """A parameter of an estimator that makes no sense: scikit-learn's error, in one line for the command line too."""


class DocumentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify documents by their cleaned text, with calibrated scores.

    Word and character n-grams, keyword indicators and word vectors go into a linear support vector machine. Its
    margins are calibrated on out-of-fold predictions, from which the score to accept is chosen as well.

    Parameters
    ----------
    lexicon : features.lexicon.Lexicon, path or {"auto", "learn", "none"}, default "auto"
        Keywords of each category; see `features.feature_set.FeatureSettings`. A path is a TOML file.
    vectors : features.word_vectors.WordVectors, path or {"learn", "none"}, default "learn"
        Word vectors. A path is a word2vec file, text or binary.
    vector_size : int, default 50
        Dimensions of learned word vectors.
    poor_copies : bool, default True
        Also train on poor copies of the texts: misread, without line breaks, or the first third only.
    C : float, default 1.0
        Inverse strength of the regularisation, as scikit-learn's ``LinearSVC`` has it.
    max_error : float, default 0.05
        Error among accepted documents that can be borne, above 0 and below 1.
    confidence : float, default 0.9
        How sure it shall be that the error among accepted documents stays under it, above 0 and below 1.
    diagnostics : bool, default False
        Also cross-validate each feature group and the learning curve (about two times the work).
    n_jobs : int, optional
        Processes for the cross-validation, -1 for all cores, None for one. The result does not depend on it.
    random_state : int, numpy.random.RandomState or None, default 0
        Seed of folds, word vectors and the support vector machine. With None each training has another.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        The labels, of the type they were given in, sorted.
    model_ : textclf.model.predict.Model
        The trained model as `textclf.load` gives it.
    out_of_fold_scores_ : ndarray of float64, shape (n, k)
        Calibrated scores of each training document with text by a model that had not seen it.
    warnings_ : list of str
        What the person who trains should know.

    Examples
    --------
    >>> texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
    >>> classifier = DocumentClassifier().fit(texts, ["invoice", "invoice", "letter", "letter"])
    >>> classifier.predict(["the invoice is due"]).tolist()
    ['invoice']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "lexicon": [Lexicon, str, os.PathLike],
        "vectors": [WordVectors, str, os.PathLike],
        "vector_size": [Interval(Integral, 1, MAX_VECTOR_SIZE, closed="both")],
        "poor_copies": ["boolean"],
        "C": [Interval(Real, 0, None, closed="neither")],
        "max_error": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "diagnostics": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        lexicon: Lexicon | str | Path = "auto",
        vectors: WordVectors | str | Path = "learn",
        vector_size: int = 50,
        poor_copies: bool = True,
        C: float = 1.0,  # noqa: N803 - scikit-learn's name for it
        max_error: float = 0.05,
        confidence: float = 0.9,
        diagnostics: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.lexicon = lexicon
        self.vectors = vectors
        self.vector_size = vector_size
        self.poor_copies = poor_copies
        self.C = C
        self.max_error = max_error
        self.confidence = confidence
        self.diagnostics = diagnostics
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,  # noqa: N803 - scikit-learn's name for it
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        document_ids: Sequence[str] | None = None,
        groups: Sequence[object] | None = None,
        others: ArrayLike = (),
    ) -> Self:
        """Train on texts of known category.

        Parameters
        ----------
        X : iterable of str, shape (n,)
            Cleaned texts: a list, an array of one dimension, a column of a table. Empty ones are left out and counted.
        y : array-like, shape (n,)
            The label of each: strings, whole numbers or booleans, all of one kind. Documents with an empty string are
            left out and counted.
        sample_weight : array-like of float, shape (n,), optional
            How much each document counts when margins and scores are fitted, 0 or more, as if it were there so many
            times; one of weight 0 is left out. Words, keywords, vectors, familiarity, the threshold and the figures of
            cross-validation count each document that is left once.
        document_ids : iterable of str, length n, optional
            Names that go into the data hash; positions without them.
        groups : iterable, length n, optional
            What each document belongs to, such as its issuer; an empty string, None or NaN if nothing.
            Cross-validation keeps the documents of a group together, so that scores, threshold and familiarity hold for
            groups never seen; without it, they hold for further documents of the same ones. Views of parts of the page
            are then kept only if they do better on groups not seen.
        others : iterable of str, optional
            Cleaned texts of documents that are of none of the categories; the model learns to turn such away.

        Returns
        -------
        DocumentClassifier
            Itself.

        Raises
        ------
        textclf.base.errors.BadDataError
            One category only; a category with a single document, or none that has text; texts that are no list of
            strings; labels of different kinds; negative weights; too few groups.
        textclf.model.classifier.InvalidOptionError
            A parameter has a value that makes no sense.
        """
        self.check_options()
        seeded = self._seeded()
        data = read_training_data(
            X, y, document_ids=document_ids, groups=groups, others=others, sample_weight=sample_weight
        )
        hashed = training.data_hash(data.document_ids, data.texts, data.truths)
        inputs_hash = seeded._hash_of(data)
        data, empty, self.warnings_ = _with_words(data)
        counts = Counter(data.truths)
        together = None
        if data.groups is not None:
            together, warned = group_numbers(data.groups, data.labels, data.categories)
            self.warnings_ += warned

        fitted, found, measured, curve = seeded._measure(data, together)
        inverse_temperature = fit_temperature(found.margins, data.labels, data.weights)
        self.out_of_fold_scores_ = softmax(found.margins * inverse_temperature)
        right = found.margins.argmax(axis=1) == data.labels
        acceptance = choose_acceptance(self.out_of_fold_scores_.max(axis=1), right, self.max_error, self.confidence)
        if not acceptance.accepted:
            self.warnings_.append(why_nothing_is_accepted(acceptance))
        self.model_ = Model(
            categories=data.categories,
            labels=tuple(data.classes.tolist()),
            features=fitted.features,
            linear=fitted.linear,
            inverse_temperature=inverse_temperature,
            typicality=fit_typicality(fitted.centroids, found.margins, found.similarity),
            languages=fit_language_detector([tokenize(text) for text in data.texts]),
            training=TrainingRecord(
                documents={category: counts[category] for category in data.categories},
                empty_texts=empty,
                folds=found.folds,
                kept_together=0 if together is None else len(np.unique(together)),
                groups=training.group_results(measured),
                curve=training.learning_curve(curve),
                acceptance=acceptance,
                data_hash=hashed,
                inputs_hash=inputs_hash,
            ),
            settings=seeded.plain_settings(),
        )
        self.classes_ = data.classes
        return self

    def _measure(
        self, data: TrainingData, together: NDArray[np.int64] | None
    ) -> tuple[training.Fitted, CrossValidated, dict[str, CrossValidated], list[CrossValidated]]:
        """Fit, cross-validate and, if asked for, diagnose: fitted, its result, results by name, learning curve."""
        settings = self.feature_settings()
        others = [text for text in data.others if tokenize(text)]
        labels, categories = data.labels, data.categories
        folds = stratified_folds(labels, FOLDS, settings.seed, together)
        observed = training.observe_training(data.texts, settings, others, data.weights)
        options: dict[str, Any] = {"c": self.C, "folds": folds, "jobs": self.n_jobs or 1}
        _log.info(
            f"fitting and cross-validating on {len(data.texts)} documents of {len(categories)} categories, "
            f"{len(folds)} folds"
        )
        fitted, found = training.fit_and_cross_validate(observed, labels, categories, settings, **options)
        rejected = {}
        if together is not None:
            # what stands where tells the issuer too: only this shows whether it tells the kind of issuers never seen
            _log.info("cross-validating without parts of the page")
            bare = replace(settings, views=tuple(view for view in settings.views if view.part == "page"))
            seen = training.observe_training(data.texts, bare, others, data.weights)
            tried = training.cross_validate(seen, labels, categories, bare, **options)
            if tried.accuracy >= found.accuracy:
                rejected[WITH_PARTS], observed, settings, found = found, seen, bare, tried
                fitted = training.fit_model(observed, labels, categories, settings, c=self.C)
            else:
                rejected[WITHOUT_PARTS] = tried
        parts = training.feature_groups(settings)
        *smaller, whole = parts
        further, curve = {name.format(whole): result for name, result in rejected.items()}, [found]
        if not self.diagnostics:
            return fitted, found, further | {whole: found}, curve
        results = {}
        for name in smaller:
            _log.info(f"cross-validating with {name} alone")
            results[name] = training.cross_validate(observed, labels, categories, parts[name], **options)
        if together is not None:
            _log.info("cross-validating with the groups mixed")
            alone = options | {"folds": stratified_folds(labels, FOLDS, settings.seed)}
            further[MIXED.format(whole)] = training.cross_validate(observed, labels, categories, settings, **alone)
        for share in (0.5, 0.25, 0.125):
            _log.info(f"cross-validating on {share:.1%} of the training documents")
            curve.append(training.cross_validate(observed, labels, categories, settings, share=share, **options))
        return fitted, found, results | further | {whole: found}, curve

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Margins before calibration.

        Parameters
        ----------
        X : array-like of str, shape (n,)
            Cleaned texts.

        Returns
        -------
        ndarray of float64, shape (n, k), or (n,) with two categories
            Columns as `classes_`; with two categories the lead of the second, as scikit-learn has it.
        """
        check_is_fitted(self)
        margins = self.model_.margins(as_texts(X))
        return margins[:, 1] - margins[:, 0] if len(self.classes_) == 2 else margins

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Calibrated scores.

        Parameters
        ----------
        X : array-like of str, shape (n,)
            Cleaned texts.

        Returns
        -------
        ndarray of float64, shape (n, k)
            Columns as `classes_`; rows sum to 1.
        """
        check_is_fitted(self)
        return self.model_.scores(self.model_.margins(as_texts(X)))

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Logarithms of the calibrated scores, finite also where a score is too small for a number.

        Parameters
        ----------
        X : array-like of str, shape (n,)
            Cleaned texts.

        Returns
        -------
        ndarray of float64, shape (n, k)
            Columns as `classes_`; natural logarithms.
        """
        check_is_fitted(self)
        return log_softmax(self.model_.margins(as_texts(X)) * self.model_.inverse_temperature)

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Most likely category of each text.

        Parameters
        ----------
        X : array-like of str, shape (n,)
            Cleaned texts.

        Returns
        -------
        ndarray, shape (n,)
            Labels as they were given to `fit`.
        """
        check_is_fitted(self)
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def save(self, target: str | Path | BinaryIO) -> None:
        """Write the model file.

        Parameters
        ----------
        target : str, pathlib.Path or binary file object
            Where to; `textclf.load` reads it.
        """
        check_is_fitted(self)
        save_model(self.model_, target)

    def feature_settings(self) -> FeatureSettings:
        """Give the settings of the features; reads the files of lexicon and vectors.

        Returns
        -------
        FeatureSettings
            What `features.feature_set.fit_features` takes.
        """
        lexicon: Lexicon | Literal["auto", "learn", "none"]
        match self.lexicon:
            case Lexicon() | "auto" | "learn" | "none":
                lexicon = self.lexicon
            case path:
                lexicon = read_lexicon(path)
        vectors: WordVectors | Literal["learn", "none"]
        match self.vectors:
            case WordVectors() | "learn" | "none":
                vectors = self.vectors
            case path:
                vectors = read_word_vectors(path)
        return FeatureSettings(
            lexicon=lexicon,
            vectors=vectors,
            vector_size=self.vector_size,
            augment=self.poor_copies,
            seed=self._seed(),
        )

    def inputs_hash(
        self,
        texts: Sequence[str],
        categories: Sequence[str],
        *,
        document_ids: Sequence[str],
        groups: Sequence[str] | None = None,
        others: ArrayLike = (),
    ) -> str:
        """Hash all that a model depends on, to tell whether training would give the same once more.

        Parameters
        ----------
        texts, categories, document_ids, groups, others
            As for `fit`.

        Returns
        -------
        str
            SHA-256. The number of processes does not matter; versions of the libraries do. Without a fixed
            `random_state` no two trainings are the same.
        """
        data = read_training_data(texts, categories, document_ids=document_ids, groups=groups, others=others)
        return self._seeded()._hash_of(data)

    def _hash_of(self, data: TrainingData) -> str:
        settings = self.feature_settings()
        lexicon, vectors = settings.lexicon, settings.vectors
        content = {
            "documents": training.data_hash(data.document_ids, data.texts, data.truths),
            "groups": data.groups,
            "others": training.data_hash(data.others),
            "options": self.plain_settings() | {"max_error": self.max_error, "confidence": self.confidence},
            "diagnostics": self.diagnostics,
            "lexicon": lexicon.to_dict() if isinstance(lexicon, Lexicon) else lexicon,
            "vectors": vectors.digest() if isinstance(vectors, WordVectors) else vectors,
            "versions": library_versions(),
        }
        if not all(isinstance(label, str) for label in data.classes.tolist()):
            content["labels"] = data.classes.tolist()
        if (data.weights != 1).any():
            content["weights"] = data.weights.tolist()
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def check_options(self) -> None:
        """Refuse parameters that make no sense, with `InvalidOptionError`."""
        try:
            self._validate_params()
        except InvalidParameterError as error:
            raise InvalidOptionError(str(error)) from error

    def _seed(self) -> int:
        """Give the random state as a number; unless it is one, another each time."""
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _seeded(self) -> Self:
        """Give the same with the random state fixed for one training."""
        return type(self)(**self.get_params(deep=False) | {"random_state": self._seed()})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def plain_settings(self) -> dict[str, str | int | float | None]:
        """Give the settings as a model file shows them: no path of this machine, nothing that changes no byte."""
        return {
            "lexicon": _word_or_given(self.lexicon, "auto", "learn", "none"),
            "vectors": _word_or_given(self.vectors, "learn", "none"),
            "vector_size": self.vector_size,
            "poor_copies": self.poor_copies,
            "C": float(self.C),
            "random_state": self._seed(),
        }


def _with_words(data: TrainingData) -> tuple[TrainingData, int, list[str]]:
    """Leave out documents without words: what is left, how many were left out, and warnings."""
    kept = data.take([i for i, text in enumerate(data.texts) if tokenize(text)])
    counts = Counter(kept.truths)
    warnings = training.check_categories(counts)
    if without := [category for category in data.categories if category not in counts]:
        raise BadDataError(f"no document of category {without[0]!r} has text", remedy="take the category out")
    if empty := len(data.texts) - len(kept.texts):
        warnings.append(f"{empty} of {len(data.texts)} documents have no text and were left out")
    if data.unlabelled:
        warnings.append(f"{data.unlabelled} documents have no label and were left out")
    return kept, empty, warnings


def _word_or_given(value: object, *words: str) -> str:
    return value if isinstance(value, str) and value in words else "given"
