"""Other things which end up on a scanner: letters, recipes, newspaper pages, pictures, blank pages."""

from __future__ import annotations

from functools import partial
from math import pi
from random import Random

import numpy as np
from PIL import Image

from data.generator.issuers import Issuer
from data.generator.marks import signature
from data.generator.pages import Page, Paper, Picture
from data.generator.people import Language, company, day, in_words, person, pick

_LETTER_IT = (
    (
        "ti scrivo dopo tanto tempo perché ieri, riordinando la soffitta, ho ritrovato le fotografie di "
        "quella estate al mare."
    ),
    "Qui tutto procede bene: il giardino è pieno di rose e il gatto dorme al sole sul davanzale.",
    "I ragazzi hanno finito la scuola e partiranno in bicicletta con gli amici verso le colline.",
    "Mi hanno detto che hai cambiato casa; mandami il nuovo indirizzo, così verremo a trovarti in autunno.",
    "Ricordi la vecchia zia Adele? Compie novant'anni e vuole una festa con la musica dal vivo.",
    "La biblioteca del paese cerca volontari e ho deciso di dedicarle il giovedì pomeriggio.",
)
_LETTER_EN = (
    ("It was lovely to see you all at the wedding, and the children have talked of nothing else since we came home."),
    (
        "The roof is mended at last, and the builders have left us with only a little dust and a great "
        "many biscuit crumbs."
    ),
    "I have taken up the cello again. The neighbours are patient people, or perhaps a little deaf.",
    ("We walked along the estuary on Sunday and counted eleven herons before the rain drove us into a tea room."),
    ("Do let me know whether you can manage the second weekend of May; the spare room is always ready for you."),
    ("Your brother's book arrived and I read it in two evenings; please tell him how much I enjoyed the ending."),
)
_NEWS_IT = (
    (
        "La nuova passerella pedonale sul torrente è stata inaugurata ieri mattina davanti a centinaia "
        "di cittadini. I lavori, durati due anni, hanno permesso di recuperare anche il vecchio lavatoio "
        "e di piantare quaranta tigli lungo la riva."
    ),
    (
        "Il campionato dilettanti riparte domenica con il derby fra le due squadre della valle. "
        "L'allenatore promette una formazione giovane e molto coraggio in attacco, ma dovrà rinunciare "
        "al capitano, fermo per un infortunio alla caviglia."
    ),
    (
        "Meteo: correnti umide da ovest porteranno nuvole e piogge sparse fino a mercoledì, poi ampie "
        "schiarite e temperature in aumento. Attenzione alle nebbie nelle ore notturne in pianura."
    ),
    (
        "Al teatro comunale va in scena una commedia in tre atti che racconta le avventure di un postino "
        "innamorato. Repliche fino a sabato, ingresso libero per gli studenti."
    ),
    (
        "Il consiglio comunale ha discusso a lungo della nuova viabilità del centro storico: i "
        "commercianti chiedono più parcheggi, i residenti meno traffico. Il voto è rinviato alla "
        "prossima seduta."
    ),
)
_NEWS_EN = (
    (
        "Crowds lined the harbour on Saturday to welcome home the lifeboat crew after a rescue that "
        "lasted eleven hours. The coxswain praised the two youngest members, both on their first "
        "call-out in heavy seas."
    ),
    (
        "Plans to reopen the old branch railway moved a step closer when councillors voted to pay for a "
        "survey of the viaduct. Campaigners have waited thirty years for trains to return to the valley."
    ),
    (
        "The county cricket side collapsed to ninety-four all out before tea, and only a stubborn "
        "last-wicket stand spared them a heavier defeat. The captain blamed a damp pitch and careless "
        "shots."
    ),
    (
        "A pair of ospreys has nested by the reservoir for the first time in living memory. Wardens ask "
        "visitors to keep to the marked path and to bring binoculars rather than drones."
    ),
    (
        "The village baker who went viral with a loaf in the shape of the church tower says she will not "
        "make another. 'It fell over in the oven twice,' she told this newspaper."
    ),
)


def _letter_it(rng: Random) -> list[Page]:
    who, friend = person(rng, "it"), person(rng, "it")
    p = Paper(rng, family=rng.choice(("freeserif", "dejavuserif")), text=12, margin=72)
    p.line(f"{who.city}, {in_words(day(rng, 2005, 2022), 'it')}", align="right")
    p.gap(30)
    p.line(f"Car{'a' if friend.woman else 'o'} {friend.name},")
    p.gap(8)
    for text in pick(rng, _LETTER_IT, 5):
        p.paragraph(text, lead=1.5)
        p.gap(8)
    p.line("Un abbraccio forte a tutti voi,")
    signature(p, p.left + 40, p.y + 40, 90)
    p.gap(48)
    p.line(who.name, x=p.left + 40)
    return [p.page()]


