"""Workers: what cannot be read, what comes twice, models that cannot be had, the dead-letter queue."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from aws_ml_adapter.serverless import polling, work
from aws_ml_adapter.serverless.jobs import Job
from aws_ml_adapter.serverless.messages import send
from aws_ml_adapter.serverless.settings import read_settings
from aws_ml_adapter.serverless.worker import Outcome, Worker

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)


@pytest.fixture
def worker(environment, classifier, monkeypatch):
    from aws_ml_adapter.serverless.clients import client

    made = Worker(read_settings(environment.environment), client)
    monkeypatch.setattr(made, "_classifier", classifier)
    monkeypatch.setattr(work, "worker", lambda: made)
    return made


@pytest.fixture
def page(scan, tmp_path):
    return scan(tmp_path / "page.png", "invoice total due vat", "net gross number").read_bytes()


@pytest.fixture
def given(environment, worker):
    """Puts a document where a worker finds it, and sends the message."""
    numbers = iter(range(1000))

    def give(content, *, sha256="", messages=1):
        task_id = f"{next(numbers):032x}"
        key = f"documents/{task_id}"
        if content is not None:
            environment.s3.put_object(Bucket=environment.bucket, Key=key, Body=content)
        worker.jobs.create(Job(task_id=task_id, owner="anna", name="page.png", key=key, sha256=sha256))
        for _ in range(messages):
            send(environment.sqs, environment.queue, task_id)
        return task_id

    return give


def handler(event):
    return work.handler(event, CONTEXT)


def test_a_message_that_comes_twice_is_done_once(environment, given, page):
    task_id = given(page, messages=3)
    assert environment.deliver(handler) == []
    record = environment.record(task_id)
    assert (record["state"], record["attempts"]) == ("success", "1")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"PK\x03\x04 an archive", 415),
        (b"\x89PNG but damaged", 422),
        (b"%PDF-1.4 but damaged", 422),
        (b"\0" * 1000, 415),
        (None, 404),
    ],
)
def test_a_document_that_cannot_be_read_is_a_failure_and_no_message_comes_again(environment, given, content, status):
    task_id = given(content)
    assert environment.deliver(handler) == []
    record = environment.record(task_id)
    assert (record["state"], record["attempts"]) == ("failure", "1")
    assert json.loads(record["result"])["status"] == status
    # what is only gone may be sent again
    assert record["retriable"] is (content is None)


def test_a_document_that_was_exchanged_is_not_read(environment, given, page):
    task_id = given(page, sha256="0" * 64)
    environment.deliver(handler)
    assert json.loads(environment.record(task_id)["result"])["type"] == "urn:textclf:problem:other-content"


def test_a_document_that_is_too_large_is_not_fetched(environment, given, worker, page, monkeypatch):
    task_id = given(page)
    monkeypatch.setattr(worker, "_options", read_settings(environment.environment | {"TEXTCLF_MAX_BYTES": "10"}))
    environment.deliver(handler)
    assert json.loads(environment.record(task_id)["result"])["status"] == 413


def test_a_document_that_takes_too_long_is_a_failure(environment, given, slow_pdf, worker, monkeypatch):
    short = read_settings(environment.environment | {"TEXTCLF_SECONDS_PER_PAGE": "1"})
    monkeypatch.setattr(worker, "_options", short)
    task_id = given(slow_pdf)
    outcome = worker.do(json.dumps({"task_id": task_id}), receives=1, seconds=6)
    assert outcome.is_done
    record = environment.record(task_id)
    assert record["state"] == "failure"
    assert json.loads(record["result"])["type"] == "urn:textclf:problem:too-slow"


@pytest.mark.parametrize(("seconds", "attempts"), [(3, "0"), (6, "1")])
def test_a_document_for_which_too_little_time_is_left_is_not_judged(
    environment, given, slow_pdf, worker, seconds, attempts
):
    task_id = given(slow_pdf)
    outcome = worker.do(json.dumps({"task_id": task_id}), receives=1, seconds=seconds)
    assert not outcome.is_done
    record = environment.record(task_id)
    assert (record["state"], record["attempts"]) == ("pending", attempts)


def test_a_result_that_no_record_can_hold_is_an_object(environment, given, page, events, monkeypatch):
    from aws_ml_adapter.serverless import result

    monkeypatch.setattr("aws_ml_adapter.serverless.worker.MAX_IN_RECORD", 100)
    monkeypatch.setenv("TEXTCLF_ANONYMOUS", "1")
    task_id = given(page)
    environment.deliver(handler)
    record = environment.record(task_id)
    assert (record["state"], record["result"]) == ("success", "")
    assert record["result_key"] == f"results/{task_id}"
    event = events.http_event("GET", "/", parameters={"task_id": task_id})
    assert result.handler(event, None)["statusCode"] == 404
    event["requestContext"]["authorizer"] = {"lambda": {"principalId": "anna"}}
    environment.dynamodb.update_item(
        TableName=environment.table,
        Key={"task_id": {"S": task_id}},
        UpdateExpression="SET #owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": {"S": "lambda:anna"}},
    )
    answer = result.handler(event, None)
    assert json.loads(answer["body"])["documents"][0]["docType"] == "invoice"


def test_of_a_batch_only_what_failed_comes_again(environment, given, page, worker, monkeypatch):
    good, bad = given(page), given(page)
    fetch = worker._objects.fetch

    def fail_for_one(key, *arguments, **options):
        if key.endswith(bad):
            raise OSError(28, "No space left on device")
        return fetch(key, *arguments, **options)

    monkeypatch.setattr(worker._objects, "fetch", fail_for_one)
    assert len(environment.deliver(handler)) == 1
    assert (environment.record(good)["state"], environment.record(bad)["state"]) == ("success", "pending")
    # at once it would fail again
    assert environment.messages() == []


def test_a_message_that_is_not_understood_fails_alone(environment, given, page, events, caplog):
    task_id = given(page)
    (message,) = environment.messages()
    good = events.sqs_record(message, environment.queue)
    without_body = {"messageId": "m1", "receiptHandle": good["receiptHandle"]}
    miscounted = good | {"messageId": "m2", "attributes": {"ApproximateReceiveCount": "x"}}
    answer = handler({"Records": [without_body, miscounted, good]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert environment.record(task_id)["state"] == "success"
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.message.partition(" is not")[0] for record in told] == ["message m1", "message m2"]
    assert not any(record.exc_info for record in told)


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": []}])
def test_an_event_without_messages_is_no_error(event):
    assert handler(event) == {"batchItemFailures": []}


def until_dead(environment, handle, monkeypatch):
    """Deliver until the dead-letter queue has the message."""
    monkeypatch.setattr("aws_ml_adapter.serverless.worker._FIRST_PAUSE", 0)
    for _ in range(12):
        environment.deliver(handle)
        if dead := environment.messages(environment.dead):
            return dead
    raise AssertionError("the message is not on the dead-letter queue")


def test_what_fails_too_often_is_given_up_and_can_be_moved_back(environment, given, page, worker, monkeypatch):
    task_id = given(page)
    failing = monkeypatch.context()
    with failing as patch:
        patch.setattr(worker._objects, "fetch", lambda *_, **__: 1 / 0)
        (dead,) = until_dead(environment, handler, monkeypatch)
    record = environment.record(task_id)
    assert (record["state"], record["attempts"]) == ("failure", "3")
    assert json.loads(record["result"])["type"] == "urn:textclf:problem:gave-up"
    # as the console's redrive does: a new message of the same content
    environment.sqs.send_message(QueueUrl=environment.queue, MessageBody=dead["Body"])
    assert environment.deliver(handler) == []
    assert environment.record(task_id)["state"] == "success"


def test_what_is_no_message_of_ours_ends_on_the_dead_letter_queue(environment, worker, monkeypatch):
    for body in ("", "{", "[]", '{"task_id": 5}', '{"task_id": "../../x"}', "x" * 100_000):
        environment.sqs.send_message(QueueUrl=environment.queue, MessageBody=body or " ")
        assert len(until_dead(environment, handler, monkeypatch)) == 1


def test_a_message_whose_record_is_gone_is_forgotten(environment, worker):
    send(environment.sqs, environment.queue, "f" * 32)
    assert environment.deliver(handler) == []


def test_a_job_that_another_worker_has_comes_back_when_its_lease_is_over(given, page, worker):
    task_id = given(page)
    worker.jobs.begin(task_id, seconds=100)
    outcome = worker.do(json.dumps({"task_id": task_id}), receives=1, seconds=60)
    assert not outcome.is_done
    assert 95 <= outcome.pause <= 103


def test_a_model_that_cannot_be_had_is_tried_again(environment, given, page, worker, monkeypatch):
    task_id = given(page)
    monkeypatch.setattr(worker, "_classifier", None)
    monkeypatch.setattr(worker, "_options", read_settings(environment.environment | {"TEXTCLF_MODEL_SHA256": "0" * 64}))
    assert len(environment.deliver(handler)) == 1
    assert environment.record(task_id)["state"] == "pending"


def test_a_document_is_put_back_when_the_container_stops(environment, given, slow_pdf, worker):
    task_id = given(slow_pdf)
    outcome = worker.do(json.dumps({"task_id": task_id}), receives=1, seconds=60, goes_on=lambda: False)
    record = environment.record(task_id)
    assert outcome == Outcome(is_done=False)
    assert (record["state"], record["attempts"]) == ("pending", "0")


@pytest.mark.slow
def test_a_container_keeps_what_takes_longer_than_a_lease(environment, given, slow_pdf, worker, monkeypatch):
    monkeypatch.setattr(polling, "HIDDEN", 2)
    monkeypatch.setattr(polling, "_WAIT", 0)
    monkeypatch.setattr(worker, "close", lambda: None)
    task_id = given(slow_pdf)
    container = polling.Polling(worker, environment.sqs, environment.queue, grace=60)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(container.run)
        while environment.record(task_id)["state"] in ("pending", "started"):
            time.sleep(0.1)
        container.stop()
        running.result()
    record = environment.record(task_id)
    assert (record["state"], record["attempts"]) == ("success", "1")
    # the first lease ended three seconds after it was begun
    assert int(record["finished_at"]) <= int(record["lease"])
    assert int(record["lease"]) > int(record["started_at"]) + 3


def test_records_are_there_while_a_page_is_read(environment, given, page, worker):
    task_id = given(page)
    before = time.time()
    environment.deliver(handler)
    record = environment.record(task_id)
    assert before - 1 <= int(record["started_at"]) <= int(record["finished_at"])
    assert abs(int(record["expires_at"]) - int(record["created_at"]) - 7 * 86_400) < 2
