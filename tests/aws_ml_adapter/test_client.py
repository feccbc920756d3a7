"""The client side against a real server: learning, predicting, stopping anywhere, cleaning up."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import boto3
import pytest
from botocore import xform_name
from moto.server import ThreadedMotoServer

from aws_ml_adapter.__main__ import main
from aws_ml_adapter.client import AmazonMLClassifier
from aws_ml_adapter.client_state import StateFile
from aws_ml_adapter.datasources import sent_data
from aws_ml_adapter.s3_objects import S3Error
from aws_ml_adapter.service.entities import Kind
from aws_ml_adapter.service_calls import AmazonMLError, FailedJobError, Service
from aws_ml_adapter.training_plan import TrainingOptions
from features.datasource import read_datasource
from textclf import DocumentClassifier, predict_document_category
from textclf.commands import prepare_datasource
from textclf.documents import TableOptions
from textclf.errors import BadDataError, BadInputError, ExitCode, UsageError

ROOT = Path(__file__).parents[2]
OWN_WORDS = {
    "invoice": "invoice total due vat number net gross payment terms bank",
    "letter": "dear madam sincerely yours regards write answer kind aunt love",
    "receipt": "cash change thank till item price card shop euro coins",
}
COMMON_WORDS = "the of and a to in is on by for"


def write_documents(path: Path, each: int, *, seed: int, first: int = 0) -> Path:
    """Texts of which two words in five tell the category."""
    draw = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["document_id", "text", "category"])
        for number in range(first, first + each):
            for category, own in OWN_WORDS.items():
                words = [draw.choice((own if draw.random() < 0.4 else COMMON_WORDS).split()) for _ in range(30)]
                writer.writerow([f"{category}-{number:03}", " ".join(words), category])
    return path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """What `textclf prepare` writes for 135 documents."""
    folder = tmp_path_factory.mktemp("prepared")
    table = write_documents(folder / "documents.csv", 45, seed=1)
    classifier = DocumentClassifier(vector_size=4)
    prepare_datasource(table, folder, classifier, TableOptions(), talk=lambda _: None, warn=lambda _: None)
    return folder


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.fixture(scope="module")
def server(make_server):
    return make_server("--rate", "100000")


def new_classifier(server, path: Path, **changes) -> AmazonMLClassifier:
    settings = {"state_file": path, "endpoint_url": server.url, "s3_root": str(server.s3), "timeout": 60} | changes
    return AmazonMLClassifier("documents", "kinds", **settings)


@pytest.fixture(scope="module")
def trained(server, prepared, tmp_path_factory):
    """A file of a model that is trained and evaluated."""
    path = tmp_path_factory.mktemp("trained") / "model.json"
    classifier = new_classifier(server, path).fit(prepared)
    classifier.evaluate(max_error=0.2)
    return path


def objects_of(server, run: str) -> dict[Kind, list[str]]:
    """Ids of all that stands in the service for a run, deleted objects too."""
    found = {}
    for kind in Kind:
        pages = server.client.get_paginator(xform_name(f"Describe{kind}s")).paginate()
        ids = [each[f"{kind}Id"] for page in pages for each in page["Results"]]
        found[kind] = sorted(id_ for id_ in ids if run in id_)
    return found


class Done(NamedTuple):
    stdout: str
    stderr: str


def command(*arguments: object, check: int = 0) -> Done:
    """Run the console command in this process, and insist on its exit code."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
        patch.setattr(sys, "argv", ["amazon-ml", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
    assert code == check, stderr.getvalue()
    return Done(stdout.getvalue(), stderr.getvalue())


def test_train_asks_for_a_share_a_recipe_and_explicit_parameters(server, trained):
    state = StateFile.open(trained).state
    model = server.client.get_ml_model(MLModelId=state.model_id, Verbose=True)
    assert (model["MLModelType"], model["Status"]) == ("MULTICLASS", "COMPLETED")
    assert json.loads(model["Recipe"])["outputs"] == [
        "lowercase(text_data)",
        "lowercase(common_words)",
        "ALL_BINARY",
    ]
    assert model["TrainingParameters"] == {
        "algorithm": "sgd",
        "sgd.l1RegularizationAmount": "0.0",
        "sgd.l2RegularizationAmount": "1e-6",
        "sgd.maxMLModelSizeInBytes": "104857600",
        "sgd.maxPasses": "10",
        "sgd.shuffleType": "auto",
    }
    splits = [
        json.loads(server.client.get_data_source(DataSourceId=state.named(part))["DataRearrangement"])["splitting"]
        for part in ("training", "held-out")
    ]
    assert [split["complement"] for split in splits] == [False, True]
    assert {(split["percentEnd"], split["strategyParams"]["randomSeed"]) for split in splits} == {(70, "0")}


def test_evaluate_holds_documents_out_and_agrees_with_the_service(server, trained, prepared):
    found = AmazonMLClassifier.load(trained).evaluate(max_error=0.2)
    report = found.report
    assert report.accuracy > 0.9
    assert abs(report.macro_f1 - found.average_f1) < 1e-9
    assert found.unusable == 0
    state = StateFile.open(trained).state
    trained_on = server.client.get_ml_model(MLModelId=state.model_id)
    assert trained_on["TrainingDataSourceId"] == state.named("training")
    assert 20 <= report.documents <= 60
    assert report.accepted > 0
    assert state.acceptance.threshold <= 1
    texts = {row.document_id: row.text for row in read_datasource(prepared / "datasource.csv")}
    for mistake in report.confident_errors:
        assert texts[mistake.document_id].startswith(mistake.snippet[:20])


def test_a_documents_table_is_predicted_in_its_order_with_the_columns_of_training(trained, prepared, tmp_path):
    table = tmp_path / "new.csv"
    lines = write_documents(table, 6, seed=2, first=900).read_text().splitlines()
    table.write_text("\n".join([*lines[:4], "broken row", *lines[4:]]) + "\n")
    predictions = list(AmazonMLClassifier.load(trained).predict(table))
    assert [prediction.document_id for prediction in predictions if prediction.status == "ok"] == [
        line.split(",")[0] for line in lines[1:]
    ]
    assert (predictions[3].status, predictions[3].decision, predictions[3].scores) == ("failed", "review", ())
    for prediction in predictions:
        if prediction.status == "ok":
            assert prediction.document_id.startswith(prediction.predicted_category)
            assert abs(sum(prediction.scores) - 1) < 1e-5
            assert prediction.score == max(prediction.scores)
    assert {prediction.decision for prediction in predictions} == {"accept", "review"}


def test_columns_computed_here_are_those_that_prepare_writes(trained, prepared):
    classifier = AmazonMLClassifier.load(trained)
    known = {row.document_id: row for row in read_datasource(prepared / "datasource.csv")}
    with sent_data(prepared / "documents.csv", prepared / "features", TableOptions()) as data:
        assert {row.document_id: row for row in read_datasource(data.path)} == known
    by_table = {each.document_id: each.scores for each in classifier.predict(prepared / "documents.csv")}
    by_datasource = {each.document_id: each.scores for each in classifier.predict(prepared)}
    assert by_table == by_datasource


def test_the_state_file_and_the_features_may_move_together(trained, prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "a" / "prepared")
    with StateFile.open(trained).path.open() as file:
        content = json.load(file)
    table = write_documents(tmp_path / "new.csv", 1, seed=5, first=600)
    for features in ("prepared/features", str(prepared / "features")):
        (tmp_path / "a" / "model.json").write_text(json.dumps(content | {"features": features}))
        assert len(list(AmazonMLClassifier.load(tmp_path / "a" / "model.json").predict(table))) == 3
    assert not Path(content["features"]).is_absolute()
    assert (trained.parent / content["features"]).samefile(prepared / "features")


def test_what_was_predicted_once_is_not_predicted_again(server, trained, tmp_path):
    table = write_documents(tmp_path / "new.csv", 2, seed=5, first=700)
    first = list(AmazonMLClassifier.load(trained).predict(table))
    made = objects_of(server, StateFile.open(trained).state.run)
    assert list(AmazonMLClassifier.load(trained).predict(table)) == first
    AmazonMLClassifier.load(trained).evaluate(table)
    after = objects_of(server, StateFile.open(trained).state.run)
    assert after[Kind.BATCH_PREDICTION] == made[Kind.BATCH_PREDICTION]
    assert len(after[Kind.EVALUATION]) == len(made[Kind.EVALUATION]) + 1


def test_the_endpoint_answers_predict_document_category(trained):
    classifier = AmazonMLClassifier.load(trained)
    try:
        url = classifier.open_endpoint()
        assert classifier.open_endpoint() == url
        label, score = predict_document_category(
            classifier.client, "Dear madam, kind regards", model_id=classifier.model_id, endpoint=url
        )
        assert (label, 0.5 < score <= 1) == ("letter", True)
        assert any(line.item == "real-time endpoint" for line in classifier.costs())
    finally:
        classifier.close_endpoint()
    assert not any(line.item == "real-time endpoint" for line in classifier.costs())


def test_delete_removes_what_was_made_and_nothing_else(server, prepared, trained, tmp_path):
    before = {path for path in server.s3.rglob("*") if path.is_file()}
    classifier = new_classifier(server, tmp_path / "model.json").fit(prepared)
    classifier.evaluate()
    classifier.open_endpoint()
    run = StateFile.open(tmp_path / "model.json").state.run
    made = objects_of(server, run)
    assert [len(ids) for ids in made.values()] == [2, 1, 1, 1]
    AmazonMLClassifier.load(tmp_path / "model.json").delete()
    assert {path for path in server.s3.rglob("*") if path.is_file()} == before
    assert not list(server.s3.rglob(run))
    assert not (tmp_path / "model.json").exists()
    for kind, ids in made.items():
        for id_ in ids:
            assert getattr(server.client, xform_name(f"Get{kind}"))(**{f"{kind}Id": id_})["Status"] == "DELETED"
    assert server.client.get_ml_model(MLModelId=StateFile.open(trained).state.model_id)["Status"] == "COMPLETED"


def test_delete_goes_on_after_objects_were_removed_by_another_hand(server, prepared, tmp_path):
    classifier = new_classifier(server, tmp_path / "model.json").fit(prepared)
    server.client.delete_ml_model(MLModelId=classifier.model_id)
    shutil.rmtree(server.s3 / "documents" / "kinds" / StateFile.open(tmp_path / "model.json").state.run)
    classifier.delete()
    assert not (tmp_path / "model.json").exists()


def test_a_file_of_other_data_or_settings_is_left_alone(server, prepared, trained, tmp_path):
    path = shutil.copy(trained, tmp_path / "model.json")
    content = path.read_bytes()
    for changes in ({"options": TrainingOptions(seed="1")}, {"options": TrainingOptions(ngrams=2)}):
        with pytest.raises(UsageError, match="other data or settings"):
            new_classifier(server, path, **changes).fit(prepared)
    assert path.read_bytes() == content
    new_classifier(server, path).fit(prepared)
    assert StateFile.open(path).state.created == StateFile.open(trained).state.created


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_and_makes_nothing_twice(server, prepared, tmp_path):
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
    made = objects_of(server, state.run)
    assert [len(ids) for ids in made.values()] == [2, 1, 1, 1]
    assert sorted(item.id for item in state.created) == sorted(id_ for ids in made.values() for id_ in ids)
    assert len(list(server.s3.rglob(f"{state.run}/*.csv"))) == 1


class _Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.slow
def test_stopped_before_and_after_every_request_it_makes_nothing_twice(server, prepared, tmp_path, monkeypatch):
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
            new_classifier(server, path).fit(prepared).evaluate()
            break
        except _Killed:
            runs.add(StateFile.open(path).state.run)
    assert len(runs) == 1
    # two data sources, a model, an evaluation, a batch prediction: each made, and looked at (but for the second)
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


def test_a_failed_job_says_what_the_service_said(server, prepared, tmp_path):
    said: list[str] = []
    path = tmp_path / "model.json"
    classifier = new_classifier(server, path, talk=said.append)
    run = classifier.plan(prepared).creations[0].id.split("-")[1]
    assert not path.exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aws_ml_adapter.workspace.Workspace.upload", lambda *_: None)
        with pytest.raises(FailedJobError, match=r"is FAILED: .*no such object") as caught:
            classifier.fit(prepared)
    assert "amazon-ml delete" in str(caught.value)
    assert caught.value.exit_code == ExitCode.BAD_DATA
    assert any("FAILED" in line for line in said)
    assert run not in classifier.model_id
    classifier.delete()


def test_waiting_has_an_end_and_can_be_taken_up_again(server, prepared, tmp_path):
    path = tmp_path / "model.json"
    with pytest.raises(AmazonMLError, match=r"still .* after 0 s; run the same command again"):
        new_classifier(server, path, timeout=0).fit(prepared)
    new_classifier(server, path).fit(prepared).delete()


def test_a_refused_request_is_not_held_against_the_next(server, prepared, tmp_path):
    path = tmp_path / "model.json"
    classifier = new_classifier(server, path).fit(prepared)
    server.client.delete_ml_model(MLModelId=classifier.model_id)
    with pytest.raises(AmazonMLError, match=r"InvalidInputException: .*DELETED"):
        classifier.evaluate()
    kinds = [item.kind for item in StateFile.open(path).state.created]
    assert kinds == [Kind.DATA_SOURCE, Kind.MODEL, Kind.DATA_SOURCE]
    classifier.delete()


def test_without_held_out_documents_evaluate_wants_a_table(server, prepared, tmp_path):
    options = TrainingOptions(train_percent=100)
    classifier = new_classifier(server, tmp_path / "model.json", options=options).fit(prepared)
    with pytest.raises(UsageError, match="no documents were held out"):
        classifier.evaluate()
    found = classifier.evaluate(write_documents(tmp_path / "new.csv", 3, seed=9, first=800))
    assert found.report.documents == 9
    assert found.report.accepted == 0
    classifier.delete()


def test_data_that_do_not_do_are_refused_before_anything_is_made(server, trained, prepared, tmp_path):
    table = write_documents(tmp_path / "twice.csv", 1, seed=1)
    table.write_text(table.read_text() + "invoice-000,again,letter\n")
    with pytest.raises(BadDataError, match="line 5: the document_id 'invoice-000' stands twice"):
        list(AmazonMLClassifier.load(trained).predict(table))
    other = tmp_path / "other"
    prepare_datasource(
        prepared / "documents.csv",
        other,
        DocumentClassifier(lexicon="none", vectors="none"),
        TableOptions(),
        talk=lambda _: None,
        warn=lambda _: None,
    )
    with pytest.raises(BadDataError, match="other columns than the training data"):
        list(AmazonMLClassifier.load(trained).predict(other))
    with pytest.raises(BadInputError, match="what prepare wrote is missing"):
        list(AmazonMLClassifier.load(trained).predict(prepared / "documents.csv", features=tmp_path))
    recipe = TrainingOptions(recipe='{"outputs": ["ngram(category, 2)"]}')
    with pytest.raises(Exception, match="recipe, outputs"):
        new_classifier(server, tmp_path / "model.json", options=recipe).fit(prepared)
    assert not (tmp_path / "model.json").exists()


def test_the_commands_from_a_dry_run_to_the_end(server, prepared, tmp_path):
    path, out = tmp_path / "model.json", tmp_path / "predictions.csv"
    options = ("--endpoint-url", server.url)
    asked = ("train", prepared, "-o", path, "--bucket", "documents", "--s3-root", server.s3, *options)
    plan = json.loads(command(*asked, "--dry-run", "--json").stdout)
    assert [item["operation"] for item in plan["creations"]] == ["CreateDataSourceFromS3", "CreateMLModel"]
    shown = command(*asked, "--dry-run")
    assert "CreateMLModel" in shown.stdout
    assert "on AWS" in shown.stdout
    assert "prices of 2017" in shown.stderr
    assert not path.exists()
    done = command(*asked, "--json")
    assert json.loads(done.stdout)["categories"] == sorted(OWN_WORDS)
    assert "MLModel" in done.stderr
    done = command("evaluate", path, "-o", tmp_path / "report", "--by", "x", *options, check=ExitCode.USAGE)
    assert "no further columns; give --by with a documents CSV only" in done.stderr
    done = command("evaluate", path, "-o", tmp_path / "report", "--max-error", "0.2", *options)
    assert "macro F1 as the service counts it" in done.stdout
    assert {"report.html", "metrics.json"} <= {item.name for item in (tmp_path / "report").iterdir()}
    table = write_documents(tmp_path / "new.csv", 2, seed=5, first=700)
    by_column = ("evaluate", path, table, "-o", tmp_path / "by", "--json", *options, "--by")
    groups = json.loads(command(*by_column, "category").stdout)["groups"]
    assert [(group["column"], group["value"], group["documents"]) for group in groups] == [
        ("category", name, 2) for name in sorted(OWN_WORDS)
    ]
    assert "mend --by" in command(*by_column, "none", check=ExitCode.BAD_DATA).stderr
    table.write_text(table.read_text() + "broken\n")
    done = command("predict", path, table, "-o", out, "--strict", *options, check=ExitCode.SOME_FAILED)
    assert "1 of 7 documents could not be predicted" in done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["status"] for row in rows] == ["ok"] * 6 + ["failed"]
    assert list(rows[0])[-3:] == ["score_invoice", "score_letter", "score_receipt"]
    lines = command("endpoint", path, *options).stdout.splitlines()
    assert [line.partition("=")[0] for line in lines] == ["TEXTCLF_ML_MODEL_ID", "TEXTCLF_ML_ENDPOINT"]
    costs = json.loads(command("cost", path, "--json", *options).stdout)
    assert len(costs["lines"]) == 9
    command("endpoint", path, "--close", *options)
    command("delete", path, *options)
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("train", "none", "-o", "m", "--bucket", "documents"), ExitCode.BAD_INPUT, "none.schema: cannot be read"),
        (("train", "none", "-o", "m"), ExitCode.USAGE, "--bucket"),
        (("evaluate", "none", "-o", "r"), ExitCode.BAD_INPUT, "none: cannot be read"),
        (("predict", "pyproject.toml", "none", "-o", "p"), ExitCode.BAD_MODEL, "not what amazon-ml train writes"),
        (("cost", "none"), ExitCode.BAD_INPUT, "none.schema: cannot be read"),
        (("cost", "none", "--hours", "-1"), ExitCode.USAGE, "--hours"),
    ],
)
def test_wrong_options_end_with_one_line_and_a_code(arguments, code, told):
    done = command(*(ROOT / each if each == "pyproject.toml" else each for each in arguments), check=code)
    assert told in done.stderr
    assert done.stdout == ""


