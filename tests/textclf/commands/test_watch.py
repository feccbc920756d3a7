"""What a person sees who has a folder watched."""

from __future__ import annotations

import os
import signal
import time

import pytest

from textclf.base.errors import ExitCode
from textclf.commands.watch import _signals_call


class Watching:
    """A running ``textclf watch``."""

    def __init__(self, process):
        self.process = process

    def line(self):
        """The next line that it prints."""
        return self.process.stdout.readline()

    def stop(self, number=signal.SIGTERM):
        os.killpg(self.process.pid, number)
        out, err = self.process.communicate(timeout=60)
        assert "Traceback" not in err
        return out, err


@pytest.fixture
def watch(spawn, desk, model_file, left_over):
    def start(*arguments, settle=1):
        given = ("--into", desk.out, "--model", model_file, "--jobs", 1, "--settle", settle)
        return Watching(spawn("watch", desk.inbox, *given, *arguments))

    return start


@pytest.mark.parametrize(
    ("options", "number"), [((), signal.SIGTERM), pytest.param(("--poll", 0.3), signal.SIGINT, marks=pytest.mark.slow)]
)
def test_what_lies_there_and_what_arrives_is_filed_until_it_is_stopped(watch, desk, page, left_over, options, number):
    watching = watch(*options)
    first = {watching.line().split(" -> ")[0].split()[-1] for _ in range(5)}
    assert first == {"broken.pdf", "i.pdf", "l.pdf", "r.pdf", "u.pdf"}
    # a slow scanner, and a program that writes under another name
    content = page("letter", 1)
    with (desk.inbox / "slow.pdf").open("wb") as slow:
        for start in range(0, len(content), len(content) // 5):
            slow.write(content[start : start + len(content) // 5])
            slow.flush()
            time.sleep(0.1)
    (desk.inbox / "next.pdf.part").write_bytes(page("receipt", 1))
    assert watching.line().startswith("letter ")
    (desk.inbox / "next.pdf.part").rename(desk.inbox / "next.pdf")
    assert watching.line().startswith("receipt ")
    out, err = watching.stop(number)
    assert watching.process.returncode == ExitCode.OK, err
    assert out == ""
    assert "stopped; 7 files: 5 filed, 1 for review, 1 cannot be read" in err
    assert left_over(watching.process.pid) == []
    assert (desk.out / "letter" / "slow.pdf").read_bytes() == content
    assert list(desk.inbox.iterdir()) == []


@pytest.mark.slow
def test_a_file_that_cannot_be_moved_is_told_once_and_the_folder_may_vanish_for_a_while(watch, desk, page):
    """A file is in the way of the folder of its category."""
    desk.out.mkdir()
    (desk.out / "invoice").touch()
    watching = watch("--poll", 0.2)
    lines = [watching.line() for _ in range(5)]
    assert "stayed     i.pdf  (cannot be moved to " in "".join(lines)
    desk.inbox.rename(desk.top / "away")
    assert "there is no such file or folder; it is looked for every 5 s" in told(watching, "there is no such")
    (desk.top / "away" / "new.pdf").write_bytes(page("letter", 1))
    (desk.top / "away").rename(desk.inbox)
    assert "new.pdf" in watching.line(), "the other one is not told again"
    _, err = watching.stop()
    assert "all folders are there again" in err
    assert (desk.inbox / "i.pdf").exists()


def told(watching, words):
    while words not in (line := watching.process.stderr.readline()):
        assert line
    return line


def test_a_second_signal_ends_it_at_once():
    calls = []
    with _signals_call(lambda: calls.append("stop")):
        os.kill(os.getpid(), signal.SIGINT)
        assert calls == ["stop"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("missing",), ExitCode.BAD_INPUT, "there is no such file or folder"),
        (("file.pdf",), ExitCode.USAGE, "is no folder; give a folder, or file that file with textclf file"),
        ((".",), ExitCode.USAGE, "is where files are taken from, and where they would go"),
        (("in",), ExitCode.USAGE, "is where files are taken from, and where they would go"),
        (("in", "--poll", "0"), ExitCode.USAGE, "--poll"),
    ],
)
def test_what_cannot_be_watched_is_told(textclf, tmp_path, monkeypatch, arguments, code, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.pdf").touch()
    (tmp_path / "in").mkdir()
    said = textclf("watch", *arguments, "--into", tmp_path)
    assert said.code == code
    assert told in said.error
