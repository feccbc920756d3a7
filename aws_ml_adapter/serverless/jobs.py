"""The records of jobs in DynamoDB; every change is one conditional write, so that events may come twice or late."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal

from botocore.exceptions import ClientError

from textclf.base.hashing import hash_json

State = Literal["pending", "started", "success", "failure"]

_FINISHED = "#state IN (:success, :failure)"
# a lease lasts a second at least, so that no two workers begin a job in the same one
_OWN = "#state = :started AND started_at = :begun"
_STATES = {":success": {"S": "success"}, ":failure": {"S": "failure"}}
_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A record.

    Parameters
    ----------
    task_id : str
        32 hexadecimal digits.
    owner : str
        Who may ask for it.
    name : str
        Name of the document, for people.
    key : str
        Where it lies in the bucket.
    sha256 : str
        Of its content; empty if it is not known yet.
    state : {"pending", "started", "success", "failure"}
        How far it is.
    attempts : int
        How often it was begun.
    started_at : int
        Second of the epoch at which it was last begun; tells a worker whether the job is still its own.
    lease : int
        Second of the epoch until which the worker that began it has it to itself.
    result : str
        JSON: the result, or the problem of a failure; empty if it has neither, or the result is elsewhere.
    result_key : str
        Where in the bucket a result lies that is too large for a record.
    gave_up : bool
        Whether it failed because it was begun too often.
    retriable : bool
        Whether it failed for a reason that is not in the document, as what gave up has: sent again, it is begun again.
    """

    task_id: str
    owner: str
    name: str
    key: str
    sha256: str = ""
    state: State = "pending"
    attempts: int = 0
    started_at: int = 0
    lease: int = 0
    result: str = ""
    result_key: str = ""
    gave_up: bool = False
    retriable: bool = False

    def status(self) -> dict[str, object]:
        """Describe how far it is, as the service's ``/v1/status/poll`` does; a queue of SQS tells no places."""
        return {"task_id": self.task_id, "task_status": self.state, "task_position": None}


class Turn(Enum):
    """What becomes of a message when its job is to be begun."""

    YOURS = auto()
    FINISHED = auto()
    BUSY = auto()
    """Another worker is at it."""
    SPENT = auto()
    """It was begun too often."""
    UNKNOWN = auto()


def task_id_of(prefix: str, owner: str, sha256: str, name: str, model_sha256: str) -> str:
    """Give the id of a job: the same document sent again, in the same way and to the same model, is the same job."""
    return hash_json([prefix, owner, sha256, name, model_sha256])[:32]


