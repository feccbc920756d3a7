"""Fixtures for the tests of several packages: a real Dask cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def start_cluster(allowed_failures: int = 3) -> Iterator[Any]:
    dask = pytest.importorskip("dask", reason="the extra [dask] is not installed")
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": allowed_failures}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def _cluster() -> Iterator[Any]:
    with start_cluster() as client:
        yield client


@pytest.fixture
def cluster(_cluster: Any) -> Any:
    """The client of a Dask cluster of two running processes."""
    _cluster.wait_for_workers(2, timeout=180)
    # a worker that is killed while its nanny still starts it is not replaced
    while not all(nanny.status.name == "running" for nanny in _cluster.cluster.workers.values()):
        time.sleep(0.05)
    return _cluster


@pytest.fixture
def doomed_cluster() -> Iterator[Any]:
    """A cluster that gives up a task after it has killed two workers."""
    with start_cluster(allowed_failures=1) as client:
        yield client
