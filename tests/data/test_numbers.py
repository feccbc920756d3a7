"""Numbers on the documents keep their formats; the checks here are written apart from the generator's."""

from __future__ import annotations

import re
import string
from collections.abc import Callable

import pytest

# as published (DM 23 December 1976): value of "0" or "A", "1" or "B" and so on at an odd place
ODD = dict(
    zip(
        string.ascii_uppercase,
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23],
        strict=True,
    )
)
ODD |= {str(digit): ODD[string.ascii_uppercase[digit]] for digit in range(10)}
EVEN = {char: place for chars in (string.digits, string.ascii_uppercase) for place, char in enumerate(chars)}


def tax_code_holds(code: str) -> bool:
    total = sum(ODD[c] for c in code[0:15:2]) + sum(EVEN[c] for c in code[1:15:2])
    return string.ascii_uppercase[total % 26] == code[15]


def iban_holds(code: str) -> bool:
    moved = code[4:] + code[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def vat_holds(code: str) -> bool:
    """Luhn: from the right, every second digit doubled."""
    even = [int(d) * 2 for d in reversed(code[:-1])][::2]
    odd = [int(d) for d in reversed(code)][::2]
    return (sum(odd) + sum(sum(divmod(d, 10)) for d in even)) % 10 == 0


def british_vat_holds(code: str) -> bool:
    digits = [int(d) for d in code.replace(" ", "")]
    return (sum(d * w for d, w in zip(digits, range(8, 1, -1), strict=False)) + int(code[-2:])) % 97 == 0


def mrz_holds(lines: list[str]) -> bool:
    def digit(text: str) -> int:
        return sum((0 if c == "<" else int(c, 36)) * (7, 3, 1)[i % 3] for i, c in enumerate(text)) % 10

    first, second, _ = lines
    whole = first[5:30] + second[0:7] + second[8:15] + second[18:29]
    return (
        all(len(line) == 30 for line in lines)
        and digit(first[5:14]) == int(first[14])
        and digit(second[:6]) == int(second[6])
        and digit(second[8:14]) == int(second[14])
        and digit(whole) == int(second[29])
    )


def test_the_checks_know_published_examples() -> None:
    assert tax_code_holds("MRTMTT25D09F205Z")
    assert not tax_code_holds("MRTMTT25D09F205X")
    assert iban_holds("GB82WEST12345698765432")
    assert not iban_holds("GB82WEST12345698765433")
    assert vat_holds("00743110157")
    assert not vat_holds("00743110158")
    assert british_vat_holds("980 7806 84")
    assert mrz_holds(
        ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]
    )


@pytest.mark.parametrize(
    ("pattern", "holds", "least"),
    [
        (r"\b[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]\b", tax_code_holds, 40),
        (r"(?i)(?:P\. ?IVA(?: e C\.F\.)?|PARTITA IVA|Part\. IVA|Partita IVA IT)\s?(\d{11})\b", vat_holds, 12),
        (r"(?i)VAT (?:No|reg\.|registration)?\s?(\d{3} \d{4} \d{2})\b", british_vat_holds, 5),
    ],
)
def test_numbers_hold(pattern: str, holds: Callable[[str], bool], least: int, truth: dict[str, str]) -> None:
    found = {match for text in truth.values() for match in re.findall(pattern, text)}
    assert len(found) >= least
    assert [number for number in found if not holds(number)] == []


def test_ibans_hold(truth: dict[str, str]) -> None:
    pattern = r"\b(?:IT\d\d [A-Z]\d{3}(?:\s\d{4}){4}\s\d{3}|GB\d\d\s[A-Z]{4}(?:\s\d{4}){3}\s\d{2})\b"
    found = {re.sub(r"\s", "", match) for text in truth.values() for match in re.findall(pattern, text)}
    assert {iban[:2] for iban in found} == {"IT", "GB"}
    assert [iban for iban in found if not iban_holds(iban)] == []


def test_machine_readable_zones_hold(truth: dict[str, str]) -> None:
    zones = [re.findall(r"^[A-Z0-9<]{30}$", text, flags=re.MULTILINE) for text in truth.values()]
    zones = [zone for zone in zones if zone]
    assert len(zones) == 4
    assert all(mrz_holds(zone) for zone in zones)


def test_tax_code_belongs_to_the_date_of_birth_beside_it(truth: dict[str, str]) -> None:
    checked = 0
    for text in truth.values():
        code = re.search(r"(?:Codice fiscale|C\.F\.|Cod\. fisc\.)\s+([A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z])", text)
        born = re.search(r"\b(?:Nato/a|nat[oa]|Nascita)\b.{0,40}?(\d\d)/(\d\d)/(\d{4})", text)
        if code and born:
            checked += 1
            assert (int(code[1][9:11]) % 40, code[1][6:8]) == (int(born[1]), born[3][2:]), text
            assert "ABCDEHLMPRST".index(code[1][8]) + 1 == int(born[2])
    assert checked >= 5
