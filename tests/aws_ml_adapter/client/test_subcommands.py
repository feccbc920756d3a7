"""The client subcommands of amazon-ml."""

from __future__ import annotations

import csv
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from aws_ml_adapter.client.state import StateFile
from textclf.base.errors import ExitCode

ROOT = Path(__file__).parents[3]


def test_the_commands_from_a_dry_run_to_the_end(server, prepared, tmp_path, command, write_documents):
    path, out = tmp_path / "model.json", tmp_path / "predictions.csv"
    options = ("--endpoint-url", server.url)
    asked = ("train", prepared, "-o", path, "--bucket", "documents", "--s3-root", server.s3, *options)
    plan = json.loads(command(*asked, "--dry-run", "--json").stdout)
    assert [item["operation"] for item in plan["creations"]] == ["CreateDataSourceFromS3", "CreateMLModel"]
    shown = command(*asked, "--dry-run")
    assert "CreateMLModel" in shown.stdout
    assert not path.exists()
    done = command(*asked, "--json")
    assert json.loads(done.stdout)["categories"] == ["invoice", "letter", "receipt"]
    assert "MLModel" in done.stderr
    done = command("evaluate", path, "-o", tmp_path / "report", "--by", "x", *options, check=ExitCode.USAGE)
    assert "no further columns; give --by with a documents CSV only" in done.stderr
    done = command("evaluate", path, "-o", tmp_path / "report", "--max-error", "0.2", *options)
    assert "macro F1 of the service" in done.stdout
    assert {"report.html", "metrics.json"} <= {item.name for item in (tmp_path / "report").iterdir()}
    table = write_documents(tmp_path / "new.csv", 2, seed=5, first=700)
    by_column = ("evaluate", path, table, "-o", tmp_path / "by", "--json", *options, "--by")
    groups = json.loads(command(*by_column, "category").stdout)["groups"]
    assert [(group["column"], group["value"], group["documents"]) for group in groups] == [
        ("category", name, 2) for name in ["invoice", "letter", "receipt"]
    ]
    assert "correct --by" in command(*by_column, "none", check=ExitCode.BAD_DATA).stderr
    table.write_text(table.read_text() + "broken\n")
    done = command("predict", path, table, "-o", out, "--strict", *options, check=ExitCode.SOME_FAILED)
    assert "1 of 7 documents could not be predicted" in done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["status"] for row in rows] == ["ok"] * 6 + ["failed"]
    assert list(rows[0])[-3:] == ["score_invoice", "score_letter", "score_receipt"]
    lines = command("endpoint", path, *options).stdout.splitlines()
    assert [line.partition("=")[0] for line in lines] == ["TEXTCLF_ML_MODEL_ID", "TEXTCLF_ML_ENDPOINT"]
    command("endpoint", path, "--close", *options)
    command("delete", path, *options)
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("train", "none", "-o", "m", "--bucket", "documents"), ExitCode.BAD_INPUT, "none.schema: cannot be read"),
        (("train", "none", "-o", "m"), ExitCode.USAGE, "--bucket"),
        (("evaluate", "none", "-o", "r"), ExitCode.BAD_INPUT, "none: cannot be read"),
        (("predict", "pyproject.toml", "none", "-o", "p"), ExitCode.BAD_MODEL, "not what amazon-ml train writes"),
        (("train", "none", "-o", "m", "--bucket", "b", "--passes", "0"), ExitCode.USAGE, "--passes"),
    ],
)
def test_wrong_options_end_with_one_line_and_a_code(arguments, code, expected, command):
    done = command(*(ROOT / each if each == "pyproject.toml" else each for each in arguments), check=code)
    assert expected in done.stderr
    assert done.stdout == ""


def test_where_nothing_was_made_nothing_is_kept(prepared, tmp_path, command):
    path = tmp_path / "m.json"
    done = command(
        *("train", prepared, "-o", path, "--bucket", "No Bucket", "--s3-root", tmp_path / "s3"),
        *("--endpoint-url", "http://127.0.0.1:9"),
        check=ExitCode.USAGE,
    )
    assert "not a name of a bucket" in done.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--bucket", ""), "--bucket"),
        (("--bucket", "Doc uments"), "--bucket"),
        (("--bucket", "documents", "--prefix", "a:b"), "--prefix"),
        (("--bucket", "documents", "--prefix", "a//b"), "--prefix"),
        (("--bucket", "documents", "--prefix", "a" * 801), "--prefix"),
    ],
)
def test_a_place_that_would_not_do_later_is_refused_at_once(options, expected, prepared, tmp_path, command):
    asked = ("train", prepared, "-o", tmp_path / "m.json", *options, "--dry-run")
    assert expected in command(*asked, check=ExitCode.USAGE).stderr


