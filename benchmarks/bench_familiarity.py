"""How well out-of-distribution documents are detected.

Each category of Tobacco-3482 is left out of training in turn: its documents are out of distribution, and a fifth of the
other categories' documents, held out too, are in distribution. AUROC: the probability that a document of the first
group is less familiar than one of the second. Then documents of other data sets are predicted by models trained on all
of Tobacco-3482; the SVM's threshold accepts as many training documents, out of fold, as that of textclf.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from common import dataset, finish, options, shared, tobacco
from numpy.typing import NDArray
from peers import peer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from ocr import iter_documents
from textclf import DocumentClassifier
from textclf.base.tables import read_rows
from textclf.model.accept import MIN_FAMILIARITY
from textclf.model.calibrate import fit_temperature, softmax

JOBS = 2
SVM = "word + character SVM"
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


def main() -> None:
    arguments = options("familiarity", __doc__).parse_args()
    texts, names = tobacco(quick=arguments.quick)
    truth = np.array(names)
    left_out = list(left_out_figures(texts, truth))
    columns = [name for name in left_out[0] if name != "left out"]
    mean = {name: float(np.mean([float(str(row[name])) for row in left_out])) for name in columns}
    finish(
        arguments,
        {
            "Tobacco-3482, each category left out in turn, AUROC": [*left_out, {"left out": "mean", **mean}],
            "Documents of other data sets that are accepted": foreign_figures(texts, truth, quick=arguments.quick),
        },
    )


def left_out_figures(texts: list[str], truth: NDArray[np.str_]) -> Iterator[dict[str, object]]:
    folds = list(FOLDS.split(texts, truth))
    for number, category in enumerate(np.unique(truth)):
        print(f"without {category}", file=sys.stderr)
        train, test = folds[number % len(folds)]
        train = train[truth[train] != category]
        asked = np.concatenate([test[truth[test] != category], np.flatnonzero(truth == category)])
        known = truth[asked] != category
        unseen = [texts[i] for i in asked]
        classifier = DocumentClassifier(n_jobs=JOBS, diagnostics=False)
        classifier.fit([texts[i] for i in train], truth[train])
        predictions = list(classifier.model_.pipe(unseen))
        familiarity = np.array([prediction.familiarity for prediction in predictions])
        accepted = np.array([prediction.decision == "accept" for prediction in predictions])
        svm = peer(SVM).fit([texts[i] for i in train], truth[train]).decision_function(unseen).max(axis=1)
        yield {
            "left out": str(category),
            "SVM, largest margin": float(roc_auc_score(known, svm)),
            "textclf, score": float(roc_auc_score(known, [prediction.score for prediction in predictions])),
            "textclf, familiarity": float(roc_auc_score(known, familiarity)),
            f"out-of-distribution under {MIN_FAMILIARITY}": float((familiarity[~known] < MIN_FAMILIARITY).mean()),
            "out-of-distribution accepted": float(accepted[~known].mean()),
            "in-distribution accepted": float(accepted[known].mean()),
        }


def foreign_figures(texts: list[str], truth: NDArray[np.str_], *, quick: bool) -> list[dict[str, object]]:
    classifier = DocumentClassifier(n_jobs=JOBS, diagnostics=False).fit(texts, truth)
    acceptance = classifier.model_.training.acceptance
    categories, labels = np.unique(truth, return_inverse=True)
    margins = cross_val_predict(peer(SVM), texts, labels, cv=FOLDS, method="decision_function", n_jobs=JOBS)
    temperature = fit_temperature(margins, labels.astype(np.int64))
    threshold = float(np.quantile(softmax(margins * temperature).max(axis=1), 1 - acceptance.accepted))
    svm = peer(SVM).fit(texts, truth)
    rows = []
    for name, papers in foreign(quick=quick):
        print(name, file=sys.stderr)
        scores = softmax(svm.decision_function(papers) * temperature)
        by_svm = scores.max(axis=1) >= threshold
        predictions = list(classifier.model_.pipe(papers))
        ours = np.array([prediction.decision == "accept" for prediction in predictions])
        if name.startswith("bbc"):
            # a prediction of news is right there
            by_svm &= categories[scores.argmax(axis=1)] != "News"
            ours &= np.array([prediction.predicted_category != "News" for prediction in predictions])
        rows.append(
            {
                "papers": name,
                "documents": len(papers),
                "SVM accepts": float(by_svm.mean()),
                "textclf accepts": float(ours.mean()),
            }
        )
    return rows


def foreign(*, quick: bool) -> Iterator[tuple[str, list[str]]]:
    yield "sib200-it", [row["text"] for row in dataset("sib200-it", quick=quick)]
    yield "sib200-en", [row["text"] for row in dataset("sib200-en", quick=quick)]
    yield "bbc-news, except predictions of news", [row["text"] for row in dataset("bbc-news", quick=quick)]
    yield "contracts-ocr", [row["text"] for row in dataset("contracts-ocr", quick=quick)]
    folder = shared("datasets", "scans")
    labels = [row.values for row in read_rows(folder / "labels.csv", required=["file", "category"])]
    files = [(row["file"], folder / row["file"]) for row in labels if row["category"] == "receipt"]
    found = iter_documents(files[:: 5 if quick else 1], jobs=JOBS)
    yield "receipts of scans", [document.text for document in found]


if __name__ == "__main__":
    main()
