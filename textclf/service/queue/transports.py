"""Transports of kombu that a message which cannot be read does not end."""

from __future__ import annotations

import logging
from typing import Any

from amqp import serialization
from amqp.spec import Basic
from kombu import compression
from kombu.exceptions import DecodeError
from kombu.transport import TRANSPORT_ALIASES, redis
from redis import Redis
from redis.client import Pipeline

from textclf.service.queue.messages import envelope, is_kept

_log = logging.getLogger(__name__)


class _Client(Redis):
    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Give an answer of Redis; a message that cannot be read, which it holds no more, counts as none."""
        answer = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or not answer:
            return answer
        queue, item = answer
        kept = envelope(item, queue.decode().partition(redis.Channel.sep)[0])
        if kept is None:
            tell_dropped(item)
            return None
        return queue, kept

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Give a pipeline, for which messages that cannot be read count as none, too."""
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class _Pipeline(Pipeline):
    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Give an answer of Redis; in place of a kept message that cannot be read, None, and kombu forgets it."""
        answer = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "HGET" or answer is None or is_kept(answer):
            return answer
        tell_dropped(answer)
        return None


class _RedisChannel(redis.Channel):  # type: ignore[misc]
    def _get_client(self) -> type[Redis]:
        return _Client


class RedisTransport(redis.Transport):  # type: ignore[misc]
    """That of Redis."""

    Channel = _RedisChannel


def tell_dropped(content: object) -> None:
    """Tell that a message was dropped, with its beginning, which can neither end nor colour the line."""
    _log.warning(f"a message is not of this service, and is dropped: {_start_of(content)}")


def _start_of(content: object) -> str:
    if isinstance(content, memoryview):
        content = bytes(content[:60])
    return ascii(content[:60] if isinstance(content, bytes | str) else content)[:250]


def _refuse(content: bytes) -> bytes:
    raise DecodeError("messages of the service are not compressed")


def _properties(content: Any, offset: int) -> tuple[dict[str, Any], int]:
    """Read the properties of a message of RabbitMQ; none if they cannot be read, so that the worker drops it."""
    try:
        properties: tuple[dict[str, Any], int] = serialization.decode_properties_basic(content, offset)
    # such as a time after the year 9999, or tables deeper than Python reads
    except Exception:  # noqa: BLE001
        return {}, offset
    return properties


def use() -> None:
    """Let kombu receive with these, and unpack nothing, as little can be sent that unpacks to very much."""
    # that of SQS takes a second to import
    with_redis, with_sqs = f"{__name__}:{RedisTransport.__name__}", "textclf.service.queue.sqs:SqsTransport"
    TRANSPORT_ALIASES.update(redis=with_redis, rediss=with_redis, sqs=with_sqs)
    serialization.PROPERTY_CLASSES[Basic.CLASS_ID] = _properties
    for kind in compression.encoders():
        compression.register(_refuse, _refuse, kind)
