"""Tasks that several processes do: each is held by a lease, and told anew if its message was lost."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from textclf.library.tasks import MAX_ATTEMPTS

LONG, SHORT = timedelta(hours=1), timedelta(milliseconds=50)
NONE = timedelta(0)


@pytest.fixture
def add(library, clock):
    def add(*names: str) -> None:
        for name in names:
            library.tasks.add(name, {}, at=clock())

    return add


def told(library) -> list[str]:
    names = [task.id for task in library.leases.untold(9)]
    library.leases.told(names)
    return names


def test_one_of_many_workers_gets_a_task(library, add):
    add("a")
    with ThreadPoolExecutor(8) as workers:
        taken = workers.map(lambda n: library.leases.start("a", f"worker{n}", LONG, attempts=0), range(8))
    assert [task.attempts for task in taken if task is not None] == [1]
    assert library.leases.start("a", "late", LONG, attempts=1) is None
    assert library.leases.start("none", "late", LONG, attempts=0) is None


def test_a_task_whose_worker_fell_silent_waits_again_and_that_of_a_living_one_does_not(library, add, clock):
    add("a", "b", "c")
    for name, owner in (("a", "dead"), ("b", "alive"), ("c", "alive")):
        library.leases.start(name, owner, SHORT, attempts=0)
    # that it began "c" did not reach the worker, as where the connection broke
    library.leases.renew(["a", "b"], "alive", LONG)
    time.sleep(0.1)
    assert library.leases.end_lapsed({}) == []
    assert [library.tasks.get(name).state for name in "abc"] == ["pending", "started", "pending"]
    # also a service that starts anew leaves the tasks of workers to them
    assert library.tasks.restart({}, at=clock()) == []
    assert library.tasks.get("b").state == "started"
    assert library.leases.start("a", "other", LONG, attempts=1).attempts == 2
    # the first to finish counts, even if it was thought to be dead
    assert library.tasks.finish("a", {"by": "dead"}, at=clock())
    assert not library.tasks.finish("a", {"by": "other"}, at=clock())
    assert library.tasks.get("a").result == {"by": "dead"}


def test_a_task_during_which_workers_fall_silent_again_and_again_is_put_aside(library, add):
    add("a")
    for attempts in range(MAX_ATTEMPTS):
        assert library.leases.end_lapsed({"detail": "given up"}) == []
        library.leases.start("a", "worker", SHORT, attempts=attempts)
        time.sleep(0.1)
    assert library.leases.end_lapsed({"detail": "given up"}) == ["a"]
    assert (library.tasks.get("a").state, library.tasks.get("a").result) == ("failure", {"detail": "given up"})


def test_a_task_is_put_back_by_its_owner_alone(library, add):
    add("a")
    told(library)
    library.leases.start("a", "worker", LONG, attempts=0)
    for other in ("other", ""):
        library.tasks.put_back("a", other)
        assert library.tasks.get("a").state == "started"
    library.tasks.put_back("a", "worker")
    assert (library.tasks.get("a").state, library.tasks.get("a").attempts) == ("pending", 0)
    assert told(library) == ["a"]


def test_workers_are_told_of_each_task_once_and_again_if_one_told_later_was_begun(library, add):
    assert told(library) == []
    add("a", "b")
    assert told(library) == ["a", "b"]
    assert told(library) == []
    time.sleep(0.1)
    add("c")
    assert told(library) == ["c"]
    assert library.leases.tell_again(SHORT, all_waiting=False) == 0
    library.leases.start("c", "worker", LONG, attempts=0)
    assert library.leases.tell_again(LONG, all_waiting=False) == 0
    assert library.leases.tell_again(SHORT, all_waiting=False) == 2
    assert told(library) == ["a", "b"]
    assert library.leases.tell_again(SHORT, all_waiting=False) == 0


def test_workers_are_told_again_of_all_that_waits_where_no_message_is_left(library, add):
    add("a", "b", "c")
    told(library)
    library.leases.start("b", "worker", LONG, attempts=0)
    assert not library.leases.has_waited(LONG)
    assert library.leases.tell_again(LONG, all_waiting=True) == 0
    time.sleep(0.01)
    assert library.leases.has_waited(NONE)
    assert library.leases.tell_again(NONE, all_waiting=True) == 2
    assert told(library) == ["a", "c"]


def test_it_is_told_which_tasks_have_ended(library, add, clock):
    add("a", "b")
    library.tasks.finish("a", {}, at=clock())
    assert library.tasks.finished(["b", "a", "gone"]) == ["a", "gone"]
    assert library.tasks.finished([]) == []
