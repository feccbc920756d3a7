"""Certificates of earnings and tax withheld: the Italian CU and CUD, and their English cousins."""

from __future__ import annotations

from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import logo, signature, stamp
from data.generator.pages import Page, Paper
from data.generator.people import company, day, digits, in_words, letters, money, person, share, slashes


def _pay(rng: Random) -> tuple[int, int, int, int]:
    """Gross pay, income tax, regional tax and social contributions, in cents."""
    gross = rng.randrange(15000, 48000) * 100 + rng.randrange(100)
    return gross, share(gross, rng.uniform(14, 24)), share(gross, 1.73), share(gross, 9.19)


def _unica(rng: Random) -> list[Page]:
    """Draw a form with numbered points, two pages."""
    who, firm, year = (
        person(rng, "it"),
        company("Officine Meccaniche Valdarda S.r.l.", "it", rng),
        rng.randrange(2015, 2023),
    )
    gross, tax, region, social = _pay(rng)
    p = Paper(rng, family="sans", text=9, margin=36)
    p.box(p.left, 34, 120, 44, fill="#c9d8ea")
    p.put(p.left + 8, 52, "CERTIFICAZIONE", size=12, bold=True)
    p.put(p.left + 8, 68, f"UNICA {year + 1}", size=14, bold=True)
    p.put(p.right, 48, "CERTIFICAZIONE DI CUI ALL'ART. 4, COMMI 6-ter e 6-quater,", size=7.5, align="right")
    p.put(p.right, 58, f"DEL D.P.R. 22 LUGLIO 1998, n. 322, RELATIVA ALL'ANNO {year}", size=7.5, align="right")
    p.y = 90
    shade = "#c9d8ea"
    p.table([("DATI ANAGRAFICI",)], widths=(1,), align="l", style="grid", shade=shade, size=8)
    p.line("DATI RELATIVI AL DATORE DI LAVORO, ENTE PENSIONISTICO O ALTRO SOSTITUTO D'IMPOSTA", size=7, bold=True)
    p.cells(
        [
            ("1 Codice fiscale", firm.vat),
            ("2 Cognome o denominazione", firm.name),
            ("4 Comune e provincia", firm.city),
            ("6 Indirizzo", firm.street),
            ("7 Telefono, fax", firm.phone),
            ("10 Codice attività", digits(rng, 6)),
        ]
    )
    p.line("DATI RELATIVI AL DIPENDENTE, PENSIONATO O ALTRO PERCETTORE DELLE SOMME", size=7, bold=True)
    p.cells(
        [
            ("1 Codice fiscale", who.tax_code),
            ("2 Cognome", who.surname.upper()),
            ("3 Nome", who.name.upper()),
            ("4 Sesso", "F" if who.woman else "M"),
            ("5 Data di nascita", slashes(who.born)),
            ("6 Comune (o Stato estero) di nascita", who.town.upper()),
            ("7 Prov. nasc.", who.province),
            ("20 Comune domicilio fiscale", who.city.upper()),
            ("23 Codice comune", digits(rng, 4)),
        ]
    )
    p.table([("DATI FISCALI",)], widths=(1,), align="l", style="grid", shade=shade, size=8)
    p.line("REDDITI DI LAVORO DIPENDENTE E ASSIMILATI", size=7, bold=True)
    p.cells(
        [
            ("1 Redditi di lavoro dipendente a tempo indeterminato", money(gross, "it")),
            ("3 Redditi di pensione", ""),
            ("6 Numero di giorni lav. dip.", "365"),
            ("21 Ritenute Irpef", money(tax, "it")),
            ("22 Addizionale regionale all'Irpef", money(region, "it")),
            ("27 Saldo addizionale comunale", money(share(gross, 0.8), "it")),
            ("361 Imposta lorda", money(tax + 124000, "it")),
            ("367 Detrazioni per lavoro dipendente", money(124000, "it")),
            ("391 Codice bonus", "2"),
        ]
    )
    p.table(
        [("DATI PREVIDENZIALI ED ASSISTENZIALI - INPS LAVORATORI SUBORDINATI",)],
        widths=(1,),
        align="l",
        style="grid",
        shade=shade,
        size=8,
    )
    p.cells(
        [
            ("1 Matricola azienda", digits(rng, 10)),
            ("4 Imponibile previdenziale", money(gross + social, "it")),
            ("6 Contributi a carico del lavoratore trattenuti", money(social, "it")),
        ]
    )
    p.gap(16)
    p.put(p.left, p.y + 8, f"DATA  {slashes(day(rng, year + 1, year + 1))}")
    p.put(p.right, p.y + 8, "FIRMA DEL SOSTITUTO D'IMPOSTA", align="right")
    signature(p, p.right - 130, p.y + 36, 110)
    first = p.page()
    if rng.random() < 0.3:
        return [first]
    p = Paper(rng, family="sans", text=8.5, margin=36)
    p.line(f"Codice fiscale del percipiente  {who.tax_code}      Mod. N. 1", family="mono")
    p.gap(6)
    p.line("ANNOTAZIONI", bold=True, size=11)
    p.paragraph(
        "AI - Informazioni relative al reddito certificato: rapporto a tempo indeterminato dal "
        f"01/01/{year} al 31/12/{year}, importo {money(gross, 'it')}. AL - Per fruire dell'esonero dalla "
        "presentazione della dichiarazione si rinvia alle istruzioni. "
        "BH - Dettaglio degli oneri deducibili: contributi versati alla previdenza complementare. GI - "
        "Il sostituto ha riconosciuto il credito spettante."
    )
    p.gap(8)
    p.line("INFORMAZIONI PER IL CONTRIBUENTE", bold=True, size=11)
    p.columns(
        [
            (
                "La presente certificazione, consegnata in duplice copia, riguarda le somme corrisposte "
                "nell'anno e le ritenute operate. Il contribuente che nel periodo ha posseduto soltanto i "
                "redditi qui attestati è esonerato dal presentare la dichiarazione."
            ),
            (
                "Il contribuente non esonerato può utilizzare i dati per compilare il modello 730 o il modello "
                "Redditi. Le scelte per la destinazione dell'otto, del cinque e del due per mille si esprimono "
                "nell'apposita scheda."
            ),
        ],
        2,
    )
    return [first, p.page()]


