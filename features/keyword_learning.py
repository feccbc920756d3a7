"""Learning and suggesting keywords from labelled documents, and compiling matchers of lexicons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from features.core.texts import Words
from features.core.words import skeletons
from features.keyword_matcher import KeywordMatcher
from features.language_detection import DETECTED
from features.lexicon import Lexicon, LexiconCategory, plain_name
from features.phrases import find_phrases
from features.spacy_tables import dictionary, inflected_forms, stop_words
from features.tokens import tokenize
from features.word_vectors import WordVectors

KEYWORDS_PER_CATEGORY = 15
"""With more, an indicator is 1 in too many documents: on scanned office documents 10 to 20 were better than 40."""
MIN_DOCUMENTS = 2
"""A phrase in one document only may be a name, a number or a misreading."""
MIN_Z = 1.96
"""Minimum z-score of a distinctive keyword: the 5 % level of a two-sided test."""
MIN_RATIO = 8.0
"""Minimum ratio of a keyword's shares in its category and in the others: an indicator is the *or* of many keywords."""
PRIOR_DOCUMENTS = 10.0
"""Weight of the prior, a keyword's share in all documents, in documents."""
SHORTEST_NAME = 4
"""Letters of a word that names a group."""
TYPICAL_SHARE, TYPICAL_RATIO, TYPICAL_DOCUMENTS = 0.2, 2.0, 3
"""Of a word that names a group: its share in it, how many times that elsewhere, and its documents in all, at least."""
COMMON_SHARE = 0.2
"""A word similar to a keyword's is a known word if as many documents have it as this share of those with the latter,"""
COMMON_COUNT = 3
"""and at least this many documents."""
RANK_OFFSET = 60
"""Constant k of reciprocal rank fusion, as its authors set it, which limits the influence of the first ranks."""

_NO_FREQUENCIES: Mapping[str, int] = MappingProxyType({})


def learn_lexicon(documents: Sequence[Sequence[str]], categories: Sequence[str]) -> Lexicon:
    """Learn each category's keywords from the words of documents, best first, ties in alphabetical order.

    Words and phrases of two words are ranked by their log-odds in a category against all others, with an informative
    Dirichlet prior, divided by its standard deviation. A document counts once for each phrase, because an indicator
    only shows whether a keyword is there. Function words, numbers and noise are excluded, and phrases that occur in
    fewer than two documents, or are less than eight times as common in the category as elsewhere.

    Source: Monroe, Colaresi & Quinn (2008), "Fightin' Words: Lexical Feature Selection and Evaluation for Identifying
    the Content of Political Conflict", Political Analysis 16(4), equations 16, 20 and 22.
    """
    names, phrases, _, z, distinctive = _phrase_table(documents, categories, longest=2)
    learned = []
    for label, name in enumerate(names):
        best = [row for row in np.argsort(-z[:, label].round(9), kind="stable").tolist() if distinctive[row, label]]
        keywords = tuple(phrases[row] for row in best[:KEYWORDS_PER_CATEGORY])
        learned.append(LexiconCategory(name=name, keywords=keywords, learned=True))
    return Lexicon(categories=tuple(learned))


def typical_words(documents: Sequence[Sequence[str]], groups: Sequence[int], n: int) -> dict[int, tuple[str, ...]]:
    """Give up to `n` words that name each group of documents: common in it, and distinctive by `learn_lexicon`'s z.

    A word in few documents may be a misreading, and a stop word of any language may be distinctive of that language:
    both are left out. A group without such a word has none.
    """
    listed = [str(group) for group in groups]
    names, words, table, z, _ = _phrase_table(documents, listed, longest=1)
    sizes = Counter(listed)
    readable = np.array([_is_readable(word) for word in words], dtype=np.bool_)
    total = table.sum(axis=1)
    found = {}
    for label, name in enumerate(names):
        own, size = table[:, label], sizes[name]
        ratio = (own / size) / ((total - own + 0.5) / (len(listed) - size + 1))
        typical = readable & (own >= TYPICAL_SHARE * size) & (ratio >= TYPICAL_RATIO) & (total >= TYPICAL_DOCUMENTS)
        rows = np.flatnonzero(typical)
        found[int(name)] = tuple(words[row] for row in rows[np.argsort(-z[rows, label].round(9), kind="stable")][:n])
    return found


