"""Workers of real brokers: tasks are done once, whoever dies."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import create_engine, make_url, text

from textclf.base.errors import ExitCode
from textclf.library.library import Library

TESSERACT = ("--engine", "tesseract", "--scale", 1)


def until(condition: Callable[[], object], seconds: float = 180) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def give(client: httpx.Client, files: list[object], count: int = 1) -> list[str]:
    answers = [client.post("/v1/classify/file/async", files=files) for _ in range(count)]
    return [answer.json()["task_id"] for answer in answers]


def state(client: httpx.Client, task: str, wait: float = 0) -> str:
    return client.get(f"/v1/status/poll/{task}", params={"wait": wait}).json()["task_status"]


def states(client: httpx.Client, tasks: list[str], wait: float = 60) -> list[str]:
    return [state(client, task, wait) for task in tasks]


def ask(redis, *command: str) -> str:
    """What Redis answers to a command."""
    asked = ["redis-cli", "-p", str(redis.port), *command]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("kind", ["redis", pytest.param("rabbitmq", marks=pytest.mark.slow)])
def test_workers_do_the_tasks_of_a_service(new_broker, start, start_worker, model_path, invoice, sent, kind, left_over):
    broker = new_broker(kind).url
    service = start("--model", model_path, "--jobs", 1, "--broker", broker)
    worker = start_worker(service.library, "--jobs", 1, "--broker", broker, "--metrics-port", 0)
    with service.client() as client:
        answer = client.post("/v1/classify/file/async", files=sent(a=invoice, b=b"no scan")).json()
        assert (answer["task_status"], answer["task_position"]) == ("pending", 1)
        told = worker.ready()
        assert "guest:guest" not in told
        (task,) = (answer["task_id"],)
        begun = time.monotonic()
        assert state(client, task, 60) == "success"
        # whoever waits hears of it soon after it is done
        assert time.monotonic() - begun < 20
        first, second = client.get(f"/v1/result/{task}").json()["documents"]
        assert (first["docType"], second["reason"]) == ("invoice", "could not be read")
    url = told.rpartition(" ")[2]
    assert [httpx.get(f"{url}{path}").status_code for path in ("/health", "/ready", "/metrics", "/x")] == [
        *[200] * 3,
        404,
    ]
    figures = httpx.get(f"{url}/metrics").text
    assert 'textclf_documents_total{category="invoice",decision=' in figures
    with service.client() as client:
        for told in (figures, client.get("/metrics").text):
            assert {"textclf_database_up 1.0", "textclf_broker_up 1.0"} <= set(told.splitlines())
    assert worker.stop() == 0
    assert left_over(worker.process.pid) == []
    assert "Traceback" not in worker.said + service.said
    assert not list((service.library / "uploads").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
def test_nothing_is_lost_when_workers_and_the_broker_die(
    new_broker, start, start_worker, model_path, invoice, sent, slow_engine, kind
):
    broker, environment = new_broker(kind), slow_engine("sleep 0.5")
    service = start("--model", model_path, *TESSERACT, "--broker", broker.url, "--keep", "all", **environment)
    arguments = (service.library, *TESSERACT, "--broker", broker.url, "--jobs", 1, "--lease", 2, "--keep", "all")
    doomed = start_worker(*arguments, **environment)
    with service.client() as client:
        tasks = give(client, sent(a=invoice), 6)
        doomed.ready()
        assert until(lambda: "started" in states(client, tasks, 0))
        doomed.stop(signal.SIGKILL)
        # messages that were under way are lost with it, and a new one is refused
        broker.kill()
        tasks += give(client, sent(a=invoice), 2)
        broker.start()
        start_worker(*arguments, **environment).ready()
        assert states(client, tasks) == ["success"] * 8
        assert until(lambda: not list((service.library / "uploads").iterdir()))
    assert "tasks have to wait" in service.said
    assert "Traceback" not in service.said


@pytest.mark.slow
def test_a_broker_that_has_forgotten_all_messages_is_told_again(
    new_broker, start, start_worker, model_path, invoice, sent
):
    broker = new_broker("redis")
    service = start("--model", model_path, "--jobs", 1, "--broker", broker.url)
    with service.client() as client:
        tasks = give(client, sent(a=invoice), 3)
        assert until(lambda: ask(broker, "llen", "textclf") == "3")
        ask(broker, "flushall")
        start_worker(service.library, "--jobs", 1, "--broker", broker.url).ready()
        assert states(client, tasks) == ["success"] * 3
    assert "the messages of 3 tasks that wait seem to be lost" in service.said


@pytest.mark.slow
def test_sigterm_lets_a_worker_finish_what_it_has_begun_within_its_grace(
    redis, start, start_worker, model_path, invoice, sent, slow_engine, tmp_path, left_over
):
    gate = tmp_path / "gate"
    environment = slow_engine(f"sleep 1; [ -e {gate} ] && sleep 30; true")
    service = start("--model", model_path, *TESSERACT, "--broker", redis.url, "--broker-queue", "stop", **environment)
    arguments = (service.library, *TESSERACT, "--broker", redis.url, "--broker-queue", "stop", "--jobs", 1)
    worker = start_worker(*arguments, **environment)
    worker.ready()
    with service.client() as client:
        tasks = give(client, sent(a=invoice), 4)
        assert until(lambda: states(client, tasks, 0).count("started") == 2)
        assert worker.stop() == 0
        assert sorted(states(client, tasks, 0)) == ["pending"] * 2 + ["success"] * 2
        # what takes longer than the grace is given back, and done by another one at once
        worker = start_worker(*arguments, "--grace", 1, "--lease", 3600, **environment)
        worker.ready()
        assert states(client, tasks) == ["success"] * 4
        gate.touch()
        tasks = give(client, sent(a=invoice), 2)
        assert until(lambda: "started" in states(client, tasks, 0))
        begun = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - begun < 10
        assert left_over(worker.process.pid) == []
        assert states(client, tasks, 0) == ["pending"] * 2
        assert "Traceback" not in worker.said
        gate.unlink()
        start_worker(*arguments, **environment).ready()
        assert states(client, tasks) == ["success"] * 2


@pytest.mark.slow
def test_a_task_that_kills_its_worker_again_and_again_is_put_aside(
    redis, start, start_worker, model_path, invoice, scan, sent, slow_engine, tmp_path
):
    from PIL import Image

    path = scan(tmp_path / "page.png", "invoice total due")
    Image.open(path).crop((0, 0, 901, 200)).save(path)
    # the worker leads the session of its processes
    environment = slow_engine("[ $width = 901 ] && kill -9 $(cut -d' ' -f6 /proc/$PPID/stat)\nsleep 0.1")
    queue = ("--broker", redis.url, "--broker-queue", "poison")
    service = start("--model", model_path, *queue)
    with service.client() as client:
        tasks = [*give(client, sent(a=path.read_bytes())), *give(client, sent(a=invoice), 2)]
        for _ in range(3):
            worker = start_worker(service.library, *TESSERACT, *queue, "--jobs", 1, "--lease", 1, **environment)
            assert worker.process.wait(60) == -signal.SIGKILL
        start_worker(service.library, *TESSERACT, *queue, "--jobs", 1, **environment).ready()
        assert states(client, tasks) == ["failure", "success", "success"]
        answer = client.get(f"/v1/result/{tasks[0]}")
        assert (answer.status_code, answer.json()["type"]) == (500, "urn:textclf:problem:gave-up")
        assert answer.json()["detail"] == "the worker ended 3 times while it did this task"
    assert f"task {tasks[0]} is put aside" in service.said


@pytest.mark.slow
def test_a_task_that_takes_longer_than_the_lease_is_done_once_and_a_new_model_is_followed(
    redis, start, start_worker, model_path, invoice, sent, slow_engine, classifier, corpus, tmp_path
):
    environment = slow_engine("sleep 2")
    queue = ("--broker", redis.url, "--broker-queue", "lease")
    service = start("--model", model_path, "--jobs", 1, *queue)
    arguments = (service.library, *TESSERACT, *queue, "--jobs", 1, "--lease", 1)
    for worker in [start_worker(*arguments, **environment) for _ in range(2)]:
        worker.ready()
    _, texts, categories = corpus(8)
    classifier().fit(texts, categories).save(tmp_path / "other.textclf")
    with service.client() as client, Library.open(service.library) as library:
        tasks = give(client, sent(a=invoice), 4)
        assert states(client, tasks) == ["success"] * 4
        assert [library.tasks.get(task).attempts for task in tasks] == [1] * 4
        now = datetime.now(UTC)
        new = library.add_model(tmp_path / "other.textclf", at=now).id
        library.put_on_duty(new, by="anna", at=now)

        def model_of_a_new_task() -> str:
            (task,) = give(client, sent(a=invoice))
            assert state(client, task, 60) == "success"
            return client.get(f"/v1/result/{task}").json()["model"]["id"]

        assert until(lambda: model_of_a_new_task() == new)


@pytest.mark.slow
def test_workers_outlast_their_database_server(
    redis, start, start_worker, new_postgresql, model_path, invoice, sent, slow_engine
):
    database, environment = new_postgresql(), slow_engine("sleep 1")
    common = ("--database", database, "--broker", redis.url, "--broker-queue", "outage")
    service = start("--model", model_path, "--jobs", 1, *common)
    worker = start_worker(service.library, *TESSERACT, "--jobs", 1, *common, **environment)
    worker.ready()
    name = make_url(database).database
    admin = create_engine(make_url(database).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with service.client() as client, admin.connect() as server:
        tasks = give(client, sent(a=invoice), 6)
        assert until(lambda: "started" in states(client, tasks, 0))
        server.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"))
        server.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"), {"n": name})
        assert until(lambda: "is done anew in 16 s" in worker.said)
        server.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"))
        assert states(client, tasks) == ["success"] * 6
    admin.dispose()
    assert "Traceback" not in worker.said + service.said


@pytest.mark.slow
def test_a_service_without_a_broker_does_what_dead_workers_have_left(start, model_path, invoice, tmp_path):
    with Library.open(tmp_path / "desk" / "library") as library:
        upload = library.folder / "uploads" / "a" / "0"
        upload.parent.mkdir(parents=True)
        upload.write_bytes(invoice)
        # the service had the folder at another place
        file = {"name": "a.png", "path": "/elsewhere/0", "size": len(invoice), "sha256": "", "is_ours": True}
        library.tasks.add("a", {"files": [file]}, at=datetime.now(UTC))
        library.leases.start("a", "dead", timedelta(seconds=0.1), attempts=0)
        service = start("--model", model_path, "--jobs", 1, folder=tmp_path / "desk")
        with service.client() as client:
            assert state(client, "a", 60) == "success"
        assert library.tasks.get("a").attempts == 2


@pytest.mark.slow
@pytest.mark.usefixtures("at_aws")
def test_sqs_wakes_workers_and_rubbish_in_it_is_dropped(new_broker, start, start_worker, model_path, invoice, sent):
    import boto3

    broker = new_broker("sqs")
    service = start("--model", model_path, "--jobs", 1, "--broker", broker.url)
    worker = start_worker(service.library, "--jobs", 1, "--broker", broker.url)
    worker.ready()
    client = boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{broker.port}")
    (queue,) = client.list_queues()["QueueUrls"]
    rubbish = ["x", "5", "[" * 9000, '{"properties": 5}', '{"properties": {"body_encoding": "rot13"}, "body": "x"}']
    for body in rubbish:
        client.send_message(QueueUrl=queue, MessageBody=body)
    assert until(lambda: worker.said.count("is not of this service, and is dropped") == len(rubbish)), worker.said
    with service.client() as client:
        assert states(client, give(client, sent(a=invoice), 3)) == ["success"] * 3
    begun = time.monotonic()
    assert worker.stop() == 0
    # it waits for messages for five seconds at a time
    assert time.monotonic() - begun < 15
    assert "Traceback" not in worker.said + service.said


@pytest.fixture
def at_aws(monkeypatch) -> None:
    """The region and the keys of whoever uses SQS."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), ExitCode.USAGE, "--broker"),
        (("--broker", "kafka://host"), ExitCode.USAGE, "amqp://, amqps://, redis://, rediss://, sqs://"),
        (("--broker", "redis://h", "--broker-queue", "a b"), ExitCode.USAGE, "--broker-queue"),
    ],
)
def test_what_is_wrong_with_a_broker_is_said_in_one_line(textclf, tmp_path, arguments, code, words):
    said = textclf("worker", "--library", tmp_path, *arguments)
    assert said.code == code
    assert words in said.error
    assert len(said.err.splitlines()) == 1