def _cud(rng: Random) -> list[Page]:
    who, firm, year = person(rng, "it"), company("Cooperativa Servizi Lungarno", "it", rng), rng.randrange(2008, 2014)
    gross, tax, region, social = _pay(rng)
    p = Paper(rng, family="mono", text=9, margin=44)
    p.put(p.left, 66, "CUD", size=36, bold=True)
    p.put(p.left + 90, 54, str(year + 1), size=16, bold=True)
    p.put(p.left + 150, 50, "Schema di certificazione unica dei redditi di lavoro", size=9)
    p.put(p.left + 150, 62, f"dipendente, equiparati ed assimilati - Redditi {year}", size=9)
    p.y = 84
    p.table([("PARTE A", "DATI GENERALI")], widths=(1, 6), align="ll", style="grid")
    p.fields(
        [
            ("DATORE DI LAVORO", firm.name.upper()),
            ("COD. FISCALE / P.IVA", firm.vat),
            ("SEDE", firm.address.upper()),
            ("DIPENDENTE", f"{who.surname} {who.name}".upper()),
            ("COD. FISCALE", who.tax_code),
            ("NATO/A A", f"{who.town} ({who.province}) IL {slashes(who.born)}".upper()),
            ("DOMICILIO AL 1/1", who.address.upper()),
        ]
    )
    p.gap(4)
    p.table([("PARTE B", "DATI FISCALI")], widths=(1, 6), align="ll", style="grid")
    rows = [
        ("1", "REDDITI PER I QUALI E' POSSIBILE FRUIRE DELLA DETRAZIONE", gross),
        ("5", "RITENUTE IRPEF", tax),
        ("6", "ADDIZIONALE REGIONALE ALL'IRPEF", region),
        ("10", "ADDIZIONALE COMUNALE - ACCONTO", share(gross, 0.15)),
        ("11", "ADDIZIONALE COMUNALE - SALDO", share(gross, 0.35)),
        ("101", "IMPOSTA LORDA", tax + 110000),
        ("107", "DETRAZIONI PER LAVORO DIPENDENTE", 110000),
        ("120", "PREVIDENZA COMPLEMENTARE", 0),
        ("401", "TFR MATURATO", share(gross, 6.9)),
    ]
    p.table(
        [("N.", "DESCRIZIONE", "EURO"), *[(n, t, money(v, "it")) for n, t, v in rows]],
        widths=(1, 6, 2),
        align="llr",
        style="bare",
        height=1.5,
    )
    p.table([("PARTE C", "DATI PREVIDENZIALI ED ASSISTENZIALI INPS")], widths=(1, 6), align="ll", style="grid")
    p.fields(
        [
            ("SETTORE", "PRIVATO"),
            ("IMPONIBILE PREVIDENZIALE", money(gross + social, "it")),
            ("CONTRIBUTI TRATTENUTI", money(social, "it")),
            ("MESI DENUNCIATI", "TUTTI"),
        ],
        label=0.5,
    )
    p.gap(8)
    p.paragraph(
        (
            "SI CERTIFICA CHE LE SOMME SOPRA INDICATE SONO STATE CORRISPOSTE AL LAVORATORE E CHE SULLE "
            "STESSE SONO STATE OPERATE LE RITENUTE DI LEGGE. RILASCIATO AI FINI DELLA DENUNCIA DEI REDDITI."
        ),
        size=8,
    )
    p.gap(26)
    p.put(p.left, p.y, f"DATA {slashes(day(rng, year + 1, year + 1))}")
    p.put(p.right, p.y, "IL DATORE DI LAVORO", align="right")
    stamp(p, firm.name.upper().split()[:2], p.right - 90, p.y + 34, kind="box", radius=46, color="#2c2c54")
    signature(p, p.right - 140, p.y + 40, 100)
    return [p.page()]


