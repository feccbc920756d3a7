"""Italian income tax returns: the 730 in several dresses."""

from __future__ import annotations

from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import bar_code, logo, signature, stamp
from data.generator.pages import Page, Paper
from data.generator.people import company, day, digits, money, person, share, slashes


def _euros(cents: int) -> str:
    return money(cents, "it")[:-3] + ",00"


def _ordinary(rng: Random) -> list[Page]:
    who, year = person(rng, "it"), rng.randrange(2014, 2023)
    gross = rng.randrange(16000, 60000) * 100
    tax, refund = share(gross - 90000, 23), rng.randrange(100, 1400) * 100
    net = tax - 150000
    p = Paper(rng, family="sans", text=9, margin=34)
    p.box(p.left, 32, p.inner, 40, fill="#f3d9b8", outline="#555555")
    p.put(p.left + 8, 60, f"MODELLO 730/{year + 1}", size=20, bold=True)
    p.put(p.right - 8, 48, f"redditi {year}", size=12, bold=True, align="right")
    p.put(
        p.right - 8,
        62,
        "dichiarazione semplificata dei contribuenti che si avvalgono dell'assistenza fiscale",
        size=7,
        align="right",
    )
    p.y = 80
    p.cells(
        [
            ("CODICE FISCALE DEL CONTRIBUENTE (obbligatorio)", who.tax_code),
            ("Dichiarante", "X"),
            ("Coniuge dichiarante", ""),
            ("Dichiarazione congiunta", ""),
            ("730 integrativo", ""),
            ("Soggetto fiscalmente a carico di altri", ""),
        ]
    )
    p.line("DATI DEL CONTRIBUENTE", bold=True, size=8)
    p.cells(
        [
            ("COGNOME", who.surname.upper()),
            ("NOME", who.name.upper()),
            ("SESSO (M o F)", "F" if who.woman else "M"),
            ("DATA DI NASCITA", slashes(who.born)),
            ("COMUNE DI NASCITA", who.town.upper()),
            ("PROVINCIA", who.province),
        ]
    )
    p.line("RESIDENZA ANAGRAFICA - da compilare solo se variata", bold=True, size=8)
    p.cells([("COMUNE", who.city.upper()), ("INDIRIZZO", who.street.upper()), ("TELEFONO", who.phone)])
    p.line("FAMILIARI A CARICO", bold=True, size=8)
    p.table(
        [
            ("", "Codice fiscale", "N. mesi", "Minore di 3 anni", "% detrazione"),
            ("C  Coniuge", person(rng, "it").tax_code, "12", "", ""),
            ("F1 Primo figlio", person(rng, "it").tax_code if rng.random() < 0.6 else "", "12", "", "50"),
        ],
        widths=(2, 3, 1, 1.6, 1.4),
        align="llccc",
        style="grid",
        size=8,
    )
    p.line("DATI DEL SOSTITUTO D'IMPOSTA CHE EFFETTUERÀ IL CONGUAGLIO", bold=True, size=8)
    firm = company("Impresa Edile Sant'Orso", "it", rng)
    p.cells(
        [
            ("COGNOME E NOME o DENOMINAZIONE", firm.name.upper()),
            ("CODICE FISCALE", firm.vat),
            ("COMUNE", firm.city.upper()),
        ]
    )
    p.line("QUADRO C - REDDITI DI LAVORO DIPENDENTE E ASSIMILATI", bold=True, size=8)
    p.table(
        [
            ("Rigo", "1 Tipo", "2 Ind./Det.", "3 Reddito (punto 1 CU)"),
            ("C1", "2", "1", _euros(gross)),
            ("C5 periodo di lavoro", "", "", "365"),
            ("C9 ritenute Irpef", "", "", _euros(net + refund)),
            ("C10 ritenute addizionale regionale", "", "", _euros(share(gross, 1.5))),
        ],
        widths=(3, 1, 1, 2),
        align="lccr",
        style="grid",
        size=8,
    )
    p.gap(8)
    p.put(p.left, p.y + 8, "N. modelli compilati 1")
    p.put(p.right, p.y + 8, "FIRMA DEL CONTRIBUENTE", align="right")
    signature(p, p.right - 120, p.y + 36, 110)
    first = p.page()
    if rng.random() < 0.35:
        return [first]
    p = Paper(rng, family="sans", text=9, margin=34)
    p.line(f"Codice fiscale  {who.tax_code}", family="mono", size=10)
    p.line("QUADRO A - REDDITI DEI TERRENI / QUADRO B - REDDITI DEI FABBRICATI", bold=True, size=9)
    p.table(
        [
            ("", "Rendita", "Utilizzo", "Giorni", "Possesso %", "Codice comune"),
            ("B1", _euros(rng.randrange(300, 900) * 100), "1", "365", "100", who.tax_code[11:15]),
            ("B2", _euros(rng.randrange(30, 90) * 100), "5", "365", "50", who.tax_code[11:15]),
        ],
        widths=(1, 2, 1, 1, 1.4, 2),
        align="lrcccc",
        style="grid",
    )
    p.line("QUADRO E - ONERI E SPESE", bold=True, size=9)
    spent = [
        ("E1 Spese sanitarie", 45000),
        ("E7 Interessi mutui ipotecari per l'abitazione principale", 180000),
        ("E8 Altre spese: istruzione", 60000),
        ("E41 Recupero patrimonio edilizio", 120000),
        ("E8 Premi di assicurazione vita e infortuni", 53000),
    ]
    p.table(
        [
            ("Rigo e descrizione", "Importo"),
            *[(n, _euros(v + rng.randrange(40) * 1000)) for n, v in sorted(rng.sample(spent, 3))],
            ("E21 Contributi previdenziali ed assistenziali", _euros(90000)),
        ],
        widths=(5, 1.5),
        align="lr",
        style="grid",
    )
    p.line("PROSPETTO DI LIQUIDAZIONE MOD. 730-3", bold=True, size=9)
    p.table(
        [
            ("11 REDDITO COMPLESSIVO", _euros(gross)),
            ("13 ONERI DEDUCIBILI", _euros(90000)),
            ("14 REDDITO IMPONIBILE", _euros(gross - 90000)),
            ("16 IMPOSTA LORDA", _euros(tax)),
            ("48 TOTALE DETRAZIONI E CREDITI", _euros(150000)),
            ("50 IMPOSTA NETTA", _euros(net)),
            ("59 RITENUTE", _euros(net + refund)),
            ("91 IMPORTO DA RIMBORSARE (dal sostituto)", _euros(refund)),
        ],
        widths=(5, 1.5),
        align="lr",
        style="zebra",
        header=False,
        bold_last=True,
    )
    return [first, p.page()]


