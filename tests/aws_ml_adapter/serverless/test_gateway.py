"""Requests and answers of API Gateway: both kinds of events, callers, bodies, hostile ones among them."""

from __future__ import annotations

import base64
import json

import pytest

from aws_ml_adapter.serverless.bodies import sent_document
from aws_ml_adapter.serverless.gateway import MAX_BODY, Request, read_request, route
from textclf.base.problems import ProblemError

ROLE = "arn:aws:sts::111122223333:assumed-role/scanner/session-1"


def refused(call, *arguments, **options):
    with pytest.raises(ProblemError) as caught:
        call(*arguments, **options)
    return caught.value.status, caught.value.name


def test_both_kinds_of_events_are_the_same_request(events):
    headers = {"Content-Type": "image/png", "X-Other": "a"}
    http = events.http_event("POST", "/v1/x", body=b"\x89PNG", headers=headers, query="name=a%20b.png&wait=")
    rest = events.rest_event("POST", "/v1/x", body=b"\x89PNG", headers=headers, query={"name": "a b.png", "wait": ""})
    first, second = read_request(http), read_request(rest)
    assert first == second
    assert first.headers["content-type"] == "image/png"
    assert (first.query["name"], first.body) == ("a b.png", b"\x89PNG")


@pytest.mark.parametrize(
    ("authorizer", "caller"),
    [
        ({"iam": {"userArn": ROLE}}, "iam:arn:aws:sts::111122223333:assumed-role/scanner"),
        ({"iam": {"userArn": "arn:aws:iam::1:user/anna"}}, "iam:arn:aws:iam::1:user/anna"),
        ({"jwt": {"claims": {"iss": "https://id", "sub": "anna"}}}, "jwt:https://id:anna"),
        ({"jwt": {"claims": {"iss": "https://id", "client_id": "program"}}}, "jwt:https://id:program"),
        ({"lambda": {"principalId": "anna"}}, "lambda:anna"),
    ],
)
def test_who_calls_an_http_api_is_known(events, authorizer, caller):
    event = events.http_event("GET", "/")
    event["requestContext"]["authorizer"] = authorizer
    assert read_request(event).caller == caller


@pytest.mark.parametrize(
    ("context", "caller"),
    [
        ({"identity": {"userArn": ROLE}}, "iam:arn:aws:sts::111122223333:assumed-role/scanner"),
        ({"authorizer": {"claims": {"iss": "https://id", "sub": "anna"}}}, "jwt:https://id:anna"),
        ({"authorizer": {"principalId": "anna"}}, "lambda:anna"),
        ({"identity": {"apiKeyId": "k1", "userArn": None}}, "key:k1"),
    ],
)
def test_who_calls_a_rest_api_is_known(events, context, caller):
    event = events.rest_event("GET", "/")
    event["requestContext"] = context
    assert read_request(event).caller == caller


@pytest.mark.parametrize(
    "authorizer",
    [None, {}, {"iam": {}}, {"jwt": {"claims": {"iss": "https://id"}}}, {"jwt": {}}, {"lambda": None}, {"lambda": {}}],
)
def test_nobody_is_refused_unless_anybody_may_call(events, authorizer):
    event = events.http_event("GET", "/")
    event["requestContext"]["authorizer"] = authorizer
    assert refused(read_request, event) == (401, "no-caller")
    assert read_request(event, anonymous=True).caller == ""
    # what a client sends does not make him somebody
    event["headers"]["x-amzn-oidc-identity"] = event["headers"]["authorization"] = "anna"
    assert refused(read_request, event) == (401, "no-caller")


@pytest.mark.parametrize("text", ["%%%", "a", "abc", "äöü=", "YWJj\n", "YQ==YQ=="])
def test_what_is_no_base64_is_refused(events, text):
    event = events.http_event("POST", "/") | {"body": text, "isBase64Encoded": True}
    assert refused(read_request, event) == (400, "bad-base64")


def test_the_largest_body_is_taken_and_one_byte_more_is_not(events):
    taken = events.http_event("POST", "/", body=bytes(MAX_BODY))
    assert len(read_request(taken).body) == MAX_BODY
    assert refused(read_request, events.http_event("POST", "/", body=bytes(MAX_BODY + 3))) == (413, "too-large")


def test_an_event_with_nothing_in_it_is_refused():
    for event in ({}, {"version": "2.0"}, {"requestContext": None, "headers": None}):
        assert refused(read_request, event) == (401, "no-caller")


