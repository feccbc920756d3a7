"""A transport of kombu for Amazon SQS that a message which cannot be read does not end."""

from __future__ import annotations

from typing import Any

from kombu.transport import SQS

from textclf.service.queue.messages import is_envelope


class _Channel(SQS.Channel):  # type: ignore[misc]
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
