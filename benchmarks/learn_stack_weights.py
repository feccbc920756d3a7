"""Learn where to cut stacks, from drawn ones: ``ocr/stack_weights.json`` and ``textclf/model/stack_weights.json``.

Run by hand when the features of gaps change. The stacks are put together from invented documents of one to four pages,
as `stack_data` makes them: most are read as if, some are drawn, scanned and read by OCR. ``bench_stacks.py`` measures
with other issuers, and other kinds of paper.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
from common import ROOT, options
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from stack_data import SCANNED, Stack, as_read, drawn_stacks, houses_of, kinds_of_part, scanned_stacks

from ocr.gap_features import FEATURES, gap_features
from ocr.page_evidence import PageEvidence
from ocr.stack import Gap
from textclf import DocumentClassifier
from textclf.base.files import write_aside
from textclf.data.scans import ScanOptions
from textclf.model.predict import Model
from textclf.model.stacks import KIND_FEATURES, kind_features

PART = 0
"""Half of the kinds of paper, from which is learned; the other half is for measuring."""
CATEGORIES, EACH = 10, 20
STRENGTH, KINDS_STRENGTH = 20.0, 1.0
"""``C`` of the logistic regressions of what pages say, and of that with the kinds."""
DROPOUT, COPIES = 0.3, 4
"""Share of the features that are left out of each of some copies, so that no single one is relied on.

Chosen on real single pages on which nothing is reported: with it, .95 of the cuts between them are found, else .88. On
drawn stacks there is no difference.
"""
SURE = 0.7
"""Least probability of a gap that is sure."""

Gaps = tuple[NDArray[np.float64], NDArray[np.bool_]]


def main() -> None:
    parser = options("stack_weights", __doc__)
    parser.add_argument("--stacks", type=int, default=180, help="for what needs no model (default %(default)s)")
    parser.add_argument("--draws", type=int, default=2, help="models, each with its own kinds (default %(default)s)")
    parser.add_argument("--cache", type=Path, help="cache folder for pages that are read")
    arguments = parser.parse_args()
    count = 20 if arguments.quick else arguments.stacks
    houses = houses_of("learn", kinds_of_part(2, PART), count)
    made = drawn_stacks("learn", houses, "train", count)
    alone = [gaps_of(as_read(f"{number}", stack, rng), None) for number, (stack, rng) in enumerate(made)]
    if not arguments.quick:
        names = sorted({kind for kind, _ in kinds_of_part(2, PART)})
        scanned = scanned_stacks("learn", names, ScanOptions(cache=arguments.cache), split="train", filing=SCANNED)
        alone += [gaps_of(stack, None) for stack in scanned]
    with_kinds: list[Gaps] = []
    for draw in range(1 if arguments.quick else arguments.draws):
        print(f"draw {draw}", file=sys.stderr)
        stacks, model = stacks_and_model(f"learn {draw}", PART, count // 6)
        with_kinds += [gaps_of(stack, model) for stack in stacks]
    for path, table in tables(alone, with_kinds).items():
        if arguments.quick:
            print(path, json.dumps(table, indent=1))
            continue
        with write_aside(Path(ROOT, path)) as aside:
            aside.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def tables(alone: Sequence[Gaps], with_kinds: Sequence[Gaps]) -> dict[str, dict[str, object]]:
    """Fit the weights of what pages say, and on other stacks those of the kinds and how much the former count then."""
    features, cuts = (np.concatenate([gaps[i] for gaps in alone]) for i in (0, 1))
    random = np.random.default_rng(0)
    copies = [features, *(features * (random.random(features.shape) >= DROPOUT) for _ in range(COPIES))]
    pages = LogisticRegression(C=STRENGTH, max_iter=5000).fit(np.concatenate(copies), np.tile(cuts, COPIES + 1))
    features, others = (np.concatenate([gaps[i] for gaps in with_kinds]) for i in (0, 1))
    said, kinds = np.hsplit(features, [len(FEATURES)])
    both = LogisticRegression(C=KINDS_STRENGTH, max_iter=5000).fit(
        np.column_stack([pages.decision_function(said), kinds]), others
    )
    share, *weights = both.coef_[0]
    source = f"{len(alone)} drawn stacks, {len(cuts)} gaps between pages"
    return {
        "ocr/stack_weights.json": table(source, pages.intercept_[0], FEATURES, pages.coef_[0]),
        "textclf/model/stack_weights.json": table(
            f"{source}; the kinds: {len(with_kinds)} other stacks, {len(others)} gaps",
            share * pages.intercept_[0] + both.intercept_[0],
            (*FEATURES, *KIND_FEATURES),
            [*(share * pages.coef_[0]), *weights],
        ),
    }


def table(source: str, intercept: float, names: Sequence[str], weights: Sequence[float]) -> dict[str, object]:
    rounded = {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True)}
    return {"source": source, "sure": SURE, "intercept": round(float(intercept), 3), "weights": rounded}


def stacks_and_model(seed: str, part: int, count: int, documents: int = 10) -> tuple[list[Stack], Model]:
    """Make stacks of mostly some categories, and a model of these that was trained on other issuers."""
    keys = kinds_of_part(2, part)
    rng = Random(f"{seed} categories")
    known = set(rng.sample(sorted({kind for kind, _ in keys}), CATEGORIES))
    languages = rng.sample(("en", "it", "de", "fr", "es"), 2) if rng.random() < 0.3 else ["en", "it"]
    mine = [key for key in keys if key[0] in known and key[1] in languages]
    teachers = houses_of(f"{seed} teachers", mine, 4 * len(mine))
    texts, labels = [], []
    for number in range(CATEGORIES * EACH):
        house = teachers[number % len(teachers)]
        document = house.document(rng, rng.choice((1, 1, 2, 2, 3, 4)))
        read = as_read("", [document], rng)
        texts.append("\n\n".join(page.text for page in read.pages if page.text))
        labels.append(house.kind)
    model = DocumentClassifier(random_state=0).fit(texts, labels).model_
    # one issuer in eight writes kinds that the model does not know
    houses = houses_of(f"{seed} mine", mine, 140) + houses_of(f"{seed} others", keys, 20)
    made = drawn_stacks(seed, houses, ("train", "test")[part], count, documents)
    return [as_read(f"{seed} {number}", stack, rng) for number, (stack, rng) in enumerate(made)], model


def gaps_of(stack: Stack, model: Model | None) -> Gaps:
    """Give the features of all gaps of a stack, with those of the kinds last, and whether a document begins there."""
    evidence = [PageEvidence(page) for page in stack.pages]
    written = [place for place, page in enumerate(evidence) if not page.is_blank]
    gaps = [Gap(*pair) for pair in pairwise(written)]
    features = np.array([gap_features(evidence, *gap) for gap in gaps])
    if model:
        features = np.hstack([features, kind_features(model, stack.pages, gaps)])
    return features, np.array([stack.starts[gap.after] for gap in gaps])


if __name__ == "__main__":
    main()
