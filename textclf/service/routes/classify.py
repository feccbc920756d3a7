"""Classifying files, at once or as a task."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Request
from starlette.requests import ClientDisconnect

from textclf.data.results import Result
from textclf.service.forms import receive_files
from textclf.service.problems import refuse_unknown_parameters, responses
from textclf.service.routes.tasks import TaskStatus, task_status
from textclf.service.sources import MAX_SOURCES, SourceRequest, Sources
from textclf.service.uploads import SourceFile, make_lasting

if TYPE_CHECKING:
    from pathlib import Path

    from textclf.service.desk import Desk
    from textclf.service.tasks import TaskDesk

_REFUSALS = (400, 401, 403, 404, 408, 413, 415, 421, 422, 429, 500, 503, 507)
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "additionalProperties": False,
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "Images and PDFs.",
                        }
                    },
                }
            }
        },
    }
}


def classify_router(desk: Desk, tasks: TaskDesk, sources: Sources) -> APIRouter:
    """Make the routes that take documents."""
    router = APIRouter(prefix="/v1/classify", tags=["classify"], dependencies=[Depends(refuse_unknown_parameters)])

    async def received(request: Request, folder: Path, admit: Callable[[], None]) -> list[SourceFile]:
        return await receive_files(
            request, folder, max_bytes=desk.limits.max_bytes, max_files=min(MAX_SOURCES, desk.queue), admit=admit
        )

    @router.post("/file", responses=responses(*_REFUSALS), openapi_extra=_FORM)
    async def classify_files(request: Request) -> Result:
        """Classify the files of a form, each in a field `files`, and answer when all are done.

        For example: curl -F files=@scan.pdf -F files=@photo.jpg http://localhost:8080/v1/classify/file
        """
        desk.loaded()
        with desk.place() as admit:
            async with desk.uploads.of_request(uuid.uuid4().hex) as folder:
                with desk.metrics.timed("upload"):
                    files = await received(request, folder, admit)
                return await _unless_gone(request, desk.classify(files))

    @router.post("/file/async", status_code=202, responses=responses(*_REFUSALS), openapi_extra=_FORM)
    async def classify_files_later(request: Request) -> TaskStatus:
        """Take the files of a form, each in a field `files`, as a task."""
        desk.loaded()
        await tasks.refuse_if_full()
        return await _as_task(desk, tasks, lambda folder: received(request, folder, lambda: None))

    @router.post("/source", responses=responses(*_REFUSALS, 501, 502))
    async def classify_sources(request: Request, body: SourceRequest) -> Result:
        """Classify documents in base64, files below the root, or objects in S3, and answer when all are done."""
        desk.loaded()
        with desk.place() as admit:
            for _ in body.sources[1:]:
                admit()
            async with desk.uploads.of_request(uuid.uuid4().hex) as folder:
                with desk.metrics.timed("upload"):
                    files = await asyncio.to_thread(sources.fetch, body, folder)
                return await _unless_gone(request, desk.classify(files))

    @router.post("/source/async", status_code=202, responses=responses(*_REFUSALS, 501, 502))
    async def classify_sources_later(body: SourceRequest) -> TaskStatus:
        """Take documents in base64, files below the root, or objects in S3 as a task."""
        desk.loaded()
        await tasks.refuse_if_full()
        return await _as_task(desk, tasks, lambda folder: asyncio.to_thread(sources.fetch, body, folder))

    return router


async def _as_task(desk: Desk, tasks: TaskDesk, receive: Callable[[Path], Awaitable[list[SourceFile]]]) -> TaskStatus:
    """Receive files and keep them with a task; nothing is left of them if that fails."""
    task_id = uuid.uuid4().hex
    async with desk.uploads.lasting(task_id) as folder:
        with desk.metrics.timed("upload"):
            files = await receive(folder)
            await asyncio.to_thread(make_lasting, files)
        await tasks.add(task_id, files)
    return task_status(*await tasks.get(task_id))


async def _unless_gone(request: Request, work: Awaitable[Result]) -> Result:
    """Do work as long as the client waits for it."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait([working, gone], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        gone.cancel()
        working.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
