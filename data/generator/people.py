"""Invented people, companies and numbers, with formats and check characters that hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

Language = Literal["it", "en"]


def _words(text: str) -> list[str]:
    return text.split()


def _phrases(text: str) -> list[str]:
    return text.split(";")


_IT_PLACES = (
    ("Roma", "RM", "H501", "00184"),
    ("Milano", "MI", "F205", "20129"),
    ("Torino", "TO", "L219", "10138"),
    ("Napoli", "NA", "F839", "80134"),
    ("Bologna", "BO", "A944", "40125"),
    ("Firenze", "FI", "D612", "50123"),
    ("Genova", "GE", "D969", "16124"),
    ("Palermo", "PA", "G273", "90133"),
    ("Bari", "BA", "A662", "70122"),
    ("Verona", "VR", "L781", "37122"),
    ("Padova", "PD", "G224", "35137"),
    ("Trieste", "TS", "L424", "34121"),
    ("Perugia", "PG", "G478", "06121"),
    ("Cagliari", "CA", "B354", "09124"),
    ("Parma", "PR", "G337", "43121"),
    ("Lecce", "LE", "E506", "73100"),
)
_EN_PLACES = (
    ("Leeds", "LS", "West Yorkshire"),
    ("York", "YO", "North Yorkshire"),
    ("Bristol", "BS", "Avon"),
    ("Norwich", "NR", "Norfolk"),
    ("Exeter", "EX", "Devon"),
    ("Cardiff", "CF", "Glamorgan"),
    ("Dundee", "DD", "Angus"),
    ("Lincoln", "LN", "Lincolnshire"),
    ("Preston", "PR", "Lancashire"),
    ("Durham", "DH", "County Durham"),
)
_IT_MEN = _words("Mario Luca Andrea Giorgio Paolo Stefano Matteo Davide Enrico Tommaso Filippo Niccolò Sergio Vittorio")
_IT_WOMEN = _words("Anna Giulia Chiara Francesca Elena Marta Silvia Lucia Teresa Beatrice Ornella Carla Irene Noemi")
_IT_SURNAMES = _words(
    "Bellandi Carrisi Dalmasso Fontanesi Gherardi Lombardelli Marchesin Novarese Ottaviani Pellegrinelli Quaranta "
    "Rinaldini Salvemini Tavernari Ubaldini Vignali Zanardelli Barbagallo Cesarini De_Santi Fo Morandini"
)
_EN_MEN = _words("Oliver Harry Thomas Edward Daniel Simon Peter Hugh Walter Martin Colin Adrian Stuart Nigel")
_EN_WOMEN = _words("Alice Emma Grace Helen Judith Karen Laura Miriam Naomi Patricia Rachel Susan Tessa Vera")
_EN_SURNAMES = _words(
    "Ashdown Barrowby Coldwell Drayton Elmsley Farrant Garside Hollins Inskip Jessop Kirkham Lorimer Maddox Nuttall "
    "Oakden Pickersgill Quennell Ravensby Selwood Thackray Underhay Wetherby"
)
_IT_STREETS = _phrases(
    "Via dei Tigli;Via Garibaldi;Viale della Repubblica;Corso Mazzini;Via San Martino;Piazza del Mercato;"
    "Via delle Rose;Via Monte Grappa;Largo dei Pini;Via del Mulino Vecchio;Viale dei Platani;Strada della Fornace"
)
_EN_STREETS = _phrases(
    "Orchard Road;Mill Lane;Station Road;Bramble Close;King's Walk;Chapel Street;Larkfield Avenue;The Maltings;"
    "Weavers' Row;Saddler's Hill;Quarry Terrace;Beacon Rise"
)
_IT_MONTHS = _words("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre")
_EN_MONTHS = _words("January February March April May June July August September October November December")

# values of the characters at odd places, "0" to "9" and "A" to "Z"; the digits have those of the first ten letters
_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]


def _place(char: str) -> int:
    return int(char) if char.isdigit() else ord(char) - ord("A")


def _odd_even_letter(code: str) -> str:
    total = sum(_ODD[_place(c)] if i % 2 == 0 else _place(c) for i, c in enumerate(code))
    return chr(ord("A") + total % 26)


def codice_fiscale(surname: str, name: str, born: date, *, woman: bool, town: str) -> str:
    """Italian tax code of a person, with its check character.

    Source: Decreto ministeriale 23 dicembre 1976, n. 13813.

    Examples
    --------
    >>> codice_fiscale("Rossi", "Mario", date(1980, 1, 1), woman=False, town="H501")
    'RSSMRA80A01H501U'
    >>> codice_fiscale("Moretti", "Matteo", date(1925, 4, 9), woman=False, town="F205")
    'MRTMTT25D09F205Z'
    """

    def letters(text: str) -> tuple[str, str]:
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper()
        plain = re.sub(r"[^A-Z]", "", plain)
        return re.sub(r"[AEIOU]", "", plain), re.sub(r"[^AEIOU]", "", plain)

    consonants, vowels = letters(surname)
    code = (consonants + vowels + "XX")[:3]
    consonants, vowels = letters(name)
    if len(consonants) > 3:
        consonants = consonants[0] + consonants[2:4]
    code += (consonants + vowels + "XX")[:3]
    code += f"{born:%y}{'ABCDEHLMPRST'[born.month - 1]}{born.day + 40 * woman:02d}{town}"
    return code + _odd_even_letter(code)


def partita_iva(first_ten: str) -> str:
    """Italian VAT number: ten digits and their check digit (Luhn).

    Examples
    --------
    >>> partita_iva("0074311015")
    '00743110157'
    """
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(first_ten)]
    return first_ten + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def uk_vat(first_seven: str) -> str:
    """British VAT number: seven digits and two check digits (modulus 97).

    Examples
    --------
    >>> uk_vat("9807806")
    '980 7806 84'
    """
    check = 97 - sum(int(d) * w for d, w in zip(first_seven, range(8, 1, -1), strict=True)) % 97
    return f"{first_seven[:3]} {first_seven[3:]} {check:02d}"


def iban(country: str, account: str) -> str:
    """IBAN in groups of four, with its check digits (ISO 13616, modulus 97).

    Examples
    --------
    >>> iban("GB", "WEST12345698765432")
    'GB82 WEST 1234 5698 7654 32'
    >>> iban("IT", italian_account("05428", "11101", "000000123456"))
    'IT60 X054 2811 1010 0000 0123 456'
    """
    number = int("".join(str(int(c, 36)) for c in f"{account}{country}00"))
    code = f"{country}{98 - number % 97:02d}{account}"
    return " ".join(code[i : i + 4] for i in range(0, len(code), 4))


def italian_account(bank: str, branch: str, account: str) -> str:
    """Italian account number (BBAN) with its check letter (CIN) in front."""
    code = bank + branch + account
    return _odd_even_letter(code) + code


def mrz_digit(text: str) -> str:
    """Check digit of a field in the machine-readable zone (ICAO Doc 9303 part 3, weights 7, 3, 1).

    Examples
    --------
    >>> mrz_digit("D23145890"), mrz_digit("520727")
    ('7', '3')
    """
    values = [0 if c == "<" else int(c, 36) for c in text]
    return str(sum(v * (7, 3, 1)[i % 3] for i, v in enumerate(values)) % 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who does not exist."""

    name: str
    surname: str
    woman: bool
    born: date
    town: str
    province: str
    street: str
    postcode: str
    city: str
    tax_code: str
    phone: str

    @property
    def full(self) -> str:
        """First name and surname."""
        return f"{self.name} {self.surname}"

    @property
    def address(self) -> str:
        """Street and town on one line."""
        return f"{self.street}, {self.postcode_city}"

    @property
    def postcode_city(self) -> str:
        """Second line of the address, in the order of the country."""
        return f"{self.city} {self.postcode}" if self.postcode[0].isalpha() else f"{self.postcode} {self.city}"


