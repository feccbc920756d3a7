"""Data check before training: copies, leaks, label issues, problems with categories, texts without words."""

from __future__ import annotations

import logging
import operator
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.tokens import tokenize
from textclf.base.plurals import counted
from textclf.checks.check_options import CheckOptions
from textclf.checks.near_duplicates import Copies, Copy
from textclf.data.sources import Labelled, snippet
from textclf.evaluation.label_issues import find_label_issues, out_of_fold_scores
from textclf.model.category_names import meant_category, similar_names

_log = logging.getLogger(__name__)

MEANING = {
    "leak": "documents to test on, also among the training documents",
    "contradiction": "pairs of copies of different categories",
    "label issue": "documents whose category is likely wrong, the most likely first",
    "unknown category": "categories of the test documents without a training document",
    "similar names": "pairs of categories that may be one, spelt in two ways",
    "small category": "categories with too few documents",
    "imbalance": "categories far smaller than the largest",
    "no text": "documents without a word",
    "few words": "documents with hardly any text",
    "duplicate": "documents with the same text as another",
    "near-duplicate": "documents with nearly the same text as another",
}
"""All kinds of findings, in the order they are reported."""
_SINGULAR = {"documents": "document", "pairs": "pair", "categories": "category"}
KINDS = tuple(MEANING)

PROBLEMS = frozenset({"leak", "contradiction", "label issue", "unknown category"})
"""The kinds that make figures or labels wrong; the others are for a person to judge."""

