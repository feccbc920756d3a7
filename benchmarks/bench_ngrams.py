"""The n-gram vectoriser compared with scikit-learn's TfidfVectorizer: speed, accuracy, and the cost of hashing.

All make TF-IDF rows for the same linear SVM, in five folds of the Tobacco-3482 pages, from n-grams of at least two
documents. "The same n-grams, exact" are those of textclf as strings, numbered without hashing; scikit-learn's own are
its nearest settings. Texts and folds are the same for all; seconds are CPU seconds.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from statistics import mean, median
from typing import Any, Literal

import numpy as np
from common import Row, finish, options, tobacco
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from features.ngrams import BUCKET_BITS, NgramView, find_ngrams
from features.tokens import fold
from features.vectorizer import NgramVectorizer

UNITS: tuple[tuple[Literal["word", "character"], int, int, str], ...] = (
    ("word", 1, 2, "word"),
    ("character", 2, 5, "char_wb"),
)


def main() -> None:
    parser = options("ngrams", __doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs to take the median of (default %(default)s)")
    arguments = parser.parse_args()
    texts, categories = tobacco(quick=arguments.quick)
    speed: list[Row] = []
    collisions: list[Row] = []
    for unit, shortest, longest, analyzer in UNITS:
        view = NgramView(name="ngrams", unit=unit, shortest=shortest, longest=longest)
        exact = partial(ngrams_as_strings, view=view)
        makers: dict[str, Callable[[], Any]] = {
            "NgramVectorizer": partial(NgramVectorizer, unit, shortest, longest),
            "the same n-grams, exact": partial(TfidfVectorizer, analyzer=exact, min_df=2, sublinear_tf=True),
            "TfidfVectorizer": partial(
                TfidfVectorizer, analyzer=analyzer, ngram_range=(shortest, longest), min_df=2, sublinear_tf=True
            ),
        }
        for name, make in makers.items():
            print(f"{name}, {unit}s", file=sys.stderr)
            vectorizer = make().fit(texts)
            times = [cpu_seconds(partial(vectorizer.transform, texts)) for _ in range(arguments.repeats)]
            speed.append(
                {
                    "n-grams": f"{unit} {shortest}-{longest}",
                    "vectoriser": name,
                    # strings are made in pure Python, for the accuracy only
                    "documents/s": None if "exact" in name else len(texts) / median(times),
                    "accuracy": accuracy(make, texts, categories),
                }
            )
        collisions.append(shared_buckets(texts, view))
    finish(
        arguments,
        {
            f"{len(texts)} documents, five folds": speed,
            f"N-grams that share one of 2^{BUCKET_BITS} buckets with another": collisions,
        },
    )


def ngrams_as_strings(text: str, view: NgramView) -> list[str]:
    return [ngram for ngram, _ in placed_ngrams(text, view)]


def placed_ngrams(text: str, view: NgramView) -> list[tuple[str, int]]:
    """Return each n-gram of a text as a string, with its bucket."""
    found, folded = find_ngrams(text, view), fold(text)
    places = found.places.tolist()
    # whitespace is one space, or one line break if it contains one, and at both ends of a text
    letters = [
        folded[place] if place >= 0 else blank(text, places[max(i - 1, 0)], places[i + 1 : i + 2])
        for i, place in enumerate(places)
    ]
    ngrams = []
    for first, last, bucket in zip(found.first.tolist(), found.last.tolist(), found.buckets.tolist(), strict=True):
        ngram = "".join(letters[first:last])
        # characters between words do not count
        ngrams.append((" ".join(re.findall(r"[^\W_]+", ngram)) if view.unit == "word" else ngram, bucket))
    return ngrams


def blank(text: str, before: int, after: list[int]) -> str:
    return " " if before >= 0 and after and "\n" not in text[before : after[0]] else "\n"


def accuracy(make: Callable[[], Any], texts: list[str], categories: list[str]) -> float:
    labels, pages = np.array(categories), np.array(texts, dtype=object)
    scores = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(pages, labels):
        vectorizer = make()
        svm = LinearSVC(random_state=0).fit(vectorizer.fit_transform(pages[train]), labels[train])
        scores.append(float((svm.predict(vectorizer.transform(pages[test])) == labels[test]).mean()))
    return mean(scores)


def shared_buckets(texts: list[str], view: NgramView) -> Row:
    buckets: dict[str, int] = {}
    documents: Counter[str] = Counter()
    for text in texts:
        placed = dict(placed_ngrams(text, view))
        buckets |= placed
        documents.update(placed.keys())
    row: dict[str, object] = {"n-grams": f"{view.unit} {view.shortest}-{view.longest}"}
    for name, least in (("all", 1), ("kept", 2)):
        own = [bucket for ngram, bucket in buckets.items() if documents[ngram] >= least]
        of_bucket = Counter(own)
        row[f"different, {name}"] = len(own)
        row[f"sharing, {name}"] = sum(of_bucket[bucket] > 1 for bucket in own) / len(own)
    return row


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
