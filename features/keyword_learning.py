"""Keywords learned from documents whose category is known, and the choice between them and a lexicon at hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.keyword_matcher import KeywordMatcher
from features.lexicon import Lexicon, LexiconCategory, plain_name
from features.spacy_tables import dictionary, inflected_forms, stop_words
from features.symmetric_delete import skeleton
from features.text_arguments import as_words
from features.tokens import tokenize
from features.word_vectors import WordVectors

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
COMMON_SHARE = 0.2
"""A word near a keyword's word is a word of its own when it is in this share of the documents that have the latter."""
COMMON_COUNT = 3
"""And in at least this many documents."""
RANK_OFFSET = 60
"""Of reciprocal rank fusion, as its authors set it: so that the first places do not decide alone."""

_NO_FREQUENCIES: Mapping[str, int] = MappingProxyType({})


def learn_lexicon(
    documents: Sequence[Sequence[str]], categories: Sequence[str], *, keywords_per_category: int = KEYWORDS_PER_CATEGORY
) -> Lexicon:
    """Learn each category's keywords from documents.

    Words and phrases of two words are ranked by their log-odds in a category against all others, with an informative
    Dirichlet prior, divided by its standard deviation. A document counts once for each, however often it repeats it,
    because an indicator only says whether a keyword is there. Left out are stop words, numbers, rubbish, what fewer
    than two documents have, and what is less than eight times as common in its category as elsewhere.

    Parameters
    ----------
    documents : sequence of sequence of str, length n_documents
        Words of each, from `features.tokens.tokenize`.
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
    textclf.base.errors.BadDataError
        If texts and categories are no lists of strings, or differ in number.

    References
    ----------
    Monroe, Colaresi & Quinn (2008), "Fightin' Words: Lexical Feature Selection and Evaluation for Identifying the
    Content of Political Conflict", Political Analysis 16(4), equations 16, 20 and 22.

    Examples
    --------
    >>> texts = ["gross pay per hour", "gross pay and tax", "insured vehicle", "vehicle of the insured"]
    >>> learned = learn_lexicon(list(map(str.split, texts * 5)), ["payslip", "payslip", "policy", "policy"] * 5)
    >>> [category.keywords[:3] for category in learned.categories]
    [('gross', 'gross pay', 'pay'), ('insured', 'vehicle', 'insured vehicle')]
    """
    names = sorted(set(categories))
    number = {name: index for index, name in enumerate(names)}
    phrases, table = _count(documents, [number[category] for category in categories], len(names), longest=2)
    z, ratio = _telling(table, _sizes(categories))
    learned = []
    for index, name in enumerate(names):
        telling = [row for row in range(len(phrases)) if z[row, index] >= LEAST_Z and ratio[row, index] >= LEAST_RATIO]
        best = sorted(telling, key=lambda row: (-round(z[row, index], 9), phrases[row]))[:keywords_per_category]
        learned.append(LexiconCategory(name=name, keywords=tuple(phrases[row] for row in best), learned=True))
    return Lexicon(categories=tuple(learned))


def compile_matcher(lexicon: Lexicon, frequencies: Mapping[str, int] = _NO_FREQUENCIES) -> KeywordMatcher:
    """Make the matcher of a lexicon, with all that is known of the words near its keywords; it needs no spaCy.

    A word near a keyword is a word of its own if a dictionary has it, or if it is common in the training documents, of
    which `frequencies` says how many have each word: in at least 3 of them, and in a fifth as many as have the word it
    is near to. A misreading is rarer than that. What differs by OCR confusions only is a misreading however common it
    is, unless a dictionary has it.
    """
    plain, of_their_own = _from_dictionary(lexicon)
    frequent = (word for word, count in frequencies.items() if count >= COMMON_COUNT and word.isalpha())
    common = {
        word
        for word, near in plain.misread(frequent).items()
        if any(
            frequencies[word] >= COMMON_SHARE * frequencies.get(other, 0) and skeleton(word) != skeleton(other)
            for other in near
        )
    }
    return KeywordMatcher(lexicon, known_words=of_their_own | common, forms=plain.forms)


