"""Insurance receipts: a premium was paid."""

from __future__ import annotations

from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import bar_code, logo, signature, stamp
from data.generator.pages import Page, Paper
from data.generator.people import company, day, digits, in_words, letters, money, person, share, slashes, year_later


def _lanterna(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "it"), company("Lanterna Assicurazioni", "it"), day(rng, 2013, 2023)
    net = rng.randrange(12000, 60000)
    tax, health = share(net, 12.5), share(net, 10.5)
    number, policy = digits(rng, 9), f"{digits(rng, 4)}.{digits(rng, 7)}"
    branch = rng.choice(("R.C. AUTO", "INCENDIO", "INFORTUNI"))
    means = rng.choice(("assegno", "bonifico bancario", "contanti", "bancomat"))
    p = Paper(rng, family="sans", text=10)
    for copy in ("COPIA PER IL CONTRAENTE", "COPIA PER L'AGENZIA"):
        logo(p, "peak", p.left, p.y, 30, "#1f5c8a")
        p.put(p.left + 40, p.y + 16, firm.name, size=15, bold=True)
        p.put(p.left + 40, p.y + 28, f"Agenzia di {who.city} - {firm.phone}", size=8)
        p.put(p.right, p.y + 12, copy, size=7, align="right")
        p.y += 44
        p.line("QUIETANZA DI PAGAMENTO PREMIO", size=14, bold=True, align="center")
        p.gap(6)
        p.cells(
            [
                ("QUIETANZA N.", number),
                ("POLIZZA N.", policy),
                ("RAMO", branch),
                ("RATA DAL", slashes(start)),
                ("RATA AL", slashes(year_later(start))),
                ("CODICE FISCALE", who.tax_code),
            ]
        )
        p.cells([("CONTRAENTE", f"{who.full.upper()} - {who.address}")], per_row=1)
        p.table(
            [
                ("Premio netto", "Accessori", "Imposte", "S.S.N.", "Totale EUR"),
                (
                    money(net, "it"),
                    "5,00",
                    money(tax, "it"),
                    money(health, "it"),
                    money(net + tax + health + 500, "it"),
                ),
            ],
            widths=(1, 1, 1, 1, 1),
            align="rrrrr",
            style="grid",
        )
        p.paragraph(
            (
                f"Il premio di cui sopra è stato incassato il {slashes(start)} a mezzo {means}. La presente "
                "quietanza è valida solo se munita di timbro e firma dell'incaricato."
            ),
            size=8.5,
        )
        p.gap(30)
        p.put(p.right, p.y, "L'incaricato alla riscossione", align="right")
        signature(p, p.right - 110, p.y + 22)
        stamp(p, ["PAGATO", slashes(start)], p.left + 90, p.y + 4, kind="box", radius=42, color="#9a1d2b")
        p.gap(44)
        p.rule(width=0.4)
        p.gap(30)
    return [p.page()]


def _broker(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "it"), company("Studio Broker Torrigiani", "it"), day(rng, 2014, 2023)
    total = rng.randrange(18000, 90000)
    p = Paper(rng, family="freeserif", text=11.5, margin=66)
    p.line(firm.name, size=17, bold=True)
    p.line("intermediazione assicurativa - iscr. R.U.I. B000" + digits(rng, 6), size=9, italic=True)
    p.line(f"{firm.address} - P.IVA {firm.vat}", size=9)
    p.gap(26)
    p.line(f"{who.city}, {in_words(start, 'it')}", align="right")
    p.gap(16)
    p.line("RICEVUTA", size=18, bold=True, align="center")
    p.gap(14)
    p.paragraph(
        f"Riceviamo {'dalla Sig.ra' if who.woman else 'dal Sig.'} {who.full}, "
        f"domiciliat{'a' if who.woman else 'o'} in {who.address}, C.F. {who.tax_code}, la somma di"
    )
    p.gap(8)
    p.line(f"Euro {money(total, 'it')}", size=16, bold=True, align="center")
    p.gap(8)
    p.paragraph(
        f"a saldo del premio di assicurazione relativo alla polizza n. {digits(rng, 8)}/{letters(rng, 1)} "
        "emessa dalla compagnia "
        f"{rng.choice(('Orsa Maggiore Danni', 'Mediterranea Rischi', 'La Cordata'))}, "
        "garanzia "
        f"{rng.choice(('responsabilità civile del capofamiglia', 'globale fabbricati', 'tutela legale', 'furto'))}, "
        f"per il periodo dal {slashes(start)} al {slashes(year_later(start))}."
    )
    p.gap(10)
    p.paragraph(
        f"Di cui imposte di legge Euro {money(share(total, 18.2), 'it')}. Il pagamento effettuato al "
        "broker ha effetto liberatorio per l'assicurato ai sensi dell'art. 118 del Codice delle "
        "assicurazioni private."
    )
    p.gap(50)
    p.line("Per quietanza", align="right")
    signature(p, p.right - 120, p.y + 30, 115)
    stamp(p, ["TORRIGIANI", "BROKER"], p.left + 70, p.y + 14, radius=38)
    p.box(p.left, p.y + 70, 92, 42, outline="#555555")
    p.put(p.left + 46, p.y + 94, "bollo 2,00 €", size=8, align="center")
    return [p.page()]


