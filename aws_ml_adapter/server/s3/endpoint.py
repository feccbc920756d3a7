"""The S3 API on the server's own port, for the folder that contains one folder per bucket."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, unquote_to_bytes

from aws_ml_adapter.server import asgi
from aws_ml_adapter.server.asgi import BLOCK, HttpAnswer, Receive, Scope, Send, Threads, body_blocks, send_answer
from aws_ml_adapter.server.error_answers import S3ApiError
from aws_ml_adapter.server.hosts_and_cors import Hosts
from aws_ml_adapter.server.s3.actions import S3Actions
from aws_ml_adapter.server.s3.body import Receiver
from aws_ml_adapter.server.s3.buckets import Buckets, reported
from aws_ml_adapter.server.s3.messages import S3Request, to_xml
from aws_ml_adapter.server.s3.routes import Body, find_route
from aws_ml_adapter.server.s3.uploads import MAX_PUT_BYTES
from aws_ml_adapter.server.signatures import ChunkSignatures, SignedRequest, link_signature, verify_s3

_MESSAGE_BYTES = 4 * 2**20
_QUERY_FIELDS = 40
# stored content must neither run as a page of this server nor be interpreted as another type
_HEADERS = {
    "content-security-policy": "sandbox",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_OF_SDKS = {"x-amz-date", "x-amz-content-sha256"}
_SIGNED_LINK = re.compile(r"(^|&)(X-Amz-Signature|Signature)=")


def is_from_sdk(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Return whether a request that is not for Amazon ML comes from an S3 client, and not from a browser."""
    # proxies add headers with similar names, and a browser may send Authorization to one of them
    return (
        headers.get("authorization", "").startswith("AWS")
        or any(name in _OF_SDKS or name.startswith("amz-sdk-") for name in headers)
        or bool(_SIGNED_LINK.search(scope["query_string"].decode("latin-1")))
    )


