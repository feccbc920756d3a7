"""Many clients, bad clients, bad documents; stopping, being killed, and starting again."""

from __future__ import annotations

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from textclf.base.errors import ExitCode
from textclf.base.http_limits import HEAD_SECONDS


def connect(service) -> socket.socket:
    where = urlsplit(service.url)
    return socket.create_connection((where.hostname, where.port), timeout=20)


def open_files(service) -> int:
    return len([*Path(f"/proc/{service.process.pid}/fd").iterdir()])


def until(condition, seconds: float = 120) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def queue_length(client: httpx.Client) -> float:
    lines = client.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith("textclf_queue_length ")).split()[1])


def test_a_hundred_clients_at_once_are_all_answered(service, invoice, sent):
    def ask(number: int) -> tuple[int, str, str | None]:
        with service.client() as client:
            # blank pages are read soonest
            page = blank if number % 5 else invoice
            answer = client.post("/v1/classify/file", files=sent(**{f"n{number}": page}))
            (document,) = answer.json()["documents"]
            return answer.status_code, document["name"], document["docType"]

    stream = BytesIO()
    Image.new("L", (300, 200), 255).save(stream, "PNG")
    blank = stream.getvalue()
    with ThreadPoolExecutor(100) as clients:
        answers = list(clients.map(ask, range(100)))
    assert answers == [(200, f"n{number}.png", None if number % 5 else "invoice") for number in range(100)]


def test_clients_that_hang_send_rubbish_or_go_away_leave_nothing_behind(service, client, invoice, sent):
    client.post("/v1/classify/file", files=sent(a=invoice))
    before = open_files(service)
    hanging = [connect(service) for _ in range(20)]
    for connection in hanging[10:]:
        connection.sendall(b"POST /v1/classify/file HTTP/1.1\r\nHost: localhost\r\nContent-")
    for rubbish in (b"\0\1\2\3" * 99, b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3", b"\r\n" * 50):
        with connect(service) as connection, suppress(OSError):
            connection.sendall(rubbish)
            connection.settimeout(2)
            assert not connection.recv(4096).startswith(b"HTTP/1.1 5")
    head = "POST /v1/classify/file HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    part = b'--b\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + invoice
    # one goes away while it sends, one while it waits for the answer
    for tail, length in ((b"", len(part) + 999), (b"\r\n--b--\r\n", len(part) + 9)):
        with connect(service) as connection:
            connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + part + tail)
            time.sleep(0.1)
    begun = time.monotonic()
    assert [connection.recv(10) for connection in hanging] == [b""] * 20
    assert time.monotonic() - begun < HEAD_SECONDS + 20
    for connection in hanging:
        connection.close()
    assert until(lambda: open_files(service) <= before + 1)
    assert until(lambda: queue_length(client) == 0)
    assert not list((service.library / "uploads").rglob("*"))
    assert client.post("/v1/classify/file", files=sent(a=invoice)).status_code == 200
    assert "Traceback" not in service.said


@pytest.mark.slow
def test_a_body_that_stalls_is_given_up(service, client):
    with connect(service) as connection:
        connection.settimeout(60)
        connection.sendall(
            b"POST /v1/classify/file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")
    assert queue_length(client) == 0


@pytest.fixture(scope="module")
def faulty(start_any, model_path, slow_engine):
    """A service whose engine kills its worker, hangs or takes a second, as the width of the page tells it."""
    faults = "[ $width = 901 ] && kill -9 $PPID\n[ $width = 902 ] && exec sleep 60\n[ $width = 904 ] && sleep 1"
    arguments = (
        "--engine",
        "tesseract",
        "--jobs",
        2,
        "--scale",
        1,
        "--seconds-per-page",
        4,
        "--queue",
        4,
        "--tasks",
        1,
        "--grace",
        1,
    )
    service = start_any("--model", model_path, *arguments, **slow_engine(faults))
    service.wait_until_ready()
    return service


@pytest.fixture
def page(scan, tmp_path):
    """Draws a page of some width."""

    def draw(width: int) -> bytes:
        path = scan(tmp_path / "page.png", "invoice total due")
        Image.open(path).crop((0, 0, width, 200)).save(path)
        return path.read_bytes()

    return draw