def _salvia(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "it"), company("Salvia Protezione Danni", "it"), day(rng, 2015, 2023)
    rows = [
        (rng.choice(("Incendio fabbricato", "RC famiglia", "Assistenza")), rng.randrange(4000, 19000)),
        ("Infortuni conducente", rng.randrange(2000, 6000)),
    ]
    tax = share(sum(r[1] for r in rows), 21.25)
    p = Paper(rng, size=(595, 420), family="condensed", text=9.5, margin=36)
    p.box(p.left, 30, 130, 46, fill="#5d7f3a")
    p.put(p.left + 65, 58, "SALVIA", size=22, bold=True, align="center", color="#ffffff")
    p.put(p.right, 44, "Attestazione di avvenuto pagamento", size=13, bold=True, align="right")
    p.put(p.right, 60, f"del {slashes(start)} - rif. {letters(rng, 3)}{digits(rng, 6)}", align="right")
    p.y = 92
    top = p.y
    p.fields(
        [
            ("Intestatario", who.full),
            ("Indirizzo", who.street),
            ("Località", who.postcode_city),
            ("Cod. fiscale", who.tax_code),
        ],
        width=250,
        style="bold",
    )
    p.y = top
    p.fields(
        [
            ("Contratto", f"{digits(rng, 2)}-{digits(rng, 7)}"),
            ("Periodo di copertura", f"{slashes(start)} - {slashes(year_later(start))}"),
            ("Modalità", rng.choice(("addebito in conto", "carta di credito", "POS"))),
            ("Mittente", firm.name),
        ],
        x=300,
        style="bold",
        label=0.42,
    )
    p.gap(10)
    p.table(
        [
            ("Garanzia", "Premio imponibile", "Tasse"),
            *[(n, money(v, "it"), money(share(v, 21.25), "it")) for n, v in rows],
            ("Totale versato", "", f"€ {money(sum(r[1] for r in rows) + tax, 'it')}"),
        ],
        widths=(4, 2, 2),
        align="lrr",
        style="zebra",
        bold_last=True,
    )
    p.gap(6)
    p.paragraph(
        (
            "Grazie per aver rinnovato la fiducia in noi. Conservi questa ricevuta insieme alla polizza: "
            "comprova che la rata è stata saldata e che la copertura assicurativa è attiva."
        ),
        size=8.5,
    )
    bar_code(p, p.left, p.y + 14, 170, 26)
    p.footer(f"{firm.name} - {firm.address} - {firm.web} - capitale sociale € 12.000.000 i.v.", size=6.2)
    return [p.page()]


def _merrow(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "en"), company("Merrow Mutual", "en"), day(rng, 2013, 2023)
    net = rng.randrange(9000, 60000)
    tax = share(net, 12)
    p = Paper(rng, family="serif", text=11.5, margin=60)
    logo(p, "rings", p.left, 40, 44, "#6b3f8c")
    p.put(p.left + 56, 62, "Merrow Mutual", size=22, bold=True)
    p.put(p.left + 56, 76, "Insurance owned by its members since 1871", size=9, italic=True)
    p.y = 116
    p.line("PREMIUM RECEIPT", size=18, bold=True, align="center")
    p.gap(12)
    p.fields(
        [
            ("Receipt number", digits(rng, 8)),
            ("Date received", in_words(start, "en")),
            ("Received from", who.full),
            ("Address", who.address),
            ("Policy number", f"MM/{digits(rng, 6)}/{rng.choice('HMT')}"),
            ("Class of insurance", rng.choice(("Household", "Private car", "Travel", "Caravan"))),
            ("Period of cover", f"{slashes(start)} to {slashes(year_later(start))}"),
        ],
        style="dots",
    )
    p.gap(12)
    p.table(
        [
            ("Description", "Amount"),
            ("Renewal premium", f"£{money(net, 'en')}"),
            ("Insurance premium tax at 12%", f"£{money(tax, 'en')}"),
            ("Administration fee", "£10.00"),
            ("Total received with thanks", f"£{money(net + tax + 1000, 'en')}"),
        ],
        widths=(4, 1.4),
        align="lr",
        style="grid",
        bold_last=True,
    )
    p.gap(8)
    p.paragraph(
        f"Paid by {rng.choice(('cheque', 'debit card', 'bank transfer', 'direct debit'))}. This receipt "
        "is your proof of payment. It does not change the terms of your policy."
    )
    p.gap(40)
    p.put(p.left, p.y, "Cashier")
    signature(p, p.left + 50, p.y)
    stamp(p, ["MERROW", "RECEIVED", slashes(start)], p.right - 80, p.y - 20, radius=42, color="#6b3f8c")
    p.footer(f"{firm.name}, {firm.address}. Telephone {firm.phone}.")
    return [p.page()]


