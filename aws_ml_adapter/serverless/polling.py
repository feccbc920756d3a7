"""Asking the queue for messages, where nobody hands them over; each is kept from others as long as it is worked on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws_ml_adapter.serverless.jobs import Job
from aws_ml_adapter.serverless.worker import Worker

HIDDEN = 60
"""Seconds for which nobody else receives a message; while it is worked on, they begin anew three times as often."""
_LONGEST = 3600.0
"""Seconds that a document may take."""
_WAIT = 5
"""Seconds that a request waits for messages: not so long that a container cannot stop in time."""
_PAUSE = 5.0

_log = logging.getLogger(__name__)


class Polling:
    """Receives messages, as many at a time as pages are read, and has them done.

    Parameters
    ----------
    worker : Worker
        Who does them.
    sqs : botocore client
        Of SQS.
    queue_url : str
        The queue.
    grace : float
        Seconds that documents have left after `stop`; what is not done by then is done by another worker.
    """

    def __init__(self, worker: Worker, sqs: Any, queue_url: str, *, grace: float) -> None:
        self._worker, self._sqs, self._queue, self._grace = worker, sqs, queue_url, grace
        self._stopping = threading.Event()
        self._end = float("inf")

    def stop(self) -> None:
        """Begin nothing new; may be called by a signal."""
        if not self._stopping.is_set():
            self._end = time.monotonic() + self._grace
            self._stopping.set()

    def run(self) -> None:
        """Work until `stop` is called.

        Raises
        ------
        textclf.base.errors.TextclfError
            If the model or the engine cannot be used.
        """
        jobs = self._worker.classifier.jobs
        _log.info(f"{jobs} at a time")
        try:
            with ThreadPoolExecutor(jobs) as threads:
                for ended in [threads.submit(self._loop_or_stop) for _ in range(jobs)]:
                    ended.result()
        finally:
            self._worker.close()

    def _loop_or_stop(self) -> None:
        try:
            self._loop()
        finally:
            # what ends one ends all: the container is then started anew
            self.stop()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                answer = self._sqs.receive_message(
                    QueueUrl=self._queue,
                    MaxNumberOfMessages=1,
                    WaitTimeSeconds=_WAIT,
                    VisibilityTimeout=HIDDEN,
                    MessageSystemAttributeNames=["ApproximateReceiveCount"],
                )
                for message in answer.get("Messages", ()):
                    self._do(message)
            except (BotoCoreError, ClientError) as error:
                _log.error(f"the queue has to wait: {error}")
                self._stopping.wait(_PAUSE)

    def _do(self, message: dict[str, Any]) -> None:
        handle = message["ReceiptHandle"]
        if self._stopping.is_set():
            self._hide(handle, 0)
            return
        receives = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
        jobs: list[Job] = []
        with self._kept(handle, jobs):
            outcome = self._worker.do_or_log(
                message["Body"],
                receives=receives,
                seconds=_LONGEST,
                lease=HIDDEN,
                goes_on=lambda: time.monotonic() < self._end,
                begun=jobs.append,
            )
        if outcome.is_done:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=handle)
        else:
            self._hide(handle, outcome.pause)

    @contextmanager
    def _kept(self, handle: str, jobs: list[Job]) -> Iterator[None]:
        """Keep a message, and the jobs that are begun meanwhile, from other workers."""
        ended = threading.Event()

        def keep() -> None:
            while not ended.wait(HIDDEN / 3):
                try:
                    self._hide(handle, HIDDEN)
                    for job in jobs:
                        self._worker.jobs.extend(job, seconds=HIDDEN)
                except (BotoCoreError, ClientError) as error:
                    _log.warning(f"a message may come twice: {error}")

        keeping = threading.Thread(target=keep, daemon=True)
        keeping.start()
        try:
            yield
        finally:
            ended.set()
            keeping.join()

    def _hide(self, handle: str, seconds: int) -> None:
        self._sqs.change_message_visibility(QueueUrl=self._queue, ReceiptHandle=handle, VisibilityTimeout=seconds)
