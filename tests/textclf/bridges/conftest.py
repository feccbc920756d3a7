"""A server that holds to the documented REST API of paperless-ngx, run by uvicorn; faults can be ordered."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

TOKEN = "0123456789abcdef0123456789abcdef01234567"
ALL_RIGHTS = {"view", "change"}


@dataclass
class Fault:
    """What the next request whose path begins so meets."""

    path: str
    answer: Callable[..., Any]
    method: str = ""
    times: int = 1


@dataclass
class Paperless:
    """The state of the server, and what it was asked."""

    url: str = ""
    versions: tuple[str, ...] = ("9", "10")
    rights: set[str] = field(default_factory=lambda: set(ALL_RIGHTS))
    types: dict[int, str] = field(default_factory=dict)
    tags: dict[int, tuple[str, bool]] = field(default_factory=dict)
    fields: dict[int, tuple[str, str]] = field(default_factory=dict)
    documents: dict[int, dict[str, Any]] = field(default_factory=dict)
    suggestions: dict[int, list[int]] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    page_sizes: list[int] = field(default_factory=list)

    def add(
        self, number: int, content: str = "", kind: int | None = None, tags: tuple[int, ...] = (), **more: Any
    ) -> None:
        self.documents[number] = {
            "id": number,
            "title": f"scan {number}",
            "content": content,
            "document_type": kind,
            "tags": list(tags),
            "custom_fields": [],
            "correspondent": 3,
            **more,
        }

    def fail(self, path: str, answer: Callable[..., Any], method: str = "", times: int = 1) -> None:
        self.faults.append(Fault(path, answer, method, times))

    def writes(self) -> list[tuple[str, str, Any]]:
        return [request for request in self.requests if request[0] != "GET"]

    def value(self, number: int, custom_field: int) -> Any:
        values = {one["field"]: one["value"] for one in self.documents[number]["custom_fields"]}
        return values.get(custom_field)


def make_app(state: Paperless):
    # the annotations below are read by FastAPI, so they are not put off
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse, Response

    app = FastAPI()

    def refuse(status: int, **detail: Any) -> JSONResponse:
        return JSONResponse(detail, status_code=status)

    @app.middleware("http")
    async def guard(request: Request, call_next):
        body = await request.body()
        state.requests.append((request.method, str(request.url.path), json.loads(body) if body else None))
        path = request.url.path
        for fault in list(state.faults):
            if path.startswith(fault.path) and fault.method in ("", request.method) and fault.times:
                fault.times -= 1
                if (answer := fault.answer(request)) is not None:
                    return answer
        if request.headers.get("authorization") != f"Token {TOKEN}":
            return refuse(401, detail="Invalid token.")
        version = request.headers.get("accept", "").partition("version=")[2]
        if version not in state.versions:
            return refuse(406, detail="Invalid version in 'Accept' header.")
        needed = "view" if request.method == "GET" else "change"
        if needed not in state.rights:
            return refuse(403, detail="You do not have permission to perform this action.")
        answer = await call_next(request)
        answer.headers["X-Api-Version"] = state.versions[-1]
        return answer

    def listed(request: Request, rows: list[dict[str, Any]]) -> JSONResponse:
        query = request.query_params
        size, page = int(query.get("page_size", 25)), int(query.get("page", 1))
        state.page_sizes.append(size)
        chosen = rows[(page - 1) * size : page * size]
        if page > 1 and not chosen:
            return refuse(404, detail="Invalid page.")
        more = page * size < len(rows)
        # behind a proxy, the address of the next page is often one that nobody else knows
        after = f"http://paperless-internal:8000/api/x/?page={page + 1}" if more else None
        return JSONResponse({"count": len(rows), "next": after, "previous": None, "results": chosen})

    @app.get("/api/document_types/")
    async def types(request: Request):
        return listed(request, [{"id": number, "name": name} for number, name in state.types.items()])

    @app.get("/api/tags/")
    async def tags(request: Request):
        rows = [{"id": number, "name": name, "is_inbox_tag": inbox} for number, (name, inbox) in state.tags.items()]
        return listed(request, rows)

    @app.get("/api/custom_fields/")
    async def fields(request: Request):
        rows = [{"id": number, "name": name, "data_type": kind} for number, (name, kind) in state.fields.items()]
        return listed(request, rows)

    @app.get("/api/documents/")
    async def documents(request: Request):
        query = request.query_params
        rows = sorted(state.documents.values(), key=lambda one: one["id"], reverse=query.get("ordering") == "-id")
        if wanted := query.get("tags__id__all"):
            rows = [one for one in rows if {*map(int, wanted.split(","))} <= {*one["tags"]}]
        return listed(request, rows)

    @app.get("/api/documents/{number}/")
    async def document(number: int):
        if number not in state.documents:
            return refuse(404, detail="No Document matches the given query.")
        return JSONResponse(state.documents[number])

    @app.get("/api/documents/{number}/suggestions/")
    async def suggestions(number: int):
        if number not in state.documents:
            return refuse(404, detail="No Document matches the given query.")
        found = {"correspondents": [], "tags": [], "storage_paths": [], "dates": []}
        return JSONResponse(found | {"document_types": state.suggestions.get(number, [])})

    @app.get("/api/documents/{number}/download/")
    async def download(number: int):
        return Response(state.files[number], media_type="application/pdf")

    @app.patch("/api/documents/{number}/")
    async def change(number: int, request: Request):
        if number not in state.documents:
            return refuse(404, detail="No Document matches the given query.")
        body = await request.json()
        if (kind := body.get("document_type")) not in (None, *state.types):
            return refuse(400, document_type=[f'Invalid pk "{kind}" - object does not exist.'])
        for one in body.get("custom_fields", []):
            if one["field"] not in state.fields:
                return refuse(400, custom_fields=[f'Invalid pk "{one["field"]}" - object does not exist.'])
            kind = float if state.fields[one["field"]][1] == "float" else str
            if not isinstance(one["value"], kind | None):
                return refuse(400, custom_fields=[{"non_field_errors": ["A valid number is required."]}])
        state.documents[number] |= body
        return JSONResponse(state.documents[number])

    @app.post("/api/documents/bulk_edit/")
    async def bulk_edit(request: Request):
        body = await request.json()
        given, rows = body["parameters"], [state.documents.get(number) for number in body["documents"]]
        if None in rows:
            return refuse(400, documents=["Some documents in documents don't exist or were specified twice."])
        match body["method"]:
            case "modify_tags":
                named = given["add_tags"] + given["remove_tags"]
                if not {*named} <= {*state.tags}:
                    return refuse(400, non_field_errors=["Some tags in add_tags don't exist."])
                for row in rows:
                    row["tags"] = [one for one in row["tags"] if one not in given["remove_tags"]]
                    row["tags"] += [one for one in given["add_tags"] if one not in row["tags"]]
            case "modify_custom_fields":
                added = {int(name): value for name, value in given["add_custom_fields"].items()}
                if not {*added} <= {*state.fields} or given["remove_custom_fields"]:
                    return refuse(400, non_field_errors=["Some custom fields in add_custom_fields don't exist."])
                for name, value in added.items():
                    kind = float if state.fields[name][1] == "float" else str
                    if not isinstance(value, kind):
                        return refuse(400, add_custom_fields={name: ["Enter a valid value."]})
                    for row in rows:
                        others = [one for one in row["custom_fields"] if one["field"] != name]
                        row["custom_fields"] = [*others, {"field": name, "value": value}]
            case other:
                return refuse(400, method=[f'"{other}" is not a valid choice.'])
        return JSONResponse({"result": "OK"})

    return app


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Any], str]]:
    """Runs applications by uvicorn in threads of this process; gives their addresses."""
    uvicorn = pytest.importorskip("uvicorn", reason="the extra [desk] is not installed")
    running = []

    def start(app: Any) -> str:
        config = uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        end = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "the server ended"
            assert time.monotonic() < end
            time.sleep(0.01)
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def _paperless(serve) -> Paperless:
    state = Paperless()
    state.url = serve(make_app(state))
    return state


@pytest.fixture
def paperless(_paperless, monkeypatch) -> Paperless:
    """A fresh archive: types invoice, letter and receipt, an inbox tag, tags and fields."""
    fresh = Paperless(url=_paperless.url)
    _paperless.__dict__.update(fresh.__dict__)
    _paperless.types |= {1: "invoice", 2: "letter", 3: "receipt"}
    _paperless.tags |= {1: ("inbox", True), 2: ("check", False), 3: ("filed by textclf", False), 4: ("todo", False)}
    _paperless.fields |= {1: ("score", "float"), 2: ("score text", "string"), 3: ("due", "date")}
    monkeypatch.setenv("PAPERLESS_URL", _paperless.url)
    monkeypatch.setenv("PAPERLESS_TOKEN", TOKEN)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return _paperless


@pytest.fixture
def filed(paperless, corpus) -> Paperless:
    """An archive with twelve filed documents of each type, and four in the inbox."""
    numbers = {"invoice": 1, "letter": 2, "receipt": 3}
    for place, (_, text, category) in enumerate(corpus(12).rows(), 1):
        paperless.add(place, text, numbers[category])
        paperless.suggestions[place] = [numbers[category]] if place % 4 else []
    for place, (_, text, _) in enumerate(corpus(2, seed=7).rows()[:4], 101):
        paperless.add(place, text, tags=(1,))
    return paperless


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path
