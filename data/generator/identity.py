"""Identity cards: one or both sides of a card, on the page of a copier or cut out.

Schematic cards of our own drawing; they imitate no state's real document.
"""

from __future__ import annotations

from datetime import date
from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import logo, portrait, signature, square_code, stamp
from data.generator.pages import Page, Paper
from data.generator.people import Person, day, digits, letters, mrz_digit, person, slashes, year_later


def _height(rng: Random) -> str:
    return f"1.{rng.randrange(52, 96)}"


def _mrz(who: Person, state: str, number: str, expiry: date) -> list[str]:
    """Three lines of 30 characters in the manner of a TD1 card (ICAO Doc 9303 part 5)."""
    born, until = f"{who.born:%y%m%d}", f"{expiry:%y%m%d}"
    name = f"{who.surname}<<{who.name}".upper().replace(" ", "<").replace("'", "").replace("Ò", "O")
    first = f"I<{state}{number}{mrz_digit(number)}".ljust(30, "<")
    second = f"{born}{mrz_digit(born)}{'F' if who.woman else 'M'}{until}{mrz_digit(until)}{state}".ljust(29, "<")
    whole = first[5:30] + second[:7] + second[8:15] + second[18:29]
    return [first, second + mrz_digit(whole), name.ljust(30, "<")[:30]]


def _paper_card(rng: Random) -> list[Page]:
    """Draw a folded paper card with typewriter entries, opened flat."""
    who, issued = person(rng, "it"), day(rng, 2008, 2016)
    p = Paper(
        rng, size=(430, 300) if rng.random() < 0.5 else (595, 420), family="serif", text=9.5, margin=22, ink="#2d2a26"
    )
    ox, oy = p.left, 24.0
    p.box(ox - 8, oy - 8, 395, 262, fill="#efe7d2", outline="#7c705a")
    p.y = oy
    rows = [
        ("Cognome", who.surname),
        ("Nome", who.name),
        ("nato il", slashes(who.born)),
        (f"(atto n. {digits(rng, 3)} P. I S. A)", ""),
        ("a", f"{who.town} ({who.province})"),
        ("Cittadinanza", "Italiana"),
        ("Residenza", who.city.upper()),
        ("Via", who.street.upper()),
        ("Stato civile", rng.choice(("coniugato/a", "celibe/nubile", "====="))),
    ]
    rows += [("Professione", rng.choice(("impiegato/a", "casalinga", "operaio/a", "studente", "pensionato/a")))]
    p.fields(rows, x=ox, width=180, label=0.4, style="dots", lead=1.6)
    p.gap(4)
    p.line("CONNOTATI E CONTRASSEGNI SALIENTI", x=ox, size=7, bold=True)
    p.fields(
        [
            ("Statura", _height(rng)),
            ("Capelli", rng.choice(("castani", "neri", "biondi", "brizzolati"))),
            ("Occhi", rng.choice(("castani", "azzurri", "verdi"))),
            ("Segni particolari", "nessuno"),
        ],
        x=ox,
        width=180,
        style="dots",
    )
    portrait(p, ox + 210, oy + 4, 84, 106)
    p.put(ox + 300, oy + 20, f"{letters(rng, 2)} {digits(rng, 7)}", size=9, bold=True)
    p.put(ox + 300, oy + 36, "COMUNE DI", size=9)
    p.put(ox + 300, oy + 49, who.city.upper(), size=11, bold=True, fit=84)
    p.put(ox + 210, oy + 130, "Firma del titolare", size=8)
    signature(p, ox + 290, oy + 130, 80)
    p.put(ox + 210, oy + 152, f"{who.city}, lì {slashes(issued)}", size=9)
    p.put(ox + 210, oy + 168, "Impronta del dito indice sinistro", size=7)
    p.put(ox + 210, oy + 190, "IL SINDACO", size=9)
    p.put(ox + 210, oy + 204, "(o l'ufficiale d'anagrafe delegato)", size=7)
    p.put(ox + 210, oy + 236, f"CARTA D'IDENTITÀ - scadenza {slashes(year_later(issued, 10))}", size=8.5, bold=True)
    stamp(p, ["COMUNE", who.city.upper()], ox + 300, oy + 112, radius=27)
    signature(p, ox + 290, oy + 214, 85)
    return [p.page()]


