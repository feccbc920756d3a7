"""Accuracy without any label: categories given by name and keywords, documents of unknown category.

The keywords of `TOBACCO` and `PAGES` were written down before any text or result was seen. Each draw trains on four
folds of a 5-fold split without their labels, and tests on the fifth; of `data/`, the split of its labels is used.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from common import ROOT, finish, options, run_textclf, rvl_scans, tobacco
from sklearn.model_selection import StratifiedKFold

from features.keyword_learning import compile_matcher
from features.lexicon import Lexicon, LexiconCategory, shipped_lexicon
from features.tokens import tokenize
from textclf import DocumentClassifier
from textclf.base.tables import read_rows

LETTER = ("dear", "sincerely", "yours truly", "very truly yours", "enclosed")
EMAIL = ("original message", "sent", "forwarded by", "attachments", "e mail")
MEMO = ("memorandum", "memo", "inter office", "interoffice correspondence", "distribution")
RESUME = ("curriculum vitae", "resume", "education", "professional experience", "born")
SCIENTIFIC = ("abstract", "methods", "results", "references", "et al")
TOBACCO = {
    "ADVE": ("surgeon general's warning", "mg tar", "coupon", "flavor", "smooth taste"),
    "Email": EMAIL,
    "Form": ("form", "signature", "approved by", "date received", "please print"),
    "Letter": LETTER,
    "Memo": MEMO,
    "News": ("associated press", "newspaper", "staff writer", "reporter", "editorial"),
    "Note": ("note", "notes", "call", "thanks", "per your request"),
    "Report": ("report", "table of contents", "summary", "conclusions", "introduction"),
    "Resume": RESUME,
    "Scientific": SCIENTIFIC,
}
PAGES = {
    "email": EMAIL,
    "invoice": ("invoice", "amount due", "total", "remit to", "purchase order"),
    "letter": LETTER,
    "memo": MEMO,
    "resume": RESUME,
    "scientific_publication": SCIENTIFIC,
}


def main() -> None:
    arguments = options("keywords", __doc__).parse_args()
    draws = 1 if arguments.quick else 5
    texts, names = tobacco(quick=False)
    pages = [(row["text"], row["category"]) for row in rvl_scans(quick=False) if row["category"] in PAGES]
    found = {
        "data/, shipped lexicon": samples(),
        "Tobacco-3482, ten categories": folds(texts, names, lexicon_of(TOBACCO), draws),
        "real scans, six kinds": folds(*map(list, zip(*pages, strict=True)), lexicon_of(PAGES), draws),
    }
    finish(arguments, {"Accuracy without labels": [{"documents": name, **row} for name, row in found.items()]})


def lexicon_of(keywords: Mapping[str, Sequence[str]]) -> Lexicon:
    return Lexicon(categories=tuple(LexiconCategory(name=name, keywords=tuple(k)) for name, k in keywords.items()))


def samples() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        documents = Path(folder, "documents.csv")
        run_textclf("ocr", ROOT / "data" / "scans", "--labels", ROOT / "data" / "labels.csv", "-o", documents)
        rows = [row.values for row in read_rows(documents, required=["text", "category", "split"])]
    train, test = ([row for row in rows if row["split"] == split] for split in ("train", "test"))
    return measured(
        [row["text"] for row in train],
        [row["text"] for row in test],
        [row["category"] for row in test],
        shipped_lexicon(),
    )


def folds(texts: Sequence[str], names: Sequence[str], lexicon: Lexicon, draws: int) -> dict[str, float]:
    found = []
    for seed in range(draws):
        print(f"{len(lexicon.categories)} categories, draw {seed + 1} of {draws}", file=sys.stderr)
        train, test = next(StratifiedKFold(5, shuffle=True, random_state=seed).split(names, names))
        pile = [texts[i] for i in train]
        found.append(measured(pile, [texts[i] for i in test], [names[i] for i in test], lexicon))
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def measured(pile: Sequence[str], unseen: Sequence[str], truth: Sequence[str], lexicon: Lexicon) -> dict[str, float]:
    """Accuracy of the model, and of the most keywords alone, where a draw or none counts as wrong."""
    classifier = DocumentClassifier(lexicon=lexicon).fit([], [], unlabelled=pile)
    matcher = compile_matcher(lexicon)
    right = 0
    for hits, name in zip(matcher.find_all(list(map(tokenize, unseen))), truth, strict=True):
        kinds = Counter(lexicon.categories[category].name for category, _ in {hit[:2] for hit in hits})
        best = kinds.most_common(2)
        right += bool(best) and best[0][0] == name and (len(best) < 2 or best[0][1] > best[1][1])
    return {
        "labelled by keywords": float(sum(classifier.model_.training.documents.values())),
        "keywords alone": right / len(truth),
        "textclf": float(np.mean(classifier.predict(unseen) == np.array(truth))),
    }


if __name__ == "__main__":
    main()
