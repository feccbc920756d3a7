"""Spans that are sent to a collector of OpenTelemetry."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from textclf.base import __version__
from textclf.service.tracing import Kind, Tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_ENDING = 3.0
_ANSWER = 1000
"""Bytes that are read of an answer of the collector."""
_KINDS = {"internal": trace.SpanKind.INTERNAL, "server": trace.SpanKind.SERVER, "consumer": trace.SpanKind.CONSUMER}
_PROPAGATOR = TraceContextTextMapPropagator()


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **attributes: str | int) -> None:
        for name, value in attributes.items():
            self._span.set_attribute(name.replace("__", "."), value)

    def fail(self) -> None:
        self._span.set_status(trace.StatusCode.ERROR)


class OpenTelemetry(Tracing):
    """Keeps spans and has them exported, by batches in a thread.

    Parameters
    ----------
    service : str
        Name of the service, unless the environment gives another by ``OTEL_SERVICE_NAME``.
    exporter : SpanExporter
        Where they go.
    """

    def __init__(self, service: str, exporter: SpanExporter) -> None:
        named = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: __version__})
        self._provider = TracerProvider(resource=named.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("textclf", __version__)

    @contextmanager
    def span(self, name: str, *, kind: Kind = "internal", carrier: Mapping[str, str] | None = None) -> Iterator[_Span]:
        """Open a span for a block, below that of a carrier, as headers are one, or else that of the work under way."""
        parent = None if carrier is None else _PROPAGATOR.extract(carrier)
        # what clients are told of an error, and where on this machine it happened, are for the log
        with self._tracer.start_as_current_span(name, parent, _KINDS[kind], record_exception=False) as span:
            yield _Span(span)

    def past(self, name: str, begun: float, ended: float) -> None:
        """Add a span that has ended, with times of `time.perf_counter`."""
        since = time.time() - time.perf_counter()
        span = self._tracer.start_span(name, start_time=_nanoseconds(since + begun))
        span.end(_nanoseconds(since + ended))

    def carrier(self) -> dict[str, str]:
        """Give the headers that carry the span under way to another process."""
        headers: dict[str, str] = {}
        _PROPAGATOR.inject(headers)
        return headers

    def trace_id(self) -> str:
        """Give the id of the trace under way; empty if there is none."""
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else ""

    def close(self) -> None:
        """Send what is left; what the collector does not take within some seconds is lost."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(_ENDING)


class _BriefAnswers(HTTPAdapter):
    """Reads the beginning of each answer only: one without an end would fill the memory."""

    def send(self, request: requests.PreparedRequest, stream: bool = False, *more: Any, **options: Any) -> Any:
        answer = super().send(request, True, *more, **options)
        whole, answer.raw = answer.raw, BytesIO()
        try:
            answer.raw = BytesIO(whole.read(_ANSWER))
        except HTTPError:
            # what breaks off within its body has told its status
            pass
        finally:
            whole.close()
        return answer


def exporter(url: str | None) -> SpanExporter:
    """Make the exporter to a collector; without its URL, to that which the environment gives."""
    session = None
    # such a provider of credentials, which is a package of its own, brings its own session
    if not any(name.startswith("OTEL_PYTHON_") and name.endswith("_CREDENTIAL_PROVIDER") for name in os.environ):
        session = requests.Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, _BriefAnswers())
    return OTLPSpanExporter(None if url is None else f"{url.rstrip('/')}/v1/traces", session=session)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
