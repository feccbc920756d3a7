"""Tries by processes, and on a real Dask cluster of processes."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager

import pytest

from textclf.base.tries import open_team
from textclf.checks.tuning import tune

needs_dask = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes")


@contextmanager
def start_cluster():
    distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def times(shared, number):
    return shared * number


def die_of_three(shared, number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return shared * number


def fail(shared, number):
    raise ValueError(f"no {number}")


@pytest.mark.parametrize("jobs", [1, 2])
def test_processes_give_all_in_order(jobs):
    with open_team(2, jobs=jobs) as team:
        assert team.size == jobs
        assert team.run(times, [(number,) for number in range(5)]) == [0, 2, 4, 6, 8]
        with pytest.raises(ValueError, match="no 7"):
            team.run(fail, [(7,)])


@pytest.mark.slow
@needs_dask
def test_a_try_that_kills_its_worker_is_lost_alone():
    with start_cluster() as client, open_team(2, dask=client.scheduler.address) as team:
        assert team.size == 2
        assert team.run(die_of_three, [(2,)]) == [4]
        # it may take what all share along
        assert team.run(die_of_three, [(3,)]) == [None]
        assert team.run(times, [(4,), (5,)]) == [8, 10]
        with pytest.raises(ValueError, match="no 7"):
            team.run(fail, [(7,)])


@pytest.mark.slow
@needs_dask
def test_a_cluster_finds_what_one_process_finds_although_a_worker_is_killed(corpus, monkeypatch):
    _, texts, categories = corpus(12)
    alone = tune(texts, categories, candidates=3, minutes=10)
    with start_cluster() as client:
        living = list(client.run(os.getpid).values())

        def kill(message):
            if len(living) == 2:
                os.kill(living.pop(), signal.SIGKILL)

        monkeypatch.setattr("textclf.checks.tuning._log.info", kill)
        assert tune(texts, categories, candidates=3, minutes=10, dask=client.scheduler.address) == alone
    assert len(living) == 1


@pytest.mark.slow
@needs_dask
def test_ctrl_c_on_a_cluster_keeps_the_best_so_far(spawn, corpus, table, tmp_path):
    path = table(tmp_path / "d.csv", corpus(12).rows())
    process = spawn("tune", path, "-o", tmp_path / "settings.json", "--dask", "local")
    said = ""
    end = time.monotonic() + 120
    while "settings tried" not in said and time.monotonic() < end:
        said += process.stderr.readline()
    # a terminal sends it to the workers too
    os.killpg(process.pid, signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert "stopped before the end" in out
    assert (tmp_path / "settings.json").exists()
