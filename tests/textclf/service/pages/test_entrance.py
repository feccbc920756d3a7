"""The way in: signing in, and what is refused."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.textclf.service.conftest import KEY
from textclf.service.pages import entrance
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
    for secret, status in ((b"", 200), (b"other", 303)):
        client.cookies.clear()
        client.cookies.set(SESSION, Sessions(secret).token("Anna"))
        assert client.get("/review").status_code == status


def test_a_form_that_is_refused_is_answered_with_a_page_in_the_language_of_the_visitor(client):
    form = {"job": "an older one", "max_error": "0.1"}
    browser = HTML | {"Accept-Language": "it", "Referer": f"{client.base_url}/teach"}
    answer = client.post("/teach/take", data=form, headers=browser)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "Accedi di nuovo" in answer.text
    assert 'href="/sign-in?then=%2Fteach"' in answer.text
    sign_in(client)
    answer = client.post("/teach/take", data=form, headers=browser)
    assert (answer.status_code, answer.headers["content-type"]) == (409, "text/html; charset=utf-8")
    assert "Intanto c’è un modello più recente" in answer.text
    assert 'href="/teach"' in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    elsewhere = browser | {"Referer": "https://evil.example//evil"}
    assert "evil" not in client.post("/teach/take", data=form, headers=elsewhere).text
    program = client.post("/teach/take", data=form)
    assert program.headers["content-type"] == "application/problem+json"
    assert program.json()["type"] == "urn:textclf:problem:newer-model"
    for path in ("/none", "/pages/0/1.jpg"):
        assert "Questa pagina non esiste" in client.get(path, headers=browser).text


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


def test_headers_that_are_no_addresses_are_no_fault_of_the_service(client):
    sign_in(client)
    answer = client.post("/review/undo", headers={"Origin": "http://[evil"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:textclf:problem:cross-origin")
    nowhere = {"Referer": "http://[evil/teach"}
    answer = client.post("/language", data={"language": "it"}, headers=nowhere)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    answer = client.get("/none", headers=HTML | nowhere)
    assert (answer.status_code, "Questa pagina non esiste" in answer.text) == (404, True)


def test_no_path_of_a_client_is_used_as_one(start, model_path, scan, tmp_path, sent):
    def get(path: str) -> int:
        # as it is: a client of its own would put it right
        where = urlsplit(service.url)
        with closing(HTTPConnection(where.hostname, where.port, timeout=20)) as connection:
            connection.request("GET", path, headers={"Cookie": cookie})
            return connection.getresponse().status

    service = start("--model", model_path, "--jobs", 1)
    odd = scan(tmp_path / "odd.png", "the ships of the bay", "sail out in the day").read_bytes()
    with service.client() as client:
        cookie = f"{SESSION}={sign_in(client).cookies[SESSION]}"
        dropped = client.post("/drop", files=sent(a=odd)).json()["document"]
    picture = dropped["pages"][0]["picture"]
    token = picture.split("/")[2]
    assert (service.library / "uploads" / token / "0").is_file()
    assert [get(path) for path in (picture, f"/pages/{dropped['id']}/1.jpg", "/pages/static/desk.css")] == [200] * 3
    folder = Path(entrance.__file__).parent
    assert (folder / "static" / "../html.py").is_file()
    paths = [f"/pages/{dropped['id']}/2.jpg", "/pages/0/1.jpg", f"/drop/{token}/2.jpg", f"/drop/x%2f..%2f{token}/1.jpg"]
    paths += ["/drop/..%2f..%2flibrary.sqlite/1.jpg", "/pages/static/../html.py", "/pages/static/..%2fhtml.py"]
    for path in (*paths, f"/pages/static/{folder}/html.py", f"/pages/static/%2f{folder}/html.py"):
        assert get(path) == 404, path


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


def test_numbers_beyond_what_databases_take_are_refused(client):
    sign_in(client)
    for number in (2**63, 10**30):
        assert client.get(f"/pages/{number}/1.jpg").status_code == 422
        assert client.get(f"/pages/1/{number}.jpg").status_code == 422
        assert client.get(f"/drop/{'a' * 32}/{number}.jpg").status_code == 422
        for path in ("/review/next", "/audit/next", "/first-labels/next"):
            for given in ({"held": [number]}, {"skipped": [-number - 1]}):
                assert client.post(path, json=given).status_code == 422, path
        for path in ("/review/keep", "/review/release"):
            assert client.post(path, json={"documents": [number]}).status_code == 422, path
        decided = {"document": number, "category": "letter"}
        assert client.post("/review/decide", json=decided).status_code == 422
