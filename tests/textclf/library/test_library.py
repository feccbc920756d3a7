from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ocr.document import Document, Page, Word
from textclf.base.errors import BadDataError, BadInputError
from textclf.base.hashing import hash_bytes
from textclf.library.claims import ClaimedError, take_claim
from textclf.library.library import Library
from textclf.model.file import load_model
from textclf.model.prediction import Prediction, failed_prediction

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATEGORIES = ("invoice", "letter", "receipt")


def test_the_same_content_is_one_document_wherever_it_lies(library, add):
    first = add("a.pdf", path="/inbox/a.pdf")
    again, is_new = library.add_document(
        sha256=first.sha256, name="b.pdf", size=first.size, path="/other/b.pdf", at=START
    )
    assert not is_new
    assert again == replace(first, path="/other/b.pdf")
    assert library.document_of(first.sha256) == library.document(first.id) == again
    assert library.document(99) is library.document_of("0" * 64) is None


@pytest.mark.parametrize("path", ["/in/\udcff\\x41.pdf", "/in/ü \\\\ .pdf", "/in/plain.pdf"])
def test_a_path_of_any_bytes_comes_back_as_it_was(library, add, path):
    add("a", path=path)
    assert library.list_documents()[0].path == path


def test_what_was_read_is_kept_with_its_words_and_read_anew_takes_its_place(library, add):
    words = (Word(text="Total\0due\udcff", confidence=91.25, box=(1, 2, 30, 40), line=0),)
    pages = (
        Page(
            number=1, text="Total\0due", words=words, width=600, height=800, rotation=90, engine="tesserocr 5", look="l"
        ),
        Page(number=2, status="failed", error="too dark"),
    )
    document = add("a")
    read = Document(document_id="a", pages=pages, page_count=2, status="partial", error="page 2 is missing")
    library.record_reading(document.id, read)
    kept = library.document(document.id)
    assert (kept.status, kept.error, kept.page_count) == ("partial", "page 2 is missing", 2)
    assert kept.reading["engine"] == "tesserocr 5"
    assert kept.reading["warnings"] == ["page 2: too dark"]
    first, second = library.pages(document.id)
    assert (first.width, first.height, first.rotation, first.look, second.words) == (600, 800, 90, "l", ())
    assert first.words == (replace(words[0], confidence=91.2),)
    assert library.text(document.id) == "Total\ufffddue\f\f"
    library.record_reading(document.id, replace(read, pages=pages[:1], status="ok", error=""))
    assert [page.number for page in library.pages(document.id)] == [1]
    assert library.count_documents() == {"ok": 1}


def test_a_model_is_kept_by_its_content_and_one_can_go_back(library, model_files, clock):
    first = library.add_model(model_files[0], at=clock(), name="spring")
    assert (first.name, first.id) == ("spring", hash_bytes(model_files[0].read_bytes()))
    assert library.model_path(first.id).read_bytes() == model_files[0].read_bytes()
    assert first.figures["training"]["documents"] == load_model(model_files[0]).training.documents
    assert library.add_model(model_files[0], at=clock(), name="other") == first
    assert library.model_on_duty() is None
    with pytest.raises(BadDataError, match="there is no model 'missing'"):
        library.put_on_duty("missing", by="ada", at=clock())
    second = library.add_model(model_files[1], at=clock(), parent_id=first.id)
    assert [one.name for one in library.list_models()] == ["spring", "format-3"]
    library.put_on_duty(first.id, by="ada", at=clock())
    library.put_on_duty(second.id, by="ada", at=clock())
    assert library.put_on_duty(second.id, by="bob", at=clock()).by == "ada"
    assert library.model_on_duty() == second
    assert library.go_back(by="bob", at=clock()).model_id == first.id
    assert library.model_on_duty() == first
    with pytest.raises(BadDataError, match="no other model was on duty before"):
        library.go_back(by="bob", at=clock())


def test_a_model_that_came_of_one_that_is_not_there_is_told_and_not_kept(library, model_files):
    with pytest.raises(BadDataError, match="there is no model 'missing'"):
        library.add_model(model_files[0], at=START, parent_id="missing")
    assert library.list_models() == []
    assert not list(library.models.glob("*"))


def test_a_prediction_of_a_model_that_is_not_there_is_refused(library, add):
    prediction = failed_prediction("a", "no text", "")
    document = add("a")
    with pytest.raises(BadDataError, match="there is no model 'missing'"):
        library.record_prediction(document.id, "missing", prediction, categories=CATEGORIES, at=START)


