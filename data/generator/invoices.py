"""Invoices: goods and services charged by firms and professionals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import logo, signature, stamp
from data.generator.pages import Page, Paper
from data.generator.people import Language, company, day, digits, in_words, letters, money, person, share, slashes

Row = tuple[str, int, int, int]


def _rows(rng: Random, goods: Sequence[str], least: int, most: int) -> list[Row]:
    """Choose goods with quantity, unit price and amount in cents."""
    rows = []
    for name in rng.sample(list(goods), rng.randrange(least, most + 1)):
        count, price = rng.randrange(1, 13), rng.randrange(400, 26000)
        rows.append((name, count, price, count * price))
    return rows


def _cells(rows: list[Row], language: Language) -> list[tuple[str, str, str, str]]:
    return [(n, str(c), money(p, language), money(a, language)) for n, c, p, a in rows]


def _ferramenta(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "it"), company("Ferramenta Industriale Brusa S.n.c.", "it"), day(rng, 2012, 2023)
    rows = _rows(
        rng,
        (
            "Viti autofilettanti 4x40 conf. 500",
            "Trapano a percussione 750W",
            "Tubo zincato 3/4 barra 6 m",
            "Guarnizioni in gomma",
            "Cavo elettrico 3x2,5 matassa",
            "Pittura lavabile 14 l",
            "Morsetti in ghisa",
            "Disco taglio ferro 230",
            "Serratura di sicurezza",
        ),
        4,
        8,
    )
    net = sum(r[3] for r in rows)
    p = Paper(rng, family="sans", text=9.5, margin=42)
    logo(p, "bars", p.left, 40, 36, "#444444")
    p.put(p.left + 46, 54, firm.name, size=13, bold=True)
    p.put(p.left + 46, 66, f"{firm.address} - Tel. {firm.phone}", size=8)
    p.put(p.left + 46, 76, f"P.IVA e C.F. {firm.vat} - Cap. soc. € 10.400 i.v.", size=8)
    p.y = 96
    p.box(320, 92, p.right - 320, 66, outline="#333333")
    p.put(326, 104, "Spett.le", size=8, italic=True)
    for i, text in enumerate(
        (
            f"{who.surname.upper()} {who.name.upper()} & C. S.a.s.",
            who.street,
            who.postcode_city,
            f"P.IVA {company(who.full, 'it', rng).vat}",
        )
    ):
        p.put(326, 117 + i * 12, text, fit=p.right - 332)
    p.y = 112
    p.line("FATTURA", size=18, bold=True)
    p.y = 166
    p.cells(
        [
            ("Numero documento", f"{rng.randrange(1, 900)}/{when.year}"),
            ("Data", slashes(when)),
            ("Cod. cliente", digits(rng, 5)),
            ("Pagamento", rng.choice(("Ri.Ba. 30 gg f.m.", "Bonifico 60 gg", "Rimessa diretta"))),
            ("Banca d'appoggio", "Cassa Rurale"),
            ("Rif. D.D.T.", f"{digits(rng, 3)} del {slashes(when - timedelta(days=5))}"),
        ]
    )
    p.table(
        [("Descrizione merce", "Q.tà", "Prezzo unit.", "Importo €"), *_cells(rows, "it")],
        widths=(5, 1, 1.6, 1.8),
        align="lrrr",
        style="grid",
    )
    p.gap(8)
    p.cells(
        [
            ("Totale merce", money(net, "it")),
            ("Imponibile", money(net, "it")),
            ("Aliquota IVA", "22%"),
            ("Imposta", money(share(net, 22), "it")),
            ("Spese trasporto", "0,00"),
            ("TOTALE FATTURA €", money(net + share(net, 22), "it")),
        ]
    )
    p.line(
        (f"Scadenze: {slashes(when + timedelta(days=60))}   {money(net + share(net, 22), 'it')}   IBAN {firm.iban}"),
        size=8.5,
    )
    p.paragraph(
        (
            "Contributo CONAI assolto ove dovuto. La merce viaggia a rischio e pericolo del committente. Per "
            "ogni controversia è competente il foro del venditore."
        ),
        size=7.5,
    )
    return [p.page()]


def _parcella(rng: Random) -> list[Page]:
    who, client, when = person(rng, "it"), company("Condominio Le Ginestre", "it", rng), day(rng, 2014, 2023)
    firm = company("Arch. Irene Vignali", "it")
    fee = rng.randrange(300, 3800) * 100
    fund = share(fee, 4)
    p = Paper(rng, family="dejavuserif", text=9.6, margin=64)
    p.line("Irene Vignali architetto", size=17, italic=True)
    p.line(f"{firm.address} - cell. {who.phone} - P.IVA {firm.vat}", size=7.8)
    p.rule(width=0.4)
    p.gap(34)
    p.lines([client.name, client.street, client.city, f"C.F. {client.vat}"], x=330)
    p.gap(26)
    p.line(f"Fattura n. {rng.randrange(1, 60)} del {in_words(when, 'it')}", size=13, bold=True)
    work = rng.choice(("pratica edilizia per opere interne", "direzione lavori in facciata", "aggiornamento catastale"))
    p.line(f"Oggetto: {work}")
    p.gap(16)
    p.fields(
        [
            ("Compenso professionale", f"€ {money(fee, 'it')}"),
            ("Contributo cassa previdenza 4%", f"€ {money(fund, 'it')}"),
            ("Imponibile ai fini IVA", f"€ {money(fee + fund, 'it')}"),
            ("IVA 22%", f"€ {money(share(fee + fund, 22), 'it')}"),
            ("Totale fattura", f"€ {money(fee + fund + share(fee + fund, 22), 'it')}"),
            ("Ritenuta d'acconto 20% su compenso", f"- € {money(share(fee, 20), 'it')}"),
            ("Netto a pagare", f"€ {money(fee + fund + share(fee + fund, 22) - share(fee, 20), 'it')}"),
        ],
        style="ruled",
        label=0.66,
        lead=1.9,
    )
    p.gap(18)
    p.paragraph(
        "Il pagamento può essere effettuato a mezzo bonifico bancario entro trenta giorni su "
        f"{firm.iban}. Si resta in attesa di certificazione della ritenuta versata."
    )
    p.gap(40)
    signature(p, p.right - 120, p.y, 110)
    stamp(p, ["ORDINE", "ARCHITETTI", f"N. {digits(rng, 4)}"], p.right - 150, p.y + 36, radius=38)
    return [p.page()]


def _grafica(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "it"), company("Tipografia Aurora", "it"), day(rng, 2019, 2023)
    rows = _rows(
        rng,
        (
            "Biglietti da visita, 500 pz",
            "Volantini A5 fronte/retro",
            "Impaginazione catalogo",
            "Striscione in PVC 300x100",
            "Rilegatura a spirale",
            "Manifesti 70x100",
            "Buste intestate",
        ),
        2,
        5,
    )
    net = sum(r[3] for r in rows)
    p = Paper(rng, family="condensed", text=9.4, margin=46)
    p.box(0, 0, 26, p.height, fill="#d14b2a")
    p.put(p.left, 66, "aurora", size=34, bold=True, color="#d14b2a")
    p.put(p.left, 80, "stampa e comunicazione", size=9)
    p.put(p.right, 52, "Copia di cortesia della fattura elettronica", size=11, bold=True, align="right")
    p.put(p.right, 66, f"nr. {digits(rng, 3)}/FE - emessa il {slashes(when)} - SdI {digits(rng, 10)}", align="right")
    p.y = 112
    top = p.y
    p.line("Cedente / prestatore", bold=True)
    p.lines([firm.name, firm.street, firm.city, f"Partita IVA IT{firm.vat}"])
    p.y = top
    p.line("Cessionario / committente", bold=True, x=320)
    p.lines(
        [who.full, who.street, who.postcode_city, f"Codice fiscale {who.tax_code}", "Codice destinatario 0000000"],
        x=320,
    )
    p.gap(16)
    p.table(
        [("Prodotto o servizio", "Quantità", "Prezzo", "Totale"), *_cells(rows, "it")],
        widths=(5, 1.2, 1.5, 1.6),
        align="lrrr",
        style="zebra",
        shade="#f0c6b6",
    )
    p.table(
        [
            ("Riepilogo aliquote", "Imponibile", "Imposta"),
            ("22% ordinaria", money(net, "it"), money(share(net, 22), "it")),
            ("Da saldare", "", f"€ {money(net + share(net, 22), 'it')}"),
        ],
        x=270,
        widths=(2, 1.5, 1.5),
        align="lrr",
        style="rules",
        bold_last=True,
    )
    p.gap(10)
    p.line(f"Modalità: MP05 bonifico, entro il {slashes(when + timedelta(days=30))} - {firm.iban}")
    p.line(
        (
            "Documento privo di valore fiscale ai sensi dell'art. 21 D.P.R. 633/72; l'originale è "
            "disponibile nell'area riservata."
        ),
        size=7.5,
        italic=True,
    )
    p.footer(f"{firm.web} - {firm.phone} - REA {digits(rng, 6)}", align="left")
    return [p.page()]


def _joinery(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "en"), company("Pickard Timber Supplies", "en"), day(rng, 2012, 2023)
    rows = _rows(
        rng,
        (
            "Planed softwood 38x63, 2.4 m",
            "Oak veneer door 762 mm",
            "Skirting board ogee",
            "Birch plywood 18 mm sheet",
            "Wood glue 1 kg",
            "Decking screws, box",
            "Loft ladder",
            "Architrave set",
        ),
        4,
        7,
    )
    net = sum(r[3] for r in rows)
    p = Paper(rng, family="freesans", text=9.8)
    p.put(p.right, 66, "INVOICE", size=30, bold=True, align="right", color="#34597a")
    logo(p, "peak", p.left, 38, 40, "#34597a")
    p.put(p.left + 50, 62, firm.name, size=14, bold=True)
    p.y = 88
    p.lines([firm.street, firm.city, f"Phone {firm.phone}", f"VAT registration {firm.vat}"], size=8.5)
    p.gap(14)
    top = p.y
    p.line("Bill to:", bold=True)
    p.lines([f"{who.surname} Builders", f"Attn. {who.full}", who.street, who.postcode_city])
    p.y = top
    p.fields(
        [
            ("Invoice no.", digits(rng, 6)),
            ("Invoice date", slashes(when)),
            ("Order ref.", f"PO-{digits(rng, 4)}"),
            ("Terms", "30 days net"),
            ("Due date", slashes(when + timedelta(days=30))),
        ],
        x=340,
        style="bold",
        label=0.42,
    )
    p.gap(16)
    p.table(
        [("Description", "Qty", "Unit price", "Amount"), *_cells(rows, "en")],
        widths=(5, 1, 1.5, 1.6),
        align="lrrr",
        style="grid",
        shade="#cfdce8",
    )
    p.fields(
        [
            ("Subtotal", f"£{money(net, 'en')}"),
            ("VAT @ 20%", f"£{money(share(net, 20), 'en')}"),
            ("Total due", f"£{money(net + share(net, 20), 'en')}"),
        ],
        x=360,
        style="ruled",
        label=0.5,
        lead=1.8,
    )
    p.gap(14)
    p.paragraph(
        (
            f"Please make payment by bank transfer to {firm.iban} quoting the invoice number. Goods remain "
            "the property of the seller until paid for in full. Interest may be charged on overdue accounts."
        ),
        size=8.5,
    )
    p.footer("Thank you for your business", align="center")
    return [p.page()]


def _freelance(rng: Random) -> list[Page]:
    who, client, when = person(rng, "en"), company("Larch & Finch Publishing", "en", rng), day(rng, 2013, 2023)
    hours, rate = rng.randrange(4, 60), rng.randrange(25, 70) * 100
    extra = rng.randrange(0, 90) * 100
    p = Paper(rng, family="mono", text=10, margin=66)
    p.lines([who.full, who.street, who.postcode_city, who.phone])
    p.gap(30)
    p.line(f"INVOICE #{rng.randrange(10, 400):04d}", size=14, bold=True)
    p.line(in_words(when, "en"))
    p.gap(20)
    p.lines([f"To: {client.name}", f"    {client.street}", f"    {client.city}"])
    p.gap(20)
    work = rng.choice(
        (
            "Copy-editing and proofreading",
            "Translation from Italian",
            "Illustrations for chapter heads",
            "Indexing, hardback edition",
        )
    )
    p.table(
        [
            ("For professional services", "GBP"),
            (work, ""),
            (f"{hours} hours at {money(rate, 'en')}", money(hours * rate, "en")),
            ("Expenses (postage, travel), receipts attached", money(extra, "en")),
            ("BALANCE DUE", money(hours * rate + extra, "en")),
        ],
        widths=(4, 1.3),
        align="lr",
        style="rules",
        bold_last=True,
        shade="#ffffff",
    )
    p.gap(18)
    p.paragraph(
        "Not registered for VAT. Payment within 14 days, please, to account "
        f"{company(who.full, 'en', rng).iban}. Late payment: statutory interest applies."
    )
    p.gap(24)
    p.line("With thanks,")
    signature(p, p.left, p.y + 36, 100)
    if rng.random() < 0.5:
        stamp(p, ["POSTED", slashes(when)], p.right - 60, p.y + 10, kind="box", radius=36, color="#444444")
    return [p.page()]


def _tax_invoice(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "en"), company("Quayside Marine Engineers", "en"), day(rng, 2014, 2023)
    rows = _rows(
        rng,
        (
            "Service inboard diesel, labour",
            "Impeller kit",
            "Antifouling paint 2.5 L",
            "Haul out and pressure wash",
            "Sacrificial anode",
            "Winter storage per metre",
            "Rigging inspection",
            "Bilge pump",
        ),
        4,
        7,
    )
    net = sum(r[3] for r in rows)
    p = Paper(rng, family="serif", text=10.4, margin=50)
    p.line(firm.name.upper(), size=16, bold=True, align="center")
    p.line(f"{firm.address} · {firm.phone}", size=9, align="center")
    p.rule(width=1.4)
    p.gap(6)
    p.line("TAX INVOICE / STATEMENT OF WORK DONE", size=12, bold=True, align="center")
    p.gap(8)
    p.cells(
        [
            ("Customer", who.full),
            ("Vessel", rng.choice(("Kittiwake", "Sea Holly", "Moonraker", "Petrel"))),
            ("Account", f"Q{digits(rng, 4)}"),
            ("Address", who.address),
            ("Document", f"{letters(rng, 1)}-{digits(rng, 5)}"),
            ("Tax point", slashes(when)),
        ]
    )
    p.table(
        [
            ("Job / parts", "No.", "Each £", "Net £"),
            *_cells(rows, "en"),
            ("Carried to summary", "", "", money(net, "en")),
        ],
        widths=(5, 1, 1.4, 1.6),
        align="lrrr",
        style="rules",
        bold_last=True,
    )
    p.gap(8)
    discount = share(net, rng.choice((0, 5, 10)))
    vat = share(net - discount, 20)
    p.table(
        [
            ("Net", "Discount", "VAT rate", "VAT", "Payable"),
            (money(net, "en"), money(discount, "en"), "20%", money(vat, "en"), money(net - discount + vat, "en")),
        ],
        widths=(1, 1, 1, 1, 1),
        align="rrrrr",
        style="grid",
    )
    p.paragraph(
        (
            "Remittance advice: kindly detach and return this part with your cheque, or pay at the yard "
            "office by card. Accounts not settled by the end of the month following are subject to a charge "
            "of 2% a month. No craft leaves the yard until charges are cleared."
        ),
        size=9,
    )
    p.gap(6)
    p.line(f"Bank: {firm.iban}    VAT reg. {firm.vat}", size=9)
    stamp(p, ["QUAYSIDE", "YARD OFFICE"], p.right - 70, p.y + 60, radius=40, color="#1f4e5f")
    return [p.page()]


ISSUERS = (
    Issuer(slug="brusa", language="it", split="train", count=3, draw=_ferramenta),
    Issuer(slug="vignali", language="it", split="train", count=2, draw=_parcella),
    Issuer(slug="pickard", language="en", split="train", count=2, draw=_joinery),
    Issuer(slug="freelance", language="en", split="train", count=2, draw=_freelance),
    Issuer(slug="aurora", language="it", split="test", count=3, draw=_grafica),
    Issuer(slug="quayside", language="en", split="test", count=3, draw=_tax_invoice),
)
