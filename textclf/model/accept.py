"""From calibrated scores to which predictions may be accepted without a look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from textclf.model.prediction import Acceptance

LEVELS = 20
"""How many numbers of accepted documents are tested."""
SEQUENCE_DOCUMENTS, MAX_SEQUENCES = 150, 4
"""Documents for each sequence of levels, and sequences at most: one alone would end at a first chance mistake."""
LOWEST = 0.5
"""A score that is never accepted: more likely wrong than right."""


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

    nothing = Acceptance(max_error=max_error, confidence=confidence, threshold=1.01, accepted=0.0, error=0.0)
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
