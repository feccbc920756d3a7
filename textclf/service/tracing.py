"""Spans: what part of a request took how long. Here they are kept by nobody; `open_telemetry` has those that are."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

Kind = Literal["internal", "server", "consumer"]


class Span(Protocol):
    """A part of the work under way."""

    def note(self, **attributes: str | int) -> None:
        """Note more about it; of two underscores in a name, a dot is made."""

    def fail(self) -> None:
        """Mark it as failed."""


class _NoSpan:
    def note(self, **attributes: str | int) -> None:
        """Keep nothing."""

    def fail(self) -> None:
        """Keep nothing."""


class Tracing:
    """Keeps no spans."""

    def span(
        self, name: str, *, kind: Kind = "internal", carrier: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Span]:
        """Open a span for a block, below that of a carrier, as headers are one, or else that of the work under way."""
        return nullcontext(_NoSpan())

    def past(self, name: str, begun: float, ended: float) -> None:
        """Add a span that has ended, with times of `time.perf_counter`."""

    def carrier(self) -> dict[str, str]:
        """Give the headers that carry the span under way to another process."""
        return {}

    def trace_id(self) -> str:
        """Give the id of the trace under way; empty if there is none."""
        return ""

    def close(self) -> None:
        """Send what is left."""
