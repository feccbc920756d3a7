"""Following paperless-ngx: webhooks and polling."""

from __future__ import annotations

import json
import signal
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("httpx", reason="the extra [desk] is not installed")

import httpx
from fastapi.responses import JSONResponse

from textclf.bridges.paperless_archive import content_of, predictor
from textclf.bridges.paperless_client import PaperlessClient
from textclf.bridges.paperless_filing import Filer
from textclf.bridges.paperless_http import PaperlessHttp
from textclf.bridges.paperless_options import FilingOptions, PaperlessOptions
from textclf.bridges.paperless_service import Worker, poll, requested_id, webhook_app

KEY = "a key of the webhook"


@pytest.fixture
def filer(paperless, model):
    with PaperlessHttp(PaperlessOptions(retries=0)) as http:
        options = FilingOptions(review_tag="check", score_field="score")
        yield Filer(
            client=PaperlessClient(http), predict=predictor(model, content_of), options=options, done_tag="todo"
        )


@pytest.fixture
def hook(filer, serve):
    """A receiver of webhooks, and a function that posts to it."""
    worker = Worker(filer, delay=0.05)
    address = serve(webhook_app(worker, KEY))

    def post(key=KEY, **body):
        return httpx.post(f"{address}/paperless", headers={"X-Api-Key": key} if key else {}, **body)

    post.address, post.worker = address, worker
    yield post
    # the server runs on, the client does not
    worker.stop()


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_documents_that_a_webhook_tells_of_are_filed(paperless, hook):
    for number in (7, 8, 9):
        paperless.add(number, "")
    answer = hook(json={"doc_id": "7"})
    assert (answer.status_code, answer.json()) == (202, {"document_id": 7, "status": "waiting"})
    assert hook(data={"doc_id": "8"}).status_code == 202
    assert hook(json={"doc_url": "https://elsewhere.example/documents/9/"}).status_code == 202
    wait_for(lambda: all(paperless.documents[number]["tags"] == [2] for number in (7, 8, 9)))
    assert httpx.get(f"{hook.address}/health").json() == {"status": "ok", "waiting": 0}


def test_a_document_told_of_twice_is_judged_once(paperless, hook):
    paperless.add(7, "")
    for _ in range(5):
        hook(json={"doc_id": 7})
    wait_for(lambda: paperless.value(7, 1) is not None and not hook.worker.waiting)
    writes = len(paperless.writes())
    hook(json={"doc_id": 7})
    wait_for(lambda: not hook.worker.waiting)
    hook.worker.stop()
    assert len(paperless.writes()) == writes


def test_what_is_no_call_of_the_webhook_is_refused(paperless, hook):
    assert hook(key="", json={"doc_id": 1}).status_code == 401
    assert hook(key="wrong", json={"doc_id": 1}).status_code == 401
    assert hook(key="clé".encode(), json={"doc_id": 1}).status_code == 401
    assert hook(content=b"x" * 70_000).status_code == 413
    for body in (
        b"",
        b"[]",
        b"nonsense",
        b'{"doc_id": "None"}',
        b'{"doc_id": 0}',
        b'{"doc_url": "/x/7"}',
        b"[" * 60_000,
    ):
        answer = hook(content=body)
        assert answer.status_code == 422
        assert "no document id" in answer.json()["detail"]
    assert httpx.get(f"{hook.address}/paperless").status_code == 405
    assert httpx.get(f"{hook.address}/docs").status_code == 404
    assert paperless.requests == []


def test_more_than_can_wait_is_refused(hook, monkeypatch):
    monkeypatch.setattr("textclf.bridges.paperless_service.MAX_WAITING", 0)
    assert hook(json={"doc_id": 7}).status_code == 503


def test_a_failure_does_not_end_the_receiver(paperless, hook, caplog):
    paperless.add(7, "")
    paperless.add(8, "")
    paperless.fail("/api/documents/7", lambda _: JSONResponse({"detail": "odd"}, status_code=418), times=9)
    hook(json={"doc_id": 7})
    hook(json={"doc_id": 99})
    hook(json={"doc_id": 8})
    wait_for(lambda: paperless.value(8, 1) is not None)
    assert "document 7: " in caplog.text
    assert "document 99 is not there any more" in caplog.text


def test_a_document_is_tried_again_when_paperless_was_down(paperless, hook, monkeypatch, caplog):
    monkeypatch.setattr("textclf.bridges.paperless_service.AGAIN", 0.1)
    monkeypatch.setattr("textclf.bridges.paperless_service.MAX_AGAIN", 2)
    paperless.add(7, "")
    paperless.add(8, "")
    paperless.fail("/api/tags", lambda _: JSONResponse({}, status_code=503))
    hook(json={"doc_id": 7})
    wait_for(lambda: paperless.value(7, 1) is not None)
    paperless.fail("/api/documents/8", lambda _: JSONResponse({}, status_code=503), times=3)
    hook(json={"doc_id": 8})
    wait_for(lambda: caplog.text.count("document 8: ") == 3)
    time.sleep(0.3)
    # given up: not even the fault that is over is tried again
    assert paperless.value(8, 1) is None


@given(st.sampled_from(["application/json", "application/x-www-form-urlencoded", "x"]), st.binary(max_size=200))
def test_any_body_is_an_id_or_none(content_type, body):
    found = requested_id(content_type, body)
    assert found is None or 0 < found < 2**31


@given(st.integers(1, 2**31 - 1))
def test_every_id_is_found(number):
    for body in ({"doc_id": number}, {"document_id": str(number)}, {"doc_url": f"http://a/b/documents/{number}"}):
        assert requested_id("application/json", json.dumps(body).encode()) == number


def test_polling_goes_on_after_a_failure(paperless, filer):
    paperless.add(7, "", tags=(4,))
    paperless.fail("/api/tags", lambda _: JSONResponse({}, status_code=500))
    rounds = []

    def sleep(seconds):
        rounds.append((seconds, list(paperless.documents[7]["tags"])))
        if len(rounds) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        poll(filer, every=9, sleep=sleep)
    assert rounds == [(9, [4]), (9, [2])]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.slow
def test_the_commands_run_until_they_are_ended(paperless, spawn, model_path, tmp_path):
    (tmp_path / "key").write_text("k" * 20)
    port = free_port()
    receiver = spawn(
        *("paperless", "webhook", model_path, "--port", port, "--key-file", tmp_path / "key"),
        *("--delay", "0", "--review-tag", "check"),
    )
    poller = spawn("paperless", "poll", model_path, "--tag", "todo", "--every", "1")
    paperless.add(7, "")
    paperless.add(8, "", tags=(4,))

    def answers() -> bool:
        try:
            return httpx.post(
                f"http://127.0.0.1:{port}/paperless", headers={"X-Api-Key": "k" * 20}, json={"doc_id": 7}
            ).is_success
        except httpx.TransportError:
            return False

    wait_for(answers, 60)
    wait_for(lambda: paperless.documents[7]["tags"] == [2] and paperless.documents[8]["tags"] == [], 60)
    for process in (receiver, poller):
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 128 + signal.SIGTERM, err
        assert "Traceback" not in err
