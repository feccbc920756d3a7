"""Comparison of two models on the same documents: which decisions change, and whether one model is better.

Sources: Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
Psychometrika 12, 1947 (here in its exact form, a binomial test on the documents that only one model has right);
A. Agresti and Y. Min, "Simple improved confidence intervals for comparing matched proportions", Statistics in Medicine
24, 2005.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import tee
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from textclf.base.plurals import counted
from textclf.data.predictions import predict_documents
from textclf.data.sources import InputDocument
from textclf.model.category_names import NONE_OF_THESE
from textclf.model.predict import Model
from textclf.model.prediction import Prediction

Effect = Literal[
    "accepted wrongly now",
    "wrong now",
    "other category",
    "no longer accepted",
    "accepted now",
    "right now",
    "no longer accepted wrongly",
]
EFFECTS: tuple[Effect, ...] = get_args(Effect)
"""Effects of the second model on a document, the most harmful first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A document whose predicted category or decision changes; its category is empty if it is not known."""

    document_id: str
    category: str
    effect: Effect
    category_a: str
    category_b: str
    score_a: float
    score_b: float
    decision_a: str
    decision_b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Decisions of two models on the same documents."""

    documents: int
    # documents of known category; right and wrong predictions are counted among these
    known: int
    # documents of none of the categories, whose every acceptance is wrong
    none_of_these: int
    none_of_these_accepted_a: int
    none_of_these_accepted_b: int
    # rows that no other number counts
    unusable: int
    both_right: int
    only_a_right: int
    only_b_right: int
    both_wrong: int
    # of McNemar's test
    p_value: float
    # 95 % interval of the accuracy of B minus that of A
    difference: tuple[float, float]
    accepted_a: int
    accepted_b: int
    accepted_wrong_a: int
    accepted_wrong_b: int
    only_a_accepts: int
    only_b_accepts: int
    # categories that only one model knows
    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]
    # category by A, different category by B, and number of documents; the most frequent first
    pairs: tuple[tuple[str, str, int], ...]
    # the most harmful first
    changes: tuple[Change, ...]

    def to_lines(self, shown: int) -> list[str]:
        """Give lines to print, with up to `shown` changes of each effect one by one."""
        lines = [f"{self.documents:,} documents, {len(self.changes):,} of them with another category or decision"]
        lines += [f"{counted(self.unusable, 'row')} could not be used"] if self.unusable else []
        for name, categories in (("A", self.only_in_a), ("B", self.only_in_b)):
            if categories:
                lines.append(f"only {name} knows {', '.join(categories)}")
        if self.known:
            right_a, right_b = self.both_right + self.only_a_right, self.both_right + self.only_b_right
            low, high = self.difference
            lines += [
                f"right     A {right_a:,} ({right_a / self.known:.1%})   B {right_b:,} ({right_b / self.known:.1%})   "
                f"of {self.known:,}; B minus A {low:+.1%} to {high:+.1%} with 95% confidence",
                f"one alone A {self.only_a_right:,}   B {self.only_b_right:,}   McNemar's test p = {self.p_value:.3g}",
            ]
        wrong = f", {self.accepted_wrong_a} of them wrong", f", {self.accepted_wrong_b} of them wrong"
        wrong_a, wrong_b = wrong if self.known or self.none_of_these else ("", "")
        lines.append(
            f"accepted  A {self.accepted_a:,}{wrong_a}   B {self.accepted_b:,}{wrong_b}; "
            f"by A alone {self.only_a_accepts:,}, by B alone {self.only_b_accepts:,}"
        )
        if self.none_of_these:
            lines.append(
                f"{NONE_OF_THESE} {self.none_of_these:,}; A accepts {self.none_of_these_accepted_a:,} of them, "
                f"B {self.none_of_these_accepted_b:,}"
            )
        if self.pairs:
            pairs = ", ".join(f"{by_a or '-'} to {by_b or '-'} {count:,}" for by_a, by_b, count in self.pairs[:shown])
            lines.append(f"from A to B  {pairs}{', ...' if len(self.pairs) > shown else ''}")
        for effect, count in Counter(change.effect for change in self.changes).items():
            found = [change for change in self.changes if change.effect == effect]
            lines.append(f"{effect}: {count}")
            lines += [
                f"  {change.document_id}{f' ({change.category})' if change.category else ''}  "
                f"A {change.category_a or '-'} {change.score_a:.1%} {change.decision_a}  "
                f"B {change.category_b or '-'} {change.score_b:.1%} {change.decision_b}"
                for change in found[:shown]
            ]
            lines += [f"  and {count - shown} more"] if count > shown else []
        return [*lines, self.verdict]

    @property
    def verdict(self) -> str:
        """The conclusion that the figures allow, in one sentence."""
        if not self.known:
            return "without known categories it cannot be said which model is better"
        if self.p_value < 0.05:
            better, worse = ("B", "A") if self.only_b_right > self.only_a_right else ("A", "B")
            return f"{better} is right more often than {worse} on documents like these"
        return "these documents do not show which model is right more often: chance could explain the difference"


