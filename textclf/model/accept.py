"""Which predictions are accepted, and why the others are for review: the threshold, and the rule that applies it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ocr.words import is_real_word
from textclf.base.plurals import counted

LEVELS = 40
"""Numbers of accepted documents that are tested."""
MAX_ERRORS = (0.02, 0.05, 0.1, 0.15, 0.2)
"""Maximum errors that training, ``model info`` and the report show."""
STEP = 0.01
"""Of the smaller maximum errors that are tried too."""
MAX_FACTOR, GROWTH = 100.0, 1.05
"""How many times the documents are looked ahead for the number that would do, and the steps in between."""
NO_THRESHOLD = 1.01
"""Where nothing can be accepted: above every score."""
LOWEST = 0.5
"""A score that is never accepted: more likely wrong than right."""
POOR_SCAN, UNSURE = "poor scan", "unsure between "
"""Reasons for review below the threshold; the second goes on with two categories."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The documents with the highest scores, up to one that may be the last accepted."""

    documents: int
    wrong: int
    expected_wrong: float  # going by their scores
    threshold: float  # halfway between the lowest score among them and the next
    unknown: float | None = None  # share of the documents of categories left out of training that it would accept


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceCurve:
    """How many of the documents with the highest scores are wrong out of fold: enough for any maximum error."""

    documents: int  # all, of which the levels count the first
    levels: tuple[Level, ...]  # fewest documents first
    lowest: Level | None = None  # accepted in the place of any level with a lower threshold

    def at(self, max_error: float, confidence: float) -> Acceptance:
        """Choose the lowest threshold that keeps the error among accepted documents below the maximum."""
        # What keeps a smaller maximum error keeps this one. Where the scores are calibrated, that costs no confidence:
        # the first level with a higher error rate than `max_error` would have to pass the same test or a stricter one.
        # In simulations, also of scores that are too high, it exceeded the maximum no more often.
        smaller = [STEP * step for step in range(1, int(np.ceil(max_error / STEP - 1e-9)))]
        passed = [_last_passed(self.levels, error, confidence) for error in (*smaller, max_error)]
        best = max(filter(None, passed), key=lambda level: level.documents, default=None)
        if best and self.lowest and best.threshold < self.lowest.threshold:
            best = self.lowest
        return Acceptance(
            max_error=max_error,
            confidence=confidence,
            threshold=best.threshold if best else NO_THRESHOLD,
            accepted=best.documents / self.documents if best else 0.0,
            error=best.wrong / best.documents if best else 0.0,
            unknown_accepted=best.unknown if best else None,
        )

    def documents_needed(self, max_error: float, confidence: float) -> int | None:
        """Estimate how many documents like these would let something be accepted; None if no number is in sight."""
        found = []
        for level in self.levels:
            # Jeffreys' estimate: a few documents without a mistake do not show that there will be none
            rate = max((level.wrong + 0.5) / (level.documents + 1), level.expected_wrong / level.documents)
            factor = GROWTH
            while rate < max_error and factor <= MAX_FACTOR:
                documents = round(level.documents * factor)
                if np.ceil(documents * rate) <= _most_wrong(documents, max_error, confidence):
                    found.append(round(self.documents * factor))
                    break
                factor *= GROWTH
        return max(min(found), min_documents(max_error, confidence)) if found else None

    def documents_needed_if_right(self, max_error: float, confidence: float) -> int | None:
        """Count how many would do if those with the highest scores are right; None if the very highest are not."""
        right = max((level.documents for level in self.levels if not level.wrong), default=0)
        return ceil(self.documents / right * min_documents(max_error, confidence)) if right else None


@lru_cache(maxsize=512)
def _last_passed(levels: tuple[Level, ...], max_error: float, confidence: float) -> Level | None:
    """Give the last level in a row whose few mistakes rule out a higher error."""
    # If the error rate at a level were `max_error` or more, so few mistakes would have a probability of at most
    # ``1 - confidence``: a binomial test, the dual of the bound of C. J. Clopper and E. S. Pearson (Biometrika 26,
    # 1934). Testing every level would sooner or later find one by luck, so they are tested from few documents to
    # many until one fails (fixed-sequence testing; applied to thresholds by A. N. Angelopoulos et al., "Learn then
    # test", arXiv:2110.01052). The sequence may begin anywhere as long as the mistakes do not say where: it begins
    # where the test is most likely to pass going by the scores, as few documents fail at the first chance mistake.
    allowed = [_most_wrong(level.documents, max_error, confidence) for level in levels]
    hopes = [_hope(level, most) for level, most in zip(levels, allowed, strict=True)]
    start = int(np.argmax(hopes)) if any(hopes) else len(hopes)
    ahead = zip(levels[start:], allowed[start:], strict=True)
    passed = takewhile(lambda tested: tested[0].wrong <= tested[1], ahead)
    return max((level for level, _ in passed), key=lambda level: level.documents, default=None)