@lru_cache(maxsize=4)
def _from_dictionary(lexicon: Lexicon) -> tuple[KeywordMatcher, frozenset[str]]:
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist

    words = {word for category in lexicon.categories for keyword in category.keywords for word in tokenize(keyword)}
    plain = KeywordMatcher(lexicon, forms=inflected_forms(words))
    entries, shapes, lengths, letters = _dictionary_by_length()
    near: set[str] = set()
    for shape, wrong in plain.shapes.items():
        # which differ in few letters is seen first by their lengths and sets of letters
        first, last = lengths.searchsorted([len(shape) - wrong, len(shape) + wrong + 1])
        ours, theirs = _letters([shape]), letters[first:last]
        differing = np.maximum(np.bitwise_count(ours & ~theirs), np.bitwise_count(theirs & ~ours))
        rough = first + np.flatnonzero(differing <= wrong)
        distances = cdist([shape], shapes[rough], scorer=LCSseq.distance, score_cutoff=wrong, dtype=np.uint8)[0]
        near.update(entries[rough[distances <= wrong]])
    return plain, frozenset(plain.misread(near))


@cache
def _dictionary_by_length() -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64], NDArray[np.uint32]]:
    """Give the words of both dictionaries by the length of their skeletons, these, the lengths, and the letters."""
    entries = sorted(dictionary("it") | dictionary("en"))
    shapes = skeleton("\n".join(entries)).split("\n") if entries else []
    lengths = np.array(list(map(len, shapes)), dtype=np.int64)
    order = lengths.argsort(kind="stable")
    words, skeletons = np.array([entries, shapes], dtype=object)[:, order]
    return words, skeletons, lengths[order], _letters(shapes)[order]


