from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from features.augmentation import augmented_copies
from features.feature_set import FeatureSettings, observe
from features.keyword_check import check_keywords
from features.keyword_learning import adapt_lexicon, learn_lexicon, suggest_keywords
from features.keyword_matcher import KeywordMatcher
from features.language_detection import LanguageDetector, fit_language_detector
from features.lexicon import Lexicon
from features.prepared import PreparedFeatures
from features.text_arguments import as_texts, iter_texts
from features.word_vectors import WordVectors, train_word_vectors
from textclf.base.errors import BadDataError
from textclf.checks.keyword_gain import keyword_gain
from textclf.checks.near_duplicates import near_duplicates, same_texts
from textclf.checks.tuning import tune
from textclf.evaluation.label_issues import out_of_fold_scores
from textclf.model.training_texts import observe_training

WORDS = ["total due", "dear aunt"]
NOT_TEXTS = [
    "total due",
    b"total due",
    bytearray(b"due"),
    np.str_("due"),
    None,
    7,
    {"a": "total due"},
    {"total due"},
    pd.DataFrame({"text": WORDS}),
    pd.DataFrame({"text": WORDS, "more": WORDS}),
    np.array([WORDS, WORDS]),
    np.array(WORDS, dtype=object).reshape(-1, 1),
    np.array("total due"),
    sparse.csr_array(np.eye(2)),
]
NOT_TEXT = [None, float("nan"), 7, 1.5, b"due", ["due"], pd.NA, np.datetime64("2026-01-01"), True]
NO_LEXICON = Lexicon(categories=())
VECTORS = WordVectors.from_words(("total", "t"), np.eye(2, dtype=np.float32))


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        iter,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        pd.Series,
        lambda texts: pd.Series(texts, dtype="string", index=[9, 9]),
        lambda texts: pd.Series(texts, dtype="category"),
        pd.Index,
        lambda texts: (text for text in texts),
    ],
)
def test_every_list_of_strings_is_taken_in_its_order_and_as_plain_strings(kind):
    found = as_texts(kind(WORDS))
    assert found == WORDS
    assert {type(text) for text in found} == {str}


@pytest.mark.parametrize("values", NOT_TEXTS, ids=lambda values: type(values).__name__)
def test_what_is_no_list_is_refused_at_once(values):
    with pytest.raises(BadDataError, match="where a list of strings is wanted") as caught:
        iter_texts(values)
    assert isinstance(caught.value, ValueError)
    assert caught.value.remedy


@pytest.mark.parametrize("value", NOT_TEXT, ids=repr)
def test_a_value_that_is_no_string_is_named_with_its_place(value):
    values = np.empty(3, dtype=object)
    values[:] = "fine"
    values[2] = value
    with pytest.raises(BadDataError, match=r"text 2 is .*not a string"):
        as_texts(values)
    with pytest.raises(BadDataError, match=r"text 2 is .*not a string"):
        as_texts(["fine", "fine", value])


def test_a_masked_text_is_missing():
    with pytest.raises(BadDataError, match="text 1 is"):
        as_texts(np.ma.array(np.array(WORDS, dtype=object), mask=[False, True]))


def test_numbers_are_refused_however_they_come():
    for numbers in ([1, 2], np.arange(2), pd.Series([0.5, 1.5])):
        with pytest.raises(BadDataError, match="text 0 is"):
            as_texts(numbers)


@pytest.mark.parametrize(
    "take",
    [
        lambda texts: observe(texts, FeatureSettings().views, layout=True),
        lambda texts: PreparedFeatures.fit(texts, ["a", "b"], FeatureSettings(lexicon="none", vectors="none")),
        lambda texts: augmented_copies(texts, 0),
        same_texts,
        lambda texts: near_duplicates(texts, 0.5),
        lambda texts: keyword_gain(NO_LEXICON, texts, ["a", "b"]),
        lambda texts: out_of_fold_scores(texts, np.array([0, 1]), ["a", "b"]),
        lambda texts: observe_training(texts, np.zeros(1, np.int64), ["a"], FeatureSettings()),
        lambda texts: tune(texts, ["a", "b"]),
    ],
)
@pytest.mark.parametrize("texts", ["du", b"du", [1, 2], pd.DataFrame({"text": WORDS, "more": WORDS})], ids=str)
def test_whoever_takes_texts_refuses_what_are_none(take, texts):
    with pytest.raises(BadDataError, match=r"list of strings|not a string"):
        take(texts)


def test_each_text_has_one_category():
    plain = FeatureSettings(lexicon="none", vectors="none")
    with pytest.raises(BadDataError, match="2 texts but 3 categories"):
        PreparedFeatures.fit(WORDS, ["a", "b", "c"], plain)
    with pytest.raises(BadDataError, match="one str was given"):
        PreparedFeatures.fit(WORDS, "ab", plain)


@pytest.mark.parametrize(
    "take",
    [
        train_word_vectors,
        VECTORS.transform,
        VECTORS.fit_document_weights,
        KeywordMatcher(NO_LEXICON).find_all,
        lambda documents: [KeywordMatcher(NO_LEXICON).find(document) for document in documents],
        fit_language_detector,
        lambda documents: learn_lexicon(documents, ["a", "b"]),
        lambda documents: adapt_lexicon(NO_LEXICON, documents, ["a", "b"]),
        lambda documents: suggest_keywords(documents, ["a", "b"]),
        lambda documents: check_keywords(NO_LEXICON, documents, ["a", "b"]),
        lambda documents: [LanguageDetector(stop_words={}, known=()).foreign(document) for document in documents],
    ],
)
def test_a_text_is_not_taken_for_its_letters_where_words_are_wanted(take):
    take([["total", "due"], ["dear", "aunt"]])
    for texts in (WORDS, "total due"):
        with pytest.raises(BadDataError, match="one str was given where a list of words is wanted"):
            take(texts)
