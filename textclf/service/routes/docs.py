"""The description of the routes for people, made from that for programs; nothing is loaded from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse

from textclf.service.rendering import environment


class _Operation(NamedTuple):
    method: str
    path: str
    summary: str
    parameters: list[dict[str, Any]]
    body: str
    answers: list[tuple[str, str, str]]


def docs_router(app: FastAPI) -> APIRouter:
    """Make the route of the description."""
    router = APIRouter(include_in_schema=False)
    page = environment("textclf.service").get_template("docs.html")

    @router.get("/docs")
    async def docs(_: Request) -> HTMLResponse:
        """Show the routes, and what they take and give."""
        described = app.openapi()
        schemas = described.get("components", {}).get("schemas", {})
        return HTMLResponse(
            page.render(
                title=described["info"]["title"],
                version=described["info"]["version"],
                about=described["info"].get("description", ""),
                operations=list(_operations(described)),
                schemas={name: json.dumps(schema, indent=2) for name, schema in sorted(schemas.items())},
            )
        )

    return router


def _operations(described: dict[str, Any]) -> Iterator[_Operation]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            yield _Operation(
                method.upper(),
                path,
                operation.get("description", ""),
                operation.get("parameters", []),
                "; ".join(f"{kind}: {_named(given.get('schema', {}))}" for kind, given in content.items()),
                [
                    (status, answer.get("description", ""), _answer(answer))
                    for status, answer in operation.get("responses", {}).items()
                ],
            )


def _answer(answer: dict[str, Any]) -> str:
    return "; ".join(_named(given.get("schema", {})) for given in answer.get("content", {}).values())


def _named(schema: dict[str, Any]) -> str:
    """Name a schema: that which it refers to, or its type and properties."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    properties = ", ".join(schema.get("properties", {}))
    return f"{schema.get('type', '')}{f' of {properties}' if properties else ''}"
