"""Whether the service lives and is ready, its version, and its figures."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from textclf.base import __version__
from textclf.base.problems import ProblemError
from textclf.data.results import ModelOfResult, model_of_result
from textclf.service.problems import responses

if TYPE_CHECKING:
    from textclf.service.desk import Desk


class Health(BaseModel):
    """Whether the process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """That documents are classified, and by which model."""

    status: Literal["ready"] = "ready"
    model: ModelOfResult


class Version(BaseModel):
    """What runs here."""

    textclf: str
    engine: str
    model: ModelOfResult | None


def state_router(desk: Desk) -> APIRouter:
    """Make the routes about the service itself."""
    router = APIRouter(tags=["service"])

    def model() -> ModelOfResult | None:
        loaded = desk.duty.current
        return None if loaded is None else model_of_result(loaded)

    @router.get("/health", responses=responses(421))
    async def health() -> Health:
        """Tell that the process answers; needs no key."""
        return Health()

    @router.get("/ready", responses=responses(421, 503))
    async def ready() -> Ready:
        """Tell whether a model is on duty, the self-test has passed and documents are read; needs no key."""
        found = model()
        trouble = desk.why_not_ready()
        if trouble is None and found is None:
            trouble = "no model is on duty"
        if trouble is not None or found is None:
            raise ProblemError(503, "not-ready", trouble or "", headers={"Retry-After": "1"})
        return Ready(model=found)

    @router.get("/version", responses=responses(401, 421))
    async def version() -> Version:
        """Tell the versions of textclf, the OCR engine and the model."""
        return Version(textclf=__version__, engine=desk.engine, model=model())

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **responses(401, 421, 503)},
    )
    async def metrics() -> Response:
        """Give the figures for Prometheus."""
        return Response(await asyncio.to_thread(desk.metrics.text), media_type=CONTENT_TYPE_LATEST)

    return router
