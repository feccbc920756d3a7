"""What is wrong with documents before anything is learned from them: copies, leaks, odd labels, odd categories."""

from __future__ import annotations

import logging
import operator
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from rapidfuzz.distance import OSA

from features.tokens import tokenize
from textclf.checks.copies import Copies, Copy
from textclf.data.sources import Labelled
from textclf.evaluation.label_issues import find_label_issues, out_of_fold_scores

_log = logging.getLogger(__name__)

Kind = Literal[
    "leak",
    "contradiction",
    "likely wrong label",
    "unknown category",
    "similar names",
    "small category",
    "imbalance",
    "no text",
    "few words",
    "duplicate",
    "near-duplicate",
]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""All kinds of findings, in the order they are reported."""

PROBLEMS: frozenset[Kind] = frozenset({"leak", "contradiction", "likely wrong label", "unknown category"})
"""The kinds that make figures or labels wrong; the others are for a person to weigh."""

THRESHOLD = 0.8
FEW_WORDS = 5
"""A text with fewer words of two or more characters has next to nothing to learn from."""
FEW_DOCUMENTS, LEAST_DOCUMENTS = 5, 2
"""Documents of a category: fewer than the first are error-prone, fewer than the second cannot be trained."""
IMBALANCE = 20
"""So many times the documents of a category in the largest one are heavy imbalance: a rule of thumb."""
SHORTEST_MISTYPED, TWICE_MISTYPED = 5, 10
"""Characters of a word from which one letter, and from which two letters, may be a slip."""
SNIPPET_LENGTH = 120

MEANING: dict[Kind, str] = {
    "leak": "documents to test on that stand among those to learn from",
    "contradiction": "copies of different categories",
    "likely wrong label": "documents whose category is likely wrong, the likeliest first",
    "unknown category": "categories of the test documents that cannot be learned",
    "similar names": "categories that may be one, written in two ways",
    "small category": "categories with too few documents",
    "imbalance": "categories far smaller than the largest",
    "no text": "documents without a word",
    "few words": "documents with next to no text",
    "duplicate": "documents whose text stands here already",
    "near-duplicate": "documents nearly the same as another",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    document_id, category : str
        The document and its category; only the category where the finding is about that.
    other_id, other_category : str
        What it is compared with: the document that is like it, the category suggested.
    group : int
        Documents that are copies of each other have the same number, from 1; 0 elsewhere.
    score : float or None
        For copies, leaks and contradictions how alike both texts are, 0 to 1; for labels the chance, 0 to 1, that the
        suggested category is the right one of the two; None elsewhere.
    detail : str
        The rest in words.
    snippet : str
        How the document's text begins, on one line.
    """

    kind: Kind
    document_id: str = ""
    category: str = ""
    other_id: str = ""
    other_category: str = ""
    group: int = 0
    score: float | None = None
    detail: str = ""
    snippet: str = ""

    def __str__(self) -> str:
        """Say it in one line."""
        one = " ".join(filter(None, [self.document_id, f"({self.category})" if self.category else ""]))
        other = " ".join(filter(None, [self.other_id, f"({self.other_category})" if self.other_category else ""]))
        return "  ".join(filter(None, [one, other and f"~ {other}", self.detail, self.snippet]))


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCheck:
    """What was found.

    Parameters
    ----------
    documents : int
        Documents checked.
    categories : dict of str to int
        Documents of each category, the largest first.
    against : int
        Documents they were compared with; 0 if none were given.
    labels_checked : bool
        Whether likely wrong labels were looked for.
    findings : tuple of Finding
        By kind, in the order of `KINDS`; within a kind the most pressing first.
    """

    documents: int
    categories: dict[str, int]
    against: int
    labels_checked: bool
    findings: tuple[Finding, ...]

    def of_kind(self, kind: Kind) -> list[Finding]:
        """Give the findings of one kind."""
        return [finding for finding in self.findings if finding.kind == kind]

    def to_lines(self, shown: int) -> list[str]:
        """Say it in lines for a person.

        Parameters
        ----------
        shown : int
            Findings of a kind shown one by one.
        """
        lines = []
        for kind in KINDS:
            found = self.of_kind(kind)
            if found:
                lines.append(f"{kind}: {len(found)} {MEANING[kind]}")
                lines += [f"  {finding}" for finding in found[:shown]]
                lines += [f"  and {len(found) - shown} more"] if len(found) > shown else []
        looked = "" if self.labels_checked else "; labels were not looked at"
        total = f"{len(self.findings)} findings in {self.documents:,} documents of {len(self.categories)} categories"
        return [*lines, f"{total}, {self.problems} of them make labels or figures wrong{looked}"]

    @property
    def problems(self) -> int:
        """Number of findings that are among `PROBLEMS`."""
        return sum(finding.kind in PROBLEMS for finding in self.findings)


