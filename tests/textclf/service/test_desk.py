"""The service in this process, where faults can be made that its users must hear of."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import create_engine, make_url, text

from tests.textclf.service.pages.conftest import add_documents
from textclf.data.scans import ScanOptions
from textclf.library.claims import take_claim
from textclf.library.label_issues import keep_label_issues
from textclf.library.library import CLAIM, Library
from textclf.library.models import duty_rows
from textclf.library.records import LabelIssue
from textclf.model.file import save_model
from textclf.model.predict import Model
from textclf.model.settings import AcceptanceOptions
from textclf.service.app import create_app
from textclf.service.desk import Desk
from textclf.service.duty import ModelOnDuty
from textclf.service.metrics import Metrics
from textclf.service.pages.jobs import Job, write_job
from textclf.service.queue.broker_options import BrokerOptions
from textclf.service.service_options import ServiceOptions
from textclf.service.task_work import TaskWork, request_of_task
from textclf.service.tasks import PAUSE
from textclf.service.uploads import write_file


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, ws="none", lifespan="on", log_config=None))
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def begin(tmp_path, model_path) -> Iterator[Callable[..., tuple[Desk, httpx.Client]]]:
    """Starts the service over the library of the test, and stops it after the test."""
    with ExitStack() as open_ones:

        def start(
            *,
            with_model: bool = True,
            engine: str = "tesserocr",
            max_error: float | None = None,
            broker: str | None = None,
            **given: Any,
        ) -> tuple[Desk, httpx.Client]:
            options = ServiceOptions(library=tmp_path / "library", **given)
            library = open_ones.enter_context(Library.open(options.library, options.database))
            if with_model:
                now = datetime.now(UTC)
                library.put_on_duty(library.add_model(model_path, at=now).id, by="anna", at=now)
            duty = ModelOnDuty(library, AcceptanceOptions(max_error=max_error))
            duty.refresh()
            scans = ScanOptions(jobs=1, engine=engine)
            desk = Desk(library, scans, duty, Metrics(), queue=options.queue, keep=options.keep)
            url = open_ones.enter_context(running(create_app(desk, options, BrokerOptions(broker=broker))))
            return desk, open_ones.enter_context(httpx.Client(base_url=url, timeout=60, trust_env=False))

        yield start


def wait_until_ready(client: httpx.Client) -> None:
    wait_for_status(client, 200)


def wait_for_status(client: httpx.Client, status: int) -> None:
    end = time.monotonic() + 60
    while client.get("/ready").status_code != status:
        assert time.monotonic() < end
        time.sleep(0.1)


def figure(client: httpx.Client, name: str) -> str:
    """The value of a figure that has no labels."""
    lines = client.get("/metrics").text.splitlines()
    return next((line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")), "")


def test_while_the_database_server_is_gone_the_service_is_not_ready(begin, new_postgresql, caplog):
    caplog.set_level(logging.INFO, "textclf.service.database_watch")
    database = new_postgresql()
    _, client = begin(database=database)
    wait_until_ready(client)
    assert (figure(client, "textclf_database_up"), figure(client, "textclf_broker_up")) == ("1.0", "")
    name = make_url(database).database
    admin = create_engine(make_url(database).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as server:
        server.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"))
        server.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"), {"n": name})
        end = time.monotonic() + 20
        while (answer := client.get("/ready")).status_code != 503:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert answer.json()["detail"] == "the database cannot be used; the log says why"
        # the other figures are told all the same
        assert (figure(client, "textclf_database_up"), figure(client, "textclf_queue_length")) == ("0.0", "0.0")
        assert client.get("/health").status_code == 200
        server.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"))
    admin.dispose()
    wait_until_ready(client)
    told = [record.message for record in caplog.records if record.name.endswith("database_watch")]
    assert [line.partition(":")[0] for line in told] == ["the database does not answer", "the database answers again"]


def test_a_library_that_was_removed_takes_no_more_documents(begin, invoice, sent, caplog):
    desk, client = begin()
    wait_until_ready(client)
    folder = desk.library.folder
    away = folder.rename(folder.with_name("away"))
    assert client.post("/v1/classify/file/async", files=sent(a=invoice)).status_code == 503
    wait_for_status(client, 503)
    # another one in its place is not the one that is open
    with Library.open(folder):
        time.sleep(1.5)
        assert client.get("/ready").status_code == 503
    (told,) = (record.message for record in caplog.records if record.name.endswith("database_watch"))
    assert "was removed or replaced while it was in use" in told
    shutil.rmtree(folder)
    away.rename(folder)
    wait_until_ready(client)


def test_a_broker_that_cannot_be_reached_is_told_at_once_and_once_and_tasks_are_taken(begin, invoice, sent, caplog):
    pytest.importorskip("celery", reason="the extra [queue] is not installed")
    _, client = begin(broker="redis://127.0.0.1:9/0")
    end = time.monotonic() + 20
    while not (told := [record.message for record in caplog.records if "redis://" in record.message]):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert told[0].startswith("tasks have to wait: redis://127.0.0.1:9/0: cannot be used")
    wait_until_ready(client)
    assert figure(client, "textclf_broker_up") == "0.0"
    assert client.post("/v1/classify/file/async", files=sent(a=invoice)).status_code == 202
    time.sleep(1.5 * PAUSE)
    assert len([record for record in caplog.records if "redis://" in record.message]) == 1


def test_a_worker_that_stood_still_says_that_another_one_did_its_task(begin, invoice, caplog):
    desk, _ = begin()
    folder = desk.uploads.folder / "late"
    folder.mkdir(parents=True)
    file = write_file(folder, 0, invoice, "a.png")
    desk.library.tasks.add("late", request_of_task([file], {}), at=datetime.now(UTC))
    task = desk.library.leases.start("late", "frozen", timedelta(minutes=1), attempts=0)
    desk.library.tasks.finish("late", {"of": "another one"}, at=datetime.now(UTC))
    assert asyncio.run(TaskWork(desk, "frozen").do(task))
    assert "task late was done by another process meanwhile, whose result counts" in caplog.messages
    assert desk.library.tasks.get("late").result == {"of": "another one"}


def taught(library: Library, model: Model) -> None:
    """Leave a new model as if it had been taught."""
    folder = library.folder / "jobs" / "taught"
    folder.mkdir(parents=True)
    new = model.with_max_error(0.15)
    save_model(new, folder / "model.textclf")
    record = new.training
    result = {
        "documents": record.documents,
        "none_of_these": 0,
        "replayed": 0,
        "pile": 0,
        "accuracy": record.groups[-1].accuracy,
        "confidence": record.acceptance.confidence,
        "max_error": 0.15,
        "ladder": [asdict(step) for step in record.ladder()],
        "warnings": [],
        "comparison": None,
        "parent": None,
        "taken": None,
        "since": "2026-03-01T00:00:00+00:00",
    }
    at = datetime.now(UTC).isoformat()
    write_job(folder, Job(id="taught", kind="train", by="anna", started_at=at, state="success", result=result))


def test_when_reading_has_ended_the_service_is_not_ready_and_loses_no_task(begin, invoice, sent):
    desk, client = begin()
    given = client.post("/v1/classify/file/async", files=sent(a=invoice)).json()["task_id"]
    assert client.get(f"/v1/status/poll/{given}?wait=30").json()["task_status"] == "success"
    task = desk.library.tasks.add("later", desk.library.tasks.get(given).request, at=datetime.now(UTC))
    desk.reader.close()
    for answer in (
        client.post("/v1/classify/file", files=sent(a=invoice)),
        client.post("/v1/classify/file/async", files=sent(a=invoice)),
        client.get("/ready"),
    ):
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    assert "reading has ended" in answer.json()["detail"]
    assert desk.library.tasks.get(task.id).finished_at is None


def test_a_result_that_cannot_be_kept_at_once_is_kept_later(begin, invoice, sent, slow_engine, monkeypatch):
    for name, value in slow_engine("sleep 0.5").items():
        monkeypatch.setenv(name, value)
    desk, client = begin(engine="tesseract")
    wait_until_ready(client)
    task = client.post("/v1/classify/file/async", files=sent(a=invoice)).json()["task_id"]
    with closing(sqlite3.connect(desk.library.folder / "library.sqlite")) as database:
        database.execute("ALTER TABLE task RENAME TO away")
        time.sleep(2)
        database.execute("ALTER TABLE away RENAME TO task")
    assert client.get(f"/v1/status/poll/{task}?wait=20").json()["task_status"] == "success"


def test_a_service_that_can_do_no_more_tasks_is_not_ready(begin):
    desk, client = begin()
    wait_until_ready(client)
    desk.library.tasks.add("odd", {"files": []}, at=datetime.now(UTC))
    with closing(sqlite3.connect(desk.library.folder / "library.sqlite")) as database, database:
        database.execute("UPDATE task SET request = '{'")
    end = time.monotonic() + 20
    while (answer := client.get("/ready")).status_code == 200 and time.monotonic() < end:
        time.sleep(0.1)
    assert "has ended" in answer.json()["detail"]


def test_a_model_that_is_taken_twice_at_once_is_on_duty_once(begin, model):
    desk, client = begin(max_error=0.3)
    taught(desk.library, model)
    client.post("/sign-in", data={"name": "Anna"})
    page = client.get("/teach").text
    assert "started with --max-error 30%" in page
    assert 'type="radio"' not in page
    with ThreadPoolExecutor(4) as clicks:
        given = {"job": "taught", "max_error": "0.05"}
        answers = list(clicks.map(lambda _: client.post("/teach/take", data=given), range(4)))
    assert [answer.status_code for answer in answers] == [303] * 4
    with desk.library.database.reading() as session:
        assert len(duty_rows(session)) == 2
    assert desk.library.model_on_duty().figures["training"]["acceptance"]["max_error"] == 0.3
    client.post("/teach/stop")
    assert "Taken by Anna" in client.get("/teach").text


def test_what_was_taken_back_in_the_audit_is_shown_to_nobody_else(begin, model, tmp_path):
    desk, anna = begin()
    on_duty = desk.library.model_on_duty().id
    text = {"a.png": "invoice total due vat number net gross payment"}
    (document,) = add_documents(desk.library, tmp_path / "scans", model, on_duty, text, review=False)
    assert desk.library.prediction(document).decision == "accept"
    with httpx.Client(base_url=anna.base_url, timeout=60, trust_env=False) as bruno:
        for client, name in ((anna, "Anna"), (bruno, "Bruno")):
            client.post("/sign-in", data={"name": name})
        anna.post("/review/decide", json={"document": document, "category": "letter"})
        undone = anna.post("/review/undo").json()
        assert (undone["document"]["id"], undone["category"]) == (document, "letter")
        assert bruno.post("/audit/next", json={}).json()["document"] is None
        anna.post("/review/release", json={"documents": [document]})
        # whoever looks at it meanwhile is not disturbed
        anna.post("/review/decide", json={"document": document, "category": "letter"})
        with desk.library.database.writing() as session:
            now = datetime.now(UTC)
            assert take_claim(session, document, by="Bruno", at=now, until=now + CLAIM)
        answer = anna.post("/review/undo")
        assert (answer.status_code, answer.json()["detail"]) == (409, "Bruno")
        assert desk.library.decision(document).category == "letter"


def test_a_decision_that_the_model_doubts_is_asked_about_in_review_once(begin, model, tmp_path):
    desk, client = begin()
    on_duty = desk.library.model_on_duty().id
    texts = {f"{name}.png": f"invoice total due vat number {name}" for name in "abc"}
    ids = add_documents(desk.library, tmp_path / "scans", model, on_duty, texts, review=False)
    for document, by in zip(ids, ("Anna", "Bruno", "Anna"), strict=True):
        desk.library.decide(document, "letter", by=by, at=datetime.now(UTC))
    doubts = [LabelIssue(document_id=one, decided="letter", category="invoice", score=1 - one / 10) for one in ids[:2]]
    with desk.library.database.writing() as session:
        keep_label_issues(session, doubts, at=datetime.now(UTC))
    client.post("/sign-in", data={"name": "Anna"})
    answer = client.post("/review/next", json={}).json()
    assert answer["waiting"] == 1
    first = answer["document"]
    assert (first["id"], first["doubted"]) == (ids[0], "letter")
    assert first["reason"] == "You said letter, but the text reads like invoice."
    # what a person said comes first: Enter takes it
    assert [one["category"] for one in first["suggestions"]][:2] == ["letter", "invoice"]
    client.post("/review/decide", json={"document": ids[0], "category": "letter"})
    second = client.post("/review/next", json={}, headers={"Accept-Language": "it"}).json()["document"]
    assert (second["id"], second["reason"]) == (ids[1], "Bruno ha detto letter, ma il testo sembra invoice.")
    client.post("/review/decide", json={"document": ids[1], "category": "invoice"})
    assert client.post("/review/next", json={}).json() == {"document": None, "waiting": 0}
    # what was kept is taken back by itself
    for document, held in ((ids[1], "letter"), (ids[0], "letter")):
        assert client.post("/review/undo").json()["document"]["id"] == document
        assert desk.library.decision(document).category == held


def test_going_back_twice_by_the_same_page_goes_back_once(begin, model, tmp_path):
    desk, client = begin()
    first = desk.library.model_on_duty().id
    later = []
    for max_error in (0.1, 0.15):
        save_model(model.with_max_error(max_error), tmp_path / "later.textclf")
        later.append(desk.library.add_model(tmp_path / "later.textclf", at=datetime.now(UTC)).id)
        desk.library.put_on_duty(later[-1], by="anna", at=datetime.now(UTC))
    client.post("/sign-in", data={"name": "Anna"})
    assert f'name="to" value="{later[0]}"' in client.get("/teach").text
    for _ in range(2):
        assert client.post("/teach/back", data={"to": later[0]}).status_code == 303
        client.post("/teach/stop")
        assert desk.library.model_on_duty().id == later[0]
    client.post("/teach/back", data={"to": first})
    assert desk.library.model_on_duty().id == first


def test_two_requests_start_one_job(begin):
    desk, client = begin()
    client.post("/sign-in", data={"name": "Anna"})
    with ThreadPoolExecutor(8) as clicks:
        answers = list(clicks.map(lambda _: client.post("/teach/start", data={"replay": "yes"}), range(8)))
        seen = list(clicks.map(lambda _: client.get("/teach/state").json()["running"], range(8)))
    assert sorted(answer.status_code for answer in answers) == [303, *[409] * 7]
    assert all(seen)
    assert len(list((desk.library.folder / "jobs").iterdir())) == 1
    client.post("/teach/stop")
    assert not client.get("/teach/state").json()["running"]


def test_what_is_kept_is_private_and_nothing_is_kept_if_so_wanted(begin, tmp_path, invoice, sent):
    tmp_path.joinpath("library").mkdir(mode=0o755)
    for keep in ("none", "review"):
        desk, client = begin(with_model=False, keep=keep)
        client.post("/sign-in", data={"name": "Anna"})
        answer = client.post("/drop", files=sent(a=invoice))
        assert answer.status_code == 200, answer.text
        kept = [path for path in desk.library.files.rglob("*") if path.is_file()]
        assert (len(kept), bool(desk.library.list_documents())) == ((0, False) if keep == "none" else (1, True))
    files = [path for path in desk.library.folder.rglob("*") if path.is_file() and "uploads" not in path.parts]
    assert {path.name for path in files} >= {"library.sqlite", kept[0].name}
    assert {path.name for path in files if path.stat().st_mode & 0o077} <= {"service.lock"}
