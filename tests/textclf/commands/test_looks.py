from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from textclf import load
from textclf.base.look_format import SIZE, encode_look
from textclf.commands.running import run


@pytest.fixture(scope="module")
def looking(tmp_path_factory, corpus, table):
    """A documents CSV of papers of which two kinds have the same words and another look."""
    draw = np.random.default_rng(0)
    typical = {kind: draw.random(SIZE) for kind in ("invoice", "letter", "receipt")}
    found = corpus(12)
    rows = []
    for i, (name, text, kind) in enumerate(found.rows()):
        if kind == "receipt":
            text = corpus(1, seed=500 + i, categories=("letter",)).texts[0]
        rows.append((name, text, kind, encode_look(typical[kind] + draw.normal(0, 0.2, SIZE))))
    path = tmp_path_factory.mktemp("looks") / "documents.csv"
    return table(path, rows, header=("document_id", "text", "category", "page_look"))


@pytest.fixture(scope="module")
def features(lexicon_file):
    """Options for features that are quick to learn."""
    return ("--lexicon", str(lexicon_file), "--vector-size", "4")


QUICK = ("--max-error", "0.3", "--no-diagnostics", "--no-background", "--jobs", "1")


@pytest.fixture(scope="module")
def model(tmp_path_factory, looking, features):
    """A model that the command trained on it."""
    path = tmp_path_factory.mktemp("model") / "model.textclf"
    assert run(["train", str(looking), "-o", str(path), *features, *QUICK]) == 0
    return path


def right_share(predictions, looking):
    with looking.open(encoding="utf-8") as file:
        truth = {row["document_id"]: row["category"] for row in csv.DictReader(file)}
    return np.mean([row["predicted_category"] == truth[row["document_id"]] for row in predictions])


def test_training_and_predicting_use_the_looks_of_a_table(textclf, tmp_path, looking, model, read_table):
    assert load(model).training.groups[-1].features == "text + keywords + vectors + look"
    assert textclf("predict", model, looking, "-o", tmp_path / "predictions.csv").code == 0
    assert right_share(read_table(tmp_path / "predictions.csv"), looking) > 0.95


def test_training_uses_the_looks_of_a_prepared_folder(textclf, tmp_path, looking, features, model):
    assert textclf("prepare", looking, "-o", tmp_path / "prepared", *features).code == 0
    trained = tmp_path / "model.textclf"
    assert textclf("train", tmp_path / "prepared", "-o", trained, *QUICK).code == 0
    assert load(trained).training.groups == load(model).training.groups


def test_model_info_tells_what_the_look_is_worth(textclf, model):
    said = textclf("model", "info", model).out
    assert "by text alone" in said
    assert "by look alone" in said
    facts = json.loads(textclf("model", "info", model, "--json").out)
    assert facts["training"]["look_alone"]["documents"] == 36


def test_evaluating_uses_the_looks_and_explains_errors_by_them(textclf, tmp_path, looking, model):
    assert textclf("evaluate", model, looking, "-o", tmp_path / "report").code == 0
    figures = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert figures["accuracy"] > 0.95
