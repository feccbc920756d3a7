"""Documents of no known kind, and the reasons why a person should look."""

from __future__ import annotations

import random

import numpy as np
import pytest

from features.ngrams import VIEWS, count_ngrams
from features.tfidf import fit_tfidf
from textclf.model.accept import MIN_FAMILIARITY
from textclf.model.typicality import fit_centroids, fit_typicality, similarity

RECIPE = "oven spoon butter flour sugar bake until golden then serve with cream and berries"


def recipes(count: int) -> list[str]:
    draw = random.Random(1)
    return [" ".join(draw.choices(RECIPE.split(), k=30)) for _ in range(count)]


def test_documents_of_no_known_kind_are_less_familiar_than_new_ones_of_known_kinds(model, corpus):
    known = [prediction.familiarity for prediction in model.pipe(corpus(10, seed=9).texts)]
    unknown = [prediction.familiarity for prediction in model.pipe(recipes(20))]
    assert max(unknown) < np.median(known)
    assert np.mean(np.array(unknown) < MIN_FAMILIARITY) > 0.8
    # were it the same distribution, half of them would be under .5
    assert 0.2 < np.mean(np.array(known) < 0.5) < 0.8


def test_a_document_of_no_known_kind_is_for_review(model):
    found = list(model.pipe(recipes(5)))
    assert {prediction.decision for prediction in found} == {"review"}
    assert "unknown kind" in {prediction.reason for prediction in found}


def test_another_language_is_named_as_the_reason(model):
    german = "Wir haben Ihren Brief vom dritten erhalten und werden ihn gern beantworten, wenn alle Papiere da sind"
    prediction = model(german)
    assert (prediction.decision, prediction.reason) == ("review", "other language")


def test_a_poor_scan_is_named_unless_it_is_accepted(model, corpus):
    invoice, letter, _ = (text.split() for text in corpus(1, seed=3).texts)
    mixed, sure = " ".join(invoice + letter), " ".join(invoice)
    found = list(model.pipe([mixed, mixed, sure], ocr_confidences=[59.9, 60.0, 10.0]))
    assert [prediction.reason for prediction in found] == ["poor scan", "unsure between invoice and letter", ""]


def test_a_clean_document_of_a_known_kind_stays_accepted_without_its_line_breaks(classifier, corpus):
    """Format is no evidence: a digital PDF of a known kind comes without the lines of a scan."""

    def in_lines(text):
        words = text.split()
        return "\n".join(" ".join(words[i : i + 3]) for i in range(0, len(words), 3))

    _, texts, categories = corpus(24)
    model = classifier().fit([in_lines(text) for text in texts], categories).model_
    _, fresh, truth = corpus(10, seed=11)
    lines = [in_lines(text) for text in fresh]
    accepted = []
    for variant in (lines, fresh):
        found = list(model.pipe(variant))
        accepted.append(np.mean([prediction.decision == "accept" for prediction in found]))
        assert np.mean([p.predicted_category == category for p, category in zip(found, truth, strict=True)]) > 0.9
    assert accepted[0] - accepted[1] <= 0.1


def test_out_of_distribution_documents_given_in_training_are_turned_away(classifier, corpus):
    _, texts, categories = corpus(24)

    def of_a_bakery(count, seed):
        return [f"{text} oven spoon butter flour" for text in corpus(count, seed=seed, categories=("invoice",)).texts]

    plain = classifier().fit(texts, categories).model_
    taught = classifier().fit(texts, categories, out_of_distribution=of_a_bakery(30, seed=5)).model_
    new = of_a_bakery(8, seed=6)

    def accepted(model, asked):
        return sum(prediction.decision == "accept" for prediction in model.pipe(asked))

    assert accepted(taught, new) < accepted(plain, new)
    assert taught.categories == plain.categories
    assert accepted(taught, corpus(8, seed=7).texts) > 12


def test_similarity_is_one_for_documents_of_the_category_on_average():
    texts = ["total due invoice", "invoice total vat", "invoice due vat", "dear aunt love", "love dear sea"]
    labels = np.array([0, 0, 0, 1, 1])
    counts = count_ngrams(texts, VIEWS[:1])
    columns = fit_tfidf(counts, VIEWS[:1])
    rows = columns.weigh(counts)
    centroids = fit_centroids(rows, labels, 2, columns.starts[-1])
    own = similarity(centroids, rows, labels)
    assert own[:3].mean() > 0.9
    assert similarity(centroids, rows, 1 - labels) == pytest.approx(np.zeros(5), abs=1e-6)


def test_familiarity_is_the_share_of_training_documents_that_were_less_familiar():
    draw = np.random.default_rng(0)
    margins = draw.normal(size=(400, 3))
    rows = count_ngrams(["one word"] * 400, VIEWS[:1])
    weighed = fit_tfidf(rows, VIEWS[:1]).weigh(rows)
    centroids = np.full((3, 3), 0.5, dtype=np.float32)
    similar = similarity(centroids, weighed, margins.argmax(axis=1))
    found = fit_typicality(centroids, margins, similar).familiarity(weighed, margins)
    assert np.sort(found) == pytest.approx(np.linspace(0, 1, 400), abs=0.02)
    order = np.sort(margins, axis=1)
    evidence = order[:, -1] + 0.5 * order[:, -2]
    assert found[evidence.argmax()] > 0.99