def _redgate(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "en"), company("Redgate Insurance Services", "en"), day(rng, 2012, 2022)
    total = rng.randrange(15000, 80000)
    p = Paper(rng, size=(420, 595), family="freemono", text=9.5, margin=32)
    p.line("REDGATE INSURANCE SERVICES", size=13, bold=True, align="center")
    p.line("Agents and brokers", align="center")
    p.line(firm.address, size=8, align="center")
    p.line(f"Tel. {firm.phone}", size=8, align="center")
    p.gap(8)
    p.rule()
    p.line("OFFICIAL RECEIPT", size=13, bold=True, align="center")
    p.line(f"No. {letters(rng, 1)} {digits(rng, 5)}", align="right", bold=True)
    p.gap(6)
    p.fields(
        [
            ("Date:", slashes(start)),
            ("Client:", who.full),
            ("Insurer:", rng.choice(("Palatine Fire Office", "Crown & Anchor", "Old Provident"))),
            ("Policy ref:", f"{letters(rng, 2)}{digits(rng, 8)}"),
            ("Risk:", rng.choice(("Motor", "Home buildings", "Shop & stock", "Motorcycle"))),
            ("Renewal due:", slashes(year_later(start))),
        ],
        lead=1.7,
    )
    p.gap(8)
    first = share(total, rng.choice((25, 50, 100)))
    p.fields(
        [
            ("Annual premium", f"GBP {money(total, 'en'):>10}"),
            ("Amount paid", f"GBP {money(first, 'en'):>10}"),
            ("Balance due", f"GBP {money(total - first, 'en'):>10}"),
        ],
        label=0.5,
        style="ruled",
        lead=1.8,
    )
    p.gap(8)
    p.paragraph(
        (
            f"RECEIVED by {rng.choice(('CASH', 'CHEQUE', 'CARD'))} the sum stated above in payment of the "
            "premium for the insurance described. Cheques are accepted subject to clearance. Keep this slip "
            "with your certificate."
        ),
        size=8.5,
    )
    p.gap(34)
    p.put(p.left, p.y, "Signed ____________________")
    signature(p, p.left + 50, p.y, 80)
    stamp(p, ["PAID"], p.right - 70, p.y - 10, kind="box", radius=34, color="#b0202a")
    return [p.page()]


def _calder(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "en"), company("Calder Direct Cover", "en"), day(rng, 2016, 2023)
    net = rng.randrange(12000, 70000)
    p = Paper(rng, family="dejavu", text=9.2, margin=54)
    p.put(p.left, 56, "calder", size=26, bold=True, color="#0b7a75")
    p.put(p.right, 46, firm.name, size=8, align="right")
    p.put(p.right, 57, firm.address, size=8, align="right")
    p.put(p.right, 68, f"{firm.web}  VAT {firm.vat}", size=8, align="right")
    p.y = 110
    p.lines([who.full, who.street, who.postcode_city])
    p.gap(22)
    p.line(f"Dear {'Ms' if who.woman else 'Mr'} {who.surname},")
    p.gap(8)
    p.line("We have received your payment", size=15, bold=True)
    p.gap(6)
    p.paragraph(
        f"Thank you. On {in_words(start, 'en')} we took £{money(share(net, 112), 'en')} from your "
        f"{rng.choice(('card ending', 'account ending'))} {digits(rng, 4)} for your "
        f"{rng.choice(('car', 'van', 'home', 'pet'))} insurance. "
        "Nothing more is owed for this period and your cover continues without a break."
    )
    p.gap(10)
    p.box(p.left, p.y, p.inner, 118, outline="#0b7a75", line=1.4)
    p.y += 10
    p.fields(
        [
            ("Policy", f"CDC{digits(rng, 9)}"),
            ("Covered until", in_words(year_later(start), "en")),
            ("Premium before tax", f"£{money(net, 'en')}"),
            ("IPT 12%", f"£{money(share(net, 112) - net, 'en')}"),
            ("Amount paid in full", f"£{money(share(net, 112), 'en')}"),
            ("Transaction reference", f"{letters(rng, 4)}-{digits(rng, 6)}"),
        ],
        x=p.left + 14,
        width=p.inner - 28,
        style="bold",
        lead=1.9,
    )
    p.gap(24)
    p.paragraph(
        "This is a receipt and not a demand for payment. Insurance is exempt from VAT. Please keep it "
        "for your records: a lender or a landlord may ask for proof that the premium was paid."
    )
    p.gap(10)
    p.line("Yours sincerely,")
    signature(p, p.left, p.y + 36, 80)
    p.gap(44)
    p.line("Accounts team")
    p.footer("Calder Direct Cover arranges and administers policies underwritten by a panel of insurers.", align="left")
    return [p.page()]


ISSUERS = (
    Issuer(slug="lanterna", language="it", split="train", count=3, draw=_lanterna),
    Issuer(slug="torrigiani", language="it", split="train", count=2, draw=_broker),
    Issuer(slug="merrow-mutual", language="en", split="train", count=2, draw=_merrow),
    Issuer(slug="redgate", language="en", split="train", count=2, draw=_redgate),
    Issuer(slug="salvia", language="it", split="test", count=3, draw=_salvia),
    Issuer(slug="calder-direct", language="en", split="test", count=3, draw=_calder),
)