def test_a_document_that_kills_or_hangs_its_worker_is_told_and_the_rest_goes_on(faulty, page, sent):
    pages = {f"w{width}": page(width) for width in (900, 901, 902, 903)}
    with faulty.client() as client:
        documents = client.post("/v1/classify/file", files=sent(**pages)).json()["documents"]
        assert [document["docType"] for document in documents] == ["invoice", None, None, "invoice"]
        assert documents[1]["warnings"] == ["the process that read it died"]
        assert "took longer than 4 s" in documents[2]["warnings"][0]
        answer = client.post("/v1/classify/file", files=sent(a=pages["w901"]))
        assert (answer.status_code, answer.json()["detail"]) == (422, "a.png: the process that read it died")


def test_a_full_queue_is_told_with_the_time_to_wait(faulty, page, sent):
    slow = page(904)
    with ThreadPoolExecutor(8) as clients, faulty.client() as client:
        waiting = [clients.submit(client.post, "/v1/classify/file", files=sent(a=slow)) for _ in range(4)]
        assert until(lambda: queue_length(client) == 4)
        refused = client.post("/v1/classify/file", files=sent(a=slow))
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:textclf:problem:queue-full")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        # three are begun at a time, one may wait; on a slow machine some end meanwhile
        answers = [client.post("/v1/classify/file/async", files=sent(a=slow))]
        while len(answers) < 40 and answers[-1].status_code == 202:
            answers.append(client.post("/v1/classify/file/async", files=sent(a=slow)))
        assert answers[0].status_code == 202
        assert answers[-1].status_code == 429
        assert answers[-1].json()["type"] == "urn:textclf:problem:too-many-tasks"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert [answer.result().status_code for answer in waiting] == [200] * 4


def test_who_still_waits_when_the_grace_is_over_is_told_that_the_service_stops(faulty, page, sent, left_over):
    with ThreadPoolExecutor(1) as clients, faulty.client() as client:
        # three seconds longer than the grace
        waiting = clients.submit(client.post, "/v1/classify/file", files=sent(a=page(902)))
        assert until(lambda: queue_length(client) == 1)
        assert faulty.stop() == 0
        answer = waiting.result()
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:textclf:problem:stopping")
    assert left_over(faulty.process.pid) == []
    assert "Traceback" not in faulty.said


def test_no_task_is_lost_by_kill_9_nor_by_sigterm(start, model_path, invoice, slow_engine, sent, tmp_path, left_over):
    environment = slow_engine("sleep 0.3")
    arguments = ("--engine", "tesseract", "--jobs", 2)

    def begin(*more: object):
        return start(*more, *arguments, folder=tmp_path / "desk", **environment)

    def give(client: httpx.Client, count: int) -> list[str]:
        answers = [client.post("/v1/classify/file/async", files=sent(a=invoice)) for _ in range(count)]
        return [answer.json()["task_id"] for answer in answers]

    service = begin("--model", model_path)
    service.wait_until_ready()
    with service.client() as client:
        tasks = give(client, 5)
        uploading = connect(service)
        uploading.sendall(
            b"POST /v1/classify/file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            b'--b\r\ncontent-disposition: form-data; name="f"; filename="a"\r\n\r\nabc' + bytes(5000)
        )
        client.get(f"/v1/status/poll/{tasks[0]}", params={"wait": 30})
        service.stop(signal.SIGKILL)
        uploading.close()
    assert left_over(service.process.pid) == []

    # the model on duty is in the library
    service = begin()
    assert {folder.name for folder in (service.library / "uploads").iterdir()} <= set(tasks)
    with service.client() as client, ThreadPoolExecutor(4) as clients:
        tasks += give(client, 4)
        waiting = [clients.submit(client.post, "/v1/classify/file", files=sent(a=invoice)) for _ in range(2)]
        poll = clients.submit(client.get, f"/v1/status/poll/{tasks[-1]}", params={"wait": 60})
        assert until(lambda: queue_length(client) == 2)
        service.process.send_signal(signal.SIGTERM)
        # clients that wait are answered; who waits for a task is not kept
        assert [answer.result().status_code for answer in waiting] == [200, 200]
        assert poll.result().json()["task_status"] == "pending"
    assert service.stop() == 0
    assert left_over(service.process.pid) == []

    service = begin()
    with service.client() as client:
        for task in tasks:
            assert client.get(f"/v1/status/poll/{task}", params={"wait": 30}).json()["task_status"] == "success"
            assert client.get(f"/v1/result/{task}").json()["documents"][0]["docType"] == "invoice"
    assert until(lambda: not list((service.library / "uploads").iterdir()))
    assert "Traceback" not in service.said


