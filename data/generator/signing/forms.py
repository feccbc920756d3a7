"""Papers to be signed: consent forms, contracts, letters, memos and lists of approvals, with the places on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from data.generator.marks import Logo, bar_code, logo, stamp
from data.generator.pages import Page, Paper, Shape, text_width
from data.generator.people import Language, day, in_words, person, slashes
from data.generator.signing.hands import Hand, autograph, hand, written

Kind = Literal["signature", "placeholder", "none"]
Box = tuple[float, float, float, float]

_CONSENTS = {
    "it": "Consenso informato alla prestazione sanitaria;Consenso al trattamento dei dati personali;"
    "Autorizzazione all'uso delle immagini;Modulo di adesione al servizio;Delega al ritiro di documenti",
    "en": "Consent to medical treatment;Consent to the processing of personal data;Photo release;"
    "Membership application;Authority to collect documents",
}
_CLAUSES = {
    "it": (
        "Dichiaro di avere letto l'informativa ricevuta e di averne compreso il contenuto in ogni sua parte.",
        "Acconsento al trattamento dei miei dati per le finalità indicate, e so di poter revocare il consenso.",
        "Autorizzo la comunicazione dei dati ai soggetti che collaborano alla prestazione richiesta.",
        "Presto il consenso all'invio di comunicazioni sulle attività e sulle offerte, anche per posta elettronica.",
        "Dichiaro di essere stato informato dei rischi, dei benefici e delle alternative possibili.",
        "Esonero la struttura da ogni responsabilità per quanto non dipende dalla sua organizzazione.",
    ),
    "en": (
        "I have read the information sheet and have had the opportunity to ask questions about it.",
        "I agree to the processing of my data for the purposes stated, and know that I may withdraw my consent.",
        "I authorise the release of my records to those who take part in the service that I have requested.",
        "I agree to receive news of activities and offers, by electronic mail as well.",
        "The risks, the benefits and the alternatives have been explained to me in words that I understand.",
        "I release the organisers from any claim that does not arise from their own negligence.",
    ),
}
_SIGN = {
    "it": "Firma;Firma per esteso;Firma leggibile;Firma del dichiarante;Il contraente;L'assicurato;Firma del genitore;"
    "Firma del medico;Timbro e firma;Per accettazione;In fede;Firma del testimone;Il direttore;Il tecnico;Il genitore",
    "en": "Signature;Signed;Sign here;Signature of applicant;Authorized signature;Witness;Signature of parent;"
    "Signature of physician;Approved by;Accepted by;Signed by;Initials;Technician;Study director;Department manager",
}
_APPROVE = {
    "it": "Approvato da;Verificato da;Autorizzato da;Preparato da;Ricevuto da;Visto;Il responsabile",
    "en": "Approved by;Submitted by;Prepared by;Reviewed by;Authorized by;Received by;Requested by;Budget Check;By",
}
_OTHER = {
    "it": "Data;Luogo e data;Nome e cognome;Codice fiscale;Indirizzo;Telefono;Nome in stampatello;Note;Importo",
    "en": "Date;Place and date;Name;Print name;Address;Telephone;Title;Comments;Company;Amount;Project no.",
}
_CLOSING = {
    "it": "Cordiali saluti,;Distinti saluti,;In fede,;Con osservanza,;Cordialmente,",
    "en": "Sincerely,;Yours sincerely,;Very truly yours,;Best regards,;Cordially,;Respectfully submitted,",
}
_POSTS = {"it": "Direttore;Segretaria;Responsabile vendite", "en": "Director;Manager;Assistant Treasurer"}
_STAMPS = {
    "it": (("RICEVUTO",), ("PAGATO",), ("PROTOCOLLO", "ENTRATA"), ("COPIA",), ("STUDIO", "MEDICO")),
    "en": (("RECEIVED",), ("PAID",), ("CONFIDENTIAL",), ("COPY",), ("OFFICE", "USE ONLY")),
}
_COMPANIES = ("Valmontana", "Centro Acquaviva", "Northgate", "Harbour Lane", "Tre Ponti", "Silverbrook", "Oakfield")
_LOGOS: tuple[Logo, ...] = ("bars", "rings", "peak", "drop", "shield", "square", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place on a page, in points."""

    kind: Kind
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A page and the places on it."""

    page: Page
    places: tuple[Place, ...]
    language: Language


def _name(rng: Random, language: Language) -> str:
    someone = person(rng, language)
    return f"{someone.name} {someone.surname}"


def _date(rng: Random, language: Language) -> str:
    when = day(rng, 1985, 2024)
    return rng.choice((slashes(when), in_words(when, language)))


def _company(rng: Random) -> str:
    return f"{rng.choice(_COMPANIES)} {rng.choice(('S.r.l.', 'Ltd', '& Co.', 'S.p.A.', 'Group', 'Foundation'))}"


class _Writer:
    """A page that is being written, with a hand for whoever fills it in."""

    def __init__(self, rng: Random, language: Language, signed: float) -> None:
        self.rng, self.language, self.signed = rng, language, signed
        family = rng.choice(("sans", "serif", "mono", "dejavu", "freesans", "freeserif"))
        self.paper = Paper(rng, family=family, text=rng.uniform(8.5, 11.5), margin=rng.uniform(40, 75))
        self.places: list[Place] = []
        self.hand: Hand = hand(rng)

    def any(self, table: dict[str, str]) -> str:
        return self.rng.choice(table[self.language].split(";"))

    def add(self, kind: Kind, box: Box) -> None:
        self.places.append(Place(kind=kind, box=box))

    def sign(self, left: float, right: float, foot: float, high: float, *, stamped: float = 0.12) -> None:
        """Sign above a line, or leave it; a stamp may lie over or in its place."""
        rng, paper = self.rng, self.paper
        kind: Kind = "signature" if rng.random() < self.signed else "placeholder"
        box = (left, foot - high, right, foot + 3)
        if kind == "signature":
            writer = self.hand if rng.random() < 0.6 else hand(rng)
            start = left + rng.uniform(0, 0.3) * (right - left)
            ink = autograph(writer, rng, start, foot - rng.uniform(0, 4), right - start, high * rng.uniform(0.8, 1.6))
            paper.items.extend(ink)
            box = _around(ink, box, reach=high)
        if rng.random() < stamped and (kind == "signature" or rng.random() < 0.3):
            middle = (left + right) / 2 + rng.uniform(-20, 20), foot - high / 2
            form = rng.choice(("round", "box"))
            stamp(paper, rng.choice(_STAMPS[self.language]), *middle, radius=rng.uniform(18, 34), kind=form)
        self.add(kind, box)

    def answer(self, label: str, left: float, right: float, foot: float) -> None:
        """Leave the line of another question empty, or answer it in print or by hand."""
        rng, paper = self.rng, self.paper
        how = rng.random()
        text = _date(rng, self.language) if label.lower().startswith(("dat", "luogo", "place")) else ""
        text = text or _name(rng, self.language)
        box = (left, foot - 1.5 * paper.size, right, foot + 3)
        if how < 0.3:
            paper.put(left + 4, foot - 2, text, fit=right - left - 4)
        elif how < 0.65:
            numbers = f"{rng.randrange(1, 29)}/{rng.randrange(1, 13)}/{rng.choice(('97', '2004', '2019', '24'))}"
            words = numbers if text[:1].isdigit() or rng.random() < 0.4 else text
            size = paper.size * rng.uniform(0.8, 1.2)
            ink = written(self.hand, rng, words, left + 4, foot - 2, right - left - 6, size)
            paper.items.extend(ink)
            box = _around(ink, box, reach=2 * paper.size) if ink else box
        self.add("none", box)

    def form(self) -> Form:
        return Form(page=self.paper.page(), places=tuple(self.places), language=self.language)


def _around(ink: list[Shape], box: Box, *, reach: float) -> Box:
    """Give the box of ink, or the place with it if it stays near."""
    xs = [x for shape in ink for x, _ in shape.points]
    ys = [y for shape in ink for _, y in shape.points]
    tight = min(xs), min(ys), max(xs), max(ys)
    return (
        min(tight[0], max(box[0], tight[0] - 2 * reach)),
        min(tight[1], box[1] + reach / 2),
        max(tight[2], min(box[2], tight[2] + 2 * reach)),
        max(tight[3], box[3]),
    )


def _label_and_line(w: _Writer, label: str, left: float, right: float, *, to_sign: bool) -> None:
    """Write a label before, above or below a line, or in a cell."""
    rng, p = w.rng, w.paper
    style = rng.choice(("before", "before", "below", "above", "cell", "dots", "cross"))
    high = rng.uniform(1.8, 3.2) * p.size if to_sign else 1.6 * p.size
    foot = p.y + high
    start = left
    wide = text_width(f"{label}: ", f"{p.family}-0", p.size)
    if style == "cell":
        p.box(left, p.y, right - left, high + p.size, outline="#333333")
        p.put(left + 3, p.y + 0.75 * p.size, label, size=0.7 * p.size)
        foot, start = p.y + high + p.size - 3, left + 3
    elif style == "dots":
        p.put(left, foot - 1, f"{label} ")
        start = left + wide
        p.put(start, foot, "." * max(4, int((right - start) / text_width(".", f"{p.family}-0", p.size))))
    else:
        if style in ("before", "cross"):
            p.put(left, foot - 1, f"{label}:" if rng.random() < 0.6 else label)
            start = left + wide
        p.rule(y=foot, x=start, to=right, width=rng.choice((0.4, 0.7, 1.0)))
        if style == "cross":
            p.put(start + 1, foot - 2, rng.choice("Xx"), bold=True)
        elif style == "below":
            p.put((start + right) / 2 if rng.random() < 0.5 else start, foot + p.size, label, size=0.85 * p.size)
        elif style == "above":
            p.put(start, p.y + 1, label)
    if to_sign:
        w.sign(start, right, foot, high)
    else:
        w.answer(label, start, right, foot)


def _row(w: _Writer, *labels: tuple[str, bool]) -> None:
    """Put labels with lines side by side."""
    p = w.paper
    top, part = p.y, p.inner / len(labels)
    for number, (label, to_sign) in enumerate(labels):
        p.y = top
        left = p.left + number * part
        _label_and_line(w, label, left, left + part * w.rng.uniform(0.72, 0.93), to_sign=to_sign)
    p.y = top + 5.2 * p.size


def _heading(w: _Writer, title: str) -> None:
    rng, p = w.rng, w.paper
    if rng.random() < 0.6:
        size = rng.uniform(28, 52)
        logo(p, rng.choice(_LOGOS), p.left, p.y, size, "#333344")
        w.add("none", (p.left - 2, p.y - 2, p.left + size + 2, p.y + size + 2))
        p.put(p.right, p.y + 14, _company(rng), align="right", bold=True, fit=p.inner / 2)
        p.y += size + 8
    if rng.random() < 0.25:
        bar_code(p, p.right - 120, p.y, 110, 22)
    p.gap(8)
    p.line(title, size=1.4 * p.size, bold=True, align=rng.choice(("left", "center")))
    p.gap(6)


def _extras(w: _Writer) -> None:
    """Add what is no signature: a stamp alone, a note by hand in a margin, a mark."""
    rng, p = w.rng, w.paper
    if rng.random() < 0.5:
        x, y, radius = rng.uniform(p.left + 40, p.right - 40), rng.uniform(30, 60), rng.uniform(22, 38)
        stamp(p, rng.choice(_STAMPS[w.language]), x, y, radius=radius, kind=rng.choice(("round", "box")))
        w.add("none", (x - radius * 1.3, y - radius, x + radius * 1.3, y + radius))
    for _ in range(rng.choice((0, 1, 1, 2))):
        words = " ".join("x" * rng.randrange(2, 8) for _ in range(rng.randrange(1, 4)))
        if rng.random() < 0.4:
            words = f"{rng.randrange(1, 29)}/{rng.randrange(1, 13)}/{rng.randrange(80, 99)} {words}"
        x, y = rng.uniform(p.left, p.right - 120), rng.choice((rng.uniform(20, 110), rng.uniform(690, 810)))
        ink = written(hand(rng), rng, words, x, y, 130, rng.uniform(9, 18))
        if ink:
            p.items.extend(ink)
            w.add("none", _around(ink, (x, y - 5, x + 5, y), reach=0))


def consent(rng: Random, language: Language, signed: float) -> Form:
    """Write a consent form with two to five places to sign."""
    w = _Writer(rng, language, signed)
    p = w.paper
    _heading(w, w.any(_CONSENTS))
    for _ in range(rng.randrange(1, 4)):
        _row(w, (w.any(_OTHER), False), (w.any(_OTHER), False))
    for clause in rng.sample(_CLAUSES[language], rng.randrange(2, 5)):
        p.paragraph(clause)
        p.gap(6)
        row = [(w.any(_OTHER).split(";")[0], False), (w.any(_SIGN), True)]
        if rng.random() < 0.3:
            row = [(w.any(_SIGN), True), (w.any(_SIGN), True)]
        _row(w, *row)
        if p.y > p.height - 130:
            break
    p.paragraph(w.any({"it": "Il modulo va firmato in ogni sua parte.", "en": "Please sign every part of this form."}))
    _extras(w)
    return w.form()


def letter(rng: Random, language: Language, signed: float) -> Form:
    """Write a letter with a closing formula, a gap for the signature and the sender's name."""
    w = _Writer(rng, language, signed)
    p = w.paper
    _heading(w, _company(rng))
    p.line(_date(rng, language))
    p.gap(16)
    for clause in rng.sample(_CLAUSES[language], 4) * rng.choice((1, 2)):
        p.paragraph(clause)
        p.gap(5)
    x = p.left if rng.random() < 0.4 else p.left + 0.5 * p.inner
    p.gap(8)
    p.line(w.any(_CLOSING), x=x)
    top, high = p.y, rng.uniform(24, 46)
    p.y += high
    p.line(_name(rng, language), x=x)
    if rng.random() < 0.6:
        p.line(
            w.any({"it": "Direttore;Segretaria;Responsabile vendite", "en": "Director;Manager;Assistant Treasurer"}),
            x=x,
        )
    w.sign(x - 4, min(p.right, x + 150), top + high - 2, high - 3, stamped=0.05)
    p.gap(10)
    if rng.random() < 0.5:
        p.line("cc: " + _name(rng, language))
    _extras(w)
    return w.form()


