"""Accuracy with 20, 10 and 5 training documents per category of Tobacco-3482.

Five draws; the rest of the documents is the test set. Means over the draws.
"""

from __future__ import annotations

import sys

import numpy as np
from common import finish, fitted_scores, options, tobacco
from numpy.typing import NDArray
from peers import peer
from sklearn.metrics import accuracy_score, f1_score

SVM = "word + character SVM"
SIZES = (20, 10, 5)
DRAWS = 5


def main() -> None:
    arguments = options("small_data", __doc__).parse_args()
    texts, names = tobacco(quick=False)
    categories, numbers = np.unique(names, return_inverse=True)
    labels = numbers.astype(np.int64)
    draws = 1 if arguments.quick else DRAWS
    rows = []
    for size in SIZES:
        found: dict[str, list[tuple[float, float]]] = {SVM: [], "textclf": []}
        for seed in range(draws):
            print(f"{size} documents per category, draw {seed + 1} of {draws}", file=sys.stderr)
            train, test = drawn(labels, size, seed)
            known, unseen = [texts[i] for i in train], [texts[i] for i in test]
            predicted = {
                SVM: peer(SVM).fit(known, labels[train]).predict(unseen),
                "textclf": fitted_scores(known, labels[train], categories.tolist(), unseen).argmax(axis=1),
            }
            for name, guess in predicted.items():
                found[name].append(
                    (float(accuracy_score(labels[test], guess)), float(f1_score(labels[test], guess, average="macro")))
                )
        for name, figures in found.items():
            accuracy, macro_f1 = np.mean(figures, axis=0).tolist()
            rows.append(
                {"documents per category": size, "classifier": name, "accuracy": accuracy, "macro F1": macro_f1}
            )
    finish(arguments, {f"Tobacco-3482, {draws} draws, rest as test set": rows})


def drawn(labels: NDArray[np.int64], size: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    draw = np.random.default_rng(seed)
    train = np.sort(
        np.concatenate([draw.permutation(np.flatnonzero(labels == label))[:size] for label in np.unique(labels)])
    )
    return train, np.setdiff1d(np.arange(len(labels)), train)


if __name__ == "__main__":
    main()
