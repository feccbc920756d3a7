"""Accuracy on real scanned business pages (Tobacco-3482, texts by OCR), compared with four other classifiers.

Five folds, the same for all: scikit-learn's ``StratifiedKFold(5, shuffle=True, random_state=0)`` in file order. Every
classifier is fitted on four of them and scored on the fifth; the acceptance threshold is chosen within the four as
well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from common import corrupted, dataset, finish, options
from numpy.typing import NDArray
from peers import PEERS, peer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from textclf import DocumentClassifier
from textclf.base.executor import open_executor
from textclf.evaluation.reliability import debiased_ece, ece_interval, losses, risk_coverage
from textclf.model.accept import acceptance_curve
from textclf.model.calibrate import fit_temperature, softmax
from textclf.model.fit import cross_validate, feature_groups
from textclf.model.folds import stratified_folds
from textclf.model.training_texts import observe_training

JOBS = 2
MAX_ERROR, CONFIDENCE = 0.05, 0.9
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
        """Return the documents at some positions."""
        return Documents([self.texts[i] for i in chosen], self.truth[chosen], self.categories, self.labels[chosen])


class HeldOut(NamedTuple):
    """Calibrated scores of unseen documents, shape (n, k), and which of them were accepted."""

    scores: Scores
    accepted: NDArray[np.bool_]


Predict = Callable[[Sequence[str]], HeldOut]
"""Predicts texts by what was fitted on the other folds."""


def main() -> None:
    arguments = options("accuracy", __doc__).parse_args()
    rows = dataset("tobacco3482-ocr", quick=arguments.quick)
    texts, truth = [row["text"] for row in rows], np.array([row["category"] for row in rows])
    flagged = np.array([row["mislabelled"] == "1" for row in rows])
    categories, labels = np.unique(truth, return_inverse=True)
    documents = Documents(texts, truth, categories.tolist(), labels.astype(np.int64))
    copies = {
        "clean": texts,
        "corrupted at .1": corrupted(texts, 0.1),
        "corrupted at .2": corrupted(texts, 0.2),
        "without line breaks": [" ".join(text.split()) for text in texts],
    }
    accuracy, trust, accepted, robust = [], [], [], []
    for name in PEERS:
        if name != SVM:
            predicted = cross_val_predict(peer(name), documents.texts, documents.truth, cv=FOLDS, n_jobs=JOBS)
            accuracy.append(figures(name, documents, np.searchsorted(categories, predicted)))
    for name, fit in ((SVM, calibrated_svm), ("textclf", ours)):
        held_out = in_folds(name, documents, copies, fit)
        clean = held_out["clean"]
        accuracy.append(figures(name, documents, clean.scores.argmax(axis=1)))
        trust.append(trust_figures(name, documents, clean))
        accepted += accepted_figures(name, documents, clean, flagged)
        robust += [
            {**figures(name, documents, found.scores.argmax(axis=1)), "texts": copy, **acceptance(documents, found)}
            for copy, found in held_out.items()
        ]
    accuracy += by_feature_group(documents)
    finish(
        arguments,
        {
            f"Tobacco-3482, {len(texts)} documents, {len(categories)} categories, 5-fold": accuracy,
            "The same folds: calibration of the scores": trust,
            "The same folds: share accepted at a maximum error, if the threshold were known": accepted,
            f"The same folds: augmented copies as test documents, threshold for {MAX_ERROR:.0%} from training": robust,
        },
    )


def in_folds(
    name: str, documents: Documents, copies: Mapping[str, Sequence[str]], fit: Callable[[Documents], Predict]
) -> dict[str, HeldOut]:
    """Score each fold, with all its copies, by a model fitted on the other four."""
    shape = len(documents.texts), len(documents.categories)
    held_out = {copy: HeldOut(np.empty(shape), np.empty(shape[0], bool)) for copy in copies}
    for number, (train, test) in enumerate(FOLDS.split(documents.texts, documents.truth), 1):
        print(f"{name}: fold {number} of 5", file=sys.stderr)
        predict = fit(documents.subset(train))
        for copy, texts in copies.items():
            found = predict([texts[i] for i in test])
            held_out[copy].scores[test], held_out[copy].accepted[test] = found
    return held_out


def ours(train: Documents) -> Predict:
    classifier = DocumentClassifier(max_error=MAX_ERROR, n_jobs=JOBS, diagnostics=False).fit(train.texts, train.truth)

    def predict(unseen: Sequence[str]) -> HeldOut:
        accepted = [prediction.decision == "accept" for prediction in classifier.model_.pipe(unseen)]
        return HeldOut(classifier.predict_proba(unseen), np.array(accepted))

    return predict


def calibrated_svm(train: Documents) -> Predict:
    """Calibrate the peer like textclf: temperature and threshold from folds within the training documents."""
    margins = cross_val_predict(peer(SVM), train.texts, train.labels, cv=FOLDS, method="decision_function", n_jobs=JOBS)
    temperature = fit_temperature(margins, train.labels)
    out_of_fold = softmax(margins * temperature)
    right = out_of_fold.argmax(axis=1) == train.labels
    found = acceptance_curve(out_of_fold.max(axis=1), right).at(MAX_ERROR, CONFIDENCE)
    fitted = peer(SVM).fit(train.texts, train.labels)

    def predict(unseen: Sequence[str]) -> HeldOut:
        scores = softmax(fitted.decision_function(unseen) * temperature)
        return HeldOut(scores, scores.max(axis=1) >= found.threshold)

    return predict


def by_feature_group(documents: Documents) -> list[dict[str, object]]:
    """Cross-validate subsets of the features of textclf on the same folds."""
    settings = DocumentClassifier().feature_settings()
    observed = observe_training(documents.texts, documents.labels, documents.categories, settings)
    groups = feature_groups(settings) | feature_groups(replace(settings, lexicon="none"))
    del groups["text + keywords + vectors"]
    folds = stratified_folds(documents.labels, 5, settings.seed)
    rows = []
    for name, chosen in groups.items():
        print(f"textclf, {name}", file=sys.stderr)
        with open_executor(JOBS) as executor:
            result = cross_validate(observed, chosen, c=1.0, folds=folds, executor=executor)
        rows.append(figures(f"textclf, {name}", documents, result.margins.argmax(axis=1)))
    return rows


def figures(name: str, documents: Documents, predicted: NDArray[np.int64]) -> dict[str, object]:
    return {
        "classifier": name,
        "accuracy": float(accuracy_score(documents.labels, predicted)),
        "macro F1": float(f1_score(documents.labels, predicted, average="macro", zero_division=0)),
    }


def trust_figures(name: str, documents: Documents, held_out: HeldOut) -> dict[str, object]:
    scores, right = held_out.scores.max(axis=1), held_out.scores.argmax(axis=1) == documents.labels
    low, high = ece_interval(scores, right)
    log_loss, brier = losses(held_out.scores, documents.labels)
    return {
        "classifier": name,
        "log loss": log_loss,
        "Brier score": brier,
        "debiased ECE": debiased_ece(scores, right),
        "from": low,
        "to": high,
    }


def acceptance(documents: Documents, held_out: HeldOut) -> dict[str, object]:
    wrong = held_out.scores.argmax(axis=1) != documents.labels
    return {
        "accepted": float(held_out.accepted.mean()),
        "errors among accepted": float(wrong[held_out.accepted].mean()) if held_out.accepted.any() else None,
    }


def accepted_figures(
    name: str, documents: Documents, held_out: HeldOut, flagged: NDArray[np.bool_]
) -> list[dict[str, object]]:
    scores, right = held_out.scores.max(axis=1), held_out.scores.argmax(axis=1) == documents.labels
    return [
        {
            "classifier": name,
            "documents": group,
            **{
                f"at {error:.0%} error": risk_coverage(scores[kept], right[kept]).accepted_at(error).accepted
                for error in (0.05, 0.02)
            },
        }
        for group, kept in (("all", np.ones(len(right), bool)), ("without the flagged", ~flagged))
    ]


if __name__ == "__main__":
    main()
