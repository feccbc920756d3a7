"""The executor, over its three back ends: this process, real processes, and a real Dask cluster."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from itertools import count, islice
from pathlib import Path

import cloudpickle
import loky.backend.process
import numpy as np
import pytest

from textclf.base import cluster as dask_cluster
from textclf.base.cluster import open_cluster
from textclf.base.errors import BadDataError, BadInputError, LostTaskError
from textclf.base.executor import HELD, QUEUED, map_in_order, open_executor
from textclf.base.processes import WorkerProcess

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes")

# processes are sent the functions of this module, and need not import it and pytest
cloudpickle.register_pickle_by_value(sys.modules[__name__])

HERE = os.getpid()
PLACES = ("this process", "processes", "piped processes", "cluster")


@pytest.fixture(params=PLACES)
def place(request):
    return request.param


@pytest.fixture
def opened(place, request, monkeypatch):
    """Opens an executor of the back end that is tested."""
    monkeypatch.setattr("textclf.base.processes.has_semaphores", lambda: "piped" not in place)

    def start(**options):
        dask = request.getfixturevalue(place) if "cluster" in place else ""
        return open_executor(2 if "processes" in place else 0, dask=dask, **options)

    return start


@pytest.fixture
def executor(opened):
    with opened() as executor:
        yield executor


@pytest.fixture(params=[True, False], ids=["loky", "piped"])
def process(request, monkeypatch):
    """An executor of one process."""
    monkeypatch.setattr("textclf.base.processes.has_semaphores", lambda: request.param)
    with open_executor(1, isolate=True, max_memory=3_000_000_000) as executor:
        yield executor


def result_of(executor, function, *arguments):
    executor.submit("key", function, *arguments)
    (outcome,) = executor.collect()
    assert outcome.key == "key"
    return outcome.get()


def times(shared, number):
    return shared * number


def square(_, number):
    return number * number


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_of_three(shared, number):
    if number == 3:
        die()
    return shared * number


def die_once(marker, number):
    if number == 3 and not marker.exists():
        marker.touch()
        die()
    return number


def fail(_, number):
    raise ValueError(f"no {number}")


def refuse():
    raise BadDataError("has no text", where="a.csv", remedy="give some")


def log_and_fail(number):
    logging.getLogger("textclf.some.module").info("number %s", number)
    logging.getLogger("textclf.some.module").debug("not asked for")
    logging.getLogger("textclf.other").warning("about to fail")
    raise ValueError(f"no {number}")


# over all back ends


def test_outcomes_come_in_the_order_of_the_items(executor, place):
    assert executor.size == (1 if place == "this process" else 2)
    shared = executor.share(2)
    assert list(executor.map(times, ((shared, number) for number in range(9)))) == list(range(0, 18, 2))
    assert list(executor.map(times, ((shared, number) for number in range(2)))) == [0, 2]


def test_what_is_done_first_is_collected_first(executor):
    seen = []
    for number in range(3):
        while not executor.has_room():
            seen += executor.collect()
        executor.submit(number, times, 2, number)
        assert number in executor.running()
    while executor.running():
        seen += executor.collect()
    assert {outcome.key: outcome.get() for outcome in seen} == {0: 0, 1: 2, 2: 4}
    assert all(outcome.seconds >= 0 for outcome in seen)
    assert executor.collect() == []


def test_items_are_drawn_only_a_little_ahead(opened):
    numbers = count()
    with opened(ahead=3) as executor:
        first = list(islice(executor.map(times, ((2, number) for number in numbers)), 5))
    assert first == [0, 2, 4, 6, 8]
    assert next(numbers) <= 5 + HELD * executor.size


def test_what_a_task_raises_comes_as_its_outcome_and_no_other_suffers(executor):
    outcomes = executor.outcomes(divmod, [(4, 2), (1, 0), (9, 3)])
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    with pytest.raises(ValueError, match="no 7"):
        list(executor.map(fail, [(2, 7)]))
    with pytest.raises(BadDataError, match=r"^a.csv: has no text; give some$"):
        result_of(executor, refuse)
    assert result_of(executor, abs, -1) == 1


def test_a_map_that_is_given_up_stops_its_own_tasks_alone(executor):
    given_up = executor.outcomes(times, ((2, number) for number in count()))
    assert next(given_up).get() == 0
    executor.submit("other", abs, -1)
    given_up.close()
    assert executor.running() == ["other"]
    assert [outcome.get() for outcome in executor.collect()] == [1]


def test_what_is_shared_is_whole(executor):
    value = {"numbers": np.arange(100_000), "none": np.empty((0, 3)), "rows": np.eye(50)[::2], "name": "città"}
    shared = executor.share(value)
    total, shape, rows, name = result_of(executor, look_at, shared)
    assert (total, shape, rows, name) == (value["numbers"].sum(), (0, 3), 25.0, "città")
    # a worker may change its own
    assert result_of(executor, write_to, shared) == 7


def test_of_values_shared_one_after_the_other_each_task_gets_its_own(executor):
    # of equal size, and each gone before the next is there
    assert [result_of(executor, times, executor.share(number), 1) for number in range(20)] == list(range(20))


def look_at(value):
    return int(value["numbers"].sum()), value["none"].shape, float(value["rows"].sum()), value["name"]


def write_to(value):
    value["numbers"][0] = 7
    return int(value["numbers"][0])


def test_what_a_task_logs_is_logged_here(executor, caplog):
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.INFO, logger="textclf.some")
    executor.submit(1, log_and_fail, 1)
    assert isinstance(executor.collect()[0].error, ValueError)
    logged = [record for record in caplog.record_tuples if record[0].startswith("textclf")]
    assert logged == [
        ("textclf.some.module", logging.INFO, "number 1"),
        ("textclf.other", logging.WARNING, "about to fail"),
    ]


@pytest.mark.parametrize(
    "place",
    ["processes", "piped processes", pytest.param("doomed_cluster", marks=pytest.mark.slow)],
    indirect=True,
)
def test_a_task_that_kills_its_worker_is_named_and_lost_alone(opened):
    with opened(verb="tried", remedy="look into the logs") as executor:
        shared = executor.share(2)
        outcomes = executor.outcomes(die_of_three, [(shared, 2), (shared, 4)])
        assert [outcome.result for outcome in outcomes] == [4, 8]
        # it may take what all share along
        (outcome,) = executor.outcomes(die_of_three, [(shared, 3)], name=lambda _, number: f"number {number}")
        lost = outcome.error
        assert isinstance(lost, LostTaskError)
        assert (lost.where, lost.remedy) == ("number 3", "look into the logs")
        assert "process that tried it died" in str(lost)
        assert list(executor.map(times, [(shared, 5)])) == [10]


@pytest.mark.parametrize(
    ("place", "ahead"),
    [
        ("processes", 1),
        ("processes", 3),
        pytest.param("piped processes", 1, marks=pytest.mark.slow),
        ("piped processes", 3),
        ("cluster", 1),
        pytest.param("cluster", 3, marks=pytest.mark.slow),
    ],
    indirect=["place"],
)
def test_a_task_whose_worker_dies_once_is_done_the_second_time(opened, tmp_path, ahead):
    with opened(ahead=ahead) as executor:
        items = [(tmp_path / "died", number) for number in range(6)]
        assert list(executor.map(die_once, items)) == list(range(6))
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize(
    "place", ["processes", "piped processes", pytest.param("cluster", marks=pytest.mark.slow)], indirect=True
)
def test_a_task_that_hangs_is_stopped_and_those_that_wait_for_it_are_done(opened, place):
    # what runs on a cluster runs to its end there
    long = 60 if "processes" in place else 6
    with opened(seconds=3, ahead=2 if "processes" in place else 1) as executor:
        outcomes = list(executor.outcomes(time.sleep, [(long,), (0,), (0,), (0,)]))
    assert [outcome.error is None for outcome in outcomes] == [False, True, True, True]
    assert str(outcomes[0].error) == "took longer than 3 s and was stopped"
    assert 3 <= outcomes[0].seconds < 30


# processes of this computer


def test_a_process_has_its_own_temporary_folder_which_goes_with_it(process):
    folder = Path(result_of(process, tempfile.gettempdir))
    assert folder.name.startswith("textclf-")
    process.close()
    assert not folder.exists()


def test_a_process_that_died_between_two_tasks_is_replaced(process):
    pid = result_of(process, os.getpid)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    assert result_of(process, os.getpid) != pid


def test_a_process_that_is_killed_comes_back(process):
    process.submit("sleep", time.sleep, 60)
    time.sleep(0.2)
    started = time.monotonic()
    process.close()
    assert time.monotonic() - started < 30


def never_begin(*_):
    time.sleep(60)


def test_a_process_that_is_still_starting_is_killed_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr("textclf.base.processes._begin", never_begin)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    started = time.monotonic()
    with open_executor(2) as executor:
        executor.submit("first", os.getpid)
        executor.submit("second", os.getpid)
    assert time.monotonic() - started < 40
    assert list(tmp_path.iterdir()) == []


def test_a_task_that_needs_more_memory_than_allowed_fails_alone(process):
    with pytest.raises(MemoryError):
        result_of(process, bytearray, 4_000_000_000)
    assert result_of(process, abs, -1) == 1


def test_a_process_is_replaced_after_so_many_tasks():
    with open_executor(1, isolate=True, max_tasks=2) as executor:
        pids = [result_of(executor, os.getpid) for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_the_successor_of_a_process_is_warm_before_it_has_a_task(tmp_path):
    def warm_up() -> None:
        time.sleep(1)
        (tmp_path / str(os.getpid())).touch()

    def is_warm() -> bool:
        return (tmp_path / str(os.getpid())).exists()

    with open_executor(1, isolate=True, max_tasks=40, warm_up=warm_up) as executor:
        seconds, pids = [], set()
        while len(pids) < 2 and len(seconds) < 79:
            begun = time.monotonic()
            assert result_of(executor, is_warm)
            pids.add(result_of(executor, os.getpid))
            seconds.append(time.monotonic() - begun)
            # its last tasks come slowly
            time.sleep(0.2 * (len(seconds) > 9))
        assert len(pids) == 2
        # but for the first, nobody waited for a process to start and warm up
        assert max(seconds[1:]) < 0.9
    for pid in {*pids, *map(int, (path.name for path in tmp_path.iterdir()))}:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_processes_end_with_the_executor_and_leave_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with open_executor(2) as executor:
        executor.share(np.ones(1000))
        pids = {outcome.get() for outcome in executor.outcomes(os.getpid, [()] * 8)}
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("semaphores", [True, False])
def test_processes_end_with_the_process_that_started_them(tmp_path, semaphores, without_semaphores):
    command = [*([] if semaphores else without_semaphores), sys.executable, "-c"]
    script = """
