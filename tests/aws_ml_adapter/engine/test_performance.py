from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score, root_mean_squared_error

from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.api.parameters import Parameters
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.engine.learner import train
from aws_ml_adapter.engine.ml_model import MLModel, ModelType
from aws_ml_adapter.engine.performance import BinaryScores, Confusion, Evaluation, Residuals, evaluate
from features.schema import AttributeType, Schema
from textclf.base.errors import BadDataError

KINDS = {
    ModelType.BINARY: AttributeType.BINARY,
    ModelType.MULTICLASS: AttributeType.CATEGORICAL,
    ModelType.REGRESSION: AttributeType.NUMERIC,
}


def made(model_type: ModelType, count: int, seed: int) -> list[list[str]]:
    """Make rows of a number that is correlated with the target."""
    random = np.random.default_rng(seed)
    x = random.normal(size=count)
    y = x + random.normal(size=count)
    match model_type:
        case ModelType.BINARY:
            targets = np.where(y > 0, "true", "N").tolist()
        case ModelType.MULTICLASS:
            targets = np.array(["low", "mid", "high"])[np.digitize(y, [-0.5, 1])].tolist()
        case ModelType.REGRESSION:
            targets = [repr(value) for value in y.tolist()]
    return [list(row) for row in zip(map(repr, x.tolist()), targets, strict=True)]


def schema_of(model_type: ModelType) -> Schema:
    return Schema(attributes=(("x", AttributeType.NUMERIC), ("y", KINDS[model_type])), target="y")


@pytest.fixture(scope="module", params=list(ModelType))
def model(request) -> MLModel:
    schema = schema_of(request.param)
    return train(
        lambda: [made(request.param, 300, 1)],
        schema=schema,
        recipe=parse_recipe('{"outputs": ["x"]}', schema),
        model_type=request.param,
        parameters=Parameters(shuffle=True),
    )


def test_metrics_are_those_of_scikit_learn(model):
    rows = made(model.type, 200, 2)
    evaluation = evaluate(model, [rows[:150], rows[150:]], model.schema)
    scores, _ = model.predict(rows, model.schema)
    truth = np.array([row[1] for row in rows])
    match model.type:
        case ModelType.BINARY:
            name, wanted, baseline = "BinaryAUC", roc_auc_score(truth == "true", scores[:, 0]), 0.5
        case ModelType.MULTICLASS:
            answers = np.array(model.target.classes)[scores.argmax(axis=1)]
            name, wanted = "MulticlassAvgFScore", f1_score(truth, answers, average="macro")
            most = model.target.classes[int(np.argmax(model.target.counts))]
            baseline = f1_score(truth, [most] * len(truth), average="macro")
        case ModelType.REGRESSION:
            numbers = truth.astype(float)
            name, wanted = "RegressionRMSE", root_mean_squared_error(numbers, scores[:, 0])
            baseline = root_mean_squared_error(numbers, [model.target.mean] * len(rows))
    assert evaluation.metric == pytest.approx(wanted, rel=1e-6)
    assert evaluation.baseline == pytest.approx(baseline)
    assert evaluation.properties == {name: repr(evaluation.metric)}
    assert (evaluation.rows, evaluation.invalid_rows, evaluation.alerts) == (200, 0, ())


def test_details_count_every_row(model):
    rows = made(model.type, 200, 2)
    evaluation = evaluate(model, [rows], model.schema)
    match evaluation.details:
        case BinaryScores(negatives=negatives, positives=positives):
            assert len(negatives) == len(positives) == 100
            assert sum(positives) == sum(row[1] == "true" for row in rows)
            counts = [*negatives, *positives]
        case Confusion(classes=classes, counts=table):
            assert [sum(line) for line in table] == [sum(row[1] == name for row in rows) for name in classes]
            assert np.mean(evaluation.details.f_scores()) == pytest.approx(evaluation.metric)
            counts = [count for line in table for count in line]
        case Residuals(edges=edges, counts=counts):
            assert len(edges) == len(counts) + 1
            assert list(edges) == sorted(edges)
    assert sum(counts) == 200


def test_an_evaluation_survives_json(model):
    evaluation = evaluate(model, [made(model.type, 50, 3)], model.schema)
    assert Evaluation.from_json(evaluation.to_json()) == evaluation


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"type": "BINARY"}', '{"type": "CLUSTER", "details": {}}', "[" * 99_999]
)
def test_other_files_than_evaluations_are_refused(text):
    with pytest.raises(BadDataError):
        Evaluation.from_json(text)


def test_rows_without_a_usable_target_are_counted_and_left_out(model):
    rows = made(model.type, 100, 4)
    unusable = [None, ["1", ""]] if model.type is ModelType.MULTICLASS else [None, ["1", ""], ["1", "perhaps"]]
    evaluation = evaluate(model, [[*rows, *unusable]], model.schema)
    assert (evaluation.rows, evaluation.invalid_rows) == (100, len(unusable))
    assert evaluation.metric == evaluate(model, [rows], model.schema).metric
    assert any("not used" in alert for alert in evaluation.alerts)


def test_alerts_say_what_makes_the_metric_doubtful(model):
    few = made(model.type, 29, 5)
    skewed = [row for row in made(model.type, 400, 6) if row[1] in ("true", "high") or row[1][0] in "123456789"]
    other = Schema(attributes=(("x", AttributeType.TEXT), *model.schema.attributes[1:]), target="y")
    assert any("less than 10%" in alert for alert in evaluate(model, [few], model.schema).alerts)
    assert any("schema differs" in alert for alert in evaluate(model, [few], other).alerts)
    # a row of the other class, so that there is a ROC curve
    assert any("another distribution" in a for a in evaluate(model, [[*skewed, few[0], few[1]]], model.schema).alerts)


def test_data_that_cannot_be_evaluated(model):
    aimless = Schema(attributes=model.schema.attributes[:1])
    with pytest.raises(DataFault, match="lack the target 'y'"):
        evaluate(model, [[["1"]]], aimless)
    with pytest.raises(DataFault, match="no row has a usable value"):
        evaluate(model, [[None, ["1", ""]]], model.schema)
    with pytest.raises(DataFault, match="no row has a usable value"):
        evaluate(model, [], model.schema)
    if model.type is ModelType.BINARY:
        with pytest.raises(DataFault, match="same value"):
            evaluate(model, [[["1", "yes"], ["2", "t"]]], model.schema)


def test_classes_that_the_model_lacks_count_as_missed(model):
    if model.type is not ModelType.MULTICLASS:
        return
    rows = [*made(model.type, 90, 7), *([["0", "odd"]] * 10)]
    evaluation = evaluate(model, [rows], model.schema)
    known = evaluate(model, [rows[:90]], model.schema)
    assert isinstance(evaluation.details, Confusion)
    assert evaluation.details.classes == ("high", "low", "mid", "odd")
    assert evaluation.details.f_scores()[-1] == 0
    assert evaluation.metric < known.metric
    two = evaluate(model, [[row for row in rows if row[1] in ("low", "mid")]], model.schema)
    assert isinstance(two.details, Confusion)
    assert two.details.f_scores()[0] is None
    strangers = [["0", f"class {i}"] for i in range(101)]
    assert evaluate(model, [strangers[1:]], model.schema).metric == 0


def test_too_many_classes_are_reported_before_all_rows_are_read(model):
    if model.type is not ModelType.MULTICLASS:
        return

    def batches():
        yield [["0", f"class {i}"] for i in range(101)]
        pytest.fail("there is no use in more rows")

    with pytest.raises(DataFault, match="more than 100 classes"):
        evaluate(model, batches(), model.schema)
