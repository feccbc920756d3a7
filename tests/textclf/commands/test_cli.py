"""What a person sees who types commands: results, messages, exit codes."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.main import get_command

import textclf as package
from aws_ml_adapter.__main__ import AMAZON_ML
from aws_ml_adapter.serverless.settings import VARIABLES
from ocr.reading_options import Limits
from textclf import DocumentClassifier
from textclf.base.errors import ExitCode, UsageError
from textclf.base.program import TEXTCLF
from textclf.commands import app
from textclf.commands.configuration import OF_FUNCTIONS
from textclf.commands.running import NEVER_FAIL, run
from textclf.model.file import KIND

ROOT = Path(__file__).parents[3]
QUICK = ("--lexicon", "none", "--vectors", "none", "--no-background", "--no-diagnostics", "--jobs", "1")


def leaves(group=None, path=()):
    """All commands, with the words that call them."""
    group = group or get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(leaves())


# --- help, version, usage


@pytest.mark.parametrize(
    ("words", "command"), COMMANDS.items(), ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_help_lists_every_option(textclf, words, command):
    said = textclf(*words, "--help")
    assert said.code == ExitCode.OK
    assert said.err == ""
    for parameter in command.params:
        for name in (*parameter.opts, *parameter.secondary_opts):
            if name.startswith("-"):
                assert name in said.out, name
            else:
                assert (parameter.metavar or name) in said.out, name
        if isinstance(parameter, typer.core.TyperOption):
            assert parameter.help


def test_the_names_that_were_promised_are_there(textclf):
    names = {" ".join(words) for words in COMMANDS}
    assert {"ocr", "prepare", "train", "evaluate", "predict", "classify", "model info"} <= names
    assert {"words similar", "words analogy"} <= names
    said = textclf("--help")
    assert all(
        word in said.out for word in ("ocr", "prepare", "train", "evaluate", "predict", "classify", "model", "words")
    )


def test_help_answers_outside_of_any_folder(spawn):
    out, err = spawn("--help").communicate()
    assert (out[:6], err) == ("Usage:", "")


def test_help_waits_for_no_large_library():
    """Its time is in benchmarks/bench_prediction.py."""
    command = [sys.executable, "-X", "importtime", "-m", "textclf", "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stderr
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in said.splitlines()}
    assert "typer" in imported
    assert not imported & {"numpy", "scipy", "sklearn", "pandas", "gensim", "spacy", "joblib", "PIL", "boto3"}


def test_version(textclf):
    assert textclf("--version") == (0, f"textclf {package.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["unheard"], "unheard"),
        (["predict"], "MODEL"),
        (["predict", "m", "d"], "--output"),
        (["train", "d", "-o", "m", "--seed", "many"], "--seed"),
        (["train", "d", "-o", "m", "--colour", "red"], "--colour"),
        (["ocr", "scans", "-o", "d.csv", "--scale", "huge"], "--scale"),
        (["ocr", "scans", "-o", "d.csv", "--scale", "0"], "--scale"),
        (["ocr", "scans", "-o", "d.csv", "--page-segmentation", "99"], "--page-segmentation"),
        (["ocr", "scans", "-o", "d.csv", "--page-segmentation", "2"], "--page-segmentation"),
        (["ocr", "scans", "-o", "d.csv", "--text-layer", "maybe"], "'auto', 'ignore'"),
        (["ocr", "scans", "-o", "d.csv", "--jobs", "0"], "--jobs"),
        (["ocr", "scans", "-o", "d.csv", "--max-pages", "0"], "--max-pages"),
        (["ocr", "scans", "-o", "d.csv", "--cache", "c", "--no-cache"], "--no-cache"),
        (["ocr", "scans", "-o", "d.csv", "--labels", "l.csv", "--labels-from-folders"], "--labels-from-folders"),
        (["train", "d.csv", "-o", "m", "--where", "split"], "--where"),
        (["train", "d.csv", "-o", "m", "--encoding", "klingon"], "klingon"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(textclf, documents, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    documents.rename(tmp_path / "d.csv")
    (tmp_path / "scans").mkdir()
    said = textclf(*arguments)
    assert said.code == ExitCode.USAGE
    assert said.out == ""
    assert words in said.error
    assert len(said.err.splitlines()) == 1


def test_a_fault_of_ours_says_so_without_a_traceback(textclf, documents, tmp_path, monkeypatch):
    def fault(*arguments, **options):
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("textclf.commands.train.train_model", fault)
    said = textclf("train", documents, "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.INTERNAL
    assert "nobody thought of this" in said.error
    monkeypatch.setenv("TEXTCLF_DEBUG", "1")
    with pytest.raises(RuntimeError):
        textclf("train", documents, "-o", tmp_path / "m.textclf")


def test_a_reader_that_has_seen_enough_ends_it_without_a_word(spawn, model_path):
    process = spawn("model", "info", model_path)
    process.stdout.close()
    assert process.wait(timeout=60) == ExitCode.CLOSED_PIPE
    assert process.stderr.read() == ""


def test_names_from_strangers_cannot_steer_the_terminal(textclf, tmp_path, table, corpus):
    rows = [(name, text, category.replace("letter", "let\x1b[2Jter")) for name, text, category in corpus(4).rows()]
    path = table(tmp_path / "d.csv", rows)
    assert textclf("train", path, "-o", tmp_path / "m.textclf", *QUICK).code == 0
    for form in ((), ("--json",)):
        said = textclf("model", "info", tmp_path / "m.textclf", *form)
        assert "\x1b" not in said.out + said.err
        assert "let\\u001b[2Jter" in said.out
    assert "let\x1b[2Jter" in json.loads(said.out)["training"]["documents"]


# --- configuration


def test_a_config_file_gives_defaults_and_the_command_line_goes_before_it(textclf, documents, tmp_path, model_path):
    config = tmp_path / "textclf.toml"
    config.write_text('[predict]\nkeep_columns = true\nwhere = ["category=letter"]\n')
    out = tmp_path / "p.csv"
    assert textclf("--config", config, "predict", model_path, documents, "-o", out).code == 0
    lines = out.read_text().splitlines()
    assert lines[1].startswith("letter-00,letter,")
    assert len(lines) == 6
    out = tmp_path / "q.csv"
    assert textclf("--config", config, "predict", model_path, documents, "-o", out, "--no-keep-columns").code == 0
    assert out.read_text().splitlines()[1].startswith("letter-00,,")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[predict]\ncolour = 1\n", "colour"),
        ("[unheard]\n", "unheard"),
        ("predict = 1\n", "predict"),
        ("not toml", "not valid TOML"),
        ("[ocr]\nmax_pages = 'many'\n", "max-pages"),
    ],
)
def test_a_wrong_config_is_refused_by_name(textclf, tmp_path, content, words):
    config = tmp_path / "textclf.toml"
    config.write_text(content)
    said = textclf("--config", config, "ocr", tmp_path, "-o", tmp_path / "d.csv")
    assert said.code in (ExitCode.BAD_DATA, ExitCode.USAGE)
    assert words in said.error


def test_a_config_that_is_missing_is_bad_input(textclf, tmp_path):
    said = textclf("--config", tmp_path / "none.toml", "ocr", "x", "-o", "y")
    assert said.code == ExitCode.BAD_INPUT
    assert "no such file" in said.error


def test_one_string_stands_for_a_list_of_one_in_a_config_file(textclf, documents, tmp_path, model_path):
    (tmp_path / "c.toml").write_text('[predict]\nwhere = "category=letter"\n')
    out = tmp_path / "p.csv"
    assert textclf("--config", tmp_path / "c.toml", "predict", model_path, documents, "-o", out).code == 0
    assert len(out.read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("content", "remedy"), [("train = 3\n", "[train]"), ("words.similar = 3\n", "[words.similar]")]
)
def test_what_is_no_table_in_a_config_file_is_answered_with_the_table(textclf, tmp_path, content, remedy):
    (tmp_path / "c.toml").write_text(content)
    said = textclf("--config", tmp_path / "c.toml", "ocr", tmp_path, "-o", tmp_path / "d.csv")
    assert said.code == ExitCode.BAD_DATA
    assert f"write {remedy}" in said.error
    assert "perhaps" not in said.error


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("train", "", "-o", "m"), "DOCUMENTS"),
        (("train", "d.csv", "-o", ""), "--output"),
        (("train", "d.csv", "-o", "m", "--other", "a", "--other="), "--other"),
        (("ocr", "a.png", "", "-o", "d.csv"), "FILES"),
        (("train", "d.csv", "-o", "m", "--lexicon", ""), "--lexicon"),
        (("train", "d.csv", "-o", "m", "--vectors="), "--vectors"),
        (("train", "d.csv", "-o", "m", "--c", "nan"), "--c"),
        (("train", "d.csv", "-o", "m", "--max-error", "-NaN"), "--max-error"),
    ],
)
def test_empty_paths_and_what_is_no_number_are_refused(textclf, arguments, where):
    said = textclf(*arguments)
    assert said.code == ExitCode.USAGE
    assert where in said.error
    assert "empty" in said.error or "not a number" in said.error


def test_an_option_that_the_environment_cannot_set_is_not_suggested(
    textclf, documents, tmp_path, model_path, monkeypatch
):
    monkeypatch.setenv("TEXTCLF_VERSION", "1")
    said = textclf("predict", model_path, documents, "-o", tmp_path / "p.csv")
    assert "TEXTCLF_VERSION" in said.err
    assert "SHOW_VERSION" not in said.err


def test_the_environment_gives_options(textclf, documents, tmp_path, model_path, monkeypatch):
    monkeypatch.setenv("TEXTCLF_PREDICT_KEEP_COLUMNS", "1")
    assert textclf("predict", model_path, documents, "-o", tmp_path / "p.csv").code == 0
    assert (tmp_path / "p.csv").read_text().splitlines()[1].startswith("invoice-00,invoice,")


def test_a_variable_names_a_file_that_holds_the_value(textclf, documents, tmp_path, model_path, monkeypatch):
    (tmp_path / "secret").write_text("1\n")
    monkeypatch.setenv("TEXTCLF_PREDICT_KEEP_COLUMNS_FILE", str(tmp_path / "secret"))
    done = textclf("predict", model_path, documents, "-o", tmp_path / "p.csv")
    assert "sets no option" not in done.err
    assert (tmp_path / "p.csv").read_text().splitlines()[1].startswith("invoice-00,invoice,")
    monkeypatch.setenv("TEXTCLF_PREDICT_KEEP_COLUMNS", "1")
    done = textclf("predict", model_path, documents, "-o", tmp_path / "p.csv")
    assert done.code == 2
    assert "TEXTCLF_PREDICT_KEEP_COLUMNS and TEXTCLF_PREDICT_KEEP_COLUMNS_FILE exclude each other" in done.err
    monkeypatch.delenv("TEXTCLF_PREDICT_KEEP_COLUMNS")
    (tmp_path / "secret").unlink()
    done = textclf("predict", model_path, documents, "-o", tmp_path / "p.csv")
    assert done.code == 3
    assert "check the path in TEXTCLF_PREDICT_KEEP_COLUMNS_FILE" in done.err


def test_variables_of_the_functions_on_aws_are_no_slips(textclf, documents, tmp_path, model_path, monkeypatch):
    assert set(VARIABLES) == OF_FUNCTIONS
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "2")
    said = textclf("predict", model_path, documents, "-o", tmp_path / "p.csv")
    # which predict has as an option, too
    warned = set(re.findall(r"(\w+) in the environment sets no option; perhaps TEXTCLF_PREDICT_\w+ is meant", said.err))
    assert warned
    assert warned == set(re.findall(r"(\w+) in the environment sets", said.err))
    assert {"TEXTCLF_BUCKET", "TEXTCLF_QUEUE_URL", "TEXTCLF_MODEL"} & warned == set()


def test_a_config_file_reaches_commands_within_commands(textclf, documents, tmp_path, model_path):
    config = tmp_path / "textclf.toml"
    config.write_text("[words.similar]\nn = 2\n[keywords.suggest]\nn = 1\n[model.info]\nas_json = true\n")
    assert len(textclf("--config", config, "words", "similar", model_path, "invoice").out.splitlines()) == 2
    assert json.loads(textclf("--config", config, "model", "info", model_path).out)["format"] == KIND.format
    said = textclf("--config", config, "keywords", "suggest", documents)
    assert len([line for line in said.out.splitlines() if line.startswith("  ") and "own" not in line]) == 3


@pytest.mark.parametrize(
    ("content", "near"),
    [
        ("[trian]\n", "'train'"),
        ("[train]\nmax_eror = 0.1\n", "'max_error'"),
        ("[keywords.sugest]\nn = 1\n", "'suggest'"),
        ("[keywords.suggest]\nsede = 1\n", "'seed'"),
        ("[keywords]\nn = 1\n", "keywords.suggest"),
    ],
)
def test_a_slip_in_a_config_file_is_said_with_what_is_meant(textclf, tmp_path, content, near):
    config = tmp_path / "textclf.toml"
    config.write_text(content)
    said = textclf("--config", config, "ocr", tmp_path, "-o", tmp_path / "d.csv")
    assert said.code == ExitCode.BAD_DATA
    assert near in said.error


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("TEXTCLF_JBOS", "perhaps TEXTCLF_PREDICT_JOBS is meant"),
        ("TEXTCLF_JOBS", "perhaps TEXTCLF_PREDICT_JOBS is meant"),
        ("TEXTCLF_PREDICT_KEEP_COLUMS", "perhaps TEXTCLF_PREDICT_KEEP_COLUMNS is meant"),
        ("TEXTCLF_TRAIN_MAX_EROR", "perhaps TEXTCLF_TRAIN_MAX_ERROR is meant"),
        ("TEXTCLF_COLOUR_SCHEME", "`textclf predict --help` names the variables"),
    ],
)
def test_a_slip_in_a_variable_is_said_with_what_is_meant(
    textclf, documents, tmp_path, model_path, monkeypatch, variable, meant
):
    monkeypatch.setenv(variable, "2")
    said = textclf("predict", model_path, documents, "-o", tmp_path / "p.csv")
    assert said.code == 0
    assert f"warning: {variable} in the environment sets no option; {meant}" in said.err
    if "JOBS" in meant:
        # of a command that has no such option, any that has
        assert re.search(
            rf"{variable} in the environment .* TEXTCLF_\w+_JOBS", textclf("model", "info", model_path).err
        )
    monkeypatch.delenv(variable)
    monkeypatch.setenv("TEXTCLF_ML_MODEL_ID", "ml-1")
    assert "environment" not in textclf("predict", model_path, documents, "-o", tmp_path / "p.csv").err


# --- numbers and choices

OUT_OF_BOUNDS = {
    "jobs": ("-3", "0", "1025"),
    "n": ("0", "-1"),
    "max_pages": ("0", "-1"),
    "max_bytes": ("0",),
    "seconds_per_page": ("0", "-1", "nan"),
    "page_segmentation": ("0", "14"),
    "threshold": ("0", "2", "nan"),
    "minutes": ("0", "-5", "nan"),
    "candidates": ("-1",),
    "vector_size": ("0", "1001"),
    "max_error": ("0", "1", "2", "-0.1"),
    "confidence": ("0", "1", "2"),
    "max_unknown": ("-0.1", "1.1"),
    "c": ("0", "-1", "nan", "inf"),
    "seed": ("-1", "4294967296"),
    "port": ("-1", "65536"),
    "queue": ("0",),
    "tasks": ("0",),
    "max_upload": ("0",),
    "keep_results": ("-1",),
    "grace": ("-1", "nan"),
    "timeout": ("0", "nan"),
    "retries": ("-1", "21"),
    "seconds": ("0", "nan"),
    "delay": ("-1",),
    "every": ("0", "nan"),
    "lease": ("0", "3601", "nan"),
    "metrics_port": ("-1", "65536"),
    "least": ("2",),
    "limit": ("0",),
    "sample": ("-1",),
    "settle": ("-1", "3601", "nan"),
    "poll": ("0", "-1", "nan"),
}


def numbers():
    """All numbers out of bounds, wherever they may stand; without slow tests each once, and each option once."""
    tried = set()
    for words, command in COMMANDS.items():
        for parameter in command.params:
            if parameter.type_descriptor.annotation not in (int, float):
                continue
            values = OUT_OF_BOUNDS[parameter.name]
            for value, way in itertools.product(values, ("option", "environment", "file")):
                is_needed = (parameter.name, value, way) not in tried or (value, way) == (values[-1], "option")
                tried.add((parameter.name, value, way))
                marks = () if is_needed else pytest.mark.slow
                yield pytest.param(words, parameter.name, value, way, marks=marks)


@pytest.mark.parametrize(("words", "name", "value", "way"), [*numbers()])
def test_a_number_out_of_bounds_is_refused_wherever_it_stands(textclf, tmp_path, monkeypatch, words, name, value, way):
    command = COMMANDS[words]
    parameter = next(parameter for parameter in command.params if parameter.name == name)
    needed = [f"x{i}" for i, one in enumerate(command.params) if not one.opts[0].startswith("-") and one.required]
    arguments = [
        *words,
        *needed,
        # a missing option would be said first
        *(
            value
            for one in command.params
            if one.opts[0].startswith("-") and one.required and one is not parameter
            for value in (max(one.opts, key=len), tmp_path / one.name)
        ),
    ]
    option = max(parameter.opts, key=len)
    if way == "option":
        arguments.append(f"{option}={value}" if option.startswith("--") else f"{option}{value}")
    elif way == "environment":
        monkeypatch.setenv(f"TEXTCLF_{'_'.join(words)}_{name}".upper().replace("-", "_"), value)
    else:
        (tmp_path / "c.toml").write_text(f"[{'.'.join(words)}]\n{name} = {value}\n")
        arguments = ["--config", tmp_path / "c.toml", *arguments]
    said = textclf(*arguments)
    assert said.code == (ExitCode.OK if list(words) == NEVER_FAIL else ExitCode.USAGE)
    assert f"'{option}'" in said.error or f"/ '{option}" in said.error
    assert len(said.err.splitlines()) == 1


def test_numbers_at_the_bounds_are_those_of_the_library():
    for words, command in COMMANDS.items():
        for parameter in command.params:
            if parameter.name == "max_pages":
                assert parameter.default == Limits().max_pages, words
    for name, (low, high) in {"vector_size": (1, 1000), "c": (1e-6, 1e6)}.items():
        shown = next(one for one in COMMANDS["train",].params if one.name == name)
        assert (shown.min, shown.max) == (low, high)
        for wrong in (low / 2, high * 2):
            with pytest.raises(UsageError):
                DocumentClassifier(**{"C" if name == "c" else name: wrong}).check_options()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("ocr",), ("<auto|tesserocr|tesseract>", "<auto|ignore>", "auto|FACTOR", "1<=x<=13", "TEXTCLF_OCR_ENGINE")),
        (("classify",), ("<full|balanced|fast|glance>",)),
        (("train",), ("auto|learn|none|FILE", "learn|none|FILE", "0.0001<=x<=0.9999", "1<=x<=1000")),
        (("keywords", "suggest"), ("x>=1", "TEXTCLF_KEYWORDS_SUGGEST_N")),
    ],
)
def test_help_shows_choices_bounds_and_variables(textclf, words, shown):
    said = " ".join(textclf(*words, "--help").out.split())
    assert [one for one in shown if one not in said] == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_an_example_and_the_exit_codes(textclf, words):
    said = textclf(*words, "--help").out
    assert f"\n      textclf {' '.join(words)} " in said
    exit_codes = " ".join(said[said.index("Exit codes:") :].split())
    assert [code for code in ExitCode if f" {code.value} " not in exit_codes] == []
    assert "docs/troubles.md" in exit_codes


# --- how much is said


def test_quiet_says_errors_only_and_verbose_says_when(textclf, documents, tmp_path, model_path):
    run = ("train", documents, "-o", tmp_path / "m.textclf", *QUICK)
    assert textclf(*run, "-q") == (0, "", "")
    said = textclf("train", documents, "-o", tmp_path / "v.textclf", *QUICK, "--verbose")
    assert re.fullmatch(r"(\[ *\d+\.\d\d s\] .*\n)+", said.err)
    said = textclf("predict", model_path, tmp_path / "none.csv", "-o", tmp_path / "p.csv", "--quiet")
    assert said.code == ExitCode.BAD_INPUT
    assert "none.csv" in said.error
    said = textclf(*run, "-q", "-v")
    assert said.code == ExitCode.USAGE
    assert "--quiet" in said.error
    # it holds for one command only
    assert "accuracy" in textclf(*run).err


def test_ctrl_c_while_a_module_makes_a_class_is_no_fault(textclf, documents, tmp_path, monkeypatch):
    class Interrupted:
        def __set_name__(self, owner, name):
            raise KeyboardInterrupt

    monkeypatch.setattr(
        "textclf.commands.train.train_model", lambda *_, **__: type("Made", (), {"attribute": Interrupted()})
    )
    said = textclf("train", documents, "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.INTERRUPTED
    assert said.err.startswith("stopped; ")


def test_verbose_shows_where_a_fault_of_ours_came_from(textclf, documents, tmp_path, monkeypatch):
    def fault(*arguments, **options):
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("textclf.commands.train.train_model", fault)
    said = textclf("train", documents, "-o", tmp_path / "m.textclf", "-v")
    assert said.code == ExitCode.INTERNAL
    assert "Traceback" in said.err
    assert said.err.splitlines()[-1].startswith("error: a fault of textclf itself")


# --- completion


@pytest.fixture
def complete(capfd, monkeypatch):
    """Asks for what may follow, as the shells' scripts do."""

    def ask(shell, line, program):
        words = line.split(" ")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        monkeypatch.setenv(f"_{words[0].replace('-', '_').upper()}_COMPLETE", f"complete_{shell}")
        capfd.readouterr()
        assert run([], program) == 0
        out, err = capfd.readouterr()
        assert err == ""
        return out

    return ask


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_options_and_choices(complete, shell):
    for line, found in (
        ("textclf tr", "train"),
        ("textclf keywords s", "suggest"),
        ("textclf train --max-", "--max-error"),
        ("textclf ocr --engine tess", "tesserocr"),
        ("textclf train --lexicon le", "learn"),
        ("amazon-ml se", "serve"),
    ):
        assert found in complete(shell, line, TEXTCLF if line.startswith("textclf") else AMAZON_ML), line
    # nothing of ours: the shell goes on with the names of files
    assert complete(shell, "textclf predict docu", TEXTCLF).strip() in {"", "_files"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_the_current_shell_needs_for_completion_is_shown(shell, tmp_path):
    if (program := shutil.which(shell)) is None:
        pytest.skip(f"no {shell}")
    # not its last command, in whose place it might put itself
    line = f'"{sys.executable}" -m textclf --show-completion; exit $?'
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([program, "-c", line], capture_output=True, text=True, timeout=60, cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_TEXTCLF_COMPLETE=complete_{shell}" in done.stdout


# --- what every command that reads a table refuses


@pytest.mark.parametrize(
    "options",
    [
        ("--text-column", "body"),
        ("--id-column", "body"),
        ("--category-column", "body"),
        ("--where", "body=1"),
        ("--against-where", "body=1"),
    ],
)
def test_a_column_that_is_not_there_is_said_with_the_option_that_names_it(textclf, documents, options):
    against = ("--against", documents) if "--against-where" in options else ()
    said = textclf("check", documents, "--no-label-issues", *against, *options)
    assert said.code == ExitCode.BAD_DATA
    assert "has no column 'body' (found: document_id, text, category)" in said.error
    assert f"; {options[0]} names it" in said.error


READERS = {
    "predict": lambda path, out, model: ("predict", model, path, "-o", out),
    "evaluate": lambda path, out, model: ("evaluate", model, path, "-o", out),
    "train": lambda path, out, model: ("train", path, "-o", out, *QUICK),
    "prepare": lambda path, out, model: ("prepare", path, "-o", out, "--lexicon", "none", "--vectors", "none"),
}
BAD_TABLES = {
    "no text column": (b"document_id,body,category\n1,x,y\n", "no column 'text'"),
    "semicolons": (b"document_id;body;category\n1;x;y\n", "no column 'text' (found: document_id, body, category)"),
    "header only": (b"document_id,text,category\n", "no row below it"),
    "empty": (b"", "is empty"),
    "gzip": (b"\x1f\x8b and no more", "is packed with gzip, and damaged"),
    "open quote": (b'document_id,text,category\n1,"x,y\n', "never closed"),
    "spreadsheet": (b"PK\x03\x04 and so on", "save the table as CSV"),
    "two columns": (b"document_id,text,text,category\n1,x,x,y\n", "two columns 'text'"),
}


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("fault", BAD_TABLES)
def test_a_bad_table_is_one_line_and_writes_nothing(textclf, tmp_path, model_path, command, fault):
    content, words = BAD_TABLES[fault]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    said = textclf(*READERS[command](path, tmp_path / "out", model_path))
    assert said.code == ExitCode.BAD_DATA
    assert said.out == ""
    assert words in said.error
    assert str(path) in said.error
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("command", READERS)
def test_a_table_that_is_missing_is_bad_input(textclf, tmp_path, model_path, command):
    said = textclf(*READERS[command](tmp_path / "none.csv", tmp_path / "out", model_path))
    assert said.code == ExitCode.BAD_INPUT
    assert "none.csv" in said.error


@pytest.mark.parametrize("command", ["train", "evaluate", "prepare"])
def test_a_ragged_row_is_refused_where_its_category_counts(textclf, tmp_path, documents, model_path, command):
    with documents.open("a") as file:
        file.write("ragged,row,that,goes on\n")
    said = textclf(*READERS[command](documents, tmp_path / "out", model_path))
    assert said.code == ExitCode.BAD_DATA
    assert "line 17" in said.error


@pytest.mark.parametrize("command", ["train", "prepare"])
def test_an_id_that_stands_twice_is_refused_for_learning(textclf, tmp_path, documents, model_path, command):
    with documents.open("a") as file:
        file.write("letter-00,again,letter\n")
    said = textclf(*READERS[command](documents, tmp_path / "out", model_path))
    assert said.code == ExitCode.BAD_DATA
    assert "'letter-00'" in said.error


@pytest.mark.parametrize("command", READERS)
def test_conditions_that_leave_nothing_are_said(textclf, tmp_path, documents, model_path, command):
    said = textclf(*READERS[command](documents, tmp_path / "out", model_path), "--where", "category=none")
    assert said.code == ExitCode.BAD_DATA
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_damaged_model_has_a_code_of_its_own(textclf, tmp_path, documents, command):
    (tmp_path / "bad.textclf").write_bytes(b"PK")
    said = textclf(*READERS[command](documents, tmp_path / "out", tmp_path / "bad.textclf"))
    assert said.code == ExitCode.BAD_MODEL
    assert "bad.textclf" in said.error
    assert textclf("model", "info", tmp_path / "bad.textclf").code == ExitCode.BAD_MODEL
    assert textclf("model", "info", tmp_path / "none.textclf").code == ExitCode.BAD_INPUT


# --- nowhere to write


@pytest.fixture
def full_disk(tmp_path):
    """A file system without a byte left, with an empty file on it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        (place / "old").touch()
        with pytest.raises(OSError, match="No space"):
            (place / "filler").write_bytes(b"x" * 70_000)
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


WRITERS = {
    "predict": lambda d, o, m: ("predict", m, d, "-o", o),
    "train": lambda d, o, m: ("train", d, "-o", o, *QUICK),
    "clean": lambda d, o, m: ("clean", d, "-o", o),
    "prepare": lambda d, o, m: ("prepare", d, "-o", o.parent / "folder", "--lexicon", "none", "--vectors", "none"),
    "evaluate": lambda d, o, m: ("evaluate", m, d, "-o", o.parent / "folder"),
    "ocr": lambda d, o, m: ("ocr", d.parent / "in", "-o", o, "--no-cache"),
    "ocr, cache": lambda d, o, m: ("ocr", d.parent / "in", "-o", d.parent / "new.csv", "--cache", o.parent / "cache"),
}


@pytest.mark.parametrize("command", WRITERS)
def test_a_full_disk_leaves_what_is_there_and_no_half_result(
    textclf, documents, scan, full_disk, tmp_path, model_path, command
):
    scan(tmp_path / "in" / "a.png", "total due", "vat number")
    said = textclf(*WRITERS[command](documents, full_disk / "old", model_path))
    assert said.code == ExitCode.OUTPUT
    assert said.out == ""
    assert "free some space" in said.error
    assert (full_disk / "old").read_text() == ""
    files = [path for path in full_disk.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"old", "filler"}
    assert not (tmp_path / "new.csv").exists()


RESULTS = {
    "check": lambda d, o, m: ("check", d, "-o", o),
    "compare": lambda d, o, m: ("compare", m, m, d, "-o", o),
    "tune": lambda d, o, m: ("tune", d, "-o", o),
    "keywords suggest": lambda d, o, m: ("keywords", "suggest", d, "-o", o),
    "classify": lambda d, o, m: ("classify", m, d.parent / "in", "--explain", o.with_suffix(".png")),
    **{name: call for name, call in WRITERS.items() if name not in {"prepare", "evaluate", "ocr, cache"}},
}


@pytest.mark.parametrize("command", RESULTS)
def test_a_folder_in_the_place_of_a_result_is_refused_before_anything_is_read(textclf, tmp_path, command):
    place = tmp_path / "place.png"
    place.mkdir()
    # neither model nor documents are there, which nobody gets to see
    said = textclf(*RESULTS[command](tmp_path / "none.csv", place, tmp_path / "none.textclf"))
    if command == "classify":
        assert said.code == ExitCode.BAD_INPUT
        return
    assert said.code == ExitCode.OUTPUT
    assert "is a folder, not a file; give a file name" in said.error


@pytest.mark.parametrize("command", [*RESULTS, "prepare", "evaluate"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(textclf, tmp_path, command):
    (tmp_path / "file").write_text("in the way")
    call = {**WRITERS, **RESULTS}[command]
    said = textclf(*call(tmp_path / "none.csv", tmp_path / "file" / "old", tmp_path / "none.textclf"))
    if command == "classify":
        assert said.code == ExitCode.BAD_INPUT
        return
    assert said.code == ExitCode.OUTPUT
    assert "-o" in said.error


@pytest.mark.parametrize("command", ["prepare", "evaluate"])
def test_a_file_in_the_place_of_a_folder_is_refused_before_anything_is_read(textclf, tmp_path, command):
    (tmp_path / "folder").write_text("in the way")
    said = textclf(*WRITERS[command](tmp_path / "none.csv", tmp_path / "old", tmp_path / "none.textclf"))
    assert said.code == ExitCode.OUTPUT
    assert "is a file, not a folder; give a folder" in said.error
    assert (tmp_path / "folder").read_text() == "in the way"


@pytest.mark.parametrize("command", [name for name in WRITERS if name != "ocr, cache"])
def test_a_place_that_cannot_be_written_is_said(textclf, documents, scan, tmp_path, model_path, command):
    scan(tmp_path / "in" / "a.png", "total due", "vat number")
    (tmp_path / "file").write_text("in the way")
    said = textclf(*WRITERS[command](documents, tmp_path / "file" / "old", model_path))
    assert said.code == ExitCode.OUTPUT
    assert "-o" in said.error
    assert (tmp_path / "file").read_text() == "in the way"


def test_every_exit_code_is_told_apart():
    assert sorted(ExitCode) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 129, 130, 141, 143]
