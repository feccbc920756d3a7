"""Why a document got its category: amounts that add up to the lead over the runner-up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.ngrams import VIEWS, count_ngrams, find_ngrams
from textclf.model.explain import explain, explain_pipe

TEXTS = [
    "invoice total due gross",
    "To: all\nFrom: me\n\nDear madam,\nkind regards  and love",
    "total of the and a to in is on by for " * 20,
    "",
    "!?",
    "ζζζ 4711",
    "Vat:\t12.50 €\r\n  Gross: 1",
]


def total(explained) -> float:
    return sum(word.amount for word in explained.words) + sum(feature.amount for feature in explained.features)


def check(model, text: str) -> None:
    explained = explain(model, text)
    margins = model.margins([text])[0]
    best, second = np.sort(margins)[::-1][:2]
    assert total(explained) == pytest.approx(explained.margin, abs=1e-9)
    assert explained.margin == pytest.approx(best - second, abs=1e-5)
    prediction = model(text)
    if prediction.predicted_category:
        assert explained.category == prediction.predicted_category
    assert explained.category != explained.runner_up
    assert [text[word.start : word.end] for word in explained.words] == text.split()
    assert [word.text for word in explained.words] == text.split()
    shown = explained.to_dict()
    assert sum(term["amount"] for term in shown["words"]) + shown["other_words"] + sum(
        feature["amount"] for feature in shown["features"]
    ) == pytest.approx(explained.margin, abs=1e-9)


@pytest.mark.parametrize("text", TEXTS)
def test_the_amounts_add_up_to_the_lead_over_the_runner_up(model, text):
    check(model, text)


@given(st.text(st.sampled_from("invoce tald:\n  .ßéİ€"), max_size=300))
@settings(max_examples=40)
def test_so_they_do_for_any_text(model, text):
    check(model, text)


def test_so_they_do_with_two_categories(classifier, corpus):
    _, texts, categories = corpus(6, categories=("invoice", "letter"))
    model = classifier().fit(texts, categories).model_
    for text in texts[:3]:
        check(model, text)


def test_documents_are_explained_as_they_are_predicted_in_a_batch_as_alone(model):
    found = list(explain_pipe(model, TEXTS))
    assert [prediction for prediction, _ in found] == list(model.pipe(TEXTS))
    for text, (prediction, explained) in zip(TEXTS, found, strict=True):
        assert explained == (explain(model, text) if prediction.predicted_category else None)


def test_the_words_of_the_category_speak_for_it_and_those_of_others_against_it(model):
    explained = explain(model, "the invoice total due vat number and one love")
    assert (explained.category, explained.words[-1].text) == ("invoice", "love")
    amounts = {term.text: term.amount for term in explained.terms()}
    assert min(amounts["invoice"], amounts["total"], amounts["due"]) > 0 > amounts["love"]
    keywords = [feature for feature in explained.features if feature.name.startswith("keywords of invoice")]
    assert [feature.name for feature in keywords] == ["keywords of invoice: vat"]
    assert keywords[0].amount > 0


def test_a_word_that_stands_twice_is_one_term_with_the_amounts_of_both(model):
    explained = explain(model, "Invoice (invoice) the letter")
    (term,) = [term for term in explained.terms() if term.text == "invoice"]
    assert term.times == 2
    assert term.amount == pytest.approx(explained.words[0].amount + explained.words[1].amount)


def test_lines_for_a_person_add_up_too(model):
    explained = explain(model, TEXTS[0])
    lead, *amounts = explained.to_lines(3)
    assert lead.endswith("lead of invoice over letter, made up of") or "receipt" in lead
    assert len(amounts) == 4
    assert sum(float(line.split()[0]) for line in amounts) == pytest.approx(explained.margin, abs=0.003)


def test_of_a_long_text_what_the_model_looks_at_is_explained(model, monkeypatch):
    monkeypatch.setattr("textclf.model.predict.MAX_TEXT", 12)
    assert [word.text for word in explain(model, "invoice total due").words] == ["invoice", "tota"]


@pytest.mark.parametrize("view", [view for view in VIEWS if view.form == "text"], ids=lambda view: view.name)
@pytest.mark.parametrize("text", TEXTS)
def test_ngrams_found_are_those_counted_and_stand_where_they_are_said_to(view, text):
    found = find_ngrams(text, view)
    counted = count_ngrams([text], [view])
    buckets, times = np.unique(found.buckets, return_counts=True)
    assert (buckets.tolist(), times.tolist()) == (counted.indices.tolist(), counted.values.tolist())
    for bucket, first, last in zip(found.buckets[:50], found.first, found.last, strict=False):
        places = found.places[first:last]
        piece = text[places[places >= 0].min() : places.max() + 1]
        alone = count_ngrams([piece], [replace(view, part="page")])
        if view.unit == "word" and view.part != "labels":
            assert bucket in alone.indices
        assert piece.strip() == piece
