"""Pages per second compared with other readers; the scale of small scans; the number of threads of Tesseract.

All readers read the same pages at the same scale, in English, without a cache, on all cores, in turns. The till
receipts of ``shared/datasets/scans`` come with their true text.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Literal

import pytesseract
from common import ROOT, Row, finish, options, shared, word_recall
from PIL import Image

from ocr import ReadingOptions, iter_documents
from ocr.engines import system_tessdata
from textclf.base.resources import usable_cores
from textclf.base.tables import read_rows

SCALES: tuple[float | Literal["auto"], ...] = ("auto", 1.0, 1.5, 2.0)


def main() -> None:
    parser = options("reading", __doc__)
    parser.add_argument("--receipts", type=int, default=15, help="how many receipts to read (default %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="runs to take the median of (default %(default)s)")
    parser.add_argument("--pages", type=int, default=20, help="how many pages of each kind (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.receipts, arguments.repeats, arguments.pages = 2, 1, 3
    receipts = receipts_with_truth()[: arguments.receipts]
    page = ROOT / "data" / "scans" / "invoice-01.tif"
    finish(
        arguments,
        {
            **{
                f"{kind}, {len(pages)} pages, {usable_cores()} cores, median of {arguments.repeats}": by_reader(
                    pages, arguments.repeats
                )
                for kind, pages in (
                    ("Real scans", real_scans(arguments.pages)),
                    ("Pages of 300 dpi", pages_of_300_dpi(arguments.pages)),
                )
            },
            f"Enlarging {len(receipts)} till receipts, one page at a time, medians": by_scale(receipts),
            f"Threads of Tesseract, one A4 page at 300 dpi, median of {arguments.repeats}": by_threads(
                page, arguments.repeats
            ),
        },
    )


def real_scans(count: int) -> list[Path]:
    """Choose images from all parts of the collection."""
    folder = shared("datasets", "scans")
    files = [row.values["file"] for row in read_rows(folder / "labels.csv", required=["file"])]
    files = [file for file in files if not file.endswith(".pdf")]
    return [folder / file for file in files[:: max(1, len(files) // count)]][:count]


def pages_of_300_dpi(count: int) -> list[Path]:
    folder = ROOT / "data"
    rows = [row.values for row in read_rows(folder / "labels.csv", required=["file", "dpi", "pages", "rotation"])]
    wanted = [row for row in rows if (row["dpi"], row["pages"], row["rotation"]) == ("300", "1", "0")]
    return [folder / row["file"] for row in wanted if not row["file"].endswith(".pdf")][:count]


def by_reader(pages: list[Path], repeats: int) -> list[Row]:
    readers: dict[str, Callable[[list[Path]], None] | None] = {
        "textclf": read_with_textclf,
        "bare tesserocr, one process per core": read_with_tesserocr,
        "pytesseract, one thread per core, OMP_THREAD_LIMIT=1": read_with_pytesseract,
        "ocrmypdf --sidecar": read_with_ocrmypdf if shutil.which("ocrmypdf") else None,
    }
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for turn in range(repeats):
        for name, reader in readers.items():
            if reader is None:
                continue
            print(f"{name}, {turn + 1} of {repeats}", file=sys.stderr)
            started = time.perf_counter()
            reader(pages)
            seconds[name].append(time.perf_counter() - started)
    ours = median(seconds["textclf"])
    return [
        {
            "reader": name,
            "pages/s": len(pages) / median(times) if times else None,
            "speed-up of textclf": median(times) / ours if times else None,
            "note": "" if times else "not installed",
        }
        for name, times in seconds.items()
    ]


def read_with_textclf(pages: list[Path]) -> None:
    plain = ReadingOptions(languages=("eng",), scale=1.0, text_layer="ignore")
    documents = list(iter_documents([(page.name, page) for page in pages], options=plain))
    assert all(document.status != "failed" for document in documents)  # noqa: S101


def read_with_tesserocr(pages: list[Path]) -> None:
    with ProcessPoolExecutor(usable_cores(), initializer=load_tesserocr, initargs=(system_tessdata(),)) as pool:
        list(pool.map(tesserocr_text, pages))


def load_tesserocr(tessdata: str) -> None:
    from tesserocr import PyTessBaseAPI

    global api
    api = PyTessBaseAPI(path=tessdata, lang="eng")


def tesserocr_text(page: Path) -> str:
    with Image.open(page) as image:
        api.SetImage(image)
        return str(api.GetUTF8Text())


def read_with_pytesseract(pages: list[Path]) -> None:
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    with ThreadPoolExecutor(usable_cores()) as pool:
        list(pool.map(lambda page: pytesseract.image_to_string(str(page), lang="eng"), pages))
    os.environ.pop("OMP_THREAD_LIMIT")
    if before is not None:
        os.environ["OMP_THREAD_LIMIT"] = before


def read_with_ocrmypdf(pages: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "pages.pdf"
        images = [Image.open(page).convert("L") for page in pages]
        images[0].save(pdf, save_all=True, append_images=images[1:], resolution=150)
        subprocess.run(
            [
                "ocrmypdf",
                *("--quiet", "--language", "eng", "--output-type", "pdf", "--jobs", str(usable_cores())),
                *("--sidecar", str(pdf.with_suffix(".txt")), str(pdf), str(pdf.with_suffix(".ocr.pdf"))),
            ],
            check=True,
            timeout=3600,
            stderr=subprocess.DEVNULL,
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
                "seconds per page": median(page.seconds for read in documents for page in read.pages),
            }
        )
    return rows


def by_threads(page: Path, repeats: int) -> list[Row]:
    """Run the program tesseract, as pytesseract does, on one page, and on as many at once as a batch reads."""
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
