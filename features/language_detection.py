"""Detecting texts in a foreign language by their stop words; once fitted it does without spaCy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageDetector:
    """Detects texts in a language that a model was not trained on."""

    # two-letter code (ISO 639-1) to folded stop words, sorted
    stop_words: dict[str, tuple[str, ...]]
    # the languages of the training documents
    known: tuple[str, ...]
    _table: WordTable = field(init=False, repr=False, compare=False)
    # whether each word of the table is a stop word of each language
    _of: NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = sorted({word for words in self.stop_words.values() for word in words if len(word) >= MIN_LETTERS})
        table, of = WordTable(words), np.zeros((len(words), len(self.stop_words)), np.int64)
        for number, language in enumerate(self.stop_words):
            places = table.find(self.stop_words[language])
            of[places[places >= 0], number] = 1
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "_of", of)

    def detect(self, words: Sequence[str]) -> tuple[str, float, float]:
        """Give the language with most stop words, their share of the words, and the share of the best known language.

        Words of fewer than three letters are ignored. The language is empty for fewer than eight other words, or
        without a stop word.
        """
        language, own, known = self._most_stop_words(as_words(words))
        counted = sum(len(word) >= MIN_LETTERS for word in words)
        if not language or counted < MIN_WORDS:
            return "", 0.0, 0.0
        return language, own / counted, known / counted

    def foreign(self, words: Sequence[str]) -> str:
        """Give the code of a text's language if it is foreign; empty for a known one, or if none was detected."""
        words = as_words(words)
        # most texts are in a known language, for which fewer words need be counted
        if not self.known or self._most_stop_words(words)[0] in self.known:
            return ""
        language, share, known = self.detect(words)
        return language if share >= max(MIN_SHARE, MIN_RATIO * known) else ""

    def _most_stop_words(self, words: Sequence[str]) -> tuple[str, int, int]:
        """Give the language with most stop words, their number, and that of the best known language."""
        places = self._table.find(words)
        counts = self._of[places[places >= 0]].sum(axis=0).tolist()
        most = max(counts, default=0)
        # of several the first in alphabetical order
        best = min(compress(self.stop_words, (count == most for count in counts)), default="") if most else ""
        return best, most, max(compress(counts, map(self.known.__contains__, self.stop_words)), default=0)


def fit_language_detector(documents: Sequence[Sequence[str]]) -> LanguageDetector:
    """Find the languages of training documents, given by their words; if none is detected, none is foreign."""
    from features.spacy_tables import stop_words

    words = {language: tuple(sorted(stop_words(language))) for language in DETECTED}
    detector = LanguageDetector(stop_words=words, known=())
    best: Counter[str] = Counter()
    for document in documents:
        language, share, _ = detector.detect(document)
        if share >= MIN_SHARE:
            best[language] += 1
    known = sorted(language for language, count in best.items() if count >= KNOWN_SHARE * best.total())
    return LanguageDetector(stop_words=words, known=tuple(known))
