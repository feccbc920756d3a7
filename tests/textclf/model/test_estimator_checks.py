"""scikit-learn's own checks of estimators, as far as they can be run on estimators of texts.

They feed tables of numbers. Of an estimator whose tags say that it takes texts scikit-learn checks next to nothing, so
each row is written as a text here, a word a column: then the checks hold for what stands behind.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from features.vectorizer import NgramVectorizer
from textclf import DocumentClassifier


def as_texts(rows: np.ndarray) -> list[str]:
    """Write each number, cut to a whole one, as a word that also tells its column."""
    whole = np.clip(np.floor(rows), -50, 50).astype(int) + 50
    return [" ".join(f"c{column}x{value}" for column, value in enumerate(row)) + " row" for row in whole]


class OfTables:
    """An estimator of texts, for the tables of numbers that the checks feed."""

    def fit(self, X, y=None, **more):
        if self.__sklearn_tags__().target_tags.required:
            X, y = validate_data(self, X, y)
        else:
            X = validate_data(self, X)
        return super().fit(as_texts(X), y, **more)

    def _texts(self, X):
        check_is_fitted(self)
        return as_texts(validate_data(self, X, reset=False))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = False, True
        return tags


class ClassifierOfTables(OfTables, DocumentClassifier):
    def __init__(self, *, lexicon="none", vectors="none", augment=False, C=1.0, random_state=0):
        super().__init__(
            lexicon=lexicon, vectors=vectors, augment=augment, background=False, C=C, random_state=random_state
        )

    _parameter_constraints: ClassVar = {
        name: DocumentClassifier._parameter_constraints[name]
        for name in ("lexicon", "vectors", "augment", "C", "random_state")
    }

    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y, sample_weight=sample_weight)

    def predict_proba(self, X):
        return super().predict_proba(self._texts(X))

    def predict_log_proba(self, X):
        return super().predict_log_proba(self._texts(X))

    def decision_function(self, X):
        return super().decision_function(self._texts(X))


class VectorizerOfTables(OfTables, NgramVectorizer):
    def __init__(self, unit="word", shortest=1, longest=2, min_documents=1):
        super().__init__(unit=unit, shortest=shortest, longest=longest, min_documents=min_documents)

    def fit_transform(self, X, y=None):
        return super().fit_transform(as_texts(validate_data(self, X)), y)

    def transform(self, X):
        return super().transform(self._texts(X))


EXCEPTED = {
    ClassifierOfTables: {
        "check_sample_weight_equivalence_on_dense_data": (
            "one document of a category is too few whatever its weight, and cross-validation keeps it in one fold, "
            "where one that is there twice may be in two"
        ),
    },
    VectorizerOfTables: {},
}


@parametrize_with_checks(
    [ClassifierOfTables(), VectorizerOfTables()], expected_failed_checks=lambda estimator: EXCEPTED[type(estimator)]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_checks(estimator, check):
    check(estimator)
