"""Documents of several pages: stacks of different papers that are noticed, and honest documents that go to review.

A model is trained on some Tobacco-3482 texts of each category and on some whole contracts. Stacks and honest documents
are made of the other texts, a page each, and of the other contracts, cut into pages. Then the three PDFs of
``shared/datasets/stacks``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from common import Row, dataset, finish, options, shared, tobacco

from textclf import DocumentClassifier
from textclf.data.scans import ScanOptions, find_scans
from textclf.model.pages import PAGES_DISAGREE, page_runs
from textclf.model.predict import Model

EACH = 40
PAGE = 3_000
"""Characters of a page of a contract, about as many as a full sheet holds."""
MOST_PAGES = 5
"""Pages of a stack; honest documents have up to twice as many."""

Sets = dict[str, list[list[str]]]


def main() -> None:
    parser = options("pages", __doc__)
    parser.add_argument("--draws", type=int, default=3, help="models, from seed 0 (default %(default)s)")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first (default %(default)s)")
    parser.add_argument("--documents", type=int, default=100, help="of each kind of stack (default %(default)s)")
    parser.add_argument("--max-error", type=float, default=0.1, help="of the models (default %(default)s)")
    arguments = parser.parse_args()
    texts, categories = map(np.array, tobacco(quick=False))
    contracts = np.array([row["text"] for row in dataset("contracts-ocr")])
    pdfs = list(ScanOptions().iter_documents(find_scans([shared("datasets", "stacks")])))
    made: dict[str, list[tuple[bool, bool]]] = {}
    real: list[Row] = []
    for seed in range(arguments.first_seed, arguments.first_seed + (1 if arguments.quick else arguments.draws)):
        rng = np.random.default_rng(seed)
        print(f"training, seed {seed}", file=sys.stderr)
        place = np.concatenate(
            [rng.permutation(np.flatnonzero(categories == name))[:EACH] for name in np.unique(categories)]
        )
        split = rng.permutation(len(contracts))
        known = [*texts[place], *contracts[split[:EACH]]]
        classifier = DocumentClassifier(max_error=arguments.max_error, random_state=seed)
        model = classifier.fit(known, [*categories[place], *["contract"] * EACH]).model_
        rest = np.setdiff1d(np.arange(len(texts)), place)
        paged = [cut(text) for text in contracts[split[EACH:]]]
        for name, documents in documents_of(texts[rest], categories[rest], paged, rng, arguments.documents).items():
            made.setdefault(name, []).extend(decided(model, documents))
        real += [{"seed": seed} | described(model, pdf.document_id, pdf.paged_text) for pdf in pdfs]
    finish(
        arguments,
        {
            f"Made documents, {EACH} documents a category trained on, maximum error {arguments.max_error:g}": [
                {
                    "documents": name,
                    "number": len(found),
                    "accepted as a whole": float(np.mean([whole for whole, _ in found])),
                    "accepted": float(np.mean([whole and not disagree for whole, disagree in found])),
                    "pages disagree": float(np.mean([disagree for _, disagree in found])),
                }
                for name, found in made.items()
            ],
            "Scanned stacks (first and second) and a statement of five pages": real,
        },
    )


def documents_of(
    texts: np.ndarray, categories: np.ndarray, contracts: list[list[str]], rng: np.random.Generator, count: int
) -> Sets:
    """Make honest documents and stacks, each a list of pages."""
    names = np.unique(categories)
    pages = {name: texts[categories == name] for name in names}

    def some(name: str, number: int) -> list[str]:
        return rng.choice(pages[name], number, replace=False).tolist()

    sets: Sets = {"honest: contracts": contracts}
    for number in (2, 3, MOST_PAGES, 2 * MOST_PAGES):
        sets[f"honest: {number} pages of one category"] = [some(rng.choice(names), number) for _ in range(count)]
    for number in (2, 3, MOST_PAGES):
        chosen = [rng.choice(names, number, replace=False) for _ in range(count)]
        sets[f"stack: {number} pages of different categories"] = [
            [page for name in kinds for page in some(name, 1)] for kinds in chosen
        ]
    pairs = [rng.choice(names, 2, replace=False) for _ in range(count)]
    sets["stack: 1 page and 3 of another category"] = [some(one, 1) + some(other, 3) for one, other in pairs]
    chosen = rng.integers(len(contracts), size=count).tolist()
    sets["stack: a page and a contract"] = [some(rng.choice(names), 1) + contracts[number] for number in chosen]
    return sets


def cut(text: str) -> list[str]:
    """Cut a text into pages between its lines."""
    lines = text.replace("\f", "\n").splitlines(keepends=True)
    ends = np.cumsum([len(line) for line in lines]) // PAGE
    edges = [0, *(np.flatnonzero(np.diff(ends)) + 1).tolist(), len(lines)]
    return ["".join(lines[start:end]) for start, end in pairwise(edges)]


def decided(model: Model, documents: Sequence[Sequence[str]]) -> list[tuple[bool, bool]]:
    """Return of each document whether it would be accepted as a whole, and whether its pages disagree."""
    whole = model.pipe("\n\n".join(filter(None, pages)) for pages in documents)
    paged = model.pipe("\f".join(pages) for pages in documents)
    return [(one.decision == "accept", other.reason == PAGES_DISAGREE) for one, other in zip(whole, paged, strict=True)]


def described(model: Model, name: str, text: str) -> Row:
    prediction = model(text)
    return {
        "file": name,
        "as a whole": model(text.replace("\f", "\n\n")).decision,
        "decision": prediction.decision,
        "reason": prediction.reason,
        "pages": "; ".join(page_runs(prediction.pages)),
    }


if __name__ == "__main__":
    main()
