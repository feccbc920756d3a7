"""The classifiers that textclf is compared with: scikit-learn pipelines from texts to categories."""

from __future__ import annotations

import re
from typing import Any

from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

PEERS = ("majority", "paperless-ngx", "TF-IDF + logistic regression", "word + character SVM")


def peer(name: str) -> Any:
    """Return an unfitted peer.

    paperless-ngx: features and classifier of ``src/documents/classifier.py`` in
    https://github.com/paperless-ngx/paperless-ngx with its preprocessing, except the stemming with NLTK,
    which it does for the languages that it supports if NLTK's data are installed; the seed is our own.
    """
    match name:
        case "majority":
            return DummyClassifier()
        case "paperless-ngx":
            counts = CountVectorizer(preprocessor=_paperless_text, analyzer="word", ngram_range=(1, 2), min_df=0.01)
            return make_pipeline(counts, MLPClassifier(tol=0.01, random_state=0))
        case "TF-IDF + logistic regression":
            return make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10, max_iter=1000))
        case "word + character SVM":
            words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
            characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True)
            return make_pipeline(make_union(words, characters), LinearSVC(random_state=0))
        case _:
            raise ValueError(name)


def _paperless_text(text: str) -> str:
    return re.sub(r"[^\w\s]", " ", re.sub(r"\s+", " ", text.lower().strip()))
