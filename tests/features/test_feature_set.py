"""All features of documents together: fitted on some, computed for any."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.feature_set import FeatureRows, FeatureSet, FeatureSettings, fit_features, observe
from features.lexicon import Lexicon, LexiconCategory, shipped_lexicon
from features.ngrams import VIEWS, stack_rows, take_rows
from features.tfidf import fit_tfidf
from features.tokens import tokenize
from features.word_vectors import WordVectors

LETTERS = tokenize("dear aunt with love from the sea yours ever faithfully greetings rain sun")
INVOICES = tokenize("invoice number total due vat net gross amount payment bank transfer within days")
PLAIN = FeatureSettings(lexicon="none", vectors="none")
GIVEN_VECTORS = WordVectors.from_words(
    ("sea", "unheard", "invoice", "love"), np.arange(1, 13, dtype=np.float32).reshape(4, 3)
)
GIVEN_LEXICON = Lexicon(
    categories=(
        LexiconCategory(name="letter", keywords=("yours faithfully",)),
        LexiconCategory(name="invoice", keywords=("invoice", "total due")),
    )
)


def _documents(count: int) -> tuple[list[str], list[str]]:
    generator = random.Random(0)
    texts = [
        " ".join(generator.choices(words, k=generator.randrange(3, 60)))
        for _ in range(count // 2)
        for words in (LETTERS, INVOICES)
    ]
    return texts, ["letter", "invoice"] * (count // 2)


TEXTS, CATEGORIES = _documents(80)


def fit(categories: Sequence[str], settings: FeatureSettings, texts: Sequence[str] = TEXTS) -> FeatureSet:
    return fit_features(observe(texts, settings.views, layout=settings.layout), categories, settings)[0]


@pytest.fixture(
    scope="module",
    params=[
        PLAIN,
        FeatureSettings(lexicon="auto", vectors="learn", vector_size=8),
        FeatureSettings(lexicon="learn", vectors=GIVEN_VECTORS),
        FeatureSettings(lexicon=GIVEN_LEXICON, vectors="none"),
    ],
    ids=["plain", "auto", "learned lexicon", "given lexicon"],
)
def fitted(request) -> FeatureSet:
    return fit(CATEGORIES, request.param)


def as_bytes(rows: FeatureRows) -> list[bytes]:
    arrays = (*rows.ngrams, rows.layout, rows.indicators, rows.vectors)
    return [*(array.tobytes() for array in arrays), repr(list(rows.hits)).encode()]


def one_by_one(features: FeatureSet, texts: list[str]) -> FeatureRows:
    alone = [features.rows([text]) for text in texts]
    return FeatureRows(
        ngrams=stack_rows([row.ngrams for row in alone]),
        layout=np.concatenate([row.layout for row in alone]),
        indicators=np.concatenate([row.indicators for row in alone]),
        vectors=np.concatenate([row.vectors for row in alone]),
        hits=[hits for row in alone for hits in row.hits],
        words=[words for row in alone for words in row.words],
    )


# rows


def test_a_document_has_the_same_bytes_alone_and_in_a_batch(fitted):
    texts = [*TEXTS, "", "unheard-of words only", *TEXTS[:5]]
    assert as_bytes(fitted.rows(texts)) == as_bytes(one_by_one(fitted, texts))


@given(texts=st.lists(st.text(max_size=40) | st.sampled_from(TEXTS), min_size=1, max_size=6))
@settings(max_examples=40)
def test_so_has_any_text(fitted, texts):
    assert as_bytes(fitted.rows(texts)) == as_bytes(one_by_one(fitted, texts))


def test_a_row_of_a_batch_is_the_row_of_its_text(fitted):
    batch = fitted.rows(TEXTS[:5])
    for i, text in enumerate(TEXTS[:5]):
        assert as_bytes(batch.row(i)) == as_bytes(fitted.rows([text]))


def test_some_views_of_observed_texts_are_what_these_views_see():
    views = [view for view in VIEWS if view.part == "page"]
    some = observe(TEXTS, VIEWS, layout=True).seen_by(views)
    expected = observe(TEXTS, views, layout=True)
    assert some.views == expected.views
    for one, other in zip((*some.counts, some.measures), (*expected.counts, expected.measures), strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


def test_fitting_again_gives_the_same_bytes():
    chosen = FeatureSettings(vector_size=8)
    one, other = (fit(CATEGORIES, chosen).rows(TEXTS) for _ in range(2))
    assert as_bytes(one) == as_bytes(other)


def test_an_empty_text_has_no_features(fitted):
    rows = fitted.rows(["", " \n"])
    assert rows.ngrams.starts.tolist() == [0, 0, 0]
    assert not rows.layout.any()
    assert not rows.indicators.any()
    assert not rows.vectors.any()


def test_no_texts_give_no_rows_of_the_same_width(fitted):
    rows, some = fitted.rows([]), fitted.rows(TEXTS[:1])
    assert rows.ngrams.starts.tolist() == [0]
    assert rows.indicators.shape == (0, some.indicators.shape[1])
    assert rows.vectors.shape == (0, some.vectors.shape[1])


def test_vectors_have_length_one_or_none(fitted):
    lengths = np.linalg.norm(fitted.rows([*TEXTS, "", "ξξξ"]).vectors, axis=1)
    assert all(length == pytest.approx(1, abs=1e-5) or length == 0 for length in lengths)


def test_texts_of_a_million_characters_take_no_more_memory_than_one_of_them():
    script = """
