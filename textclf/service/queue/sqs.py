"""A transport of kombu for Amazon SQS that a message which cannot be read does not end."""

from __future__ import annotations

from queue import Empty
from typing import Any

from celery.worker import state
from kombu.transport import SQS

from textclf.service.queue.messages import is_envelope


class _Channel(SQS.Channel):  # type: ignore[misc]
    # what is not acknowledged is of tasks under way, of which others need not hear
    do_restore = False

    def _get_bulk(self, *arguments: Any, **named: Any) -> None:
        """Receive messages, and none once the worker stops, when Celery asks a last time."""
        if state.should_stop is not None:
            raise Empty
        super()._get_bulk(*arguments, **named)

    def _message_to_python(self, message: Any, queue_name: str, q_url: str) -> Any:
        """Give a message; an empty one, which the worker drops, for what cannot be read."""
        try:
            payload = super()._message_to_python(message, queue_name, q_url)
        # whatever JSON there is in place of what kombu sends
        except Exception:  # noqa: BLE001
            payload = None
        return payload if is_envelope(payload) else self._envelope_payload({}, "", message, q_url)


class SqsTransport(SQS.Transport):  # type: ignore[misc]
    """That of Amazon SQS."""

    Channel = _Channel
    # else kombu receives by pycurl, and what SQS refuses ends the worker
    implements = SQS.Transport.implements.extend(asynchronous=False)
    # such as of a queue that was deleted, which a new connection makes anew
    connection_errors = (*SQS.Transport.connection_errors, SQS.ClientError)
