"""Italian insurance contracts: policies, schedules, conditions."""

from __future__ import annotations

from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import bar_code, logo, signature, stamp
from data.generator.pages import Page, Paper
from data.generator.people import (
    company,
    day,
    digits,
    in_words,
    letters,
    money,
    person,
    pick,
    share,
    slashes,
    year_later,
)


def _alba(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "it"), company("Alba Mutua Assicurazioni", "it"), day(rng, 2014, 2023)
    net = rng.randrange(28000, 72000)
    tax, health = share(net, 16), share(net, 10.5)
    p = Paper(rng, family="sans", text=9.5)
    logo(p, "sun", p.left, 40, 34, "#c76a12")
    p.put(p.left + 44, 60, firm.name, size=17, bold=True, color="#c76a12")
    p.put(p.left + 44, 73, f"{firm.address} - Part. IVA {firm.vat}", size=7)
    p.y = 92
    p.line("POLIZZA DI ASSICURAZIONE R.C. AUTO", size=15, bold=True, align="center")
    p.gap(8)
    p.cells(
        [
            ("POLIZZA N.", f"{digits(rng, 3)}/{digits(rng, 8)}"),
            ("AGENZIA", who.city),
            ("COD. SUBAG.", digits(rng, 4)),
            ("DECORRENZA ore 24 del", slashes(start)),
            ("SCADENZA ore 24 del", slashes(year_later(start))),
            ("FRAZIONAMENTO", rng.choice(("ANNUALE", "SEMESTRALE"))),
            ("CONTRAENTE", who.full.upper()),
            ("CODICE FISCALE", who.tax_code),
            ("DATA DI NASCITA", slashes(who.born)),
        ]
    )
    p.cells([("RESIDENZA DEL CONTRAENTE", who.address)], per_row=1)
    p.line("DATI DEL VEICOLO ASSICURATO", bold=True)
    p.cells(
        [
            ("TARGA", f"{letters(rng, 2)}{digits(rng, 3)}{letters(rng, 2)}"),
            ("USO", "PRIVATO"),
            ("CV FISCALI", str(rng.randrange(12, 24))),
            ("CLASSE CU", str(rng.randrange(1, 14))),
        ],
        per_row=4,
    )
    limits = [
        ("Responsabilità civile verso terzi", "7.290.000,00", "-"),
        ("Incendio e furto", money(rng.randrange(6000, 18000) * 100, "it"), "10% min. 250,00"),
        ("Cristalli", "800,00", "100,00"),
        ("Eventi naturali e atti vandalici", "10.000,00", "500,00"),
        ("Assistenza stradale", "compresa", "-"),
        ("Infortuni del conducente", "50.000,00", "3%"),
        ("Tutela legale", "15.000,00", "-"),
    ]
    chosen = [limits[0], *[limits[i] for i in sorted(rng.sample(range(1, 7), 4))]]
    p.table(
        [("Garanzie prestate", "Massimale / somma assicurata", "Franchigia o scoperto"), *chosen],
        widths=(3, 2, 2),
        align="lrr",
        style="grid",
    )
    p.gap(4)
    p.line("PREMIO DI POLIZZA (Euro)", bold=True)
    p.cells(
        [
            ("PREMIO NETTO", money(net, "it")),
            ("IMPOSTE", money(tax, "it")),
            ("SSN", money(health, "it")),
            ("TOTALE ALLA FIRMA", money(net + tax + health, "it")),
        ],
        per_row=4,
    )
    p.columns(
        [
            (
                "Il contraente dichiara di aver ricevuto e preso visione del fascicolo informativo e delle "
                "condizioni generali di assicurazione, che formano parte integrante del presente contratto."
            ),
            (
                "L'assicurazione ha effetto dalle ore 24 del giorno indicato in polizza se il premio è stato "
                "pagato; altrimenti ha effetto dalle ore 24 del giorno del pagamento."
            ),
            (
                "In caso di sinistro l'assicurato deve farne denuncia entro tre giorni. Le dichiarazioni "
                "inesatte e le reticenze possono comportare la perdita del diritto all'indennizzo (artt. 1892 e "
                "1893 c.c.)."
            ),
            (
                "La polizza non si rinnova tacitamente. La copertura resta operante fino al quindicesimo giorno "
                "successivo alla scadenza."
            ),
        ],
        2,
        size=7.5,
    )
    p.gap(34)
    p.put(p.left, p.y, "Il Contraente ______________________")
    p.put(p.right, p.y, "La Compagnia ______________________", align="right")
    signature(p, p.left + 75, p.y)
    stamp(p, ["ALBA MUTUA", "AGENZIA", who.city.upper()], p.right - 60, p.y - 2, radius=36)
    p.footer("Impresa autorizzata all'esercizio delle assicurazioni - esemplare per il contraente", size=6.5)
    return [p.page()]


