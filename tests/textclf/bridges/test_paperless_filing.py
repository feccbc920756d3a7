"""What is written into paperless-ngx about a document, and what never is."""

from __future__ import annotations

import copy
import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("httpx", reason="the extra [desk] is not installed")

from fastapi.responses import JSONResponse

from textclf.base.errors import UsageError
from textclf.bridges.paperless_archive import content_of, predictor
from textclf.bridges.paperless_client import PaperlessClient, PaperlessDocument
from textclf.bridges.paperless_filing import Filer, Targets, is_done, plan
from textclf.bridges.paperless_http import GoneError, InvalidError, PaperlessError, PaperlessHttp
from textclf.bridges.paperless_options import FilingOptions, PaperlessOptions
from textclf.model.prediction import Prediction

ALL = FilingOptions(accepted_tag="filed by textclf", review_tag="check", score_field="score")


@pytest.fixture
def filer(paperless, model):
    """Makes filers with the model of the tests."""
    opened = []

    def make(options=ALL, done_tag=""):
        http = PaperlessHttp(PaperlessOptions(retries=0))
        opened.append(http)
        client = PaperlessClient(http)
        return Filer(client=client, predict=predictor(model, content_of), options=options, done_tag=done_tag)

    yield make
    for http in opened:
        http.__exit__()


@pytest.fixture
def sure(model, corpus) -> str:
    """A letter that the model accepts."""
    _, texts, categories = corpus(20, seed=11)
    return next(
        text for text, category in zip(texts, categories, strict=True)
        if category == "letter" and model(text).decision == "accept" and model(text).predicted_category == "letter"
    )  # fmt: skip


