"""Draw the sample forms and the table of their places: ``python -m data.generator.signing [-o FOLDER]``."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from random import Random

from data.generator.people import Language
from data.generator.scanning import Kind, write
from data.generator.signing.forms import approvals, consent, letter

SEED = 919
_JPEG = Kind(name="jpeg", container="jpg", mode="grey", dpi=120, quality=40)
_TIFF = Kind(name="ccitt tiff", container="tif", mode="bilevel", dpi=150)
_PNG = Kind(name="bilevel png", container="png", mode="bilevel", dpi=120)
_PDF = Kind(name="scanned pdf", container="pdf", mode="grey", dpi=110, quality=40)
SAMPLES = (
    ("consent-01", consent, "it", 1.0, _JPEG),
    ("consent-02", consent, "it", 0.5, _TIFF),
    ("consent-03", consent, "it", 0.0, _PNG),
    ("consent-04", consent, "en", 1.0, _PDF),
    ("consent-05", consent, "en", 0.5, _JPEG),
    ("consent-06", consent, "en", 0.0, _TIFF),
    ("approvals-01", approvals, "en", 0.6, _TIFF),
    ("approvals-02", approvals, "it", 0.6, _JPEG),
    ("letter-01", letter, "en", 1.0, _TIFF),
    ("letter-02", letter, "it", 0.0, _JPEG),
)
COLUMNS = ("file", "language", "kind", "left", "top", "right", "bottom")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m data.generator.signing", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parents[2] / "signing")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[object, ...]] = []
    for name, draw, language, signed, kind in SAMPLES:
        said: Language = "it" if language == "it" else "en"
        form = draw(Random(f"{SEED} {name} text"), said, signed)
        file = f"{name}.{kind.container}"
        write([form.page], kind, 0, options.output / file, Random(f"{SEED} {name} scan"))
        for place in form.places:
            sides = (form.page.width, form.page.height) * 2
            edges = (f"{edge / side:.4f}" for edge, side in zip(place.box, sides, strict=True))
            rows.append((file, language, place.kind, *edges))
    with (options.output / "places.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main()