def _ponente(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "it"), company("Compagnia del Ponente S.p.A.", "it"), day(rng, 2012, 2022)
    value = rng.randrange(120, 400) * 100000
    p = Paper(rng, family="serif", text=11, margin=62)
    p.line(firm.name, size=20, italic=True, align="center")
    p.line(firm.address, size=9, align="center")
    p.rule()
    p.gap(14)
    p.line("CONTRATTO DI ASSICURAZIONE", size=17, bold=True, align="center")
    p.line('Multirischi dell\'abitazione "Casa Serena"', size=13, italic=True, align="center")
    p.gap(12)
    p.paragraph(
        f'Tra {firm.name}, con sede in {firm.address}, di seguito denominata "Società", e '
        f"{'la Signora' if who.woman else 'il Signor'} {who.full}, "
        f"{'nata' if who.woman else 'nato'} a {who.town} il {in_words(who.born, 'it')}, codice fiscale "
        f"{who.tax_code}, residente in {who.address}, di seguito "
        f'"Contraente", si conviene quanto segue. Numero di contratto: {letters(rng, 2)} {digits(rng, 7)}.'
    )
    p.gap(8)
    articles = [
        (
            "Oggetto del contratto",
            (
                "La Società si obbliga a indennizzare l'Assicurato dei danni materiali e diretti causati al "
                "fabbricato e al contenuto da incendio, fulmine, esplosione, scoppio, fumo e acqua condotta."
            ),
        ),
        (
            "Somme assicurate",
            (
                f"Il fabbricato è assicurato a valore intero per Euro {money(value, 'it')}; il contenuto a primo "
                f"rischio assoluto per Euro {money(value // 8, 'it')}; il ricorso terzi per Euro "
                f"{money(15000000, 'it')}."
            ),
        ),
        (
            "Durata",
            (
                f"Il contratto ha la durata di anni uno dal {slashes(start)} al {slashes(year_later(start))} e, "
                "in mancanza di disdetta spedita almeno sessanta giorni prima, è prorogato di anno in anno."
            ),
        ),
        (
            "Premio",
            (
                f"Il premio annuo lordo è convenuto in Euro {money(rng.randrange(14000, 52000), 'it')}, "
                "comprensivo di imposte, da corrispondere in un'unica soluzione anticipata."
            ),
        ),
        (
            "Franchigia",
            (
                f"Per ogni sinistro è dedotta una franchigia fissa di Euro {rng.choice((100, 150, 250))},00; per "
                "i danni da eventi atmosferici si applica uno scoperto del 10 per cento."
            ),
        ),
        (
            "Esclusioni",
            (
                "Sono esclusi i danni causati con dolo del Contraente, da atti di guerra, da terremoto, da "
                "inondazione e da lento deterioramento."
            ),
        ),
        (
            "Obblighi in caso di sinistro",
            (
                "L'Assicurato deve fare quanto gli è possibile per evitare o diminuire il danno e darne avviso "
                "scritto all'agenzia alla quale è assegnato il contratto."
            ),
        ),
        (
            "Recesso",
            (
                "Dopo ogni denuncia di sinistro ciascuna delle parti può recedere dal contratto con preavviso di "
                "trenta giorni, rimborsando la parte di premio non goduta."
            ),
        ),
        (
            "Foro competente",
            f"Per ogni controversia è competente il foro di {who.city}, luogo di residenza dell'Assicurato.",
        ),
    ]
    for number, (title, body) in enumerate(articles, start=1):
        p.paragraph(f"Art. {number} - {title}", bold=True)
        p.paragraph(body)
        p.gap(4)
    p.gap(10)
    p.line(f"Fatto in duplice esemplare a {who.city}, {in_words(start, 'it')}")
    p.gap(24)
    p.put(p.left, p.y, "IL CONTRAENTE")
    p.put(p.right, p.y, "LA SOCIETÀ", align="right")
    signature(p, p.left, p.y + 26, 110)
    signature(p, p.right - 110, p.y + 24, 100)
    stamp(p, ["COMPAGNIA DEL", "PONENTE"], p.width / 2, p.y + 10, radius=38, color="#7a2230")
    return [p.page()]


