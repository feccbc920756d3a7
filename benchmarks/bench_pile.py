"""What unlabelled documents give: accuracy with few labelled documents of Tobacco-3482, and the cost of training.

The labelled documents and the unlabelled ones come from four folds of a 5-fold split, the test set is the fifth; five
draws, means. The unlabelled documents are the rest of the four folds, or a part of it in which the most frequent
category is 16 times as frequent as the rarest, in an order drawn at random; the test set has equal shares.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import finish, options, start_textclf, tobacco
from numpy.typing import NDArray
from peers import peer
from psutil import NoSuchProcess, Process
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import SelfTrainingClassifier

from textclf import DocumentClassifier
from textclf.model.fit import fit_model
from textclf.model.training_texts import observe_training

SIZES = (5, 10, 20)
DRAWS = 5
RATIO = 16
PILES = (3_000, 50_000)
SVM = "word + character SVM"
Positions = NDArray[np.int64]


class Draw(NamedTuple):
    """Positions of the documents of a draw."""

    labelled: Positions
    pile: Positions
    test: Positions


def main() -> None:
    arguments = options("pile", __doc__).parse_args()
    texts, names = tobacco(quick=False)
    tables = {f"Tobacco-3482, accuracy, {DRAWS} draws": accuracies(texts, names, 1 if arguments.quick else DRAWS)}
    tables["textclf train --pile, 20 labelled documents per category"] = costs(
        texts, names, PILES[:1] if arguments.quick else PILES
    )
    finish(arguments, tables)


def accuracies(texts: Sequence[str], names: Sequence[str], draws: int) -> list[dict[str, object]]:
    categories, numbers = np.unique(names, return_inverse=True)
    labels = numbers.astype(np.int64)
    rows = []
    for size in SIZES:
        for pile in ("balanced", f"{RATIO}:1"):
            found = []
            for seed in range(draws):
                print(f"{size} labelled documents per category, {pile}, draw {seed + 1} of {draws}", file=sys.stderr)
                drawn = draw(labels, size, seed, ratio=1 if pile == "balanced" else RATIO)
                found.append(compared(texts, labels, categories.tolist(), drawn))
            means = {name: float(np.mean([each[name] for each in found])) for name in found[0]}
            rows.append({"labelled per category": size, "unlabelled": pile, **means})
    return rows


def draw(labels: Positions, size: int, seed: int, *, ratio: int) -> Draw:
    train, test = next(StratifiedKFold(5, shuffle=True, random_state=seed).split(labels, labels))
    generator = np.random.default_rng(seed)
    train = generator.permutation(train)
    order = generator.permutation(labels.max() + 1).tolist()
    labelled, pile = [], []
    for rank, label in enumerate(order):
        own = train[labels[train] == label]
        rest = own[size:]
        labelled.append(own[:size])
        pile.append(rest[: max(1, round(len(rest) * ratio ** (-rank / (len(order) - 1))))])
    return Draw(np.sort(np.concatenate(labelled)), np.sort(np.concatenate(pile)), test)


def compared(texts: Sequence[str], labels: Positions, categories: list[str], drawn: Draw) -> dict[str, float]:
    known, pile, unseen = ([texts[i] for i in chosen] for chosen in drawn)
    settings = DocumentClassifier().feature_settings()
    observed = observe_training(known, labels[drawn.labelled], categories, settings, unlabelled=pile)
    predicted: dict[str, Positions] = {}
    for name, self_training in (("textclf", False), ("textclf, with unlabelled", True)):
        fitted = fit_model(observed, settings, c=1.0, self_training=self_training)
        predicted[name] = fitted.linear.margins(fitted.features.rows(unseen)).argmax(axis=1)
    predicted[SVM] = peer(SVM).fit(known, labels[drawn.labelled]).predict(unseen)
    features, svm = peer(SVM)
    calibrated = CalibratedClassifierCV(svm, method="temperature", ensemble=False, cv=3)
    self_trained = make_pipeline(features, SelfTrainingClassifier(calibrated))
    targets = np.concatenate([labels[drawn.labelled], np.full(len(pile), -1)])
    predicted["scikit-learn's self-training around it"] = self_trained.fit([*known, *pile], targets).predict(unseen)
    return {name: float((guess == labels[drawn.test]).mean()) for name, guess in predicted.items()}


def costs(texts: Sequence[str], names: Sequence[str], sizes: Sequence[int]) -> list[dict[str, object]]:
    """Train on the command line with piles of texts whose lines are shuffled."""
    drawn = draw(np.unique(names, return_inverse=True)[1].astype(np.int64), SIZES[-1], 0, ratio=1)
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        documents, pile = Path(folder, "documents.csv"), Path(folder, "pile.csv")
        write(documents, [(str(i), texts[i], names[i]) for i in drawn.labelled.tolist()])
        for size in (0, *sizes):
            generator = np.random.default_rng(size)
            made = (generator.permutation(texts[i].splitlines()) for i in generator.choice(drawn.pile, size))
            write(pile, [(str(i), "\n".join(lines), "") for i, lines in enumerate(made)])
            seconds, megabytes = measured("train", documents, "-o", Path(folder, "m"), *(["--pile", pile] * bool(size)))
            rows.append({"unlabelled": size, "seconds": seconds, "megabytes": megabytes})
    return rows


def write(path: Path, rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("document_id", "text", "category"), *rows])


def measured(*arguments: str | Path) -> tuple[float, float]:
    """Run textclf; seconds, and the most memory in use at a time by it and its processes."""
    begin = time.perf_counter()
    most = 0
    with start_textclf(*arguments) as running:
        whole = Process(running.pid)
        while running.poll() is None:
            most = max(most, memory(whole))
            time.sleep(0.2)
    if running.returncode:
        raise SystemExit("textclf train failed")
    return time.perf_counter() - begin, most / 1e6


def memory(process: Process) -> int:
    total = 0
    try:
        for part in (process, *process.children(recursive=True)):
            total += part.memory_full_info().pss
    except NoSuchProcess:
        pass
    return total


if __name__ == "__main__":
    main()
