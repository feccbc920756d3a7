"""What describes the service: OpenAPI, its page, its figures; and whether the service does as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from textclf.library.library import Library

KEY = "0123456789abcdef0123"


@pytest.fixture(scope="module")
def guarded(start_any, model_path, scans, tmp_path_factory):
    keys = tmp_path_factory.mktemp("keys") / "keys.txt"
    keys.write_text(KEY)
    keys.chmod(0o600)
    service = start_any("--model", model_path, "--key-file", keys, "--root", scans, "--jobs", 1, "--tasks", 100_000)
    service.wait_until_ready()
    return service


def explored(service, folder: Path, *arguments: object) -> str:
    """Try many requests, good and bad, and hold the answers against the description; give what was found."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json"]
    command += ["--header", f"X-Api-Key: {KEY}", "--seed", "1", "--request-timeout", "60", "--continue-on-failure"]
    # no description tells which bytes are a scan
    command += ["--exclude-checks", "positive_data_acceptance"]
    command += ["--warnings", "off", "--no-color", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=1800)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def is_well(service) -> bool:
    service.wait_until_ready()
    return "a fault of the service" not in service.said and "Traceback" not in service.said


def test_the_service_does_as_its_description_says(guarded, tmp_path):
    assert explored(guarded, tmp_path, "--phases", "examples,coverage,fuzzing", "--max-examples", 3) == ""
    assert is_well(guarded)


@pytest.mark.slow
def test_the_service_does_as_its_description_says_in_many_cases(guarded, tmp_path):
    assert explored(guarded, tmp_path, "--max-examples", 100) == ""
    assert is_well(guarded)


def test_the_page_that_describes_the_routes_loads_nothing_from_elsewhere(client):
    page = client.get("/docs")
    assert "each in a field `files`" in page.text
    assert "curl -F files=@scan.pdf" in page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", page.text)
    for route in client.get("/openapi.json").json()["paths"]:
        assert f"<code>{route}</code>" in page.text
    for loaded in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
        assert client.get(loaded).status_code == 200, loaded


def figures(client) -> dict[tuple[str, ...], float]:
    """The samples of all metrics, by name and labels."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_figures_count_what_happened(service, client, scan, tmp_path, invoice, sent, model_path):
    before = figures(client)
    odd = scan(tmp_path / "odd.png", "zyx wvu tsr qpo nml kji", "hgf edc baz yxw vut").read_bytes()
    assert client.post("/v1/classify/file", files=sent(a=invoice, b=odd)).status_code == 200
    assert client.post("/v1/classify/file", files=sent(a=b"none")).status_code == 415
    after = figures(client)

    def rise(*name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert rise("textclf_documents_total", "category=invoice", "decision=accept") == 1
    assert sum(rise(*name) for name in after if name[0] == "textclf_documents_total") == 3
    assert sum(rise(*name) for name in after if name[0] == "textclf_reviews_total") == 2
    assert rise("textclf_unfamiliar_total") == 1
    for stage in ("wait", "read", "predict"):
        assert rise("textclf_stage_seconds_count", f"stage={stage}") == 3
    assert rise("textclf_stage_seconds_count", "stage=record") == 1
    assert rise("textclf_stage_seconds_sum", "stage=read") > 0.01
    assert rise("textclf_requests_total", "method=POST", "route=/v1/classify/file", "status=415") == 1
    assert after["textclf_queue_length",] == 0
    (info,) = [name for name in after if name[0] == "textclf_model_info"]
    assert "name=model" in info


def test_corrections_that_hold_are_told_by_what_was_predicted(service, client, scan, tmp_path, sent):
    odd = scan(tmp_path / "odd.png", "the total of the sea", "is on the day by for").read_bytes()
    (document,) = client.post("/v1/classify/file", files=sent(a=odd)).json()["documents"]
    assert document["decision"] == "review"
    name = "textclf_corrections", f"from={document['docType']}", "to=letter of complaint"
    with Library.open(service.library) as library:
        library.decide(document["documentId"], "letter of complaint", by="anna", at=datetime.now(UTC))
        assert figures(client)[name] == 1
        library.undo(by="anna", at=datetime.now(UTC))
        assert name not in figures(client)