def test_a_document_that_is_not_there_is_claimed_by_nobody(library):
    with pytest.raises(BadDataError, match="there is no document 99"), library.database.writing() as session:
        take_claim(session, 99, by="ada", at=START, until=START + timedelta(minutes=1))


def test_what_is_no_model_is_not_kept(library, tmp_path):
    (tmp_path / "no.textclf").write_bytes(b"no model")
    with pytest.raises(Exception, match="is not a textclf model"):
        library.add_model(tmp_path / "no.textclf", at=START)
    with pytest.raises(BadInputError, match="cannot be read"):
        library.add_model(tmp_path / "missing.textclf", at=START)
    assert library.list_models() == []
    assert not list(library.models.glob("*"))


def test_kept_files_lie_by_their_content_below_the_library(library, tmp_path):
    sha256, given = hash_bytes(b"content"), tmp_path / "given"
    given.write_bytes(b"content")
    place = library.keep_file(given, sha256, ".PDF")
    given.unlink()
    assert place.read_bytes() == b"content"
    assert place == library.keep_file(given, sha256, "pdf") == library.file_path(sha256, ".pdf")
    assert library.file_path("ab" * 32, "/../../x").parent == library.files / "ab"


def test_a_prediction_is_kept_once_for_each_model(library, add, model_id, clock):
    document = add("a")
    page = Prediction(document_id="1", predicted_category="letter", score=0.5)
    prediction = Prediction(
        document_id="a",
        predicted_category="letter",
        score=0.5,
        familiarity=0.25,
        decision="review",
        reason="unsure between letter and invoice",
        scores=(0.4, 0.5, 0.1),
        pages=(page,),
    )
    kept = library.record_prediction(
        document.id, model_id, prediction, categories=CATEGORIES, evidence={"dear": 1.5}, at=clock()
    )
    assert (kept.predicted_category, kept.score, kept.familiarity) == ("letter", 0.5, 0.25)
    assert (kept.runner_up, kept.runner_up_score, kept.evidence) == ("invoice", 0.4, {"dear": 1.5})
    assert kept.pages[0]["predicted_category"] == "letter"
    failed = failed_prediction("a", "could not be read", "a.pdf: is encrypted")
    again = library.record_prediction(document.id, model_id, failed, categories=CATEGORIES, at=clock())
    assert again.id == kept.id
    assert (again.score, again.familiarity, again.runner_up, again.runner_up_score) == (None, None, "", None)
    assert library.prediction(document.id) == library.prediction(document.id, model_id) == again
    assert library.prediction(document.id, "other") is None


def test_a_decision_can_be_undone_and_nothing_is_forgotten(library, for_review, clock):
    document = for_review("a")
    first = library.decide(document.id, "letter", by="ada", at=clock())
    assert first.before == "invoice"
    assert library.decide(document.id, "letter", by="ada", at=clock()) == first
    second = library.decide(document.id, "receipt", by="bob", at=clock())
    assert second.before == "letter"
    assert library.decision(document.id) == second
    assert [(one.category, one.predicted_category, one.by) for one in library.corrections()] == [
        ("receipt", "invoice", "bob")
    ]
    undone = library.undo(by="bob", at=clock())
    assert (undone.id, undone.undone_by) == (second.id, "bob")
    assert library.decision(document.id) == first
    assert library.undo(by="bob", at=clock()) is None
    library.undo(by="ada", at=clock())
    assert library.decision(document.id) is None
    assert [one.id for one in library.decision_history(document.id)] == [first.id, second.id]
    assert list(library.corrections()) == []


def test_corrections_come_with_what_training_needs(library, add, clock, monkeypatch):
    monkeypatch.setattr("textclf.library.corrections._BATCH", 2)
    for number in range(10):
        document = add(f"{number}.pdf", path=f"/in/{number}.pdf")
        if number % 2:
            page = Page(number=1, text=f"text {number}", look="l")
            library.record_reading(document.id, Document(document_id="x", pages=(page,), page_count=1))
            library.decide(document.id, "letter", by="ada", at=clock())
    found = list(library.corrections())
    assert [one.name for one in found] == [f"{number}.pdf" for number in range(1, 10, 2)]
    assert (found[0].text, found[0].look, found[0].path, found[0].predicted_category) == (
        "text 1",
        "l",
        "/in/1.pdf",
        "",
    )
    assert len(library.list_documents(category="letter", limit=500)) == 5
    assert [one.name for one in library.list_documents(after=2, limit=2)] == ["2.pdf", "3.pdf"]


