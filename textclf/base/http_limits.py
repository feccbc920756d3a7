"""uvicorn's HTTP protocol with limits on size and time; a connection that exceeds them is closed."""

from __future__ import annotations

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536
"""Maximum bytes of the request line and the headers."""

HEAD_SECONDS = 5.0
"""Timeout for them: from the start of the connection, for later requests from their first byte."""

BODY_SECONDS = 30.0
"""Timeout of an application for a body, or its next part; this protocol waits longer, so that the error can be sent."""

_REST_SECONDS = BODY_SECONDS + 5
# the least that must arrive of a body in that time; its total size is limited by the application
_REST_BYTES = 2**20


class BoundedProtocol(HttpToolsProtocol):
    """One connection to a client."""

    _in_head = True
    # of the current request
    _received = 0
    _due = 0
    _timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the timeout for the first request."""
        super().connection_made(transport)
        self._close_after(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timeout."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Process a part of a request."""
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._received > HEAD_BYTES:
            self.send_400_response(f"The headers are over {HEAD_BYTES:,} bytes")
        elif self._in_head:
            if self._received and self._timer is None:
                self._close_after(HEAD_SECONDS)
        # after the answer, the timeout is not extended for the rest of a body
        elif self._timer is None or (self._received >= self._due and not self.cycle.response_complete):
            self._stop_timer()
            self._due = self._received + _REST_BYTES
            self._close_after(_REST_SECONDS)

    def on_headers_complete(self) -> None:
        """Switch from headers to body."""
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Switch to the next request."""
        self._in_head, self._received = True, 0
        self._stop_timer()
        super().on_message_complete()

    def shutdown(self) -> None:
        """Close the connection when the server shuts down, without waiting for the rest of a body."""
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