def test_an_accepted_document_gets_its_type_a_tag_and_the_score_and_all_else_stays(paperless, filer, sure, model):
    paperless.add(5, sure, tags=(1, 4), custom_fields=[{"field": 3, "value": "2026-01-01"}])
    before = copy.deepcopy(paperless.documents[5])
    filer().file(5)
    after = paperless.documents[5]
    assert after["document_type"] == 2
    assert set(after["tags"]) == {1, 4, 3}
    assert paperless.value(5, 1) == round(model(sure).score, 4)
    assert paperless.value(5, 3) == "2026-01-01"
    same = before.keys() - {"document_type", "tags", "custom_fields"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_the_same_document_twice_changes_nothing_the_second_time(paperless, filer, sure):
    for number, text in enumerate((sure, "", "words of another kind")):
        paperless.add(number + 1, text)
    for options in (
        ALL,
        FilingOptions(
            replace=True, **{name: getattr(ALL, name) for name in ("accepted_tag", "review_tag", "score_field")}
        ),
    ):
        for number in (1, 2, 3):
            filer(options).file(number)
        state = copy.deepcopy(paperless.documents)
        paperless.requests.clear()
        for number in (1, 2, 3):
            assert not filer(options).file(number)
        assert paperless.writes() == []
        assert paperless.documents == state


def test_a_document_under_the_threshold_gets_the_tag_for_review_and_no_type(paperless, filer):
    paperless.add(5, "")
    assert filer().file(5).note == "for review, no text"
    assert paperless.documents[5]["document_type"] is None
    assert paperless.documents[5]["tags"] == [2]


def test_a_type_that_is_set_stays_unless_it_may_be_replaced(paperless, filer, sure):
    paperless.add(5, sure, kind=1)
    assert not filer().file(5)
    assert paperless.writes() == []
    filer(FilingOptions(replace=True)).file(5)
    assert paperless.documents[5]["document_type"] == 2


def test_what_a_person_undid_is_not_done_again(paperless, filer, sure):
    paperless.add(5, sure)
    filer().file(5)
    paperless.documents[5] |= {"document_type": None, "tags": []}
    assert not filer().file(5)
    assert paperless.documents[5]["tags"] == []


def test_a_document_judged_anew_changes_sides(paperless, filer, sure):
    paperless.add(5, "")
    filer().file(5)
    paperless.documents[5]["content"] = sure
    filer(FilingOptions(accepted_tag="filed by textclf", review_tag="check", replace=True)).file(5)
    assert paperless.documents[5]["tags"] == [3]


def test_an_accepted_document_may_leave_the_inbox_and_another_does_not(paperless, filer, sure):
    paperless.add(5, sure, tags=(1, 4))
    paperless.add(6, "", tags=(1, 4))
    for number in (5, 6):
        filer(FilingOptions(clear_inbox=True)).file(number)
    assert paperless.documents[5]["tags"] == [4]
    assert paperless.documents[6]["tags"] == [1, 4]


def test_a_score_may_be_written_as_text(paperless, filer, sure):
    paperless.add(5, sure)
    filer(FilingOptions(score_field="score text")).file(5)
    assert 0.5 < float(paperless.value(5, 2)) <= 1


@pytest.mark.parametrize("types", [{}, {1: "invoice"}, {2: "letter", 7: "letter"}])
def test_no_type_is_made_and_none_is_guessed_among_several(paperless, filer, sure, types, caplog):
    paperless.types = types
    paperless.add(5, sure)
    filer().file(5)
    assert paperless.types == types
    assert paperless.documents[5]["document_type"] is None
    assert paperless.documents[5]["tags"] == [2]
    assert "so nothing is set" in caplog.text


def test_a_type_that_was_deleted_in_between_is_looked_up_again(paperless, filer, sure):
    one = filer()
    one.targets()
    del paperless.types[2]
    paperless.types[9] = "letter"
    paperless.add(5, sure)
    one.file(5)
    assert paperless.documents[5]["document_type"] == 9


def test_a_change_that_is_refused_twice_is_told(paperless, filer, sure):
    paperless.add(5, sure)
    paperless.fail("/api/documents/5", lambda _: JSONResponse({"x": ["no"]}, status_code=400), method="PATCH", times=9)
    with pytest.raises(InvalidError):
        filer().file(5)


def test_a_writing_that_breaks_off_is_completed_the_next_time(paperless, filer, sure):
    paperless.add(5, sure)
    paperless.fail("/api/documents/5", lambda _: JSONResponse({}, status_code=500), method="PATCH")
    with pytest.raises(PaperlessError):
        filer().file(5)
    filer().file(5)
    assert paperless.documents[5]["document_type"] == 2
    assert paperless.documents[5]["tags"] == [3]
    assert paperless.value(5, 1) is not None


@pytest.mark.parametrize("done", range(3))
def test_a_writing_that_breaks_off_anywhere_is_completed_the_next_time(paperless, filer, sure, model, done):
    paperless.add(5, sure, tags=(4,), custom_fields=[{"field": 3, "value": "2026-01-01"}])
    writes = iter(range(9))
    refusal = JSONResponse({}, status_code=503)
    paperless.fail(
        "/api/documents/",
        lambda request: refusal if request.method != "GET" and next(writes) == done else None,
        times=99,
    )
    broken = filer(ALL, done_tag="todo")
    for _ in range(2):
        with suppress(PaperlessError):
            broken.file(5)
    assert paperless.documents[5]["document_type"] == 2
    assert paperless.documents[5]["tags"] == [3]
    assert paperless.value(5, 1) == round(model(sure).score, 4)
    assert paperless.value(5, 3) == "2026-01-01"


def test_what_a_person_wrote_while_a_document_was_judged_stays(paperless, filer, sure):
    paperless.add(5, sure)
    one = filer()
    judge = one.predict

    def slow(document):
        paperless.documents[5]["custom_fields"] = [{"field": 3, "value": "2026-01-01"}]
        return judge(document)

    one.predict = slow
    one.file(5)
    assert (paperless.documents[5]["document_type"], paperless.value(5, 3)) == (2, "2026-01-01")
    assert paperless.value(5, 1) is not None


def test_a_field_whose_value_is_not_valid_any_more_keeps_it_and_the_document_is_filed(paperless, filer, sure):
    old = {"field": 3, "value": 20260101}
    paperless.add(5, sure, custom_fields=[old])
    filer().file(5)
    assert paperless.documents[5]["document_type"] == 2
    assert paperless.value(5, 1) is not None
    assert old in paperless.documents[5]["custom_fields"]


def test_a_document_that_was_deleted_is_told(filer):
    with pytest.raises(GoneError):
        filer().file(77)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (FilingOptions(review_tag="missing"), "--review-tag: paperless-ngx has no tag 'missing'"),
        (FilingOptions(accepted_tag="CHECK"), "--accepted-tag: paperless-ngx has no tag 'CHECK'"),
        (FilingOptions(score_field="missing"), "--score-field: paperless-ngx has no custom field 'missing'"),
        (FilingOptions(score_field="due"), "custom field 'due' is of type date"),
        (FilingOptions(review_tag="twice"), "paperless-ngx has several tag 'twice'"),
    ],
)
def test_what_is_named_must_be_there_once(paperless, filer, options, message):
    paperless.tags |= {8: ("twice", False), 9: ("twice", False)}
    with pytest.raises(UsageError, match=message):
        filer(options).targets()
    assert paperless.writes() == []


