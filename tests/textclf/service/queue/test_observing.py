"""Traces at a real collector, and logs as JSON, of a service and a worker in processes of their own."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Collector(ThreadingHTTPServer):
    """What of OpenTelemetry's collector is needed: it takes spans over HTTP."""

    def __init__(self) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        spans: list[tuple[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.path == "/v1/traces"
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    named = {one.key: one.value.string_value for one in resource.resource.attributes}
                    for scope in resource.scope_spans:
                        spans.extend((named["service.name"], span) for span in scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.spans = spans


@pytest.fixture
def collector() -> Iterator[Collector]:
    pytest.importorskip("opentelemetry.sdk", reason="the extra [telemetry] is not installed")
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.slow
def test_a_request_is_one_trace_from_the_client_to_the_worker_and_one_id_in_all_logs(
    redis, start, start_worker, model_path, invoice, sent, collector
):
    url = f"http://127.0.0.1:{collector.server_port}"
    common = ("--jobs", 1, "--broker", redis.url, "--broker-queue", "traced", "--log-format", "json", "--verbose")
    service = start("--model", model_path, *common, "--traces", url)
    worker = start_worker(service.library, *common, "--keep", "all", OTEL_EXPORTER_OTLP_ENDPOINT=url)
    worker.ready()
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    given = {"traceparent": f"00-{trace}-{parent}-01", "X-Request-Id": "order-17"}
    with service.client() as client:
        answer = client.post("/v1/classify/file/async", files=sent(a=invoice), headers=given)
        assert answer.headers["x-request-id"] == "order-17"
        task = answer.json()["task_id"]
        assert client.get(f"/v1/status/poll/{task}", params={"wait": 60}).json()["task_status"] == "success"
        # neither a new line nor an endless id gets into logs
        for wrong in ("a b", "x" * 200, "é"):
            shown = client.get("/health", headers={"X-Request-Id": wrong.encode()}).headers["x-request-id"]
            assert len(shown) == 32
    assert (worker.stop(), service.stop()) == (0, 0)

    ours = [(process, span) for process, span in collector.spans if span.trace_id.hex() == trace]
    names = [(process, span.name) for process, span in ours]
    assert names.count(("textclf-serve", "POST")) == 1
    stages = ("task", "wait", "read", "predict", "record")
    assert sorted(name for process, name in names if process == "textclf-worker") == sorted(stages)
    ids = {span.name: span for _, span in ours}
    assert ids["POST"].parent_span_id.hex() == parent
    assert ids["task"].parent_span_id == ids["POST"].span_id
    assert {ids[name].parent_span_id for name in stages[1:]} == {ids["task"].span_id}
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in ids.values())
    assert ids["wait"].end_time_unix_nano <= ids["read"].end_time_unix_nano
    route = {one.key: one.value.string_value for one in ids["POST"].attributes}["http.route"]
    assert route == "/v1/classify/file/async"

    for process in (service, worker):
        lines = [json.loads(line) for line in process.said.splitlines()]
        assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))
        own = [line for line in lines if line.get("request_id") == "order-17"]
        assert own
        assert {line["trace_id"] for line in own if "trace_id" in line} == {trace}
    assert [line["task_id"] for line in own if line["message"] == f"task {task} is done"] == [task]


def test_log_lines_are_objects_also_where_something_fails(textclf, tmp_path, capfd):
    from textclf.base.log_context import bound
    from textclf.commands.console import set_log_format, show_log

    with show_log():
        set_log_format("json")
        log = logging.getLogger("textclf.test")
        with bound(request_id="a", task_id=""):
            log.error("it failed\nin two lines", exc_info=ValueError("what\nwent wrong \x1b[31m"))
        log.info("after it")
    first, second = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    assert (first["level"], first["message"], first["request_id"]) == ("error", "it failed\nin two lines", "a")
    assert "ValueError: what" in first["exception"]
    assert "task_id" not in first
    assert "request_id" not in second


def test_a_collector_that_answers_without_end_is_heard_no_further_than_its_beginning(caplog):
    pytest.importorskip("opentelemetry.sdk", reason="the extra [telemetry] is not installed")
    from textclf.service.open_telemetry import OpenTelemetry, exporter

    written = []

    class Endless(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(400, "Not this")
            self.send_header("content-length", "3000000000")
            self.end_headers()
            try:
                while len(written) < 300:
                    written.append(self.wfile.write(bytes(1_000_000)))
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tracing = OpenTelemetry("test", exporter(f"http://127.0.0.1:{server.server_port}"))
        with tracing.span("work"):
            pass
        tracing.close()
        server.shutdown()
    # what the buffers of the connection take
    assert len(written) < 50
    (told,) = (record.getMessage() for record in caplog.records if record.name.startswith("opentelemetry"))
    assert "400, reason: Not this" in told


@pytest.mark.slow
def test_a_collector_that_is_not_there_holds_up_nothing(start, model_path, invoice, sent):
    service = start("--model", model_path, "--jobs", 1, "--traces", "http://127.0.0.1:9")
    with service.client() as client:
        assert client.post("/v1/classify/file", files=sent(a=invoice)).status_code == 200
    begun = time.monotonic()
    assert service.stop() == 0
    # to the end, it would be tried for ten seconds
    assert time.monotonic() - begun < 9
