"""Check the documentation: examples, links, commands, options, variables and columns."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from typer.main import get_command

from aws_ml_adapter.cli import app as amazon_ml_app
from aws_ml_adapter.serverless.settings import VARIABLES
from ocr.document import Document
from textclf.base.errors import ExitCode
from textclf.commands import app as textclf_app
from textclf.data.predictions import prediction_columns
from textclf.data.scans import write_documents

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
OTHER_VARIABLES = {"TEXTCLF_CONFIG", "TEXTCLF_DEBUG", "TEXTCLF_ML_MODEL_ID", "TEXTCLF_ML_ENDPOINT", "AMAZON_ML_URL"}
"""Variables that are not options of a command."""


def each_page():
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def commands(command, name: str) -> Iterator[tuple[str, object]]:
    yield name, command
    for inner, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{name} {inner}")


PROGRAMS = {"textclf": textclf_app, "amazon-ml": amazon_ml_app}
COMMANDS = dict(pair for name, app in PROGRAMS.items() for pair in commands(get_command(app), name))


def options(name: str) -> set[str]:
    parameters = COMMANDS[name].params
    return {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


def code(text: str) -> list[str]:
    """Lines of fenced blocks, and code in backticks."""
    fenced = re.findall(r"^```.*?\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in block.replace("\\\n", " ").splitlines()]
    return lines + [span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", rest)]


def headings(page: Path) -> set[str]:
    """Anchors of a page, as GitHub makes them."""
    plain = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", plain, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


# what they show is also in docstrings, and in many other tests
SLOW = ("amazon-ml.md", "python.md")


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if page.name in SLOW else ()) for page in PAGES],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_examples_run_and_give_what_they_show(page, tmp_path, monkeypatch):
    # fences would be taken for expected output
    text = re.sub(r"^```.*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


@each_page()
def test_links_within_the_project_have_a_target(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in headings(file), target


def test_nobody_is_told_to_install_the_package_of_that_name_in_the_public_registry():
    sources = (path for room in ("textclf", "ocr", "features", "aws_ml_adapter") for path in (ROOT / room).rglob("*"))
    files = [*PAGES, ROOT / "Makefile", *(path for path in sources if path.suffix in (".py", ".html", ".js", ".json"))]
    texts = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in files}
    assert [str(path) for path, text in texts.items() if re.search(r"pip install \W*textclf", text)] == []


def test_the_demo_and_the_first_hour_read_the_samples_into_one_cache():
    demo = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ndemo:")[2].partition("\n\n")[0]
    first_hour = (ROOT / "docs" / "first-hour.md").read_text(encoding="utf-8")
    commands = [line for text in (demo, first_hour) for line in text.splitlines() if "textclf ocr data/scans" in line]
    assert len(commands) >= 2
    assert all("--cache" not in command for command in commands)


@each_page()
def test_commands_and_options_named_exist(page):
    for part in (part for line in code(page.read_text(encoding="utf-8")) for part in re.split(r"; |&& ", line)):
        if part.startswith("--"):
            assert re.split(r"[ =:]", part)[0] in set().union(*map(options, COMMANDS)), part
        elif (name := part.split(" ")[0]) in PROGRAMS:
            program = name
            for before, word in pairwise(shlex.split(part.replace("'", "’"), comments=True)):
                # a table writes "similar|analogy" for two commands with the same options
                longer = f"{name} {word.partition('|')[0]}"
                if word.startswith("-"):
                    assert word.partition("=")[0] in options(name), part
                elif longer in COMMANDS:
                    name = longer
                else:
                    assert name != program or before.startswith("--"), part


@each_page()
def test_environment_variables_named_exist(page):
    known = {
        re.sub("[ -]", "_", f"{name} {parameter.name}").upper()
        for name, command in COMMANDS.items()
        for parameter in command.params
        if parameter.opts[0].startswith("-")
    }
    named = set(re.findall(r"\b(?:TEXTCLF|AMAZON_ML)_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
    known |= {f"{variable}_FILE" for variable in known}
    assert named <= known | OTHER_VARIABLES | VARIABLES.keys()


@each_page()
def test_settings_shown_for_a_config_file_exist(page):
    for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL):
        for name, entries in tomllib.loads(block).items():
            if command := COMMANDS.get(f"textclf {name}"):
                assert set(entries) <= {parameter.name for parameter in command.params}, name


def test_every_variable_of_the_functions_is_explained():
    page = (ROOT / "docs" / "serverless.md").read_text(encoding="utf-8")
    assert [name for name in VARIABLES if f"| `{name}` |" not in page] == []


def test_every_option_every_column_and_every_exit_code_is_explained(tmp_path):
    formats = (ROOT / "docs" / "file-formats.md").read_text(encoding="utf-8")
    write_documents(tmp_path / "documents.csv", [Document(document_id="a")])
    columns = (tmp_path / "documents.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert [name for name in (*columns, *prediction_columns(())) if f"`{name}`" not in formats] == []
    troubles = (ROOT / "docs" / "troubles.md").read_text(encoding="utf-8")
    assert [exit_code for exit_code in ExitCode if f"| {exit_code.value} |" not in troubles] == []
    everything = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    every_option = {option for name in COMMANDS for option in options(name) if option.startswith("--")}
    hidden = {option for option in every_option if option.startswith("--no-")} - {"--no-cache", "--no-diagnostics"}
    assert {option for option in every_option - hidden if option not in everything} == set()


@pytest.mark.endurance
@pytest.mark.parametrize("name", ["first-hour", "correct-and-retrain"])
def test_a_tutorial_prints_what_it_shows(name, tmp_path):
    """Every command runs and prints every line shown under it; figures may differ between versions."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```\n(?:\n```\n(.*?)^```)?", page, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) > 4
    for commands_shown, lines in blocks:
        done = subprocess.run(
            ["sh", "-ec", commands_shown], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1800
        )
        assert done.returncode == 0, done.stderr
        printed = [re.sub(r"[\d.]+", "0", line) for line in (done.stdout + done.stderr).splitlines()]
        assert [line for line in lines.splitlines() if re.sub(r"[\d.]+", "0", line) not in printed] == []