def _caf(rng: Random) -> list[Page]:
    """Draw the receipt and computation that a tax assistance centre hands out."""
    who, year = person(rng, "it"), rng.randrange(2012, 2022)
    gross = rng.randrange(14000, 45000) * 100
    refund = rng.randrange(-600, 1200) * 100
    p = Paper(rng, family="freeserif", text=10.5, margin=52)
    logo(p, "bars", p.left, 40, 34, "#98292f")
    p.put(p.left + 46, 56, "CAF Lavoratori Uniti", size=17, bold=True)
    p.put(p.left + 46, 70, f"Centro di assistenza fiscale - sportello di {who.city}", size=9)
    p.y = 96
    p.line(f"730-3 redditi {year}", size=16, bold=True, align="right")
    p.line("Prospetto di liquidazione relativo all'assistenza fiscale prestata", italic=True, align="right")
    p.gap(8)
    p.fields(
        [
            ("Dichiarante", f"{who.surname} {who.name}".upper()),
            ("Codice fiscale", who.tax_code),
            ("Nato/a il", f"{slashes(who.born)} a {who.town}"),
            ("Residente a", who.address),
            ("N. protocollo", f"{digits(rng, 8)}/{digits(rng, 6)}"),
        ],
        style="bold",
    )
    p.gap(8)
    rows = [
        ("Redditi dominicali e agrari", rng.randrange(100) * 100),
        ("Redditi fabbricati", rng.randrange(300, 900) * 100),
        ("Redditi di lavoro dipendente (da CU)", gross),
    ]
    whole = sum(v for _, v in rows)
    tax, health = share(whole - 40000, 23), rng.randrange(40, 300) * 100
    net = tax - 69000 - health
    rows += [
        ("REDDITO COMPLESSIVO", whole),
        ("Oneri deducibili", 40000),
        ("REDDITO IMPONIBILE", whole - 40000),
        ("Imposta lorda", tax),
        ("Detrazione per carichi di famiglia", 69000),
        ("Detrazione spese sanitarie 19%", health),
        ("Imposta netta", net),
        ("Ritenute subite", net + refund),
    ]
    p.table(
        [("Riepilogo dei redditi e calcolo dell'Irpef", "Dichiarante (€)"), *[(n, _euros(v)) for n, v in rows]],
        widths=(4, 1.4),
        align="lr",
        style="rules",
        shade="#eddad6",
    )
    p.line(
        f"{'IMPORTO DA RIMBORSARE' if refund > 0 else 'IMPORTO DA TRATTENERE'}: € {_euros(abs(refund))}",
        bold=True,
        size=12,
    )
    p.gap(8)
    p.paragraph(
        "Il conguaglio sarà effettuato dal datore di lavoro nella busta paga di luglio. Il contribuente "
        "ha esibito la certificazione unica e la documentazione degli oneri, di cui è stata verificata "
        "la conformità. Scelta otto per mille: Stato. Scelta cinque per mille: ricerca sanitaria."
    )
    p.gap(32)
    p.put(p.left, p.y, "Il contribuente")
    p.put(p.right, p.y, "Il responsabile dell'assistenza fiscale", align="right")
    signature(p, p.left, p.y + 28)
    stamp(p, ["CAF", "VISTO DI", "CONFORMITÀ"], p.right - 80, p.y + 46, radius=42)
    return [p.page()]


