"""What several tests of features stand on."""

from __future__ import annotations

import pytest

from features.keyword_learning import compile_matcher
from features.keyword_matcher import KeywordMatcher
from features.lexicon import Lexicon, LexiconCategory, shipped_lexicon
from features.tokens import tokenize
from features.word_vectors import WordVectors, train_word_vectors


@pytest.fixture(scope="session")
def policies_and_receipts() -> list[list[str]]:
    """Words of a few short documents of two kinds."""
    texts = [
        "The insured pays the premium of the policy",
        "The policy begins when the premium is paid",
        "Total of the receipt paid in cash",
        "The receipt shows the total and the cash given back",
    ]
    return [tokenize(text) for text in texts] * 5


@pytest.fixture(scope="session")
def trained(policies_and_receipts) -> WordVectors:
    """Word vectors trained on them."""
    return train_word_vectors(policies_and_receipts, size=8)


@pytest.fixture(scope="session")
def papers() -> Lexicon:
    """A small lexicon in which each kind of keyword occurs."""
    return Lexicon(
        categories=(
            LexiconCategory(name="bank statement", keywords=("bank statement", "estratto conto")),
            LexiconCategory(name="identity card", keywords=("Carta d'identità", "nato il")),
            LexiconCategory(name="insurance", keywords=("insurance", "polizza", "contraente", "contratto")),
            LexiconCategory(name="tax", keywords=("Mod. 730", "Certificazione Unica", "P60", "CUD", "dichiarazione")),
        )
    )


@pytest.fixture(scope="session")
def matcher(papers: Lexicon) -> KeywordMatcher:
    """The matcher of that lexicon, without any knowledge of words near it."""
    return KeywordMatcher(papers)


@pytest.fixture(scope="session")
def shipped_matcher() -> KeywordMatcher:
    """The matcher of the shipped lexicon, as training makes it."""
    return compile_matcher(shipped_lexicon())
