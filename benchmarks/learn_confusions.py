"""Count the character confusions of OCR on pages whose true text is known, and write ``features/ocr_confusions.json``.

Run by hand when the OCR changes; only the counts are distributed. Pages: the receipts of SROIE with true text and six
pages of the Tesseract project, each as it is and as augmented copies: smaller, blurred, in hard black and white,
skewed.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytesseract
from common import ROOT, options, shared
from PIL import Image, ImageFilter
from rapidfuzz.distance import Levenshtein

from features.tokens import fold
from ocr.engines import TesseractEngine
from textclf.base.files import write_aside

SHARE_ALIKE = 0.6
"""Of a line's characters that must be right for the rest to be read as confusions rather than another line."""
FEWEST = 2


def main() -> None:
    arguments = options("confusions", __doc__).parse_args()
    pages = list(true_texts())
    counts: Counter[tuple[str, str]] = Counter()
    characters = 0
    for number, (path, truth) in enumerate(pages[:2] if arguments.quick else pages, 1):
        print(f"page {number} of {len(pages)}", file=sys.stderr)
        with Image.open(path) as image:
            page = image.convert("L")
        for copy in (page, *augmented_copies(page)):
            seen = pytesseract.image_to_string(copy, lang="eng", timeout=60)
            for line, read in alike(truth, seen):
                characters += len(line)
                counts.update(confusions(line, read))
    kept = [[true, read, n] for (true, read), n in counts.items() if n >= FEWEST]
    table = {
        "source": "counts over SROIE receipts and pages of the Tesseract project, read as they are and as poor copies",
        "engine": f"tesseract {TesseractEngine().version}",
        "characters": characters,
        "confusions": sorted(kept, key=lambda row: (-row[2], row[0], row[1])),
    }
    print(f"{sum(counts.values())} errors in {characters} characters; {len(kept)} kinds kept", file=sys.stderr)
    if arguments.quick:
        print(table["confusions"][:20])
        return
    with write_aside(ROOT / "features" / "ocr_confusions.json") as aside:
        rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in table.pop("confusions"))
        head = json.dumps(table, ensure_ascii=False, indent=1).removesuffix("\n}")
        aside.write_text(f'{head},\n "confusions": [\n{rows}\n]}}\n', encoding="utf-8")


def true_texts() -> Iterator[tuple[Path, str]]:
    """Find the pages with true text."""
    scans = shared("datasets", "scans")
    with (scans / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["truth"]:
                yield scans / row["file"], (scans / row["truth"]).read_text(encoding="utf-8")
    for path in sorted(shared("datasets", "ocr-truth", "texts").glob("*.txt")):
        yield path.parents[1] / "pages" / f"{path.stem}.tif", path.read_text(encoding="utf-8")


def augmented_copies(page: Image.Image) -> Iterator[Image.Image]:
    """Make copies like those of bad scanners, fax machines and phones."""
    small = page.resize((max(1, int(page.width * 0.6)), max(1, int(page.height * 0.6))), Image.Resampling.BILINEAR)
    yield small
    yield page.filter(ImageFilter.GaussianBlur(1.6))
    yield small.point(lambda value: 255 if value > 140 else 0)
    buffer = BytesIO()
    page.rotate(1.5, fillcolor=255, expand=True).save(buffer, "JPEG", quality=12)
    yield Image.open(buffer)


def alike(truth: str, seen: str) -> Iterator[tuple[str, str]]:
    """Pair each true line with the most similar line read, if it is similar enough, ignoring case."""
    read = [fold(line.strip()) for line in seen.splitlines() if line.strip()]
    for line in (fold(line.strip()) for line in truth.splitlines()):
        if len(line) > 3 and read:
            best = min(read, key=lambda other: Levenshtein.distance(line, other))
            if Levenshtein.distance(line, best) <= (1 - SHARE_ALIKE) * len(line):
                yield line, best


def confusions(line: str, read: str) -> Iterator[tuple[str, str]]:
    """List true and read characters, up to two for two; an empty string means that the character was left out."""
    for operation, start, end, read_start, read_end in Levenshtein.opcodes(line, read):
        if operation != "equal" and max(end - start, read_end - read_start) <= 2:
            yield line[start:end], read[read_start:read_end]


if __name__ == "__main__":
    main()
