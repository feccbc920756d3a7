"""Documents of several pages, from which stacks are put together."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from data.generator.pages import FAMILIES, font_file
from data.generator.several_pages import MOST_PAGES, House, stack_of

if not all(Path(font_file(f"{family}-{style}")).exists() for family in FAMILIES for style in range(3)):
    pytest.skip("the fonts of the generator are not installed", allow_module_level=True)


def text_of(documents):
    return [[page.text for page in document.pages] for document in documents]


def test_a_stack_has_documents_of_one_to_four_pages_and_is_the_same_each_time():
    houses = [House(f"{number}", "quotation", ("en", "it")[number % 2]) for number in range(4)]
    one, other = (stack_of(Random("a"), houses, 8) for _ in range(2))
    assert text_of(one) == text_of(other)
    assert {len(document.pages) for document in one} <= set(range(1, MOST_PAGES + 1))
    assert max(len(document.pages) for document in one) > 1
    assert all(page.text for document in one for page in document.pages)


def test_an_issuer_numbers_the_pages_of_all_its_documents_alike():
    numbered = next(
        house
        for house in (House(f"{seed}", "quotation", "en") for seed in range(200))
        if house.numbering == "Page {n} of {m}" and house.first_is_numbered
    )
    for seed in range(3):
        document = numbered.document(Random(seed), 3)
        count = len(document.pages)
        assert [f"Page {n} of {count}" in page.text for n, page in enumerate(document.pages, 1)] == [True] * count
