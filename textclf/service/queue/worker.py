"""A worker: takes tasks of the library that a broker tells it of, and does them with a desk of its own."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from textclf.base.errors import BadInputError, TextclfError
from textclf.base.log_context import bound
from textclf.library.tasks import MAX_ATTEMPTS
from textclf.service.queue.broker import BrokerError
from textclf.service.queue.consumer import Consumer
from textclf.service.self_test import self_test
from textclf.service.task_work import PAUSES, TaskWork, files_of_task
from textclf.service.waiting import first_of

if TYPE_CHECKING:
    from textclf.library.records import Task
    from textclf.service.desk import Desk
    from textclf.service.queue.broker import Broker

_REFRESH = 5.0
"""Seconds after which the model on duty is looked for anew, which another program may have changed."""
_RENEWALS = 3
"""How often a lease is renewed within its time."""

_ENDING = 10.0
"""Seconds that the connection to the broker has to end."""

_log = logging.getLogger(__name__)


class Worker:
    """Does tasks until it is stopped.

    Parameters
    ----------
    desk : Desk
        Who classifies.
    broker : Broker
        Who tells of tasks.
    lease : timedelta
        For how long a task is held without a sign of life.
    grace : float
        Seconds that tasks under way have once the worker stops.
    """

    def __init__(self, desk: Desk, broker: Broker, *, lease: timedelta, grace: float) -> None:
        self._desk, self._broker, self._lease, self._grace = desk, broker, lease, grace
        self._tasks, self._leases = desk.library.tasks, desk.library.leases
        self.name = f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
        self._work = TaskWork(desk, self.name)
        self._consumer = Consumer(broker, self.name, self._work.at_once)
        self._fault: TextclfError | None = None
        self._doing: set[asyncio.Task[bool]] = set()
        self._turn, self._room = asyncio.Lock(), asyncio.Semaphore(self._work.at_once)

    async def run(self, *, ready: Callable[[], None]) -> None:
        """Work until SIGINT, SIGTERM or SIGHUP.

        Raises
        ------
        textclf.base.errors.TextclfError
            If the broker, or the folder of the library, cannot be used.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP
            if signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._desk.begin_to_stop)
        background = [asyncio.create_task(work) for work in (self._renew(), self._follow_duty())]
        try:
            await self._get_ready()
            if not self._desk.stopping.is_set():
                await self._consume(ready)
        finally:
            self._desk.begin_to_stop()
            await asyncio.to_thread(self._desk.close)
            for work in background:
                work.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    async def do(self, task_id: str, request_id: str) -> bool:
        """Do a task that the broker told of; False if it is to be told again."""
        with bound(task_id=task_id, request_id=request_id):
            for pause in PAUSES:
                try:
                    return await self._do(task_id)
                except TextclfError as error:
                    _log.error(f"task {task_id} has to wait: {error}")
                    await first_of(self._desk.stopping, seconds=pause)
            return False

    async def _do(self, task_id: str) -> bool:
        while True:
            known = await asyncio.to_thread(self._tasks.get, task_id)
            if known is None:
                _log.warning(f"task {task_id} is not in this library; each library needs a --broker-queue of its own")
                return True
            if known.state != "pending":
                _log.debug(f"task {task_id} is {known.state} already")
                return True
            # the last time, nothing else is begun beside it here
            is_last = known.attempts + 1 >= MAX_ATTEMPTS
            places = self._work.at_once if is_last else 1
            async with self._turn:
                for _ in range(places):
                    await self._room.acquire()
            try:
                if self._desk.stopping.is_set() or not self._desk.reader.is_alive:
                    return False
                task = await asyncio.to_thread(
                    self._leases.start, task_id, self.name, self._lease, attempts=known.attempts
                )
                if task is not None:
                    return await self._begin(task)
            finally:
                for _ in range(places):
                    self._room.release()

    def why_not_ready(self) -> str | None:
        """Say why no task can be done now; None if all is well."""
        trouble = self._desk.why_not_ready()
        return trouble or (None if self.is_connected else "the broker cannot be reached")

    @property
    def is_connected(self) -> bool:
        """Whether the broker tells of tasks."""
        return self._consumer.is_connected

    def count(self) -> int:
        """Count the tasks under way."""
        return len(self._doing)

    async def _begin(self, task: Task) -> bool:
        uploads = self._desk.uploads.folder
        if not uploads.is_dir() and any(file.is_ours for file in files_of_task(task, uploads)):
            # every task would fail here
            self._fault = BadInputError(
                "is not there, in which the service puts what it is sent",
                where=uploads,
                remedy="give the folder of the service with --library, which both must see",
            )
            self._desk.begin_to_stop()
            await self._work.put_back(task.id)
            return False
        doing = asyncio.create_task(self._work.do(task), name=task.id)
        self._doing.add(doing)
        try:
            return await doing
        finally:
            self._doing.discard(doing)

    async def _consume(self, ready: Callable[[], None]) -> None:
        """Do what the broker tells of until the worker stops, and finish what was begun."""
        ended = self._consumer.start(self.do, ready)
        await first_of(self._desk.stopping, ended)
        has_failed = not self._desk.stopping.is_set()
        self._desk.begin_to_stop()
        self._consumer.stop()
        if self._doing:
            await asyncio.wait(self._doing, timeout=self._desk.seconds_left(self._grace))
        # what is still read is put back
        await asyncio.to_thread(self._desk.close)
        await first_of(ended, seconds=_ENDING)
        if has_failed:
            raise BrokerError("has ended the connection", where=self._broker.place, remedy="the log says why")
        if self._fault is not None:
            raise self._fault

    async def _get_ready(self) -> None:
        """Wait until there is a model, and a page was read and predicted."""
        told = None
        while not self._desk.stopping.is_set():
            if self._desk.duty.current is None:
                self._desk.trouble = "no model is on duty"
            else:
                self._desk.trouble = await self_test(self._desk)
            if self._desk.trouble is None:
                return
            if self._desk.trouble != told:
                told = self._desk.trouble
                self._say_not_ready(told)
            await first_of(self._desk.stopping, seconds=_REFRESH)

    def _say_not_ready(self, trouble: str) -> None:
        if self._desk.duty.current is not None:
            _log.error(f"not ready: {trouble}")
            return
        # where both start together, the service soon puts one on duty
        library = self._desk.library
        _log.info(
            f"waiting: {trouble} in the library {library.folder.absolute()} with the database "
            f"{library.database.place}; textclf serve --model puts one on duty"
        )

    async def _renew(self) -> None:
        # not among other threads, which may all be waiting for a slow disk
        thread, loop = ThreadPoolExecutor(1, thread_name_prefix="lease"), asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._lease.total_seconds() / _RENEWALS)
            under_way = [doing.get_name() for doing in self._doing]
            if under_way:
                try:
                    await loop.run_in_executor(thread, self._leases.renew, under_way, self.name, self._lease)
                except TextclfError as error:
                    _log.error(f"tasks under way may be begun by another worker: {error}")

    async def _follow_duty(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH)
            try:
                await asyncio.to_thread(self._desk.duty.refresh)
            except TextclfError as error:
                # that the database is gone is told already
                if self._desk.database.is_up:
                    _log.error(f"{error}")
