"""Requests that create objects: accepted, refused at once, or reported by a failed object."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

SCHEMA_WITHOUT_TARGET = {
    "version": "1.0",
    "dataFormat": "CSV",
    "dataFileContainsHeader": True,
    "variables": [{"fieldName": "age", "fieldType": "NUMERIC"}, {"fieldName": "note", "fieldType": "TEXT"}],
}
RECIPE = '{"outputs": ["quantile_bin(age, 10)", "town", "ngram(lowercase(note), 2) // both"]}'


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
    name, _ = server.refused(client.create_data_source_from_s3, **source, DataSourceName="new")
    assert name == "IdempotentParameterMismatch"
    evaluation = {"EvaluationId": "ev-sales", "MLModelId": "ml-sales", "EvaluationDataSourceId": "ds-test"}
    client.create_evaluation(**evaluation)
    assert server.refused(client.create_evaluation, **evaluation | {"EvaluationDataSourceId": "ds-train"})[0] == name


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
    assert server.refused(client.create_data_source_from_s3, **source)[1].startswith("both DataSchema and")


def test_the_schema_of_a_whole_bucket_is_in_it(server, source):
    bucket = server.s3 / "people-bucket"
    bucket.mkdir()
    (bucket / "a.csv").write_text("age,note\n42,yes\n")
    (bucket / ".schema").write_text(json.dumps(SCHEMA_WITHOUT_TARGET))
    source["DataSpec"] = {"DataLocationS3": "s3://people-bucket"}
    server.client.create_data_source_from_s3(**source)
    assert server.wait("data_source", source["DataSourceId"])["NumberOfFiles"] == 1


def test_an_unreadable_schema_is_refused_at_once(server, source):
    server.put("large.csv", "age,note\n42,yes\n")
    server.put("large.csv.schema", " " * 600_000)
    source["DataSpec"] = {"DataLocationS3": "s3://bucket/large.csv"}
    expected = ("InvalidInput", "s3://bucket/large.csv.schema: is over 524,284 bytes")
    assert server.refused(server.client.create_data_source_from_s3, **source) == expected


def test_a_schema_that_is_named_may_come_later(server, source):
    source["DataSpec"] |= {"DataSchemaLocationS3": "s3://bucket/later.json"}
    server.client.create_data_source_from_s3(**source)
    assert "s3://bucket/later.json" in server.until_failed("data_source", source["DataSourceId"])


@pytest.mark.parametrize(
    ("spec", "expected"),
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
def test_errors_in_a_request_are_refused_at_once(server, source, spec, expected):
    source["DataSpec"] |= spec
    name, message = server.refused(server.client.create_data_source_from_s3, **source)
    assert name == "InvalidInput"
    assert expected in message
    assert server.refused(server.client.get_data_source, DataSourceId=source["DataSourceId"])[0] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("content", "expected"),
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
def test_errors_in_data_are_reported_by_the_object(server, source, content, expected, request):
    key = f"bad-{request.node.callspec.id.replace(' ', '-')}.csv"
    if content is not None:
        server.put(key, content)
    schema = (server.s3 / "bucket" / "sales.csv.schema").read_text()
    source["DataSpec"] = {"DataLocationS3": f"s3://bucket/{key}", "DataSchema": schema}
    server.client.create_data_source_from_s3(**source)
    assert expected in server.until_failed("data_source", source["DataSourceId"])
    answer = server.client.get_data_source(DataSourceId=source["DataSourceId"])
    assert "ComputeTime" not in answer
    assert answer["FinishedAt"]


@pytest.mark.parametrize(
    ("request_", "expected"),
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
def test_a_model_that_cannot_be_trained_is_refused(server, request_, expected):
    server.client.create_data_source_from_s3(
        DataSourceId="ds-plain", DataSpec={"DataLocationS3": "s3://bucket/sales.csv"}
    )
    request = {"MLModelId": "ml-refused", "MLModelType": "BINARY", "TrainingDataSourceId": "ds-train"}
    name, message = server.refused(server.client.create_ml_model, **request | request_)
    assert name == "InvalidInput"
    assert expected in message


def test_a_recipe_may_be_read_from_storage(server):
    uri = server.put("recipe.json", RECIPE)
    request = {"MLModelType": "BINARY", "TrainingDataSourceId": "ds-train"}
    server.client.create_ml_model(MLModelId="ml-recipe", RecipeUri=uri, **request)
    server.wait("ml_model", "ml-recipe")
    server.client.create_ml_model(MLModelId="ml-no-recipe", RecipeUri="s3://bucket/no-recipe", **request)
    assert "s3://bucket/no-recipe" in server.until_failed("ml_model", "ml-no-recipe")


def test_children_of_what_failed_fail_or_are_refused(server, source):
    client, id_ = server.client, source["DataSourceId"]
    schema = (server.s3 / "bucket" / "sales.csv.schema").read_text()
    source["DataSpec"] = {"DataLocationS3": "s3://bucket/never.csv", "DataSchema": schema}
    client.create_data_source_from_s3(**source)
    try:
        client.create_ml_model(MLModelId="ml-orphan", MLModelType="BINARY", TrainingDataSourceId=id_)
        assert server.until_failed("ml_model", "ml-orphan") == f"DataSource {id_}, which it needs, is FAILED"
    except ClientError:
        pass  # it had failed already
    server.until_failed("data_source", id_)
    request = {"MLModelId": "ml-orphan-2", "MLModelType": "BINARY", "TrainingDataSourceId": id_}
    assert server.refused(client.create_ml_model, **request) == ("InvalidInput", f"DataSource {id_} is FAILED")


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/a:b/",
        "s3://bucket//a",
        "s3://bucket/a/../b",
        "s3://bucket/./a",
        "out",
        "s3://bucket/" + "a" * 256,
        "s3://bucket/" + "/".join(["a" * 254] * 4),
    ],
    ids=["colon", "empty part", "two dots", "dot", "no bucket", "long part", "long with what is added"],
)
def test_outputs_go_where_the_api_lets_them(server, uri):
    request = {"BatchPredictionId": "bp-refused", "MLModelId": "ml-sales", "BatchPredictionDataSourceId": "ds-test"}
    assert server.refused(server.client.create_batch_prediction, OutputUri=uri, **request)[0] == "InvalidInput"


def folder_of(server, answer) -> Path:
    """The server's folder of an object's files."""
    return server.folder / "data" / "objects" / re.search(r"/logs/(\d+)", answer["LogUri"])[1]


def test_what_a_job_needs_may_be_gone(server):
    client = server.client
    client.create_ml_model(MLModelId="ml-lost", MLModelType="BINARY", TrainingDataSourceId="ds-train")
    model = folder_of(server, server.wait("ml_model", "ml-lost")) / "model.zip"
    evaluation = {"MLModelId": "ml-lost", "EvaluationDataSourceId": "ds-test"}
    model.write_bytes(b"damaged")
    client.create_evaluation(EvaluationId="ev-damaged", **evaluation)
    assert server.until_failed("evaluation", "ev-damaged").startswith("MLModel ml-lost: is not a")
    model.unlink()
    client.create_evaluation(EvaluationId="ev-lost", **evaluation)
    assert server.until_failed("evaluation", "ev-lost") == "MLModel ml-lost: the model is no longer there"


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
        name, message = server.refused(call, DataSourceId="ds-db", RoleARN="arn:aws:iam::1:role/r", **spec)
        assert name == "InvalidInput"
        assert "CreateDataSourceFromS3" in message
