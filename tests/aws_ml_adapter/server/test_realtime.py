"""Real-time endpoints and predictions, as seen by an unmodified boto3 client."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time

import numpy as np
import pytest

from aws_ml_adapter.api.kinds import Kind, Status
from aws_ml_adapter.engine.ml_model import load_ml_model
from aws_ml_adapter.server import realtime as realtime_module
from aws_ml_adapter.server.entities import Entities
from aws_ml_adapter.server.error_answers import ServiceError
from aws_ml_adapter.server.realtime import NO_ENDPOINT, REMOVED, LoadedModel, RealTime


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
    # with a path in front, as behind a gateway: the client keeps it
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


def test_an_endpoint_may_be_asked_for_before_its_model_is_completed(make_server):
    waiting = make_server("--jobs", "1")
    waiting.put_sales()
    # keeps the only worker busy, so that nothing else starts
    waiting.put("long.csv", "age,town,note,bought\n" + "30,Rome,no and so or no,0\n71,Bern,yes or so,1\n" * 80_000)
    client = waiting.client
    schema = (waiting.s3 / "bucket" / "sales.csv.schema").read_text()
    waiting.create_data_source("ds-long", location="s3://bucket/long.csv", DataSchema=schema)
    waiting.create_data_source("ds-good")
    waiting.create_data_source("ds-bad", location="s3://bucket/none.csv", DataSchema=schema)
    for name in ("good", "bad", "none"):
        source = "ds-bad" if name == "bad" else "ds-good"
        client.create_ml_model(MLModelId=f"ml-{name}", MLModelType="BINARY", TrainingDataSourceId=source)
    for name in ("good", "bad", "none"):
        made = client.create_realtime_endpoint(MLModelId=f"ml-{name}")["RealtimeEndpointInfo"]
        assert (made["EndpointStatus"], made["PeakRequestsPerSecond"]) == ("UPDATING", 0)
    again = client.create_realtime_endpoint(MLModelId="ml-good")["RealtimeEndpointInfo"]
    assert again["EndpointStatus"] == "UPDATING"
    client.delete_realtime_endpoint(MLModelId="ml-none")
    refused = waiting.refused(client.predict, MLModelId="ml-good", Record={}, PredictEndpoint=waiting.url)
    assert refused[0] == "PredictorNotMounted"
    assert client.get_ml_model(MLModelId="ml-good")["Status"] == "PENDING"
    waiting.stop(signal.SIGKILL)
    waiting.start()
    client = waiting.client
    assert client.get_ml_model(MLModelId="ml-good")["EndpointInfo"]["EndpointStatus"] == "UPDATING"
    client.delete_data_source(DataSourceId="ds-long")
    url = waiting.ready("ml-good")
    assert client.get_ml_model(MLModelId="ml-good")["Status"] == "COMPLETED"
    assert client.predict(MLModelId="ml-good", Record={"age": "70"}, PredictEndpoint=url)["Prediction"]
    waiting.until_failed("ml_model", "ml-bad")
    waiting.until(lambda: client.get_ml_model(MLModelId="ml-bad")["EndpointInfo"]["EndpointStatus"] == "FAILED")
    assert waiting.refused(client.create_realtime_endpoint, MLModelId="ml-bad") == (
        "InvalidInput",
        "MLModel ml-bad is FAILED",
    )
    waiting.wait("ml_model", "ml-none")
    assert client.get_ml_model(MLModelId="ml-none")["EndpointInfo"]["EndpointStatus"] == "NONE"
    assert waiting.stop() == 0


def test_an_endpoint_needs_a_model(server, source):
    client, id_ = server.client, source["DataSourceId"]
    client.create_data_source_from_s3(**source)
    client.create_ml_model(MLModelId="ml-young", MLModelType="BINARY", TrainingDataSourceId=id_)
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
    model = load_ml_model(next((server.folder / "data" / "objects").glob("*/model.zip")))
    loaded = LoadedModel(model, threshold=0.5, rate=5, clock=lambda: now[0])

    def answered(requests: int) -> int:
        count = 0
        for _ in range(requests):
            with contextlib.suppress(ServiceError):
                loaded.predict({})
                count += 1
        return count

    assert answered(9) == 5
    now[0] += 0.4
    assert answered(9) == 2
    now[0] += 1_000
    assert answered(9) == 5


# --- concurrency


class Loading:
    """Loads a model when allowed, and counts the calls."""

    def __init__(self, model) -> None:
        self.model, self.may, self.begun, self.times = model, threading.Event(), threading.Event(), 0

    def __call__(self, path):
        self.times += 1
        self.begun.set()
        assert self.may.wait(20)
        return self.model


@pytest.fixture
def loading(server, monkeypatch):
    loading = Loading(load_ml_model(next((server.folder / "data" / "objects").glob("*/model.zip"))))
    monkeypatch.setattr(realtime_module, "load_ml_model", loading)
    return loading


@pytest.fixture
def entities():
    entities = Entities(":memory:", clock=lambda: 0.0)
    yield entities
    entities.close()


@pytest.fixture
def endpoints(entities, loading, tmp_path):
    endpoints = RealTime(entities, data_dir=tmp_path, rate=100.0)
    yield endpoints
    loading.may.set()
    endpoints.stop()


def completed(entities):
    made, _ = entities.create(Kind.MODEL, "ml", {}, {"EndpointInfo": NO_ENDPOINT}, {"parents": []})
    entities.finish(made.serial, Status.COMPLETED, {"SizeInBytes": 1, "ScoreThreshold": 0.5})
    return entities.get(Kind.MODEL, "ml")


def endpoint_of(entities) -> str:
    return entities.get(Kind.MODEL, "ml").record["EndpointInfo"]["EndpointStatus"]


@pytest.fixture
def until_ready(server, entities, endpoints):
    """Wait until the endpoint is ready, and return the loaded model."""

    def wait() -> LoadedModel:
        server.until(lambda: endpoint_of(entities) == "READY")
        return endpoints.loaded("ml")

    return wait


def test_a_second_request_for_an_endpoint_does_not_undo_the_first(entities, endpoints, loading, until_ready):
    loading.may.set()
    # both have read the model before either has changed anything
    model = completed(entities)
    assert endpoints.create(model)["EndpointStatus"] == "UPDATING"
    assert until_ready()
    assert endpoints.create(model)["EndpointStatus"] == "READY"
    assert endpoint_of(entities) == "READY"


def test_a_model_that_was_deleted_gets_no_endpoint(entities, endpoints, loading):
    model = completed(entities)
    entities.update(model.serial, {"Status": Status.DELETED, "EndpointInfo": REMOVED})
    endpoints.unload(model)
    for ask in (endpoints.create, endpoints.delete):
        with pytest.raises(ServiceError, match="MLModel ml is DELETED"):
            ask(model)
    assert endpoint_of(entities) == "NONE"


def test_an_id_may_be_used_again_while_its_model_is_loaded(entities, endpoints, loading, until_ready):
    model = completed(entities)
    endpoints.create(model)
    assert loading.begun.wait(20)
    entities.update(model.serial, {"Status": Status.DELETED, "EndpointInfo": REMOVED})
    endpoints.unload(model)
    again = completed(entities)
    loading.may.set()
    assert endpoints.create(again)["EndpointStatus"] == "UPDATING"
    assert until_ready()
    assert loading.times == 2


def test_a_threshold_that_is_set_while_a_model_is_loaded_holds(entities, endpoints, loading, until_ready):
    model = completed(entities)
    endpoints.create(model)
    assert loading.begun.wait(20)
    entities.update(model.serial, {"ScoreThreshold": 0.9})
    endpoints.set_threshold(model)
    loading.may.set()
    loaded = until_ready()
    assert loaded.threshold == 0.9
    # of two at once, the later one in the record
    entities.update(model.serial, {"ScoreThreshold": 0.8})
    endpoints.set_threshold(model)
    assert loaded.threshold == 0.8


def test_a_model_that_cannot_be_loaded_says_so_and_so_does_the_log(entities, endpoints, monkeypatch, caplog):
    monkeypatch.setattr(realtime_module, "load_ml_model", lambda path: 1 / 0)
    endpoints.create(completed(entities))
    endpoints.stop()
    assert endpoint_of(entities) == "FAILED"
    assert "ZeroDivisionError" in caplog.text


def test_predictions_wait_for_a_model_without_a_thread_each(entities, endpoints, loading):
    model = completed(entities)
    entities.update(model.serial, {"EndpointInfo": NO_ENDPOINT | {"EndpointStatus": "READY"}})

    async def ask() -> set[LoadedModel]:
        waiting = [asyncio.create_task(endpoints.find("ml")) for _ in range(100)]
        await asyncio.to_thread(loading.begun.wait, 20)
        # the event loop is free
        await asyncio.wait_for(asyncio.to_thread(lambda: None), 20)
        loading.may.set()
        return set(await asyncio.gather(*waiting))

    assert asyncio.run(ask()) == {endpoints.loaded("ml")}
    assert loading.times == 1


def test_a_prediction_that_waits_when_the_server_stops_is_answered(entities, endpoints, loading):
    for id_ in ("ml", "ml-2"):
        made, _ = entities.create(Kind.MODEL, id_, {}, {"EndpointInfo": NO_ENDPOINT}, {"parents": []})
        ready = {"EndpointInfo": NO_ENDPOINT | {"EndpointStatus": "READY"}}
        entities.finish(made.serial, Status.COMPLETED, ready)

    async def ask() -> None:
        first = asyncio.create_task(endpoints.find("ml"))
        await asyncio.to_thread(loading.begun.wait, 20)
        second = asyncio.create_task(endpoints.find("ml-2"))
        while endpoints._loader._work_queue.empty():
            await asyncio.sleep(0.01)
        threading.Timer(0.1, loading.may.set).start()
        await asyncio.to_thread(endpoints.stop)
        assert await first
        with pytest.raises(ServiceError, match="no endpoint that is ready"):
            await second

    asyncio.run(ask())


@pytest.mark.slow
def test_a_client_that_exceeds_the_rate_limit_is_refused(server, make_server):
    limited = make_server("--rate", "5")
    limited.put_sales()
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
    # botocore retries by itself
    patient = limited.connect(retries={"mode": "standard", "total_max_attempts": 4})
    for _ in range(6):
        patient.predict(**request)
