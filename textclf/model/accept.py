"""Which predictions are accepted, and why the others are for review: the threshold, and the rule that applies it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ocr.words import is_real_word

LEVELS = 200
"""Numbers of accepted documents that are tested, at most."""
FIRST_MISTAKES = 0.1
"""Mistakes that the first level allows, relative to those of all documents at the maximum error."""
NO_THRESHOLD = 1.01
"""Where nothing can be accepted: above every score."""
LOWEST = 0.5
"""A score that is never accepted: more likely wrong than right."""
MIN_FAMILIARITY = 0.02
"""Below it a document is of an unknown kind; so, by mistake, is one in fifty documents of the known kinds."""
MIN_OCR_CONFIDENCE = 60.0
"""A scan with a lower OCR confidence is poor."""
MIN_REAL_WORDS, MIN_LONG_WORDS, EXAMINED = 0.5, 10, 20_000
"""A scan with a lower share of real-looking words is poor; long words needed to say so; characters examined."""
_LONG_WORDS = re.compile(r"(?<!\S)[^\s\d]{3,50}(?!\S)")
_looks_real = lru_cache(1 << 15)(is_real_word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The threshold: predictions with a score of at least this need no review; `NO_THRESHOLD` accepts none."""

    max_error: float  # maximum error aimed at among accepted documents
    confidence: float  # that the error stays below it, for documents like those trained on
    threshold: float
    accepted: float  # share of the training documents that were accepted out of fold
    error: float  # share of wrong predictions among these
    unknown_accepted: float | None = None  # share of the documents of categories left out of training in turn


def min_documents(max_error: float, confidence: float, mistakes: int = 0) -> int:
    """Count the documents that bound the error with this confidence if so many of them are wrong."""
    from scipy.stats import nbinom

    return int(nbinom.ppf(confidence, mistakes + 1, max_error)) + mistakes + 1


def why_nothing_is_accepted(acceptance: Acceptance) -> str:
    """Say what it would take to accept something where `choose_acceptance` found no threshold."""
    needed = min_documents(acceptance.max_error, acceptance.confidence)
    return (
        f"accepts nothing: for a maximum error of {acceptance.max_error:.1%} with {acceptance.confidence:.0%} "
        f"confidence, at least the {needed} documents with the highest scores must be right in cross-validation; "
        "train on more documents, or allow more with --max-error (max_error)"
    )


def choose_acceptance(
    scores: NDArray[np.float64], right: NDArray[np.bool_], max_error: float, confidence: float = 0.9
) -> Acceptance:
    """Choose the lowest threshold that keeps the error among accepted documents below the maximum."""
    # Among the m documents with the highest scores, w are wrong. The hypothesis that their error rate exceeds
    # `max_error` is rejected if w or fewer mistakes would then have a probability below ``1 - confidence``: a binomial
    # test, the dual of the bound of C. J. Clopper and E. S. Pearson (Biometrika 26, 1934). Testing every m would sooner
    # or later find one by luck, so the levels are fixed beforehand and tested from few to many until one fails: a fixed
    # sequence, which needs no correction (A. N. Angelopoulos et al., "Learn then test", arXiv:2110.01052). Its first
    # level allows more mistakes the more documents there are, as a single one among the first is often due to chance.
    from scipy.stats import binom

    nothing = Acceptance(max_error=max_error, confidence=confidence, threshold=NO_THRESHOLD, accepted=0.0, error=0.0)
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], right[order]
    documents = len(scores)
    first = min_documents(max_error, confidence, int(FIRST_MISTAKES * max_error * documents))
    levels = np.unique(np.append(np.linspace(0, documents, LEVELS + 1).astype(int), first))
    likely = int((scores >= LOWEST).sum())
    best = 0
    for level in levels[(levels >= first) & (levels <= documents)].tolist():
        # documents of the same score are accepted together
        taken = min(int(np.searchsorted(-scores, -scores[level - 1], side="right")), likely)
        wrong = int(taken - right[:taken].sum())
        if not taken or binom.cdf(wrong, taken, max_error) > 1 - confidence:
            break
        best = taken
    if not best:
        return nothing
    # halfway between the lowest accepted score and the highest rejected one
    highest_rejected = max(float(scores[best]) if best < documents else 0.0, LOWEST)
    return Acceptance(
        max_error=max_error,
        confidence=confidence,
        threshold=(float(scores[best - 1]) + highest_rejected) / 2,
        accepted=best / documents,
        error=float(1 - right[:best].mean()),
    )


def review_reason(
    categories: Sequence[str],
    scores: Sequence[float],
    acceptance: Acceptance | None,
    *,
    foreign: bool = False,
    familiarity: float = 1.0,
    text: str = "",
    ocr_confidence: float | None = None,
) -> str:
    """Give the first reason why a prediction is for review, or an empty string if it is accepted."""
    threshold = acceptance.threshold if acceptance else NO_THRESHOLD
    first, second = sorted(range(len(scores)), key=lambda category: -scores[category])[:2]
    if foreign:
        return "other language"
    if familiarity < MIN_FAMILIARITY:
        return "unknown kind"
    if scores[first] >= threshold:
        return ""
    if _is_poor_scan(text, ocr_confidence):
        return "poor scan"
    if threshold > 1:
        return "nothing is accepted"
    return f"unsure between {categories[first]} and {categories[second]}"


def _is_poor_scan(text: str, ocr_confidence: float | None) -> bool:
    """Return whether OCR was unsure, or few words of the text look real."""
    if ocr_confidence is not None and ocr_confidence < MIN_OCR_CONFIDENCE:
        return True
    long = _LONG_WORDS.findall(text[:EXAMINED])
    return len(long) >= MIN_LONG_WORDS and sum(map(_looks_real, long)) < MIN_REAL_WORDS * len(long)
