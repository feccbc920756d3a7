"""The handlers behind the gateway and S3, in this process, on moto's S3, DynamoDB and SQS."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest

import textclf
from aws_ml_adapter.serverless import predict, result, status, submit, upload, uploaded
from aws_ml_adapter.serverless.settings import read_settings
from aws_ml_adapter.serverless.submit import jobs_of
from textclf.base.problems import ProblemError

OTHER = "arn:aws:iam::111122223333:user/otto"
PDF = b"%PDF-1.4 of somebody"


@pytest.fixture(autouse=True)
def _functions(request, monkeypatch):
    request.getfixturevalue("environment" if "environment" in request.fixturenames else "shared_environment")
    monkeypatch.setattr(status, "_PAUSE", 0.01)
    predict.ml_client.cache_clear()


def sent(events, content=PDF, **more):
    headers = {"Content-Type": "application/pdf"}
    answer = submit.handler(events.http_event("POST", "/v1/x", body=content, headers=headers, **more), None)
    return answer["statusCode"], json.loads(answer["body"])


def asked(handler, events, task_id, **more):
    answer = handler(events.http_event("GET", "/v1/x", parameters={"task_id": task_id}, **more), None)
    return answer["statusCode"], json.loads(answer["body"])


def jobs_in(environment):
    return jobs_of(read_settings(environment.environment))


# submit


def test_what_is_sent_twice_is_one_job(environment, events):
    first, second = sent(events), sent(events)
    assert first == second
    assert first[0] == 202
    assert environment.dynamodb.scan(TableName=environment.table)["Count"] == 1
    # the second message does no harm; without it, a client could not make up for a first that was not sent
    bodies = [json.loads(message["Body"]) for message in environment.messages()]
    assert bodies == [{"task_id": first[1]["task_id"]}] * 2


def test_what_is_done_is_not_done_again(environment, events):
    _, given = sent(events)
    jobs_in(environment).finish(given["task_id"], "success", result="{}")
    environment.messages()
    code, again = sent(events)
    assert (code, again["task_status"]) == (202, "success")
    assert environment.messages() == []


def test_a_document_that_had_gone_is_begun_again_when_it_is_sent_again(environment, events):
    _, given = sent(events)
    environment.messages()
    jobs = jobs_in(environment)
    jobs.finish(given["task_id"], "failure", result="{}", retriable=True)
    environment.s3.delete_object(Bucket=environment.bucket, Key=f"documents/{given['task_id']}")
    assert sent(events) == (202, given)
    assert environment.record(given["task_id"])["state"] == "pending"
    assert (
        environment.s3.get_object(Bucket=environment.bucket, Key=f"documents/{given['task_id']}")["Body"].read() == PDF
    )
    assert [json.loads(message["Body"]) for message in environment.messages()] == [{"task_id": given["task_id"]}]
    # a failure that is in the document stays
    jobs.finish(given["task_id"], "failure", result="{}")
    assert sent(events)[1]["task_status"] == "failure"
    assert environment.messages() == []


def test_the_same_document_of_others_is_another_job(environment, events):
    ids = {sent(events)[1]["task_id"], sent(events, caller=OTHER)[1]["task_id"]}
    ids |= {sent(events, query="name=b.pdf")[1]["task_id"]}
    assert len(ids) == 3


@pytest.mark.parametrize(
    "name", ["../../models/model.textclf", "/etc/passwd", "a/../../b", "..\\..\\x", "%00", "é" * 999]
)
def test_a_name_leads_nowhere(environment, events, name):
    _, given = sent(events, query=f"name={quote(name)}")
    keys = [one["Key"] for one in environment.s3.list_objects_v2(Bucket=environment.bucket)["Contents"]]
    assert sorted(keys) == [f"documents/{given['task_id']}", "models/model.textclf"]
    assert environment.record(given["task_id"])["name"].isprintable()


def test_a_document_that_is_too_large_is_refused(environment, events, monkeypatch):
    monkeypatch.setenv("TEXTCLF_MAX_BYTES", "10")
    code, problem = sent(events)
    assert (code, problem["type"]) == (413, "urn:textclf:problem:too-large")
    assert environment.messages() == []


def test_what_a_function_was_not_told_is_one_clear_line(environment, events, monkeypatch, caplog):
    monkeypatch.delenv("TEXTCLF_TABLE")
    code, problem = sent(events)
    assert (code, problem["type"]) == (503, "urn:textclf:problem:usage")
    assert "TEXTCLF_TABLE is not set" in caplog.text
    assert "TEXTCLF" not in json.dumps(problem)


def test_a_service_of_aws_that_refuses_is_not_there_for_now(environment, events, caplog):
    environment.dynamodb.delete_table(TableName=environment.table)
    code, problem = sent(events)
    assert (code, problem["type"]) == (503, "urn:textclf:problem:aws")
    assert environment.table not in json.dumps(problem)
    assert "ResourceNotFound" in caplog.text


# status and result


def test_others_do_not_see_a_job(environment, events):
    task_id = sent(events)[1]["task_id"]
    jobs_in(environment).finish(task_id, "success", result="{}")
    missing = asked(status.handler, events, "0" * 32)
    assert missing[0] == 404
    for handler in (status.handler, result.handler):
        assert asked(handler, events, task_id)[0] == 200
        assert asked(handler, events, task_id, caller=OTHER) == missing
        assert asked(handler, events, task_id, caller=None)[0] == 401


@pytest.mark.parametrize("task_id", ["", "..", "x" * 2000, "0" * 31, "A" * 32, "documents/" + "0" * 32, "\x00"])
def test_what_is_no_id_is_not_there(events, task_id):
    assert asked(status.handler, events, task_id)[0] == 404


@pytest.mark.parametrize("wait", ["-1", "21", "nan", "inf", "soon"])
def test_no_client_waits_longer_than_the_gateway(events, wait):
    assert asked(status.handler, events, "0" * 32, query=f"wait={wait}")[0] == 422


def test_a_client_waits_for_the_end(environment, events):
    task_id = sent(events)[1]["task_id"]
    assert asked(status.handler, events, task_id, query="wait=0.1")[1]["task_status"] == "pending"
    jobs_in(environment).finish(task_id, "success", result="{}")
    assert asked(status.handler, events, task_id, query="wait=20")[1]["task_status"] == "success"


def test_the_result_of_a_failure_is_its_problem(environment, events):
    task_id = sent(events)[1]["task_id"]
    assert asked(result.handler, events, task_id)[0] == 409
    problem = ProblemError(422, "unreadable", "cannot be read", documents=[{"name": "a", "detail": "b"}]).body()
    jobs_in(environment).finish(task_id, "failure", result=json.dumps(problem))
    assert asked(result.handler, events, task_id) == (422, problem)


# uploads


def announced(events, **given):
    event = events.rest_event("POST", "/v1/uploads", body=json.dumps(given))
    answer = upload.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def put(given, content):
    asked = urllib.request.Request(given["url"], content, given["headers"], method=given["method"])
    with urllib.request.urlopen(asked) as answer:
        return answer.status


def test_a_large_document_is_uploaded_and_begun_by_the_event_of_s3(environment, events):
    sha256 = hashlib.sha256(PDF).hexdigest()
    code, given = announced(events, name="a.pdf", size=len(PDF), content_type="application/pdf", sha256=sha256)
    task_id = given["task_id"]
    assert (code, given["task_status"]) == (201, "pending")
    signed = "content-length%3Bcontent-type%3Bhost%3Bif-none-match%3Bx-amz-checksum-sha256"
    assert f"X-Amz-SignedHeaders={signed}" in given["upload"]["url"]
    assert environment.messages() == []
    assert put(given["upload"], PDF) == 200
    event = events.s3_event(environment.bucket, f"uploads%2F{task_id}", len(PDF))
    for _ in range(2):
        uploaded.handler(event, None)
    assert [json.loads(message["Body"])["task_id"] for message in environment.messages()] == [task_id] * 2
    assert environment.record(task_id)["sha256"] == sha256
    # events that come late, after the document was read
    jobs_in(environment).finish(task_id, "success", result="{}")
    uploaded.handler(event, None)
    assert environment.messages() == []
    assert announced(events, name="a.pdf", size=len(PDF), sha256=sha256)[0] == 200


def test_the_answer_to_an_announcement_is_the_one_that_is_shown(environment, events):
    page = (Path(__file__).parents[3] / "docs" / "serverless.md").read_text()
    blocks = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    (shown,) = (block for block in blocks if "upload" in block)
    sha256 = hashlib.sha256(b"").hexdigest()
    _, given = announced(events, name="scan.pdf", size=48_000_000, content_type="application/pdf", sha256=sha256)
    for own in ("task_id", "url"):
        for one in (shown, shown["upload"], given, given["upload"]):
            one.pop(own, None)
    assert given == shown


def test_an_upload_whose_event_is_lost_or_that_was_given_up_is_begun_by_announcing_it_again(environment, events):
    given = {"name": "a.pdf", "size": len(PDF), "sha256": hashlib.sha256(PDF).hexdigest()}
    first = announced(events, **given)[1]
    task_id = first["task_id"]
    # what is not there yet may be put now
    assert announced(events, **given)[0] == 201
    assert environment.messages() == []
    put(first["upload"], PDF)
    pending = (200, {"task_id": task_id, "task_status": "pending", "task_position": None})
    assert announced(events, **given) == pending
    assert [json.loads(message["Body"])["task_id"] for message in environment.messages()] == [task_id]
    jobs = jobs_in(environment)
    jobs.finish(task_id, "failure", result="{}", gave_up=True)
    assert announced(events, **given) == pending
    assert [json.loads(message["Body"])["task_id"] for message in environment.messages()] == [task_id]
    # nor is one that was given up and has gone since lost
    jobs.finish(task_id, "failure", result="{}", gave_up=True)
    environment.s3.delete_object(Bucket=environment.bucket, Key=f"uploads/{task_id}")
    assert announced(events, **given)[0] == 201
    assert environment.messages() == []
    # another failure stays, as the document would fail again
    jobs.finish(task_id, "failure", result="{}")
    assert announced(events, **given)[1]["task_status"] == "failure"


def test_a_document_that_was_announced_may_be_sent_all_the_same(environment, events):
    _, given = announced(events, name="document", size=len(PDF), sha256=hashlib.sha256(PDF).hexdigest())
    task_id = sent(events)[1]["task_id"]
    assert task_id != given["task_id"]
    key = environment.record(task_id)["key"]
    assert environment.s3.get_object(Bucket=environment.bucket, Key=key)["Body"].read() == PDF


def test_without_a_hash_every_upload_is_a_job_of_its_own(events):
    assert announced(events, size=5)[1]["task_id"] != announced(events, size=5)[1]["task_id"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"size": 0},
        {"size": -1},
        {"size": True},
        {"size": "5"},
        {"size": 5.5},
        {"size": 5, "content_type": "text/html"},
        {"size": 5, "content_type": "image/png\r\nx: y"},
        {"size": 5, "content_type": ["image/png"]},
        {"size": 5, "sha256": "zz"},
        {"size": 5, "name": 5},
        {"size": 5, "key": "models/model.textclf"},
    ],
)
def test_an_upload_that_is_not_described_well_is_refused(events, given):
    assert announced(events, **given)[0] == 422


def test_an_upload_that_is_too_large_is_refused(events):
    assert announced(events, size=10**12)[0] == 413


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "[" * 100_000, "\ud800"])
def test_a_body_that_is_no_object_is_refused(events, body):
    answer = upload.handler(events.http_event("POST", "/v1/uploads", body=body), None)
    assert answer["statusCode"] in (400, 422)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("uploads/" + "0" * 32, "ObjectCreated:Put"),
        ("uploads/..%2Fmodels/model.textclf", "ObjectCreated:Put"),
        ("uploads/{task_id}/x", "ObjectCreated:Put"),
        ("other/{task_id}", "ObjectCreated:Put"),
        ("documents/{task_id}", "ObjectCreated:Copy"),
        ("uploads/{task_id}", "ObjectRemoved:Delete"),
    ],
)
def test_objects_that_no_record_waits_for_are_passed_over(environment, events, key, name):
    task_id = announced(events, size=5)[1]["task_id"]
    uploaded.handler(events.s3_event(environment.bucket, key.format(task_id=task_id), 5, name), None)
    uploaded.handler(events.s3_event("bucket-of-others", f"uploads/{task_id}", 5), None)
    uploaded.handler({"Event": "s3:TestEvent"}, None)
    assert environment.messages() == []


def test_an_upload_that_a_worker_looked_for_too_early_is_begun_by_its_event(environment, events):
    task_id = announced(events, size=5)[1]["task_id"]
    jobs_in(environment).finish(task_id, "failure", result="{}", retriable=True)
    uploaded.handler(events.s3_event(environment.bucket, f"uploads/{task_id}", 5), None)
    assert environment.record(task_id)["state"] == "pending"
    assert [json.loads(message["Body"])["task_id"] for message in environment.messages()] == [task_id]


def test_a_record_that_is_none_of_s3_holds_up_no_other(environment, events, caplog):
    task_id = announced(events, size=5)[1]["task_id"]
    (good,) = events.s3_event(environment.bucket, f"uploads/{task_id}", 5)["Records"]
    sizeless = good | {"s3": good["s3"] | {"object": good["s3"]["object"] | {"size": None}}}
    uploaded.handler({"Records": [None, {"eventName": "ObjectCreated:Put"}, sizeless, good]}, None)
    assert [json.loads(message["Body"])["task_id"] for message in environment.messages()] == [task_id]
    told = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert [line.partition(" of")[0] for line in told] == ["record 0", "record 1", "record 2"]


def test_an_object_that_is_too_large_ends_its_job(environment, events):
    task_id = announced(events, size=5)[1]["task_id"]
    uploaded.handler(events.s3_event(environment.bucket, f"uploads/{task_id}", 10**10), None)
    assert environment.messages() == []
    assert asked(result.handler, events, task_id)[0] == 413


# predict


def predicted(events, **given):
    answer = predict.handler(events.http_event("POST", "/v1/predict", body=json.dumps(given)), None)
    return answer["statusCode"], json.loads(answer["body"])


def test_a_text_is_predicted_by_the_model_of_s3(environment, events):
    code, found = predicted(events, text="invoice total due vat", columns={"page_count": 1})
    assert (code, found["predicted_category"]) == (200, "invoice")
    assert 0.5 < found["score"] <= 1
    assert [path.name for path in environment.folder.glob("*.textclf")] == [
        f"model-{environment.environment['TEXTCLF_MODEL_SHA256']}.textclf"
    ]


def test_a_text_of_nothing_is_for_review_as_for_textclf_predict(shared_environment, events):
    nothing = {"predicted_category": "", "score": 0.0, "decision": "review", "reason": "no text"}
    for text in ("", "  \n\f"):
        assert predicted(events, text=text) == (200, nothing)
        assert predicted(events, text=text, columns={"text_vector_1": 0.5}) == (200, nothing)


def test_the_model_decides_what_a_person_should_look_at(shared_environment, events, small_model, monkeypatch):
    text = "invoice total due vat number net gross number 3"
    own = textclf.load(small_model)(text, max_error=0.9)
    assert own.decision == "accept"
    _, found = predicted(events, text=text)
    assert found["decision"] == "review"
    predict.ml_client.cache_clear()
    monkeypatch.setenv("TEXTCLF_MAX_ERROR", "0.9")
    expected = {"predicted_category": "invoice", "score": own.score, "decision": "accept", "reason": ""}
    assert predicted(events, text=text) == (200, expected)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"text": 5},
        {"text": "a", "columns": [1]},
        {"text": "a", "columns": {"a": {}}},
        {"text": "a", "columns": {"model_id": "other"}},
        {"text": "a", "columns": {"text_vector_1": "x"}, "endpoint": "http://elsewhere"},
    ],
)
def test_a_text_that_is_not_given_well_is_refused(events, given):
    assert predicted(events, **given)[0] == 422


@pytest.mark.slow
def test_a_text_is_predicted_by_a_server_of_amazon_ml(environment, events, monkeypatch, server):
    server.client.create_realtime_endpoint(MLModelId="ml-sales")
    monkeypatch.setenv("AMAZON_ML_URL", server.ready("ml-sales"))
    monkeypatch.setenv("TEXTCLF_ML_MODEL_ID", "ml-sales")
    for age, note, label in ((70, "yes", "1"), (20, "no", "0")):
        code, found = predicted(events, text="", columns={"age": age, "note": note})
        assert (code, found["predicted_category"]) == (200, label)


def test_a_server_that_cannot_be_reached_is_one_line(events, monkeypatch):
    monkeypatch.setenv("AMAZON_ML_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TEXTCLF_ML_MODEL_ID", "ml-1")
    code, problem = predicted(events, text="a")
    assert (code, problem["type"]) == (502, "urn:textclf:problem:amazon-ml")
    assert "127.0.0.1" not in json.dumps(problem)


def test_a_model_with_another_hash_is_not_loaded(environment, events, monkeypatch, caplog):
    monkeypatch.setenv("TEXTCLF_MODEL_SHA256", "0" * 64)
    code, problem = predicted(events, text="a")
    assert (code, problem["type"]) == (503, "urn:textclf:problem:bad-model")
    assert "not that of TEXTCLF_MODEL_SHA256" in caplog.text
    assert list(environment.folder.glob("*model*")) == []
