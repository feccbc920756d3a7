"""Workers of real brokers: tasks are done once, whoever dies."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("kind", ["redis", pytest.param("rabbitmq", marks=pytest.mark.slow)])
def test_workers_do_the_tasks_of_a_service(new_broker, start, start_worker, model_path, invoice, sent, kind, left_over):
    broker = new_broker(kind).url
    service = start("--model", model_path, "--jobs", 1, "--broker", broker)
    worker = start_worker(service.library, "--jobs", 1, "--broker", broker, "--metrics-port", 0)
    with service.client() as client:
        answer = client.post("/v1/classify/file/async", files=sent(a=invoice, b=b"no scan"))
        assert answer.json()["task_status"] == "pending"
        assert "ready" in worker.ready()
        task = answer.json()["task_id"]
        assert client.get(f"/v1/status/poll/{task}", params={"wait": 30}).json()["task_status"] == "success"
        first, second = client.get(f"/v1/result/{task}").json()["documents"]
        assert (first["docType"], second["reason"]) == ("invoice", "could not be read")
    assert worker.stop() == 0
    assert left_over(worker.process.pid) == []
    assert "Traceback" not in worker.said + service.said
    assert not list((service.library / "uploads").iterdir())
