"""Speed of prediction: many documents, one, two workers, cold starts; compared with scikit-learn and fastText.

All are trained on the Tobacco-3482 texts and predict distinct corrupted copies of them, in turns. No text is predicted
twice by one process, as textclf caches words; the texts for warming up are different ones. fastText's command
has character n-grams (``-minn 2 -maxn 5``) and its defaults otherwise.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import joblib
import numpy as np
from common import ROOT, Row, corrupted, finish, options, run_textclf, tobacco
from peers import peer

from textclf import DocumentClassifier, LocalClient, load, predict_document_category
from textclf.base.tables import write_rows

SVM = "word + character SVM"
LOGISTIC = "TF-IDF + logistic regression"
RATES, WARM_RATE = (0.02, 0.04, 0.06, 0.08), 0.01
"""Share of misread characters in the texts predicted, and in those that warm up."""
WORDS = 300
"""In a text that is predicted alone."""
JOBS = 2


def main() -> None:
    parser = options("prediction", __doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs to take the median of (default %(default)s)")
    arguments = parser.parse_args()
    repeats = 2 if arguments.quick else arguments.repeats
    texts, categories = tobacco(quick=arguments.quick)
    known = {*texts, *(warming := corrupted(texts[:64], WARM_RATE))}
    fresh = [text for rate in RATES for text in corrupted(texts, rate) if not (text in known or known.add(text))]
    # so that each pass gets texts of all kinds
    fresh = [text for start in range(repeats) for text in fresh[start::repeats]]
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        training = train(work, texts, categories)
        mean = sum(map(len, fresh)) / len(fresh)
        finish(
            arguments,
            {
                f"Training on {len(texts)} documents, {JOBS} cores": training,
                f"Warm, in one process: {len(fresh)} documents of {mean:,.0f} characters": many(
                    work, warming, fresh, repeats
                ),
                f"Whole commands, from file to file: {len(fresh)} documents": commands(work, fresh, repeats),
                f"Warm, one document of {WORDS} words after the other": single(work, warming, fresh),
                f"Cold start, median of {repeats}": cold(work, texts[0], repeats),
            },
        )


def train(work: Path, texts: list[str], categories: list[str]) -> list[Row]:
    """Train all classifiers and write their files into the folder."""
    classifier, svm, logistic = DocumentClassifier(n_jobs=JOBS), peer(SVM), peer(LOGISTIC)
    classifiers = {f"{SVM}, no calibration": svm, LOGISTIC: logistic, "textclf, with thresholds": classifier}
    rows: list[Row] = []
    for name, estimator in classifiers.items():
        print(f"training {name}", file=sys.stderr)
        rows.append({"trains": name, "seconds": seconds(partial(estimator.fit, texts, categories))})
    classifier.save(work / "model.textclf")
    joblib.dump(svm, work / "svm.joblib")
    joblib.dump(logistic, work / "logistic.joblib")
    if not shutil.which("fasttext"):
        print("skipped: fastText, as the command fasttext is missing", file=sys.stderr)
        return rows
    lines = [f"__label__{category} {line(text)}\n" for category, text in zip(categories, texts, strict=True)]
    (work / "train.txt").write_text("".join(lines), encoding="utf-8")
    command = ["fasttext", "supervised", "-input", work / "train.txt", "-output", work / "fasttext"]
    command += ["-minn", "2", "-maxn", "5", "-thread", str(JOBS), "-verbose", "0"]
    return [*rows, {"trains": "fastText", "seconds": seconds(partial(run, *command))}]


def many(work: Path, warming: list[str], fresh: list[str], repeats: int) -> list[Row]:
    """Predict each part of the texts with textclf and with the SVM pipeline."""
    model = load(work / "model.textclf")
    ways: dict[str, Callable[[list[str]], Any]] = {
        f"{SVM}: predict": joblib.load(work / "svm.joblib").predict,
        "textclf: Model.pipe": lambda texts: list(model.pipe(texts)),
    }
    per_second: dict[str, list[float]] = {name: [] for name in ways}
    for predict in ways.values():
        predict(warming)
    for part in np.array_split(np.arange(len(fresh)), repeats):
        for name, predict in ways.items():
            taken = seconds(partial(predict, [fresh[i] for i in part]))
            per_second[name].append(len(part) / taken)
    first = median(next(iter(per_second.values())))
    return [
        {"predicts": name, "documents per second": median(found), "relative to the first": median(found) / first}
        for name, found in per_second.items()
    ]


def commands(work: Path, fresh: list[str], repeats: int) -> list[Row]:
    """Predict all texts with commands; each run is a new process."""
    model = work / "model.textclf"
    for name, texts in (("one", fresh[:1]), ("all", fresh)):
        rows = ({"document_id": str(i), "text": text} for i, text in enumerate(texts))
        write_rows(work / f"{name}.csv", ["document_id", "text"], rows, formulas_safe=False)
        (work / f"{name}.txt").write_text("".join(f"{line(text)}\n" for text in texts), encoding="utf-8")

    def ours(jobs: int, name: str) -> None:
        run_textclf("predict", model, work / f"{name}.csv", "-o", work / "out.csv", "--jobs", str(jobs))

    ways: dict[str, Callable[[str], object]] = {
        f"textclf predict --jobs {jobs}": partial(ours, jobs) for jobs in (1, JOBS)
    }
    if (work / "fasttext.bin").exists():
        ways["fasttext predict"] = lambda name: run("fasttext", "predict", work / "fasttext.bin", work / f"{name}.txt")
    found: dict[str, dict[str, list[float]]] = {name: {"one": [], "all": []} for name in ways}
    for number in range(repeats):
        print(f"commands, run {number + 1} of {repeats}", file=sys.stderr)
        for name, way in ways.items():
            for size, taken in found[name].items():
                taken.append(seconds(partial(way, size)))
    whole = {name: len(fresh) / median(taken["all"]) for name, taken in found.items()}
    less = {name: len(fresh) / (median(taken["all"]) - median(taken["one"])) for name, taken in found.items()}
    first = next(iter(ways))
    return [
        {
            "command": name,
            "documents per second": whole[name],
            "without start-up": less[name],
            "relative to the first": whole[name] / whole[first],
            "without start-up, relative to the first": less[name] / less[first],
        }
        for name in ways
    ]


def single(work: Path, warming: list[str], fresh: list[str]) -> list[Row]:
    """Predict texts of ``WORDS`` words one after the other, in turns."""
    client, logistic = LocalClient(load(work / "model.textclf")), joblib.load(work / "logistic.joblib")
    ways: dict[str, Callable[[str], object]] = {
        f"{LOGISTIC}: predict_proba": lambda text: logistic.predict_proba([text]),
        "textclf: predict_document_category": lambda text: predict_document_category(client, text),
    }
    texts = [text[: words[WORDS - 1].end()] for text in fresh if len(words := list(re.finditer(r"\S+", text))) >= WORDS]
    milliseconds: dict[str, list[float]] = {name: [] for name in ways}
    for text in warming:
        for way in ways.values():
            way(text)
    for text in texts:
        for name, way in ways.items():
            milliseconds[name].append(seconds(partial(way, text)) * 1000)
    return [
        {
            "predicts": name,
            "documents": len(found),
            "p50 ms": float(np.percentile(found, 50)),
            "p99 ms": float(np.percentile(found, 99)),
        }
        for name, found in milliseconds.items()
    ]


def cold(work: Path, text: str, repeats: int) -> list[Row]:
    model, documents, cache = work / "model.textclf", work / "one.csv", work / "pages"
    script = (
        "import csv, sys, joblib; sys.path.insert(0, sys.argv[1]); pipeline = joblib.load(sys.argv[2]); "
        "print(pipeline.predict([row['text'] for row in csv.DictReader(open(sys.argv[3], newline=''))]))"
    )
    write_rows(documents, ["document_id", "text"], [{"document_id": "1", "text": text}], formulas_safe=False)
    page = min((ROOT / "data" / "scans").rglob("*.png"))
    starts: dict[str, Callable[[], object]] = {
        "python -c pass": partial(run, sys.executable, "-c", "pass"),
        "textclf --help": partial(run_textclf, "--help"),
        "textclf predict, 1 document": partial(run_textclf, "predict", model, documents, "-o", work / "out.csv"),
        # read once before, so that OCR comes from the cache
        "textclf classify, 1 page from the cache": partial(run_textclf, "classify", model, page, "--cache", cache),
        "joblib.load and predict, 1 document": partial(
            run, sys.executable, "-c", script, ROOT / "benchmarks", work / "svm.joblib", documents
        ),
    }
    rows: list[Row] = []
    for name, start in starts.items():
        start()
        rows.append({"starts": name, "seconds": median(seconds(start) for _ in range(repeats))})
    return rows


def line(text: str) -> str:
    """Return a text as fastText reads it: on one line, in lower case."""
    return " ".join(text.lower().split())


def run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
