"""S3 on the server's own port, over the folder that holds one folder a bucket."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from aws_ml_adapter.server.hosts import Hosts
from aws_ml_adapter.server.links import signature
from aws_ml_adapter.server.s3.body import Received, Receiver
from aws_ml_adapter.server.s3.bucket_operations import BucketOperations
from aws_ml_adapter.server.s3.buckets import BLOCK, Buckets, reported
from aws_ml_adapter.server.s3.messages import S3Error
from aws_ml_adapter.server.s3.object_operations import ObjectOperations
from aws_ml_adapter.server.s3.requests import Answer, Request
from aws_ml_adapter.server.s3.routes import Body, Route, Routes
from aws_ml_adapter.server.s3.signature import ChunkSignatures, SignedRequest, verify_s3
from aws_ml_adapter.server.s3.upload_operations import LARGEST_OBJECT, LARGEST_PUT, UploadOperations
from aws_ml_adapter.server.s3.uploads import Uploads

STALLED_SECONDS = 30.0
"""How long nothing may come of a body, or nothing be taken of an answer."""

_MESSAGE_BYTES = 4 * 2**20
_QUERY_FIELDS = 40
# what was stored must neither run as a page of this server nor be taken for something else
_HEADERS = {
    "content-security-policy": "sandbox",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_OF_SDKS = {"x-amz-date", "x-amz-content-sha256"}
_SIGNED_LINK = re.compile(r"(^|&)(X-Amz-Signature|Signature)=")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def is_from_sdk(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Say whether a request that names no operation of Amazon ML comes from a client of S3, and not from a browser."""
    # proxies before the server have headers of such names too, and a browser may have to log in to one of them
    return (
        headers.get("authorization", "").startswith("AWS")
        or any(name in _OF_SDKS or name.startswith("amz-sdk-") for name in headers)
        or bool(_SIGNED_LINK.search(scope["query_string"].decode("latin-1")))
    )


