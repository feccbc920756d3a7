"""The n-gram vectoriser among scikit-learn's tools."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from features.tokens import tokenize
from features.vectorizer import NgramVectorizer

TEXTS = ["Total due 12,50 incl. VAT", "Dear Sir, thank you", "total VAT due", "", "Dear Madam, thank you again"] * 20
KINDS = [0, 1, 0, 1, 1] * 20


with warnings.catch_warnings():
    # of estimators of texts scikit-learn checks the interface only, and says so
    warnings.simplefilter("ignore", SkipTestWarning)
    checks = parametrize_with_checks([NgramVectorizer()])


@checks
def test_what_scikit_learn_expects_of_a_text_vectorizer(estimator, check):
    check(estimator)


def test_rows_are_those_of_exact_n_grams():
    ours = NgramVectorizer().fit_transform(TEXTS)
    exact = TfidfVectorizer(tokenizer=tokenize, token_pattern=None, ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    theirs = exact.fit_transform(TEXTS)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose((ours @ ours.T).toarray(), (theirs @ theirs.T).toarray(), atol=1e-5)


def test_it_works_in_a_pipeline_and_a_search():
    pipeline = make_pipeline(NgramVectorizer(), LinearSVC())
    search = GridSearchCV(pipeline, {"ngramvectorizer__unit": ["word", "character"]}, cv=2).fit(TEXTS, KINDS)
    assert search.predict(["thank you, Sir", "VAT due"]).tolist() == [1, 0]
    assert clone(search.best_estimator_).get_params()["ngramvectorizer"].get_params()["longest"] == 2


def test_fit_and_transform_are_fit_transform():
    once = NgramVectorizer(unit="character", shortest=2, longest=4)
    twice = NgramVectorizer(unit="character", shortest=2, longest=4).fit(iter(TEXTS))
    assert (once.fit_transform(TEXTS) != twice.transform(iter(TEXTS))).nnz == 0
    assert twice.transform([]).shape == (0, twice.columns_.starts[-1])


@pytest.mark.parametrize("options", [{"unit": "page"}, {"shortest": 0}, {"shortest": 3}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match="no n-grams"):
        NgramVectorizer(**options).fit(TEXTS)
    with pytest.raises(ValueError, match="one string"):
        NgramVectorizer().fit("text")
