"""kill -9 at random moments of file operations: every file is in one place, unchanged, and the journal agrees."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from textclf.folders.mover import Mover

ROOT = Path(__file__).parents[3]
FILES = 40
# for each line that it is given, a child files all that waits, undoes that, and so on, until it is killed
PROGRAM = """
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from textclf.base.hashing import hash_bytes
from textclf.folders.day_log import DayLog, locked
from textclf.folders.file_operations import state_of
from textclf.folders.mover import Mover
from textclf.folders.undo import undo_last_run
from textclf.library.library import Library


def now():
    return datetime.now(UTC)


def work(inbox, into):
    with locked(into / ".textclf"), Library.open(into / ".textclf") as library:
        log = DayLog(into / ".textclf" / "log", now)
        while True:
            mover = Mover(library, into, log, now, "file")
            mover.recover()
            for path in sorted(inbox.iterdir()):
                content = path.read_bytes()
                given = {"sha256": hash_bytes(content), "name": path.name, "path": str(path)}
                document, _ = library.add_document(**given, size=len(content), at=now())
                mover.put(document.id, path, into / path.name[:1] / "scan.pdf", "move", state_of(path), str)
                print("moved", flush=True)
            while library.journal.last_run(str(into)):
                for _ in undo_last_run(library, into, log, now):
                    print("undone", flush=True)


for _ in sys.stdin:
    child = os.fork()
    if not child:
        work(Path(sys.argv[1]), Path(sys.argv[2]))
    print(child, flush=True)
    os.waitpid(child, 0)
    print("killed", flush=True)
"""


def contents(*folders: Path) -> list[bytes]:
    paths = (path for folder in folders for path in folder.rglob("*"))
    return [path.read_bytes() for path in paths if path.is_file() and ".textclf" not in path.parts]


@pytest.fixture
def worker(desk):
    """A process that has all modules loaded, and forks a child to do the work."""
    started = []

    def start(into):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, desk.inbox, into],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.communicate(timeout=60)


@pytest.mark.parametrize("place", ["the same file system", "another file system"])
@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=pytest.mark.endurance)])
def test_moves(desk, worker, request, place, kills):
    into = desk.into if place == "the same file system" else request.getfixturevalue("other_file_system")
    names = [f"{chr(97 + number % 3)}{number:02}.pdf" for number in range(FILES)]
    files = {(f"content of {name}" * 5000).encode() for name in names}
    for name in names:
        (desk.inbox / name).write_bytes((f"content of {name}" * 5000).encode())
    draw, reached = random.Random(7), Counter[str]()
    process = worker(into)
    for _ in range(kills):
        reached[kill_after_some_lines(process, draw)] += 1
        found = contents(desk.inbox, into)
        assert files <= {*found}, "nothing is lost, even before the next run"
        if place == "the same file system":
            assert len(found) == FILES, "nothing is in two places, even before the next run"
    if kills > 100:
        assert min(reached["moved"], reached["undone"]) > kills / 5, "kills fell into both"
    check(desk, into, files)


def kill_after_some_lines(process, draw):
    """Let a child work for some lines and a moment, and kill it; gives its last line."""
    process.stdin.write("go\n")
    process.stdin.flush()
    lines = iter(process.stdout.readline, "")
    # its own line and that of its parent come in either order
    child, last, told = 0, "", draw.randrange(1, 50)
    while not child or told > 0:
        line = next(lines).strip()
        assert not line.endswith("killed"), "the child has ended by itself; its error is told above"
        if line.isdigit():
            child = int(line)
        else:
            last, told = line, told - 1
    time.sleep(draw.random() * 0.03)
    os.kill(child, signal.SIGKILL)
    # with PYTHONUNBUFFERED a line is written in two pieces, and the child may have been killed between them
    while not next(lines).strip().endswith("killed"):
        pass
    return last


def check(desk, into, files):
    """Put right what the last kill left; then every file is in one place, and the journal tells which."""
    from textclf.folders.day_log import DayLog
    from textclf.library.library import Library

    with Library.open(into / ".textclf") as library:
        Mover(library, into, DayLog(into / ".textclf" / "log", desk.clock), desk.clock, "file").recover()
        assert library.journal.unsettled(str(into)) == []
        assert Counter(contents(desk.inbox, into)) == Counter(files)
        assert not list(into.rglob(".*.part")), "no copy is left half written"
        waiting = {path.read_bytes() for path in desk.inbox.iterdir()}
        for document in library.list_documents():
            done = library.journal.done(document.sha256, str(into))
            content = Path(document.path).read_bytes() if Path(document.path).exists() else None
            assert len(done) == (content not in waiting)
            assert all(Path(move.target).exists() for move in done)