import os, signal, time
from textclf.base.executor import open_executor
with open_executor(1, isolate=True) as executor:
    executor.submit(1, os.getpid)
    print(executor.collect()[0].get(), flush=True)
    executor.submit(2, time.sleep, 60)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([*command, script], stdout=subprocess.PIPE, env=environment, text=True)
    end = time.monotonic() + 20
    while Path(f"/proc/{done.stdout.strip()}").exists() or list(tmp_path.glob("textclf-*")):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_where_there_are_no_semaphores_processes_are_spoken_to_through_pipes(without_semaphores):
    script = """
import os, resource
from textclf.base.errors import LostTaskError
from textclf.base.executor import open_executor
try:
    __import__("multiprocessing").Lock()
except OSError:
    print("no semaphores")
with open_executor(1, isolate=True, max_memory=3_000_000_000, seconds=1) as executor:
    executor.submit(1, os.getpid)
    print(executor.collect()[0].get() != os.getpid())
    executor.submit(2, resource.getrlimit, resource.RLIMIT_AS)
    print(executor.collect()[0].get()[0])
    executor.submit(3, __import__("time").sleep, 60)
    print(executor.collect()[0].error)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [*without_semaphores, sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, env=environment, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [
        "no semaphores",
        "True",
        "3000000000",
        "took longer than 1 s and was stopped",
    ], done.stderr


@pytest.fixture
def permitted(monkeypatch):
    """Sets how many processes the system permits; gives those that were started."""
    started, start = [], WorkerProcess.start

    def permit(number):
        def start_or_refuse(worker):
            if len(started) >= number:
                raise BlockingIOError(11, "Resource temporarily unavailable")
            started.append(worker)
            start(worker)

        monkeypatch.setattr(WorkerProcess, "start", start_or_refuse)
        return started

    return permit


@pytest.mark.parametrize("at_once", [False, True])
def test_where_no_process_can_be_had_all_is_done_in_this_one(permitted, at_once):
    permitted(0)
    with open_executor(2, at_once=at_once) as executor:
        shared = executor.share([1, 2])
        assert list(executor.map(sum, [(shared,), ([3, 4],)])) == [3, 7]
        assert result_of(executor, os.getpid) == HERE


def test_without_a_task_no_process_is_started(permitted):
    started = permitted(2)
    with open_executor(2):
        assert not started


def test_no_more_processes_are_started_than_there_are_tasks(permitted):
    started = permitted(2)
    with open_executor(10**22) as executor:
        assert list(executor.map(times, [(2, 1), (2, 2)])) == [2, 4]
    assert len(started) == 2


def test_where_fewer_processes_are_permitted_they_do_all_tasks(permitted):
    started = permitted(2)
    with open_executor(30) as executor:
        assert list(executor.map(times, [(2, number) for number in range(9)])) == list(range(0, 18, 2))
    assert len(started) == 2


@pytest.mark.parametrize("asked", range(1, 4))
def test_an_interrupt_while_processes_are_starting_leaves_none(tmp_path, monkeypatch, asked):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    processes = []

    def start_and_interrupt(process):
        start(process)
        processes.append(process.pid)
        if len(processes) == asked:
            signal.raise_signal(signal.SIGINT)

    start = loky.backend.process.LokyProcess.start
    monkeypatch.setattr(loky.backend.process.LokyProcess, "start", start_and_interrupt)
    with pytest.raises(KeyboardInterrupt), open_executor(3) as executor:
        list(executor.map(times, [(2, 1), (2, 2), (2, 3)]))
    assert list(tmp_path.iterdir()) == []
    assert len(processes) == asked
    for pid in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_process_whose_folder_is_gone_ends_silently(tmp_path):
    script = "from textclf.base.processes import _begin; import sys; _begin(sys.argv[1], None)"
    command = [sys.executable, "-c", script, str(tmp_path / "gone")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("", "")


def test_processes_and_joblib_go_together_in_one_process():
    script = """
