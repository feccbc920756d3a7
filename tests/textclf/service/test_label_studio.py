"""The service as an ML backend of Label Studio: requests of the shapes that it sends."""

from __future__ import annotations

from hashlib import sha256

import pytest

from textclf.bridges.label_studio import label_config

CONFIG = label_config(["invoice", "letter", "receipt"])


@pytest.fixture
def ask(service):
    with service.client() as client:
        yield lambda method, path, **more: client.request(method, f"/label-studio/{path}", **more)


def predict(ask, tasks, config=CONFIG):
    body = {
        "tasks": tasks,
        "model_version": None,
        "project": "7.1700000000",
        "label_config": config,
        "params": {"login": None, "password": None, "context": None},
    }
    return ask("POST", "predict", json=body)


def test_it_is_set_up_and_asked_for_predictions(ask, model_path):
    assert ask("GET", "health").json()["status"] == "UP"
    setup = {"project": "7.1700000000", "schema": CONFIG, "hostname": "http://localhost:8080", "access_token": "secret"}
    version = ask("POST", "setup", json=setup).json()["model_version"]
    assert version == f"model {sha256(model_path.read_bytes()).hexdigest()[:12]}"
    texts = ["dear madam sincerely yours regards aunt love", "invoice total due vat number net gross", ""]
    answer = predict(ask, [{"id": n, "data": {"text": text}, "annotations": []} for n, text in enumerate(texts)])
    assert answer.status_code == 200
    results = answer.json()["results"]
    chosen = [[one["value"]["choices"] for one in each["result"]] for each in results]
    assert chosen == [[["letter"]], [["invoice"]], []]
    for each in results:
        assert each["model_version"] == version
        assert 0 <= each["score"] <= 1
    (one,) = results[0]["result"]
    assert (one["from_name"], one["to_name"], one["type"]) == ("category", "text", "choices")


def test_only_what_a_project_can_choose_is_chosen_by_its_own_names(ask):
    config = (
        '<View><Header value="What is it?"/><Text name="page" value="$content"/>'
        '<Choices name="kind" toName="page"><Choice value="letter"/></Choices></View>'
    )
    tasks = [{"data": {"content": text}} for text in ("dear madam sincerely yours", "invoice total due vat net")]
    first, second = predict(ask, tasks, config).json()["results"]
    assert (first["result"][0]["from_name"], first["result"][0]["to_name"]) == ("kind", "page")
    assert second["result"] == []


def test_changes_of_a_project_are_acknowledged(ask):
    body = {"action": "ANNOTATION_CREATED", "project": {"id": 7}, "task": {"id": 1}, "annotation": {"id": 2}}
    assert ask("POST", "webhook", json=body).status_code == 201


def test_all_tasks_of_a_project_may_come_at_once(ask):
    tasks = [{"data": {"text": "invoice total due vat"}, "meta": {"more": 15_000 * "x"}}] * 1_100
    results = predict(ask, tasks).json()["results"]
    assert len(results) == len(tasks)
    assert {one["result"][0]["value"]["choices"][0] for one in results} == {"invoice"}


def test_what_it_cannot_use_is_said_also_in_the_log(ask, service):
    answer = predict(ask, [], "<View/>")
    assert answer.status_code == 400
    assert "has no Choices about a Text" in answer.text
    # Label Studio tells its user to look there
    assert "Label Studio: label configuration: has no Choices about a Text" in service.said
    assert ask("POST", "predict", json={"tasks": 5}).status_code == 422
    assert predict(ask, [{}, {"data": None}, {"data": {"text": 5}}]).json()["results"][2]["result"] == []
