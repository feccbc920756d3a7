"""How training and prediction grow with the documents, and with the categories.

Documents: half of Tobacco-3482, and twice, four and eight times as many with misread copies of it, each with different
errors, so that no text is repeated. Categories: all of Tobacco-3482 with its ten categories, and with each of them
divided into ten in the alphabetical order of its texts, so that pages with the same heading stay together. Training
consists of tokenising the texts and one fit; cross-validation adds five fits, on four fifths of the documents.
Prediction is of training documents. Seconds are CPU seconds, on one core.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from common import Row, corrupted, finish, options, tobacco
from numpy.typing import NDArray

from features.feature_set import fit_features
from features.tokens import tokenize
from textclf import DocumentClassifier
from textclf.model.fit import fit_model
from textclf.model.training_texts import observe_training

TIMES = (1, 2, 4, 8)
RATE = 0.01
"""Of misread characters: so much more for each set of copies."""
PARTS = 10
"""That a category is cut into."""
PREDICTED = 250
"""Documents."""

Result = TypeVar("Result")


def main() -> None:
    arguments = options("growth", __doc__).parse_args()
    pairs = [pair for pair in zip(*tobacco(quick=arguments.quick), strict=True) if tokenize(pair[0])]
    texts, categories = map(list, zip(*pairs, strict=True))
    half = texts[::2]
    copies = [corrupted(half, RATE * number) for number in range(max(TIMES))]
    # triggers the imports that happen at first use
    measure(half[::5], categories[::10])
    of_documents = [
        measure([text for copy in copies[:times] for text in copy], categories[::2] * times) for times in TIMES
    ]
    parts = 2 if arguments.quick else PARTS
    of_categories = [measure(texts, categories), measure(texts, cut(texts, categories, parts))]
    finish(
        arguments,
        {
            f"By {title}, seconds on one core": [{**row, **ratios(row, rows[0])} for row in rows]
            for title, rows in (("documents", of_documents), ("categories", of_categories))
        },
    )


def cut(texts: Sequence[str], categories: Sequence[str], parts: int) -> list[str]:
    """Divide each category into several, in the alphabetical order of its texts."""
    sizes, seen = Counter(categories), Counter[str]()
    names = [""] * len(texts)
    for i in sorted(range(len(texts)), key=lambda i: texts[i]):
        category = categories[i]
        names[i] = f"{category} {seen[category] * parts // sizes[category]}"
        seen[category] += 1
    return names


def measure(texts: list[str], categories: list[str]) -> dict[str, float]:
    names, numbers = np.unique(categories, return_inverse=True)
    labels: NDArray[np.int64] = numbers.astype(np.int64)
    print(f"{len(texts)} documents of {len(names)} categories", file=sys.stderr)
    classifier = DocumentClassifier()
    settings = classifier.feature_settings()
    observed, looking = timed(lambda: observe_training(texts, labels, names.tolist(), settings))
    _, features = timed(lambda: fit_features(observed.documents, categories, settings))
    fitted, whole = timed(lambda: fit_model(observed, settings, c=classifier.C))
    some = texts[:PREDICTED]
    _, predicting = timed(lambda: fitted.linear.margins(fitted.features.rows(some)))
    return {
        "documents": len(texts),
        "categories": len(names),
        "training": looking + whole,
        "tokenising": looking,
        "features": features,
        "weights": whole - features,
        "prediction, ms each": 1000 * predicting / len(some),
    }


def ratios(row: Row, first: Row) -> dict[str, float]:
    return {f"{name} ×": float(str(row[name])) / float(str(first[name])) for name in ("documents", "training")}


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


if __name__ == "__main__":
    main()
