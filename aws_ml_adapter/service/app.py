"""The HTTP side: reads requests, checks them, hands them on, and writes answers as the service does."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aws_ml_adapter.faults import RequestFault
from aws_ml_adapter.service.errors import ServiceError
from aws_ml_adapter.service.job import LOG, folder_of
from aws_ml_adapter.service.operations import Caller, Operations
from aws_ml_adapter.service.pages import Page, Pages
from aws_ml_adapter.service.realtime import RealTime
from aws_ml_adapter.service.signature import verify
from aws_ml_adapter.service.validation import check_of, parse_body, service_model

__all__ = ["BODY_LIMIT", "BODY_SECONDS", "TARGET_PREFIX", "App"]

TARGET_PREFIX = "AmazonML_20141212."
BODY_LIMIT = 2 * 2**20
"""Bytes of a request."""

BODY_SECONDS = 30.0
"""How long the body of a request may take to come."""

_QUERY_FIELDS = 8
_CONTENT_TYPE = b"application/x-amz-json-1.1"
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9a-f:.]{2,45}\](:\d{1,5})?")
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_ACCESS_KEY = re.compile(r"AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]{4,128})/")
_INTERNAL = ServiceError("InternalServerException", "A fault of the server itself; its own output says more")
_ACCOUNT = "arn:aws:iam::000000000000"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_requests = logging.getLogger("aws_ml_adapter.requests")


class App:
    """An ASGI application.

    Predictions are answered in the event loop itself: they are short, and a thread would cost more than they do. All
    else reads SQLite or storage and goes to threads.

    Parameters
    ----------
    operations : Operations
    realtime : RealTime
    pages : Pages
    data_dir : pathlib.Path
    keys : mapping of str to str, optional
        Access key to secret key; without them any request from this machine is taken.
    public_url : str, optional
        Under which clients reach the server, if it is not the one that their requests name.

    References
    ----------
    https://asgi.readthedocs.io/en/latest/specs/www.html
    """

    def __init__(
        self,
        operations: Operations,
        realtime: RealTime,
        pages: Pages,
        *,
        data_dir: Path,
        keys: Mapping[str, str] | None = None,
        public_url: str | None = None,
    ) -> None:
        self._operations = operations
        self._realtime = realtime
        self._pages = pages
        self._data_dir = data_dir
        self._keys = keys
        self._public_url = public_url
        self._public_host = urlsplit(public_url).netloc if public_url else None
        model = service_model()
        self._checks = {name: check_of(model.operation_model(name).input_shape) for name in model.operation_names}
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="operation")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        operation = headers.get("x-amz-target", "").removeprefix(TARGET_PREFIX)
        content_type = _CONTENT_TYPE
        more: dict[str, str] = {}
        try:
            if scope["method"] in ("GET", "HEAD") and not operation:
                page = await self._in_thread(self._page, scope, headers)
                status, body, content_type, more = page.status, page.body, page.content_type.encode(), page.headers
            else:
                answer = await self._answer(operation, scope, headers, receive)
                status, body = 200, json.dumps(answer).encode()
        except ServiceError as error:
            status, body = error.status, json.dumps(error.body).encode()
            # what may still come of the body is not waited for
            more = {"connection": "close"} if error.name == "RequestTimeoutException" else {}
        except ConnectionError:
            return
        # the boundary: a fault of ours must neither end the server nor tell a stranger about its inside
        except Exception:
            logging.getLogger(__name__).exception("while answering %s", operation[:40])
            status, body = _INTERNAL.status, json.dumps(_INTERNAL.body).encode()
        request_id = str(uuid.uuid4())
        fields = [
            (b"x-amzn-requestid", request_id.encode()),
            (b"content-type", content_type),
            (b"content-length", str(len(body)).encode()),
            *((name.encode(), value.encode()) for name, value in more.items()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})
        known = operation if operation in self._checks else "-"
        client = (scope.get("client") or ("-",))[0]
        milliseconds = (time.perf_counter() - begun) * 1000
        _requests.info("%s %s %s %d %.1f ms", request_id, client, known, status, milliseconds)

    async def _answer(
        self, operation: str, scope: Scope, headers: Mapping[str, str], receive: Receive
    ) -> dict[str, Any]:
        body = await _body(headers, receive)
        if scope["method"] != "POST" or operation not in self._checks:
            raise ServiceError("UnknownOperationException", "X-Amz-Target names no operation of Amazon ML 2014-12-12")
        user = self._user(scope, headers, body)
        try:
            content = parse_body(body)
        except ValueError as error:
            raise ServiceError("SerializationException", str(error)[:200]) from error
        try:
            request = self._checks[operation](content, "")
            if operation == "Predict":
                mounted = self._realtime.mounted(request["MLModelId"])
                if mounted is None:
                    mounted = await self._realtime.find(request["MLModelId"])
                return {"Prediction": mounted.predict(request["Record"])}
            caller = Caller(base_url=self._base_url(scope, headers), user=user)
            answer: dict[str, Any] = await self._in_thread(self._operations.answer, operation, request, caller)
        except RequestFault as error:
            raise ServiceError("InvalidInputException", str(error)) from error
        return answer

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def _user(self, scope: Scope, headers: Mapping[str, str], body: bytes) -> str:
        """Say who asks; refuse whoever may not."""
        if self._keys is not None:
            path = scope.get("raw_path", b"/").decode("latin-1")
            key = verify(path, scope["query_string"].decode("latin-1"), headers, body, self._keys)
            return f"{_ACCOUNT}:user/{key}"
        self._check_host(headers)
        given = _ACCESS_KEY.match(headers.get("authorization", ""))
        return f"{_ACCOUNT}:user/{given[1]}" if given else f"{_ACCOUNT}:root"

    def _check_host(self, headers: Mapping[str, str]) -> None:
        # a page in a browser that had its own name point here would ask under that name
        host = headers.get("host", "localhost")
        if not _LOOPBACK.fullmatch(host) and host != self._public_host:
            raise ServiceError("AccessDeniedException", "Without --credentials the server answers to localhost only")

    def _base_url(self, scope: Scope, headers: Mapping[str, str]) -> str:
        if self._public_url is not None:
            return self._public_url
        scheme = headers.get("x-forwarded-proto", scope["scheme"])
        host = headers.get("host", "")
        if scheme not in ("http", "https") or not _HOST.fullmatch(host):
            scheme, host = "http", "{}:{}".format(*scope["server"])
        return f"{scheme}://{host}"

    def _page(self, scope: Scope, headers: Mapping[str, str]) -> Page:
        """Answer a browser."""
        try:
            query = dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=_QUERY_FIELDS))
        except ValueError as error:
            raise ServiceError("InvalidInputException", "The query has too many fields") from error
        path: str = scope["path"]
        if path.startswith("/logs/"):
            return self._log(path.removeprefix("/logs/"), query.get("signature", ""))
        if self._keys is None:
            self._check_host(headers)
        return self._pages.answer(path, query)

    def _log(self, serial: str, signature: str) -> Page:
        """Give the log of a job to whom GetMLModel and its like, or a page, gave the URL."""
        known = self._operations.log_serial(serial, signature)
        path = folder_of(self._data_dir, known or 0) / LOG
        log = None
        # the object may be deleted this moment
        with suppress(OSError):
            log = path.read_bytes() if known is not None else None
        return Page(
            status=404 if log is None else 200,
            content_type="text/plain; charset=utf-8",
            body=b"There is no such log.\n" if log is None else _multipart(log, known or 0),
            headers={"x-content-type-options": "nosniff", "cache-control": "no-store"},
        )


async def _body(headers: Mapping[str, str], receive: Receive) -> bytes:
    too_large = ServiceError("RequestEntityTooLargeException", f"The body is over {BODY_LIMIT:,} bytes")
    if int(headers.get("content-length", 0)) > BODY_LIMIT:
        raise too_large
    body, more = b"", True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ConnectionResetError
                body += message.get("body", b"")
                if len(body) > BODY_LIMIT:
                    raise too_large
                more = message.get("more_body", False)
    except TimeoutError as error:
        raise ServiceError("RequestTimeoutException", "The body did not come in time") from error
    return body


def _multipart(log: bytes, serial: int) -> bytes:
    """Frame a log as the service does: a MIME text with one part."""
    boundary = f"=_log_{serial}"
    head = (
        f"Message-ID: <{serial}@amazon-ml>\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/mixed; boundary="{boundary}"\n\n--{boundary}\n'
        'Content-Type: text/plain; charset=utf-8\nContent-Disposition: inline; filename="Amazon Machine Learning"\n\n'
    )
    return head.encode() + log + f"\n--{boundary}--\n".encode()
