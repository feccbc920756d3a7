"""What a lexicon does on documents whose category is known: coverage, false hits, overlap, conflict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from features.keyword_learning import compile_matcher, same_category
from features.lexicon import Lexicon
from features.tokens import tokenize

LEAST_PRECISION = 0.5
"""A keyword of which fewer hits are in its own category speaks for another as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordFigures:
    """What one keyword hits.

    Parameters
    ----------
    category, keyword : str
        As the lexicon has them.
    own, others : int
        Documents of its category that it is found in, and documents of all others.
    most_in : str
        The category of the data with most of its hits; empty without one.
    precision : float or None
        Share of its hits that are in its own category; None if it hits nothing.
    note : str
        What is wrong with it: it hits nothing, mostly others, or stands under another category too; empty if nothing.
    """

    category: str
    keyword: str
    own: int
    others: int
    most_in: str
    precision: float | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryHits:
    """What all keywords of a category hit together: what its indicator column shows.

    Parameters
    ----------
    category : str
        As the lexicon has it.
    documents, hit : int
        Documents of it, and those in which one of its keywords is found.
    other_documents, false_hits : int
        The same of all other documents.
    overlaps : tuple of (str, int)
        Other categories of the data with the documents of theirs that are hit, most first.
    """

    category: str
    documents: int
    hit: int
    other_documents: int
    false_hits: int
    overlaps: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordCheck:
    """What a lexicon does.

    Parameters
    ----------
    categories : tuple of CategoryHits
        In the order of the lexicon.
    keywords : tuple of KeywordFigures
        In the order of the lexicon.
    without_keywords : tuple of str
        Categories of the data that the lexicon does not know.
    without_documents : tuple of str
        Categories of the lexicon that no document has.
    """

    categories: tuple[CategoryHits, ...]
    keywords: tuple[KeywordFigures, ...]
    without_keywords: tuple[str, ...]
    without_documents: tuple[str, ...]


def check_keywords(lexicon: Lexicon, documents: Sequence[Sequence[str]], categories: Sequence[str]) -> KeywordCheck:
    """Look for the keywords of a lexicon in documents.

    Parameters
    ----------
    lexicon : Lexicon
        The keywords; a category may have the data's name for it or another (`features.keyword_learning.fits`).
    documents : sequence of sequence of str, length n
        Words of each, from `features.tokens.tokenize`.
    categories : sequence of str, length n
        Their categories.

    Returns
    -------
    KeywordCheck
        Figures of each category and keyword. A document counts once for each.

    Examples
    --------
    >>> from features.lexicon import LexiconCategory
    >>> lexicon = Lexicon(categories=(LexiconCategory(name="payslip", keywords=("gross pay", "tax", "overtime")),))
    >>> texts = ["gross pay", "tax on gross pay", "income tax"]
    >>> found = check_keywords(lexicon, list(map(str.split, texts)), ["payslip", "payslip", "return"])
    >>> [(one.keyword, one.own, one.others, one.note) for one in found.keywords]
    [('gross pay', 2, 0, ''), ('tax', 1, 1, ''), ('overtime', 0, 0, 'hits nothing')]
    """
    matcher = compile_matcher(lexicon, Counter(word for words in documents for word in set(words)))
    sizes = Counter(categories)
    name_of = same_category(lexicon, sorted(sizes))
    by_keyword: dict[tuple[int, str], Counter[str]] = {}
    by_category: list[Counter[str]] = [Counter() for _ in lexicon.categories]
    for found, truth in zip(matcher.find_all(documents), categories, strict=True):
        hits = {(hit.category, hit.keyword) for hit in found}
        for key in hits:
            by_keyword.setdefault(key, Counter())[truth] += 1
        for number in {number for number, _ in hits}:
            by_category[number][truth] += 1
    owners: Counter[tuple[str, ...]] = Counter(
        keyword
        for category in lexicon.categories
        # a keyword that one category has in two spellings is no conflict
        for keyword in {tuple(tokenize(keyword)) for keyword in category.keywords}
    )
    keywords, figures = [], []
    for number, category in enumerate(lexicon.categories):
        name = name_of.get(category.name, "")
        for keyword in category.keywords:
            hit = by_keyword.get((number, keyword), Counter())
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
    if name and hit[name] < LEAST_PRECISION * hit.total():
        return "hits mostly others"
    return ""
