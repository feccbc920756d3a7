from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from textclf import DocumentClassifier, load
from textclf.base.errors import BadDataError, BadModelError, UsageError
from textclf.base.look_format import COLUMNS, ROWS, SIZE, encode_look
from textclf.model.explain import explain
from textclf.model.file import save_model
from textclf.model.look_fit import MIN_LOOKS

CATEGORIES = ("invoice", "letter", "receipt")


def looks_of(labels: list[str], *, alike: float = 0.0, seed: int = 0) -> list[str]:
    """Looks that tell the categories apart, the less the more alike they are."""
    draw = np.random.default_rng(seed)
    typical = {category: draw.random(SIZE) for category in CATEGORIES}
    same = draw.random(SIZE)
    return [encode_look(alike * same + (1 - alike) * typical[label] + draw.normal(0, 0.2, SIZE)) for label in labels]


@pytest.fixture(scope="module")
def papers(corpus):
    """Papers of which letters and receipts have the same words, but not the same look."""
    found = corpus(24)
    texts = [
        text if category == "invoice" else corpus(1, seed=1000 + i, categories=("letter",)).texts[0]
        for i, (text, category) in enumerate(zip(found.texts, found.categories, strict=True))
    ]
    return texts, found.categories, looks_of(found.categories)


def fitted(texts, labels, looks=None, **options):
    options = {"lexicon": "none", "vectors": "none", "augment": False, "max_error": 0.2} | options
    return DocumentClassifier(**options).fit(texts, labels, looks=looks)


@pytest.fixture(scope="module")
def seeing(papers):
    return fitted(*papers)


@pytest.fixture(scope="module")
def blind(papers):
    texts, labels, _ = papers
    return fitted(texts, labels)


def test_papers_that_read_alike_are_told_apart_by_their_look(seeing, blind, papers):
    texts, labels, _ = papers
    new = looks_of(labels, seed=0)
    seen = [prediction.predicted_category for prediction in seeing.model_.pipe(texts, looks=new)]
    assert np.mean(np.array(seen) == labels) > 0.95
    assert seeing.model_.training.groups[-1].accuracy > 0.95 > 0.8 > blind.model_.training.groups[-1].accuracy
    assert seeing.model_.training.groups[-1].features == "text + look"


def test_a_text_without_a_look_is_predicted_as_by_a_model_without_looks(seeing, blind, papers):
    texts, _, _ = papers
    with_looks, without = (list(one.model_.pipe(texts)) for one in (seeing, blind))
    assert with_looks == without
    assert with_looks == list(seeing.model_.pipe(texts, looks=[""] * len(texts)))
    assert with_looks == list(seeing.model_.pipe(texts, looks=["0:of another version"] * len(texts)))
    assert seeing.model_.training.without_look.acceptance == blind.model_.training.acceptance
    assert (seeing.predict_proba(texts) == blind.predict_proba(texts)).all()


def test_a_page_without_text_is_judged_by_its_look_with_a_threshold_of_its_own(seeing, blind, papers):
    _, labels, looks = papers
    alone = list(seeing.model_.pipe([""] * len(looks), looks=looks))
    assert (
        np.mean([prediction.predicted_category == label for prediction, label in zip(alone, labels, strict=True)]) > 0.9
    )
    threshold = seeing.model_.training.look_alone.acceptance.threshold
    accepted = [prediction for prediction in alone if prediction.decision == "accept"]
    assert accepted
    assert min(prediction.score for prediction in accepted) >= threshold
    assert blind.model_("", look=looks[0]).reason == "no text"
    assert seeing.model_("").reason == "no text"


def test_a_page_that_looks_like_none_trained_on_is_judged_as_if_it_had_no_look(seeing, papers):
    texts, _, looks = papers
    for strange in (np.zeros(SIZE), np.ones(SIZE), np.random.default_rng(99).random(SIZE)):
        look = encode_look(strange)
        assert seeing.model_("", look=look).reason == "no text"
        assert seeing.model_(texts[0], look=look) == seeing.model_(texts[0])
    assert seeing.model_(texts[0], look=looks[0]) != seeing.model_(texts[0])


def test_looks_that_tell_nothing_do_no_harm(corpus):
    found = corpus(24)
    noise = looks_of(found.categories, alike=1.0)
    seeing, blind = (fitted(found.texts, found.categories, looks) for looks in (noise, None))
    unseen = corpus(24, seed=5)
    new = looks_of(unseen.categories, alike=1.0, seed=6)
    seen = [one.predicted_category for one in seeing.model_.pipe(unseen.texts, looks=new)]
    read = [one.predicted_category for one in blind.model_.pipe(unseen.texts)]
    right = [np.mean(np.array(said) == unseen.categories) for said in (seen, read)]
    assert right[0] >= right[1] - 0.03


def test_looks_of_issuers_that_tell_nothing_of_new_ones_are_not_added(corpus):
    found = corpus(24)
    groups = [f"{label} {i % 4}" for i, label in enumerate(found.categories)]
    by_issuer = dict(zip(sorted(set(groups)), np.random.default_rng(1).random((len(set(groups)), SIZE)), strict=True))
    draw = np.random.default_rng(2)
    looks = [encode_look(0.8 * by_issuer[group] + 0.2 * draw.random(SIZE)) for group in groups]
    plain = DocumentClassifier(lexicon="none", vectors="none")
    model = plain.fit(found.texts, found.categories, groups=groups, looks=looks).model_
    by_text, by_both = (group.accuracy for group in (model.training.without_look, model.training.groups[-1]))
    assert by_both >= by_text - 0.03
    evidence = model.evidence(found.texts, looks)
    by_look, alone = (np.abs(margins).max(axis=1).mean() for margins in evidence.by_look)
    assert by_look < 0.1 * np.abs(evidence.by_text).max(axis=1).mean() < alone


