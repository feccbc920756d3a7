"""The four routes by which Label Studio asks a model: an ML backend, as a router that a service mounts."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from textclf.base.errors import BadDataError
from textclf.base.tables import CELL_LIMIT
from textclf.bridges.label_studio import Control, as_prediction, find_control
from textclf.model.prediction import Prediction

_log = logging.getLogger(__name__)


class PredictRequest(BaseModel):
    """What Label Studio asks; its further members are ignored."""

    tasks: list[dict[str, Any]]
    label_config: str


class SetupRequest(BaseModel):
    """What Label Studio tells of a project; the access token among it is not kept."""

    label_schema: str = Field("", alias="schema")


def label_studio_router(
    predict: Callable[[Sequence[str]], Awaitable[Sequence[Prediction]]], model_version: Callable[[], str]
) -> APIRouter:
    """Make the routes ``/predict``, ``/setup``, ``/health`` and ``/webhook``.

    Parameters
    ----------
    predict : callable
        Predicts texts, in their order.
    model_version : callable
        Names the model that predicts.

    Returns
    -------
    APIRouter
        To be included under a prefix, which is a part of the address that Label Studio is given.
    """
    router = APIRouter(tags=["label-studio"], include_in_schema=False)

    @router.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "UP", "model_class": "textclf"}

    @router.post("/setup")
    async def setup(request: SetupRequest) -> dict[str, str]:
        if request.label_schema:
            _control(request.label_schema)
        return {"model_version": model_version()}

    @router.post("/predict")
    async def predict_tasks(request: PredictRequest) -> dict[str, Any]:
        control, version = _control(request.label_config), model_version()
        predictions = await predict([_text(task, control) for task in request.tasks])
        results = [as_prediction(prediction, control, version) for prediction in predictions]
        return {"results": results, "model_version": version}

    @router.post("/webhook", status_code=201)
    async def webhook() -> dict[str, str]:
        # annotations are taken from an export, where all annotators of a task can be compared
        return {"status": "ok"}

    return router


def _control(config: str) -> Control:
    try:
        return find_control(config)
    except BadDataError as error:
        # Label Studio shows the status alone, and tells its user to look here
        _log.warning(f"Label Studio: {error}")
        raise HTTPException(400, str(error)) from error


def _text(task: Mapping[str, Any], control: Control) -> str:
    data = task.get("data")
    text = data.get(control.text) if isinstance(data, dict) else None
    return text[:CELL_LIMIT].replace("\0", "") if isinstance(text, str) else ""