def _letter_en(rng: Random) -> list[Page]:
    who, friend = person(rng, "en"), person(rng, "en")
    p = Paper(rng, family=rng.choice(("mono", "serif")), text=11.5, margin=76)
    p.lines([who.street, who.postcode_city, in_words(day(rng, 2005, 2022), "en")], x=340)
    p.gap(26)
    p.line(f"Dear {friend.name},")
    p.gap(8)
    for text in pick(rng, _LETTER_EN, 5):
        p.paragraph(text, lead=1.5)
        p.gap(8)
    p.line("With much love from us both,")
    signature(p, p.left + 10, p.y + 40, 90)
    return [p.page()]


def _notice_it(rng: Random) -> list[Page]:
    who, house = person(rng, "it"), company("Condominio Stella Alpina", "it", rng)
    p = Paper(rng, family="sans", text=11, margin=60)
    p.line(house.name, size=15, bold=True)
    p.line(house.address)
    p.gap(20)
    p.line("Avviso di convocazione dell'assemblea ordinaria", size=13, bold=True)
    p.gap(8)
    p.paragraph(
        "Le Signorie Vostre sono invitate a partecipare all'assemblea che si terrà "
        f"{in_words(day(rng, 2015, 2023), 'it')} alle ore 18 presso la sala parrocchiale, per discutere e "
        "deliberare sul seguente ordine del giorno:"
    )
    for number, text in enumerate(
        pick(
            rng,
            (
                "Nomina del presidente e del segretario",
                "Rendiconto delle spese e riparto",
                "Preventivi per la tinteggiatura delle scale",
                "Regolamento dell'uso del cortile",
                "Rumori dopo le ore 23",
                "Varie ed eventuali",
            ),
            5,
        ),
        start=1,
    ):
        p.gap(4)
        p.line(f"{number}. {text}", x=p.left + 20)
    p.gap(12)
    p.paragraph("Chi non potesse intervenire può farsi rappresentare con delega scritta. Si raccomanda la puntualità.")
    p.gap(30)
    p.line(f"L'amministratore, {who.full}", align="right")
    signature(p, p.right - 100, p.y + 26)
    return [p.page()]


def _complaint_en(rng: Random) -> list[Page]:
    who, firm = person(rng, "en"), company("Holmdale Lettings", "en", rng)
    p = Paper(rng, family="sans", text=11, margin=68)
    p.lines([who.full, who.address, "", firm.name, firm.street, firm.city, "", in_words(day(rng, 2015, 2023), "en")])
    p.gap(16)
    p.line("Dear Sir or Madam,")
    p.gap(6)
    p.line("Damp in the back bedroom and the noise of the lift", bold=True)
    p.gap(6)
    for text in (
        (
            "I wrote to you in March about the patch of damp under the window and have had no answer. It has "
            "since spread to the skirting board, and the paper is coming away from the wall."
        ),
        (
            "The lift has also begun to squeal, early in the morning and late at night. Several people on "
            "our landing have complained, and one has moved out."
        ),
        (
            "I pay my rent on time and I think it fair to ask that you send somebody to look at both before "
            "the end of the month. I am at home most afternoons."
        ),
    ):
        p.paragraph(text, lead=1.4)
        p.gap(6)
    p.line("Yours faithfully,")
    signature(p, p.left, p.y + 36, 100)
    return [p.page()]


def _recipe(rng: Random, language: Language) -> list[Page]:
    italian = language == "it"
    title, goods, steps = rng.choice(_RECIPES_IT if italian else _RECIPES_EN)
    p = Paper(
        rng,
        size=rng.choice(((595.0, 842.0), (420.0, 595.0))),
        family=rng.choice(("dejavuserif", "freeserif")),
        text=11,
        margin=50,
    )
    p.line(title, size=20, italic=True, align="center")
    p.line("per 4 persone - 40 minuti" if italian else "serves 4 - forty minutes", align="center", size=9)
    p.gap(14)
    p.line("Ingredienti" if italian else "Ingredients", bold=True)
    p.lines([f"- {g}" for g in goods])
    p.gap(10)
    p.line("Preparazione" if italian else "Method", bold=True)
    for number, text in enumerate(steps, start=1):
        p.paragraph(f"{number}. {text}")
        p.gap(4)
    return [p.page()]


_RECIPES_IT = (
    (
        "Risotto alla zucca",
        (
            "320 g di riso Carnaroli",
            "400 g di zucca",
            "1 cipolla dorata",
            "mezzo bicchiere di vino bianco",
            "brodo vegetale",
            "burro e parmigiano",
        ),
        (
            "Tagliare la zucca a dadini e rosolarla con la cipolla tritata.",
            "Tostare il riso, sfumare con il vino e bagnare poco per volta con il brodo bollente.",
            "Mantecare fuori dal fuoco con burro e formaggio e lasciare riposare due minuti.",
        ),
    ),
    (
        "Torta di mele della nonna",
        (
            "3 mele renette",
            "200 g di farina",
            "150 g di zucchero",
            "3 uova",
            "1 bustina di lievito",
            "scorza di limone",
        ),
        (
            "Montare le uova con lo zucchero finché sono chiare e spumose.",
            "Unire la farina setacciata con il lievito, il burro fuso e la scorza.",
            "Versare nella tortiera, coprire con le fettine di mela e cuocere in forno a 180 gradi per 45 minuti.",
        ),
    ),
)
_RECIPES_EN = (
    (
        "Leek and potato soup",
        (
            "3 leeks, washed and sliced",
            "2 large potatoes",
            "1 litre chicken stock",
            "a knob of butter",
            "a little cream",
            "chives, salt and pepper",
        ),
        (
            "Soften the leeks in the butter over a low heat without letting them brown.",
            "Add the diced potatoes and the stock and simmer until tender.",
            "Blend until smooth, stir in the cream, season and scatter with chives.",
        ),
    ),
    (
        "Ginger parkin",
        (
            "225 g oatmeal",
            "110 g plain flour",
            "200 g black treacle",
            "110 g soft brown sugar",
            "2 tsp ground ginger",
            "1 egg and a splash of milk",
        ),
        (
            "Warm the treacle, sugar and butter in a pan until melted.",
            "Beat into the dry things with the egg and milk to make a soft batter.",
            "Bake in a lined tin at a low heat for an hour. Keep for three days before cutting.",
        ),
    ),
)


