"""Stacks: cuts found, stacks that are right without a touch, errors among the accepted; four kinds of stacks, apart.

Drawn stacks of ten documents of one to four pages are by issuers, and of kinds of paper, that the weights were not
learned from; of some the pages are drawn, scanned and read by OCR, of the others read as if. Real single pages
(RVL-CDIP) are put together to stacks of ten; the model is trained on other pages. Real stacks are the three PDFs of
``shared/datasets/stacks``. Beside textclf: cutting wherever the kind of page changes, by page numbers alone, and before
every page.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from random import Random

import numpy as np
from common import Row, finish, options, shared
from learn_stack_weights import stacks_and_model
from stack_data import Stack, scanned_stacks

from ocr.page_evidence import PageEvidence
from ocr.reading_options import ReadingOptions
from ocr.stack import StackCutter, page_cutter
from textclf import DocumentClassifier
from textclf.data.scans import ScanOptions, find_scans
from textclf.model.predict import Model
from textclf.model.stacks import stack_cutter

PART = 1
"""The half of the kinds of paper from which no weights were learned."""
DOCUMENTS = 10

Starts = Sequence[bool]
Way = Callable[[Stack, Model], tuple[list[bool], list[float]]]


def main() -> None:
    parser = options("stacks", __doc__)
    parser.add_argument("--cache", type=Path, help="cache folder for pages that are read")
    parser.add_argument(
        "--stacks", type=int, default=100, help="drawn stacks, and real ones put together (%(default)s)"
    )
    parser.add_argument("--seed", default="report", help="of all draws (default %(default)s)")
    arguments = parser.parse_args()
    count = 10 if arguments.quick else arguments.stacks
    scans = ScanOptions(cache=arguments.cache, split="auto", reading=ReadingOptions(separators=False))
    groups: list[tuple[str, list[Stack], Model]] = []
    drawn, model = stacks_and_model(arguments.seed, PART, count, DOCUMENTS)
    groups.append(("drawn, read as if by OCR", drawn, model))
    if not arguments.quick:
        groups.append(("drawn, scanned and read", scanned_stacks(arguments.seed, model.categories, scans), model))
    groups += real_groups(arguments.seed, count, scans)
    tables: dict[str, list[Row]] = {}
    for name, stacks, known in groups:
        print(f"cutting {len(stacks)} stacks: {name}", file=sys.stderr)
        tables[f"{name[0].upper()}{name[1:]}: {described(stacks)}"] = [
            {"way": way} | measured(stacks, [cut(stack, known) for stack in stacks]) for way, cut in WAYS.items()
        ]
    finish(arguments, tables)


def described(stacks: Sequence[Stack]) -> str:
    documents, pages = sum(sum(stack.starts) for stack in stacks), sum(len(stack.pages) for stack in stacks)
    return f"{len(stacks)} stacks, {documents} documents, {pages} pages"


def measured(stacks: Sequence[Stack], found: Sequence[tuple[list[bool], list[float]]]) -> Row:
    """Compare cuts with the truth; blank pages are in either document, as nothing is lost with them."""
    true, cut, sure, right, accepted = [], [], [], [], []
    for stack, (starts, certain) in zip(stacks, found, strict=True):
        gaps = list(range(1, len(stack.pages)))
        truth, guess = [stack.starts[place] for place in gaps], [starts[place] for place in gaps]
        certain = certain or [0.0] * len(gaps)
        true += truth
        cut += guess
        sure += [score >= SURE for score in certain]
        right.append(truth == guess)
        accepted.append(bool(certain) and all(score >= SURE for score in certain))
    truths, cuts, sures, rights, taken = (np.array(values, dtype=bool) for values in (true, cut, sure, right, accepted))
    hits = (truths & cuts).sum()
    row: dict[str, object] = {
        "F1 of cuts": float(2 * hits / max(1, truths.sum() + cuts.sum())),
        "precision": float(hits / max(1, cuts.sum())),
        "recall": float(hits / max(1, truths.sum())),
        "stacks right": float(rights.mean()),
    }
    if sures.any():
        row |= {
            "cuts accepted": float((cuts & sures).sum() / max(1, cuts.sum())),
            "of these wrong": float((cuts & sures & ~truths).sum() / max(1, (cuts & sures).sum())),
            "stacks accepted": float(taken.mean()),
            "accepted and right": float((taken & rights).mean()),
            "of accepted wrong": float((taken & ~rights).sum() / max(1, taken.sum())),
        }
    return row


# --- ways to cut


SURE = page_cutter().weights.sure


def _with(cutter: Callable[[Model], StackCutter]) -> Way:
    def cut(stack: Stack, model: Model) -> tuple[list[bool], list[float]]:
        cuts = cutter(model).cuts(stack.pages)
        return [True, *(one.score >= 0.5 for one in cuts)], [max(one.score, 1 - one.score) for one in cuts]

    return cut


def where_the_kind_changes(stack: Stack, model: Model) -> tuple[list[bool], list[float]]:
    kinds = [prediction.predicted_category for prediction in model.pipe(page.text for page in stack.pages)]
    starts, last = [True], kinds[0]
    for kind in kinds[1:]:
        starts.append(bool(kind) and kind != last)
        last = kind or last
    return starts, []


def by_page_numbers(stack: Stack, _model: Model) -> tuple[list[bool], list[float]]:
    """Cut where a page is numbered 1, or its number is not the next one; and between pages without numbers."""
    starts, last = [True], PageEvidence(stack.pages[0]).number
    for page in stack.pages[1:]:
        evidence = PageEvidence(page)
        number = evidence.number
        if evidence.is_blank:
            starts.append(False)
            continue
        follows = number and number.number > 1 and (last is None or number.number > last.number)
        starts.append(not follows)
        last = number
    return starts, []


def before_every_page(stack: Stack, _model: Model) -> tuple[list[bool], list[float]]:
    return [True] * len(stack.pages), []


WAYS: dict[str, Way] = {
    "textclf with a model": _with(stack_cutter),
    "textclf without": _with(lambda _model: page_cutter()),
    "where the kind changes": where_the_kind_changes,
    "page numbers alone": by_page_numbers,
    "before every page": before_every_page,
}

# --- stacks


def real_groups(seed: str, count: int, scans: ScanOptions) -> list[tuple[str, list[Stack], Model]]:
    whole = replace(scans, split="none")
    folder = shared("datasets", "rvl-scans")
    labels = {row["file"]: row["category"] for row in _rows(folder / "labels.csv")}
    documents = [document for document in whole.iter_documents(find_scans([folder])) if document.text.strip()]
    rng = Random(f"{seed} pages")
    rng.shuffle(documents)
    known, unseen = documents[::2], documents[1::2]
    texts, kinds = [one.text for one in known], [labels[one.document_id] for one in known]
    model = DocumentClassifier(random_state=0).fit(texts, kinds).model_
    stacks = []
    for number in range(count):
        chosen = rng.sample(unseen, DOCUMENTS)
        pages = tuple(replace(one.pages[0], number=place) for place, one in enumerate(chosen, 1))
        kinds = tuple(labels[one.document_id] for one in chosen)
        stacks.append(Stack(name=f"pages {number}", pages=pages, starts=(True,) * DOCUMENTS, kinds=kinds))
    return [("real single pages", stacks, model), ("real stacks", real_stacks(whole), model)]


def real_stacks(scans: ScanOptions) -> list[Stack]:
    folder = shared("datasets", "stacks")
    truth = {name: list(rows) for name, rows in groupby(_rows(folder / "stacks.csv"), lambda row: row["file"])}
    stacks = []
    for document in scans.iter_documents(find_scans([folder])):
        rows = truth[document.document_id]
        starts = {int(row["first_page"]) for row in rows}
        kinds = [row["category"] for row in rows for _ in range(int(row["first_page"]), int(row["last_page"]) + 1)]
        numbers = [page.number for page in document.pages]
        stacks.append(
            Stack(
                name=document.document_id,
                pages=document.pages,
                starts=tuple(number in starts for number in numbers),
                kinds=tuple(kinds),
            )
        )
    return stacks


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


if __name__ == "__main__":
    main()
