"""Which language a text is in, by its stop words; numpy is not needed, nor spaCy once fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from features.text_arguments import as_words

SPOKEN = ("cs", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "nb", "nl", "pl", "pt", "ro", "ru", "sv", "tr")
"""Languages of Europe whose stop words spaCy knows."""
SHORTEST = 3
"""Letters of the words looked at: the dirt of a bad scan is full of ``o``, ``ie`` and ``te``."""
FEWEST_WORDS = 8
"""Shorter texts are of no language that could be told."""
LEAST_SHARE = 0.12
"""Of the words must be stop words of a language; running text has .2 to .4, a form fewer."""
LEAST_LEAD = 1.5
"""How many times as many stop words as of any known language a foreign one must have."""
KNOWN_SHARE = 0.05
"""Of the training documents must be in a language for it to be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageDetector:
    """Tells texts in a language that a model was not trained on.

    Parameters
    ----------
    stop_words : dict of str to tuple of str
        Two-letter code (ISO 639-1) to folded stop words, sorted.
    known : tuple of str
        The languages of the training documents.
    """

    stop_words: dict[str, tuple[str, ...]]
    known: tuple[str, ...]
    _groups: list[tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _group_of: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        languages_of: dict[str, list[str]] = {}
        for language, words in self.stop_words.items():
            for word in words:
                if len(word) < SHORTEST:
                    continue
                languages_of.setdefault(word, []).append(language)
        # numbers are counted in less time than tuples; 0 would be taken for a word of no language
        numbers: dict[tuple[str, ...], int] = {(): 0}
        group_of = {word: numbers.setdefault(tuple(found), len(numbers)) for word, found in languages_of.items()}
        object.__setattr__(self, "_groups", list(numbers))
        object.__setattr__(self, "_group_of", group_of)

    def shares(self, words: Sequence[str]) -> dict[str, float]:
        """Give the share of stop words of each language among the words that are not too short to tell.

        Parameters
        ----------
        words : sequence of str
            From `features.tokens.tokenize`.

        Returns
        -------
        dict of str to float
            Languages of which there is any, 0 to 1; none for a text of fewer than eight such words.
        """
        lengths = list(map(len, as_words(words)))
        telling = len(words) - sum(map(lengths.count, range(SHORTEST)))
        if telling < FEWEST_WORDS:
            return {}
        found: Counter[str] = Counter()
        for group, count in Counter(filter(None, map(self._group_of.get, words))).items():
            for language in self._groups[group]:
                found[language] += count
        return {language: count / telling for language, count in sorted(found.items())}

    def foreign(self, words: Sequence[str]) -> str:
        """Name the language of a text if it is none of the known ones.

        Parameters
        ----------
        words : sequence of str
            From `features.tokens.tokenize`.

        Returns
        -------
        str
            Its code, or an empty string: a known language, or none that could be told.

        Examples
        --------
        >>> guess = LanguageDetector(stop_words={"de": ("der", "und"), "en": ("and", "the")}, known=("en",))
        >>> guess.foreign("der hund und der bus und der baum und der berg und der see im tal".split())
        'de'
        >>> guess.foreign("the dog and the bus and the tree and the hill and the lake in the dale".split())
        ''
        """
        shares = self.shares(words)
        if not shares or not self.known:
            return ""
        known = max(shares.get(language, 0.0) for language in self.known)
        language = max(shares, key=lambda language: shares[language])
        foreign = language not in self.known and shares[language] >= max(LEAST_SHARE, LEAST_LEAD * known)
        return language if foreign else ""


def fit_language_detector(documents: Sequence[Sequence[str]]) -> LanguageDetector:
    """Find the languages of some documents.

    Parameters
    ----------
    documents : sequence of sequence of str
        The words of each, from `features.tokens.tokenize`.

    Returns
    -------
    LanguageDetector
        With spaCy's stop words. Where no language can be told, as in receipts, all are taken for known.
    """
    from features.spacy_tables import stop_words_by_language

    words = {language: tuple(sorted(found)) for language, found in stop_words_by_language(SPOKEN).items()}
    guess = LanguageDetector(stop_words=words, known=())
    best: Counter[str] = Counter()
    for document in documents:
        shares = guess.shares(document)
        if shares and max(shares.values()) >= LEAST_SHARE:
            best[max(shares, key=lambda language: shares[language])] += 1
    known = sorted(language for language, count in best.items() if count >= KNOWN_SHARE * best.total())
    return LanguageDetector(stop_words=words, known=tuple(known))
