"""The first hour, with the commands a user would type: a few labels, the rest of the folder as pile.

Eight of the 16 kinds of ``shared/datasets/rvl-scans`` are drawn at random, and eight documents of each are labelled. A
quarter of the documents of every kind, also of the eight others, is kept out as test. All others are the pile: rows of
documents.csv without a category. At several maximum errors: how much of the test is accepted, how much of that is
wrong, and how much of the unknown kinds is accepted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from common import finish, options, run_textclf, rvl_scans
from numpy.typing import NDArray

from textclf.base.tables import read_rows, write_rows

LABELLED, KEPT_OUT = 8, 10
MAX_ERRORS = (0.05, 0.1, 0.2)
COLUMNS = ("document_id", "text", "category", "page_look")


def main() -> None:
    parser = options("first_hour", __doc__)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 5), help="first seed, and the one after the last")
    arguments = parser.parse_args()
    seeds = range(1) if arguments.quick else range(*arguments.seeds)
    documents = rvl_scans(quick=False)
    found: dict[tuple[str, float], list[dict[str, float]]] = {}
    for seed in seeds:
        for key, figures in first_hour(documents, seed):
            found.setdefault(key, []).append(figures)
    finish(
        arguments,
        {
            f"8 kinds, {LABELLED} documents each, mean of {len(seeds)} draws": [
                {"trained on": way, "maximum error": limit}
                | {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]}
                for (way, limit), rows in sorted(found.items())
            ]
        },
    )


def first_hour(documents: Sequence[dict[str, str]], seed: int) -> Iterator[tuple[tuple[str, float], dict[str, float]]]:
    """Label, train and predict in a folder of its own; figures by what was trained on and the maximum error."""
    truth = np.array([row["category"] for row in documents])
    known, labelled, test = drawn(truth, seed)
    unlabelled = np.setdiff1d(np.arange(len(documents)), np.concatenate([labelled, test]))
    by_id = {row["document_id"]: row["category"] for row in documents}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        model, predictions = work / "model.textclf", work / "predictions.csv"
        write(work / "test.csv", [documents[i] for i in test])
        for way, rest in (("the labelled documents", []), ("these and the pile", unlabelled.tolist())):
            table = work / "documents.csv"
            write(table, [documents[i] for i in labelled] + [documents[i] | {"category": ""} for i in rest])
            print(f"draw {seed}: {way}", file=sys.stderr)
            started = time.perf_counter()
            run_textclf("train", table, "--no-diagnostics", "-o", model)
            seconds = time.perf_counter() - started
            for limit in MAX_ERRORS:
                run_textclf("predict", model, work / "test.csv", "--max-error", str(limit), "-o", predictions)
                rows = [row.values for row in read_rows(predictions, required=["decision"])]
                yield (way, limit), measured(rows, by_id, known) | {"seconds of training": seconds}


def drawn(truth: NDArray[np.str_], seed: int) -> tuple[set[str], NDArray[np.int64], NDArray[np.int64]]:
    """Draw the known kinds, the positions of their labelled documents, and those of the test."""
    generator = np.random.default_rng(seed)
    kinds = np.unique(truth)
    known = set(generator.permutation(kinds)[: len(kinds) // 2].tolist())
    labelled, test = [], []
    for kind in kinds.tolist():
        places = generator.permutation(np.flatnonzero(truth == kind))
        test.append(places[:KEPT_OUT])
        if kind in known:
            labelled.append(places[KEPT_OUT : KEPT_OUT + LABELLED])
    return known, np.sort(np.concatenate(labelled)), np.sort(np.concatenate(test))


def write(path: Path, rows: Sequence[dict[str, str]]) -> None:
    write_rows(path, COLUMNS, rows, formulas_safe=False)


def measured(predictions: Sequence[dict[str, str]], truth: dict[str, str], known: set[str]) -> dict[str, float]:
    kinds = np.array([truth[row["document_id"]] for row in predictions])
    right = np.array([row["predicted_category"] for row in predictions]) == kinds
    accepted = np.array([row["decision"] == "accept" for row in predictions])
    mine = np.isin(kinds, sorted(known))
    return {
        "known kinds right": float(right[mine].mean()),
        "known kinds accepted": float(accepted[mine].mean()),
        "of these wrong": float((~right)[mine & accepted].mean()) if (mine & accepted).any() else float("nan"),
        "unknown kinds accepted": float(accepted[~mine].mean()),
        "of all accepted wrong": float((~right)[accepted].mean()) if accepted.any() else float("nan"),
    }


if __name__ == "__main__":
    main()