def compile_matcher(lexicon: Lexicon, frequencies: Mapping[str, int] = _NO_FREQUENCIES) -> KeywordMatcher:
    """Make the matcher of a lexicon, with its inflected forms and the known words that are similar to its keywords.

    A word similar to a keyword is a known word if a dictionary has it, or if it is common in the training documents:
    `frequencies` counts the documents with each word, of which at least 3 must have it, and a fifth as many as have the
    keyword's word. A misreading is rarer than that. But a word that differs by OCR confusions only is a misreading,
    however common, unless a dictionary has it.
    """
    plain, of_their_own = _from_dictionary(lexicon)
    frequent = [word for word, count in frequencies.items() if count >= COMMON_COUNT and word.isalpha()]
    common = {
        word
        for word, near in plain.misread(frequent).items()
        if any(
            frequencies[word] >= COMMON_SHARE * frequencies.get(other, 0) and skeletons([word]) != skeletons([other])
            for other in near
        )
    }
    return KeywordMatcher(lexicon, known_words=of_their_own | common, forms=plain.forms)


@lru_cache(maxsize=4)
def _from_dictionary(lexicon: Lexicon) -> tuple[KeywordMatcher, frozenset[str]]:
    """Give the matcher of a lexicon with inflected forms, and the dictionary words that it would consider misread."""
    words = {word for category in lexicon.categories for keyword in category.keywords for word in tokenize(keyword)}
    plain = KeywordMatcher(lexicon, forms=inflected_forms(words))
    return plain, frozenset(plain.misread(_dictionaries()))


def load_dictionaries() -> None:
    """Load the tables by which matchers are compiled, which takes seconds and is done once by each process."""
    _dictionaries()
    inflected_forms({"form"})