import os
import joblib
import numpy as np
from textclf.base.executor import open_executor
for _ in range(2):
    with open_executor(2) as executor:
        assert {outcome.get() for outcome in executor.outcomes(os.getpid, [()] * 4)}
        # so large that joblib hands it over as a file, which a tracker removes
        joblib.Parallel(n_jobs=2)(joblib.delayed(np.sum)(np.zeros(1_000_000)) for _ in range(2))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# a stream whose batches are worked on by threads


def square_slowly(started, number):
    started.append((number, threading.current_thread()))
    time.sleep(0.05 if number % 3 else 0.1)
    return number * number


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_come_in_order_from_several_threads(jobs):
    started, others = [], threading.active_count()
    assert list(map_in_order(square_slowly, started, range(12), jobs=jobs)) == [number**2 for number in range(12)]
    assert len({thread for _, thread in started}) == jobs
    assert threading.active_count() <= others


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stream_without_end_is_read_only_a_little_ahead(jobs):
    numbers = count()
    assert list(islice(map_in_order(square, None, numbers, jobs=jobs), 5)) == [0, 1, 4, 9, 16]
    assert next(numbers) <= 5 + QUEUED * jobs + 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_of_a_stream_raises_is_raised_here_and_what_waits_is_not_begun(jobs):
    started, others = [], threading.active_count()

    def fail_at_two(_, number):
        started.append(number)
        if number == 2:
            raise ValueError("no 2")

    with pytest.raises(ValueError, match="no 2"):
        list(map_in_order(fail_at_two, None, range(1_000), jobs=jobs))
    assert len(started) <= 3 + QUEUED * jobs + 1
    assert threading.active_count() <= others


# clusters


def test_a_worker_of_a_cluster_that_is_killed_loses_and_doubles_nothing(cluster, tmp_path):
    victim = next(iter(cluster.run(os.getpid).values()))
    threading.Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
    with open_executor(0, dask=cluster) as executor:
        items = [(executor.share(1), number) for number in range(20)]
        assert list(executor.map(times_slowly, items)) == list(range(20))


def times_slowly(shared, number):
    time.sleep(0.1)
    return shared * number


def test_no_cluster_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(dask_cluster, "_SECONDS", 1)
    with pytest.raises(BadInputError, match="no Dask scheduler answers"), open_cluster("tcp://127.0.0.1:9"):
        pass
