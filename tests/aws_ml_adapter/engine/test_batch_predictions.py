from __future__ import annotations

import csv
import gzip
import io
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ml_adapter.api.batch_output import manifest_location, result_locations
from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.api.parameters import Parameters
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.engine.batch_predictions import number_text, write_predictions
from aws_ml_adapter.engine.learner import train
from aws_ml_adapter.engine.ml_model import MLModel, ModelType
from features.schema import AttributeType, Schema

KINDS = {"paid": ModelType.BINARY, "town": ModelType.MULTICLASS, "age": ModelType.REGRESSION}
ATTRIBUTES = (
    ("id", AttributeType.CATEGORICAL),
    ("note", AttributeType.TEXT),
    ("town", AttributeType.CATEGORICAL),
    ("paid", AttributeType.BINARY),
    ("age", AttributeType.NUMERIC),
)
ROWS = [
    ["a,1", "early", 'Rome, "R"', "Yes", "20"],
    ["b", "late", "Pisa", "f", "70.5"],
    ["c", "early", "Ulm", "1", "35"],
]


def learned(target: str) -> MLModel:
    schema = Schema(attributes=ATTRIBUTES, target=target, row_id="id")
    return train(
        lambda: [ROWS * 5],
        schema=schema,
        recipe=parse_recipe('{"outputs": ["note"]}', schema),
        model_type=KINDS[target],
        parameters=Parameters(shuffle=True),
    )


MODELS = {target: learned(target) for target in KINDS}


def lines(target: str, schema: Schema, rows: list, **options) -> list[str]:
    stream = io.BytesIO()
    counts = write_predictions(MODELS[target], [rows], stream, schema=schema, **options)
    assert counts.total == len(rows)
    assert counts.invalid == rows.count(None)
    text = gzip.decompress(stream.getvalue()).decode()
    assert text.endswith("\n")
    assert "\r" not in text
    return text[:-1].split("\n")


PLAIN = Schema(attributes=ATTRIBUTES[1:2])


@pytest.mark.parametrize(
    ("target", "scores"),
    [("paid", "bestAnswer,score"), ("age", "score"), ("town", 'Pisa,"Rome, ""R""",Ulm')],
)
@pytest.mark.parametrize("row_id", [None, "id"])
@pytest.mark.parametrize("labelled", [False, True])
def test_the_header_says_what_the_data_have(target, scores, row_id, labelled):
    attributes = tuple(pair for pair in ATTRIBUTES if labelled or pair[0] != target)
    schema = Schema(attributes=attributes, row_id=row_id)
    keep = [name in schema.names for name, _ in ATTRIBUTES]
    rows = [[value for value, kept in zip(row, keep, strict=True) if kept] for row in ROWS]
    header, *others = lines(target, schema, rows)
    assert header == ",".join(["tag"] * (row_id is not None) + ["trueLabel"] * labelled + [scores])
    first = next(csv.reader(others[:1]))
    assert len(first) == len(next(csv.reader([header])))
    if row_id:
        assert first[0] == "a,1"
    if labelled:
        assert first[row_id is not None] == {"paid": "1", "age": "20", "town": 'Rome, "R"'}[target]


def test_a_row_that_cannot_be_predicted_leaves_a_blank_line():
    assert [bool(line) for line in lines("paid", PLAIN, [["early"], None, ["late"], None])] == [1, 1, 0, 1, 0]


def test_a_true_label_that_is_missing_or_invalid_is_empty():
    schema = Schema(attributes=ATTRIBUTES[1:], target="paid")
    rows = [["early", "", value, ""] for value in ("", "perhaps", " NO ")]
    assert [line.split(",")[0] for line in lines("paid", schema, rows)] == ["trueLabel", "", "", "0"]


@pytest.mark.parametrize("cell", ["1e30", "12.50", "-0", " 7 "])
def test_a_true_number_is_written_as_in_the_data(cell):
    schema = Schema(attributes=ATTRIBUTES[1:], target="age")
    rows = [["early", "", "", value] for value in (cell, "1e309", "old")]
    assert [line.split(",")[0] for line in lines("age", schema, rows)[1:]] == [cell, "", ""]


@pytest.mark.parametrize(("mean", "digits"), [(30.0, 6), (-1e9, 14), (1e300, 16)])
def test_numbers_far_from_zero_are_distinguished(monkeypatch, mean, digits):
    monkeypatch.setitem(MODELS, "age", replace(MODELS["age"], target=replace(MODELS["age"].target, mean=mean)))
    score = lines("age", PLAIN, [["early"]])[1]
    assert float(score) == pytest.approx(MODELS["age"].predict_record({"note": "early"})[0], abs=1e-4, rel=1e-15)
    assert len(score.lstrip("-").partition("E")[0]) <= digits + 2


@pytest.mark.parametrize("weights", [(3e38, 3e38), (-3e38, -3e38), (3e38, -3e38)])
def test_a_number_that_is_not_finite_is_the_largest(monkeypatch, weights):
    model = MODELS["age"]
    assert len(model.weights) == 2
    extreme = np.array(weights, np.float32)[:, None]
    monkeypatch.setitem(MODELS, "age", replace(model, weights=extreme, intercept=extreme[0]))
    for line in lines("age", PLAIN, [["early"], ["late"], ["early late"]])[1:]:
        assert abs(float(line)) <= sys.float_info.max


def test_the_answer_is_1_from_the_threshold_on():
    score = float(MODELS["paid"].predict_record({"note": "early"})[0])
    for threshold, answer in ((0.0, "1"), (score, "1"), (float(np.nextafter(score, 1)), "0"), (1.0, "0")):
        assert lines("paid", PLAIN, [["early"]], threshold=threshold)[1] == f"{answer},{number_text(score)}"


def test_scores_are_those_of_the_model():
    written = lines("town", PLAIN, [["early"], ["late"]])[1:]
    scores, _ = MODELS["town"].predict([["early"], ["late"]], PLAIN)
    found = np.array([[float(value) for value in line.split(",")] for line in written])
    np.testing.assert_allclose(found, scores, rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_a_column_for_the_best_class_may_be_had():
    header, line = lines("town", PLAIN, [["late"]], best_answer=True)
    assert header.startswith("bestAnswer,Pisa,")
    assert line.startswith("Pisa,")


def test_the_same_predictions_give_the_same_bytes():
    first, second = io.BytesIO(), io.BytesIO()
    for stream in (first, second):
        write_predictions(MODELS["age"], [[["early"]]], stream, schema=PLAIN)
    assert first.getvalue() == second.getvalue()


# scores in files of the real service have this format: 1.945252E-5
@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_numbers_have_the_form_of_the_service(value):
    text = number_text(value)
    assert re.fullmatch(r"-?\d(\.\d{0,5}[1-9])?E(0|-?[1-9]\d*)", text)
    assert float(text) == pytest.approx(value, rel=1e-6)


def test_places_of_the_files():
    for uri in ("s3://bucket/out", "s3://bucket/out/"):
        assert manifest_location(uri, "bp-1") == "s3://bucket/out/batch-prediction/bp-1.manifest"
        assert result_locations(uri, "bp-1", ["s3://b/x/data.csv"]) == {
            "s3://b/x/data.csv": "s3://bucket/out/batch-prediction/result/bp-1-data.csv.gz"
        }
    with pytest.raises(DataFault, match="two data files have this name"):
        result_locations("s3://bucket/out", "bp-1", ["s3://b/x/data.csv", "s3://b/y/data.csv"])
