"""The thread in which Celery receives messages, and the threads that wait until their tasks are done."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from celery.exceptions import Reject
from celery.worker import WorkController, state
from celery.worker.consumer import Consumer as CeleryConsumer

from textclf.service.queue.broker import TASK

if TYPE_CHECKING:
    from textclf.service.queue.broker import Broker


class _Consumer(CeleryConsumer):  # type: ignore[misc]
    """Receives messages, and does nothing else: no other worker is asked or told of anything."""

    class Blueprint(CeleryConsumer.Blueprint):  # type: ignore[misc]
        """What is started."""

        default_steps: ClassVar[list[str]] = [
            "celery.worker.consumer.connection:Connection",
            "celery.worker.consumer.mingle:Mingle",
            "celery.worker.consumer.tasks:Tasks",
            "celery.worker.consumer.consumer:Evloop",
        ]


class Consumer:
    """Receives messages of a broker and hands over the ids that they carry.

    Parameters
    ----------
    broker : Broker
        Whose messages.
    name : str
        Of the worker.
    at_once : int
        Most messages at a time.
    """

    def __init__(self, broker: Broker, name: str, at_once: int) -> None:
        self._broker, self._name, self._at_once = broker, name, at_once
        self._controller: Any = None
        self._was_ready = False

    @property
    def is_connected(self) -> bool:
        """Whether messages are received."""
        return self._was_ready and self._controller.consumer.connection is not None

    def start(
        self, do: Callable[[str, Mapping[str, str]], Coroutine[Any, Any, bool]], ready: Callable[[], None]
    ) -> asyncio.Event:
        """Begin to receive; gives an event that is set once it has ended.

        Parameters
        ----------
        do : callable
            Does a task in the loop of the caller, given its id and headers; False if the message is to come again.
        ready : callable
            Called in that loop once messages are received.
        """
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def classify(task: Any, task_id: str) -> None:
            doing = asyncio.run_coroutine_threadsafe(do(task_id, task.request.headers or {}), loop)
            if not doing.result():
                raise Reject("to be told again", requeue=True)

        def is_ready(_: Any) -> None:
            self._was_ready = True
            loop.call_soon_threadsafe(ready)

        def run() -> None:
            try:
                self._controller.start()
            finally:
                loop.call_soon_threadsafe(ended.set)

        self._broker.app.task(name=TASK, bind=True)(classify)
        state.should_stop = None
        self._controller = WorkController(
            app=self._broker.app,
            hostname=self._name,
            pool_cls="threads",
            concurrency=self._at_once,
            consumer_cls=_Consumer,
            ready_callback=is_ready,
            without_mingle=True,
        )
        threading.Thread(target=run, name="messages", daemon=True).start()
        return ended

    def stop(self) -> None:
        """Receive no more messages."""
        state.should_stop = 0
        if self._controller.hub is not None:
            # wakes it up
            self._controller.hub.call_soon(lambda: None)
