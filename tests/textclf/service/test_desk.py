"""The service in this process, where faults can be made that its users must hear of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from textclf.data.scans import ScanOptions
from textclf.library.library import Library
from textclf.model.settings import AcceptanceOptions
from textclf.service.app import create_app
from textclf.service.desk import Desk
from textclf.service.duty import ModelOnDuty
from textclf.service.metrics import Metrics
from textclf.service.service_options import ServiceOptions


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

        def start(*, with_model: bool = True, **given: Any) -> tuple[Desk, httpx.Client]:
            options = ServiceOptions(library=tmp_path / "library", **given)
            library = open_ones.enter_context(Library.open(options.library))
            if with_model:
                now = datetime.now(UTC)
                library.put_on_duty(library.add_model(model_path, at=now).id, by="anna", at=now)
            duty = ModelOnDuty(library, AcceptanceOptions())
            duty.refresh()
            desk = Desk(library, ScanOptions(jobs=1), duty, Metrics(), queue=options.queue, keep=options.keep)
            url = open_ones.enter_context(running(create_app(desk, options)))
            return desk, open_ones.enter_context(httpx.Client(base_url=url, timeout=60, trust_env=False))

        yield start


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
