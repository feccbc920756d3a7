"""What spaCy knows of languages, compiled at training into the plain tables that a prediction uses.

spaCy is imported only inside the functions. Stop words and tokeniser exceptions come with spaCy itself; dictionaries
and lemmas only where ``spacy-lookups-data`` is installed (the extra ``lemmas``). Without it all works, with less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache, lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from features.keyword_matcher import KeywordMatcher
from features.lexicon import Lexicon
from features.symmetric_delete import skeleton
from features.tokens import fold, tokenize

LANGUAGES = ("it", "en")
"""Languages of the shipped lexicon."""
COMMON_SHARE = 0.2
"""A word near a keyword's word is a word of its own when it is in this share of the documents that have the latter."""
COMMON_COUNT = 3
"""And in at least this many documents."""
SHORTEST_INFLECTED = 4
MOST_LONGER = 2
"""An inflection changes the ending: what is more letters longer is a derived word (``netto``, ``nettissimo``)."""

_NOTHING = np.empty(0, dtype=object)
_NO_FREQUENCIES: Mapping[str, int] = MappingProxyType({})


@cache
def stop_words() -> frozenset[str]:
    """Give the words that say nothing about a document: articles, pronouns, auxiliaries, common abbreviations.

    Returns
    -------
    frozenset of str
        spaCy's stop words of Italian and English and the pieces of its tokeniser exceptions
        (``don't``, ``prof.``), folded and split as `features.tokens.tokenize` does.

    References
    ----------
    https://spacy.io/usage/linguistic-features#language-data

    Examples
    --------
    >>> {"the", "della", "dell", "don", "prof"} <= stop_words()
    True
    """
    from spacy.util import get_lang_class

    defaults = [get_lang_class(language).Defaults for language in LANGUAGES]
    entries = [entry for default in defaults for entry in (*default.stop_words, *default.tokenizer_exceptions)]
    return frozenset(word for entry in entries for word in tokenize(entry))


def stop_words_by_language(languages: Iterable[str]) -> dict[str, frozenset[str]]:
    """Give spaCy's stop words of some languages.

    Parameters
    ----------
    languages : iterable of str
        Two-letter codes.

    Returns
    -------
    dict of str to frozenset of str
        Folded and split as `features.tokens.tokenize` does.
    """
    from spacy.util import get_lang_class

    return {
        language: frozenset(word for entry in get_lang_class(language).Defaults.stop_words for word in tokenize(entry))
        for language in languages
    }


@cache
def dictionary(language: str) -> frozenset[str]:
    """Give the words of a language's lookup table.

    Parameters
    ----------
    language : str
        One of `LANGUAGES`.

    Returns
    -------
    frozenset of str
        Folded words of letters; empty without ``spacy-lookups-data``.
    """
    words = (fold(word) for pair in _lemma_table(language, "lemma_lookup").items() for word in pair)
    return frozenset(word for word in words if word.isalpha())


def inflected_forms(words: Set[str]) -> dict[str, tuple[str, ...]]:
    """Find the inflected forms of words: those with the same lemma.

    In Italian by the tables of nouns and of adjectives, so that a noun does not take in a verb's forms. The English
    table does not tell parts of speech apart: there only singular and plural go together.

    Parameters
    ----------
    words : set of str
        Folded words.

    Returns
    -------
    dict of str to tuple of str
        The other forms of each word that has some, sorted; empty without ``spacy-lookups-data``.

    References
    ----------
    https://github.com/explosion/spacy-lookups-data
    """
    inflected = {word for word in words if len(word) >= SHORTEST_INFLECTED} - stop_words()
    found: defaultdict[str, set[str]] = defaultdict(set)
    for language, table, other_language in (
        ("it", "lemma_lookup_noun", "en"),
        ("it", "lemma_lookup_adj", "en"),
        ("en", "lemma_lookup", "it"),
    ):
        for group in _forms_by_lemma(language, table):
            for word in group & inflected:
                # what is a form in one language may be another word in the other (statura: stature)
                forms = group - dictionary(other_language) - {word}
                found[word] |= {form for form in forms if len(form) <= len(word) + MOST_LONGER}
    return {word: tuple(sorted(found[word])) for word in sorted(found) if found[word]}


