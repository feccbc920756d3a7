"""The records and files of completed objects, as seen by an unmodified boto3 client."""

from __future__ import annotations

import gzip
import json

import pytest


def test_a_data_source_reports_what_it_read(server):
    answer = server.client.get_data_source(DataSourceId="ds-train", Verbose=True)
    assert answer["Status"] == "COMPLETED"
    assert answer["Name"] == "name of ds-train"
    assert answer["DataSizeInBytes"] == (server.s3 / "bucket" / "sales.csv").stat().st_size
    assert (answer["NumberOfFiles"], answer["ComputeStatistics"]) == (1, True)
    assert json.loads(answer["DataRearrangement"]) == {"splitting": {"percentBegin": 0, "percentEnd": 70}}
    assert json.loads(answer["DataSourceSchema"])["targetAttributeName"] == "bought"
    assert answer["CreatedByIamUser"] == "arn:aws:iam::000000000000:user/AKIDEXAMPLE"
    assert answer["CreatedAt"] <= answer["StartedAt"] <= answer["FinishedAt"] == answer["LastUpdatedAt"]
    assert "DataSourceSchema" not in server.client.get_data_source(DataSourceId="ds-train")


@pytest.mark.parametrize(
    "request_", [("get_data_source", {"DataSourceId": "ds-train"}), ("get_ml_model", {"MLModelId": "ml-sales"})]
)
def test_compute_time_is_the_processor_time_of_the_job_in_milliseconds(server, request_):
    operation, members = request_
    answer = getattr(server.client, operation)(**members)
    elapsed = (answer["FinishedAt"] - answer["StartedAt"]).total_seconds() * 1_000
    # a job uses one core, and statistics or a training of 280 rows take longer than a tick of the CPU clock
    assert 0 < answer["ComputeTime"] <= elapsed + 1


def test_a_model_reports_what_it_was_created_with(server):
    answer = server.client.get_ml_model(MLModelId="ml-sales", Verbose=True)
    assert answer["TrainingParameters"] == {
        "algorithm": "sgd",
        "sgd.maxMLModelSizeInBytes": "33554432",
        "sgd.maxPasses": "10",
        "sgd.shuffleType": "none",
        "sgd.l1RegularizationAmount": "0.0",
        "sgd.l2RegularizationAmount": "0.0",
    }
    assert answer["InputDataLocationS3"] == "s3://bucket/sales.csv"
    assert answer["ScoreThreshold"] == 0.5
    assert answer["SizeInBytes"] > 0
    assert "ALL_CATEGORICAL" in json.loads(answer["Recipe"])["outputs"]
    assert json.loads(answer["Schema"])["attributes"][0] == {"attributeName": "age", "attributeType": "NUMERIC"}
    listed = server.client.describe_ml_models(FilterVariable="TrainingDataSourceId", EQ="ds-train")["Results"]
    # other tests create models of the same data
    (model,) = (model for model in listed if model["MLModelId"] == "ml-sales")
    assert model["Algorithm"] == "sgd"
    assert "Recipe" not in model


def test_an_evaluation_has_its_metric_as_text(server):
    properties = server.client.get_evaluation(EvaluationId="ev-sales")["PerformanceMetrics"]["Properties"]
    assert list(properties) == ["BinaryAUC"]
    assert 0.95 < float(properties["BinaryAUC"]) <= 1


def test_a_batch_prediction_writes_one_line_a_row(server):
    answer = server.client.get_batch_prediction(BatchPredictionId="bp-sales")
    out = server.s3 / "bucket" / "out" / "batch-prediction"
    manifest = json.loads((out / "bp-sales.manifest").read_text())
    result = "s3://bucket/out/batch-prediction/result/bp-sales-sales.csv.gz"
    assert manifest == {"s3://bucket/sales.csv": result}
    lines = gzip.decompress((out / "result" / "bp-sales-sales.csv.gz").read_bytes()).decode().splitlines()
    assert lines[0] == "trueLabel,bestAnswer,score"
    assert len(lines) - 1 == answer["TotalRecordCount"]
    assert answer["InvalidRecordCount"] == 0
    right = [line.split(",")[0] == line.split(",")[1] for line in lines[1:]]
    assert sum(right) > 0.9 * len(right)
    assert answer["OutputUri"] == "s3://bucket/out/"


FRUIT = {
    "version": "1.0",
    "rowId": "number",
    "dataFormat": "CSV",
    "dataFileContainsHeader": False,
    "attributes": [
        {"attributeName": "number", "attributeType": "CATEGORICAL"},
        {"attributeName": "colour", "attributeType": "CATEGORICAL"},
        {"attributeName": "weight", "attributeType": "NUMERIC"},
        {"attributeName": "fruit", "attributeType": "CATEGORICAL"},
    ],
}