def digits(rng: Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def letters(rng: Random, count: int) -> str:
    return "".join(rng.choice("ABCDEFGHJKLMNPRSTWXYZ") for _ in range(count))


def day(rng: Random, first: int, last: int) -> date:
    """Give any day from the first to the last year, both included."""
    start = date(first, 1, 1)
    return start + timedelta(days=rng.randrange((date(last + 1, 1, 1) - start).days))


def person(rng: Random, language: Language) -> Person:
    woman = rng.random() < 0.5
    born = day(rng, 1945, 1998)
    number = rng.randrange(1, 160)
    if language == "it":
        name, surname = rng.choice(_IT_WOMEN if woman else _IT_MEN), rng.choice(_IT_SURNAMES).replace("_", " ")
        town, province, code, _ = rng.choice(_IT_PLACES)
        city, _, _, postcode = rng.choice(_IT_PLACES)
        street = f"{rng.choice(_IT_STREETS)} {number}"
        tax_code = codice_fiscale(surname, name, born, woman=woman, town=code)
        phone = f"3{digits(rng, 2)} {digits(rng, 7)}"
    else:
        name, surname = rng.choice(_EN_WOMEN if woman else _EN_MEN), rng.choice(_EN_SURNAMES)
        town, _, province = rng.choice(_EN_PLACES)
        city, area, _ = rng.choice(_EN_PLACES)
        postcode = f"{area}{rng.randrange(1, 20)} {rng.randrange(1, 10)}{letters(rng, 2)}"
        street = f"{number} {rng.choice(_EN_STREETS)}"
        tax_code = (
            f"{rng.choice('AEHJLNPRSTW')}{rng.choice('ABEHJLMNPRSTWX')} {digits(rng, 2)} {digits(rng, 2)} "
            f"{digits(rng, 2)} {rng.choice('ABCD')}"
        )
        phone = f"07700 900{digits(rng, 3)}"
    return Person(
        name=name,
        surname=surname,
        woman=woman,
        born=born,
        town=town,
        province=province,
        street=street,
        postcode=postcode,
        city=city,
        tax_code=tax_code,
        phone=phone,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A firm or an office that does not exist."""

    name: str
    street: str
    city: str
    vat: str
    iban: str
    phone: str
    web: str

    @property
    def address(self) -> str:
        """Street and town on one line."""
        return f"{self.street}, {self.city}"


def company(name: str, language: Language, rng: Random | None = None) -> Company:
    """Give the company of that name; without ``rng`` always the same one."""
    rng = rng or Random(f"company {name}")
    host = re.sub(r"[^a-z]", "", name.lower())[:18]
    if language == "it":
        town, province, _, postcode = rng.choice(_IT_PLACES)
        return Company(
            name=name,
            street=f"{rng.choice(_IT_STREETS)} {rng.randrange(1, 99)}",
            city=f"{postcode} {town} ({province})",
            vat=partita_iva(digits(rng, 7) + "0" + digits(rng, 2)),
            iban=iban("IT", italian_account("0" + digits(rng, 4), digits(rng, 5), digits(rng, 12))),
            phone=f"0{digits(rng, 2)} {digits(rng, 6)}",
            web=f"www.{host}.example",
        )
    town, area, _ = rng.choice(_EN_PLACES)
    return Company(
        name=name,
        street=f"{rng.randrange(1, 99)} {rng.choice(_EN_STREETS)}",
        city=f"{town} {area}{rng.randrange(1, 20)} {rng.randrange(1, 10)}{letters(rng, 2)}",
        vat=uk_vat(digits(rng, 7)),
        iban=iban("GB", letters(rng, 4) + digits(rng, 14)),
        phone=f"01632 {digits(rng, 6)}",
        web=f"www.{host}.example",
    )


def money(cents: int, language: Language) -> str:
    """Write an amount the way the language does.

    Examples
    --------
    >>> money(123456, "it"), money(-5, "en")
    ('1.234,56', '-0.05')
    """
    text = f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
    return text.translate(str.maketrans(",.", ".,")) if language == "it" else text


def slashes(when: date) -> str:
    return f"{when:%d/%m/%Y}"


def in_words(when: date, language: Language) -> str:
    return f"{when.day} {(_IT_MONTHS if language == 'it' else _EN_MONTHS)[when.month - 1]} {when.year}"


def year_later(when: date, years: int = 1) -> date:
    # the 29th of February has no anniversary
    return when.replace(year=when.year + years, day=min(when.day, 28))


def share(total: int, percent: float) -> int:
    """Part of an amount in cents, rounded to the nearest cent."""
    return round(total * percent / 100)


def pick(rng: Random, options: Sequence[str], count: int) -> list[str]:
    """Choose some of the options, in their order."""
    return [options[i] for i in sorted(rng.sample(range(len(options)), count))]
