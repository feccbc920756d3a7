"""Keywords learned from documents whose category is known, and the choice between them and a lexicon at hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.language import stop_words
from features.lexicon import COLUMN_SUFFIX, Lexicon, LexiconCategory, column_name
from features.tokens import tokenize
from textclf.errors import BadDataError

__all__ = ["adapt_lexicon", "fits", "learn_lexicon"]

KEYWORDS_PER_CATEGORY = 15
"""More make an indicator 1 in too many documents: on scanned office papers 10 to 20 told more than 40."""
FEWEST_DOCUMENTS = 2
"""What stands in one document only may be a name, a number or a misreading."""
LEAST_Z = 1.96
"""Standard deviations from which a keyword counts as telling (5 % of those that are not would pass)."""
LEAST_RATIO = 8.0
"""How many times as common a keyword must be in its category as in the others: an indicator is the *or* of many."""
PRIOR_DOCUMENTS = 10.0
"""Weight of the prior, in documents: what a keyword's share in all documents counts against its category's own."""
LONGEST_WORD = 25


def learn_lexicon(
    texts: Sequence[str], categories: Sequence[str], *, keywords_per_category: int = KEYWORDS_PER_CATEGORY
) -> Lexicon:
    """Learn each category's keywords from documents.

    Words and phrases of two words are ranked by their log-odds in a category against all others, with an informative
    Dirichlet prior, divided by its standard deviation. A document counts once for each, however often it repeats it,
    because an indicator only says whether a keyword is there. Left out are stop words, numbers, rubbish, what fewer
    than two documents have, and what is less than eight times as common in its category as elsewhere.

    Parameters
    ----------
    texts : sequence of str, length n_documents
        Cleaned texts.
    categories : sequence of str, length n_documents
        Their categories.
    keywords_per_category : int, optional
        At most so many; a category that differs little from the others gets fewer, or none.

    Returns
    -------
    Lexicon
        Categories in alphabetical order; keywords best first, ties in alphabetical order.

    Raises
    ------
    textclf.errors.BadDataError
        If texts and categories differ in number, or two categories share a column name.

    References
    ----------
    Monroe, Colaresi & Quinn (2008), "Fightin' Words: Lexical Feature Selection and Evaluation for Identifying the
    Content of Political Conflict", Political Analysis 16(4), equations 16, 20 and 22.

    Examples
    --------
    >>> texts = ["gross pay per hour", "gross pay and tax", "insured vehicle", "vehicle of the insured"]
    >>> learned = learn_lexicon(texts * 5, ["payslip", "payslip", "policy", "policy"] * 5)
    >>> [category.keywords[:3] for category in learned.categories]
    [('gross', 'gross pay', 'pay'), ('insured', 'vehicle', 'insured vehicle')]
    """
    if len(texts) != len(categories):
        raise BadDataError(f"{len(texts)} texts but {len(categories)} categories", remedy="give one category a text")
    names = sorted(set(categories))
    number = {name: index for index, name in enumerate(names)}
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for text, category in zip(texts, categories, strict=True):
        for phrase in set(_phrases(text)):
            counts[phrase][number[category]] += 1
    phrases = sorted(phrase for phrase, found in counts.items() if found.total() >= FEWEST_DOCUMENTS)
    table = np.array([[counts[phrase][index] for index in range(len(names))] for phrase in phrases], dtype=np.float64)
    sizes = Counter(categories)
    documents = np.array([sizes[name] for name in names], dtype=np.float64)
    z, ratio = _telling(table.reshape(len(phrases), len(names)), documents)
    learned = []
    for index, name in enumerate(names):
        telling = [row for row in range(len(phrases)) if z[row, index] >= LEAST_Z and ratio[row, index] >= LEAST_RATIO]
        best = sorted(telling, key=lambda row: (-round(z[row, index], 9), phrases[row]))[:keywords_per_category]
        learned.append(LexiconCategory(name=name, keywords=tuple(phrases[row] for row in best)))
    return Lexicon(categories=tuple(learned))


def fits(lexicon: Lexicon, categories: Sequence[str]) -> bool:
    """Say whether a lexicon speaks of the categories of some data.

    It does if at least half of them are its own, under their name or another: case, accents, punctuation and
    an English plural do not matter.

    Parameters
    ----------
    lexicon : Lexicon
        For instance the shipped one.
    categories : sequence of str
        The categories of the data; repetitions do not count.

    Examples
    --------
    >>> from features.lexicon import shipped_lexicon
    >>> fits(shipped_lexicon(), ["Tax-Returns", "bollette", "letter"])
    True
    >>> fits(shipped_lexicon(), ["sport", "politics"])
    False
    """
    names = set(categories)
    entries = _entries(lexicon)
    return bool(names) and 2 * sum(_plain(name) in entries for name in names) >= len(names)


def adapt_lexicon(
    lexicon: Lexicon,
    texts: Sequence[str],
    categories: Sequence[str],
    *,
    keywords_per_category: int = KEYWORDS_PER_CATEGORY,
) -> Lexicon:
    """Make the lexicon of some data: what ``--lexicon auto`` does with the shipped one.

    If the lexicon `fits`, its keywords stand for the categories that it knows, and the others get learned ones;
    if not, all are learned. Each category bears the name it has in the data.

    Parameters
    ----------
    lexicon : Lexicon
        For instance the shipped one.
    texts : sequence of str, length n_documents
        Cleaned texts.
    categories : sequence of str, length n_documents
        Their categories.
    keywords_per_category : int, optional
        At most so many learned ones.

    Returns
    -------
    Lexicon
        The categories of the data, in alphabetical order.

    Raises
    ------
    textclf.errors.BadDataError
        As `learn_lexicon`.
    """
    learned = learn_lexicon(texts, categories, keywords_per_category=keywords_per_category)
    if not fits(lexicon, categories):
        return learned
    entries = _entries(lexicon)
    return Lexicon(
        categories=tuple(
            LexiconCategory(name=category.name, keywords=entries.get(_plain(category.name), category).keywords)
            for category in learned.categories
        )
    )


def _telling(table: NDArray[np.float64], documents: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Give z-scores and ratios of rates, each of shape (n_phrases, n_categories)."""
    total = table.sum(axis=1, keepdims=True)
    others, other_documents = total - table, documents.sum() - documents
    prior = PRIOR_DOCUMENTS * total / documents.sum()
    lacking = PRIOR_DOCUMENTS - prior

    def log_odds(with_it: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
        # a phrase in every document of every category has nothing lacking: half a document keeps the odds finite
        odds: NDArray[np.float64] = np.log((with_it + prior) / np.maximum(size - with_it + lacking, 0.5))
        return odds

    deviation = np.sqrt(1 / (table + prior) + 1 / (others + prior))
    z = (log_odds(table, documents) - log_odds(others, other_documents)) / deviation
    ratio = (table / documents) / ((others + 0.5) / (other_documents + 1))
    return z, ratio


def _phrases(text: str) -> Iterator[str]:
    words = tokenize(text)
    telling = [_tells(word) for word in words]
    for word, tells in zip(words, telling, strict=True):
        if tells:
            yield word
    for (first, second), (first_tells, second_tells) in zip(pairwise(words), pairwise(telling), strict=True):
        # a number may be part of a name, as in "mod 730"
        if first_tells and (second_tells or (second.isdigit() and 2 <= len(second) <= 4)):
            yield f"{first} {second}"


@lru_cache(maxsize=100_000)
def _tells(word: str) -> bool:
    """Tell words that mean something from stop words and from what OCR makes of specks and lines."""
    return (
        3 <= len(word) <= LONGEST_WORD
        and word.isalpha()
        and len(set(word)) > 1
        # other scripts have other vowels, or none
        and (not word.isascii() or any(letter in "aeiouy" for letter in word))
        and word not in stop_words()
    )


def _plain(name: str) -> str:
    return "_".join(word.rstrip("s") or word for word in column_name(name).removesuffix(COLUMN_SUFFIX).split("_"))


def _entries(lexicon: Lexicon) -> dict[str, LexiconCategory]:
    return {_plain(name): category for category in lexicon.categories for name in (category.name, *category.names)}
