"""Choices about reading: by what factor to enlarge small scans, and how many threads to give Tesseract.

The till receipts of ``shared/datasets/scans`` come with their true text.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Literal

from common import ROOT, Row, finish, options, shared, word_recall

from features.csv_files import read_rows
from ocr import ReadingOptions, iter_documents

SCALES: tuple[float | Literal["auto"], ...] = ("auto", 1.0, 1.5, 2.0)


def main() -> None:
    parser = options("reading", __doc__)
    parser.add_argument("--receipts", type=int, default=15, help="how many receipts to read (default %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="runs to take the median of (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.receipts, arguments.repeats = 2, 1
    receipts = receipts_with_truth()[: arguments.receipts]
    page = ROOT / "data" / "scans" / "invoice-01.tif"
    finish(
        arguments,
        {
            f"Enlarging {len(receipts)} till receipts, one page at a time, medians": by_scale(receipts),
            f"Threads of tesseract, one A4 page at 300 dpi, median of {arguments.repeats}": by_threads(
                page, arguments.repeats
            ),
        },
    )


def receipts_with_truth() -> list[tuple[Path, str]]:
    folder = shared("datasets", "scans")
    rows = [row.values for row in read_rows(folder / "labels.csv", required=["file", "truth"])]
    return [(folder / row["file"], (folder / row["truth"]).read_text(encoding="utf-8")) for row in rows if row["truth"]]


def by_scale(receipts: list[tuple[Path, str]]) -> list[Row]:
    rows: list[Row] = []
    for scale in SCALES:
        print(f"reading at scale {scale}", file=sys.stderr)
        read = iter_documents([(path.name, path) for path, _ in receipts], options=ReadingOptions(scale=scale), jobs=1)
        documents = list(read)
        truths = [truth for _, truth in receipts]
        rows.append(
            {
                "scale": str(scale),
                "factors used": ", ".join(
                    f"{factor:g}: {count}"
                    for factor, count in sorted(
                        Counter(round(page.scale, 2) for read in documents for page in read.pages).items()
                    )
                ),
                "words found": median(
                    word_recall(truth, read.text) for truth, read in zip(truths, documents, strict=True)
                ),
                "words right": median(
                    word_recall(read.text, truth) for truth, read in zip(truths, documents, strict=True)
                ),
                "seconds a page": median(page.seconds for read in documents for page in read.pages),
            }
        )
    return rows


def by_threads(page: Path, repeats: int) -> list[Row]:
    """Run plain tesseract, as pytesseract does, on one page, and on as many at once as a batch reads."""
    plain = {name: value for name, value in os.environ.items() if name != "OMP_THREAD_LIMIT"}
    rows: list[Row] = []
    for name, environment in (("1", {**plain, "OMP_THREAD_LIMIT": "1"}), ("not limited", plain)):
        row: dict[str, object] = {"OMP_THREAD_LIMIT": name}
        for at_once in (1, 2):
            print(f"threads {name}, {at_once} at once", file=sys.stderr)
            row[f"seconds, {at_once} at once"] = median(
                read_at_once(page, at_once, environment) for _ in range(repeats)
            )
        rows.append(row)
    return rows


def read_at_once(page: Path, count: int, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    command = ["tesseract", str(page), "-", "-l", "eng", "--psm", "3"]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    for process in running:
        process.wait(timeout=600)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
