from __future__ import annotations

import random

import numpy as np
import pytest

from features.keyword_learning import adapt_lexicon, fits, learn_lexicon
from features.keyword_matcher import KeywordMatcher
from features.lexicon import Lexicon, LexiconCategory, shipped_lexicon
from features.tokens import tokenize

PLANTED = {"invoice": ["unit price", "vat"], "letter": ["kind regards", "dear"], "recipe": ["spoon", "oven"]}
FILLER = ["the", "of", "and", "table", "person", "house", "water", "garden", "paper", "morning", "zzq", "4711", "page"]


def words_of(texts: list[str]) -> list[list[str]]:
    return [tokenize(text) for text in texts]


@pytest.fixture(scope="module")
def planted() -> tuple[list[list[str]], list[str]]:
    """Words of forty documents of each category: common ones, and each planted keyword in most of its own."""
    chance = random.Random(7)
    texts, categories = [], []
    for category, keywords in PLANTED.items():
        for number in range(40):
            words = chance.choices(FILLER, k=40) + [keyword for keyword in keywords if chance.random() < 0.8]
            chance.shuffle(words)
            texts.append(" ".join([*words, f"only{category}{number}"]))
            categories.append(category)
    return words_of(texts), categories


def keywords_of(lexicon: Lexicon) -> dict[str, tuple[str, ...]]:
    return {category.name: category.keywords for category in lexicon.categories}


def test_planted_words_and_phrases_are_found_and_nothing_else(planted: tuple[list[list[str]], list[str]]) -> None:
    learned = keywords_of(learn_lexicon(*planted))
    assert list(learned) == sorted(PLANTED)
    for category, keywords in PLANTED.items():
        assert set(keywords) <= set(learned[category][:5])
        assert not set(FILLER) & set(learned[category])
        assert not {keyword for keyword in learned[category] if keyword.startswith("only")}


def test_indicators_of_learned_keywords_tell_the_categories(planted: tuple[list[list[str]], list[str]]) -> None:
    documents, categories = planted
    lexicon = learn_lexicon(documents[::2], categories[::2])
    matcher = KeywordMatcher(lexicon)
    columns = matcher.indicators(matcher.find_all(documents[1::2]))
    names = [category.name for category in lexicon.categories]
    own = np.array([[name == category for name in names] for category in categories[1::2]])
    assert columns[own].mean() >= 0.9
    assert columns[~own].mean() <= 0.1


def test_the_order_of_the_documents_does_not_matter(planted: tuple[list[list[str]], list[str]]) -> None:
    order = list(range(len(planted[0])))
    random.Random(1).shuffle(order)
    texts, categories = ([column[at] for at in order] for column in planted)
    assert learn_lexicon(texts, categories) == learn_lexicon(*planted)


def test_ties_are_in_alphabetical_order() -> None:
    texts = ["beta gamma alpha delta"] * 6 + ["other things entirely"] * 6
    categories = ["one"] * 6 + ["two"] * 6
    assert keywords_of(learn_lexicon(words_of(texts), categories))["one"][:3] == (
        "alpha", "alpha delta", "beta",
    )  # fmt: skip


def test_a_category_gets_fifteen_keywords_at_most() -> None:
    texts = ["alpha beta gamma delta epsilon zeta theta iota kappa lambda"] * 6 + ["other things"] * 6
    assert len(keywords_of(learn_lexicon(words_of(texts), ["one"] * 6 + ["two"] * 6))["one"]) == 15


@pytest.mark.parametrize("rubbish", ["xqzt", "aaaa", "of", "della", "ab", "12345", "a1b2", "x" * 30, "don't"])
def test_stop_words_numbers_and_rubbish_are_no_keywords(rubbish: str) -> None:
    texts = [f"{rubbish} premium"] * 6 + ["elsewhere"] * 6
    learned = keywords_of(learn_lexicon(words_of(texts), ["policy"] * 6 + ["other"] * 6))
    assert learned["policy"] == ("premium",)


def test_a_number_may_be_the_second_part_of_a_phrase() -> None:
    learned = keywords_of(
        learn_lexicon(words_of(["Modello 730/2024"] * 6 + ["nothing here"] * 6), ["tax"] * 6 + ["x"] * 6)
    )
    assert learned["tax"] == ("modello", "modello 730")


def test_words_of_one_document_are_no_keywords() -> None:
    texts = ["premium unique"] + ["premium"] * 6 + ["elsewhere"] * 6
    assert keywords_of(learn_lexicon(words_of(texts), ["policy"] * 7 + ["other"] * 6))["policy"] == ("premium",)


def test_empty_texts_give_categories_without_keywords() -> None:
    assert keywords_of(learn_lexicon([[], [], []], ["a", "b", "b"])) == {"a": (), "b": ()}
    assert learn_lexicon([], []).categories == ()


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        (["insurance_contract", "payslip"], True),
        (["Insurance contracts", "PAY-SLIPS", "letter", "memo"], True),
        (["Insurance contracts", "letter", "memo"], False),
        (["bollette", "Buste paga", "Carta d’identità", "varie"], True),
        (["invoice", "sport", "invoice", "politics", "invoice"], False),
        (["sport"], False),
        ([], False),
    ],
)
def test_the_shipped_lexicon_fits_if_half_of_the_categories_are_its_own(categories: list[str], expected: bool) -> None:
    assert fits(shipped_lexicon(), categories) is expected


def test_a_lexicon_that_fits_is_completed_with_learned_keywords(planted: tuple[list[list[str]], list[str]]) -> None:
    texts, categories = planted
    lexicon = Lexicon(
        categories=tuple(
            LexiconCategory(name=name, keywords=(f"known {name}",)) for name in ("Letters", "invoices", "payslip")
        )
    )
    adapted = keywords_of(adapt_lexicon(lexicon, texts, categories))
    assert adapted["letter"] == ("known Letters",)
    assert adapted["invoice"] == ("known invoices",)
    assert {"spoon", "oven"} <= set(adapted["recipe"])
    assert list(adapted) == ["invoice", "letter", "recipe"]


def test_a_lexicon_that_does_not_fit_is_left_aside(planted: tuple[list[list[str]], list[str]]) -> None:
    other = Lexicon(categories=(LexiconCategory(name="invoice", keywords=("known",)),))
    assert adapt_lexicon(other, *planted) == learn_lexicon(*planted)
