"""The SAM template: valid, and each function may do what it does and nothing else."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aws_ml_adapter.serverless.settings import VARIABLES, Settings

TEMPLATE = Path(__file__).parents[3] / "aws_ml_adapter" / "serverless" / "template.yaml"


@pytest.fixture(scope="module")
def resources():
    # takes seconds to import
    decode = pytest.importorskip("cfnlint.decode", reason="cfn-lint is not installed")
    template, problems = decode.decode(str(TEMPLATE))
    assert problems == []
    return template["Resources"]


@pytest.fixture(scope="module")
def functions(resources):
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"}


def statements(resources, kind):
    for name, one in resources.items():
        if one["Type"] == kind:
            for policy in one["Properties"]["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement.get("Fn::If", [None, statement])[1]


@pytest.mark.slow
def test_cfn_lint_finds_nothing():
    command = [sys.executable, "-c", "from cfnlint.runner import main; main()", str(TEMPLATE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_every_handler_is_there_and_has_a_function(functions):
    package = Path(TEMPLATE).parent
    named = {one["ImageConfig"]["Command"][0] for one in functions.values()}
    for command in named:
        module, _, name = command.rpartition(".")
        assert name == "handler"
        assert importlib.util.find_spec(module) is not None
    written = {
        f"aws_ml_adapter.serverless.{path.stem}.handler"
        for path in package.glob("*.py")
        if re.search(r"^def handler\(", path.read_text(), re.MULTILINE)
    }
    assert named == written


def test_functions_start_by_the_runtime_client_and_the_image_that_is_shown_is_theirs(functions):
    root = TEMPLATE.parents[2]
    of_lambda = (root / "Dockerfile").read_text().partition(" AS lambda\n")[2]
    entry_point = re.search(r"^ENTRYPOINT (.*)$", of_lambda, re.MULTILINE)[1]
    assert importlib.util.find_spec(json.loads(entry_point)[-1]) is not None
    # any target of the Dockerfile can then be deployed
    assert all(function["ImageConfig"]["EntryPoint"] == json.loads(entry_point) for function in functions.values())
    page = (root / "docs" / "serverless.md").read_text()
    assert f"\nENTRYPOINT {entry_point}\n" in page
    builds = re.findall(r"docker build (.*)", page)
    assert builds
    # Lambda takes no image index, which attestations make of an image
    assert all("--target lambda" in options and "--provenance=false" in options for options in builds)


def test_every_variable_is_one_that_is_read_and_none_that_is_needed_is_missing(functions):
    for name, function in functions.items():
        given = set(function["Environment"]["Variables"])
        assert given <= VARIABLES.keys(), name
        module = function["ImageConfig"]["Command"][0].split(".")[2]
        source = TEMPLATE.with_name(f"{module}.py").read_text()
        if module == "work":
            source += TEMPLATE.with_name("worker.py").read_text()
        needed = {word for call in re.findall(r"\.need\(([^)]*)\)", source) for word in re.findall(r'"(\w+)"', call)}
        assert {f"TEXTCLF_{word.upper()}" for word in needed} <= given, name
    # the id of a job depends on the model, whether it was sent or uploaded
    assert all("TEXTCLF_MODEL_SHA256" in functions[name]["Environment"]["Variables"] for name in ("Submit", "Upload"))


def test_no_function_may_do_more_than_it_is_named_for(resources, functions):
    for name, statement in statements(resources, "AWS::IAM::Role"):
        assert not [action for action in statement["Action"] if "*" in action], name
        places = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for place in places:
            text = place.get("Fn::Sub", "") if isinstance(place, dict) else place
            # of a bucket, what begins with a prefix
            assert re.fullmatch(r"[^*]*(:::\$\{\w+\}/\w[\w/]+/\*)?", text), (name, text)
    assert {function["Role"]["Fn::GetAtt"][0] for function in functions.values()} == {
        f"{name}Role" for name in functions
    }


def test_everything_is_encrypted_and_goes_in_the_end(resources, functions):
    for name, one in resources.items():
        properties = one["Properties"]
        match one["Type"]:
            case "AWS::SQS::Queue":
                assert properties["SqsManagedSseEnabled"] is True, name
            case "AWS::S3::Bucket":
                assert properties["BucketEncryption"]
                assert all(properties["PublicAccessBlockConfiguration"].values())
                assert properties["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"]
            case "AWS::DynamoDB::Table":
                assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
                assert properties["SSESpecification"]["SSEEnabled"] is True
            case "AWS::Logs::LogGroup":
                assert properties["RetentionInDays"] == {"Ref": "LogDays"}
    assert {one["LoggingConfig"]["LogGroup"]["Ref"] for one in functions.values()} == {
        f"{name}Log" for name in functions
    }


def test_times_and_counts_fit_together(resources, functions):
    work, queue = functions["Work"], resources["Queue"]["Properties"]
    assert queue["VisibilityTimeout"] > work["Timeout"]
    # a job is begun so often, then given up in its record, and only then is the message dead
    assert queue["RedrivePolicy"]["maxReceiveCount"] > Settings().attempts
    assert queue["MessageRetentionPeriod"] <= Settings().keep_days * 86_400
    assert work["Events"]["Message"]["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert work["ReservedConcurrentExecutions"] == {"Ref": "WorkerConcurrency"}
    # the gateway answers by itself after 30 s
    assert all(one.get("Timeout", 28) < 30 for name, one in functions.items() if name not in ("Work", "Hook"))