def test_where_nothing_was_made_nothing_is_kept(prepared, tmp_path):
    path = tmp_path / "m.json"
    done = command(
        *("train", prepared, "-o", path, "--bucket", "No Bucket", "--s3-root", tmp_path / "s3"),
        *("--endpoint-url", "http://127.0.0.1:9"),
        check=ExitCode.USAGE,
    )
    assert "bucket's name breaks the rules" in done.stderr
    assert not path.exists()


def test_both_regularisations_at_once_are_refused(prepared, tmp_path):
    done = command(
        *("train", prepared, "-o", tmp_path / "m.json", "--bucket", "documents", "--l1", "1e-6", "--l2", "1e-6"),
        check=ExitCode.USAGE,
    )
    assert "l1RegularizationAmount" in done.stderr
    assert not (tmp_path / "m.json").exists()


class _ClosedToNewCustomers(BaseHTTPRequestHandler):
    """Answers as AWS answers accounts that never used the service."""

    def do_POST(self) -> None:
        body = json.dumps({"__type": "AccessDeniedException", "message": "closed to new customers"}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_new_customers_are_told_the_way_out(prepared, tmp_path, monkeypatch):
    aws = HTTPServer(("127.0.0.1", 0), _ClosedToNewCustomers)
    monkeypatch.setenv("AWS_ENDPOINT_URL_MACHINE_LEARNING", f"http://127.0.0.1:{aws.server_port}")
    Thread(target=aws.serve_forever, daemon=True).start()
    try:
        done = command(
            *("train", prepared, "-o", tmp_path / "model.json", "--bucket", "documents", "--s3-root", tmp_path / "s3"),
            check=ExitCode.SERVICE,
        )
    finally:
        aws.shutdown()
        aws.server_close()
    assert "AccessDeniedException: closed to new customers" in done.stderr
    assert "amazon-ml serve" in done.stderr
    assert "AWS_ENDPOINT_URL_MACHINE_LEARNING" in done.stderr
    assert StateFile.open(tmp_path / "model.json").state.created == ()


def test_through_s3_of_another_server(prepared, tmp_path, monkeypatch, make_server):
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    try:
        host, port = s3.get_host_and_port()
        url = f"http://{host}:{port}"
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        place = {"endpoint_url": make_server("--s3-endpoint", url).url, "s3_endpoint_url": url, "timeout": 60}
        classifier = AmazonMLClassifier("documents", state_file=tmp_path / "model.json", **place)
        with pytest.raises(S3Error, match=r"S3 refused .*NoSuchBucket|S3 refused .*bucket does not exist") as caught:
            classifier.fit(prepared)
        assert caught.value.exit_code == ExitCode.SERVICE
        # nothing was made, so nothing is kept
        assert not (tmp_path / "model.json").exists()
        client.create_bucket(Bucket="documents")
        client.put_object(Bucket="documents", Key="theirs.csv", Body=b"a")
        found = classifier.fit(prepared).evaluate()
        assert found.report.accuracy > 0.9
        assert len(client.list_objects_v2(Bucket="documents")["Contents"]) == 5
        classifier.delete()
        assert [each["Key"] for each in client.list_objects_v2(Bucket="documents")["Contents"]] == ["theirs.csv"]
        client.close()
    finally:
        s3.stop()
