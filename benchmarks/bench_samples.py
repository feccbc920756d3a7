"""The sample scans in ``data/`` through the commands: reading, training, and a test on issuers never seen in training.

By language, resolution and rotation: accuracy, what was accepted, and the share of the drawn words that OCR found.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import mean

from common import ROOT, Row, finish, options, run_textclf, word_recall
from peers import PEERS, peer
from sklearn.metrics import accuracy_score, f1_score

from features.csv_files import read_rows

GROUPS = ("language", "dpi", "rotation", "kind")


def main() -> None:
    parser = options("samples", __doc__)
    parser.add_argument("--work", type=Path, help="keep documents.csv, the model and the report in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        finish(arguments, measure(arguments.work or Path(temporary), quick=arguments.quick))


def measure(work: Path, *, quick: bool) -> dict[str, list[Row]]:
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
        "Test split: issuers never seen in training": compared(rows, metrics),
        "Test split, by what the scans are like": grouped(rows, metrics),
        "Other things, of no known category (none should be accepted)": [
            {"documents": len(others), "accepted": others.count("accept")}
        ],
        "Time of the commands": [
            {"command": step, "seconds": taken, "pages per second": pages / taken if step == "ocr" else None}
            for step, taken in seconds.items()
        ],
    }


def scans(*, quick: bool) -> list[Path]:
    """List the scans; with ``quick`` those of two categories, and three other things."""
    if not quick:
        return [ROOT / "data" / "scans"]
    names = ("invoice-*", "identity_card-*", "other-0[1-3].*")
    return [path for name in names for path in sorted((ROOT / "data" / "scans").glob(name))]


def compared(rows: list[dict[str, str]], metrics: dict[str, float]) -> list[Row]:
    """Ours as ``textclf evaluate`` found it, and the others on the same texts."""
    train, test = ([row for row in rows if row["split"] == split] for split in ("train", "test"))
    truth = [row["category"] for row in test]
    compared: list[Row] = []
    for name in PEERS:
        classifier = peer(name).fit([row["text"] for row in train], [row["category"] for row in train])
        predicted = classifier.predict([row["text"] for row in test])
        compared.append(
            {
                "classifier": name,
                "documents": len(test),
                "accuracy": float(accuracy_score(truth, predicted)),
                "macro F1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
            }
        )
    ours = {"accuracy": metrics["accuracy"], "macro F1": metrics["macro_f1"], "accepted": metrics["accepted"]}
    return [*compared, {"classifier": "textclf", "documents": metrics["documents"], **ours}]


def grouped(rows: list[dict[str, str]], metrics: dict[str, list[dict[str, object]]]) -> list[Row]:
    """Join the figures of ``metrics.json`` with how many of the drawn words OCR found."""
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
