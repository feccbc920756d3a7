"""A worker: does the jobs that messages name, in Lambda or in a container of its own."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_ml_adapter.serverless.classifier import Classifier
from aws_ml_adapter.serverless.jobs import Job, Jobs, Turn
from aws_ml_adapter.serverless.messages import read_body
from aws_ml_adapter.serverless.model_file import load_model_of
from aws_ml_adapter.serverless.objects import RESULTS, Objects
from aws_ml_adapter.serverless.settings import Settings
from textclf.base.errors import BadDataError
from textclf.base.problems import ProblemError

MAX_IN_RECORD = 300_000
"""Bytes of a result in a record, of which DynamoDB takes 400 KB."""
_FIRST_PAUSE, _LONGEST_PAUSE = 15, 900
"""Seconds after which a document is tried anew: at first, and at most."""
_RESERVE = 5.0
"""Seconds of a call that are left to write the result."""

_NOT_ITS_OWN = ("no-such-object", "other-content")
"""Problems that are in the bucket, not in the document: sent again, it may be read."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of a message: `is_done` if it is not needed any more, else after how many seconds it comes back."""

    is_done: bool
    pause: int = 0


DONE = Outcome(is_done=True)


class _Steps:
    """The seconds that each step of a job took."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def ended(self, step: str) -> None:
        now = time.perf_counter()
        self._seconds[step], self._since = now - self._since, now

    def __str__(self) -> str:
        return ", ".join(f"{step} {seconds:.3f} s" for step, seconds in self._seconds.items())


class Worker:
    """Does jobs, one after the other or by several threads.

    Parameters
    ----------
    options : Settings
        Bucket, table, model, limits.
    client : callable
        Gives the client of a service of AWS.
    """

    def __init__(self, options: Settings, client: Callable[[str], Any]) -> None:
        options.need("bucket", "table", "model")
        self._options, self._s3 = options, client("s3")
        self._objects = Objects(self._s3, options.bucket)
        self.jobs = Jobs(client("dynamodb"), options.table, keep_days=options.keep_days, attempts=options.attempts)
        self._lock = threading.Lock()
        self._classifier: Classifier | None = None

    @property
    def classifier(self) -> Classifier:
        """The model and the reader, which are opened anew if they have ended."""
        with self._lock:
            if self._classifier is None or not self._classifier.is_alive:
                options = self._options
                loaded = load_model_of(options.model, options.model_sha256, self._s3, max_error=options.max_error)
                self._classifier = Classifier(loaded, options)
            return self._classifier

    def close(self) -> None:
        """Stop."""
        if self._classifier is not None:
            self._classifier.close()

    def do_or_log(self, body: str, *, receives: int, **options: Any) -> Outcome:
        """Do a job as `do`; an error spoils no other job, and brings the message back."""
        try:
            return self.do(body, receives=receives, **options)
        except Exception:  # noqa: BLE001 - such as a table that cannot be reached
            _log.exception("a message has to wait")
            return Outcome(is_done=False, pause=_pause(receives))

    def do(
        self,
        body: str,
        *,
        receives: int,
        seconds: float,
        lease: float | None = None,
        goes_on: Callable[[], bool] = lambda: True,
        begun: Callable[[Job], None] = lambda _: None,
    ) -> Outcome:
        """Do the job of a message.

        Parameters
        ----------
        body : str
            The message.
        receives : int
            How often it was received.
        seconds : float
            Time there is.
        lease : float, optional
            Seconds for which no other worker begins the job; by default all the time there is.
        goes_on : callable
            Tells whether to go on.
        begun : callable
            Called with the job once it is begun.

        Returns
        -------
        Outcome
            What becomes of the message; a message that is never done ends on the dead-letter queue.
        """
        try:
            task_id = read_body(body)
        except BadDataError as error:
            _log.error(f"{error}")
            return Outcome(is_done=False)
        if seconds <= _RESERVE:
            _log.warning(f"job {task_id} has to wait: only {seconds:.0f} s of the call are left")
            return Outcome(is_done=False)
        turn, job = self.jobs.begin(task_id, seconds=lease or seconds)
        if turn is Turn.FINISHED and job is not None and job.gave_up and receives == 1:
            # somebody has moved it back from the dead-letter queue
            self.jobs.again(task_id)
            turn, job = self.jobs.begin(task_id, seconds=lease or seconds)
        if job is None:
            _log.warning(f"job {task_id} has no record, or its time is over")
            return DONE
        match turn:
            case Turn.YOURS:
                begun(job)
                return self._do(job, seconds, goes_on)
            case Turn.BUSY:
                return Outcome(is_done=False, pause=max(1, min(_LONGEST_PAUSE, job.lease - int(time.time()) + 1)))
            case Turn.SPENT:
                self._give_up(job)
                return Outcome(is_done=False)
            case _:
                return Outcome(is_done=not job.gave_up)

    def _do(self, job: Job, seconds: float, goes_on: Callable[[], bool]) -> Outcome:
        steps, limit = _Steps(), seconds - _RESERVE
        try:
            result, sha256 = self._classify(job, limit, goes_on, steps)
        except ProblemError as problem:
            if problem.name == "too-slow" and limit < self._options.seconds_per_page:
                _log.warning(
                    f"attempt {job.attempts} of job {job.task_id} had only {limit:.0f} s, less than a page may"
                )
                self.jobs.put_back(job, counts=True)
                return Outcome(is_done=False, pause=_pause(job.attempts))
            is_retriable = problem.name in _NOT_ITS_OWN
            self.jobs.finish(job.task_id, "failure", result=json.dumps(problem.body()), retriable=is_retriable)
            return DONE
        except InterruptedError:
            self.jobs.put_back(job, counts=False)
            return Outcome(is_done=False)
        except Exception:  # noqa: BLE001 - whatever it is, another attempt may fare better
            _log.exception(f"attempt {job.attempts} of job {job.task_id} has failed")
            self.jobs.put_back(job, counts=True)
            return Outcome(is_done=False, pause=_pause(job.attempts))
        key = ""
        if len(result.encode()) > MAX_IN_RECORD:
            key = f"{RESULTS}{job.task_id}"
            self._objects.put(key, result.encode(), content_type="application/json")
            result = ""
        self.jobs.finish(job.task_id, "success", result=result, result_key=key, sha256=sha256)
        steps.ended("write")
        _log.info(f"job {job.task_id} took {steps}")
        return DONE

    def _classify(self, job: Job, limit: float, goes_on: Callable[[], bool], steps: _Steps) -> tuple[str, str]:
        with tempfile.TemporaryDirectory(prefix="textclf-job-") as folder:
            path = Path(folder, "document")
            sha256 = self._objects.fetch(job.key, path, max_bytes=self._options.max_bytes, sha256=job.sha256)
            steps.ended("fetch")
            result = self.classifier.classify(job.name, path, seconds=limit, goes_on=goes_on, ended=steps.ended)
            return result.model_dump_json(), sha256

    def _give_up(self, job: Job) -> None:
        problem = ProblemError(500, "gave-up", f"a worker ended or failed {job.attempts} times while it did this task")
        _log.error(f"job {job.task_id} is given up: {problem}")
        self.jobs.finish(job.task_id, "failure", result=json.dumps(problem.body()), gave_up=True)


def _pause(times: int) -> int:
    return int(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(times - 1, 10)))