@pytest.mark.slow
def test_the_grace_is_over_once_and_who_still_waits_is_told(start, model_path, invoice, slow_engine, sent):
    arguments = ("--engine", "tesseract", "--jobs", 2, "--grace", 5)
    service = start("--model", model_path, *arguments, **slow_engine('[ -e "$XDG_CACHE_HOME" ] && sleep 60'))
    service.wait_until_ready()
    (service.folder / "xdg").mkdir(exist_ok=True)
    with service.client() as client, ThreadPoolExecutor(1) as clients:
        assert client.post("/v1/classify/file/async", files=sent(a=invoice)).status_code == 202
        waiting = clients.submit(client.post, "/v1/classify/file", files=sent(a=invoice))
        assert until(lambda: queue_length(client) == 1)
        begun = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - begun < 10
        answer = waiting.result()
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:textclf:problem:stopping")
    assert "Traceback" not in service.said


@pytest.mark.slow
def test_a_task_that_kills_the_service_again_and_again_is_put_aside(
    start, model_path, page, slow_engine, sent, tmp_path
):
    # the service leads the session of its workers
    environment = slow_engine("[ $width = 901 ] && kill -9 $(cut -d' ' -f6 /proc/$PPID/stat)\nsleep 0.1")
    arguments = ("--engine", "tesseract", "--jobs", 2, "--scale", 1)

    def begin(*more: object):
        return start(*more, *arguments, folder=tmp_path / "desk", **environment)

    service = begin("--model", model_path)
    service.wait_until_ready()
    with service.client() as client:
        tasks = []
        with suppress(httpx.TransportError):
            for width in (900, 901, 902, 903):
                answer = client.post("/v1/classify/file/async", files=sent(a=page(width)))
                tasks.append(answer.json()["task_id"])
    assert len(tasks) >= 2
    for _ in range(3):
        service.process.wait(60)
        assert service.stop() == -signal.SIGKILL
        service = begin()
    with service.client() as client:
        states = [client.get(f"/v1/status/poll/{task}", params={"wait": 30}).json()["task_status"] for task in tasks]
        assert states == ["success", "failure", *["success"] * (len(tasks) - 2)]
        answer = client.get(f"/v1/result/{tasks[1]}")
        assert (answer.status_code, answer.json()["type"]) == (500, "urn:textclf:problem:gave-up")
        assert answer.json()["detail"] == "the service ended 3 times while it did this task"
    assert f"task {tasks[1]} is put aside: the service ended 3 times while it did this task" in service.said
    assert until(lambda: not list((service.library / "uploads").iterdir()))


def test_one_service_a_library_and_a_port(textclf, service, tmp_path):
    said = textclf("serve", "--library", service.library)
    assert said.code == ExitCode.USAGE
    assert "another service uses this library" in said.error
    said = textclf("serve", "--library", tmp_path / "other", "--port", urlsplit(service.url).port)
    assert said.code == ExitCode.OUTPUT
    assert "cannot listen on 127.0.0.1" in said.error


def test_without_a_model_documents_are_refused_until_one_is_on_duty(start, model_path, invoice, sent):
    from datetime import UTC, datetime

    from textclf.library.library import Library

    service = start("--jobs", 1)
    assert "no model is on duty" in service.said
    with service.client() as client:
        answer = client.post("/v1/classify/file", files=sent(a=invoice))
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:textclf:problem:no-model")
        assert client.get("/health").status_code == 200
        with Library.open(service.library) as library:
            now = datetime.now(UTC)
            library.put_on_duty(library.add_model(model_path, at=now).id, by="anna", at=now)
        # another program put it on duty, and the service follows
        service.wait_until_ready()
        answer = client.post("/v1/classify/file", files=sent(a=invoice))
        assert answer.json()["documents"][0]["docType"] == "invoice"
