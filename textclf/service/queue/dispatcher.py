"""Tasks that workers do: each is told to them once it is in the library, and anew if its message was lost."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from textclf.base.errors import TextclfError
from textclf.service.queue.broker import BrokerError
from textclf.service.tasks import TaskDesk

if TYPE_CHECKING:
    from textclf.service.desk import Desk
    from textclf.service.queue.broker import Broker

_BATCH = 100
"""Messages that are sent before the library notes it; a service that is killed sends so many twice at most."""
_MARGIN = timedelta(seconds=15)
"""After which a message that no worker seems to have received counts as lost."""
_LOOK = 0.25
"""Seconds after which it is looked for anew what workers have finished, while somebody waits for it."""

_log = logging.getLogger(__name__)


class TaskDispatcher(TaskDesk):
    """Tells workers of the tasks of the library, by a broker.

    Parameters
    ----------
    desk : Desk
        Who classifies for clients that wait.
    broker : Broker
        Who wakes workers.
    most : int
        Tasks that may wait.
    keep_results : timedelta
        For how long results can be fetched.
    """

    def __init__(self, desk: Desk, broker: Broker, *, most: int, keep_results: timedelta) -> None:
        super().__init__(desk, most=most, keep_results=keep_results)
        self._broker, self._leases = broker, desk.library.leases
        self._is_broker_up = False
        self.broker_up = lambda: self._is_broker_up

    async def run(self) -> None:
        """Tell workers of tasks until the service stops."""
        looking = asyncio.create_task(self._look())
        try:
            await super().run()
        finally:
            looking.cancel()

    async def drain(self, seconds: float) -> None:
        """Stop telling; what workers have begun goes on."""
        await asyncio.to_thread(self._broker.close)

    async def _tell(self) -> None:
        while tasks := await asyncio.to_thread(self._leases.untold, _BATCH):
            await asyncio.to_thread(self._broker.publish, tasks)
            await asyncio.to_thread(self._leases.told, [task.id for task in tasks])

    async def _advance(self) -> None:
        try:
            # also while no task waits, so that a broker that is gone is told
            is_empty = not await asyncio.to_thread(self._broker.waiting)
            self._is_broker_up = True
            await self._tell()
        except BrokerError:
            self._is_broker_up = False
            raise
        # what was told only now does not count as waiting
        is_empty = is_empty and await asyncio.to_thread(self._leases.has_waited, _MARGIN)
        if lost := await asyncio.to_thread(self._leases.tell_again, _MARGIN, all_waiting=is_empty):
            _log.warning(f"the messages of {lost} tasks that wait seem to be lost, and are sent again")
            await self._tell()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            if not self._waiting:
                continue
            try:
                finished = await asyncio.to_thread(self._tasks.finished, list(self._waiting))
            except TextclfError as error:
                _log.debug(f"it cannot be looked for what is finished: {error}")
                continue
            for task_id in finished:
                self._tell_finished(task_id)