def check_documents(
    documents: Labelled,
    against: Labelled | None = None,
    *,
    threshold: float = THRESHOLD,
    labels: bool = True,
    jobs: int | None = None,
) -> DataCheck:
    """Look for what makes a model, or its figures, worse than it need be.

    Parameters
    ----------
    documents : Labelled
        Documents to learn from.
    against : Labelled, optional
        Documents to test on: none of them should stand among `documents`.
    threshold : float, default 0.8
        How alike two texts are that count as nearly the same: see `textclf.checks.near_duplicates`.
    labels : bool, default True
        Also look for labels that are likely wrong, which trains models for a minute or more.
    jobs : int, optional
        Processes for that, -1 for all cores, None for one.

    Returns
    -------
    DataCheck
        The findings. Findings are no errors.

    Examples
    --------
    >>> texts = ["the total is due today", "The total  is due TODAY", ""]
    >>> documents = Labelled(["1", "2", "3"], texts, ["bill", "Bill", "post"])
    >>> findings = check_documents(documents, labels=False).findings
    >>> [(finding.kind, finding.document_id, finding.other_id) for finding in findings if finding.document_id]
    [('contradiction', '1', '2'), ('no text', '3', ''), ('duplicate', '2', '1')]
    >>> [(finding.category, finding.other_category) for finding in findings if finding.kind == "similar names"]
    [('bill', 'Bill')]
    """
    _log.info(f"comparing {len(documents.texts) + len(against.texts if against else []):,} texts with each other")
    counts = Counter(documents.categories)
    worded = Counter(
        category for text, category in zip(documents.texts, documents.categories, strict=True) if tokenize(text)
    )
    trainable = {category for category, count in worded.items() if count >= LEAST_DOCUMENTS}
    labels = labels and len(trainable) > 1
    found = [
        *_copies(documents, against, threshold),
        *(_wrong_labels(documents, trainable, jobs) if labels else ()),
        *_unknown_categories(counts, Counter(against.categories if against else ())),
        *_similar_names(counts),
        *_category_sizes(counts, worded),
        *_poor_texts(documents),
    ]
    return DataCheck(
        documents=len(documents.texts),
        categories=dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))),
        against=len(against.texts) if against else 0,
        labels_checked=labels,
        findings=tuple(sorted(found, key=lambda finding: KINDS.index(finding.kind))),
    )


def _copies(documents: Labelled, against: Labelled | None, threshold: float) -> Iterator[Finding]:
    both = documents
    if against is not None:
        # groups play no part here
        both = Labelled(*map(operator.add, documents[:3], against[:3]))
    copies = Copies(both.texts, both.categories, threshold, own=len(documents.texts))

    def finding(kind: Kind, copy: Copy) -> Finding:
        alike = "the same text" if copy.same else f"{copy.similarity:.0%} alike"
        other_category = both.categories[copy.other]
        differs = f", but of category {other_category!r}" if other_category != both.categories[copy.document] else ""
        return Finding(
            kind=kind,
            document_id=both.document_ids[copy.document],
            category=both.categories[copy.document],
            other_id=both.document_ids[copy.other],
            other_category=other_category,
            group=copy.group,
            score=copy.similarity,
            detail=alike + differs,
            snippet=_snippet(both.texts[copy.document]),
        )

    yield from (finding("leak", copy) for copy in copies.leaks())
    yield from (finding("contradiction", copy) for copy in copies.contradictions())
    yield from (finding("duplicate" if copy.same else "near-duplicate", copy) for copy in copies.duplicates())


def _wrong_labels(documents: Labelled, trainable: set[str], jobs: int | None) -> Iterator[Finding]:
    kept = [
        position
        for position, (text, category) in enumerate(zip(documents.texts, documents.categories, strict=True))
        if category in trainable and tokenize(text)
    ]
    names = sorted(trainable)
    labels = np.searchsorted(np.array(names), np.array([documents.categories[i] for i in kept]))
    scores = out_of_fold_scores([documents.texts[i] for i in kept], labels, names, jobs=jobs)
    suggested = scores.argmax(axis=1)
    for row in find_label_issues(scores, labels).tolist():
        document = kept[row]
        own, other = float(scores[row, labels[row]]), float(scores[row, suggested[row]])
        yield Finding(
            kind="likely wrong label",
            document_id=documents.document_ids[document],
            category=documents.categories[document],
            other_category=names[suggested[row]],
            score=other / (own + other),
            detail=f"score {other:.0%} against {own:.0%}",
            snippet=_snippet(documents.texts[document]),
        )


