from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.lexicon import Lexicon, LexiconCategory, column_names, plain_name, read_lexicon, shipped_lexicon
from features.tokens import tokenize
from textclf.base.errors import BadDataError, BadInputError, BadModelError


@pytest.mark.parametrize(
    ("category", "column"),
    [
        ("Insurance contract", "insurance_contract_common_words"),
        ("tax-return", "tax_return_common_words"),
        ("  Busta   paga ", "busta_paga_common_words"),
        ("Carta d’Identità", "carta_d_identita_common_words"),
        ("Straße", "strasse_common_words"),
        ("Œuvre", "u0153uvre_common_words"),
        ("Договор", "u0434u043eu0433u043eu0432u043eu0440_common_words"),
        ("730", "730_common_words"),
    ],
)
def test_column_names(category: str, column: str) -> None:
    assert column_names([category]) == (column,)


def test_column_names_have_at_most_64_characters() -> None:
    for length in (51, 52, 300):
        assert column_names(["a" * length]) == ("a" * 51 + "_common_words",)
    assert column_names(["a" * 50 + " b"]) == ("a" * 50 + "_common_words",)


COLUMN = r"[a-z0-9]+(_[a-z0-9]+)*_common_words"


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=8))
@settings(max_examples=60)
def test_any_names_give_valid_columns_each_its_own_whatever_their_order(categories: list[str]) -> None:
    columns = column_names(categories)
    assert all(re.fullmatch(COLUMN, column) and len(column) <= 64 for column in columns)
    assert len(set(columns)) == len(categories)
    assert column_names(categories[::-1]) == columns[::-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tax return", "tax-return"),
        ("a" * 51 + "x", "a" * 51 + "y"),
        (
            "insurance contract for vehicles and further machines, old",
            "insurance contract for vehicles and further machines",
        ),
        ("1", "1."),
    ],
)
def test_categories_that_would_share_a_column_are_told_apart(one: str, other: str) -> None:
    columns = column_names([one, other])
    assert columns[0] != columns[1]
    # twelve digits tell them apart, and both still show the name they are made of
    assert {re.sub("_[0-9a-f]{12}_common_words$", "", column) for column in columns} == {
        plain_name(one)[:38].rstrip("_")
    }
    # a third category that shares no column changes nothing, and is called as it would be alone
    assert column_names([one, "letter", other]) == (columns[0], "letter_common_words", columns[1])
    Lexicon(categories=tuple(LexiconCategory(name=name, keywords=("x",)) for name in (one, other)))


def test_a_category_that_is_called_as_the_column_of_another_has_its_own() -> None:
    marked = column_names(["Bill", "bill"])[0].removesuffix("_common_words")
    columns = column_names(["Bill", "bill", marked])
    assert len({*columns}) == 3
    assert columns[:2] == column_names(["Bill", "bill"])


@pytest.mark.parametrize("category", ["---", "!", "★", "\u0301", " "])
def test_a_category_without_a_letter_is_spelled_by_its_code_points(category: str) -> None:
    assert column_names([category, "a"]) == (
        "".join(f"u{ord(char):04x}" for char in category) + "_common_words",
        "a_common_words",
    )


@pytest.mark.parametrize("names", [("Tax return", "Tax return"), ("",), ("a", "")])
def test_the_same_name_twice_and_no_name_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(BadDataError, match=r"rename one of them|give it one"):
        Lexicon(categories=tuple(LexiconCategory(name=name, keywords=("x",)) for name in names))


def test_a_lexicon_and_its_size_fit_a_line() -> None:
    assert re.fullmatch(r"<Lexicon: \d+ keywords of 10 categories>", repr(shipped_lexicon()))


def test_shipped_lexicon_covers_the_ten_kinds_in_both_languages() -> None:
    lexicon = shipped_lexicon()
    assert {category.name for category in lexicon.categories} == {
        "bank_statement",
        "identity_card",
        "insurance_contract",
        "insurance_receipt",
        "invoice",
        "payslip",
        "tax_certificate",
        "tax_return",
        "till_receipt",
        "utility_bill",
    }
    for category in lexicon.categories:
        assert 40 <= len(category.keywords) <= 120


def test_shipped_keywords_stand_once_and_speak_for_one_category() -> None:
    owners: dict[tuple[str, ...], str] = {}
    for category in shipped_lexicon().categories:
        for keyword in category.keywords:
            words = tuple(tokenize(keyword))
            assert words not in owners, f"{keyword!r} stands in {owners[words]} and in {category.name}"
            owners[words] = category.name


