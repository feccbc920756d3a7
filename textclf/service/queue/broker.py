"""The broker: what is told to workers, and how many messages wait."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from amqp.exceptions import ChannelError, NotFound
from celery import Celery
from celery.exceptions import CeleryError
from kombu import Exchange, Queue
from kombu.exceptions import KombuError
from kombu.utils.url import maybe_sanitize_url

from textclf.base.errors import ExitCode, MissingProgramError, TextclfError, how_to_install
from textclf.service.queue import transports
from textclf.service.queue.messages import TASK

if TYPE_CHECKING:
    from kombu import Connection

    from textclf.library.records import Task
    from textclf.service.queue.broker_options import BrokerOptions

_SECONDS = 5
"""For which the service waits for an answer of the broker; messages that could not be sent are sent later."""
_KINDS = {"amqp": "amqp", "amqps": "amqp", "redis": "redis", "rediss": "redis", "sqs": "sqs"}
_TRANSPORT: dict[str, dict[str, Any]] = {
    # what was published is in the queue
    "amqp": {"confirm_publish": True},
    "redis": {"visibility_timeout": 3600, "socket_connect_timeout": _SECONDS, "socket_keepalive": True},
    "sqs": {"visibility_timeout": 3600, "wait_time_seconds": 5, "polling_interval": 0.1},
}
_PUBLISHING: dict[str, dict[str, Any]] = {
    "amqp": {"read_timeout": _SECONDS, "write_timeout": _SECONDS},
    "redis": {"socket_timeout": _SECONDS},
    "sqs": {},
}

_log = logging.getLogger(__name__)


class BrokerError(TextclfError):
    """A broker that cannot be reached or that refuses."""

    code = "broker"
    exit_code = ExitCode.SERVICE


class Broker:
    """A queue of messages, each of which carries the id of a task and nothing else that matters.

    A message only wakes a worker: one that is lost or comes twice neither loses nor doubles a task.
    """

    def __init__(self, options: BrokerOptions) -> None:
        self.url, self.queue = options.broker or "", options.broker_queue
        # a password is not shown
        self.place = maybe_sanitize_url(self.url)
        self.kind = _KINDS[self.url.partition("://")[0]]
        transports.use()
        self.app = self._new_app()
        self._lock = Lock()
        self._connection: Connection | None = None

    def publish(self, tasks: Sequence[Task]) -> None:
        """Tell workers of tasks.

        Raises
        ------
        BrokerError
            If the broker cannot be reached, or refuses; some may have been told then.
        """
        with self._lock, self._connected() as connection, self.app.amqp.Producer(connection) as producer:
            for task in tasks:
                headers = task.request.get("context", {})
                how = {"producer": producer, "queue": self.queue, "retry": False, "ignore_result": True}
                self.app.send_task(TASK, (task.id,), task_id=task.id, headers=headers, **how)

    def waiting(self) -> int:
        """Give how many messages no worker has received; with SQS, about how many.

        Raises
        ------
        BrokerError
            If the broker cannot be reached, or refuses.
        """
        with self._lock, self._connected() as connection:
            queue = self.app.amqp.queues[self.queue].bind(connection.default_channel)
            queue.declare()
            try:
                return int(queue.queue_declare(passive=True).message_count)
            except ChannelError as error:
                # to Redis, an empty queue is none
                if str(error.reply_code) == str(NotFound.code):
                    return 0
                raise

    def close(self) -> None:
        """Close the connection over which messages are sent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            if self._connection is None:
                options = {"transport_options": _PUBLISHING[self.kind], "connect_timeout": _SECONDS}
                self._connection = self.app.connection_for_write(heartbeat=0, **options)
                self._connection.ensure_connection(max_retries=1, timeout=_SECONDS)
            yield self._connection
        # each client library has errors of its own, which have nothing in common
        except Exception as error:
            self._forget_connection()
            if isinstance(error, ImportError):
                raise MissingProgramError(f"{error}", remedy=how_to_install("queue")) from error
            raise BrokerError(
                f"cannot be used ({reason_of(error)})",
                where=self.place,
                remedy="see that the broker runs and lets you in",
            ) from error

    def _forget_connection(self) -> None:
        try:
            self.close()
        except Exception as error:  # noqa: BLE001 - it is broken
            _log.debug(f"closing the connection to the broker: {error}")

    def _new_app(self) -> Celery:
        # by a quorum queue, a cluster of RabbitMQ loses no message with one of its nodes
        arguments = {"x-queue-type": "quorum"} if self.kind == "amqp" else None
        queue = Queue(self.queue, Exchange(self.queue), routing_key=self.queue, queue_arguments=arguments)
        app = Celery("textclf", broker=self.url, backend="disabled://", set_as_current=False)
        app.conf.update(
            accept_content=["json"],
            task_serializer="json",
            task_ignore_result=True,
            task_acks_late=True,
            task_reject_on_worker_lost=True,
            task_queues=(queue,),
            task_default_queue=self.queue,
            worker_prefetch_multiplier=1,
            worker_enable_remote_control=False,
            worker_send_task_events=False,
            # with a lease on each task, one that is delivered anew is not begun anew
            worker_cancel_long_running_tasks_on_connection_loss=False,
            worker_hijack_root_logger=False,
            broker_connection_timeout=_SECONDS,
            broker_connection_retry_on_startup=True,
            broker_connection_max_retries=None,
            # such as a key of another type where Redis should have the queue
            broker_channel_error_retry=True,
            broker_transport_options=_TRANSPORT[self.kind],
        )
        return app


def reason_of(error: BaseException) -> str:
    """Say in one line why a broker cannot be used."""
    if isinstance(error, KombuError | CeleryError) and error.__cause__ is not None:
        error = error.__cause__
    return " ".join(f"{error or type(error).__name__}".split())[:300]
