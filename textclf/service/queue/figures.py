"""The port of a worker at which it tells its figures, and whether it is ready."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from textclf.base.errors import OutputError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from textclf.service.metrics import Metrics


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    # seconds that a client has to send its request
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Say nothing of each request."""


@contextmanager
def figures(host: str, port: int | None, metrics: Metrics, why_not_ready: Callable[[], str | None]) -> Iterator[str]:
    """Answer /metrics, /health and /ready in a thread until the block ends; gives the URL, empty without a port.

    Raises
    ------
    textclf.base.errors.OutputError
        If the address cannot be listened on.
    """
    if port is None:
        yield ""
        return
    told: Any = make_wsgi_app(metrics.registry)

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            page: Iterable[bytes] = told(environ, start)
            return page
        trouble = {"/health": None, "/ready": why_not_ready()}.get(path, "there is no such page")
        status = "200 OK" if trouble is None else "503 Service Unavailable" if path == "/ready" else "404 Not Found"
        start(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
        return [f"{trouble or 'ok'}\n".encode()]

    try:
        server = make_server(host, port, answer, server_class=_Server, handler_class=_Handler)
    except (OSError, OverflowError) as error:
        remedy = "give another --metrics-port"
        raise OutputError(f"cannot listen on {host} port {port} ({error})", remedy=remedy) from error
    with server:
        threading.Thread(target=server.serve_forever, name="figures", daemon=True).start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()
