"""Lists, their paginators and waiters, as used by an unmodified boto3 client."""

from __future__ import annotations

import base64
import json

import pytest
from botocore.exceptions import WaiterError

from aws_ml_adapter.server.validation import service_model

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
    assert server.refused(server.client.describe_data_sources, NextToken=first["NextToken"])[0] == "InvalidInput"
    for number in range(101):
        server.client.delete_data_source(DataSourceId=f"ds-many-{number}")


@pytest.mark.parametrize(
    ("place", "altered"), [(0, 10**30), (0, None), (0, "\ud800"), (1, -(2**70)), (1, 2**63), (1, "1"), (2, "other")]
)
def test_a_token_that_was_altered_is_refused(server, place, altered):
    query = {"FilterVariable": "Name", "GE": "", "Limit": 1}
    token = server.client.describe_data_sources(**query)["NextToken"]
    parts = json.loads(base64.urlsafe_b64decode(token))
    parts[place] = altered
    token = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()
    message = ("InvalidInput", "NextToken does not belong to this request")
    assert server.refused(server.client.describe_data_sources, **query, NextToken=token) == message


@pytest.mark.parametrize(
    "request_", [{"Limit": 101}, {"SortOrder": "desc"}, {"FilterVariable": "MLModelId"}, {"EQ": "x"}]
)
def test_lists_are_not_asked_for_nonsense(server, request_):
    assert server.refused(server.client.describe_ml_models, **request_)[0] == "InvalidInput"


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