def test_corrections_are_counted_as_they_hold(library, for_review, clock):
    confirmed, corrected, twice, undone = (for_review(name) for name in "abcd")
    decisions = [(confirmed, "invoice"), (corrected, "letter"), (twice, "letter"), (twice, "receipt")]
    for document, category in [*decisions, (undone, "letter")]:
        library.decide(document.id, category, by="ada", at=clock())
    library.undo(by="ada", at=clock())
    # the decision that holds replaced another one
    assert library.count_corrections() == {("invoice", "letter"): 1, ("letter", "receipt"): 1}


def test_documents_for_review_come_in_the_order_wanted(library, for_review, clock):
    sure, unsure, middle = (for_review(name, score) for name, score in [("s", 0.9), ("u", 0.5), ("m", 0.7)])
    for_review("accepted", 0.99, "accept")
    assert library.count_for_review(at=clock()) == 3

    def order(name):
        found = []
        while claim := library.claim_next(by="ada", at=START, order=name, passed_over=found):
            found.append(claim.document_id)
        for document_id in found:
            assert library.release(document_id, by="ada")
        return found

    assert order("unsure") == [unsure.id, middle.id, sure.id]
    assert order("surest") == [sure.id, middle.id, unsure.id]
    assert order("oldest") == [sure.id, unsure.id, middle.id]


def test_what_one_looks_at_nobody_else_is_shown_until_it_is_released_or_time_is_over(library, for_review):
    first, second = for_review("a"), for_review("b")
    claim = library.claim_next(by="ada", at=START, keep=timedelta(minutes=10))
    assert (claim.document_id, claim.until) == (first.id, START + timedelta(minutes=10))
    assert library.claim_next(by="ada", at=START).document_id == first.id, "the page was loaded again"
    assert library.claim_next(by="bob", at=START).document_id == second.id
    assert library.claim_next(by="eve", at=START) is None
    with pytest.raises(ClaimedError, match="ada is looking at document"):
        library.decide(first.id, "letter", by="bob", at=START)
    assert not library.release(first.id, by="bob")
    later = START + timedelta(hours=1)
    assert library.claim_next(by="eve", at=later).document_id == first.id
    library.decide(first.id, "letter", by="eve", at=later)
    assert library.release(first.id, by="eve") is False
    library.undo(by="eve", at=later)
    assert library.claim_next(by="eve", at=later, passed_over=[second.id]).document_id == first.id


def test_a_later_prediction_takes_the_place_of_an_earlier_one_in_the_queue(library, for_review, model_files):
    document = for_review("a")
    other = library.add_model(model_files[1], at=START)
    accepted = Prediction(document_id="a", predicted_category="letter", score=0.99, decision="accept")
    later = START + timedelta(days=1)
    library.record_prediction(document.id, other.id, accepted, categories=CATEGORIES, at=later)
    assert library.count_for_review(at=later) == 0
    assert library.prediction(document.id).model_id == other.id


def test_the_journal_tells_what_was_begun_and_what_is_done(library, add, clock):
    document = add("a")
    run = library.journal.begin_run("file", "/out", at=clock())
    first, second = (
        library.journal.plan(run.id, document.id, f"/in/{name}", f"/out/{name}\udcff", "move", at=clock())
        for name in "ab"
    )
    assert library.journal.unsettled("/out") == [first, second]
    library.journal.settle(first.id, "done", at=clock())
    assert library.journal.unsettled("/out") == [second]
    assert [move.id for move in library.journal.last_run("/out")] == [first.id]
    assert [move.target for move in library.journal.done(document.sha256, "/out")] == ["/out/a\udcff"]
    assert library.journal.last_run("/elsewhere") == library.journal.unsettled("/elsewhere") == []
    assert library.journal.settle(first.id, "undone", at=clock(), source="/in/a-2").source == "/in/a-2"
    assert library.journal.last_run("/out") == library.journal.done(document.sha256, "/out") == []