NAMES = st.text(min_size=1, max_size=20) | st.sampled_from(
    ["none of these", "=1+1", "<b>", "a\u202eb", "İ", "ß", "e\u0301"]
)
IDS = st.integers(1, 9)


@given(
    types=st.dictionaries(NAMES, st.lists(IDS, min_size=1, max_size=2, unique=True).map(tuple), max_size=4),
    prediction=st.builds(
        Prediction,
        document_id=st.just("1"),
        predicted_category=NAMES,
        score=st.floats(0, 1),
        decision=st.sampled_from(["accept", "review"]),
        reason=st.sampled_from(["", "no text"]),
    ),
    tags=st.lists(IDS, unique=True).map(tuple),
    kind=st.none() | IDS,
    options=st.builds(FilingOptions, replace=st.booleans(), clear_inbox=st.booleans()),
    as_text=st.booleans(),
)
def test_plans_name_only_what_exists_and_are_stable(types, prediction, tags, kind, options, as_text):
    targets = Targets(
        types=types,
        inbox_tags=frozenset({1}),
        accepted_tag=2,
        review_tag=3,
        score_field=4,
        score_as_text=as_text,
        done_tag=5,
    )
    document = PaperlessDocument(id=1, tags=tags, document_type=kind)
    changes = plan(document, prediction, targets, options)
    assert changes.document_type in (None, *types.get(prediction.predicted_category, ()))
    assert {*changes.add_tags} <= {2, 3} - {*tags}
    assert {*changes.remove_tags} <= {1, 2, 3, 5} & {*tags}
    assert not {*changes.add_tags} & {*changes.remove_tags}
    after = PaperlessDocument(
        id=1,
        tags=tuple({*tags, *changes.add_tags} - {*changes.remove_tags}),
        document_type=changes.document_type or kind,
        fields={4: changes.score},
    )
    assert is_done(after, targets, options) or not plan(after, prediction, targets, options)


@given(name=st.text(alphabet=string.printable, min_size=1, max_size=30))
def test_categories_are_matched_by_their_whole_name(name):
    targets = Targets(types={name: (1,)})
    accepted = Prediction(document_id="1", predicted_category=name, score=0.9, decision="accept")
    assert plan(PaperlessDocument(id=1), accepted, targets, FilingOptions()).document_type == 1
    longer = Prediction(document_id="1", predicted_category=f"{name}x", score=0.9, decision="accept")
    assert plan(PaperlessDocument(id=1), longer, targets, FilingOptions()).document_type is None
