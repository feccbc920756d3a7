"""Label Studio itself: installed once into the user's cache, and started with a database of its own."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import textclf as package
from textclf.bridges.label_studio import as_prediction, as_task, find_control, label_config
from textclf.model.prediction import Prediction

pytestmark = pytest.mark.slow

VERSION = "1.23.2"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
KEY = "0123456789abcdef0123"
CATEGORIES = ("invoice", "letter", "receipt")


def installed() -> Path:
    """Give a folder with Label Studio, and with a database that has its tables and a user."""
    uv = pytest.importorskip("uv", reason="uv, which installs Label Studio, is missing").find_uv_bin()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "textclf" / f"label-studio-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "data").exists():
            program = folder / "bin" / "python"
            for command in (
                ["venv", "--quiet", "--allow-existing", "--python", sys.executable, folder],
                ["pip", "install", "--quiet", "--python", program, f"label-studio=={VERSION}"],
            ):
                done = subprocess.run([uv, *command], capture_output=True, text=True, timeout=600)
                if done.returncode:
                    pytest.skip(f"Label Studio cannot be installed: {done.stderr.strip()[-300:]}")
            shutil.rmtree(folder / "new", ignore_errors=True)
            with running(folder, folder / "new"):
                pass
            (folder / "new").rename(folder / "data")
    return folder


@contextmanager
def running(folder: Path, data: Path) -> Iterator[str]:
    """Run Label Studio with its data in a folder; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        # textclf serve runs on this machine, too
        "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",
        # the column with the scores of a connected model stays empty without: HumanSignal/label-studio issue 7151
        "ff_front_dev_1682_model_version_dropdown_070622_short": "true",
        "COLLECT_ANALYTICS": "false",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
    }
    user = ("--username", "anna@example.org", "--password", KEY, "--user-token", TOKEN, "--enable-legacy-api-token")
    where = ("--no-browser", "--internal-host", "127.0.0.1", "--port", str(port))
    data.mkdir(exist_ok=True)
    with (data / "log").open("w") as log:
        process = subprocess.Popen(
            [folder / "bin" / "label-studio", "start", *where, *user],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=data,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | settings,
            start_new_session=True,
        )
    try:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + 600
        while not is_up(url):
            assert process.poll() is None, (data / "log").read_text()[-3000:]
            assert time.monotonic() < end, (data / "log").read_text()[-3000:]
            time.sleep(0.5)
        yield url
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


