"""Following paperless-ngx: asking for documents with a tag again and again, or being told of each by a webhook."""

from __future__ import annotations

import hmac
import json
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from textclf.base.errors import TextclfError
from textclf.bridges.paperless_filing import Changes, Filer
from textclf.bridges.paperless_http import GoneError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

_log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024
"""Bytes of a webhook's request."""
MAX_WAITING = 10_000
"""Documents that wait to be judged; more are refused, and found by polling."""
REFRESH = 60.0
"""Seconds for which the names of types, tags and fields are taken for the same."""
AGAIN, MAX_AGAIN = 60.0, 10
"""Seconds after which a document that could not be judged is tried again, and how often."""
MAX_ID = 2**31 - 1
_ID_NAMES = ("doc_id", "document_id", "id")
_URL_NAMES = ("doc_url", "document_url", "url")
_ID_IN_URL = re.compile(r"/documents/(\d{1,10})(?:/|$)")


def file_one(filer: Filer, document_id: int) -> bool:
    """Judge a document, and say in a line what came of it; False if it may be tried again."""
    try:
        changes = filer.file(document_id)
    except GoneError:
        _log.warning(f"document {document_id} is not there any more")
        return True
    except TextclfError as error:
        _log.error(f"document {document_id}: {error}")
        return False
    _log.info(f"document {document_id}: {said(changes)}")
    return True


def said(changes: Changes) -> str:
    """Say what was written about a document."""
    return changes.note if changes else f"{changes.note}; nothing to change"


def poll_once(filer: Filer) -> tuple[int, int]:
    """Judge all documents that have the tag; gives how many, and how many failed."""
    targets = filer.targets(anew=True)
    # the tag is taken away meanwhile, so all are found before the first is judged
    waiting = [document.id for document in filer.client.documents(tag=targets.done_tag)]
    failed = sum(not file_one(filer, document_id) for document_id in waiting)
    return len(waiting), failed


def poll(filer: Filer, *, every: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Judge documents that have the tag for ever; what fails is tried again the next time."""
    while True:
        try:
            poll_once(filer)
        except TextclfError as error:
            _log.warning(f"{error}; asked again in {every:g} s")
        sleep(every)


class Worker:
    """Judges documents one after another in a thread; one that is told of twice while it waits is judged once."""

    def __init__(self, filer: Filer, *, delay: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._filer, self._delay, self._clock = filer, delay, clock
        self._waiting: dict[int, float] = {}
        self._failures: Counter[int] = Counter()
        self._changed = threading.Condition()
        self._stopped = False
        self._looked_up = -REFRESH
        self._thread = threading.Thread(target=self._run, name="paperless", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> int:
        """End after the document that is being judged; gives the number of those that still wait."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()
        return len(self._waiting)

    def put(self, document_id: int) -> bool:
        """Let a document wait for its turn; False if too many do."""
        with self._changed:
            if document_id not in self._waiting and len(self._waiting) >= MAX_WAITING:
                return False
            # told of again, it may still change: it waits anew
            self._waiting[document_id] = self._clock() + self._delay
            self._changed.notify()
        return True

    @property
    def waiting(self) -> int:
        """The number of documents that wait."""
        return len(self._waiting)

    def _next(self) -> int | None:
        """Wait for the next document whose turn has come; None at the end."""
        with self._changed:
            while not self._stopped:
                if not self._waiting:
                    self._changed.wait()
                    continue
                document_id, due = min(self._waiting.items(), key=itemgetter(1))
                if (pause := due - self._clock()) <= 0:
                    del self._waiting[document_id]
                    return document_id
                self._changed.wait(pause)
        return None

    def _run(self) -> None:
        while (document_id := self._next()) is not None:
            # the thread must outlive whatever a document holds
            try:
                done = self._file(document_id)
            except Exception as error:  # noqa: BLE001
                _log.error(f"document {document_id}: a fault of textclf itself ({type(error).__name__}: {error})")
                done = True
            self._failures[document_id] += not done
            if done or self._failures[document_id] > MAX_AGAIN:
                del self._failures[document_id]
                continue
            with self._changed:
                self._waiting.setdefault(document_id, self._clock() + AGAIN)

    def _file(self, document_id: int) -> bool:
        if self._clock() - self._looked_up > REFRESH:
            try:
                self._filer.targets(anew=True)
            except TextclfError as error:
                _log.error(f"document {document_id}: {error}")
                return False
            self._looked_up = self._clock()
        return file_one(self._filer, document_id)


def webhook_app(worker: Worker, key: str) -> FastAPI:
    """Make the application that a webhook of a workflow of paperless-ngx sends documents to.

    ``POST /paperless`` takes an id as ``doc_id``, or an address as ``doc_url``, in JSON or as a form, with the key in
    the header ``X-Api-Key``; it answers 202 before the document is judged. ``GET /health`` needs no key.
    """
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        yield
        if left := worker.stop():
            _log.warning(f"{left} documents were still waiting; `textclf paperless poll` finds them by their tag")

    app = FastAPI(title="textclf for paperless-ngx", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok", "waiting": worker.waiting})

    async def receive(request: Request) -> JSONResponse:
        given = request.headers.get("x-api-key", "")
        if not hmac.compare_digest(given.encode(), key.encode()):
            return _problem(401, "the header X-Api-Key does not hold the key")
        body = await _body(request)
        if body is None:
            return _problem(413, f"more than {MAX_BODY:,} bytes: do not let the webhook include the document")
        document_id = requested_id(request.headers.get("content-type", ""), body)
        if document_id is None:
            return _problem(422, "no document id: send doc_id = {{doc_id}}, or doc_url = {{doc_url}}")
        if not worker.put(document_id):
            return _problem(503, "too many documents are waiting")
        return JSONResponse({"document_id": document_id, "status": "waiting"}, status_code=202)

    # annotations of nested functions are not looked up where they are made
    receive.__annotations__ = {"request": Request}
    health.__annotations__ = {}
    app.add_api_route("/health", health, methods=["GET"], response_model=None)
    app.add_api_route("/paperless", receive, methods=["POST"], response_model=None)
    return app


async def _body(request: Request) -> bytes | None:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return None
    return body


def _problem(status: int, detail: str) -> JSONResponse:
    from fastapi.responses import JSONResponse

    return JSONResponse({"detail": detail}, status_code=status)


def requested_id(content_type: str, body: bytes) -> int | None:
    """Find the id of the document that a webhook tells of; None if there is none.

    Examples
    --------
    >>> requested_id("application/json", b'{"doc_url": "https://paperless.example/documents/12/"}')
    12
    >>> requested_id("application/x-www-form-urlencoded", b"doc_id=7")
    7
    """
    values: dict[str, Any] = {}
    try:
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            values = {name: found[-1] for name, found in parse_qs(body.decode(), max_num_fields=100).items()}
        elif isinstance(found := json.loads(body), dict):
            values = found
    except (ValueError, RecursionError):
        return None
    for name in _ID_NAMES:
        text = str(values.get(name, "")).strip()
        if re.fullmatch(r"[0-9]{1,10}", text) and 0 < int(text) <= MAX_ID:
            return int(text)
    for name in _URL_NAMES:
        if (match := _ID_IN_URL.search(str(values.get(name, "")))) and 0 < int(match[1]) <= MAX_ID:
            return int(match[1])
    return None
