"""The whole way of a page: gateway, bucket, record, message, worker, record; real handlers in real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from jsonschema import validate

from textclf.data.results import result_schema

ROOT = Path(__file__).parents[3]
KINDS = ("invoice", "identity_card", "tax_certificate")


def test_a_page_is_classified(cloud, events, scan, tmp_path):
    page = scan(tmp_path / "page.png", "invoice total due vat", "net gross number").read_bytes()
    work, submit, result = (cloud.function(name) for name in ("work", "submit", "result"))
    body, headers = events.form(page, "C:\\scans\\page.png")

    answer = submit(events.http_event("POST", "/v1/classify/file/async", body=body, headers=headers))
    given = json.loads(answer["body"])
    task_id = given["task_id"]
    assert (answer["statusCode"], given["task_status"]) == (202, "pending")
    record = cloud.record(task_id)
    assert (record["state"], record["name"], record["attempts"]) == ("pending", "page.png", "0")
    assert cloud.s3.get_object(Bucket=cloud.bucket, Key=record["key"])["Body"].read() == page

    def ask(function, path):
        return function(events.http_event("GET", f"{path}/{task_id}", parameters={"task_id": task_id}))

    assert ask(result, "/v1/result")["statusCode"] == 409
    assert cloud.deliver(work) == []
    assert cloud.messages() == []
    record = cloud.record(task_id)
    assert (record["state"], record["attempts"]) == ("success", "1")
    answer = ask(result, "/v1/result")
    found = json.loads(answer["body"])
    validate(found, result_schema())
    assert answer["statusCode"] == 200
    assert found["model"]["id"] == cloud.environment["TEXTCLF_MODEL_SHA256"]
    (document,) = found["documents"]
    assert (document["name"], document["docType"], document["sha256"]) == ("page.png", "invoice", record["sha256"])


@pytest.mark.slow
def test_an_upload_goes_the_same_way(cloud, events, scan, tmp_path):
    page = scan(tmp_path / "page.png", "dear madam sincerely yours", "regards love").read_bytes()
    upload, uploaded, work, status = (cloud.function(name) for name in ("upload", "uploaded", "work", "status"))
    announced = {"name": "letter.png", "size": len(page), "content_type": "image/png"}
    answer = upload(events.rest_event("POST", "/v1/uploads", body=json.dumps(announced)))
    given = json.loads(answer["body"])
    asked = Request(given["upload"]["url"], page, given["upload"]["headers"], method="PUT")
    with urlopen(asked) as put:
        assert put.status == 200
    uploaded(events.s3_event(cloud.bucket, f"uploads/{given['task_id']}", len(page)))
    assert cloud.deliver(work) == []
    answer = status(events.rest_event("GET", "/", parameters={"task_id": given["task_id"]}, query={"wait": "1"}))
    assert json.loads(answer["body"]) == {
        "task_id": given["task_id"],
        "task_status": "success",
        "task_position": None,
    }
    assert cloud.record(given["task_id"])["sha256"]


@pytest.mark.slow
def test_the_script_without_aws_that_is_shown_classifies_a_page(small_model, scan, tmp_path):
    scan(tmp_path / "page.png", "invoice total due vat", "net gross number")
    page = (ROOT / "docs" / "serverless.md").read_text()
    (script,) = re.findall(r"^```python\n(import .*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "without_aws.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "without_aws.py", str(small_model), "page.png"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (document,) = json.loads(done.stdout)["documents"]
    assert (document["name"], document["docType"]) == ("page.png", "invoice")


@pytest.mark.slow
def test_a_real_scan_is_classified_without_semaphores_by_a_model_of_the_samples(
    moto, tmp_path, events, without_semaphores, new_cloud
):
    table, model = tmp_path / "documents.csv", tmp_path / "model.textclf"
    scans = [ROOT / "data" / "scans" / f"{kind}-{number:02}" for kind in KINDS for number in range(1, 6)]
    files = [next(path.parent.glob(f"{path.name}.*")) for path in scans]
    labels = ROOT / "data" / "labels.csv"
    for command in (
        ["ocr", *files, "--labels", labels, "-o", table],
        ["train", table, "--max-error", "0.4", "-o", model],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "textclf", *map(str, command)], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    cloud = new_cloud(model)
    work, submit, result = (cloud.function(name, wrapper=without_semaphores) for name in ("work", "submit", "result"))
    scan = ROOT / "data" / "scans" / "invoice-07.png"
    body, headers = events.form(scan.read_bytes(), scan.name)
    answer = submit(events.http_event("POST", "/v1/x", body=body, headers=headers))
    task_id = json.loads(answer["body"])["task_id"]
    assert cloud.deliver(work) == []
    answer = result(events.http_event("GET", "/", parameters={"task_id": task_id}))
    (document,) = json.loads(answer["body"])["documents"]
    assert document["docType"] == "invoice"
    assert document["evidence"]


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_loses_nothing(cloud, events, slow_pdf):
    task_id = submitted(cloud, events, slow_pdf)
    first = cloud.function("work", seconds=20)
    wait_until(first.is_ready.is_set)
    received = cloud.messages()
    first.send({"Records": [events.sqs_record(message, cloud.queue) for message in received]})
    wait_until(lambda: cloud.record(task_id)["state"] == "started")
    time.sleep(1)
    first.kill()
    # the message comes again while the record is still kept for the worker that is gone, and once more
    cloud.sqs.change_message_visibility(
        QueueUrl=cloud.queue, ReceiptHandle=received[0]["ReceiptHandle"], VisibilityTimeout=0
    )
    second = cloud.function("work", seconds=200)
    assert len(cloud.deliver(second)) == 1
    assert cloud.record(task_id)["attempts"] == "1"

    def is_done():
        cloud.deliver(second)
        return cloud.record(task_id)["state"] == "success"

    wait_until(is_done, seconds=240)
    record = cloud.record(task_id)
    assert (record["state"], record["attempts"]) == ("success", "2")
    assert len(json.loads(record["result"])["documents"][0]["pages"]) == 8


@pytest.mark.slow
def test_a_container_works_until_it_is_told_to_stop(cloud, events, slow_pdf, scan, tmp_path):
    page = scan(tmp_path / "page.png", "invoice total due vat", "net gross number").read_bytes()
    small = submitted(cloud, events, page)
    command = [sys.executable, "-m", "aws_ml_adapter.serverless"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **cloud.environment, "TEXTCLF_GRACE": "0"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True) as loop:
        try:
            wait_until(lambda: cloud.record(small)["state"] == "success", seconds=120)
            large = submitted(cloud, events, slow_pdf)
            wait_until(lambda: cloud.record(large)["state"] == "started")
            loop.send_signal(signal.SIGTERM)
            said = loop.communicate(timeout=60)[1]
        finally:
            if loop.poll() is None:
                os.killpg(loop.pid, signal.SIGKILL)
    assert loop.returncode == 0, said
    record = cloud.record(large)
    assert (record["state"], record["attempts"]) == ("pending", "0"), said
    # others may have it at once
    assert [json.loads(message["Body"])["task_id"] for message in cloud.messages(seconds=2)] == [large]


@pytest.mark.slow
def test_a_deployment_with_another_model_ends_in_the_record_and_not_in_silence(cloud, events):
    task_id = submitted(cloud, events, b"%PDF-1.4")
    work = cloud.function("work", TEXTCLF_MODEL_SHA256="0" * 64)
    for _ in range(4):
        assert len(cloud.deliver(work)) == 1
        # as when the time is over for which it is hidden
        cloud.sqs.send_message(QueueUrl=cloud.queue, MessageBody=json.dumps({"task_id": task_id}))
    record = cloud.record(task_id)
    assert (record["state"], record["attempts"]) == ("failure", "3")
    assert json.loads(record["result"])["type"] == "urn:textclf:problem:gave-up"
    assert "not that of TEXTCLF_MODEL_SHA256" in work.said


@pytest.mark.slow
def test_a_container_without_a_queue_says_so(cloud):
    done = container(cloud, TEXTCLF_QUEUE_URL="")
    assert done.returncode == 2
    assert done.stderr.startswith("error: environment: TEXTCLF_QUEUE_URL is not set")


@pytest.mark.slow
def test_a_container_with_a_model_in_s3_and_no_hash_says_so(cloud):
    done = container(cloud, TEXTCLF_MODEL_SHA256="")
    assert done.returncode == 2
    assert done.stderr.startswith("error: environment: TEXTCLF_MODEL_SHA256 is not set")


def test_a_container_has_no_arguments_and_tells_its_variables(shared_cloud):
    done = container(shared_cloud, "worker")
    assert (done.returncode, "unrecognized arguments: worker" in done.stderr) == (2, True)
    done = container(shared_cloud, "--help")
    assert (done.returncode, "TEXTCLF_QUEUE_URL" in done.stdout) == (0, True)


def container(cloud, *arguments, **environment):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **cloud.environment, **environment}
    command = [sys.executable, "-m", "aws_ml_adapter.serverless", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def submitted(cloud, events, content):
    submit = cloud.function("submit")
    event = events.http_event("POST", "/v1/x", body=content, headers={"content-type": "application/octet-stream"})
    task_id = json.loads(submit(event)["body"])["task_id"]
    submit.close()
    return task_id


def wait_until(holds, seconds=240):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)
