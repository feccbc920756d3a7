"""Detecting texts in a foreign language by their stop words; once fitted it does without spaCy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from features.core.words import WordTable
from features.text_arguments import as_words

DETECTED = ("cs", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "nb", "nl", "pl", "pt", "ro", "ru", "sv", "tr")
"""Languages of Europe whose stop words spaCy knows."""
MIN_LETTERS = 3
"""Shorter words are ignored: bad scans are full of ``o``, ``ie`` and ``te``."""
MIN_WORDS = 8
"""No language is detected in shorter texts."""
MIN_SHARE = 0.12
"""Minimum share of stop words among the words; running text has .2 to .4, a form fewer."""
MIN_RATIO = 1.5
"""Minimum ratio of the stop words of a foreign language to those of the best known one."""
KNOWN_SHARE = 0.05
"""Minimum share of the training documents in a language for it to be known."""


MOST_LANGUAGES = 32
"""A bit of a number says whether a word belongs to each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageDetector:
    """Detects texts in a language that a model was not trained on."""

    # two-letter code (ISO 639-1) to folded stop words, sorted
    stop_words: dict[str, tuple[str, ...]]
    # the languages of the training documents
    known: tuple[str, ...]
    _languages: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _table: WordTable = field(init=False, repr=False, compare=False)
    # bit i says whether a word of the table is a stop word of language i
    _sets: NDArray[np.uint32] = field(init=False, repr=False, compare=False)
    _is_known: NDArray[np.bool_] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # of several languages with as many stop words, the first in alphabetical order counts
        languages = tuple(sorted(self.stop_words))
        if len(languages) > MOST_LANGUAGES:
            raise ValueError(f"at most {MOST_LANGUAGES} languages are told apart")
        words = sorted({word for words in self.stop_words.values() for word in words if len(word) >= MIN_LETTERS})
        table, sets = WordTable(words), np.zeros(len(words), np.uint32)
        for number, language in enumerate(languages):
            places = table.find(self.stop_words[language])
            sets[places[places >= 0]] |= np.uint32(1 << number)
        object.__setattr__(self, "_languages", languages)
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "_sets", sets)
        object.__setattr__(self, "_is_known", np.array([language in self.known for language in languages], np.bool_))

    def detect(self, words: Sequence[str]) -> tuple[str, float, float]:
        """Give the language with most stop words, their share of the words, and the share of the best known language.

        Words of fewer than three letters are ignored. The language is empty for fewer than eight other words, or
        without a stop word.
        """
        counts = self._count_stop_words([words])[0]
        counted = sum(len(word) >= MIN_LETTERS for word in words)
        if counted < MIN_WORDS or not counts.any():
            return "", 0.0, 0.0
        best = int(counts.argmax())
        known = counts[self._is_known].max(initial=0)
        return self._languages[best], float(counts[best] / counted), float(known / counted)

    def foreign(self, words: Sequence[str]) -> str:
        """Give the code of a text's language if it is foreign; empty for a known one, or if none was detected."""
        return self.foreign_all([as_words(words)])[0]

    def foreign_all(self, documents: Sequence[Sequence[str]]) -> list[str]:
        """Give `foreign` of several documents."""
        found = [""] * len(documents)
        if not self.known:
            return found
        counts = self._count_stop_words(documents)
        # most texts are in a known language, for which fewer words need be counted
        for place in np.flatnonzero(~self._is_known[counts.argmax(axis=1)] & counts.any(axis=1)).tolist():
            language, share, known = self.detect(documents[place])
            found[place] = language if share >= max(MIN_SHARE, MIN_RATIO * known) else ""
        return found

    def _count_stop_words(self, documents: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        return self._table.count_members(documents, self._sets, len(self._languages))


def fit_language_detector(documents: Sequence[Sequence[str]]) -> LanguageDetector:
    """Find the languages of training documents, given by their words; if none is detected, none is foreign."""
    detector = _detector_of_any()
    best: Counter[str] = Counter()
    for document in documents:
        language, share, _ = detector.detect(document)
        if share >= MIN_SHARE:
            best[language] += 1
    known = sorted(language for language, count in best.items() if count >= KNOWN_SHARE * best.total())
    return replace(detector, known=tuple(known))


@cache
def _detector_of_any() -> LanguageDetector:
    from features.spacy_tables import stop_words

    words = {language: tuple(sorted(stop_words(language))) for language in DETECTED}
    return LanguageDetector(stop_words=words, known=())
