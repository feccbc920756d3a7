"""The sample scans in ``data/`` through the commands: reading, training, and a test on issuers not seen in training.

By language, resolution and rotation: accuracy, the proportion accepted, and the proportion of the drawn words that OCR
found. Then the same texts with other issuers for the test: two of six for each category, drawn at random each time.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import mean

import numpy as np
from common import ROOT, Row, finish, options, run_textclf, word_recall
from peers import PEERS, peer
from sklearn.metrics import accuracy_score, f1_score

from textclf import DocumentClassifier
from textclf.base.tables import read_rows

GROUPS = ("language", "dpi", "rotation", "kind")


def main() -> None:
    parser = options("samples", __doc__)
    parser.add_argument("--work", type=Path, help="keep documents.csv, the model and the report in this folder")
    parser.add_argument("--draws", type=int, default=10, help="number of draws of issuers (default %(default)s)")
    arguments = parser.parse_args()
    draws = 1 if arguments.quick else arguments.draws
    with tempfile.TemporaryDirectory() as temporary:
        finish(arguments, measure(arguments.work or Path(temporary), draws, quick=arguments.quick))


def measure(work: Path, draws: int, *, quick: bool) -> dict[str, list[Row]]:
    documents_csv, model = work / "documents.csv", work / "model.textclf"
    commands: dict[str, list[str | Path]] = {
        "ocr": ["ocr", *scans(quick=quick), "--labels", ROOT / "data/labels.csv", "--no-cache", "-o", documents_csv],
        "train": [
            *("train", documents_csv, "--where", "split=train", "--group", "issuer", "--max-error", "0.2"),
            *("--no-diagnostics", "-o", model),
        ],
        "evaluate": [
            *("evaluate", model, documents_csv, "--where", "split=test", "-o", work / "report"),
            *(word for group in GROUPS for word in ("--by", group)),
        ],
        "predict": ["predict", model, documents_csv, "--where", "split=other", "-o", work / "others.csv"],
    }
    seconds = {}
    for step, command in commands.items():
        started = time.perf_counter()
        run_textclf(*command)
        seconds[step] = time.perf_counter() - started
    rows = [row.values for row in read_rows(documents_csv, required=["document_id", "text", "category"])]
    metrics = json.loads((work / "report" / "metrics.json").read_text(encoding="utf-8"))
    others = [row.values["decision"] for row in read_rows(work / "others.csv", required=["decision"])]
    pages = sum(int(row["pages"]) for row in rows)
    return {
        "Test split: issuers not seen in training": compared(rows, metrics),
        f"Two of six issuers per category drawn for the test, mean of {draws}": drawn(
            [row for row in rows if row["split"] != "other"], draws
        ),
        "Test split, by properties of the scans": grouped(rows, metrics),
        "Out-of-distribution documents (none should be accepted)": [
            {"documents": len(others), "accepted": others.count("accept")}
        ],
        "Time of the commands": [
            {"command": step, "seconds": taken, "pages per second": pages / taken if step == "ocr" else None}
            for step, taken in seconds.items()
        ],
    }


def scans(*, quick: bool) -> list[Path]:
    """List the scans; with ``quick`` those of two categories, and three out-of-distribution documents."""
    if not quick:
        return [ROOT / "data" / "scans"]
    names = ("invoice-*", "identity_card-*", "other-0[1-3].*")
    return [path for name in names for path in sorted((ROOT / "data" / "scans").glob(name))]


def compared(rows: list[dict[str, str]], metrics: dict[str, float]) -> list[Row]:
    """Compare textclf, as ``textclf evaluate`` measured it, with the others on the same texts."""
    train, test = ([row for row in rows if row["split"] == split] for split in ("train", "test"))
    truth = [row["category"] for row in test]
    compared: list[Row] = []
    for name in PEERS:
        classifier = peer(name).fit([row["text"] for row in train], [row["category"] for row in train])
        accuracy, macro_f1 = scores(truth, classifier.predict([row["text"] for row in test]))
        compared.append({"classifier": name, "documents": len(test), "accuracy": accuracy, "macro F1": macro_f1})
    ours = {"accuracy": metrics["accuracy"], "macro F1": metrics["macro_f1"], "accepted": metrics["accepted"]}
    return [*compared, {"classifier": "textclf", "documents": metrics["documents"], **ours}]


def drawn(rows: list[dict[str, str]], draws: int) -> list[Row]:
    issuers: dict[str, list[str]] = defaultdict(list)
    for category, issuer in sorted({(row["category"], row["issuer"]) for row in rows}):
        issuers[category].append(issuer)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(draws):
        print(f"drawing issuers, {number + 1} of {draws}", file=sys.stderr)
        draw = np.random.default_rng(number)
        chosen = {(category, name) for category, names in issuers.items() for name in draw.permutation(names)[:2]}
        train = [row for row in rows if (row["category"], row["issuer"]) not in chosen]
        test = [row for row in rows if (row["category"], row["issuer"]) in chosen]
        texts, categories = [row["text"] for row in train], [row["category"] for row in train]
        unseen, truth = [row["text"] for row in test], [row["category"] for row in test]
        for name in PEERS:
            found[name].append(scores(truth, peer(name).fit(texts, categories).predict(unseen)))
        groups, looks = ([row[column] for row in train] for column in ("issuer", "page_look"))
        ours = DocumentClassifier(diagnostics=False, n_jobs=2).fit(texts, categories, groups=groups, looks=looks)
        both = ours.model_.pipe(unseen, looks=[row["page_look"] for row in test])
        found["textclf, by the text"].append(scores(truth, ours.predict(unseen)))
        found["textclf"].append(scores(truth, [prediction.predicted_category for prediction in both]))
    return [
        {"classifier": name, "accuracy": mean(a for a, _ in pairs), "macro F1": mean(f1 for _, f1 in pairs)}
        for name, pairs in found.items()
    ]


def scores(truth: list[str], predicted: Iterable[str]) -> tuple[float, float]:
    """Return accuracy and macro F1."""
    found = list(predicted)
    return float(accuracy_score(truth, found)), float(f1_score(truth, found, average="macro", zero_division=0))


def grouped(rows: list[dict[str, str]], metrics: dict[str, list[dict[str, object]]]) -> list[Row]:
    """Join the figures of ``metrics.json`` with the proportion of the drawn words that OCR found."""
    truth = {
        Path(row.values["file"]).name: row.values["text"]
        for row in read_rows(ROOT / "data" / "truth.csv", required=["file", "text"])
    }
    recalls: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row["split"] == "test":
            recall = word_recall(truth[Path(row["file"]).name], row["text"])
            for group in GROUPS:
                recalls[group, row[group]].append(recall)
    return [
        {
            "group": figures["column"],
            "value": figures["value"] or "(digital)",
            "documents": figures["documents"],
            "accuracy": figures["accuracy"],
            "accepted": figures["accepted"],
            "of these right": figures["accepted_right"],
            "words found": mean(recalls[str(figures["column"]), str(figures["value"])]),
        }
        for figures in metrics["groups"]
    ]


if __name__ == "__main__":
    main()
