from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from textclf import LocalClient, PredictionError, predict_document_category
from textclf.base.errors import BadModelError

INVOICE = "invoice total due vat number net gross payment"
VARIABLES = ("TEXTCLF_ML_MODEL_ID", "TEXTCLF_ML_ENDPOINT")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def client(model):
    return LocalClient(model)


class Recorder:
    """A client that keeps what it was asked, and answers as told."""

    def __init__(self, answer=None):
        self.asked = []
        self.answer = answer or {"Prediction": {"predictedLabel": "invoice", "predictedScores": {"invoice": 0.75}}}

    def predict(self, *, MLModelId, Record, PredictEndpoint):
        self.asked.append((MLModelId, Record, PredictEndpoint))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_local_model_needs_no_id_and_gives_the_scores_of_the_model(client, model, model_path):
    prediction = model(INVOICE)
    expected = (prediction.predicted_category, prediction.score)
    assert (
        predict_document_category(client, INVOICE)
        == expected
        == predict_document_category(LocalClient(model_path), INVOICE)
    )


def test_the_judgement_is_that_of_the_model_by_the_columns_that_are_given(client, model):
    assert client.judge(INVOICE, page_count=3) == model(INVOICE)
    given = {"invoice_common_words": False, "letter_common_words": True}
    prediction = client.judge(INVOICE, **given)
    assert (prediction.predicted_category, prediction.score) == predict_document_category(client, INVOICE, **given)
    assert prediction.score < model(INVOICE).score
    assert (prediction.status, prediction.decision in ("accept", "review")) == ("ok", True)
    nothing = client.judge("", **given)
    assert (nothing.predicted_category, nothing.decision, nothing.reason) == ("", "review", "no text")


def test_the_answer_has_amazons_form(client):
    answer = client.predict(MLModelId="", Record={"text_data": INVOICE}, PredictEndpoint="")["Prediction"]
    assert answer["predictedLabel"] == "invoice"
    assert sum(answer["predictedScores"].values()) == pytest.approx(1)
    assert sorted(answer["predictedScores"]) == ["invoice", "letter", "receipt"]
    assert answer["details"]["PredictiveModelType"] == "MULTICLASS"
    json.dumps(answer)


def test_columns_that_are_given_count_and_those_that_are_not_are_computed(client, model):
    computed = predict_document_category(client, "the vat and the gross")
    assert model.features.rows(["the vat and the gross"]).indicators.tolist() == [[1, 0]]
    assert predict_document_category(client, "the vat and the gross", invoice_common_words=True) == computed
    assert predict_document_category(client, "the vat and the gross", invoice_common_words="") == computed
    assert predict_document_category(client, "the vat and the gross", invoice_common_words=None) == computed
    without = predict_document_category(client, "the vat and the gross", invoice_common_words=False)
    assert without[1] != computed[1]
    assert predict_document_category(client, "the vat and the gross", invoice_common_words="no") == without
    vectors = model.features.rows(["the vat and the gross"]).vectors[0]
    whole = {f"w2v_{i:03}": float(value) for i, value in enumerate(vectors)}
    assert predict_document_category(client, "the vat and the gross", **whole) == computed
    assert predict_document_category(client, "the vat and the gross", w2v_000=3.5) != computed


