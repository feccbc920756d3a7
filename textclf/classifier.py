"""`DocumentClassifier`, the estimator that trains."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from features.columns import FeatureSettings
from features.languages import fit_language_guess
from features.lexicon import Lexicon, read_lexicon
from features.tokens import tokenize
from features.word2vec import read_word_vectors
from features.word_vectors import WordVectors
from textclf import training
from textclf.confidence import check_promise, choose_acceptance, fit_temperature, softmax
from textclf.errors import BadDataError, UsageError
from textclf.familiarity import fit_familiarity
from textclf.folds import group_numbers, stratified_folds
from textclf.model_file import library_versions, save_model
from textclf.prediction import TrainingRecord
from textclf.runtime import Runtime

__all__ = ["DocumentClassifier"]

MAX_VECTOR_SIZE = 1000
FOLDS = 5
MIXED = "{}, groups mixed"
WITH_PARTS, WITHOUT_PARTS = "{}, with parts of the page", "{}, without parts of the page"


class DocumentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify documents by their cleaned text, with calibrated scores.

    Word and character n-grams, keyword indicators and word vectors go into a linear support vector machine. Its
    margins are calibrated on out-of-fold predictions, from which the score to accept is chosen as well.

    Parameters
    ----------
    lexicon : features.lexicon.Lexicon, path or {"auto", "learn", "none"}, default "auto"
        Keywords of each category; see `features.columns.FeatureSettings`. A path is a TOML file.
    vectors : features.word_vectors.WordVectors, path or {"learn", "none"}, default "learn"
        Word vectors. A path is a word2vec file, text or binary.
    vector_size : int, default 50
        Dimensions of learned word vectors.
    poor_copies : bool, default True
        Also train on poor copies of the texts: misread, without line breaks, or the first third only.
    c : float, default 1.0
        Inverse strength of the regularisation.
    max_error : float, default 0.05
        Error among accepted documents that can be borne, above 0 and below 1.
    confidence : float, default 0.9
        How sure it shall be that the error among accepted documents stays under it, above 0 and below 1.
    diagnostics : bool, default False
        Also cross-validate each feature group and the learning curve (about two times the work).
    n_jobs : int, optional
        Processes for the cross-validation, -1 for all cores, None for one. The result does not depend on it.
    random_state : int, default 0
        Seed of folds, word vectors and the support vector machine.

    Attributes
    ----------
    classes_ : ndarray of str, shape (k,)
        The categories, sorted.
    runtime_ : textclf.runtime.Runtime
        The trained model as a model file holds it.
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

    def __init__(
        self,
        *,
        lexicon: Lexicon | str | Path = "auto",
        vectors: WordVectors | str | Path = "learn",
        vector_size: int = 50,
        poor_copies: bool = True,
        c: float = 1.0,
        max_error: float = 0.05,
        confidence: float = 0.9,
        diagnostics: bool = False,
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.lexicon = lexicon
        self.vectors = vectors
        self.vector_size = vector_size
        self.poor_copies = poor_copies
        self.c = c
        self.max_error = max_error
        self.confidence = confidence
        self.diagnostics = diagnostics
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,  # noqa: N803 - scikit-learn's name for it
        y: ArrayLike,
        *,
        document_ids: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        others: ArrayLike = (),
        talk: Callable[[str], None] = lambda message: None,
    ) -> Self:
        """Train on texts of known category.

        Parameters
        ----------
        X : array-like of str, shape (n,)
            Cleaned texts; empty ones are left out and counted.
        y : array-like of str, shape (n,)
            The category of each.
        document_ids : sequence of str, length n, optional
            Names that go into the data hash; positions without them.
        groups : sequence of str, length n, optional
            What each document belongs to, such as its issuer, empty if nothing. Cross-validation keeps the documents of
            a group together, so that scores, threshold and familiarity hold for groups never seen; without it, they
            hold for further documents of the same ones. Views of parts of the page are then kept only if they do better
            on groups not seen.
        others : array-like of str, optional
            Cleaned texts of documents that are of none of the categories; the model learns to turn such away.
        talk : callable, optional
            Is told in one line what is being done.

        Returns
        -------
        DocumentClassifier
            Itself.

        Raises
        ------
        textclf.errors.BadDataError
            One category only; a category with a single document, or none that has text; a value that is no string;
            too few groups.
        """
        texts, truths = _strings(X), _strings(y)
        if len(texts) != len(truths):
            raise BadDataError(f"{len(texts)} texts but {len(truths)} categories", remedy="give one category a text")
        if groups is not None and len(groups) != len(texts):
            raise BadDataError(f"{len(texts)} texts but {len(groups)} groups", remedy="give one group a text")
        self.check_options()
        names = [str(i) for i in range(len(texts))] if document_ids is None else list(document_ids)
        hashed = training.data_hash(names, texts, truths)
        inputs_hash = self.inputs_hash(texts, truths, document_ids=names, groups=groups, others=others)
        kept = [i for i, text in enumerate(texts) if tokenize(text)]
        counts = Counter(truths[i] for i in kept)
        self.warnings_ = training.check_categories(counts)
        if without := sorted(set(truths) - set(counts)):
            raise BadDataError(f"no document of category {without[0]!r} has text", remedy="take the category out")
        if empty := len(texts) - len(kept):
            self.warnings_.append(f"{empty} of {len(texts)} documents have no text and were left out")
        texts = [texts[i] for i in kept]
        categories = sorted(counts)
        labels = np.searchsorted(np.array(categories), np.array([truths[i] for i in kept]))
        settings = self.feature_settings()
        foreign = [text for text in _strings(others) if tokenize(text)]
        together = None
        if groups is not None:
            together, warned = group_numbers([groups[i] for i in kept], labels, categories)
            self.warnings_ += warned
        folds = stratified_folds(labels, FOLDS, self.random_state, together)
        observed = training.observe_training(texts, settings, foreign)

        options: dict[str, Any] = {"c": self.c, "folds": folds, "jobs": self.n_jobs or 1}
        talk(
            f"fitting and cross-validating on {len(texts)} documents of {len(categories)} categories, "
            f"{len(folds)} folds"
        )
        fitted, found = training.fit_and_cross_validate(observed, labels, categories, settings, **options)
        rejected = {}
        if together is not None:
            # what stands where tells the issuer too: only this shows whether it tells the kind of issuers never seen
            talk("cross-validating without parts of the page")
            bare = replace(settings, views=tuple(view for view in settings.views if view.part == "page"))
            seen = training.observe_training(texts, bare, foreign)
            tried = training.cross_validate(seen, labels, categories, bare, **options)
            if tried.accuracy >= found.accuracy:
                rejected[WITH_PARTS], observed, settings, found = found, seen, bare, tried
                fitted = training.fit_model(observed, labels, categories, settings, c=self.c)
            else:
                rejected[WITHOUT_PARTS] = tried
        parts = training.feature_groups(settings)
        *smaller, whole = parts
        results, curve = {whole: found}, [found]
        results |= {name.format(whole): result for name, result in rejected.items()}
        if self.diagnostics:
            for name in smaller:
                talk(f"cross-validating with {name} alone")
                results[name] = training.cross_validate(observed, labels, categories, parts[name], **options)
            if together is not None:
                talk("cross-validating with the groups mixed")
                alone = options | {"folds": stratified_folds(labels, FOLDS, self.random_state)}
                results[MIXED.format(whole)] = training.cross_validate(observed, labels, categories, settings, **alone)
            for share in (0.5, 0.25, 0.125):
                talk(f"cross-validating on {share:.1%} of the training documents")
                curve.append(training.cross_validate(observed, labels, categories, settings, share=share, **options))
        further = [name for name in results if name not in parts]
        margins = found.margins
        inverse_temperature = fit_temperature(margins, labels)
        self.out_of_fold_scores_ = softmax(margins * inverse_temperature)
        right = margins.argmax(axis=1) == labels
        self.runtime_ = Runtime(
            categories=tuple(categories),
            features=fitted.features,
            model=fitted.model,
            inverse_temperature=inverse_temperature,
            familiarity=fit_familiarity(fitted.centroids, margins, found.resemblance),
            languages=fit_language_guess([tokenize(text) for text in texts]),
            training=TrainingRecord(
                documents={category: counts[category] for category in categories},
                empty_texts=empty,
                folds=len(folds),
                kept_together=0 if together is None else len(np.unique(together)),
                groups=training.group_results(
                    {name: results[name] for name in (*smaller, *further, whole) if name in results}
                ),
                curve=training.learning_curve(curve),
                acceptance=choose_acceptance(
                    self.out_of_fold_scores_.max(axis=1), right, self.max_error, self.confidence
                ),
                data_hash=hashed,
                inputs_hash=inputs_hash,
            ),
            settings=self.plain_settings(),
        )
        self.classes_ = np.array(categories)
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
        margins = self.runtime_.margins(_strings(X))
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
        return self.runtime_.scores(self.runtime_.margins(_strings(X)))

    def predict(self, X: ArrayLike) -> NDArray[np.str_]:  # noqa: N803
        """Most likely category of each text.

        Parameters
        ----------
        X : array-like of str, shape (n,)
            Cleaned texts.

        Returns
        -------
        ndarray of str, shape (n,)
        """
        check_is_fitted(self)
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def save(self, path: str | Path) -> None:
        """Write the model file.

        Parameters
        ----------
        path : str or pathlib.Path
            Where to; `textclf.load` reads it.
        """
        check_is_fitted(self)
        save_model(self.runtime_, path)

    def feature_settings(self) -> FeatureSettings:
        """Give the settings of the features; reads the files of lexicon and vectors.

        Returns
        -------
        FeatureSettings
            What `features.columns.fit_features` takes.
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
            poor_copies=self.poor_copies,
            seed=self.random_state,
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
            SHA-256. The number of processes does not matter; versions of the libraries do.
        """
        settings = self.feature_settings()
        lexicon, vectors = settings.lexicon, settings.vectors
        content = {
            "documents": training.data_hash(document_ids, texts, categories),
            "groups": None if groups is None else list(groups),
            "others": training.data_hash(_strings(others)),
            "options": self.plain_settings() | {"max_error": self.max_error, "confidence": self.confidence},
            "diagnostics": self.diagnostics,
            "lexicon": lexicon.to_dict() if isinstance(lexicon, Lexicon) else lexicon,
            "vectors": vectors.digest() if isinstance(vectors, WordVectors) else vectors,
            "versions": library_versions(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def check_options(self) -> None:
        """Refuse options that make no sense, with `textclf.errors.UsageError`."""
        check_promise(self.max_error, self.confidence)
        for name, value, fine, remedy in (
            ("vector_size", self.vector_size, 1 <= self.vector_size <= MAX_VECTOR_SIZE, f"give 1 to {MAX_VECTOR_SIZE}"),
            ("c", self.c, self.c > 0, "give a number above 0"),
            ("random_state", self.random_state, 0 <= self.random_state < 2**32, "give 0 to 4294967295"),
        ):
            if not fine:
                raise UsageError(f"{name} is {value}", remedy=remedy)

    def plain_settings(self) -> dict[str, str | int | float | None]:
        """Give the settings as a model file shows them: no path of this machine, nothing that changes no byte."""
        return {
            "lexicon": _word_or_given(self.lexicon, "auto", "learn", "none"),
            "vectors": _word_or_given(self.vectors, "learn", "none"),
            "vector_size": self.vector_size,
            "poor_copies": self.poor_copies,
            "c": self.c,
            "random_state": self.random_state,
        }


def _strings(values: ArrayLike) -> list[str]:
    array = np.asarray(values, dtype=object).ravel()
    # a missing value of a table would otherwise be learned as the word "nan"
    for i, value in enumerate(array):
        if not isinstance(value, str):
            raise BadDataError(
                f"value {i} is {value!r:.40}, not a string", remedy="give strings, empty where there is none"
            )
    return [str(value) for value in array]


def _word_or_given(value: object, *words: str) -> str:
    return value if isinstance(value, str) and value in words else "given"
