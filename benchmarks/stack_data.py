"""Stacks put together from single documents, drawn or real, for learning and for measuring where to cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from data.generator import (
    identity,
    insurance_contracts_en,
    insurance_contracts_it,
    insurance_receipts,
    invoices,
    others,
    tax_certificates,
    tax_returns_en,
    tax_returns_it,
    till_receipts,
    utility_bills,
)
from data.generator.pages import Page as Drawn
from data.generator.pages import Text
from data.generator.several_pages import Document, House, kinds, stack_of, word_width
from features.augmentation import add_ocr_noise
from ocr.cleaning import clean_text
from ocr.document import Page, Word

_MODULES = (
    *(insurance_contracts_it, insurance_contracts_en, insurance_receipts, identity, tax_certificates, tax_returns_it),
    *(tax_returns_en, till_receipts, invoices, utility_bills, others),
)
SAMPLE_SHARE = 0.15
"""Share of documents in a drawn stack that are by the issuers of the samples."""
DUPLEX_SHARE, BLANK_SHARE = 0.15, 0.06
"""Share of stacks that were scanned on both sides, with blank backs; and of documents elsewhere that end in a blank."""

UNREAD_SHARE = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The pages of a stack, and of each page its kind and whether a document begins there."""

    name: str
    pages: tuple[Page, ...]
    starts: tuple[bool, ...]
    kinds: tuple[str, ...]


def houses_of(seed: str, keys: Sequence[tuple[str, str]], count: int) -> list[House]:
    """Make issuers, in turn for each kind and language."""
    return [House(f"{seed} {number}", *keys[number % len(keys)]) for number in range(count)]


def kinds_of_part(of: int, part: int) -> list[tuple[str, str]]:
    """Give every so many kinds, with their languages, beginning from one: parts share no kind."""
    chosen = set(sorted({kind for kind, _ in kinds()})[part::of])
    return [key for key in sorted(kinds()) if key[0] in chosen]


def drawn_stacks(
    seed: str, houses: Sequence[House], split: str, count: int, documents: int = 10
) -> Iterator[tuple[list[Document], Random]]:
    """Draw stacks; some documents are by the issuers of one split of the samples."""
    issuers = [issuer for module in _MODULES for issuer in module.ISSUERS if issuer.split in (split, "other")]
    for number in range(count):
        rng = Random(f"{seed} stack {number}")
        stack = stack_of(rng, houses, documents)
        for place in range(documents):
            if rng.random() < SAMPLE_SHARE:
                issuer = rng.choice(issuers)
                pages = tuple(issuer.draw(rng))
                if any(page.text for page in pages):
                    stack[place] = Document(kind=issuer.slug, issuer=issuer.slug, pages=pages)
        yield stack, rng


def as_read(name: str, documents: Sequence[Document], rng: Random) -> Stack:
    """Give the pages of drawn documents as OCR would read them, without drawing and reading them."""
    pages: list[Page] = []
    starts, kinds = [], []
    dpi, noise, duplex = rng.choice((150, 200, 300)), rng.choice((0.0, 0.004, 0.02, 0.05)), rng.random() < DUPLEX_SHARE
    mixed = rng.random() < 0.2
    for document in documents:
        if mixed:
            dpi, noise = rng.choice((72, 150, 200, 300)), rng.choice((0.0, 0.01, 0.05))
        turned = rng.random() < 0.04
        for place, drawn in enumerate(document.pages):
            page = read_drawn(drawn, rng, dpi, noise)
            if rng.random() < UNREAD_SHARE:
                page = Page(number=1, width=page.width, height=page.height, status="failed")
            pages.append(replace(page, number=len(pages) + 1, rotation=180 if turned else 0))
            starts.append(place == 0)
            kinds.append(document.kind)
        if len(document.pages) % 2 if duplex else rng.random() < BLANK_SHARE:
            pages.append(Page(number=len(pages) + 1, width=pages[-1].width, height=pages[-1].height))
            starts.append(False)
            kinds.append(document.kind)
    return Stack(name=name, pages=tuple(pages), starts=tuple(starts), kinds=tuple(kinds))


def read_drawn(drawn: Drawn, rng: Random, dpi: int, noise: float) -> Page:
    """Make of a drawn page what an engine might read: words with places, some misread, some missing."""
    scale = dpi / 72
    generator = np.random.default_rng(rng.randrange(2**32))
    skew = rng.gauss(0, 0.004)
    placed: list[tuple[float, float, str, tuple[int, int, int, int]]] = []
    for item in drawn.items:
        if not isinstance(item, Text) or item.angle or rng.random() < noise:
            continue
        x = item.x
        for word in item.text.split():
            wide = word_width(word, item.face) * item.size
            y = item.y + skew * x
            box = tuple(round(edge * scale) for edge in (x, y - 0.72 * item.size, x + wide, y + 0.2 * item.size))
            if read := add_ocr_noise(word, noise, generator):
                placed.append((item.y, x, read, box))  # type: ignore[arg-type]
            x += wide + 0.27 * item.size
    placed.sort(key=lambda found: (round(found[0] / 5), found[1]))
    words: list[Word] = []
    line, last = -1, None
    for y, x, text, box in placed:
        # wide gaps make lines of their own, as engines have it
        if last is None or abs(y - last[0]) > 4 or x - last[1] > 90 or x < last[1] - 5:
            line += 1
        words.append(Word(text=text, confidence=100 * (1 - noise), box=box, line=line))
        last = (y, box[2] / scale)
    by_line: dict[int, list[str]] = {}
    for word in words:
        by_line.setdefault(word.line, []).append(word.text)
    raw = "\n".join(" ".join(texts) for texts in by_line.values())
    confidence = min(99.0, max(40.0, 95 - 500 * noise + rng.gauss(0, 3)))
    return Page(
        number=1,
        text=clean_text(raw),
        raw_text=raw,
        words=tuple(words),
        source=("text layer" if dpi == 72 else "ocr") if words else "none",
        confidence=confidence if words else 0.0,
        width=round(drawn.width * scale),
        height=round(drawn.height * scale),
    )