DEFAULTS = CheckOptions()
FEW_WORDS = 5
"""A text with fewer words of two or more characters is reported."""
FEW_DOCUMENTS, MIN_DOCUMENTS = 5, 2
"""A category with fewer documents than the first is error-prone, with fewer than the second cannot be trained."""
IMBALANCE = 20
"""Factor by which the largest category may exceed another before imbalance is reported: a rule of thumb."""
SNIPPET_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding; fields that its kind does not use are empty."""

    kind: str
    document_id: str = ""
    category: str = ""
    # the similar document, and its category or the suggested one
    other_id: str = ""
    other_category: str = ""
    # number, from 1, of a set of documents that are copies of each other
    group: int = 0
    # similarity of both texts; for a label issue the probability that of both categories the suggested one is right
    score: float | None = None
    detail: str = ""
    snippet: str = ""

    def __str__(self) -> str:
        """Give one line to print."""
        one = " ".join(filter(None, [self.document_id, f"({self.category})" if self.category else ""]))
        other = " ".join(filter(None, [self.other_id, f"({self.other_category})" if self.other_category else ""]))
        return "  ".join(filter(None, [one, other and f"~ {other}", self.detail, self.snippet]))


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCheck:
    """Findings by kind, in the order of `KINDS`, within a kind the most important first."""

    documents: int
    # documents per category, the largest first
    categories: dict[str, int]
    # number of test documents
    against: int
    labels_checked: bool
    findings: tuple[Finding, ...]

    def of_kind(self, kind: str) -> list[Finding]:
        """Give the findings of one kind."""
        return [finding for finding in self.findings if finding.kind == kind]

    def to_lines(self, shown: int) -> list[str]:
        """Give lines to print, with up to `shown` findings of each kind one by one."""
        lines = []
        for kind, meaning in MEANING.items():
            found = self.of_kind(kind)
            if found:
                noun, rest = meaning.split(" ", 1)
                lines.append(f"{kind}: {counted(len(found), _SINGULAR[noun], noun)} {rest}")
                lines += [f"  {finding}" for finding in found[:shown]]
                lines += [f"  and {len(found) - shown} more"] if len(found) > shown else []
        unchecked = "" if self.labels_checked else "; labels were not checked"
        size = f"{counted(self.documents, 'document')} of {counted(len(self.categories), 'category', 'categories')}"
        total = f"{counted(len(self.findings), 'finding')} in {size}"
        return [*lines, f"{total}, {self.problems} of them make labels or figures wrong{unchecked}"]

    @property
    def problems(self) -> int:
        """Number of findings that are among `PROBLEMS`."""
        return sum(finding.kind in PROBLEMS for finding in self.findings)


def check_documents(
    documents: Labelled,
    against: Labelled | None = None,
    *,
    threshold: float = DEFAULTS.threshold,
    label_issues: bool = DEFAULTS.label_issues,
    jobs: int | None = None,
) -> DataCheck:
    """Look for problems of documents that make a model or its figures worse; `against` are test documents.

    `threshold` is the similarity from which texts are near-duplicates. Finding label issues trains models, which takes
    a minute or more.
    """
    counts = Counter(documents.categories)
    counts_against = Counter(against.categories if against else ())
    # those of none of the categories may be copies or empty too
    documents, against = documents.with_none_of_these(), against and against.with_none_of_these()
    _log.info(f"comparing {len(documents.texts) + len(against.texts if against else []):,} texts with each other")
    # number of words of each text, and of words of two or more characters
    words = [(len(found), sum(len(word) > 1 for word in found)) for found in map(tokenize, documents.texts)]
    with_text = Counter(category for category, (count, _) in zip(documents.categories, words, strict=True) if count)
    trainable = {category for category in counts if with_text[category] >= MIN_DOCUMENTS}
    label_issues = label_issues and len(trainable) > 1
    kept = [i for i, category in enumerate(documents.categories) if category in trainable and words[i][0]]
    found = [
        *_copies(documents, against, threshold),
        *(_label_issues(documents, kept, jobs) if label_issues else ()),
        *_unknown_categories(counts, counts_against),
        *_similar_names(Counter(documents.categories)),
        *_category_sizes(counts, with_text),
        *_poor_texts(documents, words),
    ]
    return DataCheck(
        documents=len(documents.texts),
        categories=dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))),
        against=len(against.texts) if against else 0,
        labels_checked=label_issues,
        findings=tuple(sorted(found, key=lambda finding: KINDS.index(finding.kind))),
    )


def _copies(documents: Labelled, against: Labelled | None, threshold: float) -> Iterator[Finding]:
    both = documents
    if against is not None:
        both = Labelled(*map(operator.add, documents[:3], against[:3]))
    copies = Copies(both.texts, both.categories, threshold, own=len(documents.texts))

    kinds: list[tuple[str, Copy]] = [("leak", copy) for copy in copies.leaks()]
    kinds += [("contradiction", copy) for copy in copies.contradictions()]
    kinds += [("duplicate" if copy.same else "near-duplicate", copy) for copy in copies.duplicates()]
    for kind, copy in kinds:
        category, other_category = both.categories[copy.document], both.categories[copy.other]
        alike = "the same text" if copy.same else f"{copy.similarity:.0%} alike"
        yield Finding(
            kind=kind,
            document_id=both.document_ids[copy.document],
            category=category,
            other_id=both.document_ids[copy.other],
            other_category=other_category,
            group=copy.group,
            score=copy.similarity,
            detail=alike + (f", but of category {other_category!r}" if other_category != category else ""),
            snippet=snippet(both.texts[copy.document], SNIPPET_LENGTH),
        )


def _label_issues(documents: Labelled, kept: list[int], jobs: int | None) -> Iterator[Finding]:
    names, labels = np.unique([documents.categories[i] for i in kept], return_inverse=True)
    scores = out_of_fold_scores([documents.texts[i] for i in kept], labels, names.tolist(), jobs=jobs)
    suggested = scores.argmax(axis=1)
    for row in find_label_issues(scores, labels).tolist():
        document = kept[row]
        own, other = float(scores[row, labels[row]]), float(scores[row, suggested[row]])
        yield Finding(
            kind="label issue",
            document_id=documents.document_ids[document],
            category=documents.categories[document],
            other_category=str(names[suggested[row]]),
            score=other / (own + other),
            detail=f"score {other:.0%} against {own:.0%}",
            snippet=snippet(documents.texts[document], SNIPPET_LENGTH),
        )


def _unknown_categories(counts: Mapping[str, int], against: Mapping[str, int]) -> Iterator[Finding]:
    for category, count in sorted(against.items(), key=lambda entry: (-entry[1], entry[0])):
        if category not in counts:
            meant = meant_category(category, counts)
            yield Finding(
                kind="unknown category",
                category=category,
                other_category=meant,
                detail=f"{counted(count, 'document')}" + (f", perhaps {meant!r} is meant" if meant else ""),
            )


def _similar_names(counts: Mapping[str, int]) -> Iterator[Finding]:
    for category, other in similar_names(counts):
        yield Finding(
            kind="similar names",
            category=category,
            other_category=other,
            detail=f"{counted(counts[category], 'document')} against {counts[other]}",
        )


def _category_sizes(counts: Mapping[str, int], with_text: Mapping[str, int]) -> Iterator[Finding]:
    largest = max(counts.values(), default=0)
    for category, count in sorted(counts.items(), key=lambda entry: (with_text.get(entry[0], 0), entry[0])):
        usable = with_text.get(category, 0)
        if usable < FEW_DOCUMENTS:
            remedy = "cannot be trained" if usable < MIN_DOCUMENTS else f"have at least {FEW_DOCUMENTS}"
            yield Finding(
                kind="small category", category=category, detail=f"{counted(usable, 'document')} with text; {remedy}"
            )
        elif count * IMBALANCE <= largest:
            yield Finding(
                kind="imbalance",
                category=category,
                detail=f"{counted(count, 'document')}; the largest category has {largest:,}",
            )


def _poor_texts(documents: Labelled, words: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    for (count, longer), document_id, text, category in zip(words, *documents[:3], strict=True):
        if longer < FEW_WORDS:
            yield Finding(
                kind="few words" if count else "no text",
                document_id=document_id,
                category=category,
                detail=f"{longer} word{'s' * (longer != 1)} of two or more characters",
                snippet=snippet(text, SNIPPET_LENGTH),
            )
