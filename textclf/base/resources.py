"""How many processes this computer, or the container it runs, has room for."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_WORKER_MEMORY = 500_000_000
"""Bytes planned for a worker with its engine: 240 million were measured on colour pages of 600 dpi."""
_ROOT = Path("/")
MAX_JOBS = 1024
"""Maximum number of worker processes."""


def usable_cores(root: Path = _ROOT) -> int:
    """Count the cores this process may use: its affinity and, in a container, its share of time, rounded up."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # control groups of version 2 and 1: https://docs.kernel.org/admin-guide/cgroup-v2.html
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        quota, period, *_ = [*" ".join(_texts(root, *(f"sys/fs/cgroup/{name}" for name in names))).split(), "", ""]
        if quota.isdecimal() and period.isdecimal():
            cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


def usable_memory(root: Path = _ROOT) -> int:
    """Count the bytes of memory that are free, and within the limit of a container; 2 ** 62 if that is not known."""
    found = [1 << 62]
    for text in _texts(root, "proc/meminfo"):
        found += [int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("MemAvailable:")]
    for text in _texts(root, "sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"):
        found += [int(text)] if text.strip().isdecimal() else []
    return min(found)


def usable_jobs() -> int:
    """Count the worker processes that memory allows and that, with ``OMP_THREAD_LIMIT`` threads each, fit the cores."""
    threads = os.environ.get("OMP_THREAD_LIMIT", "")
    fitting = usable_cores() // max(1, int(threads) if threads.isdecimal() else 1)
    return max(1, min(fitting, usable_memory() // _WORKER_MEMORY))


def _texts(root: Path, *names: str) -> Iterator[str]:
    for name in names:
        try:
            yield (root / name).read_text(encoding="ascii")
        except (OSError, ValueError):
            continue