def _electronic(rng: Random) -> list[Page]:
    """Draw front and back of a plastic card on a copier's page."""
    who, issued = person(rng, "it"), day(rng, 2017, 2023)
    number = f"{letters(rng, 2)}{digits(rng, 5)}{letters(rng, 2)}"
    p = Paper(rng, family="sans", text=9.5)
    left, top = rng.choice((70.0, 140.0, 180.0)), rng.choice((60.0, 120.0))
    p.box(left, top, 305, 192, fill="#dfe7ee", outline="#7f8c99")
    p.put(left + 12, top + 18, "REPUBBLICA ITALIANA", size=10, bold=True)
    p.put(left + 12, top + 31, "MINISTERO DELL'INTERNO", size=8)
    p.put(left + 293, top + 18, number, size=11, bold=True, align="right")
    p.put(left + 12, top + 45, "CARTA DI IDENTITÀ / IDENTITY CARD", size=8.5, bold=True)
    portrait(p, left + 12, top + 56, 82, 104)
    p.y = top + 54
    for label, value in (
        ("COMUNE DI / MUNICIPALITY", who.city.upper()),
        ("COGNOME / SURNAME", who.surname.upper()),
        ("NOME / NAME", who.name.upper()),
        (
            "LUOGO E DATA DI NASCITA / PLACE AND DATE OF BIRTH",
            f"{who.town.upper()} ({who.province}) {slashes(who.born)}",
        ),
    ):
        p.line(label, x=left + 106, size=5.6, lead=1.2)
        p.line(value, x=left + 106, size=9, bold=True, lead=1.3)
    p.put(left + 106, p.y + 8, "SESSO", size=5.6)
    p.put(left + 106, p.y + 18, "F" if who.woman else "M", bold=True)
    p.put(left + 140, p.y + 8, "STATURA", size=5.6)
    p.put(left + 140, p.y + 18, _height(rng).replace(".", ""), bold=True)
    p.put(left + 185, p.y + 8, "CITTADINANZA", size=5.6)
    p.put(left + 185, p.y + 18, "ITA", bold=True)
    p.put(left + 106, p.y + 30, "EMISSIONE / ISSUING", size=5.6)
    p.put(left + 106, p.y + 40, slashes(issued), bold=True)
    p.put(left + 200, p.y + 30, "SCADENZA / EXPIRY", size=5.6)
    p.put(left + 200, p.y + 40, slashes(year_later(issued, 10)), bold=True)
    signature(p, left + 14, top + 182, 80)
    top += 230
    p.box(left, top, 305, 192, fill="#e8eef3", outline="#7f8c99")
    p.put(left + 12, top + 18, "COGNOME E NOME DEI GENITORI O DI CHI NE FA LE VECI", size=5.6)
    p.put(left + 12, top + 30, "*" * 12, size=8)
    p.put(left + 12, top + 46, "CODICE FISCALE / FISCAL CODE", size=5.6)
    p.put(left + 12, top + 57, who.tax_code, size=10, bold=True)
    p.put(left + 12, top + 73, "INDIRIZZO DI RESIDENZA / RESIDENCE", size=5.6)
    p.put(left + 12, top + 84, who.address.upper(), size=8, fit=220)
    square_code(p, left + 245, top + 12, 46)
    for i, text in enumerate(_mrz(who, "ITA", number, year_later(issued, 10))):
        p.put(left + 12, top + 132 + i * 18, text, size=14, family="mono", fit=281)
    return [p.page()]


