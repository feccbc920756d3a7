"""`DocumentClassifier`, the estimator that trains."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, InvalidParameterError
from sklearn.utils.validation import check_is_fitted

from features.feature_set import FeatureSettings
from features.language_detection import fit_language_detector
from features.lexicon import Lexicon, read_lexicon
from features.word_vectors import WordVectors, read_word_vectors
from textclf.base.errors import BadDataError, UsageError
from textclf.base.executor import open_executor
from textclf.base.hashing import hash_json
from textclf.base.options import bounds
from textclf.model.accept import choose_acceptance, why_nothing_is_accepted
from textclf.model.calibrate import fit_temperature, log_softmax, softmax
from textclf.model.file import library_versions, save_model
from textclf.model.fit import (
    fit_and_measure,
    learning_curve,
    observe_texts,
    observe_training,
)
from textclf.model.folds import group_numbers
from textclf.model.predict import Model
from textclf.model.settings import DEFAULTS, TrainingSettings
from textclf.model.training_data import TrainingData, check_categories, data_hash, read_training_data
from textclf.model.training_record import CrossValidation, TrainingRecord
from textclf.model.typicality import fit_typicality


class InvalidOptionError(UsageError, InvalidParameterError):  # type: ignore[misc]
    """A parameter of an estimator that makes no sense: scikit-learn's error, in one line for the command line too."""


class DocumentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify documents by their cleaned text, with calibrated scores.

    Word and character n-grams, keyword indicators and word vectors go into a one-vs-rest linear SVM. Its margins are
    calibrated on out-of-fold predictions, from which the score to accept is chosen as well.

    Parameters
    ----------
    lexicon : features.lexicon.Lexicon, path or {"auto", "learn", "none"}, default "auto"
        Keywords of each category; see `features.feature_set.FeatureSettings`. A path is a TOML file.
    vectors : features.word_vectors.WordVectors, path or {"learn", "none"}, default "learn"
        Word vectors. A path is a word2vec file, text or binary.
    vector_size : int, default 50
        Dimensions of learned word vectors.
    augment : bool, default True
        Also train on augmented copies of the texts: misread, without line breaks, or the first third only.
    C : float, default 1.0
        Inverse strength of the regularisation, as scikit-learn's ``LinearSVC`` has it.
    max_error : float, default 0.05
        Maximum error among accepted documents, above 0 and below 1.
    confidence : float, default 0.9
        How sure it shall be that the error among accepted documents stays under it, above 0 and below 1.
    diagnostics : bool, default False
        Also cross-validate each feature group and the learning curve (about two times the work).
    n_jobs : int, optional
        Processes for the cross-validation, -1 for all cores, None for one. The result does not depend on it.
    random_state : int, numpy.random.RandomState or None, default 0
        Seed of folds, augmented copies, word vectors and the SVM. With None each training has another.

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
        "vector_size": [Interval(Integral, *bounds(TrainingSettings, "vector_size"), closed="both")],
        "augment": ["boolean"],
        "C": [Interval(Real, *bounds(TrainingSettings, "C"), closed="both")],
        "max_error": [Interval(Real, *bounds(TrainingSettings, "max_error"), closed="both")],
        "confidence": [Interval(Real, *bounds(TrainingSettings, "confidence"), closed="both")],
        "diagnostics": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        lexicon: Lexicon | str | Path = DEFAULTS.lexicon,
        vectors: WordVectors | str | Path = DEFAULTS.vectors,
        vector_size: int = DEFAULTS.vector_size,
        augment: bool = DEFAULTS.augment,
        C: float = DEFAULTS.C,  # noqa: N803 - scikit-learn's name for it
        max_error: float = DEFAULTS.max_error,
        confidence: float = DEFAULTS.confidence,
        diagnostics: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = DEFAULTS.random_state,
    ) -> None:
        self.lexicon = lexicon
        self.vectors = vectors
        self.vector_size = vector_size
        self.augment = augment
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
        groups: Sequence[object] | None = None,
        out_of_distribution: ArrayLike = (),
        document_ids: Sequence[str] | None = None,
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
        groups : iterable, length n, optional
            What each document belongs to, such as its issuer; an empty string, None or NaN if nothing.
            Cross-validation keeps the documents of a group together, so that scores, threshold and familiarity hold for
            groups never seen; without it, they hold for further documents of the same ones. Views of parts of the page
            are then kept only if they do better on groups not seen.
        out_of_distribution : iterable of str, optional
            Cleaned texts of documents that are of none of the categories; the model learns to turn such away.
        document_ids : iterable of str, length n, optional
            Names that go into the data hash; positions without them.

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
        return self.fit_data(
            read_training_data(
                X,
                y,
                sample_weight,
                groups=groups,
                out_of_distribution=out_of_distribution,
                document_ids=document_ids,
            )
        )

    def fit_data(self, data: TrainingData) -> Self:
        """Train as `fit`, on documents that are checked already, as are the options."""
        seeded = self._seeded()
        settings = seeded.feature_settings()
        hashes = {"data_hash": data.hash, "inputs_hash": seeded._hash_of(data, settings)}
        documents = observe_texts(data.texts, settings)
        worded = np.flatnonzero([bool(words) for words in documents.words])
        empty = len(data.texts) - len(worded)
        self.warnings_ = _check_worded(data, worded)
        data, documents = data.take(worded.tolist()), documents.take(worded)
        groups = None
        if data.groups is not None:
            groups, warned = group_numbers(data.groups, data.labels, data.categories)
            self.warnings_ += warned
        observed = observe_training(
            data.texts,
            data.labels,
            data.categories,
            settings,
            weights=data.weights,
            out_of_distribution=data.out_of_distribution,
            documents=documents,
        )

        with open_executor(effective_n_jobs(self.n_jobs)) as executor:
            fitted, measured, curve = fit_and_measure(
                observed, settings, groups, c=self.C, executor=executor, diagnostics=self.diagnostics
            )
        found = list(measured.values())[-1]
        inverse_temperature = fit_temperature(found.margins, data.labels, data.weights)
        self.out_of_fold_scores_ = softmax(found.margins * inverse_temperature)
        right = found.margins.argmax(axis=1) == data.labels
        acceptance = choose_acceptance(self.out_of_fold_scores_.max(axis=1), right, self.max_error, self.confidence)
        if not acceptance.accepted:
            self.warnings_.append(why_nothing_is_accepted(acceptance))
        counts = np.bincount(data.labels).tolist()
        self.model_ = Model(
            categories=data.categories,
            labels=tuple(data.classes.tolist()),
            features=fitted.features,
            linear=fitted.linear,
            inverse_temperature=inverse_temperature,
            typicality=fit_typicality(fitted.centroids, found.margins, found.similarity),
            languages=fit_language_detector(documents.words),
            training=TrainingRecord(
                documents=dict(zip(data.categories, counts, strict=True)),
                empty_texts=empty,
                folds=found.folds,
                kept_together=0 if groups is None else len(np.unique(groups)),
                groups=tuple(
                    CrossValidation(features=name, accuracy=result.accuracy, macro_f1=result.macro_f1)
                    for name, result in measured.items()
                ),
                curve=learning_curve(curve),
                acceptance=acceptance,
                **hashes,
            ),
            settings=seeded.plain_settings(),
        )
        self.classes_ = data.classes
        return self

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
        margins = self.model_.margins(X)
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
        return self.model_.predict_proba(X)

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
        return log_softmax(self.model_.margins(X) * self.model_.inverse_temperature)

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
            augment=self.augment,
            seed=self._seed(),
        )

    def inputs_hash(self, data: TrainingData) -> str:
        """Hash all that a model depends on, to tell whether training would give the same once more.

        Parameters
        ----------
        data : textclf.model.training_data.TrainingData
            As for `fit_data`.

        Returns
        -------
        str
            SHA-256. The number of processes does not matter; versions of the libraries do. Without a fixed
            `random_state` no two trainings are the same.
        """
        seeded = self._seeded()
        return seeded._hash_of(data, seeded.feature_settings())

    def _hash_of(self, data: TrainingData, settings: FeatureSettings) -> str:
        lexicon, vectors = settings.lexicon, settings.vectors
        content = {
            "documents": data.hash,
            "groups": data.groups,
            "out_of_distribution": data_hash(data.out_of_distribution),
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
        return hash_json(content)

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
            "augment": self.augment,
            "C": float(self.C),
            "random_state": self._seed(),
        }


def _check_worded(data: TrainingData, worded: NDArray[np.int64]) -> list[str]:
    """Refuse what nothing can be learned from, of documents of which some have words; warn about the rest."""
    truths = data.truths
    counts = Counter(truths[i] for i in worded)
    warnings = check_categories(counts)
    if without := [category for category in data.categories if category not in counts]:
        raise BadDataError(f"no document of category {without[0]!r} has text", remedy="take the category out")
    if empty := len(truths) - len(worded):
        warnings.append(f"{empty} of {len(truths)} documents have no text and were left out")
    if data.unlabelled:
        warnings.append(f"{data.unlabelled} documents have no label and were left out")
    return warnings


def _word_or_given(value: object, *words: str) -> str:
    return value if isinstance(value, str) and value in words else "given"
