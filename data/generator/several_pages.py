"""Documents of one to four pages by invented issuers, to put stacks together from; no sample is made of them.

The words come from the templates of the background, the look from the issuer: letterhead, running head, foot, page
numbers, faces. An issuer writes all its documents alike, so that issuers can be kept apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random

from data.generator.background.templates import Template, templates
from data.generator.marks import logo, signature
from data.generator.pages import A4, FAMILIES, Page, Paper, text_width

LETTER = (612.0, 792.0)
MOST_PAGES = 4
NUMBERS = {
    "en": (
        "Page {n} of {m}",
        "Page {n}",
        "page {n}/{m}",
        "{n} of {m}",
        "P. {n}",
        "Sheet {n} of {m}",
        "Page: {n} / {m}",
    ),
    "it": (
        "Pagina {n} di {m}",
        "Pag. {n}",
        "pag. {n}/{m}",
        "Pagina {n}",
        "Pag. {n} di {m}",
        "Foglio {n}",
        "{n} di {m}",
    ),
    "de": ("Seite {n} von {m}", "Seite {n}", "Seite {n}/{m}", "Blatt {n}", "S. {n}"),
    "fr": ("Page {n} sur {m}", "Page {n}", "page {n}/{m}", "Feuillet {n}"),
    "es": ("Página {n} de {m}", "Pág. {n}", "Página {n}/{m}", "Hoja {n} de {m}"),
}
BARE_NUMBERS = ("{n}/{m}", "- {n} -", "{n}", "{n}", "({n})", "– {n} –")
CONTINUED = {
    "en": ("continued", "Continued on next page", "carried forward", "./."),
    "it": ("segue", "continua alla pagina seguente", "a riportare", "./."),
    "de": ("Fortsetzung", "Übertrag", "./."),
    "fr": ("suite", "à reporter", "./."),
    "es": ("sigue", "continuación", "./."),
}
OPENINGS = {
    "en": ("Dear Sir or Madam,", "Dear {title} {surname},", "For the attention of {person}", "To whom it may concern"),
    "it": ("Gentile cliente,", "Egregio {title} {surname},", "Spett.le {company}", "Gent.le {title} {surname},"),
    "de": ("Sehr geehrte Damen und Herren,", "Sehr geehrter Herr {surname},", "Liebe Frau {surname},"),
    "fr": ("Madame, Monsieur,", "Monsieur {surname},", "Chère Madame {surname},"),
    "es": ("Estimado Sr. {surname}:", "Muy señores nuestros:", "Estimada Sra. {surname}:"),
}
CLOSINGS = {
    "en": ("Yours sincerely,", "Yours faithfully,", "Kind regards,"),
    "it": ("Distinti saluti", "Cordiali saluti", "In fede"),
    "de": ("Mit freundlichen Grüßen", "Hochachtungsvoll"),
    "fr": ("Cordialement", "Veuillez agréer nos salutations distinguées"),
    "es": ("Atentamente", "Un cordial saludo"),
}
REFERENCES = {
    "en": ("Our ref.", "Document no.", "Customer no.", "Policy no.", "Account"),
    "it": ("Ns. rif.", "Documento n.", "Codice cliente", "Polizza n.", "Conto"),
    "de": ("Unser Zeichen", "Beleg-Nr.", "Kundennummer", "Vertrag Nr."),
    "fr": ("Nos réf.", "Document n°", "Client n°", "Contrat n°"),
    "es": ("Ref.", "Documento n.º", "Cliente n.º", "Póliza n.º"),
}


@lru_cache(maxsize=100_000)
def word_width(word: str, face: str) -> float:
    """Give the width of a word in a face of size 1."""
    return text_width(word, face, 1.0)


def _is_body(line: str) -> bool:
    """Say whether a line may stand in the middle of a document: salutations and closings may not."""
    return bool(line.strip()) and not (len(line) < 50 and line.rstrip().endswith((",", "Sirs", "regards", "saluti")))


@cache
def kinds() -> dict[tuple[str, str], Template]:
    """Give the templates by kind and language."""
    return {(template.kind, template.language): template for template in templates()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A drawn document."""

    kind: str
    issuer: str
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Whom documents are for."""

    name: str
    street: str
    city: str
    number: str


class House:
    """An issuer: one way to write the documents of one kind."""

    def __init__(self, seed: str, kind: str, language: str) -> None:
        rng = Random(f"{seed} {kind} {language} house")
        self.seed, self.kind, self.language = seed, kind, language
        self.template = kinds()[kind, language]
        self.name, self.street, self.city = (self.draw(rng, slot) for slot in ("{company}", "{street}", "{city}"))
        self.phone, self.web = self.draw(rng, "{phone}"), self.draw(rng, "{website}")
        self.code = "".join(rng.choices("0123456789", k=11))
        self.family = rng.choice(list(FAMILIES))
        self.text = rng.uniform(8.6, 12.0)
        self.margin = rng.uniform(38, 84)
        self.size = LETTER if rng.random() < 0.15 else A4
        self.ink = rng.choice(("#16161a", "#16161a", "#1d3557", "#7a1f1f"))
        self.mark = rng.choice(("bars", "peak", "", "", ""))
        self.letterhead = rng.choice(("left", "center", "right", "bar", "none"))
        # what later pages have at the top, and all pages at the foot
        self.running = rng.choice(("none", "none", "none", "name", "reference", "title", "letterhead", "customer"))
        self.foot = rng.choice(("none", "none", "address", "first only", "address", "web"))
        bare = rng.random() < 0.35
        self.numbering = "" if rng.random() < 0.3 else rng.choice(BARE_NUMBERS if bare else NUMBERS[language])
        self.number_place = rng.choice(("foot center", "foot right", "head right", "foot left", "head center"))
        self.first_is_numbered = rng.random() < 0.75
        self.opening = rng.random() < 0.4
        self.says_continued = rng.random() < 0.15
        self.clauses = rng.random() < 0.2
        self.annex = rng.choice(("", "", "", "small print", "form", "table"))
        self.has_table = rng.random() < 0.35
        self.reference = rng.choice(REFERENCES[language])
        self.shows_customer = rng.random() < 0.7
        self.lead = rng.uniform(1.2, 1.6)

    def draw(self, rng: Random, pattern: str) -> str:
        """Fill a pattern with words of the language."""
        lists = self.template.lists
        return Template(kind="", language=self.language, pages=(pattern,), lists=lists).text(rng)

    def customer(self, rng: Random) -> Customer:
        """Invent whom a document is for."""
        name, street, city = (self.draw(rng, slot) for slot in ("{person}", "{street}", "{city}"))
        return Customer(name=name, street=street, city=city, number="".join(rng.choices("0123456789", k=8)))

    def document(self, rng: Random, count: int, customer: Customer | None = None) -> Document:
        """Write a document of about that many pages."""
        customer = customer or self.customer(rng)
        while len(pages := _Writing(self, rng, customer, count).pages()) > MOST_PAGES:
            count -= 1
        return Document(kind=self.kind, issuer=f"{self.seed} {self.kind} {self.language}", pages=pages)


class _Writing:
    """One document being written, page after page."""

    def __init__(self, house: House, rng: Random, customer: Customer, count: int) -> None:
        self.house, self.rng, self.customer, self.count = house, rng, customer, count
        self.date = house.draw(rng, "{date}")
        self.number = f"{house.reference} {rng.choice(('', 'A', 'FT/', '2024-'))}{rng.randrange(10_000, 9_999_999)}"
        first, *rest = house.template.text(rng).split("\n")
        self.title, self.lines = first, rest
        self.papers: list[Paper] = []
        self.paper = self._new_paper()

    def pages(self) -> tuple[Page, ...]:
        house, rng = self.house, self.rng
        self._begin()
        # the last page is as full as it happens to be
        body = iter(self._content())
        annexed = house.annex and self.count > 1
        full = self.count - (1 if annexed else 0)
        end = (full - 1 + rng.uniform(0.25, 0.95)) * (self.paper.height - 2 * house.margin)
        for text in body:
            if (len(self.papers) - 1) * (self.paper.height - 2 * house.margin) + self.paper.y - house.margin > end:
                break
            self._write(text)
        self._end()
        if annexed and len(self.papers) < MOST_PAGES:
            self._annex()
        for place, paper in enumerate(self.papers, 1):
            self._margins(paper, place)
        return tuple(paper.page() for paper in self.papers)

    def _new_paper(self) -> Paper:
        house = self.house
        paper = Paper(self.rng, size=house.size, family=house.family, text=house.text, margin=house.margin)
        self.papers.append(paper)
        if len(self.papers) > 1:
            self._running(paper)
        return paper

    def _running(self, paper: Paper) -> None:
        house = self.house
        texts = {"name": house.name, "reference": f"{house.name} - {self.number}", "title": self.title.strip()[:60]}
        if house.running == "letterhead":
            self._letterhead(paper)
        elif house.running == "customer":
            paper.line(f"{self.customer.name} - {self.customer.number}    {self.date}", size=house.text * 0.85)
            paper.gap(10)
        elif house.running in texts:
            paper.line(texts[house.running], size=house.text * 0.85, italic=self.rng.random() < 0.5)
            paper.gap(10)

    def _letterhead(self, paper: Paper) -> None:
        house = self.house
        if house.letterhead == "none":
            return
        if house.letterhead == "bar":
            paper.box(0, 0, paper.width, 12, fill=house.ink)
        if house.mark and house.letterhead != "right":
            logo(paper, house.mark, paper.right - 40, house.margin - 6, 34, house.ink)
        align = "left" if house.letterhead == "bar" else house.letterhead
        paper.line(house.name, size=house.text * 1.6, bold=True, align=align, color=house.ink)
        paper.line(f"{house.street}, {house.city} - Tel. {house.phone}", size=7.5, align=align)
        if house.letterhead in ("center", "bar"):
            paper.line(f"{house.web} - {house.code}", size=7.5, align=align)
            paper.rule(width=0.5)
        paper.gap(14)

    def _begin(self) -> None:
        house, rng, paper = self.house, self.rng, self.paper
        self._letterhead(paper)
        if house.shows_customer:
            if rng.random() < 0.8:
                x = paper.left if rng.random() < 0.3 else 330
                paper.lines([self.customer.name, self.customer.street, self.customer.city], x=x)
                paper.gap(12)
            paper.line(f"{self.number}    {self.date}")
        paper.gap(6)
        style = rng.random()
        paper.line(self.title, size=house.text * (1.0 if style < 0.3 else 1.5), bold=style > 0.15)
        paper.gap(8)
        if house.opening:
            self._write(house.draw(rng, rng.choice(OPENINGS[house.language])))

    def _content(self) -> Iterator[str]:
        """Give lines of text without end: of this text, then of others of its kind, without their heads and ends."""
        house, rng = self.house, self.rng
        number = 0
        yield from self.lines[: max(2, len(self.lines) - 3)]
        if house.has_table:
            yield "\t"
        while True:
            lines = [line for line in house.template.text(rng).split("\n")[4:-3] if _is_body(line)]
            sentences = [house.draw(rng, "{sentence}") for _ in range(3)]
            if not lines or rng.random() < 0.3:
                lines = [" ".join(sentences)]
            elif rng.random() < 0.3:
                lines = [" ".join(lines)]
            if house.clauses:
                number += 1
                yield f"{number}. {lines[0]}"
                lines = lines[1:]
            yield from lines
            if house.has_table and rng.random() < 0.4:
                yield "\t"

    def _write(self, text: str) -> None:
        if text == "\t":
            self._table()
            return
        face, room = f"{self.paper.family}-0", self.paper.inner / self.house.text
        row: list[str] = []
        taken = 0.0
        for word in text.split():
            wide = word_width(f"{word} ", face)
            if row and taken + wide > room:
                self._line(" ".join(row))
                row, taken = [], 0.0
            row.append(word)
            taken += wide
        if row:
            self._line(" ".join(row))
        if len(text) > 80:
            self.paper.gap(4)

    def _line(self, text: str) -> None:
        self._room(self.house.text * 1.5)
        self.paper.line(text, lead=self.house.lead)

    def _room(self, height: float) -> None:
        paper = self.paper
        if paper.y + height > paper.height - self.house.margin - 26:
            if self.house.says_continued:
                paper.put(paper.right, paper.y + 14, self.rng.choice(CONTINUED[self.house.language]), align="right")
            self.paper = self._new_paper()

    def _table(self) -> None:
        house, rng = self.house, self.rng
        draw = house.draw
        for start in range(rng.randrange(1, 4)):
            rows = [
                (draw(rng, "{date}"), draw(rng, "{product}"), draw(rng, "{amount}")) for _ in range(rng.randrange(3, 9))
            ]
            self._room((len(rows) + 1) * house.text * 1.8)
            self.paper.table(
                rows,
                widths=(1.4, 4, 1.4),
                align="llr",
                style=("rules", "grid", "zebra")[len(house.name) % 3],
                header=False,
            )
            if start:
                self.paper.gap(2)

    def _end(self) -> None:
        house, rng = self.house, self.rng
        if house.opening:
            self._room(70)
            self.paper.gap(8)
            self.paper.line(rng.choice(CLOSINGS[house.language]))
            if rng.random() < 0.6:
                signature(self.paper, self.paper.left + 8, self.paper.y + 30, 90)
            self.paper.gap(40)
            self.paper.line(house.name)
        else:
            for line in self.lines[-3:]:
                self._line(line)

    def _annex(self) -> None:
        house, rng, paper = self.house, self.rng, self._new_paper()
        draw = house.draw
        sentences = [" ".join(draw(rng, "{sentence}") for _ in range(3)) for _ in range(rng.randrange(10, 34))]
        if house.annex == "small print":
            numbered = [f"{i}. {text}" for i, text in enumerate(sentences, 1)]
            paper.columns(numbered, rng.choice((1, 2)), size=house.text * 0.72)
        elif house.annex == "form":
            names = [draw(rng, "{noun}").capitalize() for _ in range(rng.randrange(9, 27))]
            paper.cells([(name, draw(rng, "{number}")) for name in names], per_row=3)
            paper.paragraph(sentences[0], size=house.text * 0.9)
        else:
            rows = [
                (draw(rng, "{product}"), draw(rng, "{amount}"), draw(rng, "{percent}"))
                for _ in range(rng.randrange(8, 26))
            ]
            paper.table(rows, widths=(4, 1.4, 1.2), align="lrr", style="grid")

    def _margins(self, paper: Paper, place: int) -> None:
        """Write foot and page number."""
        house = self.house
        foots = {"address": f"{house.name} - {house.street}, {house.city} - {house.code}", "web": house.web}
        foots["first only"] = foots["address"] if place == 1 else ""
        if text := foots.get(house.foot, ""):
            paper.put(paper.width / 2, paper.height - 36, text, size=7, align="center", fit=paper.inner)
        if not house.numbering or (place == 1 and not house.first_is_numbered):
            return
        if len(self.papers) == 1 and self.rng.random() < 0.5 and "{m}" not in house.numbering:
            return
        edge, side = house.number_place.split()
        x = {"center": paper.width / 2, "right": paper.right, "left": paper.left}[side]
        y = paper.height - 20 if edge == "foot" else 22
        text = house.numbering.format(n=place, m=len(self.papers))
        paper.put(x, y, text, size=8.5, align=side)  # type: ignore[arg-type]


def stack_of(rng: Random, houses: Sequence[House], count: int) -> list[Document]:
    """Write a stack of documents: often several of one issuer, or for one customer, one after the other."""
    documents: list[Document] = []
    house = rng.choice(houses)
    customer = house.customer(rng)
    for_one = rng.random() < 0.3
    for _ in range(count):
        if rng.random() > 0.2:
            house = rng.choice(houses)
        if not for_one:
            customer = house.customer(rng)
        documents.append(house.document(rng, rng.choice((1, 1, 2, 2, 3, 4)), customer))
    return documents
