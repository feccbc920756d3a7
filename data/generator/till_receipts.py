"""Till receipts: narrow slips of shops, bars, chemists and filling stations."""

from __future__ import annotations

from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import bar_code, logo, square_code
from data.generator.pages import Page, Paper
from data.generator.people import company, day, digits, letters, money, person, share, slashes


def _basket(rng: Random, goods: str, least: int, most: int) -> list[tuple[str, int]]:
    """Choose goods, written as ``name:lowest price:highest price`` in cents."""
    chosen = rng.sample(goods.split(";"), rng.randrange(least, most + 1))
    return [
        (name, rng.randrange(int(low), int(high)) // 5 * 5 - 1) for name, low, high in (g.split(":") for g in chosen)
    ]


def _clock(rng: Random) -> str:
    return f"{rng.randrange(8, 21):02d}:{rng.randrange(60):02d}"


def _pairs(p: Paper, rows: list[tuple[str, str]], *, bold: bool = False, size: float | None = None) -> None:
    for name, value in rows:
        high = size or p.size
        p.y += high
        p.put(p.left, p.y, name, size=high, bold=bold, fit=p.inner * 0.72)
        p.put(p.right, p.y, value, size=high, bold=bold, align="right")
        p.y += high * 0.3


def _total(rows: list[tuple[str, int]]) -> int:
    return sum(v for _, v in rows)


def _change(rng: Random, total: int) -> int:
    """Give the notes a customer hands over, in cents."""
    return (
        next(note for note in (500, 1000, 2000, 5000, 10000, 20000, 50000) if note >= total)
        if rng.random() < 0.9
        else total
    )


def _spesabella(rng: Random) -> list[Page]:
    firm = company("Spesabella Supermercati", "it")
    rows = _basket(
        rng,
        (
            "LATTE PS 1L:120:190;PANE COMUNE:150:320;MOZZARELLA:180:360;POMODORI RAMATI:190:420;"
            "PASTA SEMOLA:70:150;BANANE:120:260;UOVA FRESCHE X6:160:280;CAFFE MACINATO:290:550;"
            "PROSC.COTTO:320:690;OLIO EXTRAV.:590:1190;BISCOTTI:180:390;DETERSIVO PIATTI:140:320;"
            "ACQUA NAT. 6X1,5:180:300;YOGURT BIANCO:90:180;INSALATA BUSTA:110:240;CARTA IGIENICA:250:480"
        ),
        6,
        13,
    )
    total = _total(rows)
    rates = [rng.choice((4, 10, 22)) for _ in rows]
    vat = sum(round(v * rate / (100 + rate)) for (_, v), rate in zip(rows, rates, strict=True))
    p = Paper(rng, size=(215, 900), family="mono", text=9, margin=12)
    p.line(firm.name.upper(), size=11, bold=True, align="center")
    for text in (firm.street, firm.city, f"P.IVA {firm.vat}"):
        p.line(text, size=8, align="center")
    p.gap(6)
    p.line("DOCUMENTO COMMERCIALE", bold=True, align="center")
    p.line("di vendita o prestazione", align="center")
    p.gap(4)
    _pairs(p, [("DESCRIZIONE", "Prezzo(€)")])
    p.rule()
    p.table(
        [(n, f"{rate},00%", money(v, "it")) for (n, v), rate in zip(rows, rates, strict=True)],
        widths=(5, 2, 2),
        align="lrr",
        style="bare",
        header=False,
        size=8,
        height=1.45,
    )
    p.rule()
    _pairs(p, [("TOTALE COMPLESSIVO", money(total, "it"))], bold=True, size=11)
    _pairs(
        p,
        [
            ("di cui IVA", money(vat, "it")),
            (rng.choice(("Pagamento elettronico", "Pagamento contante")), money(total, "it")),
            ("Importo pagato", money(total, "it")),
        ],
    )
    p.gap(4)
    _pairs(
        p,
        [
            (f"{slashes(day(rng, 2020, 2023))} {_clock(rng)}", f"DOC.N. {digits(rng, 4)}-{digits(rng, 4)}"),
            ("Cassa 0" + digits(rng, 1), "Op. " + rng.choice(("ANNA", "LUCA", "SARA"))),
        ],
    )
    p.line(f"RT 96MKR{digits(rng, 6)}", align="center")
    p.gap(4)
    p.line("Punti spesa maturati: " + str(total // 100), align="center")
    p.line("ARRIVEDERCI E GRAZIE", align="center")
    bar_code(p, 40, p.y + 6, 135, 26)
    p.y += 36
    return [p.page(cut=True)]


def _bar(rng: Random) -> list[Page]:
    firm = company("Bar Pasticceria Fiordaliso", "it")
    rows = _basket(
        rng,
        (
            "CAFFE':100:130;CAPPUCCINO:130:180;CORNETTO:120:160;SPREMUTA:280:400;PANINO:350:600;"
            "ACQUA 0,5:100:150;TRAMEZZINO:250:350;APERITIVO:500:800;GELATO 2 GUSTI:250:350"
        ),
        2,
        5,
    )
    total = _total(rows)
    cash = _change(rng, total)
    p = Paper(rng, size=(164, 600), family="freemono", text=9.5, margin=9)
    for text in ("BAR PASTICCERIA", "FIORDALISO"):
        p.line(text, size=12, bold=True, align="center")
    p.line(firm.street, align="center", size=8)
    p.line(f"{firm.city} Tel {firm.phone}", align="center", size=8)
    p.line(f"PARTITA IVA {firm.vat}", align="center", size=8)
    p.gap(6)
    p.line("EURO", align="right")
    _pairs(p, [(n, money(v, "it")) for n, v in rows])
    p.gap(2)
    _pairs(p, [("TOTALE EURO", money(total, "it"))], bold=True, size=12)
    _pairs(p, [("CONTANTI", money(cash, "it")), ("RESTO", money(cash - total, "it"))])
    p.gap(4)
    p.line(f"N. SCONTRINO {digits(rng, 3)}    PEZZI {len(rows)}", size=8)
    p.line(f"{slashes(day(rng, 2008, 2018))}   {_clock(rng)}", size=8)
    p.line(f"SCONTRINO FISCALE  MF {letters(rng, 2)} {digits(rng, 8)}", size=8)
    p.line("GRAZIE DELLA VISITA", align="center")
    return [p.page(cut=True)]


def _farmacia(rng: Random) -> list[Page]:
    firm = company("Farmacia Santa Zita", "it")
    rows = _basket(
        rng,
        (
            "TACHIDOL 20CPR:600:1100;SCIROPPO TOSSE:700:1300;GARZE STERILI:200:500;CREMA MANI:450:900;"
            "VITAMINA C:500:1200;COLLIRIO:800:1500;TERMOMETRO:600:1400;DENTIFRICIO:250:490;"
            "TICKET RICETTA:200:400"
        ),
        2,
        5,
    )
    total = _total(rows)
    p = Paper(rng, size=(227, 700), family="condensed", text=9, margin=14)
    logo(p, "square", 96, 12, 32, "#1d7a3a")
    p.y = 52
    p.line("FARMACIA SANTA ZITA", size=13, bold=True, align="center")
    p.line("Dr.ssa L. Tavernari", italic=True, align="center")
    p.line(f"{firm.address}", size=7.5, align="center")
    p.line(f"p.i. {firm.vat}", size=7.5, align="center")
    p.rule(width=0.4)
    for name, value in rows:
        p.line(f"{rng.choice(('FARMACO', 'PARAFARM.', 'DISP. MEDICO'))} - AIC {digits(rng, 9)}", size=7)
        _pairs(p, [(name, f"€ {money(value, 'it')}")])
    p.rule(width=0.4)
    _pairs(p, [("Sub-totale", money(total, "it")), ("Sconto", "0,00")])
    _pairs(p, [("Totale €", money(total, "it"))], bold=True, size=13)
    _pairs(p, [("Carta di debito", money(total, "it")), ("IVA compresa", money(round(total / 11), "it"))])
    p.gap(6)
    p.line(f"Cod. fisc. cliente: {person(rng, 'it').tax_code}", size=7.5)
    p.line("Scontrino parlante valido ai fini della detrazione fiscale", size=7.5)
    p.line(f"del {slashes(day(rng, 2012, 2023))} ore {_clock(rng)}  n. {digits(rng, 5)}", size=7.5)
    p.line("Conservare per eventuali cambi merce", size=7.5, align="center")
    return [p.page(cut=True)]


def _corner(rng: Random) -> list[Page]:
    firm = company("Bramley's Corner Store", "en")
    rows = _basket(
        rng,
        (
            "SEMI SKIMMED MILK:95:160;WHITE LOAF:80:170;CHEDDAR 400G:250:420;BANANAS LOOSE:60:150;"
            "TEA BAGS 80:180:350;FREE RANGE EGGS:150:290;BAKED BEANS:60:120;CRISPS MULTI:120:260;"
            "TOMATO SOUP:70:140;BUTTER:170:290;CHOC BAR:60:110;NEWSPAPER:90:220;WASHING UP LIQ:90:200;"
            "ORANGE JUICE:110:240"
        ),
        5,
        11,
    )
    total = _total(rows)
    cash = _change(rng, total)
    p = Paper(rng, size=(210, 800), family="dejavumono", text=8, margin=12)
    p.line("BRAMLEY'S", size=15, bold=True, align="center")
    p.line("your corner store", align="center")
    for text in (firm.street, firm.city, f"Tel {firm.phone}", f"VAT No {firm.vat}"):
        p.line(text, size=7.4, align="center")
    p.gap(5)
    p.line("-" * 37)
    _pairs(p, [(n, "£" + money(v, "en")) for n, v in rows])
    p.line("-" * 37)
    _pairs(p, [(f"TOTAL ({len(rows)} items)", "£" + money(total, "en"))], bold=True, size=11)
    _pairs(p, [("CASH", "£" + money(cash, "en")), ("CHANGE DUE", "£" + money(cash - total, "en"))])
    p.gap(5)
    p.line(f"Till {digits(rng, 1)}  Trans {digits(rng, 6)}  {rng.choice(('Joan', 'Imran', 'Becky'))}")
    p.line(f"{slashes(day(rng, 2012, 2023))}  {_clock(rng)}")
    p.gap(3)
    p.line("THANK YOU FOR SHOPPING WITH US", align="center")
    p.line("Please keep your receipt for refunds", align="center")
    return [p.page(cut=True)]


def _diner(rng: Random) -> list[Page]:
    firm = company("The Copper Kettle Cafe", "en")
    rows = _basket(
        rng,
        (
            "Flat white:250:340;Pot of tea:200:280;Full breakfast:750:1150;Soup of the day:450:650;"
            "Ploughman's:700:950;Scone & jam:280:400;Lemon drizzle:280:420;Jacket potato:520:780;"
            "Still water:150:250;Fish pie:890:1290"
        ),
        3,
        7,
    )
    total = _total(rows)
    service = share(total, 10)
    p = Paper(rng, size=(220, 700), family="freesans", text=10, margin=16)
    p.line("The Copper Kettle", size=16, italic=True, align="center", family="freeserif")
    p.line(firm.address, size=8, align="center")
    p.gap(8)
    p.line(
        (f"Table {rng.randrange(1, 20)}   Covers {rng.randrange(1, 6)}   Server: {rng.choice(('Mia', 'Tom', 'Zoe'))}"),
        size=8.5,
    )
    p.line(f"Check #{digits(rng, 5)}   {day(rng, 2014, 2023):%d-%b-%y}  {_clock(rng)}", size=8.5)
    p.rule(width=0.5)
    _pairs(p, [(f"1 x {n}", money(v, "en")) for n, v in rows])
    p.rule(width=0.5)
    _pairs(p, [("Subtotal", money(total, "en")), ("Service 10%", money(service, "en"))])
    _pairs(p, [("Total GBP", money(total + service, "en"))], bold=True, size=13)
    _pairs(p, [("VAT included at 20%", money(round((total + service) / 6), "en"))], size=8)
    p.gap(6)
    for text in (
        "CONTACTLESS SALE",
        f"Card **** **** **** {digits(rng, 4)}",
        f"AUTH CODE {digits(rng, 6)}",
        "APPROVED - NO SIGNATURE REQUIRED",
        "CUSTOMER COPY",
    ):
        p.line(text, size=8, align="center")
    p.line("Gratuity is shared among the staff. See you soon!", size=8, italic=True, align="center")
    return [p.page(cut=True)]


def _fuel(rng: Random) -> list[Page]:
    firm = company("Millbrook Hardware & Fuel", "en")
    shop = _basket(
        rng,
        (
            "WOOD SCREWS 4X40:250:500;PAINT BRUSH 2IN:300:700;DUCT TAPE:350:650;LED BULB:250:600;"
            "SCREENWASH:400:700;ENGINE OIL 1L:700:1400;PADLOCK:500:1300;COMPOST 40L:450:800;"
            "SANDPAPER PK:200:450"
        ),
        2,
        6,
    )
    litres, price = rng.randrange(1200, 5200), rng.randrange(118, 178)
    rows = [
        *shop,
        (f"PUMP {rng.randrange(1, 9)} UNLEADED {litres / 100:.2f}L @ {price / 100:.2f}", round(litres * price / 100)),
    ]
    total = _total(rows)
    p = Paper(rng, size=(235, 760), family="sans", text=9.5, margin=15)
    p.line(f"{slashes(day(rng, 2015, 2023))} {_clock(rng)}", size=8)
    p.line("SALES RECEIPT", size=14, bold=True)
    p.line(firm.name)
    p.line(firm.address, size=8)
    p.line(f"V.A.T. reg. {firm.vat}", size=8)
    p.gap(8)
    p.table(
        [("QTY", "ITEM", "AMT"), *[("1", n, money(v, "en")) for n, v in rows]],
        widths=(1, 6, 2),
        align="clr",
        style="bare",
        height=1.5,
        size=8.4,
    )
    p.rule()
    _pairs(p, [("Goods ex VAT", money(total - round(total / 6), "en")), ("VAT 20.00%", money(round(total / 6), "en"))])
    _pairs(p, [("AMOUNT TO PAY", "£" + money(total, "en"))], bold=True, size=12)
    _pairs(p, [("VISA DEBIT ****" + digits(rng, 4), "£" + money(total, "en")), ("Balance", "£0.00")])
    p.gap(6)
    p.paragraph(
        "Returns accepted within 28 days with proof of purchase. Your statutory rights are not affected.", size=7.5
    )
    square_code(p, 92, p.y + 8, 52)
    p.y += 64
    p.line(f"Store 0{digits(rng, 2)} Reg {digits(rng, 1)} Txn {digits(rng, 5)}", size=7.5, align="center")
    return [p.page(cut=True)]


ISSUERS = (
    Issuer(slug="spesabella", language="it", split="train", count=3, draw=_spesabella),
    Issuer(slug="fiordaliso", language="it", split="train", count=2, draw=_bar),
    Issuer(slug="bramleys", language="en", split="train", count=2, draw=_corner),
    Issuer(slug="copper-kettle", language="en", split="train", count=2, draw=_diner),
    Issuer(slug="santa-zita", language="it", split="test", count=3, draw=_farmacia),
    Issuer(slug="millbrook", language="en", split="test", count=3, draw=_fuel),
)
