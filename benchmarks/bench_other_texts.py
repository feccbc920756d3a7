"""Accuracy on texts that are not scanned pages, with their official split: medical abstracts, and short sentences.

Ohsumed with 23 categories (abstracts; first category only), and SIB-200 in Italian and English (single sentences of
seven topics), trained on train and dev. Texts without lines leave most views empty.
"""

from __future__ import annotations

import sys

import numpy as np
from common import dataset, finish, fitted_scores, options
from peers import peer
from sklearn.metrics import accuracy_score, f1_score

SETS = ("ohsumed23", "sib200-it", "sib200-en")
CLASSIFIERS = ("TF-IDF + logistic regression", "word + character SVM", "textclf")


def main() -> None:
    arguments = options("other_texts", __doc__).parse_args()
    rows: list[dict[str, object]] = []
    for name in SETS:
        documents = dataset(name, quick=arguments.quick)
        categories = sorted({row["category"] for row in documents})
        train = [row for row in documents if row["split"] != "test"]
        test = [row for row in documents if row["split"] == "test"]
        known, unseen = [row["text"] for row in train], [row["text"] for row in test]
        labels = np.searchsorted(categories, [row["category"] for row in train])
        truth = np.searchsorted(categories, [row["category"] for row in test])
        for classifier in CLASSIFIERS:
            print(f"{name}: {classifier}", file=sys.stderr)
            if classifier == "textclf":
                predicted = fitted_scores(known, labels, categories, unseen).argmax(axis=1)
            else:
                predicted = peer(classifier).fit(known, labels).predict(unseen)
            rows.append(
                {
                    "texts": f"{name}, {len(train):,} to train, {len(test):,} to test",
                    "classifier": classifier,
                    "accuracy": float(accuracy_score(truth, predicted)),
                    "macro F1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
                }
            )
    finish(arguments, {"Official splits": rows})


if __name__ == "__main__":
    main()