def memo(rng: Random, language: Language, signed: float) -> Form:
    """Write a memo that is initialled beside its sender's name or signed below."""
    w = _Writer(rng, language, signed)
    p = w.paper
    _heading(w, "Memorandum" if language == "en" else "Comunicazione interna")
    names = ("To:", "From:", "Date:", "Subject:") if language == "en" else ("A:", "Da:", "Data:", "Oggetto:")
    for name in names:
        text = _date(rng, language) if name.startswith("Dat") else _name(rng, language)
        p.line(f"{name}  {text}", lead=1.7)
        if name in ("From:", "Da:") and rng.random() < 0.6:
            end = p.left + text_width(f"{name}  {text}", f"{p.family}-0", p.size) + 6
            ink = autograph(w.hand, rng, end, p.y - 6, 60, rng.uniform(16, 30))
            p.items.extend(ink)
            w.add("signature", _around(ink, (end, p.y - 20, end + 40, p.y), reach=8))
    p.rule()
    p.gap(8)
    for clause in rng.sample(_CLAUSES[language], 4):
        p.paragraph(clause)
        p.gap(5)
    if rng.random() < 0.5:
        foot = p.y + 40
        ink = autograph(w.hand, rng, p.left + 0.5 * p.inner, foot, 150, rng.uniform(24, 40))
        p.items.extend(ink)
        w.add("signature", _around(ink, (p.left + 0.5 * p.inner, foot - 20, p.left + 0.6 * p.inner, foot), reach=8))
    _extras(w)
    return w.form()


