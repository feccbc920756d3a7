"""English income tax returns."""

from __future__ import annotations

from random import Random

from data.generator.issuers import Issuer
from data.generator.marks import signature, stamp
from data.generator.pages import Page, Paper
from data.generator.people import company, day, digits, in_words, letters, money, person, share, slashes


def _form(rng: Random) -> list[Page]:
    who, year = person(rng, "en"), rng.randrange(2012, 2023)
    wages = rng.randrange(18000, 90000) * 100
    interest, deduction = rng.randrange(10, 900) * 100, rng.randrange(6000, 12000) * 100
    total = wages + interest
    tax, held = share(total - deduction, 18), share(wages, 16)
    p = Paper(rng, family="freesans", text=9, margin=36)
    p.put(p.left, 60, "1040-N", size=26, bold=True)
    p.put(p.left + 110, 48, "Individual Income Tax Return", size=15, bold=True)
    p.put(p.left + 110, 61, "Department of Revenue - do not write or staple in this space", size=8)
    p.put(p.right, 58, str(year), size=28, bold=True, align="right")
    p.y = 74
    p.rule(width=1.4)
    p.gap(4)
    p.cells(
        [
            ("Your first name and initial", who.name),
            ("Last name", who.surname),
            ("Taxpayer number", f"9{digits(rng, 2)}-{digits(rng, 2)}-{digits(rng, 4)}"),
        ]
    )
    p.cells(
        [("Home address (number and street)", who.street), ("City, town or post office", who.postcode_city)], per_row=2
    )
    p.line("Filing status:   [X] Single    [ ] Married filing jointly    [ ] Head of household", size=9)
    p.line("Exemptions:  6a [X] Yourself   6b [ ] Spouse   6c Dependants: " + rng.choice(("none", "1", "2")), size=9)
    p.gap(4)
    rows = [
        ("7", "Wages, salaries, tips. Attach wage statement", wages),
        ("8a", "Taxable interest", interest),
        ("9", "Ordinary dividends", 0),
        ("12", "Business income or (loss)", 0),
        ("22", "Add the amounts for lines 7 to 12. This is your total income", total),
        ("40", "Itemized deductions or your standard deduction", deduction),
        ("43", "Taxable income. Subtract line 40 from line 22", total - deduction),
        ("44", "Tax (see instructions)", tax),
        ("62", "Federal income tax withheld", held),
    ]
    rows.append(
        ("73", "Amount overpaid. This is to be refunded to you", held - tax)
        if held > tax
        else ("76", "Amount you owe", tax - held)
    )
    p.table(
        [("Income", "", ""), *[(a, b, money(c, "en")) for a, b, c in rows]],
        widths=(1, 6, 1.6),
        align="llr",
        style="rules",
        bold_last=True,
    )
    p.gap(6)
    p.paragraph(
        (
            "Under penalties of perjury, I declare that I have examined this return and accompanying "
            "schedules and statements, and to the best of my knowledge and belief, they are true, correct "
            "and complete."
        ),
        size=8,
    )
    p.gap(20)
    p.put(p.left, p.y, "Your signature")
    signature(p, p.left + 70, p.y, 110)
    p.put(p.left + 250, p.y, f"Date {slashes(day(rng, year + 1, year + 1))}")
    p.put(p.right, p.y, f"Daytime phone {who.phone}", align="right")
    if rng.random() < 0.5:
        stamp(
            p,
            ["RECEIVED", slashes(day(rng, year + 1, year + 1))],
            p.right - 90,
            p.y + 60,
            kind="box",
            radius=46,
            color="#a02020",
        )
    return [p.page()]


def _self_assessment(rng: Random) -> list[Page]:
    who, year = person(rng, "en"), rng.randrange(2013, 2023)
    p = Paper(rng, family="dejavu", text=8.8, margin=44)
    p.box(0, 0, p.width, 66, fill="#cfe6e0")
    p.put(p.left, 32, "Tax Return", size=22, bold=True)
    p.put(p.left, 50, f"for the year ended 5 April {year}", size=11)
    p.put(p.right, 32, f"UTR {digits(rng, 5)} {digits(rng, 5)}", align="right")
    p.put(p.right, 46, f"NINO {who.tax_code}", align="right")
    p.y = 84
    p.lines([who.full, who.street, who.postcode_city])
    p.gap(6)
    p.paragraph(
        "This notice requires you, by law, to make a return of your taxable income and capital gains. "
        f"Deliver it by 31 October {year} on paper, or by 31 January {year + 1} online. You may have to "
        "pay a penalty if it arrives late."
    )
    p.gap(8)
    pay, rent, gains = rng.randrange(9000, 60000) * 100, rng.randrange(0, 9000) * 100, rng.randrange(0, 2000) * 100
    for title, rows in (
        ("Your personal details", [("1  Your date of birth", slashes(who.born)), ("2  Your phone number", who.phone)]),
        (
            "What makes up your return",
            [
                ("Employment - were you an employee?", "Yes  X   No"),
                ("Self-employment", "Yes     No  X"),
                ("UK property - did you receive rents?", "Yes  X   No" if rent else "Yes     No  X"),
            ],
        ),
        (
            "Income",
            [
                ("1  Pay from employments, from your end of year certificate", f"£ {money(pay, 'en')}"),
                ("2  Tax taken off", f"£ {money(share(pay, 17), 'en')}"),
                ("3  Interest from banks and building societies", f"£ {money(gains, 'en')}"),
                ("4  Profit from property", f"£ {money(rent, 'en')}"),
            ],
        ),
        (
            "Reliefs and allowances",
            [
                ("5  Payments to registered pension schemes", f"£ {money(rng.randrange(0, 3000) * 100, 'en')}"),
                ("6  Gift Aid payments made in the year", f"£ {money(rng.randrange(0, 400) * 100, 'en')}"),
            ],
        ),
    ):
        p.line(title, size=11, bold=True)
        p.fields(rows, style="ruled", label=0.68, lead=1.8)
        p.gap(5)
    p.line("Declaration", size=11, bold=True)
    p.paragraph(
        "I declare that the information I have given on this tax return and any supplementary pages is "
        "correct and complete to the best of my knowledge and belief. I understand that I may have to "
        "pay financial penalties and face prosecution if I give false information."
    )
    p.gap(28)
    p.put(p.left, p.y, "Signature")
    signature(p, p.left + 60, p.y, 110)
    p.put(p.right, p.y, f"Date {in_words(day(rng, year, year), 'en')}", align="right")
    p.footer(f"SA-R {year}   Page 1   {letters(rng, 2)}{digits(rng, 6)}", align="left", rule=False)
    return [p.page()]


