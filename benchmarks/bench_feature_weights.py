"""The weights of keyword indicators and word vectors relative to the n-grams: cross-validated accuracy.

Figures for the constants ``LEARNED_KEYWORD_WEIGHT`` and ``VECTOR_WEIGHT`` of `textclf.model.fit`, on pages, articles
and sentences. The folds differ from those of ``bench_accuracy.py``.
"""

from __future__ import annotations

import sys
import warnings
from collections import defaultdict
from typing import Any

import numpy as np
from common import finish, options, shared
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from features.feature_set import FeatureRows, FeatureSet, FeatureSettings, fit_features, observe
from textclf.base.tables import read_rows
from textclf.model.linear import TOLERANCE

DATASETS = ("tobacco3482-ocr", "bbc-news", "sib200-it")
WEIGHTS = (
    (0.0, 0.0),
    (0.1, 0.0),
    (0.2, 0.0),
    (0.4, 0.0),
    (0.0, 0.3),
    (0.0, 0.6),
    (0.1, 0.3),
    (0.2, 0.3),
    (0.2, 0.6),
    (0.4, 0.3),
)


def main() -> None:
    arguments = options("feature_weights", __doc__).parse_args()
    accuracy: dict[tuple[float, float], dict[str, float]] = defaultdict(dict)
    for name in DATASETS:
        path = shared("datasets", name, "documents.csv")
        rows = [row.values for row in read_rows(path, required=["text", "category"])][:: 5 if arguments.quick else 1]
        right = right_by_weight(name, [row["text"] for row in rows], np.array([row["category"] for row in rows]))
        for weights, count in right.items():
            accuracy[weights][name] = count / len(rows)
    finish(
        arguments,
        {
            "Accuracy, 5-fold": [
                {"indicators": indicators, "vectors": vectors, **accuracy[indicators, vectors]}
                for indicators, vectors in WEIGHTS
            ]
        },
    )


def right_by_weight(name: str, texts: list[str], truth: NDArray[np.str_]) -> dict[tuple[float, float], int]:
    """Count the documents predicted right with each pair of weights; features are fitted once per fold."""
    right = dict.fromkeys(WEIGHTS, 0)
    settings = FeatureSettings()
    observed = observe(texts, settings.views, layout=settings.layout)
    for number, (train, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=1).split(texts, truth), 1):
        print(f"{name}: fold {number} of 5", file=sys.stderr)
        seen = observed.take(train)
        features, known = fit_features(seen, truth[train].tolist(), settings)
        unseen = features.rows_of(observed.take(test))
        for weights in WEIGHTS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                svm = LinearSVC(tol=TOLERANCE, class_weight="balanced", random_state=0)
                svm.fit(matrix(features, known, *weights), truth[train])
            predicted = svm.predict(matrix(features, unseen, *weights))
            right[weights] += int((predicted == truth[test]).sum())
    return right


def matrix(features: FeatureSet, rows: FeatureRows, indicators: float, vectors: float) -> Any:
    """Put all feature groups side by side, as training does; without augmented copies, to save time."""
    ngrams, width = rows.ngrams, features.ngrams.starts[-1]
    blocks = [sparse.csr_array((ngrams.values, ngrams.indices, ngrams.starts), shape=(len(rows.indicators), width))]
    blocks += [sparse.csr_array(rows.layout)]
    blocks += [sparse.csr_array(rows.indicators * np.float32(indicators)), sparse.csr_array(rows.vectors * vectors)]
    whole = sparse.hstack(blocks, format="csr")
    # liblinear counts with 32 bits
    whole.indices, whole.indptr = whole.indices.astype(np.int32), whole.indptr.astype(np.int32)
    return whole


if __name__ == "__main__":
    main()