def _ente(rng: Random) -> list[Page]:
    """Draw a letter with which a pension office certifies."""
    who, firm, year = (
        person(rng, "it"),
        company("Cassa Pensioni Artigiani del Tirreno", "it"),
        rng.randrange(2013, 2023),
    )
    gross, tax, region, _ = _pay(rng)
    p = Paper(rng, family="dejavuserif", text=9.4, margin=58)
    logo(p, "square", p.left, 40, 30, "#7d6a1a")
    p.put(p.left + 40, 52, firm.name.upper(), size=11, bold=True)
    p.put(p.left + 40, 64, f"Ufficio sostituto d'imposta - {firm.address}", size=7.5)
    p.y = 92
    p.lines([f"Gent. {'Sig.ra' if who.woman else 'Sig.'} {who.full}", who.street, who.postcode_city], x=330)
    p.gap(16)
    p.line(f"Attestazione dei compensi e delle ritenute per il periodo d'imposta {year}", size=12, bold=True)
    p.line(f"(CU {year + 1} - modello sintetico per il percipiente)", italic=True)
    p.gap(8)
    p.paragraph(
        f"In qualità di sostituto d'imposta si attesta che nel corso del {year} sono stati erogati alla "
        f"S.V., codice fiscale {who.tax_code}, {'nata' if who.woman else 'nato'} a {who.town} il "
        f"{slashes(who.born)}, "
        "gli emolumenti riportati nel prospetto, assoggettati a ritenuta alla fonte a titolo d'acconto."
    )
    p.gap(8)
    p.table(
        [
            ("Casella", "Voce", "Importo in euro"),
            ("3", "Reddito da pensione o assimilato", money(gross, "it")),
            ("7", "Giorni di pensione", "365"),
            ("21", "Ritenute operate", money(tax, "it")),
            ("22", "Trattenuta addizionale regionale", money(region, "it")),
            ("26", "Acconto addizionale comunale", money(share(gross, 0.24), "it")),
            ("373", "Totale detrazioni", money(90000, "it")),
            ("475", "Arretrati a tassazione separata", "0,00"),
            ("", "Netto corrisposto", money(gross - tax - region - share(gross, 0.24), "it")),
        ],
        widths=(1, 5, 2),
        align="clr",
        style="zebra",
        shade="#e6dfc0",
    )
    p.gap(8)
    p.paragraph(
        "Il documento va esibito al CAF o al professionista abilitato in caso di presentazione della "
        "dichiarazione dei redditi. Ha valore di certificazione ai sensi delle norme vigenti anche se "
        "sottoscritto con firma a stampa."
    )
    p.gap(24)
    p.put(p.left, p.y, in_words(day(rng, year + 1, year + 1), "it"))
    p.put(p.right, p.y, "Il Direttore", align="right")
    signature(p, p.right - 90, p.y + 26)
    p.footer(f"{firm.name} - C.F. {firm.vat} - {firm.phone} - {firm.web}", size=6.6)
    return [p.page()]


