"""Accuracy on real scanned business pages (Tobacco-3482, texts by OCR), beside four other classifiers.

Five folds, the same for all: scikit-learn's ``StratifiedKFold(5, shuffle=True, random_state=0)`` in file order. All
that learns is fitted on four of them and scored on the fifth; the score to accept is chosen within the four as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from common import finish, options, tobacco
from numpy.typing import NDArray
from peers import PEERS, peer
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from textclf import DocumentClassifier
from textclf.confidence import choose_acceptance, fit_temperature, softmax
from textclf.training import cross_validate, feature_groups

JOBS = 2
MAX_ERROR = 0.05
SVM = "word + character SVM"
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)

Scores = NDArray[np.float64]


class Documents(NamedTuple):
    """Texts with their categories, as names and as numbers."""

    texts: list[str]
    truth: NDArray[np.str_]
    categories: list[str]
    labels: NDArray[np.int64]

    def subset(self, chosen: NDArray[np.int64]) -> Documents:
        """Take some of them."""
        return Documents([self.texts[i] for i in chosen], self.truth[chosen], self.categories, self.labels[chosen])


class HeldOut(NamedTuple):
    """Calibrated scores of unseen documents, shape (n, k), and which of them were accepted."""

    scores: Scores
    accepted: NDArray[np.bool_]


def main() -> None:
    arguments = options("accuracy", __doc__).parse_args()
    texts, names = tobacco(quick=arguments.quick)
    categories, labels = np.unique(names, return_inverse=True)
    documents = Documents(texts, np.array(names), categories.tolist(), labels.astype(np.int64))
    rows, confidence = [], []
    for name in PEERS:
        if name != SVM:
            predicted = cross_val_predict(peer(name), documents.texts, documents.truth, cv=FOLDS, n_jobs=JOBS)
            rows.append(figures(name, documents, np.searchsorted(categories, predicted)))
    for name, predict in ((SVM, calibrated_svm), ("textclf", ours)):
        held_out = in_folds(name, documents, predict)
        rows.append(figures(name, documents, held_out.scores.argmax(axis=1)))
        confidence.append(confidence_figures(name, documents, held_out))
    rows += by_feature_group(documents)
    finish(
        arguments,
        {
            f"Tobacco-3482, {len(texts)} documents, {len(categories)} categories, 5-fold": rows,
            f"The same folds: how far scores can be trusted (errors to bear: {MAX_ERROR:.0%})": confidence,
        },
    )


def in_folds(name: str, documents: Documents, predict: Callable[[Documents, list[str]], HeldOut]) -> HeldOut:
    """Score each fold by what was fitted on the other four."""
    held_out = HeldOut(
        np.empty((len(documents.texts), len(documents.categories))), np.empty(len(documents.texts), bool)
    )
    for number, (train, test) in enumerate(FOLDS.split(documents.texts, documents.truth), 1):
        print(f"{name}: fold {number} of 5", file=sys.stderr)
        held_out.scores[test], held_out.accepted[test] = predict(documents.subset(train), documents.subset(test).texts)
    return held_out


def ours(train: Documents, unseen: list[str]) -> HeldOut:
    classifier = DocumentClassifier(max_error=MAX_ERROR, n_jobs=JOBS).fit(train.texts, train.truth)
    accepted = [prediction.decision == "accept" for prediction in classifier.runtime_.predict(unseen)]
    return HeldOut(classifier.predict_proba(unseen), np.array(accepted))


def calibrated_svm(train: Documents, unseen: list[str]) -> HeldOut:
    """Calibrate the peer as ours is: temperature and threshold from folds within the training documents."""
    margins = cross_val_predict(peer(SVM), train.texts, train.labels, cv=FOLDS, method="decision_function", n_jobs=JOBS)
    temperature = fit_temperature(margins, train.labels)
    out_of_fold = softmax(margins * temperature)
    acceptance = choose_acceptance(out_of_fold.max(axis=1), out_of_fold.argmax(axis=1) == train.labels, MAX_ERROR)
    scores = softmax(peer(SVM).fit(train.texts, train.labels).decision_function(unseen) * temperature)
    return HeldOut(scores, scores.max(axis=1) >= acceptance.threshold)


def by_feature_group(documents: Documents) -> list[dict[str, object]]:
    """Cross-validate parts of our features; `cross_validate` makes the very same folds."""
    settings = DocumentClassifier().feature_settings()
    groups = feature_groups(settings) | feature_groups(replace(settings, lexicon="none"))
    del groups["text + keywords + vectors"]
    rows = []
    for name, chosen in groups.items():
        print(f"textclf, {name}", file=sys.stderr)
        result = cross_validate(
            documents.texts, documents.labels, documents.categories, chosen, c=1.0, folds=5, jobs=JOBS
        )
        rows.append(figures(f"textclf, {name}", documents, result.margins.argmax(axis=1)))
    return rows


def figures(name: str, documents: Documents, predicted: NDArray[np.int64]) -> dict[str, object]:
    return {
        "classifier": name,
        "accuracy": float(accuracy_score(documents.labels, predicted)),
        "macro F1": float(f1_score(documents.labels, predicted, average="macro", zero_division=0)),
    }


def confidence_figures(name: str, documents: Documents, held_out: HeldOut) -> dict[str, object]:
    wrong = held_out.scores.argmax(axis=1) != documents.labels
    return {
        "classifier": name,
        "log loss": float(log_loss(documents.labels, held_out.scores)),
        "accepted": float(held_out.accepted.mean()),
        "errors among accepted": float(wrong[held_out.accepted].mean()) if held_out.accepted.any() else None,
    }


if __name__ == "__main__":
    main()
