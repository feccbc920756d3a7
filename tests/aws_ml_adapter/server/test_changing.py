"""Renaming, tagging and deleting objects."""

from __future__ import annotations

import pytest


def test_names_can_be_changed(server, source):
    client = server.client
    client.create_data_source_from_s3(**source)
    server.wait("data_source", source["DataSourceId"])
    before = client.get_data_source(DataSourceId=source["DataSourceId"])
    client.update_data_source(DataSourceId=source["DataSourceId"], DataSourceName="ü" * 1024)
    after = client.get_data_source(DataSourceId=source["DataSourceId"])
    assert (after["Name"], after["Status"]) == ("ü" * 1024, "COMPLETED")
    assert after["LastUpdatedAt"] > before["LastUpdatedAt"]
    # the request that created it may still be repeated
    client.create_data_source_from_s3(**source)
    client.update_ml_model(MLModelId="ml-sales", MLModelName="sales model")
    client.update_evaluation(EvaluationId="ev-sales", EvaluationName="sales evaluation")
    client.update_batch_prediction(BatchPredictionId="bp-sales", BatchPredictionName="sales batch")
    assert client.get_ml_model(MLModelId="ml-sales")["Name"] == "sales model"
    assert client.get_evaluation(EvaluationId="ev-sales")["Name"] == "sales evaluation"
    assert client.get_batch_prediction(BatchPredictionId="bp-sales")["Name"] == "sales batch"


def test_an_update_of_nothing_changes_nothing(server):
    client = server.client
    before = client.get_ml_model(MLModelId="ml-sales")
    assert client.update_ml_model(MLModelId="ml-sales")["MLModelId"] == "ml-sales"
    after = client.get_ml_model(MLModelId="ml-sales")
    assert {**after, "ResponseMetadata": None} == {**before, "ResponseMetadata": None}
    assert server.refused(client.update_ml_model, MLModelId="none")[0] == "ResourceNotFound"


@pytest.mark.parametrize("threshold", [-0.01, 1.01])
def test_a_threshold_is_from_0_to_1(server, threshold):
    assert (
        server.refused(server.client.update_ml_model, MLModelId="ml-sales", ScoreThreshold=threshold)[0]
        == "InvalidInput"
    )


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
        found = server.refused(getattr(server.client, operation), **{f"{kind}Id": "fake-id"}, **name)
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
        assert server.refused(call, **request) == ("InvalidInput", f"DataSource {id_} is DELETED")
    tag = {"Tags": [{"Key": "k"}], "ResourceId": id_, "ResourceType": "DataSource"}
    assert server.refused(client.add_tags, **tag)[0] == "InvalidInput"
    assert id_ not in [each["DataSourceId"] for each in client.describe_data_sources()["Results"]]
    pages = client.get_paginator("describe_data_sources").paginate(FilterVariable="Status", EQ="DELETED")
    assert id_ in [each["DataSourceId"] for page in pages for each in page["Results"]]
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
    assert (
        server.refused(client.predict, MLModelId="ml-gone", Record={}, PredictEndpoint=url)[0] == "PredictorNotMounted"
    )
    assert client.get_evaluation(EvaluationId="ev-gone")["Status"] == "DELETED"
    assert client.get_batch_prediction(BatchPredictionId="bp-gone")["Status"] == "DELETED"
    server.until(lambda: len(folders - set((server.folder / "data" / "objects").iterdir())) == 3)
    # what was written for the user stays
    assert (server.s3 / "bucket" / "gone" / "batch-prediction" / "bp-gone.manifest").is_file()


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
    assert server.refused(client.describe_tags, **nobody)[0] == "ResourceNotFound"


def test_an_object_has_fifty_tags_at_most(server):
    client, source = server.client, {"ResourceId": "ds-test", "ResourceType": "DataSource"}
    client.add_tags(Tags=[{"Key": f"k{number}", "Value": "v"} for number in range(50)], **source)
    assert server.refused(client.add_tags, Tags=[{"Key": "one more"}], **source)[0] == "TagLimitExceeded"
    client.delete_tags(TagKeys=[f"k{number}" for number in range(50)], **source)


@pytest.mark.parametrize(
    "tags", [[{"Key": "aws:x"}], [{"Key": "AWS:x"}], [{"Value": "v"}], [{"Key": "k"}, {"Key": "k"}]]
)
def test_tags_that_are_not_allowed(server, tags):
    assert (
        server.refused(server.client.add_tags, Tags=tags, ResourceId="ml-sales", ResourceType="MLModel")[0]
        == "InvalidTag"
    )
