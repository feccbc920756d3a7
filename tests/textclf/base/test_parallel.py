"""A stream of work through several processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from itertools import count, islice

import pytest

from textclf.base.errors import PredictionError
from textclf.base.parallel import HELD, map_in_order
from textclf.data import predictions as predicting
from textclf.data.predictions import predict_documents

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes")


HERE = os.getpid()


def square(_, number):
    return number * number, os.getpid()


def square_slowly_elsewhere(here, number):
    if os.getpid() != here:
        time.sleep(0.05)
    return square(here, number)


def die_once_elsewhere(given, number):
    here, marker = given
    if os.getpid() != here and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_after_elsewhere(given, number):
    """Kill the other process while it waits for more to do."""
    here, marker = given
    if os.getpid() == here:
        time.sleep(0.2)
    elif not marker.exists():
        marker.touch()
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return number


def die_elsewhere(here, number):
    if os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def wait_elsewhere(here, number):
    if os.getpid() != here:
        time.sleep(0.5)
    return number


def fail(_, number):
    raise ValueError(f"no {number}")


@pytest.mark.parametrize("task", [square, square_slowly_elsewhere])
def test_results_come_in_order_from_several_processes_of_which_this_is_one(task):
    found = list(map_in_order(task, HERE, range(100), jobs=2, alone=3))
    assert [result for result, _ in found] == [number * number for number in range(100)]
    assert len({process for _, process in found}) == 2


def test_a_short_stream_needs_no_process():
    assert {process for _, process in map_in_order(square, None, range(3), jobs=2, alone=3)} == {HERE}


def test_a_stream_without_end_is_read_only_a_little_ahead():
    numbers = count()
    first = list(islice(map_in_order(square, None, numbers, jobs=2), 5))
    assert [result for result, _ in first] == [0, 1, 4, 9, 16]
    assert next(numbers) < 5 + HELD * 2 + 1


@pytest.mark.parametrize("task", [die_once_elsewhere, die_after_elsewhere])
def test_the_work_of_a_process_that_died_is_done_by_another(tmp_path, task):
    assert list(map_in_order(task, (HERE, tmp_path / "died"), range(20), jobs=2)) == list(range(20))
    assert (tmp_path / "died").exists()


def test_processes_that_always_die_end_it_with_a_remedy():
    with pytest.raises(PredictionError, match="--jobs 1"):
        list(map_in_order(die_elsewhere, HERE, range(9), jobs=2))


def test_what_a_task_raises_is_raised_here():
    with pytest.raises(ValueError, match="no "):
        list(map_in_order(fail, None, range(9), jobs=2))


def test_while_one_process_is_slow_not_all_is_done_by_this_one():
    numbers = iter(range(1000))
    first = next(map_in_order(wait_elsewhere, HERE, numbers, jobs=2))
    assert first == 0
    assert next(numbers) <= HELD * 2 + 1


def test_a_table_is_predicted_the_same_by_one_and_by_several(textclf, tmp_path, table, corpus, model_path, monkeypatch):
    monkeypatch.setattr(predicting, "DOCUMENTS_AT_ONCE", 20)
    monkeypatch.setattr(predicting, "CHARACTERS_AT_ONCE", 2_000)
    _, texts, _ = corpus(4)
    rows = [[f"{number}", texts[number % 12]] for number in range(200)]
    rows[150] = ["x", "one", "too many"]
    rows[160] = ["long", "vat " * 1000]
    path = table(tmp_path / "d.csv", [], ("document_id", "text"))
    path.write_text("document_id,text\n" + "".join(f"{','.join(row)}\n" for row in rows))
    results = []
    for spread in (("--jobs", "1"), ("--jobs", "2"), ("--dask", "local")):
        assert textclf("predict", model_path, path, "-o", tmp_path / "p.csv", "--why", *spread).code == 0
        results.append((tmp_path / "p.csv").read_bytes())
    one, two, cluster = results
    assert one == two == cluster
    assert one.count(b"\n") == len(rows) + 1


def test_fewer_processes_than_one_are_refused(textclf, tmp_path, table, model_path):
    path = table(tmp_path / "d.csv", [("a", "b")], ("document_id", "text"))
    assert textclf("predict", model_path, path, "-o", tmp_path / "p", "--jobs", "0").code == 2
    assert list(predict_documents(None, [])) == []