def _studio(rng: Random) -> list[Page]:
    """Draw a professional's typed return of the same kind, another form."""
    who, year = person(rng, "it"), rng.randrange(2013, 2023)
    gross = rng.randrange(18000, 70000) * 100
    p = Paper(rng, family="dejavumono", text=8.2, margin=46)
    p.box(p.left, 34, p.inner, 28, outline="#000000", line=1.4)
    p.put(
        p.width / 2,
        53,
        f"DICHIARAZIONE DEI REDDITI DELLE PERSONE FISICHE - 730 PRECOMPILATO {year + 1}",
        size=10,
        bold=True,
        align="center",
        fit=p.inner - 10,
    )
    p.y = 74
    p.line(f"Periodo d'imposta {year}          invio telematico n. {digits(rng, 11)}")
    p.line(
        f"Intermediario: {company('Studio Commercialisti Marangon', 'it').name}   data "
        f"{slashes(day(rng, year + 1, year + 1))}"
    )
    p.gap(6)
    p.rule()
    p.line("SEZIONE ANAGRAFICA", bold=True)
    p.fields(
        [
            ("Contribuente", f"{who.surname}, {who.name}"),
            ("Cod. fisc.", who.tax_code),
            ("Luogo e data nascita", f"{who.town} ({who.province}), {slashes(who.born)}"),
            ("Domicilio fiscale", who.address),
            ("Stato civile", rng.choice(("celibe/nubile", "coniugato/a", "vedovo/a"))),
            ("Carichi di famiglia", rng.choice(("nessuno", "un figlio al 50%", "coniuge"))),
        ]
    )
    for title, rows in (
        (
            "QUADRO B - FABBRICATI",
            [
                ("B1 abitazione principale", rng.randrange(400, 1100) * 100),
                ("B2 pertinenza (box)", rng.randrange(40, 120) * 100),
            ],
        ),
        ("QUADRO C - LAVORO DIPENDENTE", [("C1 reddito", gross), ("C9 ritenute", share(gross, 19))]),
        ("QUADRO D - ALTRI REDDITI", [("D5 redditi derivanti da attività occasionale", rng.randrange(0, 3000) * 100)]),
        (
            "QUADRO E - ONERI DETRAIBILI E DEDUCIBILI",
            [
                ("E1 spese mediche", rng.randrange(200, 1900) * 100),
                ("E10 spese veterinarie", rng.randrange(50, 300) * 100),
                ("E14 spese funebri", 0),
                ("E26 altri oneri deducibili", rng.randrange(0, 400) * 100),
            ],
        ),
        (
            "QUADRO F - ACCONTI E CREDITI",
            [
                ("F1 prima rata acconto Irpef", rng.randrange(0, 500) * 100),
                ("F3 eccedenza precedente dichiarazione", rng.randrange(0, 200) * 100),
            ],
        ),
    ):
        p.gap(5)
        p.rule(width=0.3)
        p.line(title, bold=True)
        p.table([(n, _euros(v)) for n, v in rows], widths=(4, 1.5), align="lr", style="bare", header=False, height=1.5)
    p.rule()
    p.gap(4)
    p.line(
        (
            f"Esito della liquidazione: saldo a {rng.choice(('credito', 'debito'))} di euro "
            f"{_euros(rng.randrange(50, 900) * 100)}"
        ),
        bold=True,
        size=9.5,
    )
    p.gap(4)
    p.paragraph(
        "Il sottoscritto dichiara di aver esaminato il contenuto del modello e conferma la veridicità "
        "dei dati; autorizza il pagamento tramite modello F24 o il rimborso sul conto corrente "
        "comunicato. Destinazione 8, 5 e 2 per mille: nessuna scelta espressa."
    )
    p.gap(26)
    p.put(p.left, p.y, "Firma del dichiarante _________________________")
    signature(p, p.left + 130, p.y, 100)
    bar_code(p, p.right - 140, p.y - 20, 140, 26)
    return [p.page()]


ISSUERS = (
    Issuer(slug="730-ordinary", language="it", split="train", count=3, draw=_ordinary),
    Issuer(slug="730-caf", language="it", split="train", count=2, draw=_caf),
    Issuer(slug="730-marangon", language="it", split="test", count=3, draw=_studio),
)