def _year_end(rng: Random) -> list[Page]:
    who, firm, year = person(rng, "en"), company("Fenwick Paper Mills Ltd", "en", rng), rng.randrange(2012, 2023)
    gross, tax, _, ni = _pay(rng)
    p = Paper(rng, size=(595, 420) if rng.random() < 0.4 else (595, 842), family="sans", text=9.5, margin=34)
    p.line("End of Year Certificate", size=16, bold=True)
    p.line(f"Pay and income tax details for the tax year to 5 April {year}", size=10)
    p.gap(4)
    top = p.y
    p.cells(
        [
            ("Surname", who.surname.upper()),
            ("Forenames or initials", who.name),
            ("National Insurance number", who.tax_code),
            ("Works / payroll number", digits(rng, 5)),
        ],
        per_row=2,
        width=300,
    )
    p.cells([("Employee's private address", who.address)], per_row=1, width=300)
    p.y = top
    p.cells(
        [
            ("Employer's name and address", firm.name),
            ("", firm.address),
            ("PAYE reference", f"{digits(rng, 3)}/{letters(rng, 2)}{digits(rng, 5)}"),
        ],
        per_row=1,
        x=346,
    )
    p.gap(8)
    previous = rng.choice((0, rng.randrange(200000, 900000)))
    p.table(
        [
            ("Pay and income tax details", "Pay (£)", "Tax deducted (£)"),
            ("In previous employment(s)", money(previous, "en"), money(share(previous, 15), "en")),
            ("In this employment", money(gross, "en"), money(tax, "en")),
            ("Total for year", money(gross + previous, "en"), money(tax + share(previous, 15), "en")),
        ],
        widths=(4, 2, 2),
        align="lrr",
        style="grid",
        bold_last=True,
        shade="#f2dfe2",
    )
    p.table(
        [
            (
                "NIC table letter",
                "Earnings at the lower limit",
                "Earnings up to upper limit",
                "Employee's contributions",
            ),
            ("A", "5,720.00", money(gross - 572000, "en"), money(ni, "en")),
        ],
        widths=(1.2, 2, 2, 2),
        align="crrr",
        style="grid",
        shade="#f2dfe2",
    )
    p.cells(
        [
            ("Final tax code", f"{rng.randrange(900, 1260)}L"),
            ("Student loan deductions", "0"),
            ("Statutory sick pay included", "0.00"),
        ]
    )
    p.paragraph(
        (
            "To the employee: please keep this certificate in a safe place as you will not be able to get a "
            "duplicate. You will need it if you have to fill in a tax return or to claim tax credits. By law "
            "you are required to tell the tax office about any income that is not fully taxed."
        ),
        size=8,
    )
    return [p.page()]


