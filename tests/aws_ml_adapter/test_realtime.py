"""Real-time endpoints and predictions, as an unmodified boto3 client meets them."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pytest

from aws_ml_adapter.model import load_model
from aws_ml_adapter.service.errors import ServiceError
from aws_ml_adapter.service.realtime import Mounted


def test_a_real_time_endpoint_from_beginning_to_end(server):
    client, record = server.client, {"age": "70", "note": "yes and so", "town": "Rome"}
    assert (
        server.refused(client.predict, MLModelId="ml-sales", Record=record, PredictEndpoint=server.url)[0]
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
    assert (
        server.refused(client.predict, MLModelId="ml-sales", Record=record, PredictEndpoint=url)[0]
        == "PredictorNotMounted"
    )
    assert server.refused(client.predict, MLModelId="none", Record=record, PredictEndpoint=url)[0] == "ResourceNotFound"


def test_an_endpoint_needs_a_completed_model(server, source):
    client, id_ = server.client, source["DataSourceId"]
    client.create_data_source_from_s3(**source)
    client.create_ml_model(MLModelId="ml-young", MLModelType="BINARY", TrainingDataSourceId=id_)
    name, message = server.refused(client.create_realtime_endpoint, MLModelId="ml-young")
    assert name == "InvalidInput"
    assert "not COMPLETED" in message
    assert server.refused(client.update_ml_model, MLModelId="ml-young", ScoreThreshold=0.4)[0] == "InvalidInput"
    assert server.refused(client.create_realtime_endpoint, MLModelId="none")[0] == "ResourceNotFound"
    assert server.refused(client.delete_realtime_endpoint, MLModelId="none")[0] == "ResourceNotFound"
    client.delete_ml_model(MLModelId="ml-young")


def test_a_record_may_hold_anything_but_too_much(server):
    client = server.client
    client.create_realtime_endpoint(MLModelId="ml-sales")
    url = server.ready("ml-sales")
    for record in ({}, {"age": ""}, {"age": "old", "colour": "red"}, {"bought": "1"}, {"note": "é\x00" * 1000}):
        prediction = client.predict(MLModelId="ml-sales", Record=record, PredictEndpoint=url)["Prediction"]
        assert prediction["predictedLabel"] in ("0", "1")
    record = {"note": "x" * 102_401}
    assert server.refused(client.predict, MLModelId="ml-sales", Record=record, PredictEndpoint=url)[0] == "InvalidInput"
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
    assert server.refused(limited.client.predict, **request)[0] == "LimitExceeded"
    time.sleep(0.5)
    limited.client.predict(**request)
    # botocore waits and tries again by itself
    patient = limited.connect(retries={"mode": "standard", "total_max_attempts": 4})
    for _ in range(6):
        patient.predict(**request)