def _burren(rng: Random) -> list[Page]:
    who, year = person(rng, "en"), rng.randrange(2014, 2023)
    p = Paper(rng, family="serif", text=10, margin=50)
    p.line("REVENUE COMMISSIONERS OF BURREN", size=12, bold=True, align="center")
    p.line("FORM 12", size=20, bold=True, align="center")
    p.line(f"Return of Income for the year {year}", size=12, italic=True, align="center")
    p.line("for employees, pensioners and non-proprietary directors", size=9, align="center")
    p.gap(8)
    p.table(
        [
            ("Name of person making this return", who.full),
            ("Address", who.address),
            ("Personal public service no.", f"{digits(rng, 7)}{letters(rng, 2)}"),
            ("Marital status", rng.choice(("Single", "Married", "Widowed", "Civil partner"))),
            ("Occupation", rng.choice(("Nurse", "Fitter", "Clerk", "Teacher", "Retired"))),
        ],
        widths=(2, 3),
        align="ll",
        style="grid",
        header=False,
    )
    pay = rng.randrange(17000, 70000) * 100
    p.gap(4)
    p.line("Panel A - Employments, offices and pensions", bold=True)
    p.table(
        [
            ("Employer or pension provider", "Gross income", "Tax deducted"),
            (company("Slaney Dairies", "en").name, money(pay, "en"), money(share(pay, 16), "en")),
            ("State pension", money(0, "en"), "exempt"),
        ],
        widths=(4, 2, 2),
        align="lrr",
        style="rules",
    )
    p.line("Panel B - Other income (rents, deposit interest, fees)", bold=True)
    p.table(
        [
            ("Rental income less allowable expenses", money(rng.randrange(0, 5000) * 100, "en")),
            ("Home and foreign dividends", money(rng.randrange(0, 300) * 100, "en")),
        ],
        widths=(5, 2),
        align="lr",
        style="rules",
        header=False,
    )
    p.line("Panel C - Tax credits, allowances and reliefs claimed", bold=True)
    p.table(
        [
            ("Health expenses", money(rng.randrange(0, 1200) * 100, "en")),
            ("Tuition fees", money(rng.randrange(0, 3000) * 100, "en")),
            ("Home carer credit", rng.choice(("claimed", "not claimed"))),
            ("Permanent health insurance premium", money(rng.randrange(0, 500) * 100, "en")),
        ],
        widths=(5, 2),
        align="lr",
        style="rules",
        header=False,
    )
    first = p.page()
    long = rng.random() < 0.5
    if long:
        p = Paper(rng, family="serif", text=10, margin=50)
        p.line(f"Form 12 ({year}) - page 2", size=9, align="right")
    p.gap(6)
    p.paragraph(
        (
            "YOU MUST SIGN THIS DECLARATION. I declare that, to the best of my knowledge and belief, this "
            "form contains a correct return of all sources of my income and the amount derived from each "
            "source in the year, and that all particulars as regards the credits and reliefs claimed are "
            "correctly stated."
        ),
        bold=True,
        size=9,
    )
    p.gap(34)
    p.put(p.left, p.y, "Signed")
    signature(p, p.left + 44, p.y, 110)
    p.put(p.right, p.y, f"Date  {slashes(day(rng, year + 1, year + 1))}", align="right")
    p.gap(20)
    p.paragraph(
        (
            "A person who fails to file on time, or who makes a false statement in a return, is liable to a "
            "surcharge and a fine. Any repayment due is made to your bank account."
        ),
        size=8,
    )
    stamp(p, ["BURREN", "DISTRICT", "INSPECTOR"], p.right - 60, 300 if long else 90, radius=36, color="#335533")
    return [first, p.page()] if long else [p.page()]


ISSUERS = (
    Issuer(slug="form-1040-n", language="en", split="train", count=2, draw=_form),
    Issuer(slug="self-assessment", language="en", split="train", count=2, draw=_self_assessment),
    Issuer(slug="burren-form-12", language="en", split="test", count=3, draw=_burren),
)
