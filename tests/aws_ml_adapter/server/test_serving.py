"""The command, the lock, stopping, and being killed at any moment."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from aws_ml_adapter.__main__ import AMAZON_ML
from aws_ml_adapter.api.kinds import Kind, Status
from aws_ml_adapter.server.entities import Entities
from aws_ml_adapter.server.scheduler import MAX_ATTEMPTS
from textclf.base.errors import ExitCode
from textclf.commands.running import run

ROOT = Path(__file__).parents[3]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aws_ml_adapter", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_help_names_the_options():
    done = command("serve", "--help")
    assert done.returncode == 0
    for option in ("--host", "--port", "--data-dir", "--s3-root", "--s3-endpoint", "--credentials", "--jobs", "--rate"):
        assert option in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--host", "0.0.0.0"), ExitCode.USAGE, "can be reached from other machines; give keys"),
        (("--s3-root", "a", "--s3-endpoint", "http://b"), ExitCode.USAGE, "both --s3-root and --s3-endpoint"),
        (("--credentials", "none"), ExitCode.BAD_INPUT, "none: cannot be read"),
        (("--port", "65536"), ExitCode.USAGE, "'--port'"),
        (("--rate", "0"), ExitCode.USAGE, "'--rate'"),
        (("--rate", "inf"), ExitCode.USAGE, "--rate inf is not a number"),
        (("--public-url", "http://a/b"), ExitCode.USAGE, "leave out the path"),
        (("--s3-root", "none"), ExitCode.BAD_INPUT, "none: is not a folder; create it, or give another --s3-root"),
        (
            ("--s3-endpoint", "ftp://a"),
            ExitCode.USAGE,
            "--s3-endpoint ftp://a is not a URL; write http",
        ),
        (("--s3-endpoint", "a:9000"), ExitCode.USAGE, "--s3-endpoint a:9000 is not a URL"),
        (("--allow-origin", "http://a/b"), ExitCode.USAGE, "--allow-origin http://a/b is not an origin; write"),
        (("--data-dir", "/dev/null/x"), ExitCode.OUTPUT, "give another place with --data-dir"),
    ],
)
def test_wrong_options_end_with_one_line_and_a_code(tmp_path, capfd, arguments, code, message):
    assert run(["serve", "--data-dir", str(tmp_path), *arguments], AMAZON_ML) == code
    said = capfd.readouterr()
    assert message in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_one_server_a_data_directory_and_a_port(make_server):
    server = make_server()
    done = command("serve", "--data-dir", str(server.folder / "data"))
    assert (done.returncode, "another server uses this data directory" in done.stderr) == (ExitCode.USAGE, True)
    port = server.url.rpartition(":")[2]
    done = command("serve", "--data-dir", str(server.folder / "other"), "--port", port)
    assert (done.returncode, "cannot listen on 127.0.0.1" in done.stderr) == (ExitCode.OUTPUT, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_peace(make_server, number):
    server = make_server()
    assert server.client.describe_ml_models()
    assert server.stop(number) == 0
    assert server.stderr == ""


def test_what_it_keeps_is_for_its_owner_only(make_server):
    server = make_server()
    folder, secret = server.folder / "data", server.folder / "data" / "secret"
    assert (folder.stat().st_mode & 0o777, secret.stat().st_mode & 0o777) == (0o700, 0o600)
    server.stop()
    secret.write_bytes(b"short")
    done = command("serve", "--data-dir", str(folder))
    assert (done.returncode, "secret: does not have 32 bytes; remove it" in done.stderr) == (ExitCode.BAD_INPUT, True)


def test_it_starts_whatever_an_earlier_one_left(make_server, server):
    later = make_server()
    later.put_sales()
    later.stop()
    entities = Entities(later.folder / "data" / "state.sqlite3", clock=time.time)
    for number, key in enumerate(("a" * 300, "a/" * 506 + "a", "a")):
        request = {"OutputUri": f"s3://bucket/{key}"}
        made, _ = entities.create(Kind.BATCH_PREDICTION, f"bp-{number}", request, {}, {"parents": []})
        entities.finish(made.serial, Status.FAILED, {})
    schema = (server.s3 / "bucket" / "sales.csv.schema").read_text()
    record = {"ComputeStatistics": True, "DataSourceSchema": schema}
    for id_, attempts in (("ds-last", MAX_ATTEMPTS - 1), ("ds-over", MAX_ATTEMPTS)):
        request = {"DataSourceId": id_, "DataSpec": {"DataLocationS3": "s3://bucket/sales.csv"}}
        entities.create(Kind.DATA_SOURCE, id_, request, record, {"parents": [], "attempts": attempts})
    entities.close()
    folder = later.folder / "data" / "objects" / str(made.serial)
    unfinished = later.s3 / "bucket" / "a" / "batch-prediction" / "result" / ".bp.0123abcd.part"
    for path in (folder / "tmp", unfinished.parent):
        path.mkdir(parents=True)
    for path in (folder / "tmp" / "half", folder / "log.txt", unfinished):
        path.touch()
    later.start()
    assert later.client.get_batch_prediction(BatchPredictionId="bp-0")["Status"] == "FAILED"
    assert [path.name for path in folder.iterdir()] == ["log.txt"]
    assert not unfinished.exists()
    later.wait("data_source", "ds-last")
    assert "interrupted 10 times" in later.until_failed("data_source", "ds-over")
    assert later.stop() == 0
    assert later.stderr == ""


def test_options_come_from_the_environment(tmp_path):
    done = command("serve", AMAZON_ML_SERVE_DATA_DIR=str(tmp_path), AMAZON_ML_SERVE_HOST="0.0.0.0")
    assert "can be reached from other machines" in done.stderr


def test_the_client_finds_it_by_the_variable_of_the_service(server, monkeypatch):
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL_MACHINE_LEARNING", server.url)
    client = boto3.client("machinelearning", "eu-west-1", aws_access_key_id="a" * 16, aws_secret_access_key="b")
    assert client.get_ml_model(MLModelId="ml-sales")["Status"] == "COMPLETED"


def create_everything(client) -> None:
    """Create one object of each kind; idempotent."""
    client.create_data_source_from_s3(
        DataSourceId="ds", DataSpec={"DataLocationS3": "s3://bucket/sales.csv"}, ComputeStatistics=True
    )
    client.create_ml_model(MLModelId="ml", MLModelType="BINARY", TrainingDataSourceId="ds")
    client.create_evaluation(EvaluationId="ev", MLModelId="ml", EvaluationDataSourceId="ds")
    output = {"BatchPredictionId": "bp", "OutputUri": "s3://bucket/everything/"}
    client.create_batch_prediction(MLModelId="ml", BatchPredictionDataSourceId="ds", **output)


def finished(server) -> dict[str, bytes]:
    """Wait until all objects are completed, and return the output of the batch prediction."""
    create_everything(server.client)
    for kind, id_ in (("data_source", "ds"), ("ml_model", "ml"), ("evaluation", "ev"), ("batch_prediction", "bp")):
        server.wait(kind, id_)
    server.client.create_realtime_endpoint(MLModelId="ml")
    url = server.ready("ml")
    assert server.client.predict(MLModelId="ml", Record={"age": "80"}, PredictEndpoint=url)["Prediction"]
    out = server.s3 / "bucket" / "everything"
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def killed(server, chance: random.Random, kills: int) -> None:
    """Create objects repeatedly while the server is killed; those it confirmed must exist afterwards."""
    promised: set[tuple[str, str]] = set()
    done = threading.Event()

    def ask() -> None:
        number = 0
        while not done.is_set():
            number += 1
            try:
                create_everything(server.client)
                promised.update([("data_source", "ds"), ("ml_model", "ml"), ("evaluation", "ev")])
                name = {"DataSourceId": f"ds-{number}", "DataSpec": {"DataLocationS3": "s3://bucket/sales.csv"}}
                server.client.create_data_source_from_s3(**name)
                promised.add(("data_source", f"ds-{number}"))
                time.sleep(0.05)
                server.client.create_realtime_endpoint(MLModelId="ml")
                server.client.delete_realtime_endpoint(MLModelId="ml")
            except (BotoCoreError, ClientError):
                time.sleep(0.02)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(kills):
            time.sleep(chance.uniform(0, 1.2))
            server.stop(signal.SIGKILL)
            server.start()
    finally:
        done.set()
        asking.join()
    for kind, id_ in sorted(promised):
        server.wait(kind, id_)


@pytest.mark.parametrize(
    "kills", [pytest.param(2, marks=pytest.mark.slow), pytest.param(100, marks=pytest.mark.endurance)]
)
def test_being_killed_loses_nothing_and_doubles_nothing(make_server, server, kills):
    victim = make_server()
    victim.put_sales()
    killed(victim, random.Random(kills), kills)
    written = {name: content for name, content in finished(victim).items() if not name.endswith(".part")}
    assert written == finished(server)
    assert sorted(written) == ["batch-prediction/bp.manifest", "batch-prediction/result/bp-sales.csv.gz"]
    # a model that was loaded is loaded again, on another port
    victim.stop()
    victim.start()
    url = victim.ready("ml")
    assert url == victim.url
    assert finished(victim) == written, "half written files are gone"
    assert victim.client.predict(MLModelId="ml", Record={"age": "80"}, PredictEndpoint=url)["Prediction"]
    assert victim.stderr == ""
    files = {path.name for path in (victim.folder / "data").iterdir()}
    assert {name for name in files if not name.startswith("state.sqlite3")} == {
        "lock",
        "objects",
        "requests.log",
        "secret",
    }


def workers(server) -> list[int]:
    """Worker processes: grandchildren of the server, forked by the fork server."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(rest[1])
    children = {child for child, parent in parents.items() if parent == server.process.pid}
    return [child for child, parent in parents.items() if parent in children]


