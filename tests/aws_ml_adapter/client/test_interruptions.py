"""Interruptions, refusals and timeouts: the client continues, creates nothing twice, and cleans up."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore import xform_name

from aws_ml_adapter.api.kinds import Kind
from aws_ml_adapter.client.amazon_classifier import AmazonMLClassifier
from aws_ml_adapter.client.client_options import TrainingOptions
from aws_ml_adapter.client.service_calls import AmazonMLError, FailedJobError, Service
from aws_ml_adapter.client.state import StateFile
from textclf.base.errors import ExitCode, UsageError

ROOT = Path(__file__).parents[3]


def test_delete_removes_what_was_made_and_nothing_else(server, prepared, trained, tmp_path, new_classifier):
    before = {path for path in server.s3.rglob("*") if path.is_file()}
    classifier = new_classifier(tmp_path / "model.json").fit(prepared)
    classifier.evaluate()
    classifier.open_endpoint()
    run = StateFile.open(tmp_path / "model.json").state.run
    made = server.objects_of(run)
    assert [len(ids) for ids in made.values()] == [2, 1, 1, 1]
    AmazonMLClassifier.load(tmp_path / "model.json").delete()
    assert {path for path in server.s3.rglob("*") if path.is_file()} == before
    assert not list(server.s3.rglob(run))
    assert not (tmp_path / "model.json").exists()
    for kind, ids in made.items():
        for id_ in ids:
            assert getattr(server.client, xform_name(f"Get{kind}"))(**{f"{kind}Id": id_})["Status"] == "DELETED"
    assert server.client.get_ml_model(MLModelId=StateFile.open(trained).state.model_id)["Status"] == "COMPLETED"


def test_delete_goes_on_after_objects_were_removed_by_another_hand(server, prepared, tmp_path, new_classifier):
    classifier = new_classifier(tmp_path / "model.json").fit(prepared)
    server.client.delete_ml_model(MLModelId=classifier.model_id)
    shutil.rmtree(server.s3 / "documents" / "kinds" / StateFile.open(tmp_path / "model.json").state.run)
    classifier.delete()
    assert not (tmp_path / "model.json").exists()


def test_a_server_that_knows_nothing_of_it_deletes_nothing(
    server, prepared, tmp_path, new_classifier, make_server, command
):
    path = tmp_path / "model.json"
    new_classifier(path).fit(prepared)
    before = StateFile.open(path).state
    other = make_server()
    done = command("delete", path, "--endpoint-url", other.url, check=ExitCode.SERVICE)
    assert other.url in done.stderr
    assert "knows none of the 2 objects" in done.stderr
    assert StateFile.open(path).state == before
    assert list(server.s3.rglob(before.run))
    command("delete", path)
    assert not list(server.s3.rglob(before.run))


def test_a_failed_evaluation_is_created_again_and_the_model_stays(trained, tmp_path, command, write_documents):
    table = write_documents(tmp_path / "blank.csv", 1, seed=11, first=900)
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *(line.rpartition(",")[0] + "," for line in lines[1:])]) + "\n")
    made = []
    for _ in range(3):
        done = command("evaluate", trained, table, "-o", tmp_path / "r", check=ExitCode.BAD_DATA)
        assert "run the same command again" in done.stderr
        state = StateFile.open(trained).state
        made.append([item.id for item in state.created if item.kind is Kind.EVALUATION][-1])
    assert [each.rpartition("-evaluation")[2] for each in made] == ["", "-again-2", "-again-3"]
    assert not {made[0], made[1]} & {item.id for item in state.created}


def test_a_file_of_other_data_or_settings_is_left_alone(server, prepared, trained, tmp_path, new_classifier):
    path = shutil.copy(trained, tmp_path / "model.json")
    content = path.read_bytes()
    for changes in ({"options": TrainingOptions(seed="1")}, {"options": TrainingOptions(ngrams=2)}):
        with pytest.raises(UsageError, match="other data or settings"):
            new_classifier(path, **changes).fit(prepared)
    assert path.read_bytes() == content
    new_classifier(path).fit(prepared)
    assert StateFile.open(path).state.created == StateFile.open(trained).state.created


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_and_makes_nothing_twice(server, prepared, tmp_path, command):
    path, draw = tmp_path / "model.json", random.Random(3)
    for arguments in (
        ["train", prepared, "-o", path, "--bucket", "documents", "--s3-root", server.s3],
        ["evaluate", path, "-o", tmp_path / "report"],
    ):
        line = [sys.executable, "-m", "aws_ml_adapter", *map(str, arguments), "--endpoint-url", server.url]
        for _ in range(8):
            process = subprocess.Popen(
                line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )
            time.sleep(draw.uniform(0.6, 2.2))
            process.send_signal(signal.SIGKILL)
            process.wait()
        command(*arguments, "--endpoint-url", server.url)
    check_made_once(server, path)
    assert (tmp_path / "report" / "report.html").exists()
    AmazonMLClassifier.load(path).delete()


def check_made_once(server, path: Path) -> None:
    state = StateFile.open(path).state
    made = server.objects_of(state.run)
    assert [len(ids) for ids in made.values()] == [2, 1, 1, 1]
    assert sorted(item.id for item in state.created) == sorted(id_ for ids in made.values() for id_ in ids)
    assert len(list(server.s3.rglob(f"{state.run}/*.csv"))) == 1


class _Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.slow
def test_stopped_before_and_after_every_request_it_makes_nothing_twice(
    server, prepared, tmp_path, monkeypatch, new_classifier
):
    path = tmp_path / "model.json"
    stops: set[tuple[str, str]] = set()
    call = Service.call

    def stop_once(moment: str, operation: str) -> None:
        if (moment, operation) not in stops:
            stops.add((moment, operation))
            raise _Killed

    def call_and_stop(self: Service, operation: str, **request: object) -> dict[str, object]:
        name = operation + str(request.get("DataSourceId", ""))
        stop_once("before", name)
        answer = call(self, operation, **request)
        stop_once("after", name)
        return answer

    monkeypatch.setattr(Service, "call", call_and_stop)
    runs = set()
    for _ in range(40):
        try:
            new_classifier(path).fit(prepared).evaluate()
            break
        except _Killed:
            runs.add(StateFile.open(path).state.run)
    assert len(runs) == 1
    # two data sources, a model, an evaluation, a batch prediction: each created, and polled (except the second)
    assert len(stops) >= 2 * 9
    check_made_once(server, path)
    stops.clear()
    for _ in range(20):
        try:
            AmazonMLClassifier.load(path).delete()
            break
        except _Killed:
            pass
    assert not path.exists()
    assert not list(server.s3.rglob(runs.pop()))


def test_a_failed_job_says_what_the_service_said(server, prepared, tmp_path, new_classifier, caplog):
    caplog.set_level("INFO")
    path = tmp_path / "model.json"
    classifier = new_classifier(path)
    run = classifier.plan(prepared).creations[0].id.split("-")[1]
    assert not path.exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aws_ml_adapter.client.workspace.Workspace.upload", lambda *_: None)
        with pytest.raises(FailedJobError, match=r"is FAILED: .*no such object") as caught:
            classifier.fit(prepared)
    assert "amazon-ml delete" in str(caught.value)
    assert caught.value.exit_code == ExitCode.BAD_DATA
    assert any("FAILED" in line for line in caplog.messages)
    assert run not in classifier.model_id
    classifier.delete()


def test_waiting_has_an_end_and_can_be_taken_up_again(server, prepared, tmp_path, new_classifier):
    path = tmp_path / "model.json"
    with pytest.raises(AmazonMLError, match=r"still .* after 0 s; run the same command again"):
        new_classifier(path, timeout=0).fit(prepared)
    new_classifier(path).fit(prepared).delete()


def test_a_refused_request_is_not_held_against_the_next(server, prepared, tmp_path, new_classifier):
    path = tmp_path / "model.json"
    classifier = new_classifier(path).fit(prepared)
    server.client.delete_ml_model(MLModelId=classifier.model_id)
    with pytest.raises(AmazonMLError, match=r"InvalidInputException: .*DELETED"):
        classifier.evaluate()
    kinds = [item.kind for item in StateFile.open(path).state.created]
    assert kinds == [Kind.DATA_SOURCE, Kind.MODEL, Kind.DATA_SOURCE]
    classifier.delete()
