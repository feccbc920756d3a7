"""Teaching a new model from decisions, comparing it, taking it, and going back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.textclf.service.pages.conftest import add_documents
from textclf.library.label_issues import list_label_issues
from textclf.library.library import Library
from textclf.service.pages.jobs import Job, write_job
from textclf.service.pages.learning import divide, is_kept_out, train

pytestmark = pytest.mark.slow

EVER = datetime.min.replace(tzinfo=UTC).isoformat()
"""Before all decisions."""


@pytest.fixture
def library(tmp_path, model, model_path, texts):
    """A library with a model on duty and 60 documents for review."""
    with Library.open(tmp_path / "library") as library:
        now = datetime.now(UTC)
        on_duty = library.add_model(model_path, at=now).id
        library.put_on_duty(on_duty, by="anna", at=now)
        add_documents(library, tmp_path / "scans", model, on_duty, texts(60))
        yield library


def train_again(library, tmp_path, **request):
    given = {"since": EVER, "replay": False, "started_at": EVER, "progress": lambda **_: None} | request
    return train(library, tmp_path / "new.textclf", **given)


def decide_all(library, kind_of):
    for document in library.list_documents(limit=500):
        library.decide(document.id, kind_of(document.name), by="Anna", at=datetime.now(UTC))


def wait_for_job(page):
    page.wait_for_selector("#running", timeout=60_000)
    page.wait_for_selector("#running", state="detached", timeout=600_000)


def test_a_new_model_learns_is_compared_taken_and_taken_back(desk, visit):
    made = desk(60)
    with made.open() as library:
        # a kind that the model on duty does not know
        decide_all(library, lambda name: "bill" if name.startswith("receipt") else name.split("-")[0])
        wrong = next(one.id for one in library.list_documents() if one.name.startswith("invoice"))
        library.decide(wrong, "letter", by="Anna", at=datetime.now(UTC))
        before = library.model_on_duty()
        lesson = divide([*library.corrections()], EVER)
    page = visit(made.url, path="/teach")
    assert "60" in page.text_content(".card >> nth=1")
    page.uncheck("[name=replay]")
    page.click("button:text-is('Teach a new model')")
    wait_for_job(page)
    page.wait_for_selector("#new")
    said = page.text_content("#new")
    assert f"On {len(lesson.kept_out)} documents" in said
    assert "it may have learned from some of them" in said
    assert not doubted(made)
    assert "McNemar" in said
    assert "The new model does not know receipt" in said
    assert page.locator("#new [name=max_error]").count() >= 5
    page.check("[name=max_error][value='0.2']")
    page.click("button:text-is('Take the new model')")
    page.wait_for_selector("text=Taken by Anna")
    with made.open() as library:
        taken = library.model_on_duty()
        assert taken.parent_id == before.id
        assert taken.figures["training"]["acceptance"]["max_error"] == 0.2
    assert doubted(made) == [wrong]
    page.wait_for_selector("#running", state="detached", timeout=600_000)
    page.click(f"button:text-is('Go back to {before.name}')")
    page.wait_for_selector(f"button:text-is('Go back to {taken.name}')", state="detached")
    with made.open() as library:
        assert library.model_on_duty().id == before.id
    assert not doubted(made)
    page.wait_for_selector("#running", state="detached", timeout=600_000)
    assert page.locator("text=Taken by Anna").count() == 0
    page.check("[name=max_error][value='0.2']")
    page.click("button:text-is('Take it again')")
    page.wait_for_selector("text=Taken by Anna")
    with made.open() as library:
        assert library.model_on_duty().id == taken.id
    assert doubted(made) == [wrong]


def doubted(made):
    with made.open() as library, library.database.reading() as session:
        return [one.document_id for one in list_label_issues(session)]


def test_decisions_that_are_likely_wrong_are_found_while_a_model_learns(library, tmp_path):
    now = datetime.now(UTC)
    decide_all(library, lambda name: name.split("-")[0])
    kept_out = {one.document_id for one in divide([*library.corrections()], EVER).kept_out}
    wrong = {min(kept_out), *[one for one in range(1, 60) if one not in kept_out][:2]}
    kinds = ("invoice", "letter", "receipt")
    for document in library.list_documents(limit=100):
        kind = document.name.split("-")[0]
        decided = kinds[kinds.index(kind) - 1] if document.id in wrong else kind
        library.decide(document.id, decided, by="anna", at=now)
    told = train_again(library, tmp_path, max_error=0.2)
    assert {one["document_id"] for one in told["doubts"]} == wrong
    for one in told["doubts"]:
        assert library.document(one["document_id"]).name.startswith(one["category"])


def test_teaching_can_be_stopped_and_leaves_no_process(desk, visit, left_over):
    made = desk(30)
    with made.open() as library:
        decide_all(library, lambda name: name.split("-")[0])
    page = visit(made.url, path="/teach")
    page.click("button:text-is('Teach a new model')")
    page.click("#running button")
    page.wait_for_selector("text=it was stopped")
    page.click("button:text-is('Teach a new model')")
    page.wait_for_selector("#running")
    session = next(int(one.parent.name) for one in _processes() if b"job_process" in one.read_bytes())
    made.service.stop()
    assert not left_over(session)


def test_one_in_four_documents_is_kept_out_by_its_content():
    names = [f"{number * 2654435761 % 2**32:08x}" for number in range(4_000)]
    assert 800 < sum(map(is_kept_out, names)) < 1_200


def test_five_documents_of_each_category_are_enough_and_single_ones_are_left_out(library, tmp_path):
    now = datetime.now(UTC)
    kinds = {one.id: one.name.split("-")[0] for one in library.list_documents(limit=100)}
    # the worst case: those that would be kept out first
    hashes = sorted(library.list_documents(limit=100), key=lambda one: not is_kept_out(one.sha256))
    chosen = {kind: [one.id for one in hashes if kinds[one.id] == kind] for kind in ("invoice", "letter")}
    for kind, ids in chosen.items():
        for document in ids[:5]:
            library.decide(document, kind, by="anna", at=now)
    library.decide(chosen["letter"][4], "invoice", by="anna", at=now)
    single = next(one.id for one in hashes if kinds[one.id] == "receipt")
    library.decide(single, "receipt", by="anna", at=now)
    told = train_again(library, tmp_path)
    assert told["documents"] == {"invoice": 5, "letter": 3}
    assert told["kept_out"] == 2
    assert told["left_out"] == ["receipt"]
    assert told["doubts"] == []
    # what a model that was taken learned from is never compared on
    for kind, ids in chosen.items():
        for document in ids[5:]:
            library.decide(document, kind, by="anna", at=now)
    later = divide([*library.corrections()], EVER, told["learned"])
    assert told["learned"]
    assert not set(told["learned"]) & {one.document_id for one in later.kept_out}


def test_the_error_of_the_last_training_goes_when_somebody_decides_again(desk):
    made = desk(6)
    with made.service.client() as client:
        client.post("/sign-in", data={"name": "Anna"})
        with made.open() as library:
            library.decide(1, "invoice", by="Anna", at=datetime.now(UTC))
        client.post("/teach/start", data={"replay": "yes"})
        while client.get("/teach/state").json()["running"]:
            time.sleep(0.2)
        failed = 'role="alert">Teaching ended without a model'
        assert failed in client.get("/teach").text
        assert client.post("/review/decide", json={"document": 2, "category": "letter"}).status_code == 200
        assert failed not in client.get("/teach").text


def test_a_model_that_would_accept_nothing_is_taken_only_after_a_warning(tmp_path, start):
    step = {"accepted": 0, "error": 0, "unknown_accepted": None}
    figures = {
        "documents": {"invoice": 4, "letter": 4},
        "replayed": 0,
        "none_of_these": 0,
        "pile": 0,
        "accuracy": 0.9,
        "confidence": 0.95,
        "max_error": 0.05,
    }
    for accepted, is_warned in ((0, True), (0.5, False)):
        ladder = [step | {"max_error": 0.05}, step | {"max_error": 0.1, "accepted": accepted}]
        nothing = {"left_out": [], "warnings": [], "comparison": None, "parent": None, "taken": None}
        found = Job(id="a", kind="train", by="Anna", started_at=datetime.now(UTC).isoformat(), state="success",
                    result=figures | nothing | {"ladder": ladder})  # fmt: skip
        folder = tmp_path / "library" / "jobs" / "a"
        folder.mkdir(parents=True, exist_ok=True)
        write_job(folder, found)
        service = start("--jobs", 1, folder=tmp_path)
        with service.client() as client:
            client.post("/sign-in", data={"name": "Anna"})
            shown = client.get("/teach").text
        service.stop()
        assert ("every document will go to Review" in shown.partition("<main")[2]) == is_warned
        assert "Beside the old one" not in shown.partition("<main")[2]


def _processes():
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            path.read_bytes()
        except OSError:
            continue
        yield path