import resource
from features.feature_set import observe
from features.ngrams import VIEWS
observe(["a few words"], VIEWS, layout=True)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
observe(["To whom: it may concern.\\n" * 40_000] * 4, VIEWS, layout=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    # in kB: a hundred bytes for each character, as of one text, and the words of four
    assert int(done.stdout) < 180_000


# settings


def test_without_lexicon_and_vectors_there_are_ngrams_only():
    rows = fit(CATEGORIES, PLAIN).rows(TEXTS)
    assert rows.indicators.shape == rows.vectors.shape == (len(TEXTS), 0)
    assert len(rows.ngrams.values)


def test_learned_vectors_have_the_size_asked_for_and_know_the_training_words():
    features = fit(CATEGORIES, replace(PLAIN, vectors="learn", vector_size=5))
    assert sorted(features.vectors.words) == sorted({*LETTERS, *INVOICES})
    assert features.rows(TEXTS).vectors.shape == (len(TEXTS), 5)


def test_given_vectors_keep_the_words_of_the_training_texts_and_learn_their_weights():
    features = fit(CATEGORIES, replace(PLAIN, vectors=GIVEN_VECTORS))
    assert features.vectors.words == ("sea", "invoice", "love")
    assert features.vectors.matrix.tolist() == GIVEN_VECTORS.matrix[[0, 2, 3]].tolist()
    assert (features.vectors.weights > 1).all()
    assert np.linalg.norm(features.vectors.common) == pytest.approx(1, abs=1e-5)
    assert not features.rows(["unheard"]).vectors.any()


def test_a_given_lexicon_is_taken_as_it_is():
    features = fit(CATEGORIES, replace(PLAIN, lexicon=GIVEN_LEXICON))
    assert features.matcher.lexicon == GIVEN_LEXICON
    rows = features.rows(["Yours\nFaithfully", "lnvoice", "yours, and the total due", "rain"])
    assert rows.indicators.tolist() == [[1, 0], [0, 1], [0, 1], [0, 0]]


def test_a_learned_lexicon_has_keywords_of_the_training_texts():
    features = fit(CATEGORIES, replace(PLAIN, lexicon="learn"))
    letter, invoice = sorted(features.matcher.lexicon.categories, key=lambda category: category.name, reverse=True)
    assert set(tokenize(" ".join(letter.keywords))) <= set(LETTERS)
    assert set(tokenize(" ".join(invoice.keywords))) <= set(INVOICES)
    rows = features.rows(["dear aunt with love from the rain", "bank transfer of the gross amount"])
    assert rows.indicators.tolist() == [[0, 1], [1, 0]]


def test_the_shipped_lexicon_serves_the_categories_it_knows():
    shipped = {category.name: category.keywords for category in shipped_lexicon().categories}
    known = fit(CATEGORIES, replace(PLAIN, lexicon="auto")).matcher.lexicon.categories
    assert [category.keywords == shipped["invoice"] for category in known if category.name == "invoice"] == [True]
    unknown = ["sports" if category == "invoice" else "letters" for category in CATEGORIES]
    learned = fit(unknown, replace(PLAIN, lexicon="auto")).matcher.lexicon
    assert learned == fit(unknown, replace(PLAIN, lexicon="learn")).matcher.lexicon


def test_rows_are_the_same_alone_in_a_block_and_in_many():
    draw = random.Random(0)
    texts = [" ".join(draw.choices(LETTERS + INVOICES, k=30)) for _ in range(150)]
    observed = observe(texts, VIEWS, layout=False)
    columns = fit_tfidf(observed.counts, VIEWS)
    found = columns.weigh(observed.counts)
    for place in (0, 64, len(texts) - 1):
        alone, own = columns.weigh(take_rows(observed.counts, np.array([place]))), take_rows(found, np.array([place]))
        assert len(own.indices) > 100
        assert [part.tobytes() for part in own] == [part.tobytes() for part in alone]