class LabelStudio:
    """What a person does in Label Studio, by its API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clients: list[httpx.Client] = []
        self.anna = self.client(headers={"Authorization": f"Token {TOKEN}"})

    def client(self, **more: Any) -> httpx.Client:
        client = httpx.Client(base_url=self.url, timeout=120, trust_env=False, follow_redirects=True, **more)
        self.clients.append(client)
        return client

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def ask(self, method: str, path: str, client: httpx.Client | None = None, **more: Any) -> Any:
        answer = (client or self.anna).request(method, path, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def invite(self) -> httpx.Client:
        """Let a second person sign up."""
        path = self.ask("GET", "/api/invite")["invite_url"]
        berta = self.client()
        berta.get(path)
        form = {"email": f"berta{time.time_ns()}@example.org", "password": KEY, "allow_newsletters": "false"}
        berta.post(path, data=form | {"csrfmiddlewaretoken": berta.cookies["csrftoken"]})
        berta.headers["X-CSRFToken"] = berta.cookies["csrftoken"]
        assert self.ask("GET", "/api/current-user/whoami", berta)["email"] == form["email"]
        return berta

    def new_project(self, config: str, tasks: Sequence[Any]) -> int:
        project = self.ask("POST", "/api/projects", json={"title": "kinds", "label_config": config})["id"]
        said = self.ask("POST", f"/api/projects/{project}/import", json=tasks)
        assert said["task_count"] == len(tasks)
        return project

    def connect(self, project: int, url: str, password: str = KEY, title: str = "textclf") -> httpx.Response:
        given = {"project": project, "url": url, "title": title, "auth_method": "BASIC_AUTH"}
        return self.anna.post("/api/ml", json=given | {"basic_auth_user": "any", "basic_auth_pass": password})

    def retrieve_predictions(self, project: int) -> None:
        everything = {"selectedItems": {"all": True, "excluded": []}}
        self.ask("POST", f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}", json=everything)

    def tasks(self, project: int, *ordering: str) -> list[dict[str, Any]]:
        """Give the tasks as the data manager shows them."""
        view = self.ask("POST", "/api/dm/views", json={"project": project, "data": {"ordering": list(ordering)}})["id"]
        return self.ask("GET", f"/api/tasks?project={project}&view={view}&fields=all&page_size=100")["tasks"]

    def annotate(self, task: dict[str, Any], *choices: str, client: httpx.Client | None = None, **more: Any) -> None:
        result = {"from_name": "category", "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}
        body = {"result": [result] if choices else [], "lead_time": 1.5, **more}
        self.ask("POST", f"/api/tasks/{task['id']}/annotations?project={task['project']}", client, json=body)

    def export(self, project: int, kind: str, path: Path) -> Path:
        path.write_bytes(self.anna.get(f"/api/projects/{project}/export?exportType={kind}").content)
        return path


@pytest.fixture(scope="module")
def label_studio(tmp_path_factory) -> Iterator[LabelStudio]:
    folder, data = installed(), tmp_path_factory.mktemp("label-studio") / "data"
    shutil.copytree(folder / "data", data)
    with running(folder, data) as url, closing(LabelStudio(url)) as label_studio:
        yield label_studio


@pytest.fixture
def backend(start, model_path, tmp_path):
    """A service that wants a key."""
    (tmp_path / "keys").write_text(f"{KEY}\n")
    (tmp_path / "keys").chmod(0o600)
    service = start("--model", model_path, "--jobs", 1, "--key-file", tmp_path / "keys")
    service.wait_until_ready()
    return service


@pytest.fixture
def exported(textclf, table, corpus, model_path, tmp_path) -> tuple[str, list[dict[str, Any]]]:
    """The label configuration and the tasks of fifteen documents."""
    rows = [(name, text, "") for name, text, _ in corpus(5, seed=3).rows()]
    path = table(tmp_path / "documents.csv", rows)
    said = textclf("labelling", "export", path, "-o", tmp_path / "tasks.json", "--model", model_path)
    assert said.code == 0, said.err
    return said.out, json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))


def scores(tasks: Sequence[dict[str, Any]]) -> list[float]:
    return [task["predictions_score"] for task in tasks]


def test_tasks_are_labelled_in_their_order_and_come_back_as_labels(
    label_studio, exported, textclf, tmp_path, read_table
):
    config, written = exported
    project = label_studio.new_project(config, written)
    tasks = label_studio.tasks(project)
    assert [task["data"] for task in tasks] == [task["data"] for task in written]
    assert scores(tasks) == [task["predictions"][0]["score"] for task in written]
    assert [task["predictions"][0]["result"] for task in tasks] == [
        task["predictions"][0]["result"] for task in written
    ]
    # the first to be labelled is the most doubtful, and its prediction is shown
    first = label_studio.ask("GET", f"/api/projects/{project}/next")
    assert (first["id"], len(first["predictions"])) == (tasks[0]["id"], 1)

    berta = label_studio.invite()
    agreed, differ, skipped, skipped_once, none, empty, true, *untouched = tasks
    for client in (None, berta):
        label_studio.annotate(agreed, "letter", client=client)
        label_studio.annotate(skipped, was_cancelled=True, client=client)
    label_studio.annotate(differ, "letter")
    label_studio.annotate(differ, "receipt", client=berta)
    label_studio.annotate(skipped_once, was_cancelled=True)
    label_studio.annotate(skipped_once, "invoice", client=berta)
    label_studio.annotate(none, "none of these")
    label_studio.annotate(empty)
    label_studio.annotate(true, "letter", client=berta)
    label_studio.annotate(true, "invoice", ground_truth=True)
    labelled = ((agreed, "letter"), (skipped_once, "invoice"), (none, "none of these"), (true, "invoice"))
    expected = {task["data"]["document_id"]: category for task, category in labelled}

    for kind, conflicts in (("JSON", [differ]), ("JSON_MIN", [differ, true])):
        export = label_studio.export(project, kind, tmp_path / f"{kind}.json")
        said = textclf("labelling", "import", export, "-o", tmp_path / f"{kind}.csv")
        assert said.code == 0, said.err
        labels = {row["document_id"]: row for row in read_table(tmp_path / f"{kind}.csv")}
        names = [task["data"]["document_id"] for task in conflicts]
        found = {name: row["category"] for name, row in labels.items() if row["category"]}
        assert found == {name: category for name, category in expected.items() if name not in names}
        assert f"annotators disagree about {len(names)} text" in said.err
        assert all(repr(name) in said.err for name in names)
        texts = {task["data"]["document_id"]: task["data"]["text"] for task in tasks}
        assert all(row["text"] == texts[name] for name, row in labels.items())
        assert not {task["data"]["document_id"] for task in untouched} & set(labels)


def test_a_service_predicts_as_its_ml_backend(label_studio, backend, model_path, corpus, exported):
    texts = corpus(3, seed=5).texts
    tasks = [{"data": {"text": text}} for text in texts]
    project = label_studio.new_project(label_config(CATEGORIES), tasks)
    assert "authentication parameters" in label_studio.connect(project, f"{backend.url}/label-studio", "wrong").text
    assert "a valid ML backend" in label_studio.connect(project, backend.url).text
    connected = label_studio.connect(project, f"{backend.url}/label-studio/")
    assert (connected.status_code, connected.json()["readable_state"]) == (201, "Connected"), connected.text
    # a task that is opened gets its prediction
    opened = label_studio.ask("GET", f"/api/projects/{project}/next")
    assert [one["model_version"] for one in opened["predictions"]] == [connected.json()["model_version"]]

    label_studio.retrieve_predictions(project)
    shown = label_studio.tasks(project, "tasks:predictions_score")
    model = package.load(model_path)
    expected = {text: model(text) for text in texts}
    assert scores(shown) == sorted(round(one.score, 6) for one in expected.values())
    for task in shown:
        (prediction,) = task["predictions"]
        assert prediction["result"][0]["value"]["choices"] == [expected[task["data"]["text"]].predicted_category]
    # the webhook that Label Studio has set up by itself
    label_studio.annotate(shown[0], "letter")
    with backend.client(headers={"X-Api-Key": KEY}) as client:
        (line,) = [line for line in client.get("/metrics").text.splitlines() if "webhook" in line and "_total" in line]
    assert 'status="201"' in line
    assert label_studio.anna.post(f"/api/ml/{connected.json()['id']}/train", json={}).status_code == 200

    # tasks that came with predictions of the same model keep them
    project = label_studio.new_project(*exported)
    assert label_studio.connect(project, f"{backend.url}/label-studio").status_code == 201
    label_studio.retrieve_predictions(project)
    assert [len(task["predictions"]) for task in label_studio.tasks(project)] == [1] * len(exported[1])


def test_a_project_without_choices_about_a_text_cannot_be_connected(label_studio, backend):
    config = '<View><Image name="i" value="$i"/><Choices name="c" toName="i"><Choice value="a"/></Choices></View>'
    project = label_studio.new_project(config, [{"data": {"i": "/a.png"}}])
    assert "a valid ML backend" in label_studio.connect(project, f"{backend.url}/label-studio").text
    assert "Label Studio: label configuration: has no Choices about a Text" in backend.said


def test_odd_categories_come_back_as_they_were(label_studio, textclf, tmp_path, read_table):
    names = [
        "a&b",
        'say "x"',
        "<b>bold</b>",
        "Übung 漢字",
        "it's",
        "a/b, c",
        120 * "x",
        "$money",
        "{{x}}",
        "none",
        "a  b",
    ]
    config = label_config(names)
    predictions = [Prediction(document_id=str(number), predicted_category=name) for number, name in enumerate(names)]
    tasks = [as_task(one.document_id, "text", as_prediction(one, find_control(config), "v")) for one in predictions]
    project = label_studio.new_project(config, tasks)
    for task in label_studio.tasks(project):
        label_studio.annotate(task, *task["predictions"][0]["result"][0]["value"]["choices"])
    export = label_studio.export(project, "JSON", tmp_path / "export.json")
    assert textclf("labelling", "import", export, "-o", tmp_path / "labels.csv").code == 0
    assert [row["category"] for row in read_table(tmp_path / "labels.csv")] == names