def kill_a_worker(server) -> None:
    server.until(lambda: workers(server))
    found = set(workers(server))
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    server.until(lambda: not found & set(workers(server)))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs Linux's /proc")
def test_a_job_whose_worker_dies_is_tried_three_times(make_server):
    victim = make_server()
    for name in ("one", "two"):
        victim.put_sales(name, times=1_000)
    victim.create_data_source("ds-1", location="s3://bucket/one.csv")
    kill_a_worker(victim)
    victim.wait("data_source", "ds-1")
    victim.create_data_source("ds-2", location="s3://bucket/two.csv")
    for _ in range(3):
        kill_a_worker(victim)
    assert "worker died 3 times" in victim.wait("data_source", "ds-2", until=("FAILED",))["Message"]
    assert not list((victim.folder / "data" / "objects").glob("*/*/"))
    # the job of a deleted object is stopped
    victim.create_data_source("ds-3", location="s3://bucket/one.csv")
    victim.until(lambda: workers(victim))
    victim.client.delete_data_source(DataSourceId="ds-3")
    victim.until(lambda: not workers(victim), seconds=60)
    # and leaves no temporary files
    victim.put_sales()
    victim.create_data_source("ds-small")
    victim.client.create_ml_model(MLModelId="ml", MLModelType="BINARY", TrainingDataSourceId="ds-small")
    output = {"BatchPredictionId": "bp", "OutputUri": "s3://bucket/out"}
    victim.client.create_batch_prediction(MLModelId="ml", BatchPredictionDataSourceId="ds-1", **output)
    victim.wait("ml_model", "ml")
    folder = victim.s3 / "bucket" / "out" / "batch-prediction" / "result"
    victim.until(lambda: list(folder.glob(".*.part")))
    victim.client.delete_batch_prediction(BatchPredictionId="bp")
    victim.until(lambda: not list(folder.glob(".*.part")))


