"""Records: each change is one conditional write, whatever comes twice, late or from two workers at a time."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest

from aws_ml_adapter.serverless.jobs import Job, Jobs, Turn, task_id_of

NUMBERS = itertools.count()


@pytest.fixture
def clock():
    return [time.time()]


@pytest.fixture
def jobs(shared_cloud, clock):
    client, table = shared_cloud.dynamodb, shared_cloud.table
    return Jobs(client, table, keep_days=1, attempts=2, clock=lambda: clock[0])


@pytest.fixture
def job(jobs):
    task_id = f"{next(NUMBERS):032x}"
    made, is_new = jobs.create(
        Job(task_id=task_id, owner="anna", name="a.pdf", key=f"documents/{task_id}", sha256="ab")
    )
    assert is_new
    return made


def test_a_job_is_known_by_owner_content_name_and_model():
    same = ("documents/", "anna", "ab", "a.pdf", "m")
    assert task_id_of(*same) == task_id_of(*same)
    others = {(*same[:place], "other", *same[place + 1 :]) for place in range(5)} | {
        ("documents/", "annaab", "", *same[3:])
    }
    assert len({task_id_of(*one) for one in (same, *others)}) == 7


def test_a_record_that_is_there_stays(jobs, job):
    other, is_new = jobs.create(replace(job, owner="otto"))
    assert (other.owner, is_new) == ("anna", False)


def test_a_record_whose_time_is_over_is_not_there(jobs, job, clock):
    clock[0] += 86_401
    assert jobs.get(job.task_id) is None
    assert jobs.begin(job.task_id, seconds=10) == (Turn.UNKNOWN, None)
    # DynamoDB has not removed it yet
    again, is_new = jobs.create(replace(job, owner="otto"))
    assert (again.owner, is_new) == ("otto", True)


@pytest.mark.parametrize("time", [None, {"S": "soon"}])
def test_a_record_that_does_not_tell_its_time_is_not_there(jobs, job, shared_cloud, time):
    key = {"task_id": {"S": job.task_id}}
    item = shared_cloud.dynamodb.get_item(TableName=shared_cloud.table, Key=key)["Item"] | {"expires_at": time}
    item = {name: value for name, value in item.items() if value}
    shared_cloud.dynamodb.put_item(TableName=shared_cloud.table, Item=item)
    assert jobs.get(job.task_id) is None
    assert jobs.create(job) == (job, True)
    assert jobs.begin(job.task_id, seconds=10)[0] is Turn.YOURS


def test_of_many_workers_one_begins(jobs, job):
    # one after the other: moto, unlike DynamoDB, may let two conditional writes pass at the same time
    turns = [jobs.begin(job.task_id, seconds=60)[0] for _ in range(4)]
    assert turns == [Turn.YOURS, Turn.BUSY, Turn.BUSY, Turn.BUSY]
    assert jobs.get(job.task_id).attempts == 1


def test_a_job_whose_worker_is_gone_is_begun_again_and_given_up_in_the_end(jobs, job, clock):
    for _ in range(2):
        assert jobs.begin(job.task_id, seconds=30)[0] is Turn.YOURS
        assert jobs.begin(job.task_id, seconds=30)[0] is Turn.BUSY
        clock[0] += 33
    turn, found = jobs.begin(job.task_id, seconds=30)
    assert (turn, found.attempts, found.state) == (Turn.SPENT, 2, "started")


def test_a_worker_may_keep_a_job_longer(jobs, job, clock):
    _, begun = jobs.begin(job.task_id, seconds=30)
    clock[0] += 25
    jobs.extend(begun, seconds=30)
    clock[0] += 25
    assert jobs.begin(job.task_id, seconds=30)[0] is Turn.BUSY


@pytest.mark.parametrize("seconds", [0, 30])
def test_a_worker_whose_lease_is_over_takes_nothing_from_the_next_one(jobs, job, clock, seconds):
    _, late = jobs.begin(job.task_id, seconds=seconds)
    clock[0] += seconds + 2
    turn, found = jobs.begin(job.task_id, seconds=30)
    assert turn is Turn.YOURS
    jobs.extend(late, seconds=1000)
    jobs.put_back(late, counts=False)
    assert jobs.get(job.task_id) == found
    jobs.put_back(found, counts=True)
    assert jobs.get(job.task_id).state == "pending"


@pytest.mark.parametrize(("counts", "attempts"), [(True, 1), (False, 0)])
def test_a_job_that_was_put_back_waits(jobs, job, counts, attempts):
    _, begun = jobs.begin(job.task_id, seconds=30)
    jobs.put_back(begun, counts=counts)
    found = jobs.get(job.task_id)
    assert (found.state, found.attempts) == ("pending", attempts)


def test_the_first_result_stays(jobs, job):
    _, begun = jobs.begin(job.task_id, seconds=30)
    assert jobs.finish(job.task_id, "success", result="{}")
    assert not jobs.finish(job.task_id, "failure", result="no")
    jobs.put_back(begun, counts=True)
    jobs.extend(begun, seconds=30)
    jobs.again(job.task_id)
    found = jobs.get(job.task_id)
    assert (found.state, found.result) == ("success", "{}")
    assert jobs.begin(job.task_id, seconds=30)[0] is Turn.FINISHED


def test_only_what_was_given_up_is_begun_with_all_its_attempts(jobs, job):
    for _ in range(2):
        _, begun = jobs.begin(job.task_id, seconds=30)
        jobs.put_back(begun, counts=True)
    assert jobs.begin(job.task_id, seconds=30)[0] is Turn.SPENT
    jobs.finish(job.task_id, "failure", result="no", gave_up=True)
    jobs.again(job.task_id)
    turn, found = jobs.begin(job.task_id, seconds=30)
    assert (turn, found.attempts, found.result, found.gave_up) == (Turn.YOURS, 1, "", False)
