"""English insurance contracts: policies, schedules, conditions."""

from __future__ import annotations

from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import logo, signature, stamp
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


def _harbour(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "en"), company("Harbour & Lyle Insurance", "en"), day(rng, 2013, 2023)
    p = Paper(rng, family="freesans", text=10.5)
    logo(p, "shield", p.right - 40, 38, 40, "#1d3f72")
    p.line(firm.name, size=18, bold=True, color="#1d3f72")
    p.line("Home Insurance", size=13)
    p.gap(16)
    p.line("Your policy schedule", size=20, bold=True)
    p.paragraph(
        "Please read this schedule together with your policy booklet. They form the contract between you "
        "and us. If anything is wrong, tell us straight away."
    )
    p.gap(8)
    p.fields(
        [
            ("Policyholder", who.full),
            ("Policy number", f"HL {digits(rng, 3)} {digits(rng, 5)}"),
            ("Insured property", who.address),
            ("Period of insurance", f"{in_words(start, 'en')} to {in_words(year_later(start), 'en')}"),
            ("Type of home", rng.choice(("Terraced house", "Semi-detached house", "Ground floor flat"))),
        ],
        style="ruled",
    )
    p.gap(10)
    sums = [rng.randrange(180, 600) * 100000, rng.randrange(30, 75) * 100000]
    excess = rng.choice((100, 250, 350))
    p.table(
        [
            ("Section", "What is covered", "Sum insured", "Excess"),
            ("1", "Buildings", f"£{money(sums[0], 'en')}", f"£{excess}"),
            ("2", "Contents", f"£{money(sums[1], 'en')}", f"£{excess}"),
            ("3", "Personal possessions away from home", "£2,500.00", "£100"),
            ("4", "Accidental damage", rng.choice(("Included", "Not selected")), "-"),
            ("5", "Home emergency", "£1,000.00", "Nil"),
            ("6", "Legal expenses", "£50,000.00", "Nil"),
        ],
        widths=(1, 4, 2, 1.4),
        align="clrr",
        style="rules",
    )
    premium = rng.randrange(16000, 43000)
    tax = share(premium, 12)
    p.gap(6)
    p.fields(
        [
            ("Annual premium", f"£{money(premium, 'en')}"),
            ("Insurance premium tax (12%)", f"£{money(tax, 'en')}"),
            ("Total you have agreed to pay", f"£{money(premium + tax, 'en')}"),
        ],
        style="bold",
        label=0.5,
    )
    p.gap(8)
    p.line("Endorsements which apply", bold=True)
    for code, text in rng.sample(
        (
            ("E07", "Minimum security: five-lever mortice locks on all outer doors and key-operated window locks."),
            ("E12", "We will not pay for theft while the home is unoccupied for more than 60 days in a row."),
            ("E21", "Subsidence, landslip and heave carry an excess of £1,000."),
            ("E33", "Business equipment is limited to £5,000 in all."),
        ),
        2,
    ):
        p.paragraph(f"{code}  {text}")
    first = p.page()
    p = Paper(rng, family="freesans", text=9)
    p.line("Important information about your cover", size=14, bold=True)
    p.gap(6)
    p.columns(
        [
            (
                "Claims. You must tell us about any event which may lead to a claim as soon as you can, and give "
                "us all the help and papers we reasonably ask for. Do not throw away damaged items before we "
                "have seen them."
            ),
            (
                "Cancelling. You may cancel within 14 days of receiving the documents and we will refund the "
                "premium for the days left, provided no claim has been made."
            ),
            (
                "What is not covered. Wear and tear, gradual deterioration, vermin, wet or dry rot, faulty "
                "workmanship, loss caused on purpose by you or a member of your household, war and radioactive "
                "contamination."
            ),
            (
                "Fair presentation. Under the law you must take reasonable care to answer all questions "
                "honestly. If you do not, we may treat this insurance as if it had never existed or reduce what "
                "we pay."
            ),
            (
                "Settling claims. We may repair, replace or pay the cost of replacement as new. The most we pay "
                "is the limit shown in the schedule less any excess."
            ),
            (
                "Complaints. Write to the Customer Relations Manager. If you remain unhappy with our final "
                "response you may refer the matter to the ombudsman."
            ),
        ],
        2,
    )
    return [first, p.page()]


