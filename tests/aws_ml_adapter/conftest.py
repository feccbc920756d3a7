from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from aws_ml_adapter.api.kinds import Kind

ROOT = Path(__file__).parents[2]
SCHEMA = {
    "version": "1.0",
    "targetAttributeName": "bought",
    "dataFormat": "CSV",
    "dataFileContainsHeader": True,
    "attributes": [
        {"attributeName": "age", "attributeType": "NUMERIC"},
        {"attributeName": "town", "attributeType": "CATEGORICAL"},
        {"attributeName": "note", "attributeType": "TEXT"},
        {"attributeName": "bought", "attributeType": "BINARY"},
    ],
}


class Answered(NamedTuple):
    """An HTTP response; headers with lower-case names."""

    status: int
    body: bytes
    headers: dict[str, str]


class Server:
    """A real server in its own process, and an unmodified boto3 client of it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.s3 = folder / "s3"
        self.s3.mkdir()
        self.options = options
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "aws_ml_adapter", "serve", "--data-dir", str(self.folder / "data")]
        if "--s3-endpoint" not in self.options:
            command += ["--s3-root", str(self.s3)]
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "error"}
        with (self.folder / "stderr.txt").open("a") as stderr:
            self.process = subprocess.Popen(
                [*command, *self.options], stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True
            )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, (self.folder / "stderr.txt").read_text()
        self.client = self.connect()

    def connect(self, *, url: str = "", key: str = "AKIDEXAMPLE", secret: str = "secret", **config: Any) -> Any:
        """An unmodified client, with arbitrary keys."""
        return boto3.client(
            "machinelearning",
            endpoint_url=url or self.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(**{"retries": {"total_max_attempts": 1}, **config}),
        )

    def ask(self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, **headers: str) -> Answered:
        """Send any request; ``path`` may also be a complete link of this server."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=120)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path.removeprefix(self.url), body, named)
            answer = connection.getresponse()
            fields = {name.lower(): answer.getheader(name, "") for name, _ in answer.getheaders()}
            return Answered(answer.status, answer.read(), fields)
        finally:
            connection.close()

    def read(self, url: str) -> str:
        """Read an existing page or log."""
        answer = self.ask("GET", url)
        assert answer.status == 200, url
        return answer.body.decode()

    @staticmethod
    def until(holds: Callable[[], object], *, seconds: float = 120) -> None:
        """Wait until a condition is true."""
        end, pause = time.monotonic() + seconds, 0.01
        while not holds():
            assert time.monotonic() < end
            time.sleep(pause)
            # each question takes time from the job that is waited for
            pause = min(1.3 * pause, 0.1)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        try:
            # a job that is ended yields to all else that runs on the computer, and may take its time
            return self.process.wait(timeout=300)
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.client.close()

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr.txt").read_text()

    def put(self, key: str, content: str | bytes) -> str:
        path = self.s3 / "bucket" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return f"s3://bucket/{key}"

    def create_data_source(
        self, id_: str, *, location: str = "s3://bucket/sales.csv", split: tuple[int, int] = (0, 100), **spec: str
    ) -> None:
        percent = {"percentBegin": split[0], "percentEnd": split[1]}
        self.client.create_data_source_from_s3(
            DataSourceId=id_,
            DataSourceName=f"name of {id_}",
            DataSpec={"DataLocationS3": location, "DataRearrangement": json.dumps({"splitting": percent}), **spec},
            ComputeStatistics=True,
        )

    def put_sales(self, name: str = "sales", *, times: int = 1) -> None:
        """Store the data of `sales`, with repeated rows, and their schema."""
        header, _, rows = sales().partition("\n")
        self.put(f"{name}.csv", f"{header}\n{rows * times}")
        self.put(f"{name}.csv.schema", json.dumps(SCHEMA))

    def fill(self) -> None:
        """Store data, and create an object of each kind, two of data sources."""
        self.put_sales()
        for id_, split in (("ds-train", (0, 70)), ("ds-test", (70, 100))):
            self.create_data_source(id_, split=split)
        self.client.create_ml_model(MLModelId="ml-sales", MLModelType="BINARY", TrainingDataSourceId="ds-train")
        self.client.create_evaluation(EvaluationId="ev-sales", MLModelId="ml-sales", EvaluationDataSourceId="ds-test")
        self.client.create_batch_prediction(
            BatchPredictionId="bp-sales",
            MLModelId="ml-sales",
            BatchPredictionDataSourceId="ds-test",
            OutputUri="s3://bucket/out/",
        )

    def wait(
        self, kind: str, id_: str, *, until: Sequence[str] = ("COMPLETED",), seconds: float = 300
    ) -> dict[str, Any]:
        """Poll Get until the object has one of the statuses."""
        answer: dict[str, Any] = {}

        def has_come() -> bool:
            answer.update(getattr(self.client, f"get_{kind}")(**{id_member(kind): id_}))
            if answer["Status"] not in until:
                assert answer["Status"] in ("PENDING", "INPROGRESS"), (answer.get("Message"), self.stderr)
            return answer["Status"] in until

        self.until(has_come, seconds=seconds)
        return answer

    def objects_of(self, run: str) -> dict[Kind, list[str]]:
        """Ids of all objects of a run in the service, including deleted ones."""
        found = {}
        for kind in Kind:
            pages = self.client.get_paginator(xform_name(f"Describe{kind}s")).paginate()
            ids = [each[f"{kind}Id"] for page in pages for each in page["Results"]]
            found[kind] = sorted(id_ for id_ in ids if run in id_)
        return found

    def until_failed(self, kind: str, id_: str) -> str:
        """Wait until an object has failed, and return its message without the remedy at the end of all of them."""
        message, way_out, _ = self.wait(kind, id_, until=("FAILED",))["Message"].partition(" (once that is fixed")
        assert way_out
        return message

    @staticmethod
    def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
        """Check that a request is refused; return the name of the error, without its suffix, and the message."""
        with pytest.raises(ClientError) as caught:
            call(**request)
        error = caught.value.response["Error"]
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        return error["Code"].removesuffix("Exception"), error["Message"]

    def ready(self, model_id: str) -> str:
        """Wait until a model's endpoint is ready, and return its URL."""

        def endpoint() -> dict[str, Any]:
            return self.client.get_ml_model(MLModelId=model_id)["EndpointInfo"]

        self.until(lambda: endpoint()["EndpointStatus"] != "UPDATING")
        assert endpoint()["EndpointStatus"] == "READY"
        return endpoint()["EndpointUrl"]


