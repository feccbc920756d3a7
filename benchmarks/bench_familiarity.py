"""How well out-of-distribution documents are detected.

Each category of Tobacco-3482 is left out of training in turn: its documents are out of distribution, and a fifth of the
other categories' documents, held out too, are in distribution. AUROC: the probability that a document of the first
group is less familiar than one of the second. Then documents of other data sets are predicted by models trained on all
of Tobacco-3482; the SVM's threshold accepts as many training documents, out of fold, as that of textclf.

With unlabelled documents: two folds are labelled, two are the unlabelled documents and the fifth is predicted, each
category left out of the labelled ones in turn, and of the unlabelled ones too in the column "without the kind".
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from time import perf_counter

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
    finish(
        arguments,
        {
            "Tobacco-3482, each category left out in turn, AUROC": with_mean(left_out_figures(texts, truth)),
            "With unlabelled documents, AUROC of familiarity": with_mean(unlabelled_figures(texts, truth)),
            "Neighbours of a model trained with 50,000 unlabelled documents": [neighbours_figures(texts, truth)],
            "Documents of other data sets that are accepted": foreign_figures(texts, truth, quick=arguments.quick),
        },
    )


def with_mean(figures: Iterator[dict[str, object]]) -> list[dict[str, object]]:
    rows = list(figures)
    columns = [name for name in rows[0] if name != "left out"]
    mean = {name: float(np.mean([float(str(row[name])) for row in rows])) for name in columns}
    return [*rows, {"left out": "mean", **mean}]


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


def unlabelled_figures(texts: list[str], truth: NDArray[np.str_]) -> Iterator[dict[str, object]]:
    folds = [test for _, test in FOLDS.split(texts, truth)]
    for number, category in enumerate(np.unique(truth)):
        print(f"without {category}, with unlabelled documents", file=sys.stderr)
        test, first, second, third, fourth = (*folds[number % 5 :], *folds[: number % 5])
        labelled, others = np.concatenate([first, second]), np.concatenate([third, fourth])
        train, known = labelled[truth[labelled] != category], truth[test] != category
        piles = {
            "no unlabelled documents": others[:0],
            "without the kind": others[truth[others] != category],
            "with the kind": np.concatenate([others, labelled[truth[labelled] == category]]),
        }
        row: dict[str, object] = {"left out": str(category)}
        for name, pile in piles.items():
            classifier = DocumentClassifier(n_jobs=JOBS)
            classifier.fit([texts[i] for i in train], truth[train], unlabelled=[texts[i] for i in pile])
            found = [prediction.familiarity for prediction in classifier.model_.pipe([texts[i] for i in test])]
            row[name] = float(roc_auc_score(known, found))
        yield row


def neighbours_figures(texts: list[str], truth: NDArray[np.str_]) -> dict[str, object]:
    """Measure what the neighbours cost: the size in the model file, and the time for a document."""
    words = [text.split() for text in texts]
    draw = np.random.default_rng(0)
    # half of one page and half of another, so that no two are the same
    pairs = draw.integers(0, len(texts), (50_000, 2)).tolist()
    mixed = [" ".join([*words[a][::2], *words[b][1::2]]) for a, b in pairs]
    model = DocumentClassifier(n_jobs=JOBS).fit(texts, truth, unlabelled=mixed).model_
    neighbours = model.typicality.neighbours
    if neighbours is None:
        raise SystemExit("too few unlabelled documents")
    rows = [model.evidence([text]).rows.ngrams for text in texts]
    start = perf_counter()
    for ngrams in rows:
        neighbours.density(ngrams)
    return {
        "MB": sum(array.nbytes for array in neighbours.to_arrays().values()) / 1e6,
        "documents kept": len(neighbours.labelled) + len(neighbours.unlabelled),
        "ms per document": 1000 * (perf_counter() - start) / len(rows),
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