def _wage(rng: Random) -> list[Page]:
    """Draw numbered boxes, two copies on a page."""
    who, firm, year = person(rng, "en"), company("Ridgeline Freight Inc.", "en", rng), rng.randrange(2011, 2023)
    gross, tax, state, social = _pay(rng)
    p = Paper(rng, family="freesans", text=9.5, margin=40)
    control, ein = digits(rng, 6), f"{digits(rng, 2)}-{digits(rng, 7)}"
    ssn = f"9{digits(rng, 2)}-{digits(rng, 2)}-{digits(rng, 4)}"
    for copy in ("Copy B - to be filed with employee's federal tax return", "Copy C - for employee's records"):
        p.line(f"Wage and Tax Statement   {year}", size=15, bold=True)
        p.line(copy, size=8)
        p.cells(
            [
                ("a Employee's social security number", ssn),
                ("b Employer identification number", ein),
                ("d Control number", control),
            ]
        )
        p.cells(
            [
                ("c Employer's name, address and ZIP code", f"{firm.name}, {firm.address}"),
                ("e Employee's name and address", f"{who.full}, {who.address}"),
            ],
            per_row=1,
        )
        p.cells(
            [
                ("1 Wages, tips, other compensation", money(gross, "en")),
                ("2 Federal income tax withheld", money(tax, "en")),
                ("3 Social security wages", money(gross, "en")),
                ("4 Social security tax withheld", money(share(gross, 6.2), "en")),
                ("5 Medicare wages and tips", money(gross, "en")),
                ("6 Medicare tax withheld", money(share(gross, 1.45), "en")),
                ("12a See instructions for box 12", f"D  {money(social, 'en')}"),
                ("13 Retirement plan", "X"),
                ("15 State / state ID", f"VT {digits(rng, 6)}"),
                ("16 State wages", money(gross, "en")),
                ("17 State income tax", money(state, "en")),
                ("20 Locality name", who.city),
            ],
            per_row=4,
            height=30,
        )
        p.line("Department of the Treasury. This information is being furnished to the revenue service.", size=7.5)
        p.gap(22)
        p.rule(width=0.4)
        p.gap(18)
    return [p.page()]


def _statement(rng: Random) -> list[Page]:
    who, firm, year = person(rng, "en"), company("Burgh Council Payroll Services", "en"), rng.randrange(2013, 2023)
    gross, tax, levy, pension = _pay(rng)
    p = Paper(rng, family="serif", text=10.8, margin=62)
    p.line(firm.name, size=15, bold=True, align="right")
    p.line(firm.address, size=9, align="right")
    p.line(f"Employer registered no. {digits(rng, 7)}{letters(rng, 1)}", size=9, align="right")
    p.gap(22)
    p.line("CERTIFICATE OF EARNINGS AND TAX WITHHELD", size=14, bold=True)
    p.rule()
    p.gap(8)
    p.paragraph(
        f"This is to certify that {who.full} of {who.address}, personal tax number {who.tax_code}, was in "
        f"our employment from 1 January {year} to 31 December {year} and that the amounts below were paid "
        "and withheld at source under the payroll rules."
    )
    p.gap(12)
    p.fields(
        [
            ("Gross remuneration", f"€ {money(gross, 'en')}"),
            ("Superannuation contributions", f"€ {money(pension, 'en')}"),
            ("Remuneration liable to tax", f"€ {money(gross - pension, 'en')}"),
            ("Income tax withheld", f"€ {money(tax, 'en')}"),
            ("Social levy withheld", f"€ {money(levy, 'en')}"),
            ("Net remuneration paid", f"€ {money(gross - pension - tax - levy, 'en')}"),
            ("Weeks of insurable employment", "52"),
            ("Class of social insurance", rng.choice(("A1", "D1", "S1"))),
        ],
        style="ruled",
        label=0.62,
        lead=1.8,
    )
    p.gap(14)
    p.paragraph(
        (
            "You should retain this statement. The figures must agree with those reported by us to the "
            "Revenue; they may be asked for by a bank, or when you make your annual declaration of income."
        ),
        italic=True,
    )
    p.gap(34)
    p.put(p.left, p.y, f"Issued {in_words(day(rng, year + 1, year + 1), 'en')}")
    p.put(p.right, p.y, "for the Payroll Manager", align="right")
    signature(p, p.right - 120, p.y - 12, 110)
    stamp(p, ["BURGH", "COUNCIL", "PAYROLL"], p.left + 80, p.y + 54, radius=40, color="#4a4a4a")
    return [p.page()]


ISSUERS = (
    Issuer(slug="certificazione-unica", language="it", split="train", count=3, draw=_unica),
    Issuer(slug="cud", language="it", split="train", count=2, draw=_cud),
    Issuer(slug="year-end-certificate", language="en", split="train", count=2, draw=_year_end),
    Issuer(slug="wage-statement", language="en", split="train", count=2, draw=_wage),
    Issuer(slug="cassa-pensioni", language="it", split="test", count=3, draw=_ente),
    Issuer(slug="burgh-payroll", language="en", split="test", count=3, draw=_statement),
)
