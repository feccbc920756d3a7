"""The command line that `amazon-ml` shares with `textclf`, and messages on missing packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from aws_ml_adapter.__main__ import AMAZON_ML
from aws_ml_adapter.cli import app
from textclf import __version__
from textclf.base.errors import ExitCode
from textclf.commands.running import run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def amazon_ml(capfd):
    def call(*arguments):
        capfd.readouterr()
        code = run([str(argument) for argument in arguments], AMAZON_ML)
        return code, *capfd.readouterr()

    return call


def without(packages, *arguments, module="aws_ml_adapter"):
    """Run a program in a Python that lacks some packages."""
    program = f"""
import sys
sys.modules.update(dict.fromkeys({packages!r}))
sys.argv[1:] = {list(map(str, arguments))!r}
from {module}.__main__ import main
main()
"""
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_version(amazon_ml):
    assert amazon_ml("--version") == (0, f"amazon-ml {__version__}\n", "")


@pytest.mark.parametrize("name", get_command(app).commands)
def test_every_command_has_an_example_and_says_how_much_to_say(amazon_ml, name):
    code, out, err = amazon_ml(name, "--help")
    assert (code, err) == (0, "")
    assert f"\n      amazon-ml {name} " in out
    assert "--quiet" in out
    assert f"AMAZON_ML_{name.upper()}_VERBOSE" in out


@pytest.mark.parametrize(
    ("packages", "arguments", "remedy"),
    [
        (["uvicorn"], ["serve", "--data-dir", "none"], "pip install '.[serve]'"),
        (["httptools"], ["serve", "--data-dir", "none"], "pip install '.[serve]'"),
        (["uvicorn"], [], "pip install '.[serve]'"),
        (["boto3"], [], "pip install '.[aws]'"),
    ],
)
def test_a_missing_package_is_one_line_that_names_what_to_install(packages, arguments, remedy):
    done = without(packages, *arguments)
    assert done.returncode == ExitCode.MISSING_PROGRAM, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert remedy in done.stderr.splitlines()[-1]


def test_help_needs_no_package():
    done = without(["uvicorn", "boto3"], "--help")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--data-dir", "d", "--jobs", "-3"),
        ("serve", "--data-dir", "d", "--port", "70000"),
        ("serve", "--data-dir", "d", "--rate", "0"),
        ("train", "d", "-o", "m", "--bucket", "b", "--passes", "0"),
        ("train", "d", "-o", "m", "--bucket", "b", "--max-size", "1"),
        ("train", "d", "-o", "m", "--bucket", "b", "--l1", "-1"),
        ("train", "d", "-o", "m", "--bucket", "b", "--timeout", "-1"),
        ("evaluate", "m", "-o", "r", "--max-error", "2"),
    ],
)
def test_a_number_out_of_bounds_is_refused(amazon_ml, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, out, err = amazon_ml(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert arguments[-2] in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("train", "none", "--bucket", "b"), ("predict", "none", "none")])
def test_a_folder_in_the_place_of_a_result_is_refused_before_anything_is_read(amazon_ml, tmp_path, command):
    code, _, err = amazon_ml(*command, "-o", tmp_path)
    assert code == ExitCode.OUTPUT
    assert "is a folder, not a file" in err


def test_a_slip_in_a_variable_is_said(amazon_ml, tmp_path, monkeypatch):
    monkeypatch.setenv("AMAZON_ML_TRAIN_PASES", "3")
    assert (
        "perhaps AMAZON_ML_TRAIN_PASSES is meant"
        in amazon_ml("train", "none", "-o", tmp_path / "m", "--bucket", "b")[2]
    )
