from __future__ import annotations

import csv
import io
import os
import random
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from aws_ml_adapter.__main__ import main
from aws_ml_adapter.client.amazon_classifier import AmazonMLClassifier
from textclf import DocumentClassifier
from textclf.commands.prepare import prepare_datasource
from textclf.data.sources import TableOptions

OWN_WORDS = {
    "invoice": "invoice total due vat number net gross payment terms bank",
    "letter": "dear madam sincerely yours regards write answer kind aunt love",
    "receipt": "cash change thank till item price card shop euro coins",
}
COMMON_WORDS = "the of and a to in is on by for"


def _write_documents(path: Path, each: int, *, seed: int, first: int = 0) -> Path:
    """Texts in which two words of five depend on the category."""
    draw = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["document_id", "text", "category"])
        for number in range(first, first + each):
            for category, own in OWN_WORDS.items():
                words = [draw.choice((own if draw.random() < 0.4 else COMMON_WORDS).split()) for _ in range(30)]
                writer.writerow([f"{category}-{number:03}", " ".join(words), category])
    return path


@pytest.fixture(scope="session")
def write_documents() -> Callable[..., Path]:
    return _write_documents


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    """The output of `textclf prepare` for 135 documents."""
    folder = tmp_path_factory.mktemp("prepared")
    table = _write_documents(folder / "documents.csv", 45, seed=1)
    classifier = DocumentClassifier(vector_size=4)
    prepare_datasource(table, folder, classifier, TableOptions())
    return folder


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.fixture(scope="session")
def server(make_lasting_server):
    return make_lasting_server("--rate", "100000")


@pytest.fixture(scope="session")
def new_classifier(server) -> Callable[..., AmazonMLClassifier]:
    def new(path: Path, **changes) -> AmazonMLClassifier:
        settings = {"state_file": path, "endpoint_url": server.url, "s3_root": str(server.s3), "timeout": 60} | changes
        return AmazonMLClassifier("documents", "kinds", **settings)

    return new


@pytest.fixture(scope="session")
def trained(new_classifier, prepared, tmp_path_factory):
    """The state file of a trained and evaluated model."""
    path = tmp_path_factory.mktemp("trained") / "model.json"
    classifier = new_classifier(path).fit(prepared)
    classifier.evaluate(max_error=0.2)
    return path


class Done(NamedTuple):
    stdout: str
    stderr: str


def _command(*arguments: object, check: int = 0) -> Done:
    """Run the console command in this process, and check its exit code."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
        patch.setattr(sys, "argv", ["amazon-ml", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
    assert code == check, stderr.getvalue()
    return Done(stdout.getvalue(), stderr.getvalue())


@pytest.fixture
def command() -> Callable[..., Done]:
    return _command