def _borgo(rng: Random) -> list[Page]:
    """Draw a town's residents' card, front only, with its own wording."""
    who, issued = person(rng, "it"), day(rng, 2012, 2021)
    whole = rng.random() < 0.5
    p = Paper(rng, size=(595, 420) if whole else (360, 240), family="dejavu", text=7.6, margin=20)
    left, top = (90.0, 70.0) if whole else (14.0, 12.0)
    p.box(left, top, 332, 214, fill="#f2ead6", outline="#9a8d62", line=1.4)
    p.box(left, top, 332, 30, fill="#3f6a4d")
    logo(p, "shield", left + 8, top + 4, 22, "#ffffff")
    p.put(left + 40, top + 14, f"CITTÀ DI {who.city.upper()}", size=10, bold=True, color="#ffffff")
    p.put(left + 40, top + 25, "Servizi demografici - documento di riconoscimento", size=7, color="#ffffff")
    p.put(
        left + 322, top + 48, f"N° {digits(rng, 3)}{letters(rng, 3)}{digits(rng, 3)}", size=9, bold=True, align="right"
    )
    p.put(left + 12, top + 48, "Carta d'identità", size=13, italic=True)
    portrait(p, left + 240, top + 58, 80, 98)
    p.y = top + 56
    p.fields(
        [
            ("Titolare", who.full),
            ("Nascita", f"{slashes(who.born)} {who.town}"),
            ("Sesso", "femmina" if who.woman else "maschio"),
            ("Nazionalità", "italiana"),
            ("Abitazione", who.street),
            ("C.F.", who.tax_code),
            ("Altezza cm", _height(rng).replace(".", "")),
            ("Occhi", rng.choice(("marroni", "grigi", "verdi"))),
            ("Rilasciata", slashes(issued)),
            ("Valida fino al", slashes(year_later(issued, 10))),
        ],
        x=left + 12,
        width=220,
        style="bold",
        label=0.34,
    )
    p.put(left + 12, top + 204, "Documento valido per l'espatrio", size=7)
    p.put(left + 232, top + 172, "L'Ufficiale d'Anagrafe", size=7)
    signature(p, left + 232, top + 198, 84)
    stamp(p, ["ANAGRAFE"], left + 232, top + 150, radius=24, color="#7b2a5a")
    return [p.page()]


def _norland(rng: Random) -> list[Page]:
    who, issued = person(rng, "en"), day(rng, 2012, 2022)
    number = f"{letters(rng, 1)}{digits(rng, 8)}"
    p = Paper(rng, family="freesans", text=9)
    left, top = rng.choice((60.0, 130.0, 170.0)), rng.choice((80.0, 150.0))
    for side in (0, 1):
        p.box(left, top + side * 240, 320, 202, fill="#e9e2ee", outline="#77658a", line=1.2)
    logo(p, "sun", left + 274, top + 10, 34, "#8c6a1f")
    p.put(left + 12, top + 22, "KINGDOM OF NORLAND", size=13, bold=True, color="#4b2c68")
    p.put(left + 12, top + 36, "NATIONAL IDENTITY CARD", size=9.5, bold=True)
    portrait(p, left + 14, top + 48, 84, 108)
    p.y = top + 46
    for label, value in (
        ("Surname", who.surname.upper()),
        ("Given names", who.name.upper()),
        ("Nationality", "NORLANDER"),
        ("Date of birth", who.born.strftime("%d %b %Y").upper()),
        ("Place of birth", who.town.upper()),
        ("Sex / Height", f"{'F' if who.woman else 'M'} / {_height(rng)} m"),
        ("Card number", number),
    ):
        p.line(label, x=left + 112, size=6, lead=1.15)
        p.line(value, x=left + 112, size=9.4, bold=True, lead=1.25)
    p.put(left + 14, top + 170, "Signature of bearer", size=6)
    signature(p, left + 20, top + 192, 76)
    p.put(left + 112, top + 194, f"Date of expiry  {year_later(issued, 10).strftime('%d %b %Y').upper()}", size=8)
    top += 240
    p.put(left + 12, top + 20, "Issuing authority: Registrar General, " + who.city, size=7.5)
    p.put(left + 12, top + 33, f"Date of issue: {issued.strftime('%d %b %Y').upper()}", size=7.5)
    p.put(left + 12, top + 46, f"Personal number: {digits(rng, 6)}-{digits(rng, 4)}", size=7.5)
    p.put(
        left + 12,
        top + 62,
        "This card remains the property of the Crown. If found, hand it in at any police station.",
        size=7,
        fit=296,
    )
    for i, text in enumerate(_mrz(who, "UTO", number, year_later(issued, 10))):
        p.put(left + 12, top + 142 + i * 19, text, size=14, family="mono", fit=296)
    return [p.page()]


