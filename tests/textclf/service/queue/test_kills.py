"""Workers and brokers are killed at random moments over many small documents: nothing is lost or done twice."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter

import pytest
from sqlalchemy import func, select

from textclf.library.library import Library
from textclf.library.tables import DocumentRow, PredictionRow, TaskRow

KILLS, EACH, WORKERS = 50, 8, 3


@pytest.mark.endurance
@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
def test_no_task_is_lost_or_doubled_by_kills(new_broker, start, start_worker, model_path, text_pdf, kind, capsys):
    draw, broker = random.Random(kind), new_broker(kind)
    service = start("--model", model_path, "--jobs", 1, "--broker", broker.url)
    given = (service.library, "--jobs", 1, "--broker", broker.url, "--lease", 2, "--keep", "all")
    workers = [start_worker(*given) for _ in range(WORKERS)]
    tasks: dict[str, int] = {}
    kills, results = Counter[str](), {}
    with service.client() as client:
        for _ in range(KILLS):
            for _ in range(EACH):
                number = len(tasks)
                file = ("files", (f"{number}.pdf", text_pdf("invoice total due vat", f"number {number}")))
                answer = client.post("/v1/classify/file/async", files=[file])
                assert answer.status_code == 202, answer.text
                tasks[answer.json()["task_id"]] = number
            time.sleep(draw.uniform(0.2, 5))
            if draw.random() < 0.2:
                kills["broker"] += 1
                broker.kill()
                time.sleep(draw.uniform(0, 2))
                broker.start()
            else:
                victim = draw.randrange(WORKERS)
                # a worker that waited too long for the broker may have ended by itself
                kills["worker"] += workers[victim].process.poll() is None
                workers[victim].stop(signal.SIGKILL)
                workers[victim] = start_worker(*given)
            for task in draw.sample(list(tasks), 5):
                if (found := client.get(f"/v1/result/{task}")).status_code == 200:
                    results.setdefault(task, found.json())
        for task in tasks:
            end = time.monotonic() + 300
            while client.get(f"/v1/status/poll/{task}", params={"wait": 30}).json()["task_status"] not in (
                "success",
                "failure",
            ):
                assert time.monotonic() < end, f"{task} is lost\n{service.said}"
        # a result never changes, whoever else did the task
        assert all(client.get(f"/v1/result/{task}").json() == result for task, result in results.items())
    with Library.open(service.library) as library, library.database.reading() as session:
        rows = session.execute(select(TaskRow.state, TaskRow.attempts)).all()
        documents = session.scalars(select(DocumentRow.name)).all()
        predictions = session.scalar(select(func.count()).select_from(PredictionRow))
    aside = Counter(state for state, _ in rows)["failure"]
    attempts = Counter(attempts for _, attempts in rows)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{kind}: {dict(kills)} killed, {len(tasks)} tasks, {aside} put aside, attempts {dict(attempts)}\n"
        )
    assert len(rows) == len(tasks)
    # one that was under way at three kills is put aside, and told
    assert aside <= 2
    assert len(documents) == len(set(documents)) == predictions
    assert len(tasks) - aside <= len(documents) <= len(tasks)
    assert "Traceback" not in service.said
