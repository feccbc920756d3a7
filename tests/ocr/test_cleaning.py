from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.cleaning import clean_text, is_noise, joined_pages, read_variants
from ocr.document import Document, Page
from textclf.base.errors import BadDataError

VARIANTS = (("NY", "new york", "new_york"), ("Inps", "I.N.P.S.", "ist. naz. prev. soc."), ("one two one", "one"))


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("SocietÃ  perchÃ©", "Società perché"),
        ("o\ufb03ce \ufb01nance", "office finance"),
        ("dell\u2019anno \u201cuno\u201d", 'dell\'anno "uno"'),
        ("perche\u0301", "perché"),
        ("20 m² ½", "20 m² ½"),
        ("a\0b\x07c\u200bd\ufeff words", "abcd words"),
        ("one\r\ntwo\rthree\ffour", "one\ntwo\nthree\nfour"),
        ("  spaced \t out\u00a0words  \n\n\n\nnext page ", "spaced out words\n\nnext page"),
        ("assicura-\nzione vita", "assicurazione\nvita"),
        ("assicura\u00ad\nzione", "assicurazione"),
        ("assicura\x02\r\nzione", "assicurazione"),
        ("ASSICURA-\nZIONE", "ASSICURAZIONE"),
        ("Jean-\nPierre lives", "Jean-Pierre\nlives"),
        ("your e-mail here, well-known; a well-\nknown fact", "your e-mail here, well-known; a well-known\nfact"),
        ("pages 10-\n20 here", "pages 10-\n20 here"),
        ("an inter-\nna-\ntional case", "an international\ncase"),
        ("Total 10\n_-—=| ~\nAmount due", "Total 10\nAmount due"),
        ("F A T T U R A\nn. 12", "FATTURA\nn. 12"),
        ("T A X  I N V O I C E", "TAX INVOICE"),
        ("T  A  X     I  N  V  O  I  C  E", "TAX INVOICE"),
        ("C O N T O\u2003\u2003C O R R E N T E no. 7", "CONTO CORRENTE no. 7"),
        ("B I L A N C I O   D E L L ' A N N O : 2024", "BILANCIO DELL'ANNO : 2024"),
        ("no gaps: R E D D I T I A N N U I", "no gaps: REDDITIANNUI"),
        ("S t u d i o B i a n c h i", "Studio Bianchi"),
        ("I V A\nI V A 22", "IVA\nI V A 22"),
        ("Σ Ύ Μ Β Α Σ Η", "ΣΎΜΒΑΣΗ"),
        ("options a b c d e of the list", "options a b c d e of the list"),
        ("answers B A D C F A given", "answers B A D C F A given"),
        ("paid Y N Y Y N today", "paid Y N Y Y N today"),
        ("by J. R. R. Smith and J R Smith", "by J. R. R. Smith and J R Smith"),
        ("row 1 2 3 4 here\n1 2 3 4", "row 1 2 3 4 here\n1 2 3 4"),
        ("sizes S M X L of shirts", "sizes S M X L of shirts"),
        ("☒ paid ☑ sent ☐ open", "[X] paid [X] sent [ ] open"),
        ("[x] paid\n\uf0a8 open\n❑", "[X] paid\n[ ] open\n[ ]"),
        ("[X]\n[ ]\nlist[x]", "[X]\n[ ]\nlist[x]"),
        ("Total\n12\n7\n€ 4.40\n€ 4,-\n(7)\n-3-\n5 %", "Total\n12\n7\n€ 4.40\n€ 4,-\n(7)\n-3-\n5 %"),
    ],
)
def test_cleaning(raw, cleaned):
    assert clean_text(raw) == cleaned


@pytest.mark.parametrize(
    "line",
    [
        "TOTAL",
        "7",
        "GST @6%: $0.46",
        "€ 12,50",
        "N. 5/2024",
        "A4",
        "U.S.A.",
        "No",
        "RM 10",
        "Mod.730",
        "IT60X0542811101",
    ],
)
def test_what_could_matter_is_never_noise(line):
    assert not is_noise(line)


@pytest.mark.parametrize(
    "line",
    ["—————", "| |", ". . . .", "_——_—", "x", "—1=", ". 1 — '", "/)3", "ee A) A) ~", "rs D D O O ND) ‘N", "~o=|"],
)
def test_what_specks_give_is_noise(line):
    assert is_noise(line)


@pytest.mark.parametrize(
    ("pages", "joined"),
    [
        (["the insur-", "ance contract\nends"], ["the insurance", "contract\nends"]),
        (["the insur-\n1", "2\nance contract"], ["the insurance\n1", "2\ncontract"]),
        (["insur-", "", "ance"], ["insurance", "", ""]),
        (["a well-known, well-", "known fact"], ["a well-known, well-known", "fact"]),
        (["pages 10-", "20 here"], ["pages 10-", "20 here"]),
        (["the end.", "ance"], ["the end.", "ance"]),
        (["7", "8"], ["7", "8"]),
        ([], []),
    ],
)
def test_words_that_a_page_breaks_are_joined(pages, joined):
    assert joined_pages(pages) == joined