def test_a_worker_that_waits_for_a_model_says_where_it_looks_for_one(redis, start_worker, tmp_path):
    worker = start_worker(tmp_path / "desk", "--jobs", 1, "--broker", redis.url, "--broker-queue", "idle")
    assert until(lambda: "no model is on duty" in worker.said)
    (line,) = worker.said.splitlines()
    assert line.startswith(
        f"waiting: no model is on duty in the library {tmp_path / 'desk'} with the database {tmp_path}"
    )
    assert worker.stop() == 0


def test_a_worker_that_is_stopped_while_it_waits_for_its_broker_says_so(start_worker, tmp_path):
    pytest.importorskip("celery", reason="the extra [queue] is not installed")
    worker = start_worker(tmp_path / "desk", "--broker", "redis://127.0.0.1:9/0")
    assert until(lambda: "waiting for the broker" in worker.said)
    assert worker.stop() == 128 + signal.SIGTERM
    assert worker.said.splitlines()[1:] == ["stopped before it was ready"]


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_uploads_ends_and_leaves_the_task(
    redis, start, start_worker, new_postgresql, model_path, invoice, sent, tmp_path
):
    database = new_postgresql()
    common = ("--database", database, "--broker", redis.url, "--broker-queue", "elsewhere")
    service = start("--model", model_path, "--jobs", 1, *common)
    with service.client() as client:
        (task,) = give(client, sent(a=invoice))
        # the models alone are there
        shutil.copytree(service.library / "models", tmp_path / "other" / "models")
        worker = start_worker(tmp_path / "other", "--jobs", 1, *common)
        assert worker.process.wait(60) == ExitCode.BAD_INPUT
        assert "give the folder of the service with --library" in worker.said
        with suppress(AssertionError):
            start_worker(service.library, "--jobs", 1, *common).ready()
        assert state(client, task, 60) == "success"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["redis", "rabbitmq", "sqs"])
@pytest.mark.usefixtures("at_aws")
def test_a_restart_of_the_broker_is_told_in_one_line_and_its_end_in_another(
    new_broker, start, start_worker, model_path, invoice, sent, slow_engine, kind
):
    broker, environment = new_broker(kind), slow_engine("sleep 3")
    service = start("--model", model_path, "--jobs", 1, "--broker", broker.url)
    worker = start_worker(service.library, *TESSERACT, "--jobs", 1, "--broker", broker.url, **environment)
    worker.ready()
    with service.client() as client:
        tasks = give(client, sent(a=invoice), 3)
        assert until(lambda: "started" in states(client, tasks, 0))
        broker.kill()
        assert until(lambda: "the connection to the broker" in worker.said, 20), worker.said
        time.sleep(5)
        broker.start()
        assert states(client, tasks) == ["success"] * 3
        assert until(lambda: "the broker is there again" in worker.said, 20), worker.said
    assert worker.stop() == 0
    told = [line for line in worker.said.splitlines() if not line.startswith(("on duty: ", "task "))]
    assert len(told) == 2, worker.said
    place = broker.url.replace(":guest@", ":**@").replace(":secret@", ":**@")
    assert told[0].startswith(f"warning: the connection to the broker {place}")