@cache
def _dictionaries() -> Words:
    """Give the words of both dictionaries as the core takes them, of which there are hundreds of thousands."""
    return Words.from_strings(sorted(dictionary("it") | dictionary("en")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A phrase that may be a keyword of a category."""

    category: str
    phrase: str
    # documents with it: of the category, and of all others
    own: int
    others: int
    # its rank, from 1, among the candidates of the category by class-based TF-IDF, by log-odds with an informative
    # prior, and by cosine similarity to the category's own keywords; None without keywords or vectors
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
    """Propose up to `n` keywords per category from the words of documents: phrases of up to three words, best first.

    Candidates are distinctive (as in `learn_lexicon`), not found by the category's own keywords, and not part of a
    longer phrase in the same documents. They are ranked by three signals, combined by reciprocal rank fusion. Because
    they are chosen on these documents, only other documents can show their value.

    Sources: Grootendorst (2022), "BERTopic", arXiv:2203.05794 (class-based TF-IDF; here a document counts once).
    Cormack, Clarke & Buettcher (2009), "Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods", SIGIR.
    """
    names, phrases, table, z, distinctive = _phrase_table(documents, categories, longest=3)
    kept = _longest_only(phrases, table)
    phrases, table, z, distinctive = [phrases[row] for row in kept], table[kept], z[kept], distinctive[kept]
    tfidf = table / np.maximum(table.sum(axis=0), 1) * np.log1p(table.sum() / len(names) / table.sum(axis=1))[:, None]
    entries = {} if lexicon is None else _entries(lexicon)
    found = []
    for label, name in enumerate(names):
        own = entries.get(_plain(name), LexiconCategory(name=name, keywords=()))
        rows = np.flatnonzero(distinctive[:, label])
        hits = compile_matcher(Lexicon(categories=(own,))).find_all([phrases[row].split() for row in rows])
        rows = rows[[not found for found in hits]] if len(rows) else rows
        signals = [tfidf[rows, label], z[rows, label]]
        if own.keywords and vectors is not None and len(vectors.words):
            middle = vectors.unit_vectors([tokenize(" ".join(own.keywords))])[0]
            signals.append(vectors.unit_vectors([phrases[row].split() for row in rows]) @ middle)
        # rank of each candidate, from 1 for the highest
        ranks = [(-signal.round(9)).argsort(kind="stable").argsort() + 1 for signal in signals]
        fused = np.sum([1 / (RANK_OFFSET + rank) for rank in ranks], axis=0)
        for place in (-fused).argsort(kind="stable")[:n].tolist():
            row = rows[place]
            by_tfidf, by_log_odds, *by_vectors = (int(rank[place]) for rank in ranks)
            found.append(
                Suggestion(
                    category=name,
                    phrase=phrases[row],
                    own=int(table[row, label]),
                    others=int(table[row].sum() - table[row, label]),
                    by_tfidf=by_tfidf,
                    by_log_odds=by_log_odds,
                    by_vectors=by_vectors[0] if by_vectors else None,
                )
            )
    return found


def extend_lexicon(lexicon: Lexicon | None, suggestions: Sequence[Suggestion]) -> Lexicon:
    """Append suggestions to the keywords of a lexicon; categories that it lacks are added as learned ones."""
    categories = {} if lexicon is None else {category.name: category for category in lexicon.categories}
    names = {} if lexicon is None else {plain: entry.name for plain, entry in _entries(lexicon).items()}
    for one in suggestions:
        name = names.get(_plain(one.category), one.category)
        category = categories.get(name, LexiconCategory(name=name, keywords=(), learned=True))
        categories[name] = replace(category, keywords=(*category.keywords, one.phrase))
    return Lexicon(categories=tuple(categories.values()))


def fits(lexicon: Lexicon, categories: Sequence[str]) -> bool:
    """Return whether a lexicon has at least half of the categories of some data, under any of their names.

    Case, accents, punctuation and an English plural do not matter.
    """
    names = set(categories)
    entries = _entries(lexicon)
    return bool(names) and 2 * sum(_plain(name) in entries for name in names) >= len(names)


def adapt_lexicon(lexicon: Lexicon, documents: Sequence[Sequence[str]], categories: Sequence[str]) -> Lexicon:
    """Adapt the shipped lexicon to documents, given by their words: ``--lexicon auto``.

    If the lexicon `fits`, its keywords are used for the categories that it has, and the others are learned; if not, all
    are learned. Each category has its name in the data.
    """
    learned = learn_lexicon(documents, categories)
    if not fits(lexicon, categories):
        return learned
    entries = _entries(lexicon)
    return Lexicon(
        categories=tuple(
            replace(entries.get(_plain(category.name), category), name=category.name, names=())
            for category in learned.categories
        )
    )


def same_category(lexicon: Lexicon, categories: Sequence[str]) -> dict[str, str]:
    """Map the categories of a lexicon to the data's names for them, as far as the data has them; see `fits`."""
    entries = _entries(lexicon)
    return {entries[_plain(name)].name: name for name in categories if _plain(name) in entries}


def _entries(lexicon: Lexicon) -> dict[str, LexiconCategory]:
    return {_plain(name): category for category in lexicon.categories for name in (category.name, *category.names)}


def _plain(name: str) -> str:
    return "_".join(word.rstrip("s") or word for word in plain_name(name).split("_"))


def _phrase_table(
    documents: Sequence[Sequence[str]], categories: Sequence[str], *, longest: int
) -> tuple[list[str], list[str], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Give categories, phrases, and per phrase and category: document count, z-score, and whether it is distinctive."""
    names = sorted(set(categories))
    phrases, having, numbers = find_phrases(documents, longest, least=MIN_DOCUMENTS)
    columns = {name: place for place, name in enumerate(names)}
    labels = np.array([columns[name] for name in categories], np.int64)
    cells = np.bincount(numbers * len(names) + labels[having], minlength=len(phrases) * len(names))
    table = cells.reshape(len(phrases), len(names)).astype(np.float64)
    size = Counter(categories)
    sizes = np.array([size[name] for name in names], dtype=np.float64)
    total = table.sum(axis=1, keepdims=True)
    others, other_sizes = total - table, sizes.sum() - sizes
    prior = PRIOR_DOCUMENTS * total / sizes.sum()
    lacking = PRIOR_DOCUMENTS - prior

    def log_odds(with_it: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
        # half a document keeps the odds finite for a phrase that is in every document
        odds: NDArray[np.float64] = np.log((with_it + prior) / np.maximum(size - with_it + lacking, 0.5))
        return odds

    deviation = np.sqrt(1 / (table + prior) + 1 / (others + prior))
    z = (log_odds(table, sizes) - log_odds(others, other_sizes)) / deviation
    ratio = (table / sizes) / ((others + 0.5) / (other_sizes + 1))
    return names, phrases, table, z, (z >= MIN_Z) & (ratio >= MIN_RATIO)


@lru_cache(maxsize=100_000)
def _is_readable(word: str) -> bool:
    """Return whether a word tells a person something: it is not short, and no stop word of any language."""
    return len(word) >= SHORTEST_NAME and not any(word in stop_words(language) for language in DETECTED)


def _longest_only(phrases: Sequence[str], table: NDArray[np.float64]) -> list[int]:
    """Leave out phrases contained in a longer one with the same counts, thus in the same documents."""
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
