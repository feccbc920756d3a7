"""`DocumentClassifier`, the scikit-learn estimator."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import f1_score
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, InvalidParameterError
from sklearn.utils.validation import check_is_fitted

from features.feature_options import FeatureOptions
from features.feature_set import FeatureSettings
from features.lexicon import Lexicon, read_lexicon
from features.word_vectors import WordVectors, read_word_vectors
from textclf.base.errors import UsageError
from textclf.base.executor import memory_remedy, open_executor
from textclf.base.hashing import hash_json
from textclf.base.options import bounds, suggestions
from textclf.base.resources import usable_memory
from textclf.model.accept import acceptance_curve, why_nothing_is_accepted
from textclf.model.calibrate import Scored, log_softmax, softmax
from textclf.model.file import library_versions, save_model
from textclf.model.fit import Fitted, fit_and_measure, get_ready, learning_curve
from textclf.model.folds import FOLDS, stratified_folds
from textclf.model.held_out import held_out
from textclf.model.linear import corrected
from textclf.model.look_fit import WITH_LOOK, fit_look
from textclf.model.predict import Model
from textclf.model.self_training import is_of_use
from textclf.model.settings import DEFAULTS, TrainingSettings
from textclf.model.training_data import TrainingData, data_hash, read_training_data
from textclf.model.training_input import TrainingInput, prepare_training
from textclf.model.training_memory import processes_with_room
from textclf.model.training_record import CrossValidation, SingleModality, TrainingRecord, UnlabelledDocuments
from textclf.model.typicality import fit_typicality
from textclf.model.unknown_kinds import warn_of_loose, without_unknown_kinds

GIVEN = "given"
"""In plain settings, a lexicon or vectors given as a path or an object."""
_IN_TRAINING_RECORD = {"max_error", "confidence", "diagnostics"}
"""Training settings that a model file does not list as settings, as its training record has them."""


class InvalidOptionError(UsageError, InvalidParameterError):  # type: ignore[misc]
    """An invalid parameter of an estimator: scikit-learn's error, which the command line shows in one line."""


class DocumentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify documents by their cleaned text, with calibrated scores.

    Word and character n-grams, keyword indicators and word vectors go into a one-vs-rest linear SVM. Its margins are
    corrected and calibrated on out-of-fold predictions, from which the threshold is chosen as well.

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
    background : bool, default True
        Also train on texts of other kinds of paper, so that such documents are not accepted; see
        `textclf.model.background`. With fewer than 40 documents there are none.
    C : float, default 1.0
        Inverse strength of the regularisation, as in scikit-learn's ``LinearSVC``.
    max_error : float, default 0.05
        Maximum error among accepted documents, above 0 and below 1.
    confidence : float, default 0.9
        Confidence that the error among accepted documents stays below the maximum, above 0 and below 1.
    max_unknown : float, default 0.1
        Maximum share of documents of unknown kinds that are accepted, as far as leaving out each category tells; 1 if
        there are no other kinds.
    diagnostics : bool, default False
        Also cross-validate each feature group, and for the learning curve (about twice the work).
    n_jobs : int, optional
        Processes for the cross-validation, -1 for all cores, None for one. The result does not depend on it.
    random_state : int, numpy.random.RandomState or None, default 0
        Seed of folds, augmented copies, word vectors and the SVM. None draws another for each training.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        The labels as given, sorted.
    model_ : textclf.model.predict.Model
        The trained model, as from `textclf.load`.
    out_of_fold_scores_ : ndarray of float64, shape (n, k)
        Calibrated scores of each training document with text, by a model trained on other folds.
    document_ids_ : list of str, length n
        The ids of these documents; their numbers if none were given.
    warnings_ : list of str
        Facts about the documents that may make the model worse.

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
        "background": ["boolean"],
        "C": [Interval(Real, *bounds(TrainingSettings, "C"), closed="both")],
        "max_error": [Interval(Real, *bounds(TrainingSettings, "max_error"), closed="both")],
        "confidence": [Interval(Real, *bounds(TrainingSettings, "confidence"), closed="both")],
        "max_unknown": [Interval(Real, *bounds(TrainingSettings, "max_unknown"), closed="both")],
        "diagnostics": ["boolean"],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), Interval(Integral, None, -1, closed="right"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        lexicon: Lexicon | str | Path = DEFAULTS.lexicon,
        vectors: WordVectors | str | Path = DEFAULTS.vectors,
        vector_size: int = DEFAULTS.vector_size,
        augment: bool = DEFAULTS.augment,
        background: bool = DEFAULTS.background,
        C: float = DEFAULTS.C,  # noqa: N803 - scikit-learn's name for it
        max_error: float = DEFAULTS.max_error,
        confidence: float = DEFAULTS.confidence,
        max_unknown: float = DEFAULTS.max_unknown,
        diagnostics: bool = DEFAULTS.diagnostics,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = DEFAULTS.random_state,
    ) -> None:
        self.lexicon = lexicon
        self.vectors = vectors
        self.vector_size = vector_size
        self.augment = augment
        self.background = background
        self.C = C
        self.max_error = max_error
        self.confidence = confidence
        self.max_unknown = max_unknown
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
        unlabelled: Iterable[str] = (),
        document_ids: Sequence[str] | None = None,
        looks: Sequence[str] | None = None,
    ) -> Self:
        """Train on texts of known category.

        Parameters
        ----------
        X : iterable of str, shape (n,)
            Cleaned texts: a list, a one-dimensional array or a column of a table. Empty ones are left out and counted.
        y : array-like, shape (n,)
            Their labels: strings, whole numbers or booleans, all of one kind. Documents with an empty string count as
            unlabelled, those with ``"none of these"`` as out-of-distribution.
        sample_weight : array-like of float, shape (n,), optional
            Weight of each document in the linear SVM and the calibration, 0 or more; documents of weight 0 are left
            out. Everything else counts each document once: vocabulary, keywords, vectors, familiarity, the threshold
            and the figures of cross-validation.
        groups : iterable, length n, optional
            Group of each document, such as its issuer; an empty string, None or NaN for none. Cross-validation keeps
            the documents of a group together, so that scores, threshold and familiarity hold for new groups; without
            groups they hold for further documents of the same issuers. Views of parts of the page are then used only
            if they predict new groups better.
        out_of_distribution : iterable of str, optional
            Cleaned texts of documents of none of the categories, which the model learns to send to review.
        unlabelled : iterable of str, optional
            Cleaned texts of unknown category. Of 50 or more, those that look like none of the categories, as many as
            there seem to be, are learned from as out-of-distribution. With up to 20 labelled documents per category on
            average, self-training learns from others too, unless cross-validation is less accurate with them. Without
            any labelled document, those that keywords of the lexicon surely find are labelled by them; such a model
            accepts nothing, and its figures compare it with the keywords alone. Of more than 1,000 a fixed sample is
            used; texts that are given with a label too are left out.
        document_ids : iterable of str, length n, optional
            Names that go into the data hash; by default the positions.
        looks : iterable of str, length n, optional
            What the first page of each document looks like, from the column ``page_look`` or `ocr.Document.look`; an
            empty string where that is unknown. With 30 looks or more, the model learns from them too, and weighs them
            against the texts by their out-of-fold scores.

        Returns
        -------
        DocumentClassifier
            Itself.

        Raises
        ------
        textclf.base.errors.BadDataError
            Only one category; a category with a single document or none with text; texts that are not a list of
            strings; labels of different kinds; negative weights; too few groups.
        textclf.model.classifier.InvalidOptionError
            A parameter has an invalid value.
        """
        self.check_options()
        return self.fit_data(
            read_training_data(
                X,
                y,
                sample_weight,
                groups=groups,
                out_of_distribution=out_of_distribution,
                unlabelled=unlabelled,
                document_ids=document_ids,
                looks=looks,
            )
        )

    def fit_data(self, data: TrainingData) -> Self:
        """Train as `fit` does, on data and options that were checked."""
        seeded = self._seeded()
        settings = seeded.feature_settings()
        hashes: dict[str, Any] = {"data_hash": data.hash, "inputs_hash": seeded._hash_of(data, settings)}
        texts = [*data.texts, *data.out_of_distribution, *data.unlabelled]
        jobs = processes_with_room(effective_n_jobs(self.n_jobs), texts, usable_memory())
        warm_up = partial(get_ready, with_keywords=settings.lexicon != "none", with_vectors=settings.vectors == "learn")
        with open_executor(jobs, warm_up=warm_up, at_once=True, remedy=memory_remedy()) as executor:
            given = prepare_training(data, settings, with_background=self.background)
            data, self.warnings_ = given.data, given.warnings
            fitted, measured, curve = fit_and_measure(
                given.observed,
                settings,
                given.groups,
                c=self.C,
                executor=executor,
                diagnostics=self.diagnostics,
            )
        found = list(measured.values())[-1]
        inverse_temperature, correction, margins = found.calibration
        # pseudo-labelled documents come after the labelled ones
        left_out = fitted.left_out[: len(data.labels)] @ correction
        by_text = Scored(softmax(margins * inverse_temperature), softmax(left_out * inverse_temperature))
        typicality = fit_typicality(fitted.centroids, margins, found.similarity, fitted.neighbours, found.density)
        look = fit_look(
            given.looks,
            data.labels,
            given.observed.weights,
            text=margins,
            text_left_out=left_out,
            inverse_temperature=inverse_temperature,
            familiarity=typicality.of_evidence(margins, found.similarity, found.density if fitted.neighbours else None),
            folds=stratified_folds(data.labels, FOLDS, settings.seed, given.groups),
        )
        scored = look.with_text if look else by_text
        self.out_of_fold_scores_, self.document_ids_ = scored.scores, data.document_ids
        self.warnings_ += warn_of_loose(data.categories, data.labels, scored.unknown)
        positions = np.concatenate([fitted.pseudo.chosen, fitted.pseudo.novel])
        trained_on = [given.observed.unlabelled_texts[i] for i in positions]
        groups = [
            CrossValidation(features=name, accuracy=result.accuracy, macro_f1=result.macro_f1)
            for name, result in measured.items()
        ]
        if look:
            name = WITH_LOOK.format(groups[-1].features)
            groups.append(CrossValidation(features=name, **_figures(scored, data.labels)))
        self.model_ = Model(
            categories=data.categories,
            labels=tuple(data.classes.tolist()),
            features=fitted.features,
            linear=corrected(fitted.linear, correction),
            inverse_temperature=inverse_temperature,
            typicality=typicality,
            languages=given.languages,
            training=TrainingRecord(
                **_facts(given, fitted, found.folds),
                groups=tuple(groups),
                curve=learning_curve(curve),
                **self._accepting(scored, data.labels, by_keywords=given.observed.by_keywords),
                without_look=self._single_modality(by_text, data.labels) if look else None,
                look_alone=self._single_modality(look.alone, data.labels[look.seen]) if look else None,
                **hashes,
            ),
            settings=seeded.plain_settings(),
            look=look and look.model,
            held_out=held_out(trained_on, found.unlabelled[positions] @ correction),
        )
        record = self.model_.training
        if not record.acceptance.accepted and not record.by_keywords:
            self.warnings_.append(why_nothing_is_accepted(record.acceptance, record.acceptance_curve))
        self.classes_ = data.classes
        return self

    def _accepting(self, scored: Scored, labels: NDArray[np.int64], *, by_keywords: bool = False) -> dict[str, Any]:
        """Say what is accepted, and what could be.

        Unless the true categories are known, any prediction may be wrong, and nothing is accepted.
        """
        best, unknown = scored.scores.max(axis=1), scored.unknown.max(axis=1)
        right = scored.right(labels) & (not by_keywords)
        curve = without_unknown_kinds(acceptance_curve(best, right), best, right, unknown, self.max_unknown)
        return {"acceptance": curve.at(self.max_error, self.confidence), "acceptance_curve": curve}

    def _single_modality(self, scored: Scored, labels: NDArray[np.int64]) -> SingleModality:
        """Give the figures of documents of which text or look is missing."""
        return SingleModality(documents=len(labels), **_figures(scored, labels), **self._accepting(scored, labels))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Margins before calibration.

        Parameters
        ----------
        X : array-like of str, shape (n,)
            Cleaned texts.

        Returns
        -------
        ndarray of float64, shape (n, k), or (n,) with two categories
            Columns as `classes_`; with two categories the lead of the second, as in scikit-learn.
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
        """Logarithms of the calibrated scores, finite also where a score underflows to 0.

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
            Path or file to write; `textclf.load` reads it.
        """
        check_is_fitted(self)
        save_model(self.model_, target)

    def feature_settings(self) -> FeatureSettings:
        """Give the feature settings; reads the files of lexicon and vectors.

        Returns
        -------
        FeatureSettings
            What `features.feature_set.fit_features` takes.
        """
        options: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(FeatureOptions)}
        if _word_or_given(self.lexicon, "lexicon") == GIVEN and not isinstance(self.lexicon, Lexicon):
            options["lexicon"] = read_lexicon(self.lexicon)
        if _word_or_given(self.vectors, "vectors") == GIVEN and not isinstance(self.vectors, WordVectors):
            options["vectors"] = read_word_vectors(self.vectors)
        return FeatureSettings(**options, seed=self._seed())

    def inputs_hash(self, data: TrainingData) -> str:
        """Hash everything that a model depends on, to find out whether training would give the same model.

        Parameters
        ----------
        data : textclf.model.training_data.TrainingData
            As for `fit_data`.

        Returns
        -------
        str
            SHA-256; it depends on the versions of the libraries, not on the number of processes. Without a fixed
            `random_state` it is different each time.
        """
        seeded = self._seeded()
        return seeded._hash_of(data, seeded.feature_settings())

    def _hash_of(self, data: TrainingData, settings: FeatureSettings) -> str:
        lexicon, vectors = settings.lexicon, settings.vectors
        options = self._plain_options()
        content = {
            "documents": data.hash,
            "groups": data.groups,
            "out_of_distribution": data_hash(data.out_of_distribution),
            "unlabelled": [data_hash(data.unlabelled), data.unlabelled_given],
            "diagnostics": options.pop("diagnostics"),
            "options": options,
            "lexicon": lexicon.to_dict() if isinstance(lexicon, Lexicon) else lexicon,
            "vectors": vectors.digest() if isinstance(vectors, WordVectors) else vectors,
            "versions": library_versions(),
        }
        if any(data.looks):
            content["looks"] = data_hash(data.looks)
        if not all(isinstance(label, str) for label in data.classes.tolist()):
            content["labels"] = data.classes.tolist()
        if (data.weights != 1).any():
            content["weights"] = data.weights.tolist()
        return hash_json(content)

    def check_options(self) -> None:
        """Refuse invalid parameters with `InvalidOptionError`."""
        try:
            self._validate_params()
        except InvalidParameterError as error:
            raise InvalidOptionError(str(error)) from error
        for name in ("lexicon", "vectors"):
            if isinstance(given := getattr(self, name), str) and not given:
                words = ", ".join(suggestions(FeatureOptions, name))
                raise InvalidOptionError("is empty", where=name, remedy=f"give {words} or a file")

    def _seed(self) -> int:
        """Give the random state as a number; unless it is one, a new one is drawn."""
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _seeded(self) -> Self:
        """Give a copy with the random state fixed for one training."""
        return type(self)(**self.get_params(deep=False) | {"random_state": self._seed()})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def plain_settings(self) -> dict[str, str | int | float | None]:
        """Give the settings as a model file lists them."""
        return {name: value for name, value in self._plain_options().items() if name not in _IN_TRAINING_RECORD}

    def _plain_options(self) -> dict[str, Any]:
        """Give all training settings as plain values, without a path of this machine."""
        return {one.name: getattr(self, one.name) for one in fields(TrainingSettings)} | {
            "lexicon": _word_or_given(self.lexicon, "lexicon"),
            "vectors": _word_or_given(self.vectors, "vectors"),
            "C": float(self.C),
            "random_state": self._seed(),
        }


