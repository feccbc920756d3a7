"""Utility bills: electricity, gas, water, telephone."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import bar_code, logo, square_code
from data.generator.pages import Page, Paper
from data.generator.people import company, day, digits, in_words, letters, money, person, share, slashes


def _bars(p: Paper, x: float, y: float, color: str) -> None:
    """Draw the consumption of twelve months."""
    for i in range(12):
        high = p.rng.uniform(10, 50)
        p.box(x + i * 13, y + 50 - high, 9, high, fill=color)
        p.put(x + i * 13 + 4, y + 58, "GFMAMGLASOND"[i], size=6, align="center")


def _electricity_it(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "it"), company("Lumeria Energia", "it"), day(rng, 2013, 2023)
    used = rng.randrange(120, 620)
    energy, transport, charges = used * rng.randrange(11, 26), rng.randrange(1200, 2900), rng.randrange(900, 2400)
    excise = share(used * 100, 2.27)
    vat = share(energy + transport + charges + excise, 10)
    total = energy + transport + charges + excise + vat
    p = Paper(rng, family="dejavu", text=8.8, margin=42)
    logo(p, "sun", p.left, 36, 36, "#e0a010")
    p.put(p.left + 44, 60, "Lumeria", size=22, bold=True, color="#b97f00")
    p.put(p.right, 48, "Bolletta per la fornitura di energia elettrica", size=11, bold=True, align="right")
    p.put(p.right, 62, f"n. {digits(rng, 10)} del {slashes(when)}", align="right")
    p.y = 88
    top = p.y
    p.lines([who.full.upper(), who.street, who.postcode_city], x=330)
    p.y = top
    p.fields(
        [
            ("Codice cliente", digits(rng, 9)),
            ("Codice POD", f"IT001E{digits(rng, 8)}"),
            ("Codice fiscale", who.tax_code),
            ("Potenza impegnata", "3,0 kW"),
            ("Tariffa", rng.choice(("monoraria domestica residente", "bioraria"))),
        ],
        width=270,
        style="bold",
        label=0.4,
    )
    p.gap(14)
    p.box(p.left, p.y, p.inner, 62, fill="#fbf0d0", outline="#b97f00")
    p.put(p.left + 12, p.y + 22, "Quanto devo pagare", size=11)
    p.put(p.left + 12, p.y + 48, f"{money(total, 'it')} €", size=22, bold=True)
    p.put(300, p.y + 22, f"Entro il {slashes(when + timedelta(days=20))}", size=11, bold=True)
    p.put(300, p.y + 40, f"Periodo: {slashes(when - timedelta(days=66))} - {slashes(when - timedelta(days=6))}")
    p.put(300, p.y + 54, rng.choice(("Addebito diretto su conto corrente", "Bollettino allegato")))
    p.y += 76
    p.table(
        [
            ("Sintesi degli importi fatturati", "Euro"),
            ("Spesa per la materia energia", money(energy, "it")),
            ("Spesa per il trasporto e la gestione del contatore", money(transport, "it")),
            ("Spesa per oneri di sistema", money(charges, "it")),
            ("Accise", money(excise, "it")),
            ("IVA 10%", money(vat, "it")),
            ("Totale bolletta", money(total, "it")),
        ],
        widths=(5, 1.3),
        align="lr",
        style="rules",
        bold_last=True,
        shade="#f4dfa4",
    )
    reading = rng.randrange(3000, 60000)
    p.gap(6)
    p.table(
        [
            ("Letture e consumi", "Precedente", "Attuale", "kWh"),
            ("rilevata (totale fasce)", str(reading), str(reading + used), str(used)),
        ],
        widths=(3, 1.5, 1.5, 1),
        align="lrrr",
        style="grid",
        shade="#f4dfa4",
    )
    _bars(p, p.left, p.y + 10, "#e0a010")
    p.put(p.left + 190, p.y + 30, "Consumo annuo: " + str(used * 6) + " kWh")
    p.put(p.left + 190, p.y + 46, f"Segnalazione guasti: 800 {digits(rng, 3)} {digits(rng, 3)}")
    p.put(p.left + 190, p.y + 62, "I pagamenti delle bollette precedenti sono regolari. Grazie!", size=8)
    p.footer(f"{firm.name} - {firm.address} - P.IVA {firm.vat} - servizio clienti {firm.phone}", size=6.8)
    return [p.page()]


def _water(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "it"), company("Acquedotto Consortile Val Trebula", "it"), day(rng, 2010, 2022)
    used, before = rng.randrange(20, 140), rng.randrange(200, 1800)
    rows = [
        ("Quota fissa acquedotto", 1250),
        ("Acqua - tariffa base", used * 74),
        ("Acqua - prima eccedenza", rng.randrange(0, 1400)),
        ("Fognatura", used * 19),
        ("Depurazione", used * 41),
    ]
    net = sum(v for _, v in rows)
    p = Paper(rng, family="mono", text=9.2, margin=48)
    logo(p, "drop", p.left, 36, 34, "#1a5fa8")
    p.put(p.left + 44, 52, firm.name.upper(), size=12, bold=True)
    p.put(p.left + 44, 65, firm.address, size=8)
    p.y = 92
    p.line("SERVIZIO IDRICO INTEGRATO - FATTURA CONSUMI ACQUA", size=11, bold=True)
    p.gap(4)
    p.fields(
        [
            ("UTENTE", who.full.upper()),
            ("UBICAZIONE FORNITURA", who.address.upper()),
            ("CODICE UTENZA", digits(rng, 7)),
            ("MATRICOLA CONTATORE", f"{digits(rng, 2)}/{digits(rng, 6)}"),
            ("USO", "DOMESTICO RESIDENTE"),
            ("FATTURA", f"{when.year}/{digits(rng, 6)} DEL {slashes(when)}"),
            ("TRIMESTRE", f"{rng.randrange(1, 5)} / {when.year}"),
        ]
    )
    p.gap(8)
    p.table(
        [
            ("LETTURA PREC.", "LETTURA ATTUALE", "CONSUMO MC", "TIPO"),
            (str(before), str(before + used), str(used), rng.choice(("EFFETTIVA", "STIMATA", "AUTOLETTURA"))),
        ],
        widths=(1, 1, 1, 1),
        align="cccc",
        style="grid",
    )
    p.gap(6)
    p.table(
        [
            ("VOCE", "IMPORTO"),
            *[(n.upper(), money(v, "it")) for n, v in rows],
            ("IVA 10%", money(share(net, 10), "it")),
            ("ARROTONDAMENTO", "0,00"),
            ("TOTALE DA PAGARE EURO", money(net + share(net, 10), "it")),
        ],
        widths=(5, 1.5),
        align="lr",
        style="bare",
        bold_last=True,
        height=1.5,
    )
    p.line(f"SCADENZA {slashes(when + timedelta(days=30))}", bold=True, size=12)
    p.gap(6)
    p.paragraph(
        (
            "Comunicare l'autolettura al numero verde o sul sito. In caso di ritardato pagamento saranno "
            "addebitati gli interessi di mora e, dopo costituzione in mora, la fornitura potrà essere "
            "sospesa. La qualità dell'acqua distribuita è conforme ai limiti di legge."
        ),
        size=8,
    )
    y = p.height - 180
    p.rule(y=y, width=0.5)
    p.put(p.left, y + 16, "CONTI CORRENTI POSTALI - Ricevuta di versamento", size=9, bold=True)
    p.put(p.left, y + 34, f"sul C/C n. {digits(rng, 8)}   di Euro {money(net + share(net, 10), 'it')}")
    p.put(p.left, y + 50, f"intestato a {firm.name}", size=8.5)
    p.put(p.left, y + 66, f"eseguito da {who.full}", size=8.5)
    p.put(
        p.left,
        y + 96,
        f"<{digits(rng, 18)}>   {digits(rng, 8)}+{digits(rng, 2)}>   {digits(rng, 12)}<  896>",
        size=9,
        family="dejavumono",
    )
    return [p.page()]


def _gas(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "it"), company("Metanord Gas e Luce", "it"), day(rng, 2015, 2023)
    used, rate = rng.randrange(30, 420), rng.randrange(38, 92)
    gas, net_cost = used * rate, rng.randrange(1400, 4100)
    duty = share(gas, 19)
    vat = share(gas + net_cost + duty, 10)
    total = gas + net_cost + duty + vat
    p = Paper(rng, family="freesans", text=10, margin=50)
    p.box(p.width - 170, 0, 170, 80, fill="#3b4a9c")
    p.put(p.width - 150, 48, "metanord", size=26, bold=True, color="#ffffff")
    p.y = 56
    p.line(f"Gentile {who.full},", size=12)
    p.line(f"questa è la sua bolletta del gas di {in_words(when, 'it').split()[1]} {when.year}", size=12)
    p.gap(16)
    p.table(
        [
            ("Il totale da saldare", f"€ {money(total, 'it')}"),
            ("La scadenza", slashes(when + timedelta(days=25))),
            ("Metano consumato", f"{used} Smc"),
            ("Costo medio unitario", f"{total / used / 100:.2f} €/Smc".replace(".", ",")),
        ],
        widths=(3, 2),
        align="lr",
        style="zebra",
        header=False,
        size=12,
    )
    p.gap(14)
    p.line("Dati della fornitura", bold=True, size=11)
    p.fields(
        [
            ("Intestatario", who.full),
            ("Indirizzo di fornitura", who.address),
            ("PDR", f"0{digits(rng, 13)}"),
            ("Numero cliente", digits(rng, 10)),
            ("Classe del misuratore", "G4"),
            ("Offerta", rng.choice(("Caldo Sicuro 24", "Prezzo Libero", "Servizio di tutela"))),
            ("Bolletta n.", f"G{when.year % 100}{digits(rng, 8)}"),
        ],
        style="dots",
    )
    p.gap(10)
    p.line("Dettaglio della spesa", bold=True, size=11)
    p.table(
        [
            ("Componente", "Quantità", "Importo"),
            ("Vendita gas naturale", f"{used} Smc x {rate / 100:.2f}".replace(".", ","), money(gas, "it")),
            ("Rete, distribuzione e misura", "", money(net_cost, "it")),
            ("Imposta erariale di consumo e addizionale regionale", "", money(duty, "it")),
            ("IVA", "10%", money(vat, "it")),
        ],
        widths=(4, 2, 1.4),
        align="lrr",
        style="rules",
    )
    p.gap(6)
    p.paragraph(
        (
            "L'ultima lettura del contatore è stata stimata: invii la sua entro il giorno 28 per pagare solo "
            "ciò che usa. Non risultano pagamenti arretrati. Per una fuga di gas chiami il pronto "
            "intervento, attivo giorno e notte."
        ),
        size=9,
    )
    square_code(p, p.right - 70, p.y + 8, 66)
    p.footer(f"{firm.name} S.p.A. - sede legale {firm.address} - partita IVA {firm.vat} - {firm.web}", align="left")
    return [p.page()]


def _electricity_en(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "en"), company("Brightwater Power", "en"), day(rng, 2012, 2023)
    used, rate, days = rng.randrange(400, 1600), rng.randrange(14, 33), rng.randrange(88, 93)
    charge, standing = used * rate, days * rng.randrange(20, 48)
    vat = share(charge + standing, 5)
    p = Paper(rng, family="sans", text=10)
    logo(p, "drop", p.right - 34, 36, 34, "#0a8f6a")
    p.put(p.right - 42, 60, firm.name, size=16, bold=True, align="right", color="#0a8f6a")
    p.y = 60
    p.lines([who.full, who.street, who.postcode_city])
    p.gap(30)
    p.line("Your electricity bill", size=20, bold=True)
    p.line(f"Bill date {in_words(when, 'en')}     Account number {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 2)}")
    p.line(f"For the period {in_words(when - timedelta(days=days), 'en')} to {in_words(when, 'en')}")
    p.gap(10)
    balance = rng.choice((0, rng.randrange(1000, 9000)))
    p.table(
        [
            ("What you owe", ""),
            ("Balance brought forward", f"£{money(balance, 'en')}"),
            ("Electricity used this quarter", f"£{money(charge, 'en')}"),
            (f"Standing charge, {days} days", f"£{money(standing, 'en')}"),
            ("VAT at 5%", f"£{money(vat, 'en')}"),
            ("Please pay", f"£{money(balance + charge + standing + vat, 'en')}"),
        ],
        widths=(5, 1.5),
        align="lr",
        style="zebra",
        bold_last=True,
        shade="#bfe3d7",
    )
    reading = rng.randrange(10000, 90000)
    p.gap(8)
    p.line("Your meter readings", bold=True, size=12)
    p.table(
        [
            ("Meter", "Last time", "This time", "kWh used", "Pence per kWh"),
            (
                f"{letters(rng, 1)}{digits(rng, 8)}",
                f"{reading} {rng.choice('ECA')}",
                f"{reading + used} {rng.choice('ECA')}",
                str(used),
                f"{rate}.00",
            ),
        ],
        widths=(2, 1.5, 1.5, 1.2, 1.5),
        align="lrrrr",
        style="grid",
        shade="#bfe3d7",
    )
    p.line("E = estimated, C = customer, A = actual", size=8)
    p.gap(6)
    p.cells(
        [
            ("Supply number (MPAN)", f"{digits(rng, 2)} {digits(rng, 3)} {digits(rng, 3)} {digits(rng, 4)}"),
            ("Tariff", rng.choice(("Standard Variable", "Fixed Saver 2Y", "Economy Night"))),
            ("Payment method", rng.choice(("Cash or cheque", "Direct debit"))),
        ]
    )
    p.paragraph(
        (
            "Could you pay less? Over the last twelve months your supply cost more than our cheapest similar "
            "tariff. If there is a power cut call 105. If you are finding it hard to pay, talk to us: we can "
            "set up a plan."
        ),
        size=9,
    )
    bar_code(p, p.left, p.height - 100, 180, 30)
    p.footer(f"{firm.name}, {firm.address}. VAT {firm.vat}. Emergencies {firm.phone}")
    return [p.page()]


def _phone(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "en"), company("Larkline Telecom", "en"), day(rng, 2010, 2022)
    rows = [
        ("Line rental, one month in advance", 1799),
        ("Broadband 38 Mb unlimited", 1650),
        ("Calls to UK landlines", rng.randrange(0, 900)),
        ("Calls to mobiles", rng.randrange(0, 1500)),
        ("International calls", rng.randrange(0, 700)),
        ("Caller display", 150),
    ]
    net = sum(v for _, v in rows)
    p = Paper(rng, family="freeserif", text=10.6, margin=56)
    p.put(p.left, 70, "Larkline", size=32, italic=True, bold=False, color="#8a1f5c")
    p.put(p.right, 60, "Telephone account", size=14, bold=True, align="right")
    p.y = 92
    p.rule()
    top = p.y = p.y + 8
    p.lines([who.full, who.street, who.postcode_city])
    p.y = top
    p.fields(
        [
            ("Account", f"LK {digits(rng, 4)} {digits(rng, 4)}"),
            ("Telephone number", f"01632 {digits(rng, 6)}"),
            ("Bill number", f"Q{digits(rng, 3)} {letters(rng, 1)}"),
            ("Date and tax point", in_words(when, "en")),
        ],
        x=320,
        style="plain",
        label=0.46,
    )
    p.gap(16)
    p.table(
        [("Charges", "Net (£)"), *[(n, money(v, "en")) for n, v in rows], ("Total charges", money(net, "en"))],
        widths=(5, 1.3),
        align="lr",
        style="rules",
        bold_last=True,
    )
    p.fields(
        [
            ("VAT at 20.0% on £" + money(net, "en"), "£" + money(share(net, 20), "en")),
            ("Amount now due", "£" + money(net + share(net, 20), "en")),
        ],
        style="bold",
        label=0.7,
    )
    p.gap(8)
    p.line(
        f"We will collect this by direct debit on or after {in_words(when + timedelta(days=14), 'en')}."
        if rng.random() < 0.5
        else f"Payment is due by {in_words(when + timedelta(days=14), 'en')}.",
        bold=True,
    )
    p.gap(8)
    first = p.page()
    long = rng.random() < 0.6
    if long:
        p = Paper(rng, family="freeserif", text=10.6, margin=56)
        p.line(f"{firm.name} - your calls in detail - page 2", size=9)
        p.gap(8)
    p.line("Itemised calls over 20p", bold=True)
    calls = [
        (
            slashes(when - timedelta(days=rng.randrange(1, 30)))[:5],
            f"{rng.randrange(7, 23):02d}:{rng.randrange(60):02d}",
            f"0{digits(rng, 4)} {digits(rng, 6)}",
            f"{rng.randrange(1, 59)}:{rng.randrange(60):02d}",
            f"0.{rng.randrange(21, 98)}",
        )
        for _ in range(rng.randrange(20, 40) if long else rng.randrange(6, 15))
    ]
    p.table(
        [("Date", "Time", "Number dialled", "Duration", "£"), *sorted(calls)],
        widths=(1, 1, 2.4, 1.2, 0.8),
        align="llllr",
        style="bare",
        size=8.6,
        height=1.4,
    )
    p.gap(6)
    p.paragraph(
        (
            "Minimum term: 18 months. To report a fault dial 151 from your line. We may restrict your "
            "service if the bill is not paid on time."
        ),
        size=8.6,
    )
    p.footer(f"{firm.name} · {firm.address} · Registered for VAT no. {firm.vat}")
    return [first, p.page()] if long else [p.page()]


def _water_and_gas(rng: Random) -> list[Page]:
    who, firm, when = person(rng, "en"), company("Severn Vale Water & Gas", "en"), day(rng, 2013, 2023)
    used = rng.randrange(20, 90)
    fresh, waste = used * rng.randrange(120, 190), used * rng.randrange(95, 150)
    therm = rng.randrange(2000, 11000)
    cost = round(therm * rng.uniform(2.9, 7.4))
    p = Paper(rng, family="condensed", text=9.6, margin=44)
    p.box(p.left, 36, p.inner, 3, fill="#2a6f97")
    p.put(p.left, 62, firm.name, size=17, bold=True, color="#2a6f97")
    p.put(p.right, 54, "Combined statement of charges", size=11, align="right")
    p.put(p.right, 66, f"Customer reference {digits(rng, 3)}-{digits(rng, 6)}-{digits(rng, 2)}", align="right")
    p.y = 84
    p.lines([f"{'Ms' if who.woman else 'Mr'} {who.name[0]} {who.surname}", who.street, who.postcode_city])
    p.gap(14)
    p.line(f"Statement issued {slashes(when)} covering usage since {slashes(when - timedelta(days=182))}", bold=True)
    p.gap(6)
    for title, rows, total in (
        (
            "Metered water",
            [
                (f"Fresh water supplied, {used} cubic metres", fresh),
                (f"Sewerage, {used} cubic metres at 95%", waste),
                ("Fixed charges", 2850),
            ],
            fresh + waste + 2850,
        ),
        (
            "Natural gas",
            [(f"{therm // 11} units converted to {therm} kWh", cost), ("Daily service charge, 182 days", 4914)],
            cost + 4914,
        ),
    ):
        p.table(
            [(title, "Pounds"), *[(n, money(v, "en")) for n, v in rows], ("Sub-total", money(total, "en"))],
            widths=(5, 1.2),
            align="lr",
            style="grid",
            bold_last=True,
            shade="#d3e5ef",
        )
        p.gap(4)
    net = fresh + waste + 2850 + cost + 4914
    vat = share(cost + 4914, 5)
    p.fields(
        [
            ("VAT on gas only (5%)", "£" + money(vat, "en")),
            ("Payments received since last statement - thank you", "£0.00"),
            ("TOTAL AMOUNT OUTSTANDING", "£" + money(net + vat, "en")),
        ],
        style="ruled",
        label=0.75,
        lead=1.7,
    )
    p.line(f"Settle by {in_words(when + timedelta(days=21), 'en')}", size=12, bold=True)
    p.gap(8)
    p.columns(
        [
            (
                "How to pay: at any post office with this slip, by phone, or by standing order. Spread the cost "
                "over ten instalments if you prefer."
            ),
            "Readings: your water meter serial "
            + digits(rng, 8)
            + " was read by our inspector. If the dial shows less than we billed, send us your own figure.",
            (
                "Smell gas? Open windows, do not touch switches and ring the emergency line at once. Leak "
                "outside? Report it free of charge, day or night."
            ),
        ],
        3,
        size=8.2,
    )
    _bars(p, p.left, p.y + 16, "#2a6f97")
    p.put(p.left + 180, p.y + 40, "Household consumption compared with last year")
    p.footer(f"{firm.address} · {firm.phone} · {firm.web} · VAT {firm.vat}", align="right")
    return [p.page()]


ISSUERS = (
    Issuer(slug="lumeria", language="it", split="train", count=3, draw=_electricity_it),
    Issuer(slug="val-trebula", language="it", split="train", count=2, draw=_water),
    Issuer(slug="brightwater", language="en", split="train", count=2, draw=_electricity_en),
    Issuer(slug="larkline", language="en", split="train", count=2, draw=_phone),
    Issuer(slug="metanord", language="it", split="test", count=3, draw=_gas),
    Issuer(slug="severn-vale", language="en", split="test", count=3, draw=_water_and_gas),
)
