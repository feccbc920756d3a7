"""Stacks put together from single documents, drawn or real, for learning and for measuring where to cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

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
from data.generator.scanning import Kind, write
from data.generator.several_pages import Document, House, kinds, stack_of, word_width
from features.augmentation import add_ocr_noise
from ocr.cleaning import clean_text
from ocr.document import Document as ReadDocument
from ocr.document import Page, Word
from textclf.data.scans import ScanOptions, find_scans

_MODULES = (
    *(insurance_contracts_it, insurance_contracts_en, insurance_receipts, identity, tax_certificates, tax_returns_it),
    *(tax_returns_en, till_receipts, invoices, utility_bills, others),
)
SAMPLE_SHARE = 0.15
"""Share of documents in a drawn stack that are by the issuers of the samples."""
DUPLEX_SHARE, BLANK_SHARE = 0.15, 0.06
"""Share of stacks that were scanned on both sides, with blank backs; and of documents elsewhere that end in a blank."""

UNREAD_SHARE, STAINED = 0.005, 0.01
SCANNED = (
    Kind(name="scanned pdf", container="pdf", mode="grey", dpi=200, quality=45),
    Kind(name="scanned pdf", container="pdf", mode="bilevel", dpi=300),
    Kind(name="scanned pdf", container="pdf", mode="grey", dpi=150, quality=45),
)
POOL, SCANNED_STACKS = 40, 60
"""Documents that are drawn, scanned and read, and stacks put together from them."""


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
    seed = rng.randrange(2**32)
    generator, shaky = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    skew = rng.gauss(0, 0.004)
    placed: list[tuple[float, float, str, tuple[int, int, int, int]]] = []
    for item in drawn.items:
        if not isinstance(item, Text) or item.angle or rng.random() < noise:
            continue
        x = item.x
        for word in item.text.split():
            wide = word_width(word, item.face) * item.size
            y = item.y + skew * x
            above, below = _reach(word)
            above, below = (one + shaky.normal(0, 0.03) for one in (above, below))
            # some words touch a stamp, a rule or a speck
            above += (shaky.random() < STAINED) * shaky.uniform(0.2, 1.5)
            edges = (x, y - above * item.size, x + wide, y + below * item.size)
            box = tuple(round(edge * scale) for edge in edges)
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


def _reach(word: str) -> tuple[float, float]:
    """Say how far the box of a word reaches above and below its baseline, in sizes of the face."""
    tall = any(char.isupper() or char.isdecimal() or char in "bdfhklt'\"/|" for char in word)
    return 0.72 if tall else 0.52, 0.2 if any(char in "gjpqy,;()" for char in word) else 0.0


def scanned_stacks(
    seed: str,
    known: Sequence[str],
    scans: ScanOptions,
    *,
    split: str = "test",
    filing: Sequence[Kind] = SCANNED[:1],
) -> list[Stack]:
    """Draw some documents of these kinds, scan and read them, and put stacks together from their pages."""
    keys = [key for key in sorted(kinds()) if key[0] in known and key[1] in ("en", "it")]
    houses = houses_of(f"{seed} scanned", keys, 3 * POOL)
    drawn: list[Document] = []
    for documents, _ in drawn_stacks(f"{seed} scanned", houses, split, POOL // 10):
        drawn += documents
    with TemporaryDirectory() as folder:
        for number, document in enumerate(drawn):
            path = Path(folder, f"{number:03}.pdf")
            write(document.pages, filing[number // 10 % len(filing)], 0, path, Random(f"{seed} scan {number}"))
        read = list(replace(scans, split="none").iter_documents(find_scans([Path(folder)])))
    pool = list(zip(drawn, read, strict=True))
    return [_put_together(f"{seed} scanned {number}", pool) for number in range(SCANNED_STACKS)]


def _put_together(name: str, pool: Sequence[tuple[Document, ReadDocument]]) -> Stack:
    rng = Random(name)
    pages: list[Page] = []
    starts, kinds = [], []
    for drawn, read in rng.sample(list(pool), 10):
        for place, page in enumerate(read.pages):
            pages.append(replace(page, number=len(pages) + 1))
            starts.append(place == 0)
            kinds.append(drawn.kind)
        if rng.random() < BLANK_SHARE:
            pages.append(Page(number=len(pages) + 1, width=pages[-1].width, height=pages[-1].height))
            starts.append(False)
            kinds.append(drawn.kind)
    return Stack(name=name, pages=tuple(pages), starts=tuple(starts), kinds=tuple(kinds))