def acceptance_curve(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> AcceptanceCurve:
    """Count the mistakes among the documents with the highest scores, at levels that do not depend on the mistakes."""
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], right[order]
    documents = len(scores)
    likely = int((scores >= LOWEST).sum())
    last = np.round(np.linspace(0, documents, LEVELS + 1)[1:]).astype(int)
    # documents of the same score are accepted together
    taken = np.minimum(np.searchsorted(-scores, -scores[np.maximum(last, 1) - 1], side="right"), likely)
    wrong, expected = np.append(0, np.cumsum(~right)), np.append(0, np.cumsum(1 - scores))
    following = np.append(np.maximum(scores, LOWEST), LOWEST)
    return AcceptanceCurve(
        documents=documents,
        levels=tuple(
            Level(
                documents=count,
                wrong=int(wrong[count]),
                expected_wrong=float(expected[count]),
                threshold=float(scores[count - 1] + following[count]) / 2,
            )
            for count in np.unique(taken[taken > 0]).tolist()
        ),
    )


def min_documents(max_error: float, confidence: float) -> int:
    """Count the documents that must all be right to bound the error with this confidence."""
    return int(np.ceil(np.log(1 - confidence) / np.log1p(-max_error)))


def why_nothing_is_accepted(acceptance: Acceptance, curve: AcceptanceCurve | None = None) -> str:
    """Say what it would take to accept something where there is no threshold."""
    max_error, confidence = acceptance.max_error, acceptance.confidence
    remedies = ["train on more documents", "allow more with --max-error"]
    if curve is not None:
        if total := curve.documents_needed(max_error, confidence):
            remedies[0] = f"about {total - curve.documents:,} more documents like these would do"
        elif total := curve.documents_needed_if_right(max_error, confidence):
            more = f"about {total - curve.documents:,} more documents like these would do"
            remedies[0] = f"{more} if those with the highest scores are all right"
        else:
            remedies[0] = "more documents like these would not do: look at the mistakes with the highest scores"
        allowing = (curve.at(percent / 100, confidence) for percent in range(int(100 * max_error) + 1, 51))
        if enough := next((one for one in allowing if one.accepted), None):
            remedies[1] = f"--max-error {enough.max_error:g} would accept {enough.accepted:.0%}"
            if enough.unknown_accepted is not None:
                remedies[1] += f", and {enough.unknown_accepted:.0%} of documents of unknown kinds"
    return (
        f"accepts nothing: for a maximum error of {100 * max_error:g}% with {100 * confidence:g}% confidence, "
        f"at least the {counted(min_documents(max_error, confidence), 'document')} with the highest scores must be "
        f"right in cross-validation; {', or '.join(remedies)}"
    )


def binomial_tail(most: int, documents: int, rate: float) -> NDArray[np.float64]:
    """Probability of at most 0, 1, ... `most` mistakes among documents with this error rate."""
    mistakes = np.arange(1, most + 1)
    ratios = np.log((documents + 1 - mistakes) / mistakes) + np.log(rate) - np.log1p(-rate)
    return np.exp(np.logaddexp.accumulate(documents * np.log1p(-rate) + np.append(0, np.cumsum(ratios))))


def _most_wrong(documents: int, max_error: float, confidence: float) -> int:
    """Give the most mistakes that still rule out a higher error; -1 if none would."""
    # the median of a binomial distribution is its mean, rounded down or up
    most = documents if confidence < 0.5 else min(int(np.ceil(documents * max_error)), documents)
    return int(np.searchsorted(binomial_tail(most, documents, max_error), 1 - confidence, side="right")) - 1


def _hope(level: Level, most: int) -> float:
    """Estimate from the scores, with a mistake added for caution, how likely no more than `most` are wrong."""
    if most < 0:
        return 0.0
    return float(binomial_tail(most, level.documents, (level.expected_wrong + 1) / (level.documents + 2))[-1])


def below_threshold(reason: str) -> bool:
    """Return whether a lower threshold would accept a document that is for review for this reason."""
    return reason == POOR_SCAN or reason.startswith(UNSURE)


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
        return POOR_SCAN
    return f"{UNSURE}{categories[first]} and {categories[second]}"


def unsure_between(reason: str, predicted: str) -> tuple[str, str] | None:
    """Give the two categories that a reason of `review_reason` names, the predicted one first; None if it names none.

    Examples
    --------
    >>> unsure_between("unsure between terms and conditions and bread and butter", "terms and conditions")
    ('terms and conditions', 'bread and butter')
    >>> unsure_between("poor scan", "invoice")
    """
    if not reason.startswith(UNSURE):
        return None
    pair = reason.removeprefix(UNSURE)
    if pair.startswith(f"{predicted} and "):
        return predicted, pair.removeprefix(f"{predicted} and ")
    first, _, second = pair.partition(" and ")
    return first, second


def _is_poor_scan(text: str, ocr_confidence: float | None) -> bool:
    """Return whether OCR was unsure, or few words of the text look real."""
    if ocr_confidence is not None and ocr_confidence < MIN_OCR_CONFIDENCE:
        return True
    long = _LONG_WORDS.findall(text[:EXAMINED])
    return len(long) >= MIN_LONG_WORDS and sum(map(_looks_real, long)) < MIN_REAL_WORDS * len(long)