def _letters(shapes: Sequence[str]) -> NDArray[np.uint32]:
    """Give the set of letters of each shape as bits."""
    codes = np.frombuffer("".join(shapes).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    starts = np.cumsum([0, *map(len, shapes)])[:-1]
    bits: NDArray[np.uint32] = np.bitwise_or.reduceat(np.uint32(1) << (codes % np.uint32(32)), starts)
    return bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A phrase that may be a keyword.

    Parameters
    ----------
    category, phrase : str
        The category it speaks for, and the phrase, folded.
    own, others : int
        Documents of the category that have it, and documents of all others.
    by_tfidf, by_log_odds, by_vectors : int or None
        Its place, from 1, among the candidates of the category, by class-based TF-IDF, by log-odds with an informative
        prior, and by likeness to the category's own keywords; None without those.
    """

    category: str
    phrase: str
    own: int
    others: int
    by_tfidf: int
    by_log_odds: int
    by_vectors: int | None


def suggest_keywords(
    documents: Sequence[Sequence[str]],
    categories: Sequence[str],
    lexicon: Lexicon | None = None,
    vectors: WordVectors | None = None,
    *,
    n: int = 20,
) -> list[Suggestion]:
    """Propose keywords from documents: phrases of up to three words.

    Candidates are telling (as in `learn_lexicon`), not found by the category's own keywords, and no part of a longer
    phrase that stands in the same documents. They are put in order by three signals, fused by reciprocal ranks. They
    are chosen by these very documents: what they are worth only other documents tell.

    Parameters
    ----------
    documents : sequence of sequence of str, length n_documents
        Words of each, from `features.tokens.tokenize`.
    categories : sequence of str, length n_documents
        Their categories.
    lexicon : Lexicon, optional
        Keywords that the user has.
    vectors : WordVectors, optional
        For the likeness to those keywords.
    n : int, default 20
        At most so many a category.

    Returns
    -------
    list of Suggestion
        By category in alphabetical order, the best first.

    References
    ----------
    Grootendorst (2022), "BERTopic", arXiv:2203.05794 (class-based TF-IDF; here a document counts once). Cormack, Clarke
    & Buettcher (2009), "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR.

    Examples
    --------
    >>> texts = ["gross pay per hour", "gross pay and tax", "insured vehicle", "vehicle of the insured"]
    >>> found = suggest_keywords(list(map(str.split, texts * 5)), ["payslip", "payslip", "policy", "policy"] * 5, n=2)
    >>> [(one.phrase, one.own, one.others) for one in found if one.category == "policy"]
    [('insured', 10, 0), ('vehicle', 10, 0)]
    """
    names = sorted(set(categories))
    phrases, table = _count(documents, [names.index(category) for category in categories], len(names), longest=3)
    kept = _longest_only(phrases, table)
    phrases, table = [phrases[row] for row in kept], table[kept]
    z, ratio = _telling(table, _sizes(categories))
    tfidf = table / np.maximum(table.sum(axis=0), 1) * np.log1p(table.sum() / len(names) / table.sum(axis=1))[:, None]
    entries = {} if lexicon is None else _entries(lexicon)
    found = []
    for label, name in enumerate(names):
        own = entries.get(_plain(name), LexiconCategory(name=name, keywords=()))
        known = _finder(own)
        rows = np.array(
            [
                row
                for row in np.flatnonzero((z[:, label] >= LEAST_Z) & (ratio[:, label] >= LEAST_RATIO)).tolist()
                if not known(phrases[row])
            ],
            dtype=np.int64,
        )
        ranks = [_ranks(tfidf[rows, label]), _ranks(z[rows, label])]
        if own.keywords and vectors is not None and len(vectors.words):
            ranks.append(_ranks(_likeness([phrases[row] for row in rows], own.keywords, vectors)))
        fused = np.sum([1 / (RANK_OFFSET + rank) for rank in ranks], axis=0)
        for place in sorted(range(len(rows)), key=lambda place: (-fused[place], phrases[rows[place]]))[:n]:
            row = int(rows[place])
            found.append(
                Suggestion(
                    category=name,
                    phrase=phrases[row],
                    own=int(table[row, label]),
                    others=int(table[row].sum() - table[row, label]),
                    by_tfidf=int(ranks[0][place]),
                    by_log_odds=int(ranks[1][place]),
                    by_vectors=int(ranks[2][place]) if len(ranks) > 2 else None,
                )
            )
    return found


def extend_lexicon(lexicon: Lexicon | None, suggestions: Sequence[Suggestion]) -> Lexicon:
    """Add suggestions to a lexicon, behind the keywords that it has.

    Parameters
    ----------
    lexicon : Lexicon or None
        The user's own, if any.
    suggestions : sequence of Suggestion
        From `suggest_keywords`.

    Returns
    -------
    Lexicon
        The user's categories first, then those that were not among them, marked as learned.
    """
    categories = {} if lexicon is None else {category.name: category for category in lexicon.categories}
    names = {} if lexicon is None else {plain: entry.name for plain, entry in _entries(lexicon).items()}
    for one in suggestions:
        name = names.get(_plain(one.category), one.category)
        category = categories.get(name, LexiconCategory(name=name, keywords=(), learned=True))
        categories[name] = replace(category, keywords=(*category.keywords, one.phrase))
    return Lexicon(categories=tuple(categories.values()))


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
    documents: Sequence[Sequence[str]],
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
    documents : sequence of sequence of str, length n_documents
        Words of each, from `features.tokens.tokenize`.
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
    textclf.base.errors.BadDataError
        As `learn_lexicon`.
    """
    learned = learn_lexicon(documents, categories, keywords_per_category=keywords_per_category)
    if not fits(lexicon, categories):
        return learned
    entries = _entries(lexicon)
    return Lexicon(
        categories=tuple(
            replace(entries.get(_plain(category.name), category), name=category.name, names=())
            for category in learned.categories
        )
    )


def _count(
    documents: Sequence[Sequence[str]], labels: Sequence[int], categories: int, *, longest: int
) -> tuple[list[str], NDArray[np.float64]]:
    """Count the documents of each category that have a phrase: phrases in order, and a row of counts for each."""
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for words, label in zip(map(as_words, documents), labels, strict=True):
        for phrase in set(_phrases(words, longest)):
            counts[phrase][label] += 1
    phrases = sorted(phrase for phrase, found in counts.items() if found.total() >= FEWEST_DOCUMENTS)
    table = np.array([[counts[phrase][label] for label in range(categories)] for phrase in phrases], dtype=np.float64)
    return phrases, table.reshape(len(phrases), categories)


def _sizes(categories: Sequence[str]) -> NDArray[np.float64]:
    sizes = Counter(categories)
    return np.array([sizes[name] for name in sorted(sizes)], dtype=np.float64)


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


def _phrases(words: Sequence[str], longest: int) -> Iterator[str]:
    """List words and phrases that may be keywords: they begin and end with words that mean something."""
    telling = [_tells(word) for word in words]
    # a number may be part of a name, as in "mod 730"
    ending = [tells or (word.isdigit() and 2 <= len(word) <= 4) for word, tells in zip(words, telling, strict=True)]
    for start in range(len(words)):
        if telling[start]:
            yield words[start]
            for end in range(start + 2, min(start + longest, len(words)) + 1):
                # rubbish in the middle would also make the phrase longer than a keyword may be
                if len(words[end - 1]) > LONGEST_WORD:
                    break
                if ending[end - 1]:
                    yield " ".join(words[start:end])


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
    return "_".join(word.rstrip("s") or word for word in plain_name(name).split("_"))


def same_category(lexicon: Lexicon, categories: Sequence[str]) -> dict[str, str]:
    """Find the data's name of the categories of a lexicon, as far as the data has them; see `fits`.

    Examples
    --------
    >>> from features.lexicon import shipped_lexicon
    >>> same_category(shipped_lexicon(), ["Bollette", "letter"])
    {'utility_bill': 'Bollette'}
    """
    entries = _entries(lexicon)
    return {entries[_plain(name)].name: name for name in categories if _plain(name) in entries}


def _entries(lexicon: Lexicon) -> dict[str, LexiconCategory]:
    return {_plain(name): category for category in lexicon.categories for name in (category.name, *category.names)}


def _longest_only(phrases: Sequence[str], table: NDArray[np.float64]) -> list[int]:
    """Leave out phrases that stand in a longer one with the same counts, and so in the same documents."""
    row_of = {phrase: row for row, phrase in enumerate(phrases)}
    idle = set()
    for row, phrase in enumerate(phrases):
        words = phrase.split()
        for start in range(len(words)):
            for end in range(start + 1, len(words) + 1):
                part = row_of.get(" ".join(words[start:end]))
                if part is not None and part != row and (table[part] == table[row]).all():
                    idle.add(part)
    return [row for row in range(len(phrases)) if row not in idle]


def _finder(category: LexiconCategory) -> Callable[[str], bool]:
    if not category.keywords:
        return lambda phrase: False
    matcher = compile_matcher(Lexicon(categories=(category,)))
    return lambda phrase: bool(matcher.find(tokenize(phrase)))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Place of each value, from 1 for the highest."""
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[np.argsort(-values.round(9), kind="stable")] = np.arange(1, len(values) + 1)
    return ranks


def _likeness(phrases: Sequence[str], keywords: Sequence[str], vectors: WordVectors) -> NDArray[np.float64]:
    """Cosine of each phrase's mean vector with that of the keywords; 0 for what has no known word."""
    found = vectors.transform([tokenize(phrase) for phrase in phrases])
    middle = vectors.transform([tokenize(" ".join(keywords))])
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(middle)
    likeness: NDArray[np.float64] = np.divide(
        found @ middle[0], lengths, out=np.zeros(len(phrases), dtype=np.float32), where=lengths > 0
    ).astype(np.float64)
    return likeness