class Jobs:
    """The table of the records.

    Parameters
    ----------
    client : botocore client
        Of DynamoDB.
    table : str
        Its name.
    keep_days : float
        Days after which records go.
    attempts : int
        How often a job is begun.
    clock : callable
        Gives the seconds since the epoch.
    """

    def __init__(
        self, client: Any, table: str, *, keep_days: float, attempts: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self._table = client, table
        self._keep_days, self._attempts, self._clock = keep_days, attempts, clock

    def create(self, job: Job) -> tuple[Job, bool]:
        """Write a record unless there is one of that id; give the one there is, and whether it is new."""
        now = int(self._clock())
        item = {name: {"S": getattr(job, name)} for name in ("task_id", "owner", "name", "key", "sha256", "state")}
        item |= {"attempts": {"N": "0"}, "created_at": _number(now)}
        item["expires_at"] = _number(now + int(self._keep_days * _DAY))
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                # DynamoDB removes what has expired within days only, and what has no such time never
                ConditionExpression=(
                    "attribute_not_exists(task_id) OR NOT attribute_type(expires_at, :number) OR expires_at <= :now"
                ),
                ExpressionAttributeValues={":now": _number(now), ":number": {"S": "N"}},
            )
        except ClientError as error:
            if not _has_failed_condition(error):
                raise
            found = self.get(job.task_id)
            return (job, False) if found is None else (found, False)
        return job, True

    def get(self, task_id: str) -> Job | None:
        """Give a record; None if there is none, its time is over, or it does not tell it."""
        answer = self._client.get_item(TableName=self._table, Key={"task_id": {"S": task_id}}, ConsistentRead=True)
        item = answer.get("Item")
        if item is None or float(item.get("expires_at", {}).get("N", 0)) <= self._clock():
            return None
        return _job(item)

    def begin(self, task_id: str, *, seconds: float) -> tuple[Turn, Job | None]:
        """Begin a job, unless it is finished, begun too often, or another worker has it for some seconds."""
        now = int(self._clock())
        begun = self._update(
            task_id,
            "SET #state = :started, lease = :lease, started_at = :now, attempts = attempts + :one",
            "attempts < :most AND expires_at > :now AND (#state = :pending OR (#state = :started AND lease < :now))",
            {
                ":started": {"S": "started"},
                ":pending": {"S": "pending"},
                ":lease": _number(now + int(seconds) + 1),
                ":now": _number(now),
                ":most": _number(self._attempts),
                ":one": _number(1),
            },
        )
        if begun is not None:
            return Turn.YOURS, begun
        found = self.get(task_id)
        if found is None:
            return Turn.UNKNOWN, None
        if found.state in ("success", "failure"):
            return Turn.FINISHED, found
        if found.state == "started" and found.lease >= now:
            return Turn.BUSY, found
        # what another worker has put back since is begun at the next try
        return (Turn.SPENT if found.attempts >= self._attempts else Turn.BUSY), found

    def extend(self, job: Job, *, seconds: float) -> None:
        """Have a job, as `begin` has given it, for some seconds more; nothing if another worker has begun it since."""
        values = {":lease": _number(int(self._clock() + seconds) + 1), **_own(job)}
        self._update(job.task_id, "SET lease = :lease", _OWN, values)

    def put_back(self, job: Job, *, counts: bool) -> None:
        """Let a job, as `begin` has given it, wait again; unless it ``counts``, as if it had not been begun.

        Does nothing if another worker has begun it since.
        """
        values = {":pending": {"S": "pending"}, ":less": _number(0 if counts else -1), ":zero": _number(0)}
        change = "SET #state = :pending, lease = :zero, attempts = attempts + :less"
        self._update(job.task_id, change, _OWN, values | _own(job))

    def finish(
        self,
        task_id: str,
        state: Literal["success", "failure"],
        *,
        result: str = "",
        result_key: str = "",
        sha256: str = "",
        gave_up: bool = False,
        retriable: bool = False,
    ) -> bool:
        """Write the result of a job; returns False if it has one, which stays. What gave up is retriable."""
        change = "SET #state = :state, finished_at = :now, #result = :result, result_key = :key, gave_up = :gave_up"
        change = f"{change}, retriable = :retriable"
        values = {":state": {"S": state}, ":now": _number(int(self._clock())), ":result": {"S": result}, **_STATES}
        values |= {":key": {"S": result_key}, ":gave_up": {"BOOL": gave_up}}
        values |= {":retriable": {"BOOL": gave_up or retriable}}
        if sha256:
            change, values = f"{change}, sha256 = :sha256", {**values, ":sha256": {"S": sha256}}
        return self._update(task_id, change, f"NOT {_FINISHED}", values, {"#result": "result"}) is not None

    def again(self, task_id: str) -> None:
        """Let a job that failed, and is retriable, wait again with all its attempts."""
        values = {":pending": {"S": "pending"}, ":zero": _number(0), ":empty": {"S": ""}, ":true": {"BOOL": True}}
        values |= {":false": {"BOOL": False}}
        change = "SET #state = :pending, attempts = :zero, lease = :zero, #result = :empty, gave_up = :false"
        change = f"{change}, retriable = :false"
        # of a job that has not been begun since
        self._update(task_id, change, "retriable = :true AND #state <> :pending", values, {"#result": "result"})

    def _update(
        self,
        task_id: str,
        change: str,
        condition: str,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
    ) -> Job | None:
        """Change a record that meets a condition; None if it does not, or there is none."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"task_id": {"S": task_id}},
                UpdateExpression=change,
                ConditionExpression=f"attribute_exists(task_id) AND {condition}",
                ExpressionAttributeNames={"#state": "state", **(names or {})},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if _has_failed_condition(error):
                return None
            raise
        return _job(answer["Attributes"])


def _own(job: Job) -> dict[str, Any]:
    return {":started": {"S": "started"}, ":begun": _number(job.started_at)}


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _has_failed_condition(error: ClientError) -> bool:
    return bool(error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException")


def _job(item: dict[str, Any]) -> Job:
    def text(name: str) -> str:
        return str(item.get(name, {}).get("S", ""))

    def number(name: str) -> int:
        return int(item.get(name, {}).get("N", 0))

    state: Any = text("state")
    return Job(
        **{name: text(name) for name in ("task_id", "owner", "name", "key", "sha256", "result", "result_key")},
        state=state,
        attempts=number("attempts"),
        started_at=number("started_at"),
        lease=number("lease"),
        gave_up=bool(item.get("gave_up", {}).get("BOOL")),
        retriable=bool(item.get("retriable", {}).get("BOOL")),
    )
