"""The n-gram vectoriser among scikit-learn's tools."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_param_validation, parametrize_with_checks

from features.tokens import tokenize
from features.vectorizer import NgramVectorizer
from textclf.base.errors import BadDataError

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


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"unit": "page"}, "'unit' parameter of NgramVectorizer must be"),
        ({"shortest": 0}, "'shortest' parameter"),
        ({"longest": 2.0}, "'longest' parameter"),
        ({"min_documents": 0}, "'min_documents' parameter"),
        ({"shortest": 3}, "no n-grams of 3 to 2 words"),
    ],
)
def test_senseless_options_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        NgramVectorizer(**options).fit(TEXTS)


def test_every_parameter_is_checked_as_scikit_learn_does():
    check_param_validation("NgramVectorizer", NgramVectorizer())


@pytest.mark.parametrize("texts", ["text", b"text", None, 3, [1.5], [None], [["a"]], np.array([["a", "b"]]), {"a": 1}])
def test_what_is_no_list_of_texts_is_refused_and_not_read_letter_by_letter(texts):
    fitted = NgramVectorizer(min_documents=1).fit(["one text"])
    for ask in (fitted.fit, fitted.fit_transform, fitted.transform):
        with pytest.raises(BadDataError, match=r"a list of strings is wanted|not a string"):
            ask(texts)


def test_before_fit_nothing_can_be_transformed():
    with pytest.raises(NotFittedError):
        NgramVectorizer().transform(TEXTS)
