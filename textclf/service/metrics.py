"""Figures for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from textclf.base.errors import TextclfError
from textclf.model.accept import MIN_FAMILIARITY, UNSURE
from textclf.service.tracing import Tracing

if TYPE_CHECKING:
    from textclf.data.results import LoadedModel
    from textclf.model.prediction import Prediction

STAGES = ("upload", "wait", "read", "predict", "record")
"""What the time of a document goes into: received, waiting for a worker, read, predicted, kept by the library."""
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """What the service counts; each service has its own registry.

    Parameters
    ----------
    tracing : Tracing, optional
        Who keeps each stage as a span, too.
    """

    def __init__(self, tracing: Tracing | None = None) -> None:
        self.registry, self.tracing = CollectorRegistry(), tracing or Tracing()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._documents = Counter(
            "textclf_documents", "Documents classified.", ["decision", "category"], registry=self.registry
        )
        self._reasons = Counter("textclf_reviews", "Documents for review.", ["reason"], registry=self.registry)
        self._unfamiliar = Counter(
            "textclf_unfamiliar", "Documents that look like no document trained on.", registry=self.registry
        )
        self._seconds = Histogram(
            "textclf_stage_seconds", "Seconds of a document in each stage.", ["stage"], buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self._requests = Counter(
            "textclf_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._request_seconds = Histogram(
            "textclf_request_seconds", "Seconds of a request.", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self._queue = Gauge(
            "textclf_queue_length", "Documents that wait or are read for waiting clients.", registry=self.registry
        )
        for stage in STAGES:
            self._seconds.labels(stage)

    def watch(
        self,
        *,
        queue_length: Callable[[], int],
        tasks: Callable[[], Mapping[str, int]],
        corrections: Callable[[], Mapping[tuple[str, str], int]],
        model: Callable[[], LoadedModel | None],
        database_up: Callable[[], bool],
        broker_up: Callable[[], bool] | None = None,
    ) -> None:
        """Also tell what is known elsewhere, asked for at each scrape."""
        self._queue.set_function(queue_length)
        Gauge("textclf_database_up", "Whether the database answers.", registry=self.registry).set_function(database_up)
        if broker_up is not None:
            Gauge("textclf_broker_up", "Whether the broker answers.", registry=self.registry).set_function(broker_up)
        self.registry.register(_Watched(tasks, corrections, model, database_up))

    def document(self, prediction: Prediction) -> None:
        """Count a document."""
        self._documents.labels(prediction.decision, prediction.predicted_category).inc()
        if prediction.decision == "review":
            # of "unsure between A and B", the pair would be a series each
            reason = "unsure" if prediction.reason.startswith(UNSURE) else prediction.reason
            self._reasons.labels(reason).inc()
        if prediction.predicted_category and prediction.familiarity < MIN_FAMILIARITY:
            self._unfamiliar.inc()

    def stage(self, name: str, begun: float, ended: float | None = None) -> None:
        """Count the time of a stage, until now if no end is given, on the clock of `time.perf_counter`."""
        ended = time.perf_counter() if ended is None else ended
        self._seconds.labels(name).observe(ended - begun)
        self.tracing.past(name, begun, ended)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count the time of a block as that of a stage."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.stage(name, begun)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        # methods come from strangers
        known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Give all figures as Prometheus reads them."""
        return generate_latest(self.registry)


class _Watched(Collector):
    def __init__(
        self,
        tasks: Callable[[], Mapping[str, int]],
        corrections: Callable[[], Mapping[tuple[str, str], int]],
        model: Callable[[], LoadedModel | None],
        database_up: Callable[[], bool],
    ) -> None:
        self._tasks, self._corrections, self._model, self._database_up = tasks, corrections, model, database_up

    def describe(self) -> Iterable[Metric]:
        """Name nothing, so that registering asks for nothing yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Ask; without a database, what it knows is left out."""
        if self._database_up():
            with suppress(TextclfError):
                yield from self._of_database()
        if (loaded := self._model()) is not None:
            info = InfoMetricFamily("textclf_model", "The model on duty.")
            info.add_metric([], {"id": loaded.id, "name": loaded.name, "version": loaded.version})
            yield info

    def _of_database(self) -> Iterator[Metric]:
        tasks = GaugeMetricFamily("textclf_tasks", "Tasks in the library.", labels=["state"])
        for state, count in self._tasks().items():
            tasks.add_metric([state], count)
        yield tasks
        # not a counter: people take decisions back
        corrections = GaugeMetricFamily(
            "textclf_corrections", "Decisions of people that hold, by what was predicted.", labels=["from", "to"]
        )
        for (before, after), count in self._corrections().items():
            corrections.add_metric([before, after], count)
        yield corrections
