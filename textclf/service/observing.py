"""How the service and its workers are observed: the format of their log, and where traces are sent."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from textclf.base.errors import UsageError
from textclf.base.options import check_options, option
from textclf.service.tracing import Tracing

_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservingOptions:
    """How a process is observed."""

    log_format: Literal["text", "json"] = option(
        "text", help="text: lines for people. json: an object a line, with the ids of request, task and trace."
    )
    traces: str | None = option(
        None,
        metavar="URL",
        help="OpenTelemetry collector (OTLP over HTTP) that traces are sent to, such as http://localhost:4318; by "
        "default OTEL_EXPORTER_OTLP_ENDPOINT, and none without it.",
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.traces is not None and not self.traces.startswith(("http://", "https://")):
            raise UsageError("is no URL", where="traces", remedy="give one such as http://localhost:4318")

    def tracing(self, service: str) -> Tracing:
        """Open what keeps spans; without a collector, none are kept.

        Raises
        ------
        ModuleNotFoundError
            If the extra ``telemetry`` is not installed.
        """
        if self.traces is None and not any(os.environ.get(name) for name in _VARIABLES):
            return Tracing()
        from textclf.service.open_telemetry import OpenTelemetry, exporter

        return OpenTelemetry(service, exporter(self.traces))