def test_a_document_reads_on_over_its_pages():
    raw = ("Yours is the assicura\x02", "zione of the year", "", "next")
    pages = tuple(Page(number=n, text=clean_text(text), raw_text=text) for n, text in enumerate(raw, 1))
    document = Document(document_id="a", pages=pages)
    assert document.text == "Yours is the assicurazione\n\nof the year\n\nnext"
    assert document.pages[0].text == "Yours is the assicura-"
    assert clean_text(document.text) == document.text


def test_variants_match_whole_words_in_any_case_and_over_a_line_end():
    assert clean_text("New York, NEW\nYORK and new_york", variants=VARIANTS) == "NY, NY and NY"
    assert clean_text("renew yorkshire", variants=VARIANTS) == "renew yorkshire"
    assert clean_text("by I.N.P.S. today", variants=VARIANTS) == "by Inps today"


@settings(max_examples=50)
@given(st.text(max_size=80))
def test_cleaning_twice_is_cleaning_once(raw):
    once = clean_text(raw)
    assert clean_text(once) == once


PIECES = [
    "new",
    "york",
    "New York",
    "one",
    "two",
    "-\n",
    "\n",
    " ",
    "Ã©",
    "ﬁ",
    "'",
    "~",
    "I.N.P.S.",
    "soc",
    "\x02\n",
    "e\u0301",
    "&amp;",
    "\u00ad",
    "x",
    "7",
    "F A T T U R A",
    "  ",
    "A ",
    "E ",
    "i ",
    "☐",
    "[x]",
    "[",
    "(",
]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_cleaning_twice_is_cleaning_once_with_variants_and_repairs(raw):
    once = clean_text(raw, variants=VARIANTS)
    assert clean_text(once, variants=VARIANTS) == once
    assert "\r" not in once
    assert all(line == line.strip() for line in once.split("\n"))


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "ab-\n",
        "-\n",
        "~",
        " ",
        "\n",
        "Ã©",
        "é",
        "new ",
        "a-",
        "‘",
        "\x02\n",
        "I.N.P.S.",
        "1.",
        "a b c ",
        "N O T E ",
        "E  ",
        "a ' ",
        "[x] ",
        "☐",
        "(1 ",
    ],
)
def test_hostile_text_takes_linear_time(piece):
    clean_text(piece * 10, variants=VARIANTS)
    started = time.perf_counter()
    clean_text(piece * (100_000 // len(piece)), variants=VARIANTS)
    assert time.perf_counter() - started < 5


def test_a_file_of_variants(tmp_path):
    file = tmp_path / "variants.txt"
    file.write_text("\ufeff# places\nNY = ny = New York = new_york\n\nUE = Unione Europea\n", encoding="utf-8")
    assert read_variants(file) == (("NY", "ny", "New York", "new_york"), ("UE", "Unione Europea"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"NY = New York\nnothing here\n", "variants.txt, line 2: is no group of variants"),
        (b"NY = = New York\n", "line 1"),
        (b"NY = big\nLA = big\n", "'big' stands in two groups"),
        (b"\xff\xfe\x00", "save the file as UTF-8"),
    ],
)
def test_a_bad_file_of_variants_names_the_fault(tmp_path, content, message):
    file = tmp_path / "variants.txt"
    file.write_bytes(content)
    with pytest.raises(BadDataError) as caught:
        read_variants(file)
    assert message in str(caught.value)


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.text("abcXY é", min_size=1, max_size=5).map(str.strip).filter(bool), min_size=2, max_size=3),
        max_size=4,
    )
)
def test_a_file_of_variants_reads_back_as_written(tmp_path_factory, groups):
    file = tmp_path_factory.mktemp("variants") / "v.txt"
    file.write_text("\n".join(" = ".join(group) for group in groups), encoding="utf-8")
    try:
        assert read_variants(file) == tuple(map(tuple, groups))
    except BadDataError as error:
        assert "two groups" in str(error)  # noqa: PT017 - a drawn file may rightly be refused


@pytest.mark.parametrize(
    ("pages", "paged"),
    [
        ({1: "one"}, "one"),
        ({1: "one", 2: "", 3: "three"}, "one\f\fthree"),
        ({1: "one", 4: "four"}, "one\f\f\ffour"),
        ({1: "", 2: "two"}, "\ftwo"),
        # another program's form feed after the last page adds none
        ({1: "one", 2: ""}, "one\f\f"),
        ({1: ""}, ""),
        ({}, ""),
    ],
)
def test_pages_keep_their_numbers_in_a_text_with_form_feeds(pages, paged):
    document = Document(document_id="a", pages=tuple(Page(number=number, text=text) for number, text in pages.items()))
    assert document.paged_text == paged
