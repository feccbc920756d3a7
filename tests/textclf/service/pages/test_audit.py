"""The audit: a sample of what was accepted, the promise, and drift."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from tests.textclf.service.pages.test_review import decisions, press
from textclf.library.audit import draw_sample, measure_drift, month_of, months_before, next_month
from textclf.model.category_names import NONE_OF_THESE
from textclf.model.prediction import Prediction
from textclf.service.pages.audit_figures import CONFIDENCE, clopper_pearson, summarise

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def library(tmp_path, model_path):
    from textclf.base.hashing import hash_text
    from textclf.library.library import Library

    with Library.open(tmp_path / "library") as library:
        model_id = library.add_model(model_path, at=MARCH).id
        for number in range(40):
            at = MARCH + timedelta(days=number)
            name = f"{number}.png"
            document, _ = library.add_document(sha256=hash_text(name), name=name, size=1, at=at)
            unfamiliar = number % 10 == 0
            found = Prediction(
                document_id=name,
                predicted_category="letter",
                score=0.9,
                familiarity=0.01 if unfamiliar else 0.5,
                decision="review" if unfamiliar else "accept",
                scores=(0.1, 0.9),
            )
            library.record_prediction(document.id, model_id, found, categories=("memo", "letter"), at=at)
        yield library


@pytest.fixture
def other_model(library):
    path = next((Path(__file__).parents[2] / "model").glob("format-*.textclf"))
    return library.add_model(path, at=MARCH).id


def sample_of(library, size, month=MARCH):
    with library.database.reading() as session:
        return draw_sample(session, month, size)


def test_the_sample_is_of_what_was_accepted_in_the_month_and_stays_the_same(library):
    all_of_march = sample_of(library, 100)
    assert len(all_of_march) == 27
    assert len(sample_of(library, 100, next_month(MARCH))) == 9
    ten = sample_of(library, 10)
    assert ten == all_of_march[:10] == sample_of(library, 10)
    assert [one.document_id for one in ten] != sorted(one.document_id for one in ten)
    library.decide(ten[0].document_id, "memo", by="anna", at=MARCH)
    library.decide(ten[1].document_id, "letter", by="anna", at=MARCH)
    again = sample_of(library, 10)
    assert [one.document_id for one in again] == [one.document_id for one in ten]
    assert [one.is_wrong for one in again] == [True, *[False] * 9]
    library.undo(by="anna", at=MARCH)
    assert sum(bool(one.decided) for one in sample_of(library, 10)) == 1


def judge_again(library, document_id, at, *, category="letter", decision="accept", model_id=None):
    found = Prediction(
        document_id="x", predicted_category=category, score=0.9, familiarity=0.5, decision=decision, scores=(0.1, 0.9)
    )
    model_id = model_id or library.list_models()[0].id
    library.record_prediction(document_id, model_id, found, categories=("memo", "letter"), at=at)


def test_a_document_stays_in_the_sample_of_the_month_in_which_it_was_accepted_first(library, other_model):
    march, april = sample_of(library, 100), sample_of(library, 100, next_month(MARCH))
    later = MARCH + timedelta(days=35)
    judge_again(library, march[0].document_id, later)
    judge_again(library, march[1].document_id, later, category="memo", model_id=other_model)
    judge_again(library, march[2].document_id, later, decision="review", model_id=other_model)
    assert sample_of(library, 100) == march
    assert sample_of(library, 100, next_month(MARCH)) == april
    # what was for review, and a better model accepts, belongs to the month of that model
    judge_again(library, 1, later, model_id=other_model)
    assert len(sample_of(library, 100)) == len(march)
    assert len(sample_of(library, 100, next_month(MARCH))) == len(april) + 1


def test_drift_counts_documents_as_they_came_however_often_they_are_judged(library, other_model):
    for document_id in range(1, 11):
        judge_again(library, document_id, MARCH + timedelta(days=3), model_id=other_model)
        judge_again(library, document_id, MARCH + timedelta(days=35), category="memo", model_id=other_model)
    library.decide(1, "memo", by="anna", at=MARCH)
    library.decide(1, "letter", by="anna", at=MARCH)
    library.decide(1, "memo", by="bruno", at=MARCH)
    library.decide(2, "memo", by="anna", at=MARCH)
    library.decide(2, "letter", by="anna", at=MARCH)
    with library.database.reading() as session:
        march, april = (measure_drift(session, month, unfamiliar_below=0.02) for month in (MARCH, next_month(MARCH)))
    assert (march.predicted, march.accepted, march.unfamiliar) == (31, 27, 4)
    assert (april.predicted, april.accepted, april.unfamiliar) == (9, 9, 0)
    assert (march.decided, march.corrected) == (2, 1)


def test_drift_counts_what_was_unfamiliar_and_what_was_corrected(library):
    library.decide(1, "memo", by="anna", at=MARCH)
    library.decide(2, "letter", by="anna", at=MARCH)
    library.decide(3, NONE_OF_THESE, by="anna", at=MARCH)
    with library.database.reading() as session:
        drift = measure_drift(session, MARCH, unfamiliar_below=0.02)
    assert (drift.predicted, drift.accepted, drift.unfamiliar) == (31, 27, 4)
    assert (drift.decided, drift.corrected) == (2, 1)


def test_the_promise_is_kept_broken_or_open(library):
    with library.database.reading() as session:
        drift = measure_drift(session, MARCH, unfamiliar_below=0.02)
    sample = sample_of(library, 20)
    assert summarise(MARCH, sample, drift).verdict == "open"
    for number, one in enumerate(sample):
        library.decide(one.document_id, "memo" if number < 8 else "letter", by="anna", at=MARCH)
    for promised, verdict in ((0.05, "broken"), (0.4, "open"), (0.7, "kept"), (None, "open")):
        found = summarise(MARCH, [replace(one, promised=promised) for one in sample_of(library, 20)], drift)
        assert (found.looked_at, found.wrong, found.error) == (20, 8, 0.4)
        assert found.verdict == verdict
    exact = summarise(MARCH, sample_of(library, 20), drift, is_all=True)
    assert (exact.is_exact, exact.interval) == (True, (0.4, 0.4))
    # by the tables of C. J. Clopper and E. S. Pearson
    assert found.interval == pytest.approx((0.217, 0.606), abs=0.001)


def test_the_promise_of_a_month_is_the_one_that_held_when_its_documents_were_accepted(library, model_path):
    from textclf.base.hashing import hash_text

    accepted = Prediction(
        document_id="a", predicted_category="letter", score=0.9, familiarity=0.5, decision="accept", scores=(0.1, 0.9)
    )
    april = next_month(MARCH)
    months = dict.fromkeys(months_before(MARCH, 2)[:1], 0.05) | {next_month(april): 0.2}
    for month, promised in months.items():
        document, _ = library.add_document(sha256=hash_text(f"{month}"), name=f"{month}", size=1, at=month)
        given = {"categories": ("memo", "letter"), "max_error": promised}
        model_id = library.list_models()[0].id
        library.record_prediction(document.id, model_id, accepted, **given, at=month)
        # judged anew when more may be accepted
        library.record_prediction(document.id, model_id, accepted, **given | {"max_error": 0.4}, at=next_month(april))
        with library.database.reading() as session:
            drift = measure_drift(session, month, unfamiliar_below=0.02)
        assert summarise(month, sample_of(library, 20, month), drift).promised == promised


@given(st.integers(1, 3_000).flatmap(lambda documents: st.tuples(st.integers(0, documents), st.just(documents))))
def test_the_interval_is_that_of_scipy(figures):
    expected = binomtest(*figures).proportion_ci(CONFIDENCE, method="exact")
    assert clopper_pearson(*figures) == pytest.approx((expected.low, expected.high), abs=1e-10)


def test_months():
    assert next_month(datetime(2026, 12, 1, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert month_of(datetime(2026, 3, 31, 23, 59, tzinfo=UTC)) == MARCH
    assert len(months_before(MARCH, 12)) == 12


@pytest.mark.slow
def test_a_sample_is_looked_at_and_shown_over_time(desk, visit):
    made = desk(12, review=False)
    page = visit(made.url, path="/audit")
    assert "0 of them looked at" in page.text_content("section >> nth=0")
    page.click("a[href='/audit/look']")
    press(page, "Enter")
    press(page, "2")
    page.wait_for_timeout(500)
    page.goto(f"{made.url}/audit")
    assert "2 of them looked at, 1 wrong" in page.text_content("section >> nth=0")
    assert "at most 40% are wrong" in page.text_content("section >> nth=0")
    assert page.text_content("svg.chart .limit-name") == "promised: at most 40%"
    assert page.locator("svg.chart circle").count() == 1
    assert len(decisions(made)) == 2
