"""What keywords hit on documents of known category."""

from __future__ import annotations

import pytest

from features.keyword_check import check_keywords
from features.lexicon import Lexicon, LexiconCategory
from features.tokens import tokenize

WORDS = [
    tokenize(text)
    for text in (
        "invoice total due",
        "lnvoice of may",
        "vat number",
        "dear aunt, the total",
        "yours sincerely",
        "report",
    )
]
CATEGORIES = ["invoice", "invoice", "invoice", "letter", "letter", "report"]


@pytest.fixture(scope="module")
def found():
    return check_keywords(
        Lexicon(
            categories=(
                LexiconCategory(name="Invoices", keywords=("invoice", "total", "customs", "dear")),
                LexiconCategory(name="letter", keywords=("sincerely", "Dear")),
                LexiconCategory(name="contract", keywords=("hereby",)),
            )
        ),
        WORDS,
        CATEGORIES,
    )


def test_coverage_and_false_hits_of_a_category(found):
    invoices, letter, contract = found.categories
    assert (invoices.documents, invoices.hit, invoices.other_documents, invoices.false_hits) == (3, 2, 3, 1)
    assert invoices.overlaps == (("letter", 1),)
    assert (letter.documents, letter.hit, letter.false_hits) == (2, 2, 0)
    assert (contract.documents, contract.hit, contract.other_documents) == (0, 0, 6)


def test_each_keyword_with_its_hits_misread_ones_too(found):
    figures = {(one.category, one.keyword): one for one in found.keywords}
    assert (figures["Invoices", "invoice"].own, figures["Invoices", "invoice"].note) == (2, "")
    total = figures["Invoices", "total"]
    assert (total.own, total.others, total.precision, total.note) == (1, 1, 0.5, "")
    assert figures["Invoices", "customs"].precision is None
    assert figures["Invoices", "customs"].note == "hits nothing"
    assert figures["Invoices", "dear"].note == figures["letter", "Dear"].note == "stands under another category too"


def test_categories_that_one_side_alone_knows(found):
    assert found.without_keywords == ("report",)
    assert found.without_documents == ("contract",)


def test_two_spellings_in_one_category_are_no_conflict():
    lexicon = Lexicon(categories=(LexiconCategory(name="letter", keywords=("Sincerely", "sincerely")),))
    assert [one.note for one in check_keywords(lexicon, WORDS, CATEGORIES).keywords if one.own] == ["", ""]
