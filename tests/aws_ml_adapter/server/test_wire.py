"""Arbitrary HTTP requests: never a 500, never a hang, always an answer that botocore can parse."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import time
from typing import Any

import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.server import app as app_module
from aws_ml_adapter.server.app import BODY_LIMIT, BODY_SECONDS
from aws_ml_adapter.server.hosts_and_cors import Cors, Hosts
from aws_ml_adapter.server.request_log import RequestLog
from aws_ml_adapter.server.validation import check_of, service_model
from textclf.base.http_limits import HEAD_BYTES, HEAD_SECONDS

MODEL = service_model()
PREFIX = "AmazonML_20141212."
MODELLED = {name for name in MODEL.shape_names if name.endswith("Exception")}


def post(server, operation: str, body: bytes, *, path: str = "/", **headers: str) -> tuple[int, dict[str, str], Any]:
    answer = server.ask("POST", path, body, X_Amz_Target=PREFIX + operation, **headers)
    return answer.status, answer.headers, json.loads(answer.body)


def test_answers_have_the_headers_of_the_service(server):
    status, headers, body = post(server, "GetMLModel", b'{"MLModelId": "ml-sales"}')
    assert status == 200
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers["x-amzn-requestid"])
    assert "date" in headers
    # seconds since 1970 with milliseconds, as in https://docs.aws.amazon.com/machine-learning/latest/dg/
    # requesting-real-time-predictions.html
    assert body["CreatedAt"] > 1.7e9
    assert body["CreatedAt"] == round(body["CreatedAt"], 3)
    assert body["EndpointInfo"] == {"EndpointStatus": "NONE", "PeakRequestsPerSecond": 0}


def test_errors_carry_their_name_in_the_body(server):
    status, _, body = post(server, "GetMLModel", b'{"MLModelId": "none"}')
    assert (status, body) == (400, {"__type": "ResourceNotFoundException", "message": "No MLModel with id none exists"})


def test_any_path_is_routed_by_the_target(server):
    assert post(server, "DescribeMLModels", b"{}", path="/aml/prefix?x=1")[0] == 200


@pytest.mark.parametrize(
    ("operation", "body", "wanted"),
    [
        ("Nonsense", b"{}", (400, "UnknownOperationException")),
        ("", b"{}", (400, "UnknownOperationException")),
        ("GetMLModel", b"", (400, "SerializationException")),
        ("GetMLModel", b"[1]", (400, "SerializationException")),
        ("GetMLModel", b"[" * 100_000, (400, "SerializationException")),
        ("GetMLModel", b'{"MLModelId": "\xff"}', (400, "SerializationException")),
        ("GetMLModel", b'{"MLModelId": "\\ud800"}', (400, "InvalidInputException")),
        ("GetMLModel", b'{"MLModelId": 1}', (400, "InvalidInputException")),
        ("GetMLModel", b'{"MLModelId": "a", "Colour": 1}', (400, "InvalidInputException")),
        ("UpdateMLModel", b'{"MLModelId": "ml-sales", "ScoreThreshold": 1e999}', (400, "InvalidInputException")),
        (
            "UpdateMLModel",
            b'{"MLModelId": "ml-sales", "ScoreThreshold": ' + b"9" * 9_999 + b"}",
            (400, "SerializationException"),
        ),
    ],
)
def test_wrong_requests_are_refused(server, operation, body, wanted):
    status, _, answer = post(server, operation, body)
    assert (status, answer["__type"]) == wanted
    assert answer["message"]


def test_a_body_may_have_two_mebibytes_and_no_more(server):
    body = b'{"MLModelId": "ml-sales"}'
    assert post(server, "GetMLModel", body.ljust(BODY_LIMIT))[0] == 200
    status, _, answer = post(server, "GetMLModel", body.ljust(BODY_LIMIT + 1))
    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")


def test_a_body_without_a_length_is_held_to_the_limit_too(server):
    chunks = (b" " * 65_536 for _ in range(BODY_LIMIT // 65_536 + 2))
    assert server.ask("POST", "/", chunks, X_Amz_Target=f"{PREFIX}GetMLModel").status == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS"])
def test_other_methods_do_nothing(server, method):
    assert server.ask(method, "/", X_Amz_Target=f"{PREFIX}DescribeMLModels").status == 400


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\nhalf",
        b"\x16\x03\x01\x02\x00\x01",
    ],
)
def test_what_is_no_http_does_not_disturb_others(server, raw):
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65_536)
    assert server.client.describe_ml_models()


def connect(server) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=HEAD_SECONDS + 15)


def test_a_connection_on_which_no_request_comes_is_closed(make_server):
    server = make_server()
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    with contextlib.ExitStack() as stack:
        second = stack.enter_context(connect(server))
        second.sendall(request + b"\r\n" + request)
        assert second.recv(100).startswith(b"HTTP/1.1 200")
        second.sendall(b"Cookie: ")
        # more than the server accepts at once
        idle = [stack.enter_context(connect(server)) for _ in range(300)]
        idle[0].sendall(request)
        idle[1].sendall(b"\r\n")
        for connection in (second, *idle):
            while connection.recv(65_536):
                pass
        assert server.client.describe_ml_models()


def test_headers_have_so_many_bytes_and_no_more(server):
    for size, answer in ((HEAD_BYTES - 1_000, b"HTTP/1.1 200"), (HEAD_BYTES * 8, b"HTTP/1.1 400")):
        with connect(server) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            with contextlib.suppress(ConnectionError):
                for _ in range(size // 1_000):
                    connection.sendall(b"a: " + b"a" * 995 + b"\r\n")
                connection.sendall(b"\r\n")
            assert connection.recv(100).startswith(answer)


def test_a_body_that_does_not_come_is_not_waited_for(make_server):
    server = make_server()
    with connect(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nhalf")
        assert server.client.describe_ml_models()
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 20
        assert connection.recv(100) == b""
    assert server.stderr == ""


def test_a_body_that_arrives_too_slowly_times_out(server, monkeypatch, tmp_path):
    monkeypatch.setattr(app_module, "BODY_SECONDS", 0.01)
    log = RequestLog(tmp_path / "requests.log")
    app = app_module.App(None, None, None, s3=None, hosts=Hosts(), cors=Cors(), log=log, data_dir=tmp_path)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"method": "POST", "headers": [(b"x-amz-target", f"{PREFIX}GetMLModel".encode())]}
    asyncio.run(app(scope, asyncio.Event().wait, send))
    log.close()
    assert "GetMLModel 400" in (tmp_path / "requests.log").read_text()
    assert json.loads(sent[1]["body"])["__type"] == "RequestTimeoutException"
    assert (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.slow
def test_a_body_without_an_end_is_cut_off(server):
    with connect(server) as connection:
        connection.settimeout(BODY_SECONDS)
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - begun < 2 * BODY_SECONDS:
                connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        assert BODY_SECONDS < time.monotonic() - begun < 2 * BODY_SECONDS
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_name_that_was_pointed_at_this_machine_is_refused(server):
    assert post(server, "DescribeMLModels", b"{}", Host="localhost:80")[0] == 200
    status, _, answer = post(server, "DescribeMLModels", b"{}", Host="evil.example:80")
    assert (status, answer["__type"]) == (403, "AccessDeniedException")


def test_the_url_of_an_endpoint_is_the_one_that_the_client_used(server):
    body = b'{"MLModelId": "ml-sales"}'
    for headers, url in (
        ({"Host": "localhost:1234"}, "http://localhost:1234"),
        ({"Host": "localhost", "X_Forwarded_Proto": "https"}, "https://localhost"),
        ({"Host": "[::1]:99", "X_Forwarded_Proto": "gopher"}, server.url),
    ):
        _, _, answer = post(server, "CreateRealtimeEndpoint", body, **headers)
        assert answer["RealtimeEndpointInfo"]["EndpointUrl"] == url
    post(server, "DeleteRealtimeEndpoint", body)


def test_a_server_behind_another_name_gives_that_name(make_server):
    named = make_server("--public-url", "https://ml.example")
    body = b'{"DataSourceId": "none"}'
    for host, wanted in (("ml.example", 400), ("localhost", 400), ("other.example", 403)):
        assert post(named, "GetDataSource", body, Host=host)[0] == wanted


def test_the_log_of_a_job_is_read_by_its_url_only(server):
    url = server.client.get_ml_model(MLModelId="ml-sales")["LogUri"]
    log = server.read(url)
    assert log.startswith("Message-ID: ")
    assert 'Content-Type: multipart/mixed; boundary="' in log
    assert re.search(r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d INFO: began: MLModel ml-sales$", log, re.MULTILINE)
    for wrong in (
        url[:-1],
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("/logs/", "/logs/1"),
        url.split("?")[0],
    ):
        assert server.ask("GET", wrong).status == 404


def test_requests_are_logged_without_what_they_hold(server):
    server.client.get_ml_model(MLModelId="ml-sales")
    # written after the client has its answer
    log = server.folder / "data" / "requests.log"
    form = re.compile(r"[\d-]+ [\d:,]+ [0-9a-f-]{36} 127\.0\.0\.1 GetMLModel 200 \d+\.\d ms")
    server.until(lambda: form.fullmatch(log.read_text().splitlines()[-1]))


# --- generated from the service's description

IDS = st.sampled_from(["ds-train", "ml-sales", "ev-sales", "bp-sales", "made-1", "made-2", "none", "..", " ", "x" * 65])
KNOWN = {
    "EntityId": IDS,
    "S3Url": st.sampled_from(
        ["s3://bucket/sales.csv", "s3://bucket/", "s3://bucket/../x", "s3://b", "file:///etc/passwd"]
    ),
    "DataSchema": st.sampled_from(["{}", "[]", "x", '{"version":"1.0"}', "[" * 9_999]) | st.text(max_size=20),
    "Recipe": st.sampled_from(["{}", '{"outputs":["ALL_TEXT"]}', '{"outputs":["quantile_bin(x"]}'])
    | st.text(max_size=20),
    "ComparatorValue": st.sampled_from(["0", "1436000000", "name", "PENDING"]) | st.text(max_size=5),
}


def values(shape: Any) -> st.SearchStrategy[Any]:
    """Values that a shape allows, and some invalid ones."""
    match shape.type_name:
        case "structure":
            members = {name: values(member) for name, member in shape.members.items()}
            required = {name: members.pop(name) for name in shape.required_members}
            good: st.SearchStrategy[Any] = st.fixed_dictionaries(required, optional=members)
        case "list":
            good = st.lists(values(shape.member), max_size=3)
        case "map":
            good = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)
        case "string":
            good = KNOWN.get(shape.name, st.sampled_from(shape.enum) if shape.enum else st.text(max_size=10))
        case "integer" | "long":
            good = st.integers(-1, 101)
        case "boolean":
            good = st.booleans()
        case _:
            good = st.floats()
    bad = st.sampled_from([None, "", 0, [], {}, "\ud800", 10**20, True])
    return st.integers(0, 39).flatmap(lambda chance: bad if chance == 0 else good)


OPERATIONS = st.sampled_from(sorted(MODEL.operation_names))


@pytest.fixture(scope="module")
def fuzzed(make_server):
    """A server whose objects may be changed and deleted."""
    fuzzed = make_server()
    fuzzed.fill()
    return fuzzed


@given(OPERATIONS.flatmap(lambda name: st.tuples(st.just(name), values(MODEL.operation_model(name).input_shape))))
@settings(max_examples=60)
def test_every_answer_fits_its_description(fuzzed, drawn):
    name, request = drawn
    status, _, answer = post(fuzzed, name, json.dumps(request).encode())
    if status == 200:
        shape = MODEL.operation_model(name).output_shape
        assert not ParamValidator().validate(answer, shape).has_errors()
        check_of(shape)(answer, "")
    else:
        assert status in (400, 413)
        errors = {error.name for error in MODEL.operation_model(name).error_shapes}
        assert answer["__type"] in errors | {"SerializationException"}
        assert answer["message"]


@given(st.sampled_from([*MODEL.operation_names, "x"]), st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=60)
def test_no_body_brings_it_down(fuzzed, name, body):
    status, _, answer = post(fuzzed, name, body)
    assert status == 400 or (status == 200 and body.strip() == b"{}")
    assert isinstance(answer, dict)


def test_the_servers_had_nothing_to_say(server, fuzzed):
    assert fuzzed.stderr == ""
    assert set(server.stderr.splitlines()) <= {"Invalid HTTP request received."}
