"""Speed of training, and of prediction: many documents, one, and from a cold start; beside a scikit-learn pipeline.

The pipeline is the linear SVM on word and character n-grams, kept with joblib as is common. Both are trained on the
Tobacco-3482 texts and predict the same texts.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import joblib
import numpy as np
from common import ROOT, Row, finish, options, run_textclf, tobacco
from peers import peer

from features.csv_files import write_rows
from textclf import DocumentClassifier, LocalClient, load, predict_document_category

SVM = "word + character SVM"


def main() -> None:
    parser = options("prediction", __doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs to take the median of (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.repeats = 2
    texts, categories = tobacco(quick=arguments.quick)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        print("training both", file=sys.stderr)
        model, pickled = work / "model.textclf", work / "svm.joblib"
        classifier, pipeline = DocumentClassifier(n_jobs=2), peer(SVM)
        training: list[Row] = [
            {"trains": name, "seconds": seconds(partial(machine.fit, texts, categories))}
            for name, machine in ((f"{SVM}, no calibration", pipeline), ("textclf, with thresholds", classifier))
        ]
        classifier.save(model)
        joblib.dump(pipeline, pickled)
        finish(
            arguments,
            {
                f"Training on {len(texts)} documents, 2 cores": training,
                f"Warm, in one process, {len(texts)} documents": warm(model, pickled, texts, arguments.repeats),
                f"Cold start, median of {arguments.repeats}": cold(model, pickled, texts[0], arguments.repeats),
            },
        )


def warm(model: Path, pickled: Path, texts: list[str], repeats: int) -> list[Row]:
    runtime, pipeline = load(model), joblib.load(pickled)
    client = LocalClient(runtime)

    def row(name: str, file: Path, many: Callable[[], object], one: Callable[[str], object]) -> Row:
        print(f"predicting with {name}", file=sys.stderr)
        singles = [seconds(partial(one, text)) * 1000 for text in texts]
        return {
            "predicts": name,
            "documents per second": len(texts) / median(seconds(many) for _ in range(repeats)),
            "p50 ms a document": float(np.percentile(singles, 50)),
            "p99 ms a document": float(np.percentile(singles, 99)),
            "file MB": file.stat().st_size / 1e6,
        }

    return [
        row(
            "textclf: Runtime.predict; predict_document_category",
            model,
            lambda: runtime.predict(texts),
            lambda text: predict_document_category(client, text),
        ),
        row(
            "scikit-learn pipeline: decision_function",
            pickled,
            lambda: pipeline.decision_function(texts),
            lambda text: pipeline.decision_function([text]),
        ),
    ]


def cold(model: Path, pickled: Path, text: str, repeats: int) -> list[Row]:
    documents = model.parent / "documents.csv"
    write_rows(documents, ["document_id", "text"], [{"document_id": "1", "text": text}], formulas_safe=False)
    script = (
        "import csv, sys, joblib; sys.path.insert(0, sys.argv[1]); pipeline = joblib.load(sys.argv[2]); "
        "print(pipeline.predict([row['text'] for row in csv.DictReader(open(sys.argv[3], newline=''))]))"
    )
    pipeline = [sys.executable, "-c", script, str(ROOT / "benchmarks"), str(pickled), str(documents)]
    starts: dict[str, Callable[[], object]] = {
        "python -c pass": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        "textclf --help": lambda: run_textclf("--help"),
        "textclf predict, 1 document": lambda: run_textclf("predict", model, documents, "-o", model.parent / "out.csv"),
        "joblib.load and predict, 1 document": lambda: subprocess.run(pipeline, check=True, capture_output=True),
    }
    rows: list[Row] = []
    for name, start in starts.items():
        start()
        rows.append({"starts": name, "seconds": median(seconds(start) for _ in range(repeats))})
    return rows


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
