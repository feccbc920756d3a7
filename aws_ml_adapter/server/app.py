"""The ASGI application: reads and checks requests, dispatches them, and writes answers as the service does."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.server.asgi import HttpAnswer, Message, Receive, Scope, Send, Threads, body_block, send_answer
from aws_ml_adapter.server.error_answers import ServiceError
from aws_ml_adapter.server.hosts_and_cors import Cors, Hosts
from aws_ml_adapter.server.job_spec import LOG, folder_of
from aws_ml_adapter.server.operations import Caller, Operations
from aws_ml_adapter.server.pages import Pages
from aws_ml_adapter.server.realtime import RealTime
from aws_ml_adapter.server.request_log import RequestLog
from aws_ml_adapter.server.s3.endpoint import S3, is_from_sdk
from aws_ml_adapter.server.signatures import SignedRequest, verify
from aws_ml_adapter.server.validation import check_of, parse_body, service_model
from textclf.base.http_limits import BODY_SECONDS

TARGET_PREFIX = "AmazonML_20141212."
BODY_LIMIT = 2 * 2**20
"""Bytes of a request."""

_QUERY_FIELDS = 8
_CONTENT_TYPE = "application/x-amz-json-1.1"
_ACCESS_KEY = re.compile(r"AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]{4,128})/")
_INTERNAL = ServiceError("InternalServerException", "Internal error of the server; see its output")
_ACCOUNT = "arn:aws:iam::000000000000"


class App:
    """The ASGI application.

    A request with ``X-Amz-Target`` or Amazon ML's content type is one to Amazon ML; one for the path of a page is a
    browser's; all others are requests to S3. Predictions are computed in the event loop, because a thread would cost
    more than they do; everything else reads SQLite or storage, and runs in threads. Without keys, requests need no
    signature, but must name this machine as their host.
    """

    def __init__(
        self,
        operations: Operations,
        realtime: RealTime,
        pages: Pages,
        *,
        s3: S3,
        hosts: Hosts,
        cors: Cors,
        log: RequestLog,
        data_dir: Path,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self._operations = operations
        self._realtime = realtime
        self._pages = pages
        self._s3 = s3
        self._hosts = hosts
        self._cors = cors
        self._requests = log
        self._data_dir = data_dir
        self._keys = keys
        model = service_model()
        self._checks = {name: check_of(model.operation_model(name).input_shape) for name in model.operation_names}
        self._threads = Threads("operation")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        send = self._with_cors(send, headers)
        request_id = str(uuid.uuid4())
        try:
            if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                allowing = self._cors.preflight(headers)
                operation, status = "-", 204 if allowing else 403
                await send_answer(HttpAnswer(status=status, headers=allowing), "OPTIONS", send, self._threads)
            elif self._is_for_s3(scope, headers):
                allowed = self._cors.allows(headers)
                operation, status = await self._s3.answer(scope, headers, receive, send, is_allowed=allowed)
            else:
                operation = headers.get("x-amz-target", "").removeprefix(TARGET_PREFIX)
                answer = await self._answer(operation, scope, headers, receive)
                operation, status = operation if operation in self._checks else "-", answer.status
                answer.headers["x-amzn-requestid"] = request_id
                await send_answer(answer, scope["method"], send, self._threads)
        except ConnectionError:
            return
        client = (scope.get("client") or ("-",))[0]
        milliseconds = (time.perf_counter() - begun) * 1000
        self._requests.add(f"{request_id} {client} {operation} {status} {milliseconds:.1f} ms")

    def _is_for_s3(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        if "x-amz-target" in headers or headers.get("content-type", "").startswith("application/x-amz-json"):
            return False
        if is_from_sdk(scope, headers) or self._hosts.bucket(headers.get("host", "")) is not None:
            return True
        if scope["method"] in ("GET", "HEAD"):
            return not self._pages.has(scope["path"]) and not scope["path"].startswith("/logs/")
        return bool(scope["path"].strip("/"))

    def _with_cors(self, send: Send, headers: Mapping[str, str]) -> Send:
        """Add the CORS headers to the answer."""
        more = [(name.encode(), value.encode("latin-1")) for name, value in self._cors.headers(headers).items()]
        if not more:
            return send

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *more]
            await send(message)

        return sending

    async def _answer(self, operation: str, scope: Scope, headers: Mapping[str, str], receive: Receive) -> HttpAnswer:
        """Answer an operation of Amazon ML, or a browser."""
        try:
            if scope["method"] in ("GET", "HEAD") and not operation:
                page: HttpAnswer = await self._threads.run(self._page, scope, headers)
                return page
            return _json_answer(200, await self._perform(operation, scope, headers, receive))
        except ServiceError as error:
            # the rest of the body is not waited for
            more = {"connection": "close"} if error.name == "RequestTimeoutException" else {}
            return _json_answer(error.status, error.body, more)
        except ConnectionError:
            raise
        # an unexpected error must neither end the server nor show internals to a client
        except Exception:
            logging.getLogger(__name__).exception("while answering %s", operation[:40])
            return _json_answer(_INTERNAL.status, _INTERNAL.body)

    async def _perform(
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
                model = self._realtime.loaded(request["MLModelId"])
                if model is None:
                    model = await self._realtime.find(request["MLModelId"])
                return {"Prediction": model.predict(request["Record"])}
            base_url = self._hosts.base_url(headers, scope["scheme"], scope["server"])
            caller = Caller(base_url=base_url, user=user)
            answer: dict[str, Any] = await self._threads.run(self._operations.answer, operation, request, caller)
        except RequestFault as error:
            raise ServiceError("InvalidInputException", str(error)) from error
        return answer

    def _user(self, scope: Scope, headers: Mapping[str, str], body: bytes) -> str:
        """Return the ARN of the caller; raises `ServiceError` if the request is not allowed."""
        if self._keys is not None:
            path, query = (scope.get(name, b"").decode("latin-1") for name in ("raw_path", "query_string"))
            signed = SignedRequest(method=scope["method"], path=path or "/", query=query, headers=headers)
            return f"{_ACCOUNT}:user/{verify(signed, body, self._keys)}"
        self._check_host(headers)
        given = _ACCESS_KEY.match(headers.get("authorization", ""))
        return f"{_ACCOUNT}:user/{given[1]}" if given else f"{_ACCOUNT}:root"

    def _check_host(self, headers: Mapping[str, str]) -> None:
        if not self._hosts.is_known(headers.get("host", "localhost")):
            raise ServiceError("AccessDeniedException", "Without --credentials the server answers to localhost only")

    def _page(self, scope: Scope, headers: Mapping[str, str]) -> HttpAnswer:
        """Answer a request for a page or a log."""
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

    def _log(self, serial: str, signature: str) -> HttpAnswer:
        """Return the log of a job, if the signature of the URL is valid."""
        status, body = 404, b"There is no such log.\n"
        if (known := self._operations.log_serial(serial, signature)) is not None:
            # the object may be deleted at the same time
            with suppress(OSError):
                status, body = 200, _multipart((folder_of(self._data_dir, known) / LOG).read_bytes(), known)
        headers = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
        return HttpAnswer(status=status, headers={"content-type": "text/plain; charset=utf-8", **headers}, body=body)


def _json_answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> HttpAnswer:
    fields = {"content-type": _CONTENT_TYPE, **(headers or {})}
    return HttpAnswer(status=status, headers=fields, body=json.dumps(body).encode())


async def _body(headers: Mapping[str, str], receive: Receive) -> bytes:
    size, body, more = int(headers.get("content-length", 0)), b"", True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more and max(size, len(body)) <= BODY_LIMIT:
                block, more = await body_block(receive)
                body += block
    except TimeoutError as error:
        raise ServiceError("RequestTimeoutException", "Timed out while waiting for the body") from error
    if max(size, len(body)) > BODY_LIMIT:
        raise ServiceError("RequestEntityTooLargeException", f"The body is over {BODY_LIMIT:,} bytes")
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
