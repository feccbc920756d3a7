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
                documents, categories
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


def classified(documents: list[Document], categories: list[str]) -> list[dict[str, object]]:
    texts = [document.text for document in documents]
    predicted = {}
    for name in PEERS:
        print(f"cross-validating {name}", file=sys.stderr)
        predicted[name] = cross_val_predict(peer(name), texts, categories, cv=FOLDS, n_jobs=JOBS).tolist()
    print("cross-validating textclf", file=sys.stderr)
    return [
        {
            "classifier": name,
            "accuracy": float(accuracy_score(categories, found)),
            "macro F1": float(f1_score(categories, found, average="macro", zero_division=0)),
        }
        for name, found in (predicted | ours(documents, categories)).items()
    ]


def ours(documents: list[Document], categories: list[str]) -> dict[str, list[str]]:
    """Predict each document by a model of the other folds, by its text, and by its text and look."""
    by_text, by_both = [""] * len(documents), [""] * len(documents)
    for train, test in FOLDS.split(documents, categories):
        known, unseen = ([documents[i] for i in places] for places in (train, test))
        texts, looks = [one.text for one in unseen], [one.look for one in unseen]
        model = (
            DocumentClassifier(n_jobs=JOBS)
            .fit([one.text for one in known], [categories[i] for i in train], looks=[one.look for one in known])
            .model_
        )
        both = [prediction.predicted_category for prediction in model.pipe(texts, looks=looks)]
        for place, said, seen in zip(test, model.predict(texts).tolist(), both, strict=True):
            # with neither a word nor a look, the text's guess stands
            by_text[place], by_both[place] = said, seen or said
    return {"textclf, by the text": by_text, "textclf": by_both}


if __name__ == "__main__":
    main()