def _newspaper(rng: Random, language: Language) -> list[Page]:
    italian = language == "it"
    p = Paper(rng, family="serif", text=9.6, margin=40)
    p.line("Il Corriere della Valle" if italian else "The Estuary Gazette", size=34, bold=True, align="center")
    p.line(
        f"{in_words(day(rng, 1995, 2020), language)} - {'anno' if italian else 'No.'} {rng.randrange(20, 140)}",
        align="center",
        size=9,
    )
    p.rule(width=1.2)
    p.gap(8)
    p.line(
        rng.choice(
            ("Festa grande sul ponte nuovo", "La valle riscopre il suo fiume")
            if italian
            else ("Heroes of the harbour come home", "Trains may run again, say councillors")
        ),
        size=22,
        bold=True,
    )
    top = p.y + 6
    if rng.random() < 0.7:
        p.items.append(Picture(x=p.left, y=top, width=p.inner, height=180, image=_landscape(rng, grey=True)))
        top += 190
    p.y = top
    texts = rng.sample(_NEWS_IT if italian else _NEWS_EN, 5)
    p.columns(texts, 3, size=12.5)
    return [p.page()]


def _landscape(rng: Random, *, grey: bool = False) -> Image.Image:
    """Paint hills under a sky, with grain as in a photograph."""
    noise = np.random.default_rng(rng.randrange(2**32))
    width, height = 640, 400
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    sky, light = np.array([rng.randrange(120, 190), 180, 225.0]), np.array([240.0, 220, 190])
    part = (y / height)[..., None]
    image = sky * (1 - part) + light * part
    sun_x, sun_y = rng.randrange(100, 540), rng.randrange(40, 140)
    image[(x - sun_x) ** 2 + (y - sun_y) ** 2 < 28**2] = (255, 244, 214)
    for layer in range(4):
        line = np.full(width, height * (0.42 + 0.14 * layer))
        for wave in (1, 2, 5, 11):
            line = line + 26 / wave * np.sin(2 * pi * wave * x / width + rng.uniform(0, 6.3))
        shade = np.array([60.0, 95, 70]) * (1.25 - 0.28 * layer) + rng.randrange(0, 20)
        image = np.where((y > line)[..., None], shade + 12 * np.sin(x / 9 + y / 5)[..., None], image)
    image = image + noise.normal(0, 5, (height, width, 1))
    picture = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    return picture.convert("L").convert("RGB") if grey else picture


def _photograph(rng: Random) -> list[Page]:
    p = Paper(rng, size=rng.choice(((430.0, 290.0), (290.0, 430.0))), text=9, margin=0)
    p.items.append(Picture(x=10, y=10, width=p.width - 20, height=p.height - 20, image=_landscape(rng)))
    return [p.page()]


def _blank(rng: Random) -> list[Page]:
    p = Paper(rng)
    if rng.random() < 0.5:
        # what shows through, or a crease: marks, but no text
        p.rule(y=rng.uniform(300, 500), x=0, to=p.width, width=0.4, color="#dddddd")
        p.disc(rng.uniform(100, 500), rng.uniform(100, 700), 3, fill="#c9c5ba")
    return [p.page()]


ISSUERS = (
    Issuer(slug="letter-it", language="it", split="other", count=1, draw=_letter_it),
    Issuer(slug="letter-en", language="en", split="other", count=1, draw=_letter_en),
    Issuer(slug="notice", language="it", split="other", count=1, draw=_notice_it),
    Issuer(slug="complaint", language="en", split="other", count=1, draw=_complaint_en),
    Issuer(slug="recipe-it", language="it", split="other", count=2, draw=partial(_recipe, language="it")),
    Issuer(slug="recipe-en", language="en", split="other", count=1, draw=partial(_recipe, language="en")),
    Issuer(slug="newspaper-it", language="it", split="other", count=1, draw=partial(_newspaper, language="it")),
    Issuer(slug="newspaper-en", language="en", split="other", count=2, draw=partial(_newspaper, language="en")),
    Issuer(slug="photograph", language="", split="other", count=3, draw=_photograph),
    Issuer(slug="blank", language="", split="other", count=3, draw=_blank),
)