def _northgate(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "en"), company("Northgate Motor Underwriters", "en"), day(rng, 2012, 2021)
    p = Paper(rng, family="mono", text=9.5, margin=54)
    p.line("NORTHGATE MOTOR UNDERWRITERS", size=14, bold=True, align="center")
    p.line(firm.address.upper(), size=8, align="center")
    p.rule()
    p.gap(6)
    p.line("CERTIFICATE AND CONTRACT OF MOTOR INSURANCE", size=11.5, bold=True, align="center")
    p.gap(10)
    p.fields(
        [
            ("CERTIFICATE NO", f"NMU{digits(rng, 7)}"),
            ("1. REGISTRATION MARK", f"{letters(rng, 2)}{rng.randrange(10, 70)} {letters(rng, 3)}"),
            ("2. NAME OF INSURED", who.full.upper()),
            ("   ADDRESS", who.address.upper()),
            ("3. COMMENCEMENT", f"00:01 {slashes(start)}"),
            ("4. DATE OF EXPIRY", f"23:59 {slashes(year_later(start))}"),
            ("5. PERSONS ENTITLED TO DRIVE", "THE INSURED AND SPOUSE ONLY"),
            ("6. USE", "SOCIAL DOMESTIC AND PLEASURE"),
            ("7. COVER", rng.choice(("COMPREHENSIVE", "THIRD PARTY FIRE AND THEFT"))),
            ("8. NO CLAIMS BONUS", f"{rng.randrange(1, 10)} YEARS"),
            ("9. COMPULSORY EXCESS", f"GBP {rng.choice((150, 300, 450))}.00"),
            ("10. PREMIUM INCL. TAX", f"GBP {money(rng.randrange(25000, 90000), 'en')}"),
        ],
        label=0.42,
    )
    p.gap(10)
    p.rule()
    p.gap(6)
    for text in (
        (
            "IN CONSIDERATION OF the payment of the premium the Underwriters agree to indemnify the Insured "
            "against loss of or damage to the vehicle and against liability at law for death or bodily "
            "injury to any person and damage to property, subject to the terms, exceptions and conditions of "
            "this policy."
        ),
        (
            "EXCEPTIONS. The Underwriters shall not be liable in respect of any accident while the vehicle "
            "is driven by a person not holding a licence, or is used for hire or reward, racing, pace-making "
            "or speed trials."
        ),
        (
            "CONDITIONS. Notice of any occurrence must be given in writing within seven days. No admission, "
            "offer or promise of payment shall be made without the consent of the Underwriters. The vehicle "
            "shall be kept in a roadworthy condition."
        ),
        (
            "CANCELLATION. This insurance may be cancelled by the Underwriters sending seven days' notice by "
            "recorded delivery to the last known address of the Insured, with a pro rata return of premium."
        ),
    ):
        p.paragraph(text, size=8.5)
        p.gap(6)
    p.gap(22)
    p.put(p.left, p.y, "For and on behalf of the Underwriters")
    signature(p, p.left + 10, p.y + 34, 120)
    stamp(
        p,
        ["NORTHGATE", "POLICY ISSUED", slashes(start)],
        p.right - 80,
        p.y + 10,
        kind="box",
        radius=50,
        color="#8c1c1c",
    )
    return [p.page()]