def compile_matcher(lexicon: Lexicon, frequencies: Mapping[str, int] = _NO_FREQUENCIES) -> KeywordMatcher:
    """Make the matcher of a lexicon, with all that is known of the words near its keywords.

    A word near a keyword is a word of its own if a dictionary has it, or if it is common in the training documents: in
    at least 3 of them, and in a fifth as many as have the word it is near to. A misreading is rarer than that.
    What differs by OCR confusions only is a misreading however common it is, unless a dictionary has it.

    Parameters
    ----------
    lexicon : Lexicon
        Keywords by category.
    frequencies : mapping of str to int, optional
        In how many training documents each word occurs.

    Returns
    -------
    features.keyword_matcher.KeywordMatcher
        Carries the words and forms found, and needs no spaCy.

    Examples
    --------
    >>> from features.lexicon import LexiconCategory
    >>> lexicon = Lexicon(categories=(LexiconCategory(name="contract", keywords=("contratto",)),))
    >>> matcher = compile_matcher(lexicon, {"contratto": 9, "contatto": 3, "contralto": 1})
    >>> [bool(matcher.find([word])) for word in ("contratto", "contatto", "c0ntratto")]
    [True, False, True]
    """
    plain, of_their_own = _from_dictionary(lexicon)
    common = {
        word
        for word, count in frequencies.items()
        if count >= COMMON_COUNT
        and word.isalpha()
        and any(
            count >= COMMON_SHARE * frequencies.get(other, 0) and skeleton(word) != skeleton(other)
            for other in plain.taken_for(word)
        )
    }
    return KeywordMatcher(lexicon, known_words=of_their_own | common, forms=plain.forms)


@lru_cache(maxsize=4)
def _from_dictionary(lexicon: Lexicon) -> tuple[KeywordMatcher, frozenset[str]]:
    words = {word for category in lexicon.categories for keyword in category.keywords for word in tokenize(keyword)}
    plain = KeywordMatcher(lexicon, forms=inflected_forms(words))
    near = {word for shape, wrong in plain.shapes.items() for word in _roughly_like(shape, wrong)}
    return plain, frozenset(word for word in sorted(near) if plain.taken_for(word))


def _roughly_like(shape: str, wrong: int) -> Iterator[str]:
    """Give the words of the dictionaries that become a shape when at most ``wrong`` letters are struck out of each."""
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist

    wanted = _letters([shape])
    for length in range(len(shape) - wrong, len(shape) + wrong + 1):
        words, shapes, letters = _dictionary_by_length().get(length, (_NOTHING, _NOTHING, wanted[:0]))
        lacking, extra = np.bitwise_count(wanted & ~letters), np.bitwise_count(letters & ~wanted)
        rough = np.flatnonzero((lacking <= wrong) & (extra <= wrong))
        distances = cdist([shape], shapes[rough], scorer=LCSseq.distance, score_cutoff=wrong, dtype=np.uint8)
        yield from words[rough[distances[0] <= wrong]]


@cache
def _dictionary_by_length() -> dict[int, tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.uint32]]]:
    """Give for each length of skeleton the words, their skeletons, and the letters of these."""
    by_length: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for word in sorted(frozenset().union(*map(dictionary, LANGUAGES))):
        shape = skeleton(word)
        by_length[len(shape)].append((word, shape))
    return {
        length: (*np.array(pairs, dtype=object).T, _letters([shape for _, shape in pairs]))
        for length, pairs in by_length.items()
    }


def _letters(shapes: list[str]) -> NDArray[np.uint32]:
    """Give the set of letters of each shape as bits; all shapes are of one length."""
    codes = np.array(shapes).view(np.uint32).reshape(len(shapes), -1)
    bits: NDArray[np.uint32] = np.bitwise_or.reduce(np.uint32(1) << (codes % np.uint32(32)), axis=1)
    return bits


@cache
def _forms_by_lemma(language: str, table: str) -> tuple[frozenset[str], ...]:
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for form, lemma in _lemma_table(language, table).items():
        # the English table holds all parts of speech: of its forms, only the plurals are of use
        if language != "en" or form.endswith("s"):
            groups[fold(lemma)] |= {fold(form), fold(lemma)}
    return tuple(frozenset(group) for group in groups.values() if len(group) > 1)


@cache
def _lemma_table(language: str, name: str) -> Mapping[str, str]:
    from spacy.util import load_language_data, registry

    paths = registry.lookups.get(language) if language in registry.lookups else {}
    # read as JSON: spaCy's own Lookups keep hashes of the words, from which the words cannot be listed
    table = load_language_data(paths[name]) if name in paths else {}
    if not isinstance(table, dict):
        raise TypeError(f"{paths[name]} is not a table")
    return table
