"""Documents of several pages: each page is predicted, and pages that disagree are for review."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.model.pages import accepted_at, join_pages, pages_disagree, several_pages, without_page_breaks
from textclf.model.prediction import Prediction

INVOICE = "the invoice total due vat number net gross payment terms bank " * 3
LETTER = "dear madam sincerely yours regards write answer kind aunt love to you " * 3


@pytest.fixture(scope="module")
def accepting(classifier, corpus):
    """A model that accepts documents."""
    _, texts, categories = corpus(24)
    return classifier(max_error=0.2).fit(texts, categories).model_


def test_each_page_is_predicted_as_a_document_of_one_page_is(accepting):
    invoice, blank, letter = accepting(f"{INVOICE}\f\f{LETTER}").pages
    assert (invoice.predicted_category, invoice.decision) == ("invoice", "accept")
    assert (invoice.score, invoice.document_id) == (accepting(INVOICE).score, "1")
    assert (blank.predicted_category, blank.document_id) == ("", "2")
    assert letter.scores == accepting(LETTER).scores


def test_pages_that_are_sure_of_different_categories_are_for_review(accepting):
    pages = [INVOICE, INVOICE, INVOICE, LETTER]
    assert accepting("\n\n".join(pages)).decision == "accept"
    assert accepting("\f".join(pages)).reason == "pages disagree"


def with_threshold(model, threshold):
    acceptance = replace(model.training.acceptance, threshold=threshold)
    return replace(model, training=replace(model.training, acceptance=acceptance))


@pytest.mark.parametrize("made_with", [0.6, 0.8, 0.95, 0.999, 1.01])
def test_what_another_threshold_would_accept_is_what_it_accepts(accepting, made_with):
    texts = ["\f".join([INVOICE] * number + [LETTER]) for number in range(1, 9)]
    texts += [f"{INVOICE}\f{INVOICE[:30]}dear", f"{INVOICE}\f{LETTER[:40]}", INVOICE, "fish and chips", ""]
    predictions = list(with_threshold(accepting, made_with).pipe(texts))
    for threshold in (0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 0.9999):
        found = [one.decision == "accept" for one in with_threshold(accepting, threshold).pipe(texts)]
        assert [accepted_at(one, threshold) for one in predictions] == found


@pytest.mark.parametrize("other", ["", "the of and", "zzz qqq xxx", "total dear"])
def test_a_page_that_is_sure_of_nothing_does_not_disagree(accepting, other):
    prediction = accepting(f"{INVOICE}\f{other}\f{INVOICE}\f{other}")
    assert (prediction.predicted_category, prediction.decision) == ("invoice", "accept")


def test_page_breaks_change_nothing_else(accepting, classifier, corpus):
    pages = f"{INVOICE}\f{INVOICE}\f"
    one, paged = accepting(f"{INVOICE}\n\n{INVOICE}"), accepting(pages)
    assert (one.scores, one.familiarity, one.decision) == (paged.scores, paged.familiarity, paged.decision)
    assert accepting.predict_proba([pages]).tolist() == [list(one.scores)]
    assert one.pages == accepting(f"{INVOICE}\f").pages == ()
    _, texts, categories = corpus(4)
    models = [
        classifier().fit([text.replace(" the ", between) for text in texts], categories).model_
        for between in ("\n\n", "\f")
    ]
    assert models[0].training.data_hash == models[1].training.data_hash


def test_each_of_a_hundred_pages_is_predicted(accepting):
    pages = accepting("\f".join([INVOICE, LETTER] * 50)).pages
    assert [page.predicted_category for page in pages] == ["invoice", "letter"] * 50


def test_of_many_pages_each_must_be_surer():
    def pages(number: int, score: float) -> list[Prediction]:
        found = [Prediction(document_id=f"{n}", predicted_category="invoice", score=0.999) for n in range(number)]
        found[-1] = replace(found[-1], predicted_category="letter", score=score)
        return [replace(page, decision="accept") for page in found]

    assert pages_disagree(pages(2, 0.9), 0.9)
    assert pages_disagree(pages(4, 0.9), 0.9)
    assert not pages_disagree(pages(8, 0.9), 0.9)
    assert pages_disagree(pages(8, 0.95), 0.9)
    # blank pages do not count
    assert pages_disagree(pages(4, 0.9) + [Prediction(document_id="b", status="skipped")] * 20, 0.9)
    assert not pages_disagree([], 0.9)


@given(st.lists(st.text("ab\n"), min_size=1))
def test_pages_are_split_where_they_were_joined(pages):
    for text in ("\f".join(pages) + "\f", join_pages(pages)):
        assert list(several_pages(text) or pages) == pages
    assert without_page_breaks("\f".join(pages)) == "\n\n".join(filter(None, pages))
