"""What a client gets for its documents."""

from __future__ import annotations

import base64
import json
import os
from io import BytesIO
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

import textclf.service
from textclf.data.results import result_schema
from textclf.library.library import Library

SCHEMA = Path(textclf.service.__file__).parent / "result.schema.json"


def png(image: Image.Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def test_the_schema_of_results_is_the_one_that_is_kept():
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == result_schema()


def test_a_scan_gets_category_score_decision_and_the_words_that_decided(client, service, invoice, sent):
    answer = client.post("/v1/classify/file", files=sent(a=invoice))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    result = answer.json()
    jsonschema.validate(result, json.loads(SCHEMA.read_text(encoding="utf-8")))
    (document,) = result["documents"]
    assert (document["name"], document["docType"], document["decision"]) == ("a.png", "invoice", "accept")
    assert 0.5 < document["confidence"] < 1
    assert document["runnerUp"]["docType"] in ("letter", "receipt")
    assert document["runnerUp"]["confidence"] < document["confidence"]
    assert [(page["page"], page["docType"]) for page in document["pages"]] == [(1, "invoice")]
    words = [one for one in document["evidence"] if one["box"]]
    assert {"invoice", "vat", "gross"} <= {one["text"].lower() for one in words}
    gross = next(one for one in words if one["text"].lower() == "gross")
    left, top, right, bottom = gross["box"]
    # the second word of the second line
    assert 0.1 < left < right < 0.4
    assert 0.4 < top < bottom < 0.9
    assert gross["page"] == 1
    assert gross["weight"] > 0
    assert document["warnings"] == []
    # accepted, so nothing of it is kept
    assert document["documentId"] is None


def test_where_nothing_was_scored_the_score_is_null(client, sent):
    blank = png(Image.new("L", (900, 600), 255))
    (document,) = client.post("/v1/classify/file", files=sent(a=blank)).json()["documents"]
    assert (document["docType"], document["confidence"], document["familiarity"]) == (None, None, None)
    assert (document["decision"], document["reason"]) == ("review", "no text")
    assert document["pages"][0]["confidence"] is None


def test_what_is_for_review_is_kept_with_its_file_and_what_is_not_is_gone(client, service, scan, tmp_path, sent):
    unsure = scan(tmp_path / "unsure.png", "the weather of the day is fine", "and so on by the sea").read_bytes()
    (document,) = client.post("/v1/classify/file", files=sent(odd=unsure)).json()["documents"]
    assert document["decision"] == "review"
    with Library.open(service.library) as library:
        stored = library.document(document["documentId"])
        assert (stored.name, stored.size, stored.path) == ("odd.png", len(unsure), "")
        assert library.file_path(stored.sha256, ".png").read_bytes() == unsure
        prediction = library.prediction(stored.id)
        assert (prediction.decision, prediction.reason) == ("review", document["reason"])
        assert "weather" in library.text(stored.id)
    assert not list((service.library / "uploads").rglob("*"))


def test_several_files_are_answered_in_order_and_a_bad_one_spoils_none(client, scans, invoice, sent):
    letter = (scans / "letter.png").read_bytes()
    answer = client.post("/v1/classify/file", files=sent(a=letter, b=invoice[:500], c=b"no scan", d=invoice))
    assert answer.status_code == 200
    documents = answer.json()["documents"]
    assert [document["name"] for document in documents] == ["a.png", "b.png", "c.png", "d.png"]
    assert [document["docType"] for document in documents] == ["letter", None, None, "invoice"]
    assert {documents[n]["reason"] for n in (1, 2)} == {"could not be read"}
    assert all(documents[n]["confidence"] is None and documents[n]["warnings"] for n in (1, 2))


@pytest.mark.parametrize(
    ("content", "status", "name"),
    [
        (b"", 422, "unreadable"),
        (b"plain text", 415, "unsupported"),
        (b"PK\x03\x04 an office document", 415, "unsupported"),
        (b"%PDF-1.7 cut short", 422, "unreadable"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 422, "unreadable"),
    ],
)
def test_what_cannot_be_read_is_a_problem_of_the_client(client, sent, content, status, name):
    answer = client.post("/v1/classify/file", files=sent(a=content))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["type"] == f"urn:textclf:problem:{name}"
    assert problem["status"] == status
    assert problem["detail"].startswith("a.png: ")
    assert [one["name"] for one in problem["documents"]] == ["a.png"]


def test_files_are_named_by_path_below_the_root_or_sent_in_base64(client, scans, invoice):
    sources = [
        {"kind": "path", "path": "deep/receipt.png"},
        {"kind": "base64", "base64": base64.b64encode(invoice).decode(), "name": "../x/b.png"},
        {"kind": "path", "path": str(scans / "letter.png")},
    ]
    documents = client.post("/v1/classify/source", json={"sources": sources}).json()["documents"]
    assert [document["docType"] for document in documents] == ["receipt", "invoice", "letter"]
    assert [document["name"] for document in documents] == ["receipt.png", "b.png", "letter.png"]


def test_no_path_leads_out_of_the_root(client, scans, tmp_path):
    outside = scans.parent / "outside.png"
    outside.write_bytes((scans / "invoice.png").read_bytes())
    links = {"link.png": outside, "folder": scans.parent, "loop": scans / "loop"}
    for name, target in links.items():
        if not (scans / name).is_symlink():
            (scans / name).symlink_to(target)
    if not (scans / "pipe").exists():
        os.mkfifo(scans / "pipe")
    wrong = [
        "../outside.png",
        str(outside),
        "/etc/passwd",
        "link.png",
        "folder/outside.png",
        "loop",
        "pipe",
        ".",
        "deep",
    ]
    wrong += ["none.png", "a\0b", "x" * 4000, "../scans2/a.png"]
    for path in wrong:
        answer = client.post("/v1/classify/source", json={"sources": [{"kind": "path", "path": path}]})
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:textclf:problem:no-such-file"), path
    # one that stays below the root is followed
    (scans / "alias.png").unlink(missing_ok=True)
    (scans / "alias.png").symlink_to("deep/receipt.png")
    answer = client.post("/v1/classify/source", json={"sources": [{"kind": "path", "path": "alias.png"}]})
    assert answer.json()["documents"][0]["docType"] == "receipt"


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        ({}, 422, "invalid"),
        ({"sources": []}, 422, "invalid"),
        ({"sources": [{"kind": "ftp"}]}, 422, "invalid"),
        ({"sources": [{"kind": "base64", "base64": "no base64!"}]}, 422, "bad-base64"),
        ({"sources": [{"kind": "s3", "uri": "s3://bucket/key"}]}, 403, "no-s3-root"),
        ({"sources": [{"kind": "path", "path": "x", "more": 1}]}, 422, "invalid"),
        ({"sources": [{"kind": "path", "path": "x"}] * 101}, 422, "invalid"),
    ],
)
def test_requests_that_are_wrong_are_told_where(client, body, status, name):
    answer = client.post("/v1/classify/source", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:textclf:problem:{name}")
    assert answer.headers["content-type"] == "application/problem+json"


def test_parameters_and_fields_that_there_are_not_are_told(client, invoice, sent):
    source = {"sources": [{"kind": "base64", "base64": base64.b64encode(invoice).decode()}]}
    for answer, pointer in (
        (client.get("/v1/status/poll/none?wiat=10"), "query/wiat"),
        (client.get("/v1/result/none?wait=1"), "query/wait"),
        (client.post("/v1/classify/source/async?wait=10", json=source), "query/wait"),
        (client.post("/v1/classify/file?split=yes", files=sent(a=invoice)), "query/split"),
        (client.post("/v1/classify/file", files=sent(a=invoice), data={"split": "yes"}), "body/split"),
        (client.post("/v1/classify/file/async", data={"files": "text"}, files=sent(a=invoice)), "body/files"),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (422, "urn:textclf:problem:invalid"), pointer
        assert [one["pointer"] for one in problem["errors"]] == [pointer]
        assert problem["detail"].startswith(f"{pointer}: ")
    assert "no such parameter, but wait" in client.get("/v1/status/poll/none?wiat=10").json()["detail"]


def test_forms_that_are_none_are_refused(client):
    answer = client.post("/v1/classify/file", json={})
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:textclf:problem:no-multipart")
    kind = {"content-type": "multipart/form-data; boundary=b"}
    part = b'--b\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\nabc'
    for body, status in ((b"rubbish", 400), (part, 400), (b"--b--\r\n", 422), (b"", 400)):
        answer = client.post("/v1/classify/file", content=body, headers=kind)
        assert answer.status_code == status, body
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_part_whose_headers_are_too_long_is_told(client):
    kind = {"content-type": "multipart/form-data; boundary=b"}
    for headers in (b"x: " + b"a" * 100_000, b"\r\n".join([b"x: a"] * 1000)):
        answer = client.post("/v1/classify/file", content=b"--b\r\n" + headers + b"\r\n\r\nabc", headers=kind)
        assert (answer.status_code, answer.json()["detail"]) == (400, "a part has too many headers, or too long ones")


def test_base64_in_lines_is_taken(client, invoice):
    source = {"kind": "base64", "base64": base64.encodebytes(invoice).decode(), "name": "a.png"}
    assert client.post("/v1/classify/source", json={"sources": [source]}).status_code == 200


def test_a_task_gives_the_same_result_later(client, service, invoice, sent):
    answer = client.post("/v1/classify/file/async", files=sent(a=invoice))
    assert answer.status_code == 202
    task = answer.json()
    assert task["task_status"] in ("pending", "started")
    done = client.get(f"/v1/status/poll/{task['task_id']}", params={"wait": 30}).json()
    assert done == {"task_id": task["task_id"], "task_status": "success", "task_position": None}
    result = client.get(f"/v1/result/{task['task_id']}").json()
    assert result == client.post("/v1/classify/file", files=sent(a=invoice)).json()
    assert not list((service.library / "uploads").rglob("*"))


def test_a_task_that_fails_tells_why(client):
    body = {"sources": [{"kind": "base64", "base64": base64.b64encode(b"text").decode()}]}
    task = client.post("/v1/classify/source/async", json=body).json()["task_id"]
    assert client.get(f"/v1/status/poll/{task}", params={"wait": 30}).json()["task_status"] == "failure"
    answer = client.get(f"/v1/result/{task}")
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:textclf:problem:unsupported")
    assert answer.json()["documents"][0]["name"] == "document"


def test_tasks_that_nobody_gave_are_not_found(client):
    assert client.get("/v1/status/poll/none").status_code == 404
    assert client.get("/v1/result/none").status_code == 404
    assert client.get("/v1/status/poll/none", params={"wait": 61}).status_code == 422