def _unknown_categories(counts: Mapping[str, int], against: Mapping[str, int]) -> Iterator[Finding]:
    spelt = {_spelling(category): category for category in counts}
    for category, count in sorted(against.items(), key=lambda entry: (-entry[1], entry[0])):
        if category not in counts:
            near = (other for other in counts if _mistyped(category, other))
            meant = spelt.get(_spelling(category)) or next(near, "")
            yield Finding(
                kind="unknown category",
                category=category,
                other_category=meant,
                detail=f"{_documents(count)}" + (f", perhaps {meant!r} is meant" if meant else ""),
            )


def _similar_names(counts: Mapping[str, int]) -> Iterator[Finding]:
    spellings = {_spelling(category) for category in counts}
    groups: dict[str, list[str]] = defaultdict(list)
    for category in sorted(counts, key=lambda category: (-counts[category], category)):
        words = tokenize(category)
        initials = "".join(word[0] for word in words)
        # NY beside New York, and New York beside new_york
        groups[initials if len(words) > 1 and initials in spellings else _spelling(category)].append(category)
    names: list[list[str]] = []
    for group in groups.values():
        # a slip of one that has as many documents or more, as those come first
        meant = next((other for other in names if _mistyped(other[0], group[0])), None)
        if meant is None:
            names.append(group)
        else:
            meant += group
    for first, *others in names:
        for category in others:
            yield Finding(
                kind="similar names",
                category=category,
                other_category=first,
                detail=f"{_documents(counts[category])} against {counts[first]}",
            )


def _category_sizes(counts: Mapping[str, int], worded: Mapping[str, int]) -> Iterator[Finding]:
    largest = max(counts.values(), default=0)
    for category, count in sorted(counts.items(), key=lambda entry: (worded.get(entry[0], 0), entry[0])):
        usable = worded.get(category, 0)
        if usable < FEW_DOCUMENTS:
            remedy = "cannot be trained" if usable < LEAST_DOCUMENTS else f"{FEW_DOCUMENTS} are the least for a start"
            yield Finding(kind="small category", category=category, detail=f"{_documents(usable)} with text; {remedy}")
        elif count * IMBALANCE <= largest:
            yield Finding(
                kind="imbalance",
                category=category,
                detail=f"{_documents(count)}; the largest category has {largest:,}",
            )


def _poor_texts(documents: Labelled) -> Iterator[Finding]:
    for document_id, text, category in zip(*documents[:3], strict=True):
        words = sum(len(word) > 1 for word in tokenize(text))
        if words < FEW_WORDS:
            yield Finding(
                kind="few words" if tokenize(text) else "no text",
                document_id=document_id,
                category=category,
                detail=f"{words} word{'s' * (words != 1)} of two or more characters",
                snippet=_snippet(text),
            )


def _mistyped(one: str, other: str) -> bool:
    """Tell whether two names differ by no more than a slip in each word; numbers and short words must be the same."""
    words = tokenize(one), tokenize(other)
    return len(words[0]) == len(words[1]) and all(map(_slip, *words)) and words[0] != words[1]


def _slip(one: str, other: str) -> bool:
    if one == other:
        return True
    shorter = min(len(one), len(other))
    if shorter < SHORTEST_MISTYPED or re.search(r"\d", one + other):
        return False
    # a letter too many, too few, another, or two that changed places, count one each
    return OSA.distance(one, other, score_cutoff=2) <= 1 + (shorter >= TWICE_MISTYPED)


def _spelling(category: str) -> str:
    """Give what of a name is left without case, accents, spaces and punctuation."""
    return "".join(tokenize(category)) or category


def _documents(count: int) -> str:
    return f"{count:,} document{'s' * (count != 1)}"


def _snippet(text: str) -> str:
    # what would steer a terminal is not shown
    words = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * SNIPPET_LENGTH]).split())
    return words if len(words) <= SNIPPET_LENGTH else words[: SNIPPET_LENGTH - 1].rstrip() + "…"