@pytest.mark.parametrize("option", ["--endpoint-url", "--s3-endpoint-url"])
def test_a_url_without_its_scheme_is_refused_before_anything_is_created(option, server, prepared, tmp_path, command):
    path = tmp_path / "m.json"
    options = {"--endpoint-url": server.url, option: "127.0.0.1:8080"}
    done = command(
        *("train", prepared, "-o", path, "--bucket", "documents"),
        *(each for pair in options.items() for each in pair),
        check=ExitCode.USAGE,
    )
    assert "http://HOST:PORT" in done.stderr
    assert not path.exists()


def test_a_missing_profile_is_reported(prepared, tmp_path, monkeypatch, command):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    asked = ("train", prepared, "-o", tmp_path / "m.json", "--bucket", "documents", "--s3-root", tmp_path)
    assert "nobody" in command(*asked, check=ExitCode.USAGE).stderr


@pytest.mark.parametrize("promise", [("--max-error", "0"), ("--max-error", "5"), ("--confidence", "1")])
def test_a_promise_that_makes_no_sense_is_refused_before_a_job_runs(promise, server, trained, tmp_path, command):
    before = server.objects_of(StateFile.open(trained).state.run)
    done = command("evaluate", trained, "-o", tmp_path / "r", *promise, check=ExitCode.USAGE)
    assert promise[0] in done.stderr
    assert server.objects_of(StateFile.open(trained).state.run) == before


def test_a_missing_column_is_reported_before_anything_is_created(trained, tmp_path, command, write_documents):
    before = StateFile.open(trained).state
    table = write_documents(tmp_path / "further.csv", 2, seed=9, first=800)
    command("evaluate", trained, table, "-o", tmp_path / "r", "--by", "none", check=ExitCode.BAD_DATA)
    assert StateFile.open(trained).state == before


def test_texts_that_were_cut_are_reported(trained, tmp_path, command):
    table = tmp_path / "long.csv"
    table.write_text("document_id,text\n1," + "invoice total " * 10_000 + "\n")
    done = command("predict", trained, table, "-o", tmp_path / "p.csv")
    assert "1 text was cut to 100 KB" in done.stderr


def test_the_server_of_the_environment_is_remembered(server, prepared, tmp_path, monkeypatch, command, write_documents):
    path = tmp_path / "m.json"
    monkeypatch.setenv("AWS_ENDPOINT_URL_MACHINE_LEARNING", server.url)
    command("train", prepared, "-o", path, "--bucket", "documents", "--s3-root", server.s3)
    monkeypatch.delenv("AWS_ENDPOINT_URL_MACHINE_LEARNING")
    command("predict", path, write_documents(tmp_path / "new.csv", 1, seed=5), "-o", tmp_path / "p.csv")
    command("delete", path)
    assert not path.exists()


def test_predictions_in_which_categories_are_filled_in_are_kept(tmp_path, command):
    out = tmp_path / "p.csv"
    out.write_text("document_id,category,predicted_category,decision\na,letter,invoice,review\n")
    done = command("predict", "none", "none", "-o", out, check=ExitCode.USAGE)
    assert "has 1 category filled in, which would be lost" in done.stderr


def test_both_regularisations_at_once_are_refused(prepared, tmp_path, command):
    done = command(
        *("train", prepared, "-o", tmp_path / "m.json", "--bucket", "documents", "--l1", "1e-6", "--l2", "1e-6"),
        check=ExitCode.USAGE,
    )
    assert "l1RegularizationAmount" in done.stderr
    assert not (tmp_path / "m.json").exists()


class _ClosedToNewCustomers(BaseHTTPRequestHandler):
    """Answers like AWS for accounts that never used the service."""

    def do_POST(self) -> None:
        body = json.dumps({"__type": "AccessDeniedException", "message": "closed to new customers"}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_new_customers_are_told_of_the_server(prepared, tmp_path, monkeypatch, command):
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