def _marren(rng: Random) -> list[Page]:
    who, issued = person(rng, "en"), day(rng, 2010, 2021)
    p = Paper(rng, size=rng.choice(((380.0, 270.0), (595.0, 420.0))), family="mono", text=8.4, margin=24, ink="#1d2733")
    left, top = 20.0, 20.0
    p.box(left, top, 340, 226, fill="#f4f1e4", outline="#333333", line=1.5)
    p.put(left + 170, top + 20, "ISLE OF MARREN - STATES REGISTRY", size=10, bold=True, align="center")
    p.put(left + 170, top + 34, "IDENTITY CARD", size=13, bold=True, align="center")
    p.rule(y=top + 40, x=left + 10, to=left + 330)
    p.y = top + 48
    p.fields(
        [
            ("Name", f"{who.surname}, {who.name}"),
            ("Born", f"{slashes(who.born)} at {who.town}"),
            ("Sex", "Female" if who.woman else "Male"),
            ("Height", _height(rng) + " m"),
            ("Eyes", rng.choice(("Blue", "Brown", "Hazel", "Grey"))),
            ("Hair", rng.choice(("Brown", "Black", "Fair", "Grey"))),
            ("Marks", "None"),
            ("Address", who.street),
            ("Card No", f"IM {digits(rng, 6)}"),
            ("Issued", slashes(issued)),
            ("Valid to", slashes(year_later(issued, 10))),
        ],
        x=left + 12,
        width=216,
        label=0.3,
        style="dots",
    )
    portrait(p, left + 240, top + 50, 86, 108)
    p.put(left + 240, top + 206, "Holder", size=7)
    signature(p, left + 240, top + 198, 84)
    p.put(left + 12, top + 218, "To be produced on demand to an officer of the States", size=7)
    stamp(p, ["STATES", "REGISTRY"], left + 238, top + 150, radius=27, color="#23465f")
    return [p.page()]


def _alderey(rng: Random) -> list[Page]:
    who, issued = person(rng, "en"), day(rng, 2014, 2023)
    p = Paper(rng, family="condensed", text=9, margin=40)
    p.line("Copy of identification held on file", size=11, bold=True)
    p.line(f"Certified true likeness of the original seen by me on {slashes(day(rng, 2023, 2024))}", size=8.5)
    left, top = 120.0, 130.0
    p.box(left, top, 330, 206, fill="#dcebe6", outline="#2f6f62", line=1.3)
    p.box(left, top, 330, 26, fill="#2f6f62")
    p.put(left + 10, top + 17, "COMMONWEALTH OF ALDEREY", size=11, bold=True, color="#ffffff")
    p.put(left + 320, top + 17, "CITIZEN ID", size=10, bold=True, color="#ffffff", align="right")
    portrait(p, left + 230, top + 36, 88, 112)
    p.y = top + 32
    p.cells(
        [
            ("1 Family name", who.surname),
            ("2 Forename(s)", who.name),
            ("3 DOB", who.born.strftime("%d.%m.%Y")),
            ("4 Birthplace", who.town),
            ("5 Citizenship", "Alderey"),
            ("6 Gender", "Female" if who.woman else "Male"),
            ("7 Document no.", f"{digits(rng, 3)} {letters(rng, 2)} {digits(rng, 4)}"),
            ("8 Expires", year_later(issued, 10).strftime("%d.%m.%Y")),
        ],
        per_row=2,
        x=left + 8,
        width=212,
        height=24,
        outline="#9dbfb5",
    )
    p.put(left + 10, top + 150, f"9 Residence  {who.address}", size=8, fit=310)
    p.put(left + 10, top + 172, "Holder's signature", size=6.5)
    signature(p, left + 80, top + 178, 90)
    p.put(left + 10, top + 196, "Not transferable. Issued by the Home Office under the Identity Act.", size=7)
    square_code(p, left + 276, top + 156, 42)
    p.y = top + 290
    p.put(p.left, p.y, "Notary / solicitor: ____________________________")
    signature(p, p.left + 110, p.y, 100)
    stamp(p, ["TRUE COPY"], p.right - 110, p.y - 20, kind="box", radius=40, color="#333399")
    return [p.page()]


ISSUERS = (
    Issuer(slug="paper-card", language="it", split="train", count=3, draw=_paper_card),
    Issuer(slug="electronic-card", language="it", split="train", count=2, draw=_electronic),
    Issuer(slug="norland", language="en", split="train", count=2, draw=_norland),
    Issuer(slug="marren", language="en", split="train", count=2, draw=_marren),
    Issuer(slug="town-card", language="it", split="test", count=3, draw=_borgo),
    Issuer(slug="alderey", language="en", split="test", count=3, draw=_alderey),
)
