"""HTTP as uvicorn speaks it, but within bounds: a request comes whole and at a pace, or its connection is closed."""

from __future__ import annotations

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aws_ml_adapter.server.app import BODY_SECONDS

HEAD_BYTES = 65_536
"""Bytes of the request line and the headers."""

HEAD_SECONDS = 5.0
"""How long they may take to come: from when the connection was made, of a later request from its first byte."""

# so much longer that the application can refuse first
_REST_SECONDS = BODY_SECONDS + 5
# of a body in that time; the application says how much may come in all
_REST_BYTES = 2**20


class BoundedProtocol(HttpToolsProtocol):
    """One connection of a client."""

    _in_head = True
    # of the request that is coming
    _received = 0
    _due = 0
    _timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._close_after(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._received > HEAD_BYTES:
            self.send_400_response(f"The headers are over {HEAD_BYTES:,} bytes")
        elif self._in_head:
            if self._received and self._timer is None:
                self._close_after(HEAD_SECONDS)
        # what still comes of a body after the answer is not waited for any longer
        elif self._timer is None or (self._received >= self._due and not self.cycle.response_complete):
            self._stop_timer()
            self._due = self._received + _REST_BYTES
            self._close_after(_REST_SECONDS)

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Go on to the next request."""
        self._in_head, self._received = True, 0
        self._stop_timer()
        super().on_message_complete()

    def shutdown(self) -> None:
        """End when the server does; a body that has not come by then is not waited for."""
        if self._in_head:
            super().shutdown()
        else:
            self.transport.close()

    def _close_after(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