def compare_models(a: Model, b: Model, documents: Iterable[InputDocument]) -> Comparison:
    """Predict the same documents with two models: the one in use, and the one that might replace it."""
    for_a, for_b = tee(documents)
    outcomes: list[tuple[bool, ...]] = []
    changes: list[Change] = []
    unusable = 0
    for (document, by_a, _), (_, by_b, _) in zip(predict_documents(a, for_a), predict_documents(b, for_b), strict=True):
        if document.error:
            # its cells, the category among them, may be in the wrong columns
            unusable += 1
            continue
        truth = document.category
        right = [bool(truth) and one.predicted_category == truth for one in (by_a, by_b)]
        none = truth == NONE_OF_THESE
        outcomes.append((bool(truth) and not none, none, *right, by_a.decision == "accept", by_b.decision == "accept"))
        if (by_a.predicted_category, by_a.decision) != (by_b.predicted_category, by_b.decision):
            changes.append(_change(truth, by_a, by_b))
    known, none_of_these, right_a, right_b, accepted_a, accepted_b = np.array(outcomes, dtype=bool).reshape(-1, 6).T
    labelled = known | none_of_these
    only_a, only_b = _count(right_a & ~right_b), _count(right_b & ~right_a)
    pairs = Counter((one.category_a, one.category_b) for one in changes if one.category_a != one.category_b)
    return Comparison(
        documents=len(outcomes),
        known=_count(known),
        none_of_these=_count(none_of_these),
        none_of_these_accepted_a=_count(none_of_these & accepted_a),
        none_of_these_accepted_b=_count(none_of_these & accepted_b),
        unusable=unusable,
        both_right=_count(right_a & right_b),
        only_a_right=only_a,
        only_b_right=only_b,
        both_wrong=_count(known & ~right_a & ~right_b),
        p_value=mcnemar(only_a, only_b),
        difference=difference_interval(only_a, only_b, _count(known)),
        accepted_a=_count(accepted_a),
        accepted_b=_count(accepted_b),
        accepted_wrong_a=_count(labelled & accepted_a & ~right_a),
        accepted_wrong_b=_count(labelled & accepted_b & ~right_b),
        only_a_accepts=_count(accepted_a & ~accepted_b),
        only_b_accepts=_count(accepted_b & ~accepted_a),
        only_in_a=tuple(sorted({*a.categories} - {*b.categories})),
        only_in_b=tuple(sorted({*b.categories} - {*a.categories})),
        pairs=tuple((*pair, count) for pair, count in sorted(pairs.items(), key=lambda entry: (-entry[1], entry[0]))),
        changes=tuple(sorted(changes, key=lambda change: (EFFECTS.index(change.effect), -change.score_b))),
    )


def _count(chosen: NDArray[np.bool_]) -> int:
    return int(chosen.sum())


def mcnemar(only_a: int, only_b: int) -> float:
    """Give the two-sided p-value of the hypothesis that both models are right equally often (McNemar)."""
    from scipy.stats import binomtest

    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def difference_interval(only_a: int, only_b: int, documents: int) -> tuple[float, float]:
    """Give the 95 % interval of the accuracy of B minus that of A (Agresti and Min 2005)."""
    # half a document is added to each of the four cells
    a, b, n = only_a + 0.5, only_b + 0.5, documents + 2
    middle, spread = (b - a) / n, 1.959964 * math.sqrt(a + b - (b - a) ** 2 / n) / n
    return max(middle - spread, -1.0), min(middle + spread, 1.0)


def _change(truth: str, a: Prediction, b: Prediction) -> Change:
    return Change(
        document_id=b.document_id,
        category=truth,
        effect=_effect(truth, a, b),
        category_a=a.predicted_category,
        category_b=b.predicted_category,
        score_a=a.score,
        score_b=b.score,
        decision_a=a.decision,
        decision_b=b.decision,
    )


def _effect(truth: str, a: Prediction, b: Prediction) -> Effect:
    accepted_a, accepted_b = a.decision == "accept", b.decision == "accept"
    if truth:
        right_a, right_b = a.predicted_category == truth, b.predicted_category == truth
        if accepted_b and not right_b and (right_a or not accepted_a):
            return "accepted wrongly now"
        if right_a != right_b:
            return "wrong now" if right_a else "right now"
        if accepted_a and not accepted_b and not right_b:
            return "no longer accepted wrongly"
    if a.predicted_category != b.predicted_category:
        return "other category"
    return "accepted now" if accepted_b else "no longer accepted"
