"""The thread in which Celery receives messages, and the threads that wait until their tasks are done."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from celery.exceptions import Reject
from celery.worker import WorkController, state
from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.consumer.consumer import CONNECTION_ERROR, CONNECTION_RETRY

from textclf.base.log_context import printable_id
from textclf.service.queue.broker import reason_of
from textclf.service.queue.messages import JSON, TASK, body_of, task_id_of
from textclf.service.queue.transports import tell_dropped
from textclf.service.task_work import REQUEST_ID

if TYPE_CHECKING:
    from textclf.service.queue.broker import Broker

_LOGGERS = [logging.getLogger(f"celery.{name}") for name in ("worker.consumer.consumer", "app.trace")]
"""Where Celery tells of each attempt to connect, and of each message that it gives back."""

_log = logging.getLogger(__name__)


class _Outages(logging.Filter):
    """Tells once of each time without the broker, in place of what Celery tells."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place, self._is_out = place, False

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through what has nothing to do with the connection."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        error = next((one for one in arguments if isinstance(one, BaseException)), None)
        if record.msg == CONNECTION_ERROR or CONNECTION_RETRY in arguments:
            self.begin(error)
            return False
        # that a task has to wait is told already
        if getattr(record, "data", {}).get("description") == "rejected":
            return False
        return not str(record.msg).startswith("Frequent restarts")

    def end(self) -> None:
        """Tell that the broker is there again."""
        if self._is_out:
            _log.info("the broker is there again")
        self._is_out = False

    def begin(self, error: BaseException | None) -> None:
        """Tell that the broker is gone, unless that is told already."""
        if not self._is_out:
            reason = "" if error is None else f" ({reason_of(error)})"
            _log.warning(
                f"the connection to the broker {self._place} is lost{reason}; tasks under way go on, and it is tried "
                "again"
            )
        self._is_out = True


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

    def on_ready(self) -> None:
        """Tell that messages are received."""
        super().on_ready()
        self.app.outages.end()

    def create_task_handler(self, *arguments: Any, **named: Any) -> Callable[[Any], None]:
        """Give what is called with each message; Celery sees of it the ids of the task and of the request alone."""
        handle = super().create_task_handler(*arguments, **named)

        def receive(message: Any) -> None:
            task_id = task_id_of(message.headers, message.content_type, message.body)
            if task_id is None:
                self._drop(message)
                return
            request_id = printable_id(message.headers.get(REQUEST_ID))
            message.headers = {"task": TASK, "id": task_id, REQUEST_ID: request_id}
            message.body, message.content_type, message.content_encoding = body_of(task_id), JSON, "utf-8"
            message.ack_log_error = partial(self._settle, message, message.ack)
            message.reject_log_error = partial(self._settle, message, message.reject)
            handle(message)

        return receive

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Drop a message that kombu cannot read."""
        self._drop(message)

    def _drop(self, message: Any) -> None:
        tell_dropped(message.body)
        self._settle(message, message.reject, None, self.connection_errors)

    def _settle(
        self, message: Any, settle: Callable[..., object], _: object, errors: tuple[type[Exception], ...], *how: object
    ) -> None:
        """Acknowledge or reject a message; without the broker it comes again, and its task is found finished then."""
        try:
            settle(*how)
        except errors as error:
            # the message goes on to take one of the worker's places, and while all are taken kombu asks for none and
            # notices no outage: with SQS, its place is freed; with Redis, only a new connection frees it
            if self.hub is None:
                message.channel.qos.ack(message.delivery_tag)
                return
            # of a connection that was lost before
            if message.channel is not getattr(self.task_consumer, "channel", None):
                return
            self.app.outages.begin(error)
            raise


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

    def start(self, do: Callable[[str, str], Coroutine[Any, Any, bool]], ready: Callable[[], None]) -> asyncio.Event:
        """Begin to receive; gives an event that is set once it has ended.

        Parameters
        ----------
        do : callable
            Does a task in the loop of the caller, given its id and that of the request; False if the message is to
            come again.
        ready : callable
            Called in that loop once messages are received.
        """
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def classify(task: Any, task_id: str) -> None:
            doing = asyncio.run_coroutine_threadsafe(do(task_id, task.request.get(REQUEST_ID) or ""), loop)
            if not doing.result():
                raise Reject("to be told again", requeue=True)

        def is_ready(_: Any) -> None:
            self._was_ready = True
            loop.call_soon_threadsafe(ready)

        def run() -> None:
            try:
                self._controller.start()
            finally:
                for logger in _LOGGERS:
                    logger.removeFilter(self._broker.app.outages)
                loop.call_soon_threadsafe(ended.set)

        self._broker.app.task(name=TASK, bind=True)(classify)
        state.should_stop = None
        self._broker.app.outages = _Outages(self._broker.place)
        for logger in _LOGGERS:
            logger.addFilter(self._broker.app.outages)
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