class S3:
    """Answers requests to S3.

    Parameters
    ----------
    root : pathlib.Path or None
        The folder; None where the server uses another S3 and has none.
    data_dir : pathlib.Path
        The server's; keeps policies.
    secret : bytes
        The server's own.
    hosts : Hosts
    keys : mapping of str to str, optional
        Access key to secret key; without them any request from this machine is taken.

    References
    ----------
    https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
    """

    def __init__(
        self, root: Path | None, *, data_dir: Path, secret: bytes, hosts: Hosts, keys: Mapping[str, str] | None = None
    ) -> None:
        self._hosts = hosts
        self._keys = keys
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="s3")
        self._buckets: Buckets | None = None
        if root is not None:
            self._buckets = Buckets(root, signature(secret, "s3")[:16])
            uploads = Uploads(self._buckets, largest=LARGEST_OBJECT)
            self._buckets.remove_unfinished()
            uploads.remove_old()
            self._routes = Routes(
                BucketOperations(self._buckets, data_dir / "policies"),
                ObjectOperations(self._buckets),
                UploadOperations(self._buckets, uploads),
            )

    async def answer(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send, *, is_allowed: bool
    ) -> tuple[str, int]:
        """Answer a request.

        Parameters
        ----------
        scope, receive, send
            As an ASGI application gets them.
        headers : mapping of str to str
            Names in lower case.
        is_allowed : bool
            False for one from a page in a browser that may not call.

        Returns
        -------
        operation : str
            For the log.
        status : int
        """
        request_id = secrets.token_hex(8).upper()
        path = scope.get("raw_path", b"/").decode("latin-1")
        operation = "-"
        async with AsyncExitStack() as stack:
            try:
                bucket, key = self._resource(path, headers)
                operation, answer = await self._perform(scope, headers, receive, stack, bucket, key, is_allowed)
            except S3Error as error:
                answer = _refusal(error, path, request_id)
                # who waits to be told to go on will send no body now; who sends one too slowly is not waited for
                if "expect" in headers or error.code == "RequestTimeout":
                    answer.headers["connection"] = "close"
            except ConnectionError:
                raise
            # the boundary: as for the other operations
            except Exception:
                logging.getLogger(__name__).exception("while answering S3 %s", operation)
                answer = _refusal(S3Error("InternalError", "A fault of the server itself"), path, request_id)
            answer.headers.update(_HEADERS, **{"x-amz-request-id": request_id})
            await self._send(answer, scope["method"], send)
        return operation, answer.status

    async def _perform(
        self,
        scope: Scope,
        headers: Mapping[str, str],
        receive: Receive,
        stack: AsyncExitStack,
        bucket: str,
        key: str,
        is_allowed: bool,
    ) -> tuple[str, Answer]:
        method, query_string = scope["method"], scope["query_string"].decode("latin-1")
        path = scope.get("raw_path", b"/").decode("latin-1")
        resource = path if self._hosts.bucket(headers.get("host", "")) is None else f"/{bucket}{path}"
        # clients of version 2 sign a bucket alone as its folder
        resource += "/" * (resource.count("/") == 1 and resource != "/")
        signatures = self._authorize(
            SignedRequest(method=method, path=path, query=query_string, headers=headers, resource=resource),
            is_allowed=is_allowed,
        )
        if self._buckets is None:
            raise S3Error(
                "NotImplemented",
                "This server keeps its objects in another S3 (--s3-endpoint): send requests for S3 there",
            )
        try:
            query = dict(parse_qsl(query_string, keep_blank_values=True, max_num_fields=_QUERY_FIELDS, errors="strict"))
        except ValueError as error:
            raise S3Error("InvalidArgument", "The query has too many fields, or is not UTF-8") from error
        route = self._routes.find(method, bucket, key, query, headers)
        request = Request(bucket=bucket, key=key, query=query, headers=headers)
        if route.takes is Body.MESSAGE:
            stream = io.BytesIO()
            await self._receive(receive, Receiver(headers, stream, limit=_MESSAGE_BYTES, signatures=signatures))
            request = replace(request, body=stream.getvalue())
        elif route.takes is Body.CONTENT:
            request = await self._content(request, route, receive, stack, signatures)
        return route.name, await self._in_thread(route.handler, request)

    def _authorize(self, request: SignedRequest, *, is_allowed: bool) -> ChunkSignatures | None:
        """Refuse whoever may not; the rule is the one of the other operations."""
        if self._keys is not None:
            return verify_s3(request, self._keys)
        if not self._hosts.is_known(request.headers.get("host", "localhost")):
            raise S3Error("AccessDenied", "Without --credentials the server answers to localhost only")
        # browsers send simple requests of any page without a question first
        if not is_allowed and request.method not in ("GET", "HEAD"):
            raise S3Error("AccessDenied", "Pages of this origin may not call: see --allow-origin")
        return None

    def _resource(self, path: str, headers: Mapping[str, str]) -> tuple[str, str]:
        """Give bucket and key, whether the bucket stands in the path or in the host."""
        try:
            text = unquote_to_bytes(path).decode().removeprefix("/")
        except UnicodeDecodeError as error:
            raise S3Error("InvalidURI", "Couldn't parse the specified URI.") from error
        if (bucket := self._hosts.bucket(headers.get("host", ""))) is not None:
            return bucket, text
        bucket, _, key = text.partition("/")
        return bucket, key

    async def _content(
        self,
        request: Request,
        route: Route,
        receive: Receive,
        stack: AsyncExitStack,
        signatures: ChunkSignatures | None,
    ) -> Request:
        """Take content into a file, which goes when the request is answered unless it was put in place."""
        buckets = self._buckets
        assert buckets is not None  # noqa: S101
        if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
            raise S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.")
        # before gigabytes come for nothing
        await self._in_thread(buckets.place, request.bucket, request.key)
        path = stack.enter_context(buckets.coming())
        with path.open("wb") as stream:
            # flushed already where all is well
            receiver = Receiver(request.headers, stream, limit=LARGEST_PUT, signatures=signatures)
            received = await self._receive(receive, receiver)
        return replace(request, came=path, received=received)

    async def _receive(self, receive: Receive, receiver: Receiver) -> Received:
        pending, more = bytearray(), True
        while more:
            try:
                async with asyncio.timeout(STALLED_SECONDS):
                    message = await receive()
            except TimeoutError as error:
                raise S3Error("RequestTimeout", "The body did not come in time.") from error
            if message["type"] == "http.disconnect":
                raise ConnectionResetError
            pending += message.get("body", b"")
            more = message.get("more_body", False)
            if pending and (len(pending) >= BLOCK or not more):
                await self._in_thread(_feed, receiver, bytes(pending))
                pending.clear()
        received: Received = await self._in_thread(_finish, receiver)
        return received

    async def _send(self, answer: Answer, method: str, send: Send) -> None:
        length = len(answer.body) if answer.length is None else answer.length
        fields = [
            (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers.items()
        ]
        if answer.status not in (204, 304):
            fields.append((b"content-length", str(length).encode()))
        with closing(answer.stream or io.BytesIO(answer.body)) as stream:
            await send({"type": "http.response.start", "status": answer.status, "headers": fields})
            left = 0 if method == "HEAD" else length
            while left > 0:
                block = await self._in_thread(stream.read, min(left, BLOCK))
                left -= len(block)
                # cut short meanwhile: what was promised cannot be given, and the connection ends
                if not block:
                    raise ConnectionAbortedError
                try:
                    async with asyncio.timeout(STALLED_SECONDS):
                        await send({"type": "http.response.body", "body": block, "more_body": True})
                except TimeoutError as error:
                    raise ConnectionAbortedError from error
            await send({"type": "http.response.body", "body": b""})

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _refusal(error: S3Error, path: str, request_id: str) -> Answer:
    if error.status == 304:
        return Answer(status=304, headers=error.headers)
    headers = {"content-type": "application/xml", **error.headers}
    return Answer(status=error.status, headers=headers, body=error.to_xml(path, request_id))


def _feed(receiver: Receiver, data: bytes) -> None:
    with reported():
        receiver.feed(data)


def _finish(receiver: Receiver) -> Received:
    with reported():
        return receiver.finish()
