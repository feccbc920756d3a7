"""Problems: what went wrong with a request, as https://www.rfc-editor.org/rfc/rfc9457 has it."""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from textclf.base.errors import TextclfError

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)


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


class ProblemError(Exception):
    """Ends a request with a problem.

    Parameters
    ----------
    status : int
        HTTP status.
    name : str
        Name of the kind of problem, which programs may rely on.
    detail : str
        What is wrong this time, and what to do about it, as a sentence without a full stop.
    headers : mapping, optional
        Further headers of the answer.
    more : object
        Further members.
    """

    def __init__(
        self, status: int, name: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.name, self.detail, self.headers, self.more = status, name, detail, headers or {}, more

    def body(self) -> dict[str, Any]:
        """Give the members of the problem."""
        return {
            "type": f"urn:textclf:problem:{self.name}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }

    def response(self) -> Response:
        """Make the answer."""
        return Response(json.dumps(self.body()), self.status, self.headers, MEDIA_TYPE)


ProblemAnswer = Callable[[HTTPConnection, ProblemError], Response]
"""Makes the answer with a problem, as whoever asks can read it."""


def stopping() -> ProblemError:
    """Make the problem of a service that ends."""
    return ProblemError(503, "stopping", "the service stops; send it again", headers={"Retry-After": "5"})


def problem_of(error: Exception) -> ProblemError:
    """Give the problem that an error is to a client, who is not shown where on this machine it happened."""
    match error:
        case ProblemError():
            return error
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return ProblemError(507, "no-space", "there is no space left for what was sent")
        case TextclfError():
            _log.error(f"{error}")
            return ProblemError(503, error.code, "the service cannot do this now; its log says why")
        case _:
            _log.error(f"a fault of the service itself ({type(error).__name__}: {error})", exc_info=error)
            return ProblemError(500, "internal", "a fault of the service itself; its log says more")


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
        faults = [
            {"pointer": "/".join(str(part) for part in found["loc"]), "detail": str(found["msg"])}
            for found in error.errors()
        ]
        first = faults[0] if faults else {"pointer": "body", "detail": "not valid"}
        return answer(request, ProblemError(422, "invalid", f"{first['pointer']}: {first['detail']}", errors=faults))