def test_columns_that_the_model_does_not_have_are_ignored(client):
    assert predict_document_category(client, INVOICE, common_words="x", colour="red") == predict_document_category(
        client, INVOICE
    )


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"invoice_common_words": "maybe"}, "invoice_common_words"),
        ({"w2v_000": "much"}, "w2v_000"),
        ({"w2v_000": float("nan")}, "w2v_000"),
        ({"w2v_000": float("inf")}, "w2v_000"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused_by_name(client, columns, what):
    with pytest.raises(PredictionError, match=what):
        predict_document_category(client, INVOICE, **columns)


@pytest.mark.parametrize("text", [None, 7, b"bytes"])
def test_a_text_that_is_none_is_refused(client, text):
    with pytest.raises(PredictionError, match="text_data"):
        predict_document_category(client, text)


@pytest.mark.parametrize("text", ["", "zzz", "\ud800", "x" * 1_200_000])
def test_any_text_gets_an_answer(client, text):
    label, score = predict_document_category(client, text)
    assert label in ("invoice", "letter", "receipt")
    assert 0 <= score <= 1


def test_values_travel_as_strings():
    client = Recorder()
    assert predict_document_category(
        client, "text", model_id="ml-1", endpoint="https://e", a=True, b=False, c=np.True_, d=0.5, e=None, f="x", g=3
    ) == ("invoice", 0.75)
    record = {"text_data": "text", "a": "1", "b": "0", "c": "1", "d": "0.5", "f": "x", "g": "3"}
    assert client.asked == [("ml-1", record, "https://e")]


def test_the_environment_gives_id_and_endpoint_and_a_keyword_goes_before_it(monkeypatch):
    client = Recorder()
    monkeypatch.setenv("TEXTCLF_ML_MODEL_ID", "ml-env")
    monkeypatch.setenv("TEXTCLF_ML_ENDPOINT", "https://env")
    predict_document_category(client, "text")
    predict_document_category(client, "text", model_id="ml-own")
    assert [(asked[0], asked[2]) for asked in client.asked] == [("ml-env", "https://env"), ("ml-own", "https://env")]


@pytest.mark.parametrize("missing", ["model_id", "endpoint"])
def test_a_foreign_client_needs_both(missing):
    client = Recorder()
    given = {"model_id": "ml-1", "endpoint": "https://e"} | {missing: None}
    with pytest.raises(PredictionError, match=f"no {missing}.*TEXTCLF_ML_"):
        predict_document_category(client, "text", **given)
    assert client.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        {"Other": 1},
        {"Prediction": {"predictedValue": 3.5}},
        {"Prediction": {"predictedLabel": "a", "predictedScores": {"b": 0.5}}},
        {"Prediction": {"predictedLabel": "a", "predictedScores": {"a": "much"}}},
        {"Prediction": {"predictedLabel": "a", "predictedScores": None}},
        {"Prediction": None},
        [],
    ],
)
def test_an_answer_without_a_label_and_score_is_refused(answer):
    with pytest.raises(PredictionError, match="no predicted label") as caught:
        predict_document_category(Recorder(answer or [1]), "text", model_id="ml-1", endpoint="https://e")
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("fault", [ValueError("Invalid endpoint: x"), KeyError("k"), TypeError("t"), OSError("gone")])
def test_a_fault_of_the_client_is_kept_as_cause_and_not_taken_for_its_answer(fault):
    with pytest.raises(PredictionError, match="refused or could not be reached") as caught:
        predict_document_category(Recorder(fault), "text", model_id="ml-1", endpoint="https://e")
    assert caught.value.__cause__ is fault
    assert type(fault).__name__ in str(caught.value)


def test_a_binary_models_one_score_is_given_as_it_is():
    answer = {"Prediction": {"predictedLabel": "0", "predictedScores": {"0": 0.0012}}}
    assert predict_document_category(Recorder(answer), "text", model_id="m", endpoint="e") == ("0", 0.0012)


def test_a_damaged_model_is_refused_when_the_client_is_made(tmp_path):
    (tmp_path / "bad.textclf").write_bytes(b"bad")
    with pytest.raises(BadModelError):
        LocalClient(tmp_path / "bad.textclf")


class AmazonLike(BaseHTTPRequestHandler):
    """Answers Predict as the service does, over the wire."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.headers["X-Amz-Target"], self.path, body))
        if body["MLModelId"] == "ml-missing":
            fault = {"__type": "ResourceNotFoundException", "message": "No MLModel with id ml-missing"}
            return self.answer(400, fault)
        scores = {"invoice": 0.9, "letter": 0.1}
        return self.answer(
            200,
            {
                "Prediction": {
                    "predictedLabel": "invoice",
                    "predictedScores": scores,
                    "details": {"PredictiveModelType": "MULTICLASS", "Algorithm": "SGD"},
                }
            },
        )

    def answer(self, status, content):
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), AmazonLike) as server:
        server.seen = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def amazon():
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config

    client = boto3.client(
        "machinelearning",
        region_name="eu-west-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=5),
    )
    yield client
    client.close()


def test_boto3s_client_is_asked_as_amazon_wants_it(server, amazon):
    label, score = predict_document_category(
        amazon, "total due", model_id="ml-1", endpoint=server.url, invoice_common_words=True
    )
    assert (label, score) == ("invoice", 0.9)
    record = {"text_data": "total due", "invoice_common_words": "1"}
    ((target, _, body),) = server.seen
    assert target == "AmazonML_20141212.Predict"
    assert (body["MLModelId"], body["Record"]) == ("ml-1", record)


def test_what_amazon_refuses_is_said_with_its_words(server, amazon):
    with pytest.raises(PredictionError, match="No MLModel with id ml-missing") as caught:
        predict_document_category(amazon, "total due", model_id="ml-missing", endpoint=server.url)
    assert type(caught.value.__cause__).__name__ == "ResourceNotFoundException"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "not a url"])
def test_a_service_that_is_not_there_is_a_prediction_error(amazon, endpoint):
    with pytest.raises(PredictionError, match="could not be reached") as caught:
        predict_document_category(amazon, "total due", model_id="ml-1", endpoint=endpoint)
    assert caught.value.__cause__ is not None