@pytest.mark.parametrize("make", ["http_event", "rest_event"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"requestContext": "x"},
        {"requestContext": {"authorizer": "x"}},
        {"requestContext": {"authorizer": {"iam": "x"}, "identity": "x"}},
        {"requestContext": {"authorizer": {"iam": {"userArn": 5}}, "identity": {"userArn": 5}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": "x"}, "claims": "x"}}},
        {"headers": ["x"]},
        {"headers": {"content-type": 5}},
        {"rawQueryString": 5, "queryStringParameters": {"name": 5}},
        {"rawQueryString": ["x"], "queryStringParameters": ["x"]},
        {"pathParameters": {"task_id": 5}},
        {"pathParameters": "x"},
        {"body": {"a": 5}},
        {"body": 5},
    ],
)
def test_an_event_of_another_shape_is_refused(events, make, wrong):
    event = getattr(events, make)("POST", "/")
    assert refused(read_request, event | wrong) == (400, "bad-request")


def test_what_an_event_leaves_open_is_not_given(events):
    for event in (None, [], "x"):
        assert refused(read_request, event) == (400, "bad-request")
    event = events.http_event("GET", "/") | {"headers": {"accept": None}, "pathParameters": {"task_id": None}}
    request = read_request(event)
    assert (request.headers, request.path) == ({}, {})


def request_of(body, kind, name=""):
    return Request(caller="a", headers={"content-type": kind}, query={"name": name}, path={}, body=body)


def test_a_document_comes_as_it_is_or_in_a_form(events):
    assert sent_document(request_of(b"%PDF", "application/pdf", "../../a.pdf")).name == "a.pdf"
    assert sent_document(request_of(b"%PDF", "Image/PNG")).content == b"%PDF"
    body, headers = events.form(b"\r\n--edg\r\n\x00\xff--edge", "..\\..\\etc\\pass\x00wd.png")
    sent = sent_document(request_of(body, headers["Content-Type"]))
    assert (sent.name, sent.content) == ("pass\\x00wd.png", b"\r\n--edg\r\n\x00\xff--edge")


@pytest.mark.parametrize(
    ("body", "kind", "answer"),
    [
        (b"a", "", (415, "no-document")),
        (b"{}", "application/json", (415, "no-document")),
        (b"a", "text/html", (415, "no-document")),
        (b"", "application/pdf", (422, "no-file")),
        (b"a", "multipart/form-data", (400, "bad-multipart")),
        (b"a", "multipart/form-data; boundary=", (400, "bad-multipart")),
        (b"", "multipart/form-data; boundary=edge", (400, "bad-multipart")),
        (b"--edge", "multipart/form-data; boundary=\ud800", (400, "bad-multipart")),
        (b"--edge", "multipart/form-data; boundary=edge", (400, "bad-multipart")),
        (b"--edge--\r\n", "multipart/form-data; boundary=edge", (422, "no-file")),
    ],
)
def test_what_holds_no_document_is_refused(body, kind, answer):
    assert refused(sent_document, request_of(body, kind)) == answer


def test_forms_that_break_off_or_hold_several_files_are_refused(events):
    body, headers = events.form(b"content")
    kind = headers["Content-Type"]
    assert refused(sent_document, request_of(body[:-12], kind)) == (400, "bad-multipart")
    assert refused(sent_document, request_of(body.replace(b"content", b""), kind)) == (422, "no-file")
    two = body.replace(b"--edge--", b"") + body
    assert refused(sent_document, request_of(two, kind)) == (422, "one-file")
    field = body.replace(b'; filename="scan.png"', b"")
    assert refused(sent_document, request_of(field, kind)) == (422, "no-file")


@pytest.mark.parametrize("fault", [ProblemError(418, "pot", "no", headers={"Retry-After": "1"}), KeyError("a")])
def test_every_error_is_an_answer(monkeypatch, events, fault):
    monkeypatch.setenv("TEXTCLF_ANONYMOUS", "1")

    @route
    def handler(_):
        raise fault

    answer = handler(events.rest_event("GET", "/"), None)
    body = json.loads(answer["body"])
    assert answer["statusCode"] == body["status"] in (418, 500)
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert body["type"].startswith("urn:textclf:problem:")
    assert "Traceback" not in answer["body"]
    assert "KeyError" not in answer["body"]
    assert base64.b64encode(answer["body"].encode())
