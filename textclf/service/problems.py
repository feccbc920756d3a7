"""How the service answers with problems, and describes them in its schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from textclf.base.problems import MEDIA_TYPE, ProblemError


class DocumentProblem(BaseModel):
    """What is wrong with one of the documents of a request."""

    name: str
    detail: str


class FieldProblem(BaseModel):
    """What is wrong with one value of a request."""

    pointer: str = Field(description="Where it is: the names and positions on the way to it, with / between.")
    detail: str


class Problem(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="urn:textclf:problem: and the name of the problem, which does not change.")
    title: str
    status: int
    detail: str
    documents: list[DocumentProblem] | None = None
    errors: list[FieldProblem] | None = None


ProblemAnswer = Callable[[HTTPConnection, ProblemError], Response]
"""Makes the answer with a problem, as whoever asks can read it."""


def problem_response(problem: ProblemError) -> Response:
    """Make the answer with a problem."""
    return Response(json.dumps(problem.body()), problem.status, problem.headers, MEDIA_TYPE)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare for OpenAPI that a route may answer with problems of some statuses."""
    headers = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    described: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        described[status] = {"description": HTTPStatus(status).phrase, "content": content}
        if status == 429:
            described[status]["headers"] = headers
    return described


def not_valid(*faults: tuple[str, str]) -> ProblemError:
    """Make the problem of values that are not valid: where each is, and what is wrong with it."""
    errors = [{"pointer": pointer, "detail": detail} for pointer, detail in faults]
    return ProblemError(422, "invalid", "{}: {}".format(*faults[0]), errors=errors)


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise the problem of query parameters that the route does not have, as a dependency of routes."""
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    if unknown := [name for name in request.query_params if name not in known]:
        detail = f"this route has no such parameter, but {', '.join(sorted(known)) or 'none'}"
        raise not_valid(*((f"query/{name}", detail) for name in unknown))


def add_handlers(app: FastAPI, answer: ProblemAnswer) -> None:
    """Let every error of a route end in the answer with a problem."""

    @app.exception_handler(ProblemError)
    async def with_problem(request: Request, error: ProblemError) -> Response:
        return answer(request, error)

    @app.exception_handler(HTTPException)
    async def with_status(request: Request, error: HTTPException) -> Response:
        name = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return answer(request, ProblemError(error.status_code, name, str(error.detail), headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def with_faults(request: Request, error: RequestValidationError) -> Response:
        faults = [("/".join(map(str, found["loc"])), str(found["msg"])) for found in error.errors()]
        return answer(request, not_valid(*faults or [("body", "not valid")]))