def approvals(rng: Random, language: Language, signed: float) -> Form:
    """Write an order form with answers in print and a list of approvals, each with a date."""
    w = _Writer(rng, language, signed)
    p = w.paper
    _heading(w, "Request for authorization" if language == "en" else "Richiesta di autorizzazione")
    for _ in range(rng.randrange(3, 6)):
        _row(w, (w.any(_OTHER), False), (w.any(_OTHER), False))
        p.y -= 1.5 * p.size
    step = rng.uniform(2.0, 3.4) * p.size
    middle, end = p.left + 0.66 * p.inner, p.right
    listed = rng.random() < 0.35
    if listed:
        p.gap(10)
        p.put(
            p.left + 0.3 * p.inner, p.y, w.any({"it": "Firma;Visto", "en": "Signature;Initials;Approvals"}), bold=True
        )
        p.put(middle, p.y, "Date" if language == "en" else "Data", bold=True)
    named = rng.random() < 0.5
    for _ in range(rng.randrange(2, 6)):
        p.y += step
        label = _name(rng, language) if listed else f"{w.any(_APPROVE)}:"
        wide = min(0.28 * p.inner, text_width(label, f"{p.family}-0", p.size)) + 5
        p.put(p.left, p.y - 1, label, fit=0.28 * p.inner)
        start = p.left + (0.3 * p.inner if listed or rng.random() < 0.5 else wide)
        p.rule(x=start, to=middle - 16, width=0.6)
        w.sign(start, middle - 16, p.y, min(step, 2.2 * p.size), stamped=0.03)
        if named and not listed:
            p.put(start + 6, p.y + 0.9 * p.size, _name(rng, language), size=0.85 * p.size)
        if not listed:
            p.put(middle - 8, p.y - 1, "Date" if language == "en" else "Data")
        p.rule(x=middle + 20, to=end, width=0.6)
        w.answer("Date", middle + 20, end, p.y)
    p.gap(24)
    _extras(w)
    return w.form()


FORMS: tuple[Callable[[Random, Language, float], Form], ...] = (consent, letter, memo, approvals)


def draw_form(rng: Random) -> Form:
    """Write a form of any kind."""
    language: Language = rng.choice(("it", "en", "en"))
    return rng.choice(FORMS)(rng, language, rng.choice((0.35, 0.6, 0.8)))
