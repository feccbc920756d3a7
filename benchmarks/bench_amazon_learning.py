"""Training of the local Amazon ML server compared with scikit-learn's SGDClassifier: seconds and peak memory.

Both learn from a CSV file of 100 MB that this script makes: documents of about 300 words, drawn by Zipf's law, a fifth
of them from the words of their class, with two numbers and a category. Both have the same features (those of the
recipe, made by the server's code), passes and number of classes, and one learning rate; the server's learner is also
measured with its five rates. Each runs in a process of its own, one after the other.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import ROOT, Row, finish, options
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

from aws_ml_adapter.api.kinds import ModelType
from aws_ml_adapter.api.parameters import Parameters
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.engine.csv_data import DataFile, Rows, read_batches
from aws_ml_adapter.engine.feature_plan import Features
from aws_ml_adapter.engine.learner import RATES, train
from aws_ml_adapter.engine.targets import TargetValues
from aws_ml_adapter.engine.transforms import Transforms
from features.schema import AttributeType, Schema

PASSES = 10
WORDS = 50_000
RECIPE = '{"outputs": ["ngram(lowercase(text), 2)", "quantile_bin(ALL_NUMERIC, 20)", "ALL_CATEGORICAL"]}'
LEARNERS = {
    "ours, one learning rate": (0.1,),
    "ours, five learning rates": RATES,
    "SGDClassifier on the same features": None,
}


def main() -> None:
    parser = options("amazon_learning", __doc__)
    parser.add_argument("--learner", choices=LEARNERS, help="run this one only, on --data; used by the script itself")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--classes", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.learner:
        print(json.dumps(measure(arguments.learner, arguments.data, arguments.classes)))
        return
    size = 5_000_000 if arguments.quick else 100_000_000
    tables: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for classes in (2, 10):
            data = Path(folder) / f"{classes}.csv"
            rows = write_data(data, size, classes)
            title = f"{classes} classes, {rows} rows, {data.stat().st_size / 1e6:.0f} MB of CSV, {PASSES} passes"
            tables[title] = [run(learner, data, classes) for learner in LEARNERS]
    finish(arguments, tables)


def run(learner: str, data: Path, classes: int) -> Row:
    print(f"{learner}, {classes} classes", file=sys.stderr)
    command = [sys.executable, __file__, "--learner", learner, "--data", str(data), "--classes", str(classes)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    measured: Row = json.loads(done.stdout)
    return {"learner": learner, **measured}


def measure(learner: str, path: Path, classes: int) -> Row:
    kind = ModelType.BINARY if classes == 2 else ModelType.MULTICLASS
    schema = Schema(
        attributes=(
            ("text", AttributeType.TEXT),
            ("size", AttributeType.NUMERIC),
            ("age", AttributeType.NUMERIC),
            ("source", AttributeType.CATEGORICAL),
            ("class", kind.target_type),
        ),
        target="class",
    )
    recipe = parse_recipe(RECIPE, schema)
    file = DataFile(name=path.name, size=path.stat().st_size, chunks=lambda: chunks(path))

    def read() -> Iterator[Rows]:
        return read_batches([file], schema)

    started = time.perf_counter()
    rates = LEARNERS[learner]
    if rates is not None:
        parameters = Parameters(max_passes=PASSES, shuffle=True)
        train(read, schema=schema, recipe=recipe, model_type=kind, parameters=parameters, rates=rates)
        fitted = started
    else:
        targets = TargetValues(schema, kind)
        transforms = Transforms.fit(recipe, schema, read)
        places = transforms.places(schema)
        parts = [transforms.transform(targets.take(batch), places) for batch in read()]
        matrix = as_matrix(parts)
        _, values = targets.finish()
        fitted = time.perf_counter()
        SGDClassifier(loss="log_loss", max_iter=PASSES, tol=None, random_state=0).fit(matrix, values)
    ended = time.perf_counter()
    return {
        "seconds": ended - started,
        "of them in fit": ended - fitted if rates is None else None,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }


def as_matrix(parts: list[Features]) -> csr_matrix:
    _, columns = np.unique(np.concatenate([part.keys for part in parts]), return_inverse=True)
    values = np.concatenate([part.values for part in parts])
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    return csr_matrix((values, columns.astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)))


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


def write_data(path: Path, size: int, classes: int) -> int:
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, WORDS + 1)
    steps = np.cumsum(shares / shares.sum())
    written = rows = 0
    with path.open("w", encoding="utf-8") as file:
        written += file.write("text,size,age,source,class\n")
        while written < size:
            label = int(random.integers(classes))
            words = np.searchsorted(steps, random.random(int(random.integers(200, 400))))
            # each class reverses the ranks of its own part of the words
            own = random.random(len(words)) < 0.2
            words[own] = (words[own] * 7 + 1_000 * label) % WORDS
            text = " ".join([f"w{word}" for word in words.tolist()])
            numbers = f"{random.normal(label):.4f},{random.exponential():.4f}"
            written += file.write(f"{text},{numbers},{'abcdefgh'[random.integers(8)]},{label}\n")
            rows += 1
    return rows


if __name__ == "__main__":
    main()
