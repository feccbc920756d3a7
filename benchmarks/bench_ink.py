"""Cost and gain of accounting for the ink of every page.

Each page is read twice, in turns: as `ocr` reads it, and without reading again the letters that no word covers. The
till receipts of ``shared/datasets/scans`` come with their true text.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

from common import Row, finish, options, shared, word_recall

from ocr import Document, Limits, ReadingOptions, open_engine, page_reading, read_document
from ocr.ink import Region, letter_boxes, uncovered, unread_regions
from ocr.page_content import open_page, survey
from ocr.words import is_real_word
from textclf.base.errors import BadInputError
from textclf.base.tables import read_rows

if TYPE_CHECKING:
    from ocr.ink import Boxes

REGIONS: list[int] = []


def main() -> None:
    arguments = options("ink", __doc__).parse_args()
    scans = shared("datasets", "scans")
    labels = [row.values for row in read_rows(scans / "labels.csv", required=["file", "truth", "collection"])]
    by_collection: dict[str, list[Path]] = {}
    for row in labels:
        by_collection.setdefault(row["collection"], []).append(scans / row["file"])
    truths = {scans / row["file"]: scans / row["truth"] for row in labels if row["truth"]}
    awkward = [path for path in sorted(shared("datasets", "awkward-files").iterdir()) if path.suffix != ".rst"]
    every = 20 if arguments.quick else 1
    rows = [compared(name, paths[::every], truths) for name, paths in (*by_collection.items(), ("awkward", awkward))]
    finish(arguments, {"Accounting for ink, one page at a time": rows})


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One document, read with or without accounting for ink."""

    document: Document
    seconds: float
    regions: int

    @property
    def words(self) -> int:
        """Count the words that look like words of a language."""
        return sum(is_real_word(word.text) for page in self.document.pages for word in page.words)


def compared(name: str, paths: Sequence[Path], truths: dict[Path, Path]) -> Row:
    """Read documents both ways, and compare."""
    pairs, looks = [], []
    for number, path in enumerate(paths):
        # the order alternates, so that neither always runs on warm caches
        order = (True, False) if number % 2 else (False, True)
        both = {again: read(path, again=again) for again in order}
        pairs.append((both[True], both[False]))
        looks.extend(seconds_of_looking(path))
    pages = sum(len(with_it.document.pages) for with_it, _ in pairs)
    with_it, without = (sum(pair[side].words for pair in pairs) for side in (0, 1))
    known = [number for number, path in enumerate(paths) if path in truths]
    row: dict[str, object] = {
        "collection": name,
        "pages": pages,
        "check, ms per page": 1000 * median(looks),
        "share read again": sum(a.regions > 0 for a, _ in pairs) / len(pairs),
        "relative time": sum(a.seconds for a, _ in pairs) / sum(b.seconds for _, b in pairs),
        "words without": without,
        "words with": with_it,
        "gained": with_it / without - 1,
        "documents that gained five words": sum(a.words >= b.words + 5 for a, b in pairs),
        "documents that lost a word": sum(a.words < b.words for a, b in pairs),
        "partial": sum(a.document.status == "partial" for a, _ in pairs),
    }
    for title, side in (("true words without", 1), ("true words with", 0)):
        if known:
            row[title] = mean(
                word_recall(truths[paths[number]].read_text(encoding="utf-8"), pairs[number][side].document.text)
                for number in known
            )
    return row


def read(path: Path, *, again: bool) -> Reading:
    REGIONS.clear()
    page_reading.unread_regions = recorded if again else nothing
    started = time.process_time()
    # a long time limit, so that a busy computer changes no result
    document = read_document(path, options=ReadingOptions(limits=Limits(seconds_per_page=600)), engine=open_engine())
    return Reading(document=document, seconds=time.process_time() - started, regions=sum(REGIONS))


def recorded(boxes: Boxes, size: tuple[int, int]) -> list[Region]:
    regions = unread_regions(boxes, size)
    REGIONS.append(len(regions))
    return regions


def nothing(boxes: Boxes, size: tuple[int, int]) -> list[Region]:
    return []


def seconds_of_looking(path: Path) -> list[float]:
    """Return the seconds it takes to find the letters of each page, and those that no word covers."""
    seconds = []
    try:
        for number in range(1, survey(path, Limits()).page_count + 1):
            with open_page(path, number, Limits()) as content:
                image = content.preview()
            words = [(n, n, n + 50.0, n + 20.0) for n in range(300)]
            started = time.process_time()
            uncovered(letter_boxes(image), words)
            seconds.append(time.process_time() - started)
    except BadInputError:
        pass
    return seconds or [0.0]


if __name__ == "__main__":
    main()
