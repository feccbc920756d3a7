from __future__ import annotations

import os
import signal
import tempfile
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

import ocr.workers
from ocr.workers import InProcess, WorkerProcess, usable_cores


@pytest.fixture
def worker():
    process = WorkerProcess(3_000_000_000)
    yield process
    process.kill()


def test_a_worker_has_its_own_temporary_folder_which_goes_with_it(worker):
    folder = Path(worker.submit(tempfile.gettempdir).result())
    assert folder.name.startswith("textclf-")
    worker.close()
    assert not folder.exists()


def test_a_worker_that_died_between_two_tasks_is_replaced(worker):
    pid = worker.submit(os.getpid).result()
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    assert worker.submit(os.getpid).result() != pid


def test_a_worker_that_is_killed_ends_its_task_and_comes_back(worker):
    sleeping = worker.submit(time.sleep, 60)
    time.sleep(0.2)
    worker.kill()
    with pytest.raises(BrokenExecutor):
        sleeping.result(timeout=5)
    assert worker.submit(abs, -1).result() == 1


def test_a_task_that_needs_more_memory_than_allowed_fails_alone(worker):
    with pytest.raises(MemoryError):
        worker.submit(bytearray, 4_000_000_000).result()
    assert worker.submit(abs, -1).result() == 1


def test_a_worker_is_recycled(worker, monkeypatch):
    monkeypatch.setattr(ocr.workers, "_RECYCLE_AFTER", 2)
    pids = [worker.submit(os.getpid).result() for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_in_process_a_task_that_fails_is_told_by_its_future():
    with pytest.raises(ZeroDivisionError):
        InProcess().submit(divmod, 1, 0).result()


def test_there_is_a_core():
    assert usable_cores() >= 1