def test_tasks_are_done_in_order_and_finished_once(library, clock):
    first, second = (library.tasks.add(name, {"n": name}, at=clock()) for name in "ab")
    assert library.tasks.add("a", {"n": "again"}, at=clock()) == first
    assert (library.tasks.position("a"), library.tasks.position("b"), library.tasks.position("c")) == (1, 2, 0)
    assert library.tasks.start_next().id == "a"
    assert library.tasks.position("b") == 1
    assert library.tasks.finish("a", {"x": 1}, at=clock())
    assert not library.tasks.finish("a", {"x": 2}, at=clock())
    assert (library.tasks.get("a").state, library.tasks.get("a").result) == ("success", {"x": 1})
    assert library.tasks.start_next() == replace(second, state="started", attempts=1)
    assert library.tasks.start_next() is None
    assert library.tasks.restart({}, at=clock()) == []
    library.tasks.start_next()
    library.tasks.finish("b", {}, at=clock(), failed=True)
    assert library.tasks.get("b").state == "failure"
    assert library.tasks.get("c") is None
    assert library.tasks.count() == {"success": 1, "failure": 1}


def test_a_task_during_which_the_process_dies_is_tried_three_times_the_last_time_alone(library, clock):
    for name in "abc":
        library.tasks.add(name, {}, at=clock())
    for _ in range(2):
        assert [library.tasks.start_next().id for _ in range(2)] == ["a", "b"]
        assert library.tasks.restart({}, at=clock()) == []
    assert library.tasks.start_next().id == "a"
    assert library.tasks.start_next() is None, "whether it is this one that kills is to be seen"
    assert library.tasks.restart({"detail": "given up"}, at=clock()) == ["a"]
    assert (library.tasks.get("a").state, library.tasks.get("a").result) == ("failure", {"detail": "given up"})
    assert library.tasks.start_next().id == "b"
    assert library.tasks.start_next() is None
    library.tasks.finish("b", {}, at=clock())
    assert library.tasks.start_next().id == "c"
    assert library.tasks.start_next() is None


def test_the_last_attempt_waits_until_others_are_finished(library, clock):
    for name in "ab":
        library.tasks.add(name, {}, at=clock())
    for _ in range(2):
        library.tasks.start_next()
        library.tasks.restart({}, at=clock())
    library.tasks.add("0", {}, at=START - timedelta(days=1))
    assert library.tasks.start_next().id == "0"
    assert library.tasks.start_next() is None
    library.tasks.finish("0", {}, at=clock())
    assert library.tasks.start_next().id == "a"


def test_a_task_that_was_put_back_was_not_tried(library, clock):
    library.tasks.add("a", {}, at=clock())
    for _ in range(5):
        assert library.tasks.start_next().attempts == 1
        library.tasks.put_back("a")
        assert (library.tasks.get("a").state, library.tasks.position("a")) == ("pending", 1)
    library.tasks.start_next()
    library.tasks.finish("a", {}, at=clock())
    library.tasks.put_back("a")
    assert library.tasks.get("a").state == "success"


def test_finished_tasks_are_forgotten_after_a_time(library, clock):
    for name in "abc":
        library.tasks.add(name, {}, at=clock())
    library.tasks.finish("a", {}, at=clock())
    between = clock()
    library.tasks.finish("b", {}, at=clock())
    assert library.tasks.forget(between) == 1
    assert [library.tasks.get(name) is None for name in "abc"] == [True, False, False]


def test_times_come_back_in_utc_and_must_have_a_zone(library, add):
    rome = datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    document, _ = library.add_document(sha256="a" * 64, name="a", size=1, at=rome)
    assert library.document(document.id).added_at == datetime(2026, 7, 1, 12, tzinfo=UTC)
    with pytest.raises(Exception, match="has no zone"):
        library.add_document(sha256="b" * 64, name="a", size=1, at=datetime(2026, 7, 1))  # noqa: DTZ001


def test_a_library_is_found_again(tmp_path, database):
    with Library.open(tmp_path, database) as library:
        library.add_document(sha256="a" * 64, name="a", size=1, at=START)
    with Library.open(tmp_path, database) as library:
        assert [one.name for one in library.list_documents()] == ["a"]


def test_a_library_is_readable_by_its_owner_alone(tmp_path):
    with Library.open(tmp_path / "new") as library:
        library.count_documents()
        assert library.folder.stat().st_mode & 0o077 == 0
        assert [one for one in library.folder.iterdir() if one.stat().st_mode & 0o077] == []
