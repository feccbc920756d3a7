"""Which predictions are accepted, and why the others are for review: the threshold, and the rule that applies it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ocr.words import is_real_word

LEVELS = 20
"""How many numbers of accepted documents are tested."""
SEQUENCE_DOCUMENTS, MAX_SEQUENCES = 150, 4
"""Documents for each sequence of levels, and sequences at most: one alone would end at a first chance mistake."""
NO_THRESHOLD = 1.01
"""Where nothing can be accepted: above every score."""
LOWEST = 0.5
"""A score that is never accepted: more likely wrong than right."""
MIN_FAMILIARITY = 0.02
"""A document less familiar is of an unknown kind, as is by mistake one in fifty of the known kinds."""
MIN_OCR_CONFIDENCE = 60.0
"""A scan with a lower OCR confidence is poor."""
MIN_REAL_WORDS, MIN_LONG_WORDS, EXAMINED = 0.5, 10, 20_000
"""A scan with a lower share of real-looking words is poor; long words needed to say so; characters examined."""
_LONG_WORDS = re.compile(r"(?<!\S)[^\s\d]{3,50}(?!\S)")
_looks_real = lru_cache(1 << 15)(is_real_word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Which predictions need no look: those with a score from ``threshold`` on, which is 1.01 if none are accepted."""

    max_error: float  # aimed at among accepted documents
    confidence: float  # how sure it is that the error stays under it, for documents like those trained on
    threshold: float
    accepted: float  # share of the training documents accepted out of fold
    error: float  # share of wrong predictions among those


def least_documents(max_error: float, confidence: float) -> int:
    """Say how many documents without a mistake are needed to promise an error with some confidence."""
    return int(np.ceil(np.log(1 - confidence) / np.log1p(-max_error)))


def why_nothing_is_accepted(acceptance: Acceptance) -> str:
    """Say what it would take to accept something, where `choose_acceptance` found no threshold."""
    least = least_documents(acceptance.max_error, acceptance.confidence)
    return (
        f"accepts nothing: to promise at most {acceptance.max_error:.1%} errors with {acceptance.confidence:.0%} "
        f"confidence, the {least} surest documents at least must be right; "
        "train on more documents, or allow more with --max-error (max_error)"
    )


def choose_acceptance(
    scores: NDArray[np.float64], right: NDArray[np.bool_], max_error: float, confidence: float = 0.9
) -> Acceptance:
    """Choose the lowest score to accept so that the error among accepted documents stays under the maximum."""
    # Of the m documents with the highest scores w are wrong. That their error rate is above `max_error` is rejected
    # where as few as w mistakes would then come with a chance below ``1 - confidence``: a binomial test, the dual of
    # the bound of C. J. Clopper and E. S. Pearson (Biometrika 26, 1934). Trying one m after the other would sooner or
    # later find one by luck, so the levels are fixed beforehand, every twentieth of the documents, and tested in
    # order from few to many until one fails; with many documents up to four levels start such a sequence, and share
    # the chance of error, which a sequence that succeeds hands on to the next (B. L. Wiens, "A fixed sequence
    # Bonferroni procedure", Pharmaceutical Statistics 2, 2003; used so for thresholds by A. N. Angelopoulos et al.,
    # "Learn then test", arXiv:2110.01052).
    from scipy.stats import binom

    nothing = Acceptance(max_error=max_error, confidence=confidence, threshold=NO_THRESHOLD, accepted=0.0, error=0.0)
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], right[order]
    documents = len(scores)
    sequences = min(max(documents // SEQUENCE_DOCUMENTS, 1), MAX_SEQUENCES)
    alone = (1 - confidence) / sequences
    first = least_documents(max_error, 1 - alone)
    levels = np.unique(np.append(np.linspace(0, documents, LEVELS + 1).astype(int), first))
    levels = levels[(levels >= first) & (levels <= documents)]
    starts = set(levels[(np.arange(sequences) * len(levels)) // sequences].tolist()) if len(levels) else set()
    likely = int((scores >= LOWEST).sum())
    chance, best = 0.0, 0
    for level in levels.tolist():
        chance += alone * (level in starts)
        # a threshold takes all documents of the same score or none
        taken = min(int(np.searchsorted(-scores, -scores[level - 1], side="right")), likely)
        wrong = int(taken - right[:taken].sum())
        if chance and binom.cdf(wrong, taken, max_error) <= chance:
            best = taken
        else:
            chance = 0.0
    if not best:
        return nothing
    # halfway between the lowest score accepted and the highest one that is not
    highest_left = max(float(scores[best]) if best < documents else 0.0, LOWEST)
    return Acceptance(
        max_error=max_error,
        confidence=confidence,
        threshold=(float(scores[best - 1]) + highest_left) / 2,
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