@pytest.fixture(scope="module")
def fruit(server):
    """Data sources of the same fruit, to predict its kind, or its weight."""
    kinds = [("red", 3, "cherry"), ("yellow", 120, "banana"), ("green", 400, "melon")]
    rows = (
        f"f{number},{kinds[number % 3][0]},{kinds[number % 3][1] + number % 7},{kinds[number % 3][2]}"
        for number in range(300)
    )
    server.put("fruit.csv", "\n".join(rows) + "\nf300,red\n")
    for target in ("fruit", "weight"):
        schema = json.dumps(FRUIT | {"targetAttributeName": target})
        server.create_data_source(f"ds-{target}", location="s3://bucket/fruit.csv", DataSchema=schema)


def trained(server, target: str, model_type: str):
    """Train a model, evaluate it, predict all of its data; return metrics, lines and the endpoint's URL."""
    id_ = {"MLModelId": f"ml-{target}"}
    parameters = {"sgd.shuffleType": "auto", "sgd.maxPasses": "20"}
    server.client.create_ml_model(
        **id_, MLModelType=model_type, TrainingDataSourceId=f"ds-{target}", Parameters=parameters
    )
    server.client.create_evaluation(EvaluationId=f"ev-{target}", EvaluationDataSourceId=f"ds-{target}", **id_)
    output = {"BatchPredictionId": f"bp-{target}", "OutputUri": "s3://bucket/fruit"}
    server.client.create_batch_prediction(BatchPredictionDataSourceId=f"ds-{target}", **output, **id_)
    metrics = server.wait("evaluation", f"ev-{target}")["PerformanceMetrics"]["Properties"]
    assert server.wait("batch_prediction", f"bp-{target}")["InvalidRecordCount"] == 1
    result = server.s3 / "bucket" / "fruit" / "batch-prediction" / "result" / f"bp-{target}-fruit.csv.gz"
    server.client.create_realtime_endpoint(**id_)
    return metrics, gzip.decompress(result.read_bytes()).decode().splitlines(), server.ready(f"ml-{target}")


def test_a_model_of_several_classes(server, fruit):
    metrics, lines, url = trained(server, "fruit", "MULTICLASS")
    assert list(metrics) == ["MulticlassAvgFScore"]
    assert float(metrics["MulticlassAvgFScore"]) > 0.95
    assert lines[0] == "tag,trueLabel,banana,cherry,melon"
    assert lines[1].startswith("f0,cherry,")
    assert (lines[301], len(lines)) == ("", 302)
    record = {"colour": "green", "weight": "402", "fruit": "ignored"}
    prediction = server.client.predict(MLModelId="ml-fruit", Record=record, PredictEndpoint=url)["Prediction"]
    assert prediction["predictedLabel"] == "melon"
    assert prediction["details"] == {"PredictiveModelType": "MULTICLASS", "Algorithm": "SGD"}
    scores = prediction["predictedScores"]
    assert max(scores, key=scores.__getitem__) == "melon"
    assert sorted(scores) == ["banana", "cherry", "melon"]
    assert sum(scores.values()) == pytest.approx(1)
    assert "ScoreThreshold" not in server.client.get_ml_model(MLModelId="ml-fruit")
    assert server.refused(server.client.update_ml_model, MLModelId="ml-fruit", ScoreThreshold=0.5)[0] == "InvalidInput"


def test_a_model_of_a_number(server, fruit):
    metrics, lines, url = trained(server, "weight", "REGRESSION")
    assert list(metrics) == ["RegressionRMSE"]
    assert float(metrics["RegressionRMSE"]) < 60
    assert lines[0] == "tag,trueLabel,score"
    assert lines[1].startswith("f0,3,")
    prediction = server.client.predict(
        MLModelId="ml-weight", Record={"colour": "green", "fruit": "melon"}, PredictEndpoint=url
    )
    assert sorted(prediction["Prediction"]) == ["details", "predictedValue"]
    assert 300 < prediction["Prediction"]["predictedValue"] < 500


def test_more_than_a_hundred_classes_are_a_fault_of_the_data(server, source):
    server.put("classes.csv", "".join(f"f{number},red,1,kind {number % 101}\n" for number in range(404)))
    schema = json.dumps(FRUIT | {"targetAttributeName": "fruit"})
    source["DataSpec"] = {"DataLocationS3": "s3://bucket/classes.csv", "DataSchema": schema}
    server.client.create_data_source_from_s3(**source)
    id_ = {"MLModelId": "ml-classes", "TrainingDataSourceId": source["DataSourceId"]}
    server.client.create_ml_model(**id_, MLModelType="MULTICLASS")
    message = server.until_failed("ml_model", "ml-classes")
    assert "100" in message
    assert "classes.csv" in message
