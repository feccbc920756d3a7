"""The gate that each request passes: who asks, from where, how much and how fast; and the headers of each answer."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textclf.base.http_limits import BODY_SECONDS
from textclf.base.log_context import bound, printable_id
from textclf.base.problems import ProblemError, problem_of, stopping
from textclf.service.keys import Keys
from textclf.service.pages.visitors import SESSION
from textclf.service.problems import ProblemAnswer
from textclf.service.tracing import Tracing

if TYPE_CHECKING:
    from textclf.service.pages.visitors import Sessions
    from textclf.service.tracing import Span

OPEN_PATHS = frozenset({"/health", "/ready", "/label-studio/webhook"})
"""Paths that need no key: what keeps the service alive asks for two, and Label Studio brings none to the third."""
_WAY_IN = frozenset({"/sign-in", "/sign-out", "/language"})
_FILES_OF_PAGES = "/pages/static/"
JSON_BYTES = 16_000_000
"""Most bytes of a body that is no upload, since it is held in memory."""
_MORE_JSON_BYTES = {"/label-studio/predict": 64_000_000}
"""Label Studio sends all tasks that are selected in one request."""
STALLED_SECONDS = 30.0
"""Time that a client has to accept the next part of an answer."""
SECURITY_HEADERS = {
    # a file name that holds HTML could not run anything even if it were not escaped
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# names below localhost always resolve to this machine: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
_LOOPBACK = re.compile(r"(([a-z0-9_-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)

_log = logging.getLogger(__name__)

Observe = Callable[[str, str, int, float], None]
"""Told of each request: its method, the path of its route, the status and the seconds."""


class Gate:
    """ASGI middleware around the whole application.

    Parameters
    ----------
    app : ASGI application
        What it guards.
    keys : Keys or None
        Without keys, only requests that name this machine as their host are let in: a name that was pointed at it
        (DNS rebinding) is not.
    max_upload : int
        Most bytes of a multipart body.
    observe : callable
        Told of each request.
    sessions : Sessions
        Of browsers whose person has signed in with a key.
    answer : callable
        Makes the answer with a problem.
    tracing : Tracing
        Who keeps each request as a span.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Keys | None,
        max_upload: int,
        observe: Observe,
        sessions: Sessions,
        answer: ProblemAnswer,
        tracing: Tracing,
    ) -> None:
        self._app, self._keys, self._max_upload, self._observe = app, keys, max_upload, observe
        self._sessions, self._answer, self._tracing = sessions, answer, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = printable_id(headers.get("x-request-id")) or uuid.uuid4().hex
        # probes would be most of what is traced
        tracing = Tracing() if scope["path"] in OPEN_PATHS | {"/metrics"} else self._tracing
        with (
            tracing.span(scope["method"], kind="server", carrier=headers) as span,
            bound(request_id=request_id, trace_id=tracing.trace_id()),
        ):
            await self._let_through(scope, receive, _Sending(send, request_id), span)

    async def _let_through(self, scope: Scope, receive: Receive, sending: _Sending, span: Span) -> None:
        begun, body = time.perf_counter(), _Body(receive)
        try:
            self._let_in(scope, body)
            await self._app(scope, body.receive, sending.send)
        except (ClientDisconnect, ConnectionError):
            _log.debug(f"{sending.request_id} the client went away")
        except asyncio.CancelledError:
            # the server stops, and has waited as long as it may; it would take an error for a fault
            if sending.status is None:
                await self._answer(HTTPConnection(scope), stopping())(scope, receive, sending.send)
        except Exception as error:
            if sending.status is None:
                await self._answer(HTTPConnection(scope), problem_of(error))(scope, receive, sending.send)
            else:
                problem_of(error)
                # so that the client notices that the answer has no end
                raise ConnectionAbortedError from error
        finally:
            seconds = time.perf_counter() - begun
            route = getattr(scope.get("route"), "path", "")
            status = sending.status or 499
            self._observe(scope["method"], route, status, seconds)
            span.note(http__request__method=scope["method"], http__route=route, http__response__status_code=status)
            if status >= 500:
                span.fail()
            said = f"{sending.request_id} {scope['method']} {scope['path']!r} {status} {1000 * seconds:.0f} ms"
            _log.log(logging.INFO if status >= 400 else logging.DEBUG, said)

    def _let_in(self, scope: Scope, body: _Body) -> None:
        """Raise the problem of a request that is refused without reading its body."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._keys is None and not _LOOPBACK.fullmatch(host):
            raise ProblemError(421, "misdirected", "without keys, the service answers to localhost only")
        origin = headers.get("origin")
        changes = scope["method"] not in ("GET", "HEAD", "OPTIONS")
        is_foreign = origin is not None and origin.partition("://")[2].lower() != host.lower()
        if changes and (is_foreign or headers.get("sec-fetch-site") in ("cross-site", "same-site")):
            raise ProblemError(403, "cross-origin", "a page of another site may not send requests")
        state = scope.setdefault("state", {})
        state["user"] = ""
        path: str = scope["path"]
        if self._keys is not None and path not in OPEN_PATHS | _WAY_IN and not path.startswith(_FILES_OF_PAGES):
            user = self._keys.user(headers)
            if user is None:
                user = self._sessions.name(HTTPConnection(scope).cookies.get(SESSION))
            if user is None and "text/html" in headers.get("accept", "") and not changes:
                target = f"/sign-in?then={quote(path, safe='')}"
                raise ProblemError(303, "sign-in", "sign in with a key", headers={"Location": target})
            if user is None:
                challenge = {"WWW-Authenticate": 'Bearer realm="textclf"'}
                raise ProblemError(401, "no-key", "bring a key, as X-Api-Key or Bearer", headers=challenge)
            state["user"] = user
        is_upload = headers.get("content-type", "").lower().startswith("multipart/")
        body.limit = self._max_upload if is_upload else _MORE_JSON_BYTES.get(path, JSON_BYTES)
        body.is_upload = is_upload
        # the server itself has refused what is no number
        if int(headers.get("content-length", "0")) > body.limit:
            raise body.too_large()


class _Body:
    """The body of a request, which may neither be too large nor stall."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._received, self._complete = receive, 0, False
        self.limit, self.is_upload = 0, False

    def too_large(self) -> ProblemError:
        """Make the problem of a body over the limit."""
        remedy = "" if self.is_upload else "; send files as multipart/form-data to /v1/classify/file"
        return ProblemError(413, "too-large", f"the request is over {self.limit:,} bytes{remedy}")

    async def receive(self) -> Message:
        """Receive the next part; once the body is complete, wait until the client goes away."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                message = await self._receive()
        except TimeoutError as error:
            raise ProblemError(
                408, "stalled", f"nothing arrived for {BODY_SECONDS:g} s", headers={"Connection": "close"}
            ) from error
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            if self._received > self.limit:
                raise self.too_large()
        return message


class _Sending:
    """The answer to a request, with the headers of every answer."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self.request_id = send, request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        """Send the next part, for which the client may not take too long."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Request-Id"] = self.request_id
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self._send(message)
        except TimeoutError as error:
            raise ConnectionAbortedError("the client does not read") from error