def _word_or_given(value: object, name: str) -> str:
    """Give a word that the option takes, or `GIVEN` for a path or an object."""
    return value if isinstance(value, str) and value in suggestions(FeatureOptions, name) else GIVEN


def _facts(given: TrainingInput, fitted: Fitted, folds: int) -> dict[str, Any]:
    """Say for the training record what was trained on."""
    data, unlabelled = given.data, len(given.observed.unlabelled.words)
    return {
        "documents": _counts(data.labels, data.categories),
        "empty_texts": given.empty,
        "by_keywords": given.observed.by_keywords,
        "out_of_distribution": len(given.observed.out_of_distribution[0].words),
        "unlabelled": UnlabelledDocuments(
            given=data.unlabelled_given,
            tried=is_of_use(len(data.labels), len(data.categories), unlabelled),
            used=unlabelled,
            pseudo_labelled=_counts(fitted.pseudo.labels, data.categories),
            novel=len(fitted.pseudo.novel),
        ),
        "background": given.background,
        "folds": folds,
        "kept_together": 0 if given.groups is None else len(np.unique(given.groups)),
    }


def _figures(scored: Scored, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Give accuracy and macro F1 of out-of-fold scores."""
    macro_f1 = float(f1_score(labels, scored.scores.argmax(axis=1), average="macro"))
    return {"accuracy": float(scored.right(labels).mean()), "macro_f1": macro_f1}


def _counts(labels: NDArray[np.int64], categories: Sequence[str]) -> dict[str, int]:
    """Count the documents of each category."""
    return dict(zip(categories, np.bincount(labels, minlength=len(categories)).tolist(), strict=True))
