"""Documents classified per second: reading all of a document, or only as much as the decision needs.

Pages of ``shared/datasets/scans`` whose category has six or more; a model is trained on half of them, read in full, and
classifies the others: as single pages, and as PDFs of ten pages of one category.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from bench_scans import labelled_scans
from common import Row, finish, options
from PIL import Image
from sklearn.model_selection import train_test_split

from ocr import Effort, ReadingOptions, iter_documents
from ocr.page_content import open_page
from ocr.reading_options import Limits
from textclf import DocumentClassifier
from textclf.data.predictions import classify_files
from textclf.data.scans import ScanOptions
from textclf.model.predict import Model

EFFORTS: tuple[Effort, ...] = ("full", "balanced", "fast", "glance")
JOBS = 2
PAGES = 10
SCANS = ReadingOptions(text_layer="ignore")


def main() -> None:
    parser = options("effort", __doc__)
    parser.add_argument("--pdfs", type=int, default=60, help="PDFs of ten pages to classify (default %(default)s)")
    parser.add_argument("--max-error", type=float, default=0.2, help="of the model (default %(default)s)")
    arguments = parser.parse_args()
    files, categories = labelled_scans(quick=arguments.quick)
    train, test, known, wanted = train_test_split(files, categories, test_size=0.5, stratify=categories, random_state=0)
    print(f"reading {len(train)} documents to train on", file=sys.stderr)
    read = [(one.text, one.look) for one in iter_documents(train, options=SCANS, jobs=JOBS)]
    # folder backs hold almost no text
    legible = Counter(category for (text, _), category in zip(read, known, strict=True) if text)
    taught = [(*one, category) for one, category in zip(read, known, strict=True) if legible[category] >= 2]
    texts, looks, labels = zip(*taught, strict=True)
    model = DocumentClassifier(max_error=arguments.max_error, n_jobs=JOBS).fit(texts, labels, looks=looks).model_
    truth = {path.name: category for (_, path), category in zip(test, wanted, strict=True) if legible[category] >= 2}
    with tempfile.TemporaryDirectory() as folder:
        singles = [path for _, path in test if path.name in truth]
        pdfs = ten_page_pdfs(singles, truth, Path(folder), 2 if arguments.quick else arguments.pdfs)
        of_pdfs = {pdf.name: truth[pdf.stem] for pdf in pdfs}
        finish(
            arguments,
            {
                f"Single pages, {len(singles)} documents": by_effort(model, singles, truth),
                f"PDFs of {PAGES} pages of one category, {len(pdfs)} documents": by_effort(model, pdfs, of_pdfs),
            },
        )


def ten_page_pdfs(pages: list[Path], truth: dict[str, str], folder: Path, count: int) -> list[Path]:
    """Put each page, and nine more of its category, into a PDF; a category of fewer pages repeats some of them."""
    rng = np.random.default_rng(0)
    by_category: defaultdict[str, list[Path]] = defaultdict(list)
    for page in pages:
        by_category[truth[page.name]].append(page)
    pdfs = []
    for place in sorted(rng.permutation(len(pages))[:count].tolist()):
        page = pages[place]
        alike = by_category[truth[page.name]]
        images = [grey(page), *(grey(alike[n]) for n in rng.integers(len(alike), size=PAGES - 1).tolist())]
        pdfs.append(folder / f"{page.name}.pdf")
        # as wide as a sheet, so that a page is rendered with the pixels of its scan
        dpi = max(100, round(max(images[0].size) / 11.69))
        images[0].save(pdfs[-1], save_all=True, append_images=images[1:], resolution=dpi)
    return pdfs


def grey(path: Path) -> Image.Image:
    with open_page(path, 1, Limits()) as content:
        return content.image()


def by_effort(model: Model, paths: list[Path], truth: dict[str, str]) -> list[Row]:
    rows: list[Row] = []
    for effort in EFFORTS:
        print(f"classifying {len(paths)} documents, effort {effort}", file=sys.stderr)
        scans = ScanOptions(reading=SCANS, effort=effort, jobs=JOBS, no_cache=True)
        started = time.perf_counter()
        found = [
            (document, prediction, prediction.predicted_category == truth[Path(document.file).name])
            for document, prediction, _ in classify_files(model, paths, scans)
        ]
        seconds = time.perf_counter() - started
        accepted = [right for _, prediction, right in found if prediction.decision == "accept"]
        rows.append(
            {
                "effort": effort,
                "accuracy": sum(right for *_, right in found) / len(found),
                "accepted": len(accepted),
                "of these wrong": len(accepted) - sum(accepted),
                "pages read": sum(document.pages_read for document, *_ in found) / len(found),
                "not read at all": sum(not document.pages_read for document, *_ in found) / len(found),
                "documents/s": len(found) / seconds,
                "speed-up": (len(found) / seconds) / (rows[0]["documents/s"] if rows else len(found) / seconds),
            }
        )
    return rows


if __name__ == "__main__":
    main()