def test_shipped_names_lead_to_one_category_each() -> None:
    names = [plain_name(name) for category in shipped_lexicon().categories for name in (category.name, *category.names)]
    assert len(names) == len(set(names))


def test_user_file_with_languages_names_and_plain_lists(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(
        b"\xef\xbb\xbf"
        + b'memo = ["for your information"]\n["Tax return"]\nnames = ["730"]\nit = ["Mod. 730"]\nen = ["form 1040"]\n'
    )
    memo, tax = read_lexicon(file).categories
    assert memo == LexiconCategory(name="memo", keywords=("for your information",))
    assert tax == LexiconCategory(name="Tax return", keywords=("Mod. 730", "form 1040"), names=("730",))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no category"),
        ('memo = ["a"', "not valid TOML"),
        ("memo = 3", "'memo' is not a list of keywords"),
        ("memo = [1, 2]", "is not a list of strings"),
        ("memo = []", "'memo' has no keyword"),
        ('[memo]\nkeyword = ["a"]', "key 'keyword' of 'memo'"),
        ('[memo]\nen = "a"', "'en' of 'memo' is not a list of strings"),
        ('[memo]\nen = [\n"fine",\n"…",\n]', r"mine.toml:4: keyword '…' of 'memo' has no letter"),
        ('memo = ["' + "x" * 101 + '"]', "mine.toml:1: keyword 'xxx.* is too long"),
        ('memo = ["a b c d e f g h i j k"]', "is too long"),
        ('"" = ["a"]', "a category has an empty name"),
        ('["None of these"]\nen = ["a"]', "'None of these' cannot be a category"),
        ("a = " + "[" * 100_000, "not valid TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_file_and_place(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadDataError, match=says) as caught:
        read_lexicon(file)
    assert "mine.toml" in str(caught.value)
    assert caught.value.remedy


def test_syntax_errors_name_the_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('memo = ["a"]\nnote = [a]\n')
    with pytest.raises(BadDataError, match="line 2"):
        read_lexicon(file)


def test_keywords_at_the_limits_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('memo = ["' + "x" * 100 + '", "a b c d e f g h i j"]')
    assert len(read_lexicon(file).categories[0].keywords) == 2


def test_files_at_the_size_limit_and_one_past_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    start = b'memo = ["a"]\n#'
    file.write_bytes(start + b"x" * (1_000_000 - len(start)))
    assert read_lexicon(file).columns == ("memo_common_words",)
    file.write_bytes(start + b"x" * (1_000_001 - len(start)))
    with pytest.raises(BadInputError, match="too large"):
        read_lexicon(file)


def test_numbers_of_keywords_and_categories_at_the_limits() -> None:
    many = LexiconCategory(name="a", keywords=("x",) * 20_000)
    Lexicon(categories=(many,))
    with pytest.raises(BadDataError, match="20001 keywords"):
        Lexicon(categories=(many, LexiconCategory(name="b", keywords=("x",))))
    wide = tuple(LexiconCategory(name=str(number), keywords=()) for number in range(1_001))
    Lexicon(categories=wide[:1_000])
    with pytest.raises(BadDataError, match="1001 categories"):
        Lexicon(categories=wide)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such file"):
        read_lexicon(tmp_path / "none.toml")
    file = tmp_path / "latin.toml"
    file.write_bytes('memo = ["identità"]'.encode("latin-1"))
    with pytest.raises(BadDataError, match="UTF-8"):
        read_lexicon(file)


def test_lexicon_survives_json() -> None:
    lexicon = shipped_lexicon()
    assert Lexicon.from_dict(json.loads(json.dumps(lexicon.to_dict()))) == lexicon


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"categories": {}},
        {"categories": [3]},
        {"categories": [{"name": "a"}]},
        {"categories": [{"name": 1, "keywords": [], "names": []}]},
        {"categories": [{"name": "a", "keywords": [1], "names": []}]},
        {"categories": [{"name": "a", "keywords": "xyz", "names": []}]},
        {"categories": [{"name": "a", "keywords": ["…"], "names": []}]},
    ],
)
def test_what_is_no_lexicon_is_refused(data: object) -> None:
    with pytest.raises(BadModelError, match="not a lexicon"):
        Lexicon.from_dict(data)
