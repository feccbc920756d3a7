"""Text through Amazon ML's API on the local server, compared with the local classifier: accuracy and speed.

Seven tenths of the Tobacco-3482 texts, drawn by category, go through ``textclf prepare``, and a model is trained in the
server, with the recipe that ``amazon-ml train`` writes and with others; the rest is predicted. The same documents train
and test the local classifier. Then both predict the unseen texts, several times over: the server in a batch prediction
of a prepared datasource, ``textclf predict`` from a documents CSV, on all cores and on one.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from bench_amazon_server import server
from common import Row, dataset, finish, options, run_textclf
from sklearn.model_selection import train_test_split

from aws_ml_adapter.api.kinds import Kind
from aws_ml_adapter.client.amazon_classifier import AmazonMLClassifier
from aws_ml_adapter.client.client_options import TrainingOptions
from aws_ml_adapter.client.state import StateFile
from textclf.base.tables import write_rows

RECIPES = {
    "as amazon-ml train writes it": TrainingOptions(train_percent=100),
    "with pairs of words": TrainingOptions(train_percent=100, ngrams=2),
    "with pairs, and vectors in bins": TrainingOptions(train_percent=100, ngrams=2, bins=10),
}


def main() -> None:
    logging.basicConfig(level="INFO", format="%(message)s")
    arguments = options("amazon_text", __doc__).parse_args()
    rows = dataset("tobacco3482-ocr", quick=arguments.quick)
    places = np.arange(len(rows))
    train, test = train_test_split(places, test_size=0.3, random_state=0, stratify=[row["category"] for row in rows])
    copies = 2 if arguments.quick else 10
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as url:
        folder = Path(name)
        seen = documents(folder / "train.csv", rows, sorted(train))
        unseen = documents(folder / "test.csv", rows, sorted(test))
        many = documents(folder / "many.csv", rows, sorted(test) * copies)
        run_textclf("prepare", seen, "-o", folder / "prepared")
        classifiers = {
            recipe: AmazonMLClassifier(
                "texts",
                state_file=folder / f"{number}.json",
                endpoint_url=url,
                s3_root=str(folder / "s3"),
                options=settings,
            )
            for number, (recipe, settings) in enumerate(RECIPES.items())
        }
        accuracy: list[Row] = []
        for recipe, classifier in classifiers.items():
            report = classifier.fit(folder / "prepared").evaluate(unseen).report
            accuracy.append(figures(f"Amazon ML's server, recipe {recipe}", report.accuracy, report.macro_f1))
        model = folder / "local.textclf"
        run_textclf("train", seen, "-o", model)
        local = json.loads(run_textclf("evaluate", model, unseen, "-o", folder / "report", "--json"))
        accuracy.append(figures("textclf, local", local["accuracy"], local["macro_f1"]))
        speed = batch_speed(next(iter(classifiers.values())), model, many, folder)
    title = f"Tobacco-3482, trained on {len(train)} documents, accuracy on {len(test)} others"
    finish(arguments, {title: accuracy, f"Predicting {copies * len(test)} documents in one table": speed})


def figures(name: str, accuracy: float, macro_f1: float) -> Row:
    return {"classifier": name, "accuracy": accuracy, "macro F1": macro_f1}


def batch_speed(classifier: AmazonMLClassifier, model: Path, table: Path, folder: Path) -> list[Row]:
    number = sum(1 for _ in classifier.predict(table))
    records = [
        classifier.client.get_batch_prediction(BatchPredictionId=item.id)
        for item in StateFile.open(classifier.state_file).state.created
        if item.kind is Kind.BATCH_PREDICTION
    ]
    seconds = {
        "Amazon ML's server, batch prediction": (records[-1]["FinishedAt"] - records[-1]["StartedAt"]).total_seconds()
    }
    for name, jobs in (("textclf predict, all cores", []), ("textclf predict, one core", ["--jobs", "1"])):
        begun = time.perf_counter()
        run_textclf("predict", model, table, "-o", folder / "predictions.csv", *jobs)
        seconds[name] = time.perf_counter() - begun
    own = number / seconds["textclf predict, all cores"]
    return [
        {"predicts": name, "rows per second": number / taken, "relative to textclf predict": number / taken / own}
        for name, taken in seconds.items()
    ]


def documents(path: Path, rows: Sequence[Mapping[str, str]], chosen: Sequence[int]) -> Path:
    """Write a documents CSV of some rows, each with an id of its own."""
    written = (
        {"document_id": str(i), "text": rows[j]["text"], "category": rows[j]["category"]} for i, j in enumerate(chosen)
    )
    write_rows(path, ["document_id", "text", "category"], written, formulas_safe=False)
    return path


if __name__ == "__main__":
    main()
