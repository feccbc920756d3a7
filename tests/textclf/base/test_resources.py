from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from textclf.base import resources
from textclf.base.resources import usable_cores, usable_jobs, usable_memory

ROOT = Path(__file__).parents[3]
PLENTY = 1 << 62


def test_cores_are_those_this_process_may_use():
    script = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    script += "from textclf.base.resources import usable_cores, usable_jobs; print(usable_cores(), usable_jobs())"
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1", "1"]


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 64),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu.max": "400000 100000\n"}, 4),
        ({"cpu.max": "350000 100000\n"}, 4),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64),
    ],
)
def test_cores_are_those_a_container_may_use(monkeypatch, tmp_path, files, cores):
    for name, content in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)))
    assert usable_cores(tmp_path) == cores


@pytest.mark.parametrize(
    ("threads", "memory", "jobs"),
    [("", PLENTY, 8), ("1", PLENTY, 8), ("4", PLENTY, 2), ("99", PLENTY, 1), ("x", PLENTY, 8), ("", 1_600_000_000, 3)],
)
def test_workers_times_threads_fit_the_cores_and_the_memory(monkeypatch, threads, memory, jobs):
    monkeypatch.setattr(resources, "usable_cores", lambda: 8)
    monkeypatch.setattr(resources, "usable_memory", lambda: memory)
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
