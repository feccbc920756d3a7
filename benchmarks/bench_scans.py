"""The whole path on real pages: read scans, then classify them, five-fold, compared with other classifiers.

Pages of ``shared/datasets/scans`` whose category has six or more; read with the default options.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median

from common import finish, options, shared
from peers import PEERS, peer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from ocr import Document, PageCache, iter_documents
from textclf import DocumentClassifier
from textclf.base.tables import read_rows

JOBS = 2
LEAST = 6
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


def main() -> None:
    parser = options("scans", __doc__)
    parser.add_argument("--cache", type=Path, help="cache folder; a second run reads nothing and times nothing")
    arguments = parser.parse_args()
    files, categories = labelled_scans(quick=arguments.quick)
    print(f"reading {len(files)} documents", file=sys.stderr)
    documents, seconds = read(files, arguments.cache)
    finish(
        arguments,
        {
            f"Reading with Tesseract, {JOBS} processes": [reading_figures(documents, seconds, arguments.cache)],
            f"Real scans, {len(files)} documents, {len(set(categories))} categories, 5-fold": classified(
                [document.text for document in documents], categories
            ),
        },
    )


def labelled_scans(*, quick: bool) -> tuple[list[tuple[str, Path]], list[str]]:
    """List the scans of all categories with six or more, in file order; with ``quick`` six each of four."""
    folder = shared("datasets", "scans")
    rows = [row.values for row in read_rows(folder / "labels.csv", required=["file", "category"])]
    counts = Counter(row["category"] for row in rows)
    chosen = {category for category, count in counts.items() if count >= LEAST}
    if quick:
        chosen = set(sorted(chosen)[:4])
        seen: Counter[str] = Counter()
        rows = [row for row in rows if not seen.update([row["category"]]) and seen[row["category"]] <= LEAST]
    rows = [row for row in rows if row["category"] in chosen]
    return [(row["file"], folder / row["file"]) for row in rows], [row["category"] for row in rows]


def read(files: list[tuple[str, Path]], cache: Path | None) -> tuple[list[Document], float]:
    started = time.perf_counter()
    documents = list(iter_documents(files, jobs=JOBS, cache=PageCache(cache) if cache else None))
    return documents, time.perf_counter() - started


def reading_figures(documents: list[Document], seconds: float, cache: Path | None) -> dict[str, object]:
    pages = [page for document in documents for page in document.pages]
    return {
        "documents": len(documents),
        "pages": len(pages),
        "not read in full": sum(document.status != "ok" for document in documents),
        "without words": sum(not document.text for document in documents),
        # pages from a cache say nothing about the speed of reading
        "pages per second": None if cache else len(pages) / seconds,
        "median seconds per page": None if cache else median(page.seconds for page in pages),
    }


def classified(texts: list[str], categories: list[str]) -> list[dict[str, object]]:
    # textclf is cross-validated fold by fold, since it distributes its own work over the cores
    candidates = {name: (peer(name), JOBS) for name in PEERS} | {"textclf": (DocumentClassifier(n_jobs=JOBS), 1)}
    rows = []
    for name, (classifier, jobs) in candidates.items():
        print(f"cross-validating {name}", file=sys.stderr)
        predicted = cross_val_predict(classifier, texts, categories, cv=FOLDS, n_jobs=jobs)
        rows.append(
            {
                "classifier": name,
                "accuracy": float(accuracy_score(categories, predicted)),
                "macro F1": float(f1_score(categories, predicted, average="macro", zero_division=0)),
            }
        )
    return rows


if __name__ == "__main__":
    main()
