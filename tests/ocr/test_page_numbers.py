"""Page numbers as printed, and as OCR reads them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr.page_numbers import MOST, PageNumber, page_number, page_number_of

WITH_TOTAL = (
    *("{n}/{m}", "{n} / {m}", "Page {n} of {m}", "PAGE {n} OF {m}", "pagina {n} di {m}", "Pag. {n}/{m}", "{n} von {m}"),
    *(
        "Seite {n} von {m}",
        "Página {n} de {m}",
        "page {n} sur {m}",
        "Foglio n. {n} di {m}",
        "[{n}/{m}]",
    ),
)
NAMED = ("Page {n}", "page: {n}", "Pag. {n}", "pagina {n}", "Seite {n}", "S. {n}", "p. {n}", "Polizza A 77 - pag. {n}")
BARE = ("{n}", "- {n} -", "– {n} –", "({n})", "[{n}]")


@given(st.sampled_from(WITH_TOTAL), st.integers(1, MOST), st.integers(0, MOST))
def test_number_and_total(form, number, more):
    total = min(MOST, number + more)
    assert page_number(form.format(n=number, m=total)) == PageNumber(number, total)


@given(st.sampled_from(NAMED), st.integers(1, MOST))
def test_named_number(form, number):
    assert page_number(form.format(n=number)) == PageNumber(number)


@given(st.sampled_from(BARE), st.integers(1, MOST))
def test_bare_number(form, number):
    assert page_number(form.format(n=number)) == PageNumber(number, 0, is_named=False)


@pytest.mark.parametrize(
    ("line", "number", "total"),
    [
        ("Page l of 4", 1, 4),
        ("Paqe 2 0f 4", 2, 4),
        ("Pagina Z di 4", 2, 4),
        ("Pog. 1/3", 1, 3),
        ("Page 1O of l2", 10, 12),
        ("Pag1na 2 d1 4", 2, 4),
        ("Polizza 4711 - pagina 2 di 4", 2, 4),
        ("Fax 555 0100  P. 02/05", 2, 5),
    ],
)
def test_misread_numbers(line, number, total):
    assert page_number(line) == PageNumber(number, total)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "12/03/2024",
        "3/2",
        "0",
        "0/3",
        "Pages: 3",
        "page two",
        "Invoice no. 12",
        "Step 2 of 4 is to sign",
        "1,234.50",
        "00123",
        "IBAN IT60 X054",
        "page 12 of 3",
    ],
)
def test_what_is_no_page_number(line):
    assert page_number(line) is None


@given(st.text(max_size=200))
def test_any_line_gives_a_possible_number_or_none(line):
    found = page_number(line)
    assert found is None or (0 < found.number <= MOST and (found.total == 0 or found.number <= found.total <= MOST))


def test_long_hostile_lines_take_no_time():
    started = time.perf_counter()
    for line in ("1" * 100_000, "page " * 20_000, "- " * 50_000, "l/" * 50_000, "|" * 100_000):
        page_number(line)
    assert time.perf_counter() - started < 5


def test_a_total_is_preferred_then_a_name():
    assert page_number_of(["7", "pag. 2", "Seite 2 von 3"]) == PageNumber(2, 3)
    assert page_number_of(["7", "pag. 2"]) == PageNumber(2)
    assert page_number_of(["Rossi S.p.A.", "14"]) == PageNumber(14, is_named=False)
    assert page_number_of([]) is None
