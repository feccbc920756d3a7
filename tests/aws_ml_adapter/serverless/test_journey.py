"""The whole way of a page: gateway, bucket, record, message, worker, record; real handlers in real processes."""

from __future__ import annotations

import json

from jsonschema import validate

from textclf.data.results import result_schema


def test_a_page_is_classified(cloud, events, scan, tmp_path):
    page = scan(tmp_path / "page.png", "invoice total due vat", "net gross number").read_bytes()
    work, submit = cloud.function("work"), cloud.function("submit")
    result, status = cloud.function("result"), cloud.function("status")
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
    assert json.loads(ask(status, "/v1/status/poll")["body"]) == {
        "task_id": task_id,
        "task_status": "success",
        "task_position": None,
    }
    answer = ask(result, "/v1/result")
    found = json.loads(answer["body"])
    validate(found, result_schema())
    assert answer["statusCode"] == 200
    assert found["model"]["id"] == cloud.environment["TEXTCLF_MODEL_SHA256"]
    (document,) = found["documents"]
    assert (document["name"], document["docType"], document["sha256"]) == ("page.png", "invoice", record["sha256"])
