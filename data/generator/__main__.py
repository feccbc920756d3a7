"""Draw all sample documents, or those of one category: ``python -m data.generator [--only CATEGORY] [-o FOLDER]``."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import PIL
import reportlab
from PIL import features

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
from data.generator.issuers import Issuer
from data.generator.pages import FAMILIES, Page, font_file
from data.generator.scanning import DIGITAL, MIXED, SEVERAL, SINGLE, Kind, write

SEED = 730
CATEGORIES = {
    "insurance_contract": insurance_contracts_it.ISSUERS + insurance_contracts_en.ISSUERS,
    "insurance_receipt": insurance_receipts.ISSUERS,
    "identity_card": identity.ISSUERS,
    "tax_certificate": tax_certificates.ISSUERS,
    "tax_return": tax_returns_it.ISSUERS + tax_returns_en.ISSUERS,
    "till_receipt": till_receipts.ISSUERS,
    "invoice": invoices.ISSUERS,
    "utility_bill": utility_bills.ISSUERS,
    "other": others.ISSUERS,
}
COLUMNS = ("file", "category", "split", "issuer", "language", "dpi", "rotation", "pages", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One document before it is scanned."""

    name: str
    category: str
    issuer: Issuer
    pages: tuple[Page, ...]
    kind: Kind
    rotation: int

    @property
    def file(self) -> str:
        """Path under the folder of the samples."""
        return f"scans/{self.name}.{self.kind.container}"

    @property
    def row(self) -> tuple[object, ...]:
        """The document's line in the table of labels, one value for each of `COLUMNS`."""
        return (
            self.file,
            self.category,
            self.issuer.split,
            self.issuer.slug,
            self.issuer.language,
            self.kind.dpi or "",
            self.rotation,
            len(self.pages),
            self.kind.name,
        )


def _deck(kinds: tuple[Kind, ...], rng: Random) -> Iterator[Kind]:
    while True:
        yield from rng.sample(kinds, len(kinds))


def samples(seed: int = SEED) -> Iterator[Sample]:
    """Write all documents and deal out ways of filing and rotations, each split from its own deck."""
    rng = Random(f"{seed} decks")
    single = {split: _deck(SINGLE, rng) for split in ("train", "test", "other")}
    several = {split: _deck(SEVERAL, rng) for split in ("train", "test", "other")}
    turns = {split: rng.randrange(10) for split in ("train", "test", "other")}
    for category, issuers in CATEGORIES.items():
        number = 0
        for issuer in issuers:
            for _ in range(issuer.count):
                number += 1
                name = f"{category}-{number:02d}"
                pages = tuple(issuer.draw(Random(f"{seed} {name} text")))
                kind = next((single if len(pages) == 1 else several)[issuer.split])
                turns[issuer.split] += 1
                # one in ten went through the feeder the wrong way; a digital page never does
                turned = turns[issuer.split] % 10 == 0 and kind not in (DIGITAL, MIXED)
                rotation = (90, 180, 270, 180)[turns[issuer.split] // 10 % 4] if turned else 0
                yield Sample(name=name, category=category, issuer=issuer, pages=pages, kind=kind, rotation=rotation)


def versions() -> dict[str, str]:
    """Everything that the bytes of the samples depend on, beside the code here."""
    fonts = hashlib.sha256()
    for family in FAMILIES:
        for style in range(3):
            fonts.update(Path(font_file(f"{family}-{style}")).read_bytes())
    parts = {name: str(features.version(name)) for name in ("freetype2", "jpg", "zlib", "libtiff", "webp")}
    return {
        "machine": platform.machine(),
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "reportlab": reportlab.__version__,
        **parts,
        "fonts": fonts.hexdigest(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m data.generator", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parents[1], help="folder to write to")
    parser.add_argument("--only", choices=sorted(CATEGORIES), help="draw this category only, without the tables")
    options = parser.parse_args()
    (options.output / "scans").mkdir(parents=True, exist_ok=True)
    drawn = list(samples())
    for sample in drawn:
        if options.only in (None, sample.category):
            path = options.output / sample.file
            write(sample.pages, sample.kind, sample.rotation, path, Random(f"{SEED} {sample.name} scan"))
    if options.only:
        return
    with (options.output / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([COLUMNS, *(sample.row for sample in drawn)])
    with (options.output / "truth.csv").open("w", newline="", encoding="utf-8") as stream:
        texts = (("\n".join(page.text for page in sample.pages)) for sample in drawn)
        rows = [(sample.file, text) for sample, text in zip(drawn, texts, strict=True)]
        csv.writer(stream, lineterminator="\n").writerows([("file", "text"), *rows])
    made = json.dumps(versions(), indent=2)
    (options.output / "made_with.json").write_text(made + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
