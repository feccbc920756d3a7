from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.cleaning import clean_text, is_rubbish, read_variants
from textclf.errors import BadDataError

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
def test_what_could_matter_is_never_rubbish(line):
    assert not is_rubbish(line)


@pytest.mark.parametrize("line", ["—————", "| |", ". . . .", "_——_—", "x", "ee A) A) ~", "rs D D O O ND) ‘N", "~o=|"])
def test_what_dirt_gives_is_rubbish(line):
    assert is_rubbish(line)


def test_variants_match_whole_words_in_any_case_and_over_a_line_end():
    assert clean_text("New York, NEW\nYORK and new_york", variants=VARIANTS) == "NY, NY and NY"
    assert clean_text("renew yorkshire", variants=VARIANTS) == "renew yorkshire"
    assert clean_text("by I.N.P.S. today", variants=VARIANTS) == "by Inps today"


@settings(max_examples=150, deadline=None)
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
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_cleaning_twice_is_cleaning_once_with_variants_and_repairs(raw):
    once = clean_text(raw, variants=VARIANTS)
    assert clean_text(once, variants=VARIANTS) == once
    assert "\r" not in once
    assert all(line == line.strip() for line in once.split("\n"))


@pytest.mark.parametrize(
    "piece", ["a", "ab-\n", "-\n", "~", " ", "\n", "Ã©", "é", "new ", "a-", "‘", "\x02\n", "I.N.P.S.", "1."]
)
def test_hostile_text_takes_linear_time(piece):
    clean_text(piece * 10, variants=VARIANTS)
    started = time.perf_counter()
    clean_text(piece * (300_000 // len(piece)), variants=VARIANTS)
    assert time.perf_counter() - started < 15


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


@settings(max_examples=60, deadline=None)
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