def test_some_documents_may_lack_a_look(papers):
    texts, labels, looks = papers
    partly = [look if i % 2 else "" for i, look in enumerate(looks)]
    model = fitted(texts, labels, partly).model_
    assert model.look is not None
    seen = [one.predicted_category for one in model.pipe(texts, looks=looks)]
    assert np.mean(np.array(seen) == labels) > 0.9


def test_damaged_looks_are_told_and_count_as_none(papers):
    texts, labels, looks = papers
    damaged = ["1:rubbish", "0:of another version", "1:", "", *looks[4:]]
    found = fitted(texts, labels, damaged)
    assert [warning for warning in found.warnings_ if "page_look" in warning] == [
        f"2 of {len(texts)} cells of page_look are damaged, or of another version, and count as empty; "
        "read these documents again"
    ]


def test_few_looks_are_not_learned_from(papers):
    texts, labels, looks = papers
    few = [look if i < MIN_LOOKS - 1 else "" for i, look in enumerate(looks)]
    order = np.random.default_rng(0).permutation(len(texts))
    texts, labels = [texts[i] for i in order], [labels[i] for i in order]
    looks = [looks[i] for i in order]
    for kept, learned in ((MIN_LOOKS - 1, False), (MIN_LOOKS, True)):
        few = [look if i < kept else "" for i, look in enumerate(looks)]
        assert (fitted(texts, labels, few).model_.look is not None) == learned


def test_a_model_file_keeps_the_look(tmp_path, seeing, papers):
    texts, _, looks = papers
    seeing.save(tmp_path / "model.textclf")
    again = load(tmp_path / "model.textclf")
    assert list(again.pipe(texts, looks=looks)) == list(seeing.model_.pipe(texts, looks=looks))
    assert again.training == seeing.model_.training
    stream = BytesIO()
    save_model(again, stream)
    assert stream.getvalue() == (tmp_path / "model.textclf").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"mean": np.full(SIZE, 2, np.float32)},
        {"deviation": np.zeros(SIZE, np.float32)},
        {"farthest": float("nan")},
        {"weights": np.zeros((2, SIZE - 1, 3), np.float32)},
        {"weights": np.full((2, SIZE, 3), np.nan, np.float32)},
        {"intercept": np.zeros((2, 3))},
        {"quantiles": np.tile(np.arange(201.0)[::-1], (2, 1))},
        {"inverse_temperatures": (1.0, 0.0)},
        {"inverse_temperatures": (float("1e40"), 1.0)},
    ],
)
def test_a_file_with_a_damaged_look_is_refused(seeing, change):
    stream = BytesIO()
    save_model(replace(seeing.model_, look=replace(seeing.model_.look, **change)), stream)
    with pytest.raises(BadModelError):
        load(stream.getvalue())


def test_an_explanation_tells_what_the_look_added(seeing, papers):
    texts, _, looks = papers
    explained = explain(seeing.model_, texts[-1], looks[-1])
    amounts = [word.amount for word in explained.words] + [feature.amount for feature in explained.features]
    assert sum(amounts) == pytest.approx(explained.margin)
    assert any(feature.name.startswith("look: ") for feature in explained.features)
    evidence = seeing.model_.evidence([texts[-1]], [looks[-1]])
    best, second = np.sort(evidence.margins[0])[::-1][:2]
    assert explained.margin == pytest.approx(best - second, abs=1e-5)
    alone = explain(seeing.model_, "", looks[-1])
    assert alone.words == ()
    assert explain(seeing.model_, texts[-1]).regions == ()
    assert all(feature.name.startswith("look: ") for feature in alone.features)


def test_the_regions_of_an_explanation_are_what_the_look_adds_there(seeing, papers):
    texts, _, looks = papers
    regions = np.array(explain(seeing.model_, texts[-1], looks[-1]).regions)
    by_name = dict(explain(seeing.model_, texts[-1], looks[-1]).features)
    placed = by_name["look: where the ink is"] + by_name["look: directions of edges"]
    assert regions.shape == (ROWS, COLUMNS)
    assert regions.sum() == pytest.approx(placed)


def test_another_maximum_error_moves_all_thresholds(seeing):
    stricter = seeing.model_.with_max_error(0.3).training
    assert {stricter.acceptance.max_error, stricter.without_look.acceptance.max_error} == {0.3}
    assert stricter.look_alone.acceptance.max_error == 0.3


def test_looks_must_be_as_many_as_texts(seeing, papers):
    texts, labels, looks = papers
    with pytest.raises(UsageError, match="looks"):
        list(seeing.model_.pipe(texts, looks=looks[1:]))
    with pytest.raises(BadDataError, match="looks"):
        fitted(texts, labels, looks[1:])


def test_other_looks_are_other_training_data(papers):
    from textclf.model.training_data import read_training_data

    texts, labels, looks = papers
    hashes = {
        DocumentClassifier().inputs_hash(read_training_data(texts, labels, looks=given))
        for given in (None, looks, looks[::-1])
    }
    assert len(hashes) == 3
