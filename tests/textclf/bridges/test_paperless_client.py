"""Requests to paperless-ngx: pages, versions, permissions, and servers that misbehave."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

pytest.importorskip("httpx", reason="the extra [desk] is not installed")

from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from textclf.base.errors import ExitCode, UsageError
from textclf.bridges import paperless_http
from textclf.bridges.paperless_client import PaperlessClient
from textclf.bridges.paperless_http import GoneError, InvalidError, PaperlessError, PaperlessHttp
from textclf.bridges.paperless_options import FilingOptions, PaperlessOptions


@pytest.fixture
def connect(paperless):
    """Opens clients that note how long they would have slept."""
    opened = []

    def make(**options):
        slept: list[float] = []
        deadline = options.pop("deadline", None)
        http = PaperlessHttp(PaperlessOptions(**options), sleep=slept.append, deadline=deadline)
        opened.append(http)
        client = PaperlessClient(http)
        client.slept = slept
        return client

    yield make
    for http in opened:
        http.__exit__()


def status(code, **headers):
    return lambda _request: JSONResponse({"detail": "busy"}, status_code=code, headers=headers)


def test_all_pages_are_read_from_the_address_given(paperless, connect):
    for number in range(1, 231):
        paperless.add(number)
    assert [document.id for document in connect().documents()] == list(range(1, 231))
    assert max(paperless.page_sizes) == 100
    newest = connect().documents(newest_first=True)
    assert next(newest).id == 230


def test_documents_of_a_tag_are_asked_for_and_checked(paperless, connect):
    paperless.add(1, tags=(4,))
    paperless.add(2)
    assert [document.id for document in connect().documents(tag=4)] == [1]


def test_documents_that_are_deleted_while_pages_are_read_do_not_end_it(paperless, connect):
    for number in range(1, 102):
        paperless.add(number)
    found = connect().documents()
    next(found)
    del paperless.documents[101]
    assert len(list(found)) == 99


def test_an_older_version_of_the_api_is_spoken_where_the_server_knows_no_newer_one(paperless, connect):
    paperless.versions = ("8", "9")
    client = connect()
    assert client.document_types() == {1: "invoice", 2: "letter", 3: "receipt"}
    client.tags()
    assert len(paperless.requests) == 3
    paperless.versions = ("7", "8")
    with pytest.raises(PaperlessError, match=r"status 406.* it needs a version with API 10 or 9"):
        client.tags()


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(paperless, connect, code):
    paperless.fail("/api/tags", status(code), times=2)
    client = connect()
    assert len(client.tags()) == 4
    assert client.slept == [0.5, 1.0]


def test_a_busy_server_says_how_long_to_wait_within_bounds(paperless, connect):
    paperless.fail("/api/tags", status(429, **{"Retry-After": "7"}))
    paperless.fail("/api/document_types", status(429, **{"Retry-After": "999999"}))
    client = connect()
    client.tags()
    client.document_types()
    assert client.slept == [7.0, 60.0]


def test_a_server_that_stays_busy_is_given_up(paperless, connect):
    paperless.fail("/api/tags", status(500), times=99)
    with pytest.raises(PaperlessError, match=r"status 500 \(asked 3 times\)"):
        connect(retries=2).tags()


def test_nothing_is_asked_after_the_deadline(paperless, connect):
    paperless.fail("/api/tags", status(500), times=99)
    client = connect(retries=20, deadline=time.monotonic() + 2)
    with pytest.raises(PaperlessError, match=r"asked 3 times"):
        client.tags()
    # two more seconds would have been too many
    assert client.slept == [0.5, 1.0]


def test_json_that_breaks_off_is_asked_for_again(paperless, connect):
    paperless.fail("/api/tags", lambda _: Response('{"count": 1, "resu', media_type="application/json"))
    assert len(connect().tags()) == 4
    paperless.fail("/api/tags", lambda _: Response("[" * 100_000, media_type="application/json"), times=9)
    with pytest.raises(PaperlessError, match="incomplete or damaged"):
        connect(retries=1).tags()


def test_a_page_for_people_is_not_taken_for_an_answer(paperless, connect):
    paperless.fail("/api/tags", lambda _: HTMLResponse("<h1>Please sign in</h1>"))
    with pytest.raises(PaperlessError, match="text/html instead of JSON; check that --url"):
        connect().tags()


@pytest.mark.parametrize(
    "body",
    ["[]", "3", "{}", '{"results": 5}', '{"results": [7]}', '{"results": [{"id": "x", "name": "a"}]}',
     '{"results": [{"id": true, "name": "a"}]}', '{"results": [{"id": 1, "name": 5}]}'],
)  # fmt: skip
def test_answers_of_another_shape_are_told(paperless, connect, body):
    paperless.fail("/api/tags", lambda _: Response(body, media_type="application/json"))
    with pytest.raises(PaperlessError, match="paperless-ngx: answered with"):
        connect().tags()


def test_half_characters_in_names_become_writable(paperless, connect):
    body = '{"results": [{"id": 1, "name": "a\\ud800b"}], "next": null}'
    paperless.fail("/api/document_types", lambda _: Response(body, media_type="application/json"))
    assert connect().document_types() == {1: "a?b"}


def test_a_slow_server_is_not_waited_for(paperless, connect):
    async def drip():
        for _ in range(200):
            yield b" "
            await asyncio.sleep(0.05)

    paperless.fail("/api/tags", lambda _: StreamingResponse(drip(), media_type="application/json"))
    began = time.monotonic()
    with pytest.raises(PaperlessError, match="did not finish its answer in time"):
        connect(timeout=0.3, retries=0).tags()
    assert time.monotonic() - began < 8


def test_an_answer_is_bounded(paperless, connect, monkeypatch):
    monkeypatch.setattr(paperless_http, "MAX_ANSWER", 10_000)
    paperless.fail("/api/tags", lambda _: Response(b" " * 10_001, media_type="application/json"))
    with pytest.raises(PaperlessError, match="more than 10,000 bytes"):
        connect().tags()


@pytest.mark.parametrize(("results", "asked"), [("[]", 1), ('[{"id": 1, "name": "a"}]', 2)])
def test_a_list_without_an_end_is_bounded(paperless, connect, results, asked):
    answers = []

    def answer(_request):
        answers.append(1)
        return Response(f'{{"results": {results}, "next": "http://elsewhere"}}', media_type="application/json")

    paperless.fail("/api/tags", answer, times=99)
    with pytest.raises(PaperlessError, match="without an end"):
        connect().tags()
    assert len(answers) == asked


def test_the_token_is_not_sent_elsewhere(paperless, connect):
    paperless.fail("/api/tags", lambda _: Response(status_code=302, headers={"Location": "http://127.0.0.1:9/login"}))
    with pytest.raises(PaperlessError, match=r"sends elsewhere \(status 302, to http://127.0.0.1:9/login\)"):
        connect().tags()


def test_refusals_say_what_to_do(paperless, connect, monkeypatch):
    paperless.rights = {"view"}
    paperless.add(1)
    with pytest.raises(PaperlessError, match=r"status 403.*permission to view and change"):
        connect().set_document_type(1, 2)
    paperless.rights = {"change"}
    with pytest.raises(PaperlessError, match="status 403"):
        connect().document(1)
    paperless.rights = {"view", "change"}
    with pytest.raises(GoneError):
        connect().document(2)
    with pytest.raises(InvalidError, match="object does not exist"):
        connect().set_document_type(1, 99)
    monkeypatch.setenv("PAPERLESS_TOKEN", "wrong")
    with pytest.raises(PaperlessError, match=r"status 401.* make a token in its profile"):
        connect().document(1)


def test_a_server_that_is_not_there_is_told(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("PAPERLESS_TOKEN", "x")
    slept = []
    with (
        PaperlessHttp(PaperlessOptions(url=f"http://127.0.0.1:{port}", retries=1), sleep=slept.append) as http,
        pytest.raises(PaperlessError, match=r"cannot be reached .*asked 2 times") as caught,
    ):
        http.json("GET", "tags/")
    assert slept == [0.5]
    assert caught.value.exit_code == ExitCode.SERVICE


def test_the_token_is_in_no_message(paperless, connect, textclf, tmp_path, token_file):
    token = token_file.read_text().strip()
    paperless.fail("/api/tags", lambda _: JSONResponse({"detail": f"Token {token} is odd"}, status_code=418), times=99)
    with pytest.raises(PaperlessError, match=r"Token \*\*\* is odd"):
        connect().tags()
    said = textclf("paperless", "learn", "-v", "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.SERVICE
    assert token not in said.out + said.err


@pytest.mark.parametrize(
    "url",
    ["paperless:8000", "ftp://a", "http://", "http://user:secret@a", "http://a?b=c", "http://[", "http://a:99999"],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError) as caught:
        PaperlessOptions(url=url).address()
    assert "secret" not in str(caught.value)


def test_a_token_comes_from_a_file_or_the_environment(token_file, tmp_path, monkeypatch):
    monkeypatch.delenv("PAPERLESS_TOKEN", raising=False)
    assert len(PaperlessOptions(token_file=token_file).token()) == 40
    with pytest.raises(UsageError, match="PAPERLESS_TOKEN: no token of paperless-ngx"):
        PaperlessOptions().token()
    for content in (b"two words", "tokén".encode(), b"x" * 2_000):
        token_file.write_bytes(content)
        with pytest.raises(UsageError, match="is not a token"):
            PaperlessOptions(token_file=token_file).token()


def test_a_document_cannot_be_accepted_and_for_review():
    with pytest.raises(UsageError, match="review_tag"):
        FilingOptions(review_tag="a", accepted_tag="a")
