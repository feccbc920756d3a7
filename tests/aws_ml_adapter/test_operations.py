"""All operations, paginators and waiters, as an unmodified boto3 client meets them."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import time

import numpy as np
import pytest
from botocore.exceptions import ClientError, WaiterError

from aws_ml_adapter.model import load_model
from aws_ml_adapter.service.errors import ServiceError
from aws_ml_adapter.service.realtime import Mounted
from aws_ml_adapter.service.validation import service_model

SCHEMA_WITHOUT_TARGET = {
    "version": "1.0",
    "dataFormat": "CSV",
    "dataFileContainsHeader": True,
    "variables": [{"fieldName": "age", "fieldType": "NUMERIC"}, {"fieldName": "note", "fieldType": "TEXT"}],
}
RECIPE = '{"outputs": ["quantile_bin(age, 10)", "town", "ngram(lowercase(note), 2) // both"]}'


def refused(call, **request) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"].removesuffix("Exception"), error["Message"]


def until_failed(server, kind: str, id_: str) -> str:
    return server.wait(kind, id_, until=("FAILED",))["Message"]


@pytest.fixture
def source(server, numbers=itertools.count()):  # noqa: B008 - one for all tests
    """The arguments of a data source that nobody has made yet."""
    return {
        "DataSourceId": f"ds-{next(numbers)}",
        "DataSpec": {"DataLocationS3": "s3://bucket/sales.csv"},
        "ComputeStatistics": True,
    }


# --- the way through


def test_a_data_source_tells_what_it_read(server):
    answer = server.client.get_data_source(DataSourceId="ds-train", Verbose=True)
    assert answer["Status"] == "COMPLETED"
    assert answer["Name"] == "name of ds-train"
    assert answer["DataSizeInBytes"] == (server.s3 / "bucket" / "sales.csv").stat().st_size
    assert (answer["NumberOfFiles"], answer["ComputeStatistics"]) == (1, True)
    assert json.loads(answer["DataRearrangement"]) == {"splitting": {"percentBegin": 0, "percentEnd": 70}}
    assert json.loads(answer["DataSourceSchema"])["targetAttributeName"] == "bought"
    assert answer["CreatedByIamUser"] == "arn:aws:iam::000000000000:user/AKIDEXAMPLE"
    assert answer["CreatedAt"] <= answer["StartedAt"] <= answer["FinishedAt"] == answer["LastUpdatedAt"]
    assert answer["ComputeTime"] >= 0
    assert "DataSourceSchema" not in server.client.get_data_source(DataSourceId="ds-train")


def test_a_model_tells_what_it_was_made_with(server):
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
    assert [model["Algorithm"] for model in listed] == ["sgd"]
    assert "Recipe" not in listed[0]


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


def test_a_real_time_endpoint_from_beginning_to_end(server):
    client, record = server.client, {"age": "70", "note": "yes and so", "town": "Rome"}
    assert (
        refused(client.predict, MLModelId="ml-sales", Record=record, PredictEndpoint=server.url)[0]
        == "PredictorNotMounted"
    )
    made = client.create_realtime_endpoint(MLModelId="ml-sales")["RealtimeEndpointInfo"]
    assert (made["EndpointStatus"], made["PeakRequestsPerSecond"]) == ("UPDATING", 0)
    url = server.ready("ml-sales")
    again = client.create_realtime_endpoint(MLModelId="ml-sales")["RealtimeEndpointInfo"]
    assert again == made | {"EndpointStatus": "READY", "PeakRequestsPerSecond": 100_000}
    assert "ml-sales" in [
        model["MLModelId"]
        for model in client.describe_ml_models(FilterVariable="RealtimeEndpointStatus", EQ="READY")["Results"]
    ]
    # another path before it, as behind a gateway: the client keeps its own
    yes = server.connect(url=f"{server.url}/aml/prefix").predict(
        MLModelId="ml-sales", Record=record, PredictEndpoint=url
    )
    prediction = yes["Prediction"]
    assert prediction["predictedLabel"] == "1"
    assert list(prediction["predictedScores"]) == ["1"]
    assert prediction["details"] == {"PredictiveModelType": "BINARY", "Algorithm": "SGD"}
    score = prediction["predictedScores"]["1"]
    assert score == float(np.float32(score)) > 0.5
    no = client.predict(MLModelId="ml-sales", Record={"age": "20", "note": "no"}, PredictEndpoint=url)["Prediction"]
    assert no["predictedLabel"] == "0"
    assert no["predictedScores"]["0"] < 0.5
    client.update_ml_model(MLModelId="ml-sales", ScoreThreshold=score + 1e-9)
    changed = client.predict(MLModelId="ml-sales", Record=record, PredictEndpoint=url)["Prediction"]
    assert (changed["predictedLabel"], changed["predictedScores"]) == ("0", {"0": score})
    client.update_ml_model(MLModelId="ml-sales", ScoreThreshold=0.5)
    gone = client.delete_realtime_endpoint(MLModelId="ml-sales")["RealtimeEndpointInfo"]
    assert gone == {"EndpointStatus": "NONE", "PeakRequestsPerSecond": 0}
    assert refused(client.predict, MLModelId="ml-sales", Record=record, PredictEndpoint=url)[0] == "PredictorNotMounted"
    assert refused(client.predict, MLModelId="none", Record=record, PredictEndpoint=url)[0] == "ResourceNotFound"


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
    """Train a model, evaluate it, predict all of its data; give the metrics, the lines and the URL to ask."""
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
    assert refused(server.client.update_ml_model, MLModelId="ml-fruit", ScoreThreshold=0.5)[0] == "InvalidInput"


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
    message = until_failed(server, "ml_model", "ml-classes")
    assert "100" in message
    assert "classes.csv" in message


def test_a_record_may_hold_anything_but_too_much(server):
    client = server.client
    client.create_realtime_endpoint(MLModelId="ml-sales")
    url = server.ready("ml-sales")
    for record in ({}, {"age": ""}, {"age": "old", "colour": "red"}, {"bought": "1"}, {"note": "é\x00" * 1000}):
        prediction = client.predict(MLModelId="ml-sales", Record=record, PredictEndpoint=url)["Prediction"]
        assert prediction["predictedLabel"] in ("0", "1")
    record = {"note": "x" * 102_401}
    assert refused(client.predict, MLModelId="ml-sales", Record=record, PredictEndpoint=url)[0] == "InvalidInput"
    client.delete_realtime_endpoint(MLModelId="ml-sales")


def test_an_endpoint_answers_so_many_requests_a_second(server):
    now = [100.0]
    model = load_model(next((server.folder / "data" / "objects").glob("*/model.zip")))
    mounted = Mounted(model, threshold=0.5, rate=5, clock=lambda: now[0])

    def answered(requests: int) -> int:
        count = 0
        for _ in range(requests):
            with contextlib.suppress(ServiceError):
                mounted.predict({})
                count += 1
        return count

    assert answered(9) == 5
    now[0] += 0.4
    assert answered(9) == 2
    now[0] += 1_000
    assert answered(9) == 5


@pytest.mark.slow
def test_a_client_that_asks_too_often_is_told_so(server, make_server):
    limited = make_server("--rate", "5")
    limited.put("sales.csv", (server.s3 / "bucket" / "sales.csv").read_bytes())
    limited.put("sales.csv.schema", (server.s3 / "bucket" / "sales.csv.schema").read_bytes())
    limited.create_data_source("ds-train")
    limited.client.create_ml_model(MLModelId="ml-1", MLModelType="BINARY", TrainingDataSourceId="ds-train")
    limited.wait("ml_model", "ml-1")
    limited.client.create_realtime_endpoint(MLModelId="ml-1")
    request = {"MLModelId": "ml-1", "Record": {}, "PredictEndpoint": limited.ready("ml-1")}
    for _ in range(5):
        limited.client.predict(**request)
    assert refused(limited.client.predict, **request)[0] == "LimitExceeded"
    time.sleep(0.5)
    limited.client.predict(**request)
    # botocore waits and tries again by itself
    patient = limited.connect(retries={"mode": "standard", "total_max_attempts": 4})
    for _ in range(6):
        patient.predict(**request)


# --- creating


def test_parents_may_be_pending_and_children_follow(server, source):
    client, id_ = server.client, source["DataSourceId"]
    client.create_data_source_from_s3(**source)
    parameters = {"sgd.maxPasses": "2", "sgd.l2RegularizationAmount": "1e-6", "sgd.shuffleType": "auto"}
    client.create_ml_model(
        MLModelId="ml-follows", MLModelType="BINARY", TrainingDataSourceId=id_, Parameters=parameters, Recipe=RECIPE
    )
    client.create_evaluation(EvaluationId="ev-follows", MLModelId="ml-follows", EvaluationDataSourceId=id_)
    pending = client.get_ml_model(MLModelId="ml-follows")
    assert pending["Status"] in ("PENDING", "INPROGRESS")
    assert {"FinishedAt", "SizeInBytes", "ComputeTime", "ScoreThreshold"}.isdisjoint(pending)
    assert pending["TrainingParameters"]["sgd.maxPasses"] == "2"
    server.wait("evaluation", "ev-follows")
    recipe = client.get_ml_model(MLModelId="ml-follows", Verbose=True)["Recipe"]
    assert json.loads(recipe) == json.loads(RECIPE)
    assert recipe.count("\n") > 1


def test_a_request_may_be_repeated_and_not_changed(server, source):
    client = server.client
    for _ in range(2):
        assert client.create_data_source_from_s3(**source)["DataSourceId"] == source["DataSourceId"]
    server.wait("data_source", source["DataSourceId"])
    assert client.create_data_source_from_s3(**source)["DataSourceId"] == source["DataSourceId"]
    name, _ = refused(client.create_data_source_from_s3, **source, DataSourceName="new")
    assert name == "IdempotentParameterMismatch"
    evaluation = {"EvaluationId": "ev-sales", "MLModelId": "ml-sales", "EvaluationDataSourceId": "ds-test"}
    client.create_evaluation(**evaluation)
    assert refused(client.create_evaluation, **evaluation | {"EvaluationDataSourceId": "ds-train"})[0] == name


def test_a_schema_is_given_named_or_beside_the_data(server, source):
    client, text = server.client, json.dumps(SCHEMA_WITHOUT_TARGET)
    server.put("people/1.csv", "age,note\n42,yes\n")
    server.put("people/2.csv", "age,note\n24,no\n")
    server.put("people/.schema", text)
    named = server.put("named.json", "\ufeff" + text)
    for number, spec in enumerate(({}, {"DataSchema": text}, {"DataSchemaLocationS3": named})):
        id_ = f"{source['DataSourceId']}-{number}"
        client.create_data_source_from_s3(DataSourceId=id_, DataSpec={"DataLocationS3": "s3://bucket/people/", **spec})
        answer = server.wait("data_source", id_)
        assert (answer["NumberOfFiles"], answer["DataSizeInBytes"]) == (2, 31)
        assert "ComputeTime" not in answer
    both = {"DataSchema": text, "DataSchemaLocationS3": named}
    source["DataSpec"] |= both
    assert refused(client.create_data_source_from_s3, **source)[1].startswith("both DataSchema and")


def test_a_schema_that_is_named_may_come_later(server, source):
    source["DataSpec"] |= {"DataSchemaLocationS3": "s3://bucket/later.json"}
    server.client.create_data_source_from_s3(**source)
    assert "s3://bucket/later.json" in until_failed(server, "data_source", source["DataSourceId"])


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"DataSchema": "{"}, "DataSchema: the schema is not JSON"),
        ({"DataSchema": "{}"}, "attributes"),
        ({"DataSchemaLocationS3": "s3://bucket/sales.csv"}, "s3://bucket/sales.csv: the schema is not JSON"),
        ({"DataRearrangement": "{"}, "DataRearrangement"),
        ({"DataRearrangement": '{"splitting": {"percentEnd": 101}}'}, "percentEnd"),
        ({"DataLocationS3": "s3://bucket/no-schema.csv"}, "neither DataSchema nor DataSchemaLocationS3"),
        ({"DataLocationS3": "s3://bucket/../x.csv"}, "empty, '.' or '..'"),
        ({"DataLocationS3": "http://bucket/x.csv"}, "DataSpec.DataLocationS3"),
        ({"DataLocationS3": "s3://bucket/" + "x" * 2_048}, "less than or equal to 2048"),
    ],
)
def test_what_is_wrong_with_a_request_is_told_at_once(server, source, spec, told):
    source["DataSpec"] |= spec
    name, message = refused(server.client.create_data_source_from_s3, **source)
    assert name == "InvalidInput"
    assert told in message
    assert refused(server.client.get_data_source, DataSourceId=source["DataSourceId"])[0] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no such object"),
        ("", "s3://bucket/bad"),
        ("age,town,note,bought\n", "bad"),
        ("a,b\n1,2\n", "header"),
        ("age,town,note,bought\n" + "1\n" * 10_001, "10,000"),
        (b"\x1f\x8b\x08\x00", "is gzip"),
    ],
    ids=["missing", "empty", "header only", "other header", "rejected rows", "gzip"],
)
def test_what_is_wrong_with_data_is_told_by_the_object(server, source, content, told, request):
    key = f"bad-{request.node.callspec.id.replace(' ', '-')}.csv"
    if content is not None:
        server.put(key, content)
    schema = (server.s3 / "bucket" / "sales.csv.schema").read_text()
    source["DataSpec"] = {"DataLocationS3": f"s3://bucket/{key}", "DataSchema": schema}
    server.client.create_data_source_from_s3(**source)
    assert told in until_failed(server, "data_source", source["DataSourceId"])
    answer = server.client.get_data_source(DataSourceId=source["DataSourceId"])
    assert "ComputeTime" not in answer
    assert answer["FinishedAt"]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"MLModelType": "REGRESSION"}, "'bought' is BINARY"),
        ({"TrainingDataSourceId": "none"}, "No DataSource with id none exists"),
        ({"TrainingDataSourceId": "ds-plain"}, "no statistics"),
        ({"Recipe": "{"}, "ecipe"),
        ({"Recipe": '{"outputs": ["colour"]}'}, "colour"),
        ({"Recipe": RECIPE, "RecipeUri": "s3://bucket/r"}, "both Recipe and RecipeUri"),
        ({"RecipeUri": "s3://bucket/sales.csv"}, "ecipe"),
        ({"Parameters": {"sgd.maxPasses": "0"}}, "sgd.maxPasses"),
        ({"Parameters": {"sgd.colour": "red"}}, "sgd.colour"),
        ({"Parameters": {"sgd.l1RegularizationAmount": "1", "sgd.l2RegularizationAmount": "1"}}, "l1"),
        ({"MLModelId": "ml 1"}, "MLModelId"),
        ({"MLModelId": "m" * 65}, "less than or equal to 64"),
        ({"MLModelType": "TERNARY"}, "enum value set: [BINARY, MULTICLASS, REGRESSION]"),
    ],
)
def test_a_model_that_cannot_be_trained_is_refused(server, request_, told):
    server.client.create_data_source_from_s3(
        DataSourceId="ds-plain", DataSpec={"DataLocationS3": "s3://bucket/sales.csv"}
    )
    request = {"MLModelId": "ml-refused", "MLModelType": "BINARY", "TrainingDataSourceId": "ds-train"}
    name, message = refused(server.client.create_ml_model, **request | request_)
    assert name == "InvalidInput"
    assert told in message


def test_a_recipe_may_be_read_from_storage(server):
    uri = server.put("recipe.json", RECIPE)
    request = {"MLModelType": "BINARY", "TrainingDataSourceId": "ds-train"}
    server.client.create_ml_model(MLModelId="ml-recipe", RecipeUri=uri, **request)
    server.wait("ml_model", "ml-recipe")
    server.client.create_ml_model(MLModelId="ml-no-recipe", RecipeUri="s3://bucket/no-recipe", **request)
    assert "s3://bucket/no-recipe" in until_failed(server, "ml_model", "ml-no-recipe")


def test_children_of_what_failed_fail_or_are_refused(server, source):
    client, id_ = server.client, source["DataSourceId"]
    schema = (server.s3 / "bucket" / "sales.csv.schema").read_text()
    source["DataSpec"] = {"DataLocationS3": "s3://bucket/never.csv", "DataSchema": schema}
    client.create_data_source_from_s3(**source)
    try:
        client.create_ml_model(MLModelId="ml-orphan", MLModelType="BINARY", TrainingDataSourceId=id_)
        assert until_failed(server, "ml_model", "ml-orphan") == f"DataSource {id_} that it needs is FAILED"
    except ClientError:
        pass  # it had failed already
    until_failed(server, "data_source", id_)
    request = {"MLModelId": "ml-orphan-2", "MLModelType": "BINARY", "TrainingDataSourceId": id_}
    assert refused(client.create_ml_model, **request) == ("InvalidInput", f"DataSource {id_} is FAILED")


@pytest.mark.parametrize("uri", ["s3://bucket/a:b/", "s3://bucket//a", "s3://bucket/a/../b", "s3://bucket/./a", "out"])
def test_outputs_go_where_the_api_lets_them(server, uri):
    request = {"BatchPredictionId": "bp-refused", "MLModelId": "ml-sales", "BatchPredictionDataSourceId": "ds-test"}
    assert refused(server.client.create_batch_prediction, OutputUri=uri, **request)[0] == "InvalidInput"


def test_databases_are_refused_with_the_way_out(server):
    credentials = {"Username": "u", "Password": "password"}
    common = {"SelectSqlQuery": "SELECT 1", "DatabaseCredentials": credentials, "S3StagingLocation": "s3://bucket/s/"}
    redshift = common | {"DatabaseInformation": {"DatabaseName": "d", "ClusterIdentifier": "c"}}
    rds = common | {
        "DatabaseInformation": {"DatabaseName": "d", "InstanceIdentifier": "i"},
        "ResourceRole": "r",
        "ServiceRole": "s",
        "SubnetId": "n",
        "SecurityGroupIds": ["g"],
    }
    for call, spec in (
        (server.client.create_data_source_from_redshift, {"DataSpec": redshift}),
        (server.client.create_data_source_from_rds, {"RDSData": rds}),
    ):
        name, message = refused(call, DataSourceId="ds-db", RoleARN="arn:aws:iam::1:role/r", **spec)
        assert name == "InvalidInput"
        assert "CreateDataSourceFromS3" in message


# --- reading, changing, deleting


def test_names_can_be_changed(server, source):
    client = server.client
    client.create_data_source_from_s3(**source)
    server.wait("data_source", source["DataSourceId"])
    before = client.get_data_source(DataSourceId=source["DataSourceId"])
    client.update_data_source(DataSourceId=source["DataSourceId"], DataSourceName="ü" * 1024)
    after = client.get_data_source(DataSourceId=source["DataSourceId"])
    assert (after["Name"], after["Status"]) == ("ü" * 1024, "COMPLETED")
    assert after["LastUpdatedAt"] > before["LastUpdatedAt"]
    # the request that made it may still be repeated
    client.create_data_source_from_s3(**source)
    client.update_ml_model(MLModelId="ml-sales", MLModelName="sales model")
    client.update_evaluation(EvaluationId="ev-sales", EvaluationName="sales evaluation")
    client.update_batch_prediction(BatchPredictionId="bp-sales", BatchPredictionName="sales batch")
    assert client.get_ml_model(MLModelId="ml-sales")["Name"] == "sales model"
    assert client.get_evaluation(EvaluationId="ev-sales")["Name"] == "sales evaluation"
    assert client.get_batch_prediction(BatchPredictionId="bp-sales")["Name"] == "sales batch"
    assert refused(client.update_ml_model, MLModelId="ml-sales") == ("InvalidInput", "there is nothing to update")


@pytest.mark.parametrize("threshold", [-0.01, 1.01])
def test_a_threshold_is_from_0_to_1(server, threshold):
    assert refused(server.client.update_ml_model, MLModelId="ml-sales", ScoreThreshold=threshold)[0] == "InvalidInput"


@pytest.mark.parametrize(
    ("kind", "operations"),
    [
        ("DataSource", ("get_data_source", "update_data_source", "delete_data_source")),
        ("MLModel", ("get_ml_model", "update_ml_model", "delete_ml_model")),
        ("Evaluation", ("get_evaluation", "update_evaluation", "delete_evaluation")),
        ("BatchPrediction", ("get_batch_prediction", "update_batch_prediction", "delete_batch_prediction")),
    ],
)
def test_what_does_not_exist_is_not_found(server, kind, operations):
    for operation in operations:
        name = {f"{kind}Name": "n"} if operation.startswith("update") else {}
        found = refused(getattr(server.client, operation), **{f"{kind}Id": "fake-id"}, **name)
        assert found == ("ResourceNotFound", f"No {kind} with id fake-id exists")


def test_what_is_deleted_says_so_and_its_id_is_free_again(server, source):
    client, id_ = server.client, source["DataSourceId"]
    client.create_data_source_from_s3(**source)
    for _ in range(2):
        assert client.delete_data_source(DataSourceId=id_)["DataSourceId"] == id_
    deleted = client.get_data_source(DataSourceId=id_)
    assert deleted["Status"] == "DELETED"
    assert "LogUri" not in deleted
    for call, arguments in (
        (client.update_data_source, {"DataSourceName": "n"}),
        (client.create_ml_model, None),
    ):
        request = (
            {"DataSourceId": id_, **arguments}
            if arguments
            else {"MLModelId": "ml-x", "MLModelType": "BINARY", "TrainingDataSourceId": id_}
        )
        assert refused(call, **request) == ("InvalidInput", f"DataSource {id_} is DELETED")
    tag = {"Tags": [{"Key": "k"}], "ResourceId": id_, "ResourceType": "DataSource"}
    assert refused(client.add_tags, **tag)[0] == "InvalidInput"
    assert id_ not in [each["DataSourceId"] for each in client.describe_data_sources()["Results"]]
    listed = client.describe_data_sources(FilterVariable="Status", EQ="DELETED")["Results"]
    assert id_ in [each["DataSourceId"] for each in listed]
    client.create_data_source_from_s3(**source, DataSourceName="another")
    assert server.wait("data_source", id_)["Name"] == "another"


def test_a_model_and_its_children_are_deleted(server):
    client = server.client
    client.create_ml_model(MLModelId="ml-gone", MLModelType="BINARY", TrainingDataSourceId="ds-train")
    server.wait("ml_model", "ml-gone")
    client.create_realtime_endpoint(MLModelId="ml-gone")
    url = server.ready("ml-gone")
    client.create_evaluation(EvaluationId="ev-gone", MLModelId="ml-gone", EvaluationDataSourceId="ds-test")
    output = {"BatchPredictionId": "bp-gone", "OutputUri": "s3://bucket/gone"}
    client.create_batch_prediction(MLModelId="ml-gone", BatchPredictionDataSourceId="ds-test", **output)
    server.wait("evaluation", "ev-gone")
    server.wait("batch_prediction", "bp-gone")
    folders = set((server.folder / "data" / "objects").iterdir())
    client.delete_evaluation(EvaluationId="ev-gone")
    client.delete_batch_prediction(BatchPredictionId="bp-gone")
    client.delete_ml_model(MLModelId="ml-gone")
    assert client.get_ml_model(MLModelId="ml-gone")["EndpointInfo"]["EndpointStatus"] == "NONE"
    assert refused(client.predict, MLModelId="ml-gone", Record={}, PredictEndpoint=url)[0] == "PredictorNotMounted"
    assert client.get_evaluation(EvaluationId="ev-gone")["Status"] == "DELETED"
    assert client.get_batch_prediction(BatchPredictionId="bp-gone")["Status"] == "DELETED"
    end = time.monotonic() + 10
    while len(folders - set((server.folder / "data" / "objects").iterdir())) < 3:
        assert time.monotonic() < end
        time.sleep(0.05)
    # what was written for the user stays
    assert (server.s3 / "bucket" / "gone" / "batch-prediction" / "bp-gone.manifest").is_file()


def test_an_endpoint_needs_a_completed_model(server, source):
    client, id_ = server.client, source["DataSourceId"]
    client.create_data_source_from_s3(**source)
    client.create_ml_model(MLModelId="ml-young", MLModelType="BINARY", TrainingDataSourceId=id_)
    name, message = refused(client.create_realtime_endpoint, MLModelId="ml-young")
    assert name == "InvalidInput"
    assert "not COMPLETED" in message
    assert refused(client.update_ml_model, MLModelId="ml-young", ScoreThreshold=0.4)[0] == "InvalidInput"
    assert refused(client.create_realtime_endpoint, MLModelId="none")[0] == "ResourceNotFound"
    assert refused(client.delete_realtime_endpoint, MLModelId="none")[0] == "ResourceNotFound"
    client.delete_ml_model(MLModelId="ml-young")


# --- lists


PAGINATORS = ["describe_data_sources", "describe_ml_models", "describe_evaluations", "describe_batch_predictions"]


@pytest.mark.parametrize("name", PAGINATORS)
def test_paginators_give_everything_once(server, name):
    whole = getattr(server.client, name)()["Results"]
    paged = list(server.client.get_paginator(name).paginate(PaginationConfig={"PageSize": 1}).search("Results"))
    key = next(
        iter(
            service_model()
            .shape_for(name[len("describe_") :].title().replace("_", "").replace("Ml", "ML")[:-1])
            .members
        )
    )
    assert [each[key] for each in paged] == [each[key] for each in whole]
    assert len(paged) >= 1
    filtered = server.client.get_paginator(name).paginate(FilterVariable="Name", Prefix="no such name")
    assert list(filtered.search("Results")) == []


def test_more_than_a_hundred_objects_take_two_pages(server, source):
    for number in range(101):
        source["DataSourceId"] = f"ds-many-{number}"
        server.client.create_data_source_from_s3(**source, DataSourceName="many")
    first = server.client.describe_data_sources(FilterVariable="Name", EQ="many")
    assert len(first["Results"]) == 100
    last = server.client.describe_data_sources(FilterVariable="Name", EQ="many", NextToken=first["NextToken"])
    assert len(last["Results"]) == 1
    assert "NextToken" not in last
    assert refused(server.client.describe_data_sources, NextToken=first["NextToken"])[0] == "InvalidInput"
    for number in range(101):
        server.client.delete_data_source(DataSourceId=f"ds-many-{number}")


@pytest.mark.parametrize(
    "request_", [{"Limit": 101}, {"SortOrder": "desc"}, {"FilterVariable": "MLModelId"}, {"EQ": "x"}]
)
def test_lists_are_not_asked_for_nonsense(server, request_):
    assert refused(server.client.describe_ml_models, **request_)[0] == "InvalidInput"


@pytest.mark.parametrize(
    ("waiter", "name"),
    [
        ("data_source_available", "name of ds-train"),
        ("ml_model_available", "waited for"),
        ("evaluation_available", "waited for"),
        ("batch_prediction_available", "waited for"),
    ],
)
def test_waiters_finish(server, waiter, name):
    client = server.client
    client.update_ml_model(MLModelId="ml-sales", MLModelName="waited for")
    client.update_evaluation(EvaluationId="ev-sales", EvaluationName="waited for")
    client.update_batch_prediction(BatchPredictionId="bp-sales", BatchPredictionName="waited for")
    quick = {"Delay": 1, "MaxAttempts": 20}
    client.get_waiter(waiter).wait(FilterVariable="Name", EQ=name, WaiterConfig=quick)


def test_a_waiter_fails_with_what_it_waits_for(server, source):
    source["DataSpec"]["DataLocationS3"] = "s3://bucket/nothing.csv"
    source["DataSpec"]["DataSchema"] = (server.s3 / "bucket" / "sales.csv.schema").read_text()
    server.client.create_data_source_from_s3(**source, DataSourceName="hopeless")
    waiter = server.client.get_waiter("data_source_available")
    with pytest.raises(WaiterError, match="FAILED"):
        waiter.wait(FilterVariable="Name", EQ="hopeless", WaiterConfig={"Delay": 1, "MaxAttempts": 20})


# --- tags


def test_tags_are_added_listed_and_deleted(server):
    client, model = server.client, {"ResourceId": "ml-sales", "ResourceType": "MLModel"}
    assert (
        client.add_tags(Tags=[{"Key": "team", "Value": "é=1"}, {"Key": "empty"}], **model)["ResourceId"] == "ml-sales"
    )
    client.add_tags(Tags=[{"Key": "team", "Value": ""}], **model)
    assert client.describe_tags(**model)["Tags"] == [{"Key": "empty"}, {"Key": "team", "Value": ""}]
    client.delete_tags(TagKeys=["empty", "unknown"], **model)
    assert client.describe_tags(**model)["Tags"] == [{"Key": "team", "Value": ""}]
    client.delete_tags(TagKeys=["team"], **model)
    nobody = {"ResourceId": "ml-sales", "ResourceType": "Evaluation"}
    assert refused(client.describe_tags, **nobody)[0] == "ResourceNotFound"


def test_an_object_has_fifty_tags_at_most(server):
    client, source = server.client, {"ResourceId": "ds-test", "ResourceType": "DataSource"}
    client.add_tags(Tags=[{"Key": f"k{number}", "Value": "v"} for number in range(50)], **source)
    assert refused(client.add_tags, Tags=[{"Key": "one more"}], **source)[0] == "TagLimitExceeded"
    client.delete_tags(TagKeys=[f"k{number}" for number in range(50)], **source)


@pytest.mark.parametrize(
    "tags", [[{"Key": "aws:x"}], [{"Key": "AWS:x"}], [{"Value": "v"}], [{"Key": "k"}, {"Key": "k"}]]
)
def test_tags_that_are_not_allowed(server, tags):
    assert refused(server.client.add_tags, Tags=tags, ResourceId="ml-sales", ResourceType="MLModel")[0] == "InvalidTag"
