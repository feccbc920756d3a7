from __future__ import annotations

import threading
from contextlib import closing

import pytest

from textclf.data.scans import ScanOptions
from textclf.folders.filing import Filed
from textclf.folders.options import Destinations, FilingOptions
from textclf.folders.wake_up import WakeUp
from textclf.folders.watch_options import WatchOptions
from textclf.folders.watching import Watcher


def test_a_wake_up_that_is_closed_writes_into_no_other_file(tmp_path):
    wake_up = WakeUp()
    wake_up.close()
    with (tmp_path / "a").open("wb"), (tmp_path / "b").open("wb"):
        wake_up.set()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b""


class LeavingFiler:
    """Finds that each file lies where it belongs, without reading it."""

    mover = None

    def __init__(self, into):
        self.destinations = Destinations.of(into, FilingOptions())

    def run(self, waiting, scans):
        for one in waiting:
            path = one.found.file
            yield Filed(document_id=one.found.document_id, source=path, target=path, result="filed")


@pytest.fixture
def watch(desk):
    """Watches folders for a moment, and gives the names of the files that were told of."""

    def watch(*inboxes, seconds=0.4):
        options = WatchOptions(settle=0, poll=0.1)
        watcher = Watcher(inboxes, LeavingFiler(desk.into), ScanOptions(), options)
        with closing(watcher):
            timer = threading.Timer(seconds, watcher.stop)
            timer.start()
            told = [filed.source.name for filed in watcher.run()]
            timer.join()
        return told

    return watch


def test_a_file_that_lies_where_it_belongs_is_told_once(desk, watch):
    (desk.inbox / "x.pdf").touch()
    assert watch(desk.inbox) == ["x.pdf"]


def test_a_folder_that_is_missing_does_not_keep_others_from_being_watched(desk, watch, caplog):
    (desk.inbox / "x.pdf").touch()
    missing = desk.inbox.parent / "missing"
    with caplog.at_level("WARNING", logger="textclf"):
        assert watch(missing, desk.inbox) == ["x.pdf"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{missing}: there is no such file or folder; it is looked for every 5 s"
    ]
