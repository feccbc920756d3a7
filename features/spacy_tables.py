"""Stop words, dictionaries and inflected forms from spaCy, compiled at training into the tables of a prediction.

spaCy is imported only inside the functions. Stop words and tokeniser exceptions come with spaCy itself; dictionaries
and lemmas only with ``spacy-lookups-data`` (the extra ``lemmas``); without it their tables are empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

from features.tokens import fold, tokenize

LANGUAGES = ("it", "en")
"""Languages of the shipped lexicon."""
SHORTEST_INFLECTED = 4
MAX_LONGER = 2
"""Letters by which an inflected form may be longer; a longer one is a derived word (``netto``, ``nettissimo``)."""


@cache
def stop_words(language: str) -> frozenset[str]:
    """Give spaCy's stop words of a language (ISO 639-1), folded and split as `features.tokens.tokenize` does."""
    # the file alone: importing spaCy's package of a language also compiles its exceptions, which takes seconds
    spacy = find_spec("spacy")
    if spacy is None or not spacy.submodule_search_locations:
        raise ModuleNotFoundError("spacy is not installed", name="spacy")
    file = Path(spacy.submodule_search_locations[0], "lang", language, "stop_words.py")
    entries = run_path(str(file))["STOP_WORDS"]
    return frozenset(word for entry in entries for word in tokenize(entry))


@cache
def function_words() -> frozenset[str]:
    """Give the words that say nothing about a document: articles, pronouns, auxiliaries, common abbreviations.

    They are spaCy's stop words of Italian and English, and the pieces of its tokeniser exceptions (``don't``,
    ``prof.``).
    """
    from spacy.util import get_lang_class

    entries = [entry for language in LANGUAGES for entry in get_lang_class(language).Defaults.tokenizer_exceptions]
    return frozenset(word for entry in entries for word in tokenize(entry)).union(*map(stop_words, LANGUAGES))


@cache
def dictionary(language: str) -> frozenset[str]:
    """Give the folded words of a language's lookup table; empty without ``spacy-lookups-data``."""
    words = (fold(word) for pair in _lemma_table(language, "lemma_lookup").items() for word in pair)
    return frozenset(word for word in words if word.isalpha())


def inflected_forms(words: Set[str]) -> dict[str, tuple[str, ...]]:
    """Find the inflected forms of folded words: words with the same lemma, sorted.

    Italian has tables of nouns and of adjectives, so that a noun does not get the forms of a verb. The English table
    does not distinguish parts of speech: only singular and plural are matched. Tables:
    https://github.com/explosion/spacy-lookups-data
    """
    inflected = {word for word in words if len(word) >= SHORTEST_INFLECTED} - function_words()
    found: defaultdict[str, set[str]] = defaultdict(set)
    for language, table, other_language in (
        ("it", "lemma_lookup_noun", "en"),
        ("it", "lemma_lookup_adj", "en"),
        ("en", "lemma_lookup", "it"),
    ):
        groups = _groups_by_word(language, table)
        for word in inflected:
            for group in groups.get(word, ()):
                # a form in one language may be a word of its own in the other (statura: stature)
                forms = {*group} - dictionary(other_language) - {word}
                found[word] |= {form for form in forms if len(form) <= len(word) + MAX_LONGER}
    return {word: tuple(sorted(found[word])) for word in sorted(found) if found[word]}


@cache
def _groups_by_word(language: str, table: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Give the groups of words with the same lemma that each word is in."""
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for form, lemma in _lemma_table(language, table).items():
        # the English table holds all parts of speech: of its forms, only the plurals are of use
        if language != "en" or form.endswith("s"):
            groups[fold(lemma)] |= {fold(form), fold(lemma)}
    by_word: defaultdict[str, tuple[tuple[str, ...], ...]] = defaultdict(tuple)
    for group in groups.values():
        # tuples take a third of the memory of sets, of which there would be tens of thousands
        words = tuple(group)
        for word in words if len(words) > 1 else ():
            by_word[word] += (words,)
    return by_word


def _lemma_table(language: str, name: str) -> Mapping[str, str]:
    from spacy.util import load_language_data, registry

    paths = registry.lookups.get(language) if language in registry.lookups else {}
    # read as JSON, because spaCy's own Lookups keep only hashes of the words
    table = load_language_data(paths[name]) if name in paths else {}
    if not isinstance(table, dict):
        raise TypeError(f"{paths[name]} is not a table")
    return table
