"""Reading documents as they come, in worker processes that stay warm; each is given back as soon as it is read."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field

from ocr.cache import PageCache
from ocr.document import Document
from ocr.engines import OcrEngine
from ocr.reading_options import Effort, ReadingOptions
from ocr.reading_state import OpenDocument
from ocr.reading_tasks import GRACE, MAX_HELD_PAGES, MAX_TASKS, ReadingTask, ReadingTasks
from ocr.source_file import Source
from textclf.base.errors import LostTaskError
from textclf.base.executor import Executor, Outcome, open_executor
from textclf.base.resources import usable_jobs

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True, kw_only=True)
class Reading:
    """A document that was given to a `LiveReader`; `future` is done when it is read.

    `begun` is when a worker took it up, on the clock of `time.perf_counter`; infinite before.
    """

    document: OpenDocument
    future: Future[Document] = field(default_factory=Future)
    begun: float = math.inf
    is_abandoned: bool = False

    def abandon(self) -> None:
        """Read no further: nobody waits for the result any more."""
        self.is_abandoned = True
        self.future.cancel()


class LiveReader:
    """Reads documents as they come, with the results of `ocr.batch.read_document`.

    Documents of several pages take turns, so that a long one does not hold up a short one that came after it. A page
    that kills its process is tried once more, then marked failed; one that hangs is stopped. All others are read.

    Parameters
    ----------
    options, engine, cache, effort, how_sure
        As for `ocr.batch.iter_documents`; ``how_sure`` is called in the thread of the reader.
    jobs : int, optional
        Worker processes; by default as many as `usable_jobs` allows.
    warm_up : bytes, optional
        A page that each process reads first, so that documents find it warm.

    Raises
    ------
    textclf.base.errors.MissingProgramError
        If the engine or a language is not installed.
    """

    def __init__(
        self,
        *,
        options: ReadingOptions | None = None,
        engine: OcrEngine | None = None,
        cache: PageCache | None = None,
        jobs: int | None = None,
        effort: Effort = "full",
        how_sure: Callable[[Document], float] | None = None,
        warm_up: bytes | None = None,
    ) -> None:
        self._tasks = ReadingTasks(options, engine, cache, effort, how_sure)
        self.jobs = jobs or usable_jobs()
        self._warm_up = None if warm_up is None else self._tasks.warm_up(warm_up)
        self._lock = threading.Lock()
        self._given: deque[Reading] = deque()
        # the following belong to the thread
        self._upcoming: deque[Reading] = deque()
        self._open: deque[Reading] = deque()
        self._wake: Future[None] = Future()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether documents are read: neither closed, nor ended by a fault."""
        return self._thread.is_alive() and not self._closing

    def submit(self, document_id: str, source: Source) -> Reading:
        """Have a document read.

        Raises
        ------
        textclf.base.errors.LostTaskError
            If the reader was closed, or has ended by itself.
        """
        reading = Reading(document=OpenDocument(document_id=document_id, source=source))
        with self._lock:
            if self._closing:
                raise LostTaskError("the reader is closed")
            self._given.append(reading)
            self._rouse()
        return reading

    def close(self) -> None:
        """Stop: the workers are killed, and what was not read in full is lost."""
        with self._lock:
            self._closing = True
            self._rouse()
        self._thread.join()

    def _rouse(self) -> None:
        with suppress(InvalidStateError):
            self._wake.set_result(None)

    def _run(self) -> None:
        limits = self._tasks.limits
        try:
            with open_executor(
                self.jobs,
                isolate=True,
                max_memory=limits.max_memory,
                max_tasks=MAX_TASKS,
                warm_up=self._warm_up,
                seconds=limits.seconds_per_page + GRACE,
                verb="read",
            ) as executor:
                self._serve(executor)
        except Exception as error:  # noqa: BLE001 - it must reach those who wait, and not only end this thread
            _log.exception("reading has ended")
            lost = LostTaskError("reading has ended")
            lost.__cause__ = error
            self._fail_all(lost)
        else:
            self._fail_all(LostTaskError("reading was stopped"))

    def _serve(self, executor: Executor) -> None:
        while True:
            with self._lock:
                if self._closing:
                    return
                wake = self._wake = Future()
                self._upcoming += self._given
                self._given.clear()
            while executor.has_room() and (task := self._next_survey() or self._next_step()):
                self._tasks.begin(executor, task)
            if executor.running():
                for outcome in executor.collect(wake=wake):
                    self._settle(outcome)
            elif not self._upcoming and not self._open:
                wake.result()
            self._hand_over()

    def _next_survey(self) -> ReadingTask | None:
        while self._upcoming and sum(reading.document.held() for reading in self._open) < MAX_HELD_PAGES:
            reading = self._upcoming.popleft()
            if reading.future.set_running_or_notify_cancel():
                reading.begun = time.perf_counter()
                self._open.append(reading)
                return ReadingTask(reading.document)
        return None

    def _next_step(self) -> ReadingTask | None:
        # first what is certainly needed, then what may turn out not to be
        for one_by_one in (True, False) if self._tasks.how_sure else (False,):
            for _ in range(len(self._open)):
                reading = self._open[0]
                self._open.rotate(-1)
                if step := reading.document.next_step(one_by_one=one_by_one):
                    return ReadingTask(reading.document, step)
        return None

    def _settle(self, outcome: Outcome) -> None:
        try:
            self._tasks.settle(outcome)
        # such as a cache that cannot be written, or a model that cannot judge this document; the next may fare better
        except Exception as error:  # noqa: BLE001 - it must reach those who wait, and end the reading of no other
            for reading in [one for one in self._open if one.document is outcome.key.document]:
                self._open.remove(reading)
                reading.future.set_exception(error)

    def _hand_over(self) -> None:
        """Give back what is read, and forget what nobody waits for."""
        for reading in [one for one in self._open if one.is_abandoned or one.document.is_done()]:
            self._open.remove(reading)
            reading.future.set_result(reading.document.closed(self._tasks.limits))

    def _fail_all(self, error: Exception) -> None:
        with self._lock:
            self._closing = True
            left = [*self._open, *self._upcoming, *self._given]
        for reading in left:
            # one that waits may have been cancelled
            if reading in self._open or reading.future.set_running_or_notify_cancel():
                reading.future.set_exception(error)