def _quercia(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "it"), company("Quercia Vita e Danni", "it"), day(rng, 2015, 2023)
    p = Paper(rng, family="dejavu", text=8.6, margin=42)
    p.box(0, 0, p.width, 58, fill="#23563c")
    p.put(p.right, 30, "QUERCIA", size=22, bold=True, align="right", color="#ffffff")
    p.put(p.right, 46, "vita e danni", size=10, align="right", color="#ffffff")
    p.put(p.left, 36, "Scheda di polizza", size=16, color="#ffffff")
    p.y = 78
    p.line("Infortuni e malattia - Modulo di adesione e certificato", size=11, bold=True)
    p.gap(4)
    p.fields(
        [
            ("Numero di polizza", f"QV-{digits(rng, 6)}-{digits(rng, 2)}"),
            ("Assicurato", who.full),
            ("Nato/a a", f"{who.town} ({who.province}) il {slashes(who.born)}"),
            ("C.F.", who.tax_code),
            ("Domicilio", who.address),
            ("Professione", rng.choice(("impiegato", "artigiano", "insegnante", "libero professionista"))),
            ("Effetto", slashes(start)),
            ("Prima scadenza", slashes(year_later(start))),
            ("Tacito rinnovo", "sì"),
            ("Beneficiari in caso di morte", "gli eredi legittimi e/o testamentari"),
        ],
        style="dots",
    )
    p.gap(8)
    capital = rng.randrange(5, 30) * 1000000
    p.table(
        [
            ("Coperture", "Capitale assicurato", "Premio annuo"),
            ("Morte da infortunio", money(capital, "it"), money(capital // 900, "it")),
            ("Invalidità permanente", money(capital * 3 // 2, "it"), money(capital // 600, "it")),
            ("Diaria da ricovero (al giorno)", money(capital // 1000, "it"), money(capital // 1500, "it")),
            ("Rimborso spese di cura", money(500000, "it"), money(4200, "it")),
        ],
        widths=(4, 2, 2),
        align="lrr",
        style="zebra",
        shade="#bfd8ca",
    )
    total = capital // 900 + capital // 600 + capital // 1500 + 4200
    p.line(f"Premio lordo annuo, imposte 2,5% incluse: € {money(total, 'it')}", bold=True, align="right")
    p.gap(8)
    for text in pick(
        rng,
        [
            (
                "Sono considerati infortuni anche l'asfissia non di origine morbosa, gli avvelenamenti acuti, "
                "l'annegamento, l'assideramento e i colpi di sole o di calore."
            ),
            (
                "La garanzia opera in tutto il mondo, durante l'attività professionale e nel tempo libero, "
                "compresa la pratica non agonistica di sport."
            ),
            (
                "Restano fuori dalla copertura gli eventi subiti in stato di ebbrezza, sotto l'uso di "
                "stupefacenti o alla guida senza patente valida."
            ),
            (
                "L'indennizzo per invalidità permanente è liquidato secondo la tabella allegata, con una "
                "franchigia del 3% sul capitale."
            ),
            (
                "Il periodo di carenza per le malattie è di trenta giorni; per il parto di trecento giorni dalla "
                "decorrenza."
            ),
            (
                "La persona assicurata può rivolgersi all'arbitrato medico; le spese del terzo medico sono "
                "divise a metà."
            ),
        ],
        5,
    ):
        p.paragraph("• " + text)
        p.gap(2)
    p.gap(12)
    p.paragraph(
        (
            "Ai sensi degli artt. 1341 e 1342 del Codice Civile il sottoscritto approva specificamente le "
            "clausole su denuncia, disdetta, aggravamento del rischio e foro."
        ),
        size=7.4,
        italic=True,
    )
    p.gap(30)
    p.put(p.left, p.y, f"{who.city}, {slashes(start)}")
    p.put(p.right, p.y, "Firma dell'assicurato", align="right")
    signature(p, p.right - 100, p.y + 24)
    bar_code(p, p.left, p.height - 80, 120, 24)
    p.footer(f"{firm.name} · {firm.address} · {firm.web} · iscritta all'albo delle imprese al n. 1.00{digits(rng, 3)}")
    return [p.page()]


ISSUERS = (
    Issuer(slug="alba-mutua", language="it", split="train", count=3, draw=_alba),
    Issuer(slug="ponente", language="it", split="train", count=2, draw=_ponente),
    Issuer(slug="quercia", language="it", split="test", count=3, draw=_quercia),
)
