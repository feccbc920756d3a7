"""Evaluating a lexicon on labelled documents: coverage, false hits, overlap and conflicts of its keywords."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from features.keyword_learning import compile_matcher, same_category
from features.lexicon import Lexicon
from features.tokens import tokenize

MIN_PRECISION = 0.5
"""Share of its hits in its own category below which a keyword gets a note: it indicates others as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordFigures:
    """Which documents a keyword of a category is found in."""

    category: str
    keyword: str
    # documents with it: in its category, and in all others
    own: int
    others: int
    # the category of the data with most of its hits; empty without a hit
    most_in: str
    # share of its hits that are in its own category; None without a hit
    precision: float | None
    # what is wrong with it; empty if nothing
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryHits:
    """Which documents any keyword of a category is found in: the effect of its indicator column."""

    category: str
    # documents of the category, and how many of them have a keyword of it; the same for all other documents
    documents: int
    hit: int
    other_documents: int
    false_hits: int
    # other categories of the data, with the number of their documents that are hit, in falling order
    overlaps: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordCheck:
    """The evaluation of a lexicon, in its order."""

    categories: tuple[CategoryHits, ...]
    keywords: tuple[KeywordFigures, ...]
    # categories of the data that the lexicon lacks
    without_keywords: tuple[str, ...]
    # categories of the lexicon that no document has
    without_documents: tuple[str, ...]


def check_keywords(lexicon: Lexicon, documents: Sequence[Sequence[str]], categories: Sequence[str]) -> KeywordCheck:
    """Evaluate a lexicon on documents, given by their words; a document counts once per keyword and once per category.

    A category of the lexicon may have the data's name for it or another (`features.keyword_learning.fits`).
    """
    matcher = compile_matcher(lexicon, Counter(word for words in documents for word in set(words)))
    sizes = Counter(categories)
    name_of = same_category(lexicon, sorted(sizes))
    # documents with a keyword, and with any keyword of a category of the lexicon, by category of the data
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
        # two spellings of a keyword in one category are no conflict
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
    return "hits mostly others" if name and hit[name] < MIN_PRECISION * hit.total() else ""
