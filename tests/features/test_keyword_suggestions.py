"""Keywords proposed from documents, and written to a file."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.keyword_learning import extend_lexicon, suggest_keywords
from features.lexicon import Lexicon, LexiconCategory, read_lexicon, write_lexicon
from features.tokens import tokenize
from features.word_vectors import train_word_vectors

PLANTED = {
    "busta paga": ["trattenute sociali", "dichiarazione dei redditi", "stipendio"],
    "invoice": ["unit price", "vat", "balance payable"],
}
FILLER = ["the", "of", "and", "table", "person", "casa", "acqua", "della", "giorno", "paper", "morning", "garden"]


def words_of(texts: list[str]) -> list[list[str]]:
    return [tokenize(text) for text in texts]


@pytest.fixture(scope="module")
def planted() -> tuple[list[list[str]], list[str]]:
    chance = random.Random(3)
    texts, categories = [], []
    for category, phrases in PLANTED.items():
        for _ in range(30):
            pieces = chance.choices(FILLER, k=25) + [phrase for phrase in phrases if chance.random() < 0.8]
            chance.shuffle(pieces)
            texts.append(" ".join(pieces))
            categories.append(category)
    return words_of(texts), categories


def test_planted_phrases_are_proposed_whole_with_the_documents_that_have_them(planted):
    documents, categories = planted
    found = suggest_keywords(documents, categories, n=3)
    for category, phrases in PLANTED.items():
        proposed = [one for one in found if one.category == category]
        assert {one.phrase for one in proposed} == set(phrases)
        for one in proposed:
            assert one.own == sum(one.phrase in " ".join(words) for words in documents)
            assert one.others == 0
            assert one.by_vectors is None


def test_what_the_own_keywords_find_is_not_proposed_again_and_likeness_to_them_counts(planted):
    documents, categories = planted
    own = Lexicon(categories=(LexiconCategory(name="Invoices", keywords=("prices", "VAT")),))
    vectors = train_word_vectors(documents, size=8, seed=0)
    found = suggest_keywords(documents, categories, own, vectors, n=5)
    invoice = [one for one in found if one.category == "invoice"]
    assert not {"vat", "unit price", "price"} & {one.phrase for one in invoice}
    assert invoice[0].phrase == "balance payable"
    assert invoice[0].by_vectors is not None
    assert all(one.by_vectors is None for one in found if one.category == "busta paga")


def test_a_category_that_differs_in_nothing_gets_no_proposal():
    assert suggest_keywords(words_of(["same words here"] * 20), ["a", "b"] * 10) == []


def test_rubbish_within_a_phrase_makes_no_keyword_that_a_lexicon_refuses():
    texts = [f"insured {'x' * 120} vehicle"] * 8 + ["dear aunt"] * 8
    found = suggest_keywords(words_of(texts), ["policy"] * 8 + ["letter"] * 8)
    assert {one.phrase for one in found if one.category == "policy"} == {"insured", "vehicle"}
    assert extend_lexicon(None, found).columns == ("letter_common_words", "policy_common_words")


def test_what_is_nearly_as_common_elsewhere_is_not_proposed():
    own, others = ["report on tobacco"] * 6 + ["report"] * 4, ["tobacco"] * 20 + ["memo"] * 60
    found = suggest_keywords(words_of(own + others), ["report"] * 10 + ["memo"] * 80)
    assert "report" in {one.phrase for one in found}
    assert "tobacco" not in {one.phrase for one in found}


def test_proposals_go_behind_the_own_keywords_and_survive_the_file(planted, tmp_path):
    own = Lexicon(categories=(LexiconCategory(name="Invoices", keywords=("VAT",), names=("fatture",)),))
    extended = extend_lexicon(own, suggest_keywords(*planted, own, n=2))
    assert [category.name for category in extended.categories] == ["Invoices", "busta paga"]
    assert extended.categories[0].keywords[0] == "VAT"
    assert len(extended.categories[0].keywords) == 3
    write_lexicon(tmp_path / "lexicon.toml", extended)
    assert read_lexicon(tmp_path / "lexicon.toml") == extended


@given(
    st.lists(
        st.text("aZ9 .-'\"\\àß€\t", min_size=1, max_size=20).filter(tokenize), min_size=1, max_size=5, unique=True
    ),
    st.text('Tax "\\]#=\n', min_size=1, max_size=10).filter(tokenize),
)
@settings(max_examples=50)
def test_any_lexicon_survives_the_file(tmp_path_factory, keywords, name):
    path = tmp_path_factory.mktemp("lexicon") / "lexicon.toml"
    lexicon = Lexicon(categories=(LexiconCategory(name=name, keywords=tuple(keywords)),))
    write_lexicon(path, lexicon)
    (found,) = read_lexicon(path).categories
    assert found.name == name
    assert [tokenize(keyword) for keyword in found.keywords] == [tokenize(keyword) for keyword in keywords]