class S3:
    """Answers requests to S3; without a root, it refuses them, and refers to the S3 that the server uses."""

    def __init__(
        self, root: Path | None, *, data_dir: Path, secret: bytes, hosts: Hosts, keys: Mapping[str, str] | None = None
    ) -> None:
        self._hosts = hosts
        self._keys = keys
        self._threads = Threads("s3")
        self._buckets: Buckets | None = None
        if root is not None:
            self._buckets = Buckets(root, link_signature(secret, "s3")[:16])
            self._actions = S3Actions(self._buckets, data_dir / "policies")
            self._buckets.remove_unfinished()
            self._actions.remove_old()

    async def answer(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send, *, is_allowed: bool
    ) -> tuple[str, int]:
        """Answer a request, and return its action and status for the log.

        ``is_allowed`` is false for a web page whose origin may not send requests.
        """
        request_id = secrets.token_hex(8).upper()
        path = scope.get("raw_path", b"/").decode("latin-1")
        name = "-"
        async with AsyncExitStack() as stack:
            try:
                request = self._request(scope, path, headers)
                signatures = self._authorize(scope, path, request, is_allowed=is_allowed)
                name, answer = await self._perform(scope["method"], request, signatures, receive, stack)
            except S3ApiError as error:
                answer = _refusal(error, path, request_id)
                # the body will not arrive: the client waits for 100 Continue, or has timed out
                if "expect" in headers or error.code == "RequestTimeout":
                    answer.headers["connection"] = "close"
            except ConnectionError:
                raise
            # an unexpected error must neither end the server nor show internals to a client
            except Exception:
                logging.getLogger(__name__).exception("while answering S3 %s", path[:100])
                answer = _refusal(S3ApiError("InternalError", "Internal error of the server"), path, request_id)
            answer.headers.update(_HEADERS, **{"x-amz-request-id": request_id})
            await send_answer(answer, scope["method"], send, self._threads)
        return name, answer.status

    async def _perform(
        self,
        method: str,
        request: S3Request,
        signatures: ChunkSignatures | None,
        receive: Receive,
        stack: AsyncExitStack,
    ) -> tuple[str, HttpAnswer]:
        if self._buckets is None:
            raise S3ApiError(
                "NotImplemented",
                "This server keeps its objects in another S3 (--s3-endpoint): send requests for S3 there",
            )
        found = find_route(method, request)
        if found.takes is Body.MESSAGE:
            stream = io.BytesIO()
            await self._take(receive, Receiver(request.headers, stream, limit=_MESSAGE_BYTES, signatures=signatures))
            request = replace(request, body=stream.getvalue())
        elif found.takes is Body.CONTENT:
            if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
                raise S3ApiError("MissingContentLength", "You must provide the Content-Length HTTP header.")
            # before gigabytes are received in vain
            await self._threads.run(self._buckets.place, request.bucket, request.key)
            # removed after the answer unless it was moved into place
            received = stack.enter_context(self._buckets.receiving())
            with received.open("wb") as file:
                # closing cannot fail on success, because everything is flushed by then
                receiver = Receiver(request.headers, file, limit=MAX_PUT_BYTES, signatures=signatures)
                request = replace(request, received=received, md5=await self._take(receive, receiver))
        return found.name, await self._threads.run(getattr(self._actions, found.action), request)

    def _request(self, scope: Scope, path: str, headers: Mapping[str, str]) -> S3Request:
        """Parse a request, whose bucket is in the path or in the host."""
        try:
            text = unquote_to_bytes(path).decode().removeprefix("/")
        except UnicodeDecodeError as error:
            raise S3ApiError("InvalidURI", "Couldn't parse the specified URI.") from error
        try:
            text_of_query = scope["query_string"].decode("latin-1")
            query = parse_qsl(text_of_query, keep_blank_values=True, max_num_fields=_QUERY_FIELDS, errors="strict")
        except ValueError as error:
            raise S3ApiError("InvalidArgument", "The query has too many fields, or is not UTF-8") from error
        bucket, key = self._hosts.bucket(headers.get("host", "")), text
        if bucket is None:
            bucket, _, key = text.partition("/")
        return S3Request(bucket=bucket, key=key, query=dict(query), headers=headers)

    def _authorize(self, scope: Scope, path: str, request: S3Request, *, is_allowed: bool) -> ChunkSignatures | None:
        """Raise `S3ApiError` if a request is not allowed, by the same rule as for Amazon ML."""
        host = request.headers.get("host", "localhost")
        if self._keys is not None:
            resource = path if self._hosts.bucket(host) is None else f"/{request.bucket}{path}"
            # clients of version 2 sign the path of a bucket with a slash at the end
            resource += "/" * (resource.count("/") == 1 and resource != "/")
            query = scope["query_string"].decode("latin-1")
            signed = SignedRequest(
                method=scope["method"], path=path, query=query, headers=request.headers, resource=resource
            )
            return verify_s3(signed, self._keys)
        if not self._hosts.is_known(host):
            raise S3ApiError("AccessDenied", "Without --credentials the server answers to localhost only")
        # browsers send simple requests without a preflight request
        if not is_allowed and scope["method"] not in ("GET", "HEAD"):
            raise S3ApiError("AccessDenied", "Pages of this origin may not send requests: see --allow-origin")
        return None

    async def _take(self, receive: Receive, receiver: Receiver) -> str:
        """Receive a body block by block, and return its MD5."""

        async def soon() -> asgi.Message:
            try:
                async with asyncio.timeout(asgi.STALLED_SECONDS):
                    return await receive()
            except TimeoutError as error:
                raise S3ApiError("RequestTimeout", "Timed out while waiting for the body.") from error

        pending = bytearray()
        async for block in body_blocks(soon):
            pending += block
            if len(pending) >= BLOCK:
                await self._threads.run(_feed, receiver, bytes(pending))
                pending.clear()
        md5: str = await self._threads.run(_finish, receiver, bytes(pending))
        return md5


def _refusal(error: S3ApiError, path: str, request_id: str) -> HttpAnswer:
    if error.status == 304:
        return HttpAnswer(status=304, headers=error.headers)
    content = {"Code": error.code, "Message": str(error), "Resource": path, "RequestId": request_id}
    body = to_xml("Error", content, namespace="")
    return HttpAnswer(status=error.status, headers={"content-type": "application/xml", **error.headers}, body=body)


def _feed(receiver: Receiver, data: bytes) -> None:
    with reported():
        receiver.feed(data)


def _finish(receiver: Receiver, data: bytes) -> str:
    with reported():
        receiver.feed(data)
        return receiver.finish()
