"""Requests from pages in a browser, which are allowed only by an option."""

from __future__ import annotations

import pytest

from aws_ml_adapter.server.hosts_and_cors import Cors
from textclf.base.errors import UsageError

PAGE = "http://127.0.0.1:9000"
# the headers of the SDK for JavaScript
HEADERS = (
    "amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,x-amz-content-sha256,x-amz-date,"
    "x-amz-security-token,x-amz-target,x-amz-user-agent"
)


@pytest.fixture(scope="module")
def open_server(make_server):
    return make_server("--allow-origin", PAGE, "--allow-origin", "null")


def ask_first(server, origin: str, **headers: str):
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": HEADERS, **headers}
    return server.ask("OPTIONS", "/", Origin=origin, **asked)


def describe(server, origin: str):
    target = "AmazonML_20141212.GetMLModel"
    return server.ask("POST", "/", b'{"MLModelId": "none"}', X_Amz_Target=target, Origin=origin)


def test_pages_of_the_origins_given_may_call(open_server):
    for origin in (PAGE, "null"):
        answer = ask_first(open_server, origin)
        assert answer.status == 204
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-headers"] == HEADERS
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert "access-control-allow-private-network" not in answer.headers
        # a page must be able to read errors as well
        answer = describe(open_server, origin)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (400, origin)
        assert "x-amzn-RequestId" in answer.headers["access-control-expose-headers"]
        assert answer.headers["vary"] == "Origin"
    assert open_server.ask("PUT", "/from-a-page", Origin=PAGE).status == 200
    put = open_server.ask("PUT", "/from-a-page/a.csv", b"a", Origin=PAGE)
    assert (put.status, put.headers["access-control-allow-origin"]) == (200, PAGE)
    local = ask_first(open_server, PAGE, Access_Control_Request_Private_Network="true")
    assert local.headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9001", "https://127.0.0.1:9000", "http://evil.example", "x"])
def test_pages_of_others_may_not(open_server, origin):
    for answer in (ask_first(open_server, origin), describe(open_server, origin)):
        assert "access-control-allow-origin" not in answer.headers
        # otherwise a cache would serve this answer to an allowed page
        assert answer.headers["vary"] == "Origin"
    assert open_server.ask("GET", "/").headers["vary"] == "Origin"
    assert ask_first(open_server, origin).status == 403
    assert open_server.ask("PUT", "/from-a-page/b.csv", b"b", Origin=origin).status == 403


def test_by_default_no_page_may(server):
    for answer in (ask_first(server, PAGE), describe(server, PAGE)):
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["127.0.0.1:9000", "http://a/", "http://a/b", "http://*.example", "", "http://", "https://a:65536"]
)
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(UsageError, match="is not an origin; write"):
        Cors([origin])


def test_all_may_be_allowed():
    assert (
        Cors(["*"]).headers({"origin": "https://any.example"})["access-control-allow-origin"] == "https://any.example"
    )
