"""Receiving bodies and sending answers over ASGI, and threads for blocking calls.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, BinaryIO

BLOCK = 1 << 20
"""Bytes read at a time."""

STALLED_SECONDS = 30.0
"""Timeout for the next part of a body to S3, and for a client to accept the next part of an answer."""

_BUFFERED = 1 << 16

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class HttpAnswer:
    """An HTTP response; a stream replaces the body with ``length`` bytes, and is closed after they were sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: BinaryIO | None = None
    length: int | None = None


class Threads:
    """A pool of eight threads for calls that would block the event loop."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix=name)

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)


async def body_block(receive: Receive) -> tuple[bytes, bool]:
    """Receive the next part of a body, and whether more follows.

    Raises
    ------
    ConnectionResetError
        If the client disconnects before the end of the body.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ConnectionResetError
    return message.get("body", b""), message.get("more_body", False)


async def body_blocks(receive: Receive) -> AsyncIterator[bytes]:
    """Yield a body as it arrives; raises as `body_block` does."""
    more = True
    while more:
        block, more = await body_block(receive)
        yield block


async def send_answer(answer: HttpAnswer, method: str, send: Send, threads: Threads) -> None:
    """Send a response, for HEAD without its body."""
    length = len(answer.body) if answer.length is None else answer.length
    fields = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers.items()]
    if answer.status not in (204, 304):
        fields.append((b"content-length", str(length).encode()))
    with answer.stream or nullcontext() as stream:
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        left = 0 if method == "HEAD" else length
        while stream is not None and left > 0:
            block = await threads.run(stream.read, min(left, BLOCK))
            left -= len(block)
            # the file was truncated meanwhile, so content-length cannot be kept, and the connection must end
            if not block:
                raise ConnectionAbortedError
            await _send_soon(send, {"type": "http.response.body", "body": block, "more_body": True})
        last = {"type": "http.response.body", "body": answer.body}
        # small bodies are buffered by the connection, so no timeout is needed
        await (send(last) if len(answer.body) < _BUFFERED else _send_soon(send, last))


async def _send_soon(send: Send, message: Message) -> None:
    try:
        async with asyncio.timeout(STALLED_SECONDS):
            await send(message)
    except TimeoutError as error:
        raise ConnectionAbortedError from error
