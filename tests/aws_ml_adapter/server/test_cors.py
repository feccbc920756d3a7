"""Calls from pages in a browser, which are allowed by option only."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from aws_ml_adapter.server.access import Cors
from textclf.base.errors import UsageError

PAGE = "http://127.0.0.1:9000"
# what the SDK for JavaScript sends
HEADERS = (
    "amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,x-amz-content-sha256,x-amz-date,"
    "x-amz-security-token,x-amz-target,x-amz-user-agent"
)


@pytest.fixture(scope="module")
def open_server(make_server):
    return make_server("--allow-origin", PAGE, "--allow-origin", "null")


def ask(server, method: str, path: str = "/", body: str = "", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    connection.request(
        method, path, body=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def ask_first(server, origin: str, **headers: str) -> http.client.HTTPResponse:
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": HEADERS, **headers}
    return ask(server, "OPTIONS", Origin=origin, **asked)


def describe(server, origin: str) -> http.client.HTTPResponse:
    target = "AmazonML_20141212.GetMLModel"
    return ask(server, "POST", body='{"MLModelId": "none"}', X_Amz_Target=target, Origin=origin)


def test_pages_of_the_origins_given_may_call(open_server):
    for origin in (PAGE, "null"):
        answer = ask_first(open_server, origin)
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Access-Control-Allow-Headers"] == HEADERS
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Access-Control-Allow-Private-Network" not in answer.headers
        # a page must be able to read errors as well
        answer = describe(open_server, origin)
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (400, origin)
        assert "x-amzn-RequestId" in answer.headers["Access-Control-Expose-Headers"]
        assert answer.headers["Vary"] == "Origin"
    assert ask(open_server, "PUT", "/from-a-page", Origin=PAGE).status == 200
    put = ask(open_server, "PUT", "/from-a-page/a.csv", "a", Origin=PAGE)
    assert (put.status, put.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    local = ask_first(open_server, PAGE, Access_Control_Request_Private_Network="true")
    assert local.headers["Access-Control-Allow-Private-Network"] == "true"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9001", "https://127.0.0.1:9000", "http://evil.example", "x"])
def test_pages_of_others_may_not(open_server, origin):
    for answer in (ask_first(open_server, origin), describe(open_server, origin)):
        assert "Access-Control-Allow-Origin" not in answer.headers
        # or a cache would give this answer to the page that may
        assert answer.headers.get_all("Vary") == ["Origin"]
    assert ask(open_server, "GET", "/").headers["Vary"] == "Origin"
    assert ask_first(open_server, origin).status == 403
    assert ask(open_server, "PUT", "/from-a-page/b.csv", "b", Origin=origin).status == 403


def test_by_default_no_page_may(server):
    for answer in (ask_first(server, PAGE), describe(server, PAGE)):
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["127.0.0.1:9000", "http://a/", "http://a/b", "http://*.example", "", "http://", "https://a:65536"]
)
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(UsageError, match="is no origin; write"):
        Cors([origin])


def test_all_may_be_allowed():
    assert (
        Cors(["*"]).headers({"origin": "https://any.example"})["access-control-allow-origin"] == "https://any.example"
    )