def _wexley(rng: Random) -> list[Page]:
    who, firm, start = person(rng, "en"), company("Wexley General Assurance", "en"), day(rng, 2014, 2023)
    business = f"{who.surname} {rng.choice(('Joinery', 'Bakers', 'Garden Design', 'Electrical'))} Ltd"
    p = Paper(rng, family="dejavuserif", text=8.8, margin=50)
    p.put(p.left, 58, "W", size=34, bold=True)
    p.put(p.left + 44, 50, "WEXLEY GENERAL ASSURANCE", size=11, bold=True)
    p.put(p.left + 44, 62, f"{firm.address} | {firm.phone} | {firm.web}", size=6.8)
    p.y = 84
    p.box(p.left, p.y, p.inner, 24, fill="#e5e1d5", outline="#444444")
    p.put(p.width / 2, p.y + 16, "BUSINESS LIABILITY - DECLARATIONS PAGE", size=11.5, bold=True, align="center")
    p.y += 34
    p.cells([("Named insured and mailing address", f"{business}, {who.address}")], per_row=1)
    p.cells(
        [
            ("Policy no.", f"{letters(rng, 3)}-{digits(rng, 6)}"),
            ("Effective", slashes(start)),
            ("Expires", slashes(year_later(start))),
            ("Broker ref.", digits(rng, 5)),
        ],
        per_row=4,
    )
    p.gap(4)
    rates = [(f"{rng.randrange(1, 6)},000,000", rng.randrange(18000, 60000)) for _ in range(3)]
    p.table(
        [
            ("Coverage part", "Limit of indemnity", "Deductible", "Premium"),
            ("Public liability, any one occurrence", rates[0][0], "500", money(rates[0][1], "en")),
            ("Products liability, aggregate", rates[1][0], "500", money(rates[1][1], "en")),
            ("Employers' liability", "10,000,000", "Nil", money(rates[2][1], "en")),
            ("Tools and stock in transit", "15,000", "250", "58.00"),
            ("TOTAL ANNUAL PREMIUM", "", "", money(sum(r[1] for r in rates) + 5800, "en")),
        ],
        widths=(4, 2, 1.3, 1.5),
        align="lrrr",
        style="grid",
        bold_last=True,
    )
    p.gap(6)
    p.line("Forms and endorsements attached at inception", bold=True)
    p.lines(
        [
            f"WG {digits(rng, 4)}  {name}"
            for name in pick(
                rng,
                (
                    "Asbestos exclusion",
                    "Heat work warranty",
                    "Additional insured - landlord",
                    "Cyber event exclusion",
                    "Waiver of subrogation",
                    "Bona fide subcontractors",
                ),
                4,
            )
        ]
    )
    p.gap(10)
    first = p.page()
    long = rng.random() < 0.6
    if long:
        p = Paper(rng, family="dejavuserif", text=9.4, margin=50)
        p.line("WEXLEY GENERAL ASSURANCE - policy wording, page 2", size=8)
        p.gap(10)
    p.columns(
        [
            (
                "INSURING CLAUSE. We will indemnify the Named Insured against all sums which it becomes legally "
                "liable to pay as damages for accidental injury or accidental loss of property happening within "
                "the territorial limits during the policy term."
            ),
            (
                "DEFENCE COSTS are payable in addition to the limit, except for claims brought in North America "
                "where they form part of it."
            ),
            (
                "CONDITIONS PRECEDENT. Due observance of the terms is a condition of our liability. The insured "
                "shall keep proper wage records and allow us to inspect them to adjust the premium."
            ),
            (
                "GENERAL EXCLUSIONS. Liability assumed by agreement unless it would have attached anyway; fines "
                "and penalties; pollution other than sudden, identifiable and unintended; professional advice "
                "given for a fee."
            ),
        ],
        2,
        size=9.4 if long else 8,
    )
    p.gap(28)
    p.put(p.left, p.y, f"Countersigned {in_words(start, 'en')}")
    p.put(p.right, p.y, "Authorised representative", align="right")
    signature(p, p.right - 120, p.y - 12, 110)
    return [first, p.page()] if long else [p.page()]


ISSUERS = (
    Issuer(slug="harbour-lyle", language="en", split="train", count=2, draw=_harbour),
    Issuer(slug="northgate", language="en", split="train", count=2, draw=_northgate),
    Issuer(slug="wexley", language="en", split="test", count=3, draw=_wexley),
)
