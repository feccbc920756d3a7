"""Documents of unknown kinds that are accepted as one of the known kinds, on real pages through real OCR.

Half of the 16 kinds of ``shared/datasets/rvl-scans`` are known, and 20 documents of each are labelled; kinds and
documents are drawn at random, once per seed. Half of the other documents, of all 16 kinds, are the test; the other
half are the pile, which training sees without labels, or not at all. The SVM's threshold on its calibrated score
accepts as many known documents of the test as textclf does without the pile; it is not chosen beforehand, as that of
textclf is.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from common import Row, finish, options, rvl_scans
from numpy.typing import NDArray
from peers import peer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from textclf import DocumentClassifier
from textclf.model.calibrate import fit_temperature, softmax

JOBS = 2
LABELLED, MAX_ERROR = 20, 0.2
LEAST_KNOWN = 0.4
WHATEVER_SCORE = ("no text", "unknown kind", "other language")
"""Reasons for review of documents of any score."""
SVM = "word + character SVM"


class Draw(NamedTuple):
    """Positions of documents, and the kinds that are known."""

    known: NDArray[np.str_]
    labelled: NDArray[np.int64]
    pile: NDArray[np.int64]
    test: NDArray[np.int64]


class Answers(NamedTuple):
    """What a classifier said of the documents of a test."""

    predicted: NDArray[np.str_]
    score: NDArray[np.float64]
    familiarity: NDArray[np.float64]
    doubted: NDArray[np.bool_]  # for review whatever its score
    accepted: NDArray[np.bool_]


def main() -> None:
    parser = options("unknown", __doc__)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 10), help="first seed, and the one after the last")
    parser.add_argument("--no-pile", action="store_true", help="train without the pile only")
    arguments = parser.parse_args()
    seeds = range(2) if arguments.quick else range(*arguments.seeds)
    rows = rvl_scans(quick=False)
    texts, truth = [row["text"] for row in rows], np.array([row["category"] for row in rows])
    looks = [row["page_look"] for row in rows]
    figures: dict[str, list[dict[str, float]]] = {}
    swallowed: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        print(f"draw {seed}", file=sys.stderr)
        one = draw(truth, seed)
        kinds = truth[one.test]
        for name, answers in answered(texts, looks, truth, one, pile=not arguments.no_pile):
            figures.setdefault(name, []).append(measured(answers, kinds, one.known))
            for kind in one.known.tolist():
                swallowed[name, f"draws with {kind}"] += 1
            for kind in answers.predicted[answers.accepted & ~np.isin(kinds, one.known)].tolist():
                swallowed[name, kind] += 1
    finish(
        arguments,
        {
            f"8 of 16 kinds known, {LABELLED} documents each, maximum error {MAX_ERROR}, mean of {len(seeds)} draws": [
                {"classifier": name} | {column: mean(column, found) for column in found[0]}
                for name, found in figures.items()
            ],
            "Documents of unknown kinds accepted as this kind, per draw in which it was known": [
                swallowing(kind, list(figures), swallowed) for kind in np.unique(truth).tolist()
            ],
        },
    )


def draw(truth: NDArray[np.str_], seed: int) -> Draw:
    generator = np.random.default_rng(seed)
    kinds = np.unique(truth)
    known = np.sort(generator.permutation(kinds)[: len(kinds) // 2])
    labelled, rest = [], []
    for kind in kinds:
        places = generator.permutation(np.flatnonzero(truth == kind))
        taken = LABELLED if kind in known else 0
        labelled.append(places[:taken])
        rest.append(places[taken:])
    # alternately, so that pile and test hold as many of each kind
    return Draw(
        known,
        np.sort(np.concatenate(labelled)),
        np.sort(np.concatenate([places[::2] for places in rest])),
        np.sort(np.concatenate([places[1::2] for places in rest])),
    )


def answered(
    texts: Sequence[str], looks: Sequence[str], truth: NDArray[np.str_], one: Draw, *, pile: bool
) -> Iterator[tuple[str, Answers]]:
    """Train on the labelled documents, and give the answers of each classifier to those of the test."""
    train, labels = [texts[i] for i in one.labelled], truth[one.labelled]
    unseen, unlabelled = [texts[i] for i in one.test], [texts[i] for i in one.pile]
    seen, new = ([looks[i] for i in places] for places in (one.labelled, one.test))
    by_text, by_both = "textclf, by the text", "textclf, by text and look"
    ways: dict[str, dict[str, list[str]]] = {by_text: {}, by_both: {"looks": seen}}
    if pile:
        ways |= {f"{name}, with the pile": further | {"unlabelled": unlabelled} for name, further in ways.items()}
    for name, further in ways.items():
        classifier = DocumentClassifier(max_error=MAX_ERROR, n_jobs=JOBS).fit(train, labels, **further)
        predictions = list(classifier.model_.pipe(unseen, looks=new if "looks" in further else None))
        answers = Answers(
            np.array([prediction.predicted_category for prediction in predictions]),
            np.array([prediction.score or 0.0 for prediction in predictions]),
            np.array([prediction.familiarity or 0.0 for prediction in predictions]),
            np.array([prediction.reason in WHATEVER_SCORE for prediction in predictions]),
            np.array([prediction.decision == "accept" for prediction in predictions]),
        )
        if name == by_text:
            share = float(answers.accepted[np.isin(truth[one.test], one.known)].mean())
        yield name, answers
    yield SVM, svm_answers(train, labels, unseen, np.isin(truth[one.test], one.known), share)


def svm_answers(
    train: Sequence[str], labels: NDArray[np.str_], unseen: Sequence[str], known: NDArray[np.bool_], share: float
) -> Answers:
    numbers = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    margins = cross_val_predict(peer(SVM), train, numbers, cv=folds, method="decision_function")
    classifier = peer(SVM).fit(train, labels)
    unseen_margins = classifier.decision_function(unseen)
    scores = softmax(unseen_margins * fit_temperature(margins, numbers)).max(axis=1)
    return Answers(
        classifier.predict(unseen),
        scores,
        unseen_margins.max(axis=1),
        np.zeros(len(scores), bool),
        scores >= np.quantile(scores[known], 1 - share),
    )


def measured(answers: Answers, kinds: NDArray[np.str_], known_kinds: NDArray[np.str_]) -> dict[str, float]:
    known = np.isin(kinds, known_kinds)
    accepted, right = answers.accepted, answers.predicted == kinds
    usable = np.where(answers.doubted, -1.0, answers.score)
    least = max(float(np.quantile(usable[known], 1 - LEAST_KNOWN)), 0.0)
    return {
        "known accepted": float(accepted[known].mean()),
        "of these wrong": float((~right)[known & accepted].mean()) if (known & accepted).any() else float("nan"),
        "unknown accepted": float(accepted[~known].mean()),
        f"unknown accepted with {LEAST_KNOWN:.0%} of the known": float((usable[~known] >= least).mean()),
        "known accuracy": float(right[known].mean()),
        "AUROC, familiarity": float(roc_auc_score(known, answers.familiarity)),
        "AUROC, score": float(roc_auc_score(known, answers.score)),
    }


def mean(column: str, found: Sequence[Mapping[str, float]]) -> float:
    return float(np.nanmean([row[column] for row in found]))


def swallowing(kind: str, names: Sequence[str], swallowed: Counter[tuple[str, str]]) -> Row:
    draws = swallowed[names[0], f"draws with {kind}"]
    return {"kind": kind, "draws": draws} | {name: swallowed[name, kind] / max(draws, 1) for name in names}


if __name__ == "__main__":
    main()