def id_member(kind: str) -> str:
    return {"data_source": "DataSourceId", "ml_model": "MLModelId", "evaluation": "EvaluationId"}.get(
        kind, "BatchPredictionId"
    )


def sales(rows: int = 400, seed: int = 1) -> str:
    """Buyers are over 40 and write 'yes'; the town is random."""
    chance = random.Random(seed)
    lines = ["age,town,note,bought"]
    for _ in range(rows):
        bought = chance.random() < 0.5
        age = chance.randint(41, 80) if bought else chance.randint(18, 45)
        note = " ".join(["yes" if bought else "no", *chance.choices(["or", "and", "so"], k=3)])
        lines.append(f"{age},{chance.choice(['Rome', 'Bern'])},{note},{int(bought)}")
    return "\n".join(lines) + "\n"


@contextmanager
def _running_servers(tmp_path_factory) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(*options: str) -> Server:
        servers.append(Server(tmp_path_factory.mktemp("server"), *options))
        return servers[-1]

    yield make
    running = [server for server in servers if server.process.poll() is None]
    for server in running:
        server.process.terminate()
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def make_server(tmp_path_factory) -> Iterator[Callable[..., Server]]:
    """Starts servers that run until the tests of the module end."""
    with _running_servers(tmp_path_factory) as make:
        yield make


@pytest.fixture(scope="session")
def make_lasting_server(tmp_path_factory) -> Iterator[Callable[..., Server]]:
    with _running_servers(tmp_path_factory) as make:
        yield make


@pytest.fixture(scope="session")
def server(make_lasting_server) -> Server:
    """A server with data and their objects: ds-train, ds-test, ml-sales, ev-sales, bp-sales."""
    server = make_lasting_server("--rate", "100000")
    server.fill()
    for kind, id_ in (("ml_model", "ml-sales"), ("evaluation", "ev-sales"), ("batch_prediction", "bp-sales")):
        server.wait(kind, id_)
    return server


@pytest.fixture
def source(server, numbers=itertools.count()):  # noqa: B008 - one for all tests
    """The arguments of a data source that does not exist yet."""
    return {
        "DataSourceId": f"ds-{next(numbers)}",
        "DataSpec": {"DataLocationS3": "s3://bucket/sales.csv"},
        "ComputeStatistics": True,
    }
