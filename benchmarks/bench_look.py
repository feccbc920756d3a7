"""What the look of a page adds to its text: real scans of 16 and 18 kinds, beside an SVM with and without it.

The SVM gets the measures of the look as further columns beside its n-grams (plain concatenation); textclf weighs both
by its own cross-validation. Pages of ``shared/datasets/rvl-scans`` (20 of a kind to draw from, the other 20 as test)
and of ``shared/datasets/scans``.
"""

from __future__ import annotations

import sys
import time
from statistics import median

import numpy as np
from common import Row, finish, options, read_scans, rvl_scans, shared
from numpy.typing import NDArray
from peers import peer
from scipy import sparse
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.svm import LinearSVC

from ocr.look import measure_look
from ocr.page_content import open_page
from ocr.reading_options import Limits
from textclf import DocumentClassifier
from textclf.model.look import have_look, read_looks

SIZES = (6, 12, 20)
DRAWS = 5
LEAST = 6
LOOK_WEIGHT = 0.5
"""Of the columns of the look in the SVM, beside n-grams: the best of .25, .5, .7 and 1 on draws 100 to 102."""

Documents = list[dict[str, str]]


def main() -> None:
    parser = options("look", __doc__)
    parser.add_argument("--seed", type=int, default=0, help="first of the seeds of the draws")
    arguments = parser.parse_args()
    pages = rvl_scans(quick=False)
    scans = read_scans("scans")
    tables: dict[str, list[Row]] = {}
    sizes, draws = ((6,), 1) if arguments.quick else (SIZES, DRAWS)
    for size in sizes:
        found = []
        for seed in range(arguments.seed, arguments.seed + draws):
            print(f"{size} of a kind, draw {seed}", file=sys.stderr)
            train, test = drawn(pages, size, seed)
            found.append(compared(train, test))
        tables[f"rvl-scans, {size} of each of 16 kinds, {draws} draws"] = means(found)
    if not arguments.quick:
        other = [row for row in scans if row["collection"].startswith("RVL-CDIP")]
        tables["Trained on rvl-scans, the 96 RVL-CDIP pages of scans"] = means([compared(pages, other)])
        tables["scans, kinds of six and more, 5-fold"] = means([five_fold(scans)])
    tables["Cost"] = cost(pages)
    finish(arguments, tables)


def drawn(pages: Documents, size: int, seed: int) -> tuple[Documents, Documents]:
    draw = np.random.default_rng(seed)
    kinds = np.array([row["category"] for row in pages])
    train, test = [], []
    for kind in np.unique(kinds):
        order = draw.permutation(np.flatnonzero(kinds == kind))
        train += order[:20][:size].tolist()
        test += order[20:].tolist()
    return [pages[i] for i in sorted(train)], [pages[i] for i in sorted(test)]


def compared(train: Documents, test: Documents) -> dict[str, tuple[list[str], list[str]]]:
    """Give true and predicted kinds of the test documents by classifier."""
    labels, truth = kinds(train), kinds(test)
    known, unseen = texts(train), texts(test)
    looks, new = ([row["page_look"] for row in rows] for rows in (train, test))
    svm = peer("word + character SVM")
    vectorizer = svm[:-1].fit(known)
    rows, wanted = vectorizer.transform(known), vectorizer.transform(unseen)
    scaler = StandardScaler().fit(measures(looks))
    seen, shown = (normalize(scaler.transform(measures(one))) * LOOK_WEIGHT * np.sqrt(2) for one in (looks, new))
    joined = LinearSVC(random_state=0).fit(sparse.hstack([rows, seen]).tocsr(), labels)
    model = DocumentClassifier().fit(known, labels, looks=looks).model_
    with_look = [one.predicted_category or model.categories[0] for one in model.pipe(unseen, looks=new)]
    return {
        "word + character SVM": (truth, LinearSVC(random_state=0).fit(rows, labels).predict(wanted).tolist()),
        "word + character SVM, with the look": (truth, joined.predict(sparse.hstack([wanted, shown]).tocsr()).tolist()),
        "textclf, without the look": (truth, model.predict(unseen).tolist()),
        "textclf": (truth, with_look),
    }


def five_fold(scans: Documents) -> dict[str, tuple[list[str], list[str]]]:
    labels = kinds(scans)
    rows = [row for row in scans if labels.count(row["category"]) >= LEAST]
    found: dict[str, tuple[list[str], list[str]]] = {}
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(rows, kinds(rows)):
        print("a fold of scans", file=sys.stderr)
        for name, (truth, said) in compared([rows[i] for i in train], [rows[i] for i in test]).items():
            known = found.setdefault(name, ([], []))
            known[0].extend(truth)
            known[1].extend(said)
    return found


def means(found: list[dict[str, tuple[list[str], list[str]]]]) -> list[Row]:
    return [
        {
            "classifier": name,
            "accuracy": float(np.mean([accuracy_score(*one[name]) for one in found])),
            "macro F1": float(np.mean([f1_score(*one[name], average="macro") for one in found])),
        }
        for name in found[0]
    ]


def kinds(rows: Documents) -> list[str]:
    return [row["category"] for row in rows]


def texts(rows: Documents) -> list[str]:
    return [row["text"].replace("\f", "\n\n") for row in rows]


def measures(looks: list[str]) -> NDArray[np.float32]:
    found = read_looks(looks)
    return np.where(have_look(found)[:, None], found, 0)


def cost(pages: Documents) -> list[Row]:
    """Time the look of 40 pages enlarged to 300 dpi, as scanners give them."""
    seconds = []
    for row in pages[::16]:
        with open_page(shared("datasets", "rvl-scans", row["file"]), 1, Limits()) as content:
            image = content.image()
        image = image.resize((round(image.width * 3300 / image.height), 3300))
        started = time.process_time()
        measure_look(image)
        seconds.append(time.process_time() - started)
    lengths = [len(row["page_look"]) for row in pages if row["page_look"]]
    return [
        {
            "CPU ms a page of 300 dpi, median": 1000 * median(seconds),
            "characters of the column, mean": float(np.mean(lengths)),
            "longest": max(lengths),
        }
    ]


if __name__ == "__main__":
    main()
