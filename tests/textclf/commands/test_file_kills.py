"""kill -9 at random moments of file and watch over real scans."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from textclf.library.library import Library

SCANS = Path(__file__).parents[3] / "data" / "scans"


def digests(*folders):
    paths = (path for folder in folders for path in folder.rglob("*"))
    return Counter(
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file() and ".textclf" not in path.parts
    )


def kill_at_random(process, draw):
    """Kill a command after some of its lines, and a moment."""
    # one that watches an empty folder has no lines to tell
    timer = threading.Timer(draw.uniform(2, 20), os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    for _ in range(draw.randrange(0, 6)):
        if not process.stdout.readline():
            break
    time.sleep(draw.random() * 0.3 if draw.random() < 0.7 else draw.random() * 3)
    timer.cancel()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize(
    ("kills", "count"), [(1, 3), pytest.param(200, 40, marks=pytest.mark.endurance)], ids=["a kill", "many kills"]
)
def test_every_file_is_in_one_place_with_its_content_and_the_library_agrees(
    spawn, desk, model_file, tmp_path, kills, count
):
    shutil.rmtree(desk.inbox)
    desk.inbox.mkdir()
    draw = random.Random(11)
    for scan in sorted(SCANS.glob("*"), key=lambda path: (path.stat().st_size, path))[:count]:
        shutil.copy(scan, desk.inbox)
    before = digests(desk.inbox)
    assert before.total() == len(before)
    given = ("--into", desk.out, "--jobs", 1, "--cache", tmp_path / "cache")
    for kill in range(kills):
        action = draw.choice(["file", "file", "watch", "undo"])
        match action:
            case "file":
                process = spawn("file", desk.inbox, "--model", model_file, *given)
            case "watch":
                process = spawn("watch", desk.inbox, "--model", model_file, "--settle", 0, *given)
            case _:
                process = spawn("file", "--undo", "--into", desk.out)
        kill_at_random(process, draw)
        assert digests(desk.inbox, desk.out) == before, f"kill {kill} of {action}"
    process = spawn("file", desk.inbox, "--model", model_file, *given)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert digests(desk.inbox, desk.out) == before
    assert list(desk.inbox.iterdir()) == []
    with Library.open(desk.out / ".textclf") as library:
        documents = library.list_documents(limit=1000)
        assert {one.sha256 for one in documents} == {*before}
        for one in documents:
            (move,) = library.journal.done(one.sha256, str(desk.out))
            assert hashlib.sha256(Path(move.target).read_bytes()).hexdigest() == one.sha256
            prediction = library.prediction(one.id)
            folder = "_failed" if one.status == "failed" else prediction.predicted_category
            folder = folder if prediction.decision == "accept" or one.status == "failed" else "_review"
            assert Path(move.target).parent == desk.out / folder
        assert library.journal.unsettled(str(desk.out)) == []
    assert not list(desk.out.rglob("*.part"))
