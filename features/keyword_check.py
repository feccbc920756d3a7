"""What a lexicon does on documents whose category is known: coverage, false hits, overlap, conflict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from features.keyword_learning import compile_matcher, same_category
from features.lexicon import Lexicon
from features.tokens import tokenize

LEAST_PRECISION = 0.5
"""A keyword of which fewer hits are in its own category speaks for another as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordFigures:
    """What one keyword of a category hits."""

    category: str
    keyword: str
    # documents of its category that it is found in, and documents of all others
    own: int
    others: int
    # the category of the data with most of its hits; empty without one
    most_in: str
    # share of its hits that are in its own category; None if it hits nothing
    precision: float | None
    # what is wrong with it; empty if nothing
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryHits:
    """What all keywords of a category hit together: what its indicator column shows."""

    category: str
    # documents of it, and those in which one of its keywords is found; the same of all other documents
    documents: int
    hit: int
    other_documents: int
    false_hits: int
    # other categories of the data with the documents of theirs that are hit, most first
    overlaps: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordCheck:
    """What a lexicon does, in its order."""

    categories: tuple[CategoryHits, ...]
    keywords: tuple[KeywordFigures, ...]
    # categories of the data that the lexicon does not know
    without_keywords: tuple[str, ...]
    # categories of the lexicon that no document has
    without_documents: tuple[str, ...]


def check_keywords(lexicon: Lexicon, documents: Sequence[Sequence[str]], categories: Sequence[str]) -> KeywordCheck:
    """Look for the keywords of a lexicon in documents, given by their words; each counts once a keyword and category.

    A category of the lexicon may have the data's name for it or another (`features.keyword_learning.fits`).
    """
    matcher = compile_matcher(lexicon, Counter(word for words in documents for word in set(words)))
    sizes = Counter(categories)
    name_of = same_category(lexicon, sorted(sizes))
    # documents of each category of the data in which a keyword is found, and any keyword of a category of the lexicon
    by_keyword: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    by_category: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for found, truth in zip(matcher.find_all(documents), categories, strict=True):
        for pair in {(hit.category, hit.keyword) for hit in found}:
            by_keyword[pair][truth] += 1
        for number in {hit.category for hit in found}:
            by_category[number][truth] += 1
    owners = Counter(
        plain
        for category in lexicon.categories
        # a keyword that one category has in two spellings is no conflict
        for plain in {tuple(tokenize(keyword)) for keyword in category.keywords}
    )
    keywords, figures = [], []
    for number, category in enumerate(lexicon.categories):
        name = name_of.get(category.name, "")
        for keyword in category.keywords:
            hit = by_keyword[number, keyword]
            keywords.append(
                KeywordFigures(
                    category=category.name,
                    keyword=keyword,
                    own=hit[name],
                    others=hit.total() - hit[name],
                    most_in=max(hit, key=lambda other: (hit[other], other)) if hit else "",
                    precision=hit[name] / hit.total() if hit else None,
                    note=_note(hit, name, shared=owners[tuple(tokenize(keyword))] > 1),
                )
            )
        hit = by_category[number]
        figures.append(
            CategoryHits(
                category=category.name,
                documents=sizes[name],
                hit=hit[name],
                other_documents=len(documents) - sizes[name],
                false_hits=hit.total() - hit[name],
                overlaps=tuple((other, count) for other, count in hit.most_common() if other != name),
            )
        )
    return KeywordCheck(
        categories=tuple(figures),
        keywords=tuple(keywords),
        without_keywords=tuple(sorted({*sizes} - {*name_of.values()})),
        without_documents=tuple(category.name for category in lexicon.categories if category.name not in name_of),
    )


def _note(hit: Counter[str], name: str, *, shared: bool) -> str:
    if shared:
        return "stands under another category too"
    if not hit:
        return "hits nothing"
    return "hits mostly others" if name and hit[name] < LEAST_PRECISION * hit.total() else ""
