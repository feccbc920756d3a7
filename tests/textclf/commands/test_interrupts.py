"""Ctrl-C in the middle of every command: the terminal sends it to the whole process group; and signals to end."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import termios
import time
from array import array
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks into /proc")


def wait_for(condition, process, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.02)


def holds_open(process, path):
    """Whether the process has the file open."""

    def holds():
        try:
            return any(os.path.realpath(link) == str(path) for link in Path(f"/proc/{process.pid}/fd").iterdir())
        except OSError:
            return False

    return holds


def waiting_bytes(pipe):
    """How much was written to a pipe that nobody has read yet."""
    waiting = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    return waiting[0]


def interrupt(process, left_over, number=signal.SIGINT):
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("stopped; ")
    assert left_over(process.pid) == []
    return out


@pytest.fixture(scope="module")
def make_table(tmp_path_factory, table, corpus):
    def make(rows):
        _, texts, categories = corpus(4)
        path = tmp_path_factory.mktemp("table") / "documents.csv"
        return table(path, [(f"{n}", texts[n % 12] * 20, categories[n % 12]) for n in range(rows)])

    return make


@pytest.fixture(scope="module")
def large_table(make_table):
    return make_table(15_000)


@pytest.fixture
def engine(tmp_path):
    """A program named tesseract that counts its pages and hands them to the real one."""
    real = shutil.which("tesseract")
    if real is None:
        pytest.skip("no tesseract")
    calls = tmp_path / "calls"
    calls.touch()
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "tesseract"
    script.write_text(f'#!/bin/sh\ncase "$1" in -*) ;; *) echo page >> {calls};; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    environment = {f"TEXTCLF_{command}_ENGINE": "tesseract" for command in ("OCR", "CLASSIFY")}
    environment["PATH"] = f"{script.parent}:{os.environ['PATH']}"
    return environment, lambda: len(calls.read_text().splitlines())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_predict(spawn, left_over, model_path, large_table, tmp_path, number):
    (tmp_path / "out.csv").touch()
    process = spawn("predict", model_path, large_table, "-o", "out.csv")
    wait_for(lambda: any(path.stat().st_size for path in tmp_path.glob(".out.csv.*.part")), process)
    interrupt(process, left_over, number)
    assert (tmp_path / "out.csv").read_text() == ""
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.slow
def test_evaluate(spawn, left_over, model_path, large_table, tmp_path):
    process = spawn("evaluate", model_path, large_table, "-o", "report")
    wait_for(holds_open(process, large_table), process)
    interrupt(process, left_over)
    assert not (tmp_path / "report").exists()


@pytest.mark.slow
def test_prepare(spawn, left_over, large_table, tmp_path):
    process = spawn("prepare", large_table, "-o", "prepared", "--lexicon", "none", "--vectors", "none")
    wait_for(lambda: list((tmp_path / "prepared").glob(".*.part")), process)
    interrupt(process, left_over)
    assert not list((tmp_path / "prepared").iterdir())


@pytest.mark.parametrize(
    ("jobs", "pause"),
    [
        pytest.param(1, 0.2, marks=pytest.mark.slow),
        pytest.param(2, 0.2, marks=pytest.mark.slow),
        pytest.param(2, 3, marks=pytest.mark.slow),
    ],
)
def test_train(spawn, left_over, large_table, tmp_path, jobs, pause):
    (tmp_path / "model.textclf").touch()
    process = spawn(
        *("train", large_table, "-o", "model.textclf", "--lexicon", "none", "--vectors", "none", "--jobs", jobs)
    )
    wait_for(lambda: waiting_bytes(process.stderr), process)
    time.sleep(pause)
    interrupt(process, left_over)
    assert (tmp_path / "model.textclf").read_text() == ""
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.slow
def test_ocr_and_what_was_read_is_not_read_again(spawn, left_over, scan, engine, tmp_path):
    environment, calls = engine

    def kept_pages():
        return sum('"page":' in entry.read_text() for entry in (tmp_path / "cache").rglob("*.json"))

    for number in range(6):
        scan(tmp_path / "scans" / f"{number}.png", f"Invoice number {4711 + number}", "total due 12.50")
    process = spawn("ocr", "scans", "-o", "documents.csv", "--jobs", 2, "--cache", "cache", **environment)
    wait_for(lambda: kept_pages() >= 2, process)
    interrupt(process, left_over)
    assert not (tmp_path / "documents.csv").exists()
    assert not list(tmp_path.rglob("*.part"))
    before, kept = calls(), kept_pages()
    again = spawn("ocr", "scans", "-o", "documents.csv", "--jobs", 2, "--cache", "cache", **environment)
    assert again.wait(timeout=120) == 0
    read = (tmp_path / "documents.csv").read_text()
    assert all(f"{4711 + number}" in read for number in range(6))
    assert kept_pages() == 6
    once = calls() - before
    third = spawn("ocr", "scans", "-o", "again.csv", "--jobs", 1, "--cache", "cache", **environment)
    assert third.wait(timeout=120) == 0
    assert calls() == before + once
    assert 0 < once <= 2 * (6 - kept)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_ocr_whose_workers_are_starting(spawn, left_over, scan, tmp_path, number):
    for page in range(4):
        scan(tmp_path / "scans" / f"{page}.png", f"Invoice number {4711 + page}", "total due 12.50")
    (tmp_path / "temporary").mkdir()
    process = spawn("ocr", "scans", "-o", "o.csv", "--no-cache", "--jobs", 4, TMPDIR=str(tmp_path / "temporary"))
    wait_for(lambda: len(list(tmp_path.glob("temporary/textclf-*/textclf-*"))) >= 2, process)
    os.killpg(process.pid, number)
    assert process.wait(timeout=60) == 128 + number
    assert [member for member in left_over(process.pid, 0) if "popen_loky" in member] == []
    err = process.communicate()[1]
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("stopped; ")


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_classify(spawn, left_over, scan, engine, model_path, tmp_path, number):
    environment, calls = engine
    for page in range(6):
        scan(tmp_path / "scans" / f"{page}.png", f"Invoice number {4711 + page}", "total due 12.50")
    process = spawn("classify", model_path, "scans", "--no-cache", "--json", **environment)
    wait_for(lambda: calls() >= 2, process)
    out = interrupt(process, left_over, number)
    assert all(line.endswith("}") for line in out.splitlines())


@pytest.mark.parametrize("ignored", [False, True])
def test_under_nohup_a_hang_up_is_not_heard(left_over, model_path, make_table, tmp_path, ignored):
    # where it is not heard the table is read to its end
    documents = make_table(6_000 if ignored else 15_000)
    # the tests themselves may run under nohup
    program = "import signal, sys; from textclf.__main__ import main; "
    program += f"signal.signal(signal.SIGHUP, signal.{'SIG_IGN' if ignored else 'SIG_DFL'}); "
    process = subprocess.Popen(
        [sys.executable, "-c", f"{program}main()", "predict", model_path, documents, "-o", tmp_path / "out.csv"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        wait_for(lambda: any(path.stat().st_size for path in tmp_path.glob(".out.csv.*.part")), process)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
    assert process.returncode == (0 if ignored else 129)
    assert (tmp_path / "out.csv").exists() is ignored
    assert left_over(process.pid) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command", [["-m", "textclf"], [Path(sys.executable).with_name("textclf")], ["-m", "aws_ml_adapter"]]
)
def test_while_modules_are_imported(tmp_path, command, number):
    (tmp_path / "typer.py").write_text(f"import os, time; os.kill(os.getpid(), {int(number)}); time.sleep(60)")
    done = subprocess.run(
        [sys.executable, *command, "--version"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (128 + number, "")
    assert done.stderr.startswith("stopped; ")
    assert done.stderr.count("\n") == 1