@pytest.mark.slow
def test_it_is_counted_how_often_a_job_was_interrupted(make_server):
    victim = make_server()
    victim.put_sales(times=1_500)
    victim.create_data_source("ds")

    def interruptions() -> int:
        entities = Entities(victim.folder / "data" / "state.sqlite3", clock=time.time)
        try:
            return entities.get(Kind.DATA_SOURCE, "ds").details.get("attempts", 0)
        finally:
            entities.close()

    for number in (1, 2):
        victim.until(lambda number=number: interruptions() >= number)
        victim.stop(signal.SIGKILL if number == 1 else signal.SIGTERM)
        # a regular end of the server does not count
        assert interruptions() == 1
        victim.start()
    victim.wait("data_source", "ds")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("aws") is None, reason="needs the AWS CLI, in an environment of its own")
def test_the_aws_command_line_works_too(server):
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL_MACHINE_LEARNING": server.url,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }

    def aws(*arguments: str) -> dict:
        done = subprocess.run(
            ["aws", "machinelearning", *arguments, "--output", "json"], capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert aws("get-ml-model", "--ml-model-id", "ml-sales")["Status"] == "COMPLETED"
    aws("create-realtime-endpoint", "--ml-model-id", "ml-sales")
    url = server.ready("ml-sales")
    predicted = aws("predict", "--ml-model-id", "ml-sales", "--record", "age=70", "--predict-endpoint", url)
    assert predicted["Prediction"]["predictedLabel"] in ("0", "1")
    aws("delete-realtime-endpoint", "--ml-model-id", "ml-sales")


@pytest.mark.slow
def test_data_may_be_in_a_server_that_speaks_like_s3(make_server, server, monkeypatch):
    import boto3
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    s3_server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3_server.start()
    url = "http://{}:{}".format(*s3_server.get_host_and_port())
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    s3.create_bucket(Bucket="bucket")
    for name in ("sales.csv", "sales.csv.schema"):
        s3.put_object(Bucket="bucket", Key=name, Body=(server.s3 / "bucket" / name).read_bytes())
    remote = make_server("--s3-endpoint", url)
    create_everything(remote.client)
    remote.wait("batch_prediction", "bp")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="bucket", Prefix="everything/")["Contents"]]
    assert keys == ["everything/batch-prediction/bp.manifest", "everything/batch-prediction/result/bp-sales.csv.gz"]
    remote.stop()
    s3_server.stop()
