from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

import textclf.base.workers
from textclf.base.workers import InProcess, WorkerProcess, usable_cores, usable_jobs, usable_memory

ROOT = Path(__file__).parents[3]
PLENTY = 1 << 62


@pytest.fixture
def worker():
    process = WorkerProcess(3_000_000_000)
    yield process
    process.kill()


def test_a_worker_has_its_own_temporary_folder_which_goes_with_it(worker):
    folder = Path(worker.submit(tempfile.gettempdir).result())
    assert folder.name.startswith("textclf-")
    worker.kill()
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
    monkeypatch.setattr(textclf.base.workers, "_RECYCLE_AFTER", 2)
    pids = [worker.submit(os.getpid).result() for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_in_process_a_task_that_fails_is_told_by_its_future():
    with pytest.raises(ZeroDivisionError):
        InProcess().submit(divmod, 1, 0).result()


def test_cores_are_those_this_process_may_use(tmp_path):
    script = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    script += "from textclf.base.workers import usable_cores, usable_jobs; print(usable_cores(), usable_jobs())"
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1", "1"]


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", 64), ("400000 100000", 4), ("50000 100000", 1)])
def test_cores_are_those_a_container_may_use(monkeypatch, tmp_path, quota, cores):
    (tmp_path / "cpu.max").write_text(quota)
    real, exists = open, os.path.exists

    def moved(path):
        return tmp_path / Path(path).name if str(path).startswith("/sys/fs/cgroup") else path

    monkeypatch.setattr("builtins.open", lambda path, *more, **options: real(moved(path), *more, **options))
    monkeypatch.setattr("os.path.exists", lambda path: exists(moved(path)))
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)))
    assert usable_cores() == cores


@pytest.mark.parametrize(
    ("threads", "memory", "jobs"),
    [("", PLENTY, 8), ("1", PLENTY, 8), ("4", PLENTY, 2), ("99", PLENTY, 1), ("x", PLENTY, 8), ("", 1_600_000_000, 3)],
)
def test_workers_times_threads_fit_the_cores_and_the_memory(monkeypatch, threads, memory, jobs):
    monkeypatch.setattr(textclf.base.workers, "usable_cores", lambda: 8)
    monkeypatch.setattr(textclf.base.workers, "usable_memory", lambda: memory)
    monkeypatch.setenv("OMP_THREAD_LIMIT", threads)
    assert usable_jobs() == jobs


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("proc/meminfo", "MemTotal: 9999 kB\nMemAvailable:    2 kB\n"),
        ("sys/fs/cgroup/memory.max", "2048\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2048\n"),
    ],
)
def test_memory_is_what_is_free_within_the_bound_of_a_container(tmp_path, name, content):
    assert usable_memory(tmp_path) > 10**18
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(content)
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True, exist_ok=True)
    if "cgroup" not in name:
        (tmp_path / "sys/fs/cgroup/memory.max").write_text("max\n")
    assert usable_memory(tmp_path) == 2048


def test_reading_and_joblib_go_together_in_one_process():
    script = """
import os
import joblib
import numpy as np
from textclf.base.workers import WorkerProcess
for _ in range(2):
    workers = [WorkerProcess(10**10) for _ in range(2)]
    assert len({worker.submit(os.getpid).result() for worker in workers}) == 2
    # so large that joblib hands it over as a file, which a tracker removes
    joblib.Parallel(n_jobs=2)(joblib.delayed(np.sum)(np.zeros(1_000_000)) for _ in range(2))
    for worker in workers:
        worker.kill()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
