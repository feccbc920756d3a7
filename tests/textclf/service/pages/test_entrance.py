"""The way in: signing in, and what is refused."""

from __future__ import annotations

import pytest

from tests.textclf.service.conftest import KEY
from textclf.service.pages.visitors import SESSION, Sessions

HTML = {"Accept": "text/html"}


def sign_in(client, **form):
    return client.post("/sign-in", data={"name": "Anna", **form})


def test_a_name_opens_the_desk_and_a_forged_one_does_not(client):
    assert client.get("/review", headers=HTML).headers["location"] == "/sign-in?then=%2Freview"
    assert client.post("/review/next", json={}).status_code == 401
    answer = sign_in(client, then="/review")
    assert (answer.status_code, answer.headers["location"]) == (303, "/review")
    cookie = answer.headers["set-cookie"].lower()
    assert "samesite=strict" in cookie
    assert "httponly" in cookie
    assert client.get("/review").status_code == 200
    assert "script-src 'self'" in client.get("/review").headers["content-security-policy"]
    client.cookies.clear()
    client.cookies.set(SESSION, Sessions(b"other").token("Anna"))
    assert client.get("/review").status_code == 303


def test_behind_a_proxy_with_https_the_cookie_goes_over_nothing_else(client):
    for proto, is_secure in (("https", True), ("https, http", True), ("http", False), ("", False)):
        answer = client.post("/sign-in", data={"name": "Anna"}, headers={"X-Forwarded-Proto": proto})
        assert ("secure" in answer.headers["set-cookie"].lower()) == is_secure, proto


def test_other_sites_can_neither_send_nor_be_gone_to(client):
    sign_in(client)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
    ):
        for path in ("/review/undo", "/sign-in", "/teach/back", "/language"):
            assert client.post(path, headers=headers).status_code == 403, path
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert sign_in(client, then=target).headers["location"] == "/"


def test_no_path_of_a_client_is_used_as_one(client):
    sign_in(client)
    paths = ("/pages/1/999.jpg", "/pages/0/1.jpg", "/drop/..%2f..%2flibrary.sqlite/1.jpg", "/drop/x/1.jpg")
    for path in (*paths, "/pages/static/..%2f..%2fkeys.py", "/pages/static/../../gate.py"):
        assert client.get(path).status_code == 404, path


def test_what_is_no_category_is_refused(client):
    sign_in(client)
    for category in ("", "   ", "a" * 101, "a\u202eb", "\x00"):
        answer = client.post("/review/decide", json={"document": 1, "category": category})
        assert answer.status_code == 422, category


@pytest.mark.slow
def test_a_key_opens_the_desk_under_its_name(start, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"carla:{KEY}\n")
    keys.chmod(0o600)
    service = start("--key-file", keys, "--jobs", 1)
    with service.client() as client:
        assert client.get("/", headers=HTML).headers["location"] == "/sign-in?then=%2F"
        assert "Key of this desk" in client.get("/sign-in").text
        assert client.get("/pages/static/desk.css").status_code == 200
        assert sign_in(client, key="x" * 20).status_code == 403
        assert client.get("/review").status_code == 401
        assert sign_in(client, key=KEY).status_code == 303
        assert ">carla<" in client.get("/review").text
        # the session opens the other routes too
        assert client.get("/version").status_code == 200
        client.post("/sign-out")
        assert client.get("/version").status_code == 401
