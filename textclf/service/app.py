"""The application: routes around a desk, behind the gate."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.staticfiles import StaticFiles

from textclf.base import __version__
from textclf.base.errors import TextclfError
from textclf.base.problems import problem_of
from textclf.bridges.label_studio_backend import label_studio_router
from textclf.service.desk import Desk
from textclf.service.gate import OPEN_PATHS, Gate
from textclf.service.keys import Keys
from textclf.service.pages.attach import add_pages
from textclf.service.pages.refusals import answer_problem
from textclf.service.pages.state import PageState
from textclf.service.problems import Problem, add_handlers
from textclf.service.queue.broker_options import BrokerOptions
from textclf.service.routes.classify import classify_router
from textclf.service.routes.docs import docs_router
from textclf.service.routes.state import state_router
from textclf.service.routes.tasks import task_router
from textclf.service.self_test import self_test
from textclf.service.service_options import ServiceOptions
from textclf.service.sources import Sources
from textclf.service.tasks import TaskDesk, TaskRunner
from textclf.service.waiting import first_of

STATIC = Path(__file__).parent / "static"
_REFRESH = 5.0
"""Seconds after which the model on duty is looked for anew, which another program may have changed."""

_log = logging.getLogger(__name__)


def create_app(
    desk: Desk, options: ServiceOptions, broker: BrokerOptions | None = None, keys: Keys | None = None
) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    desk : Desk
        What the routes work with; it is also ``app.state.desk``, and is closed when the application ends.
    options : ServiceOptions
        Limits, and what clients may name.
    broker : BrokerOptions, optional
        Who tells workers of tasks; without one, they are done in this process.
    keys : Keys, optional
        Without them, only requests to localhost are answered.

    Returns
    -------
    FastAPI
        Each subject has a router in `textclf.service.routes`; ``/static`` is the folder of that name.
    """
    pages = PageState(desk, keys)
    tasks = _task_desk(desk, options, broker or BrokerOptions())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        background = (tasks.run(), _get_ready(desk), _follow_duty(desk))
        running = [asyncio.create_task(_unless_lost(desk, work)) for work in background]
        try:
            yield
        finally:
            desk.begin_to_stop()
            await tasks.drain(desk.seconds_left(options.grace))
            # whoever still reads is told that it is over
            await asyncio.to_thread(desk.close)
            await asyncio.to_thread(pages.close)
            for work in running:
                work.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    app = FastAPI(
        title="textclf",
        version=__version__,
        description="Reads scanned documents and says what kind each is, how sure that is, and why.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = desk
    add_handlers(app, answer_problem)
    app.include_router(classify_router(desk, tasks, Sources(options.root, options.s3_root, desk.limits)))
    app.include_router(task_router(tasks))
    app.include_router(state_router(desk))
    app.include_router(docs_router(app))
    app.include_router(label_studio_router(desk.predict_texts, desk.model_version), prefix="/label-studio")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    add_pages(app, pages)
    app.openapi = lambda: _openapi(app, with_keys=keys is not None)  # type: ignore[method-assign]
    desk.metrics.watch(
        queue_length=lambda: desk.taken,
        tasks=desk.library.tasks.count,
        corrections=desk.library.count_corrections,
        model=lambda: desk.duty.current,
        database_up=lambda: desk.database.is_up,
        broker_up=tasks.broker_up,
    )
    observe, sessions = desk.metrics.request, pages.sessions
    app.add_middleware(
        Gate,
        keys=keys,
        max_upload=options.max_upload,
        observe=observe,
        sessions=sessions,
        answer=answer_problem,
        tracing=desk.tracing,
    )
    return app


def _task_desk(desk: Desk, options: ServiceOptions, broker: BrokerOptions) -> TaskDesk:
    limits: dict[str, Any] = {"most": options.tasks, "keep_results": timedelta(hours=options.keep_results)}
    if broker.broker is None:
        return TaskRunner(desk, **limits)
    from textclf.service.queue.broker import Broker
    from textclf.service.queue.dispatcher import TaskDispatcher

    return TaskDispatcher(desk, Broker(broker), **limits)


async def _unless_lost(desk: Desk, work: Awaitable[None]) -> None:
    """Do work in the background, whose end by a fault is told."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would hear of it
        problem_of(error)
        desk.has_lost_a_part = True


async def _get_ready(desk: Desk) -> None:
    desk.trouble = await self_test(desk)
    if desk.trouble is not None:
        _log.error(f"not ready: {desk.trouble}")


async def _follow_duty(desk: Desk) -> None:
    while not desk.stopping.is_set():
        await first_of(desk.stopping, seconds=_REFRESH)
        before = desk.duty.current
        try:
            now = await asyncio.to_thread(desk.duty.refresh)
        except TextclfError as error:
            # that the database is gone is told already
            if desk.database.is_up:
                _log.error(f"{error}")
            continue
        if now is not before and desk.trouble is not None:
            await _get_ready(desk)


def _openapi(app: FastAPI, *, with_keys: bool) -> dict[str, Any]:
    """Describe the routes, once: with the schema of problems, and how keys are brought."""
    if app.openapi_schema:
        return app.openapi_schema
    described = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    components = described.setdefault("components", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = components.setdefault("schemas", {})
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    if with_keys:
        components["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        for path, methods in described["paths"].items():
            for operation in methods.values():
                operation["security"] = [] if path in OPEN_PATHS else [{"key": []}, {"bearer": []}]
    app.openapi_schema = described
    return described
