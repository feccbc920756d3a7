"""Which language a text is in, by its stop words; numpy is not needed, nor spaCy once fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from features.text_arguments import as_words

DETECTED = ("cs", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "nb", "nl", "pl", "pt", "ro", "ru", "sv", "tr")
"""Languages of Europe whose stop words spaCy knows."""
SHORTEST = 3
"""Letters of the words looked at: what is read of a bad scan is full of ``o``, ``ie`` and ``te``."""
FEWEST_WORDS = 8
"""Of shorter texts no language is detected."""
LEAST_SHARE = 0.12
"""Of the words must be stop words of a language; running text has .2 to .4, a form fewer."""
LEAST_LEAD = 1.5
"""How many times as many stop words as of any known language a foreign one must have."""
KNOWN_SHARE = 0.05
"""Of the training documents must be in a language for it to be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageDetector:
    """Finds texts in a language that a model was not trained on."""

    # two-letter code (ISO 639-1) to folded stop words, sorted
    stop_words: dict[str, tuple[str, ...]]
    # the languages of the training documents
    known: tuple[str, ...]
    _languages_of: dict[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        languages_of: dict[str, list[str]] = {}
        for language, words in self.stop_words.items():
            for word in words:
                if len(word) >= SHORTEST:
                    languages_of.setdefault(word, []).append(language)
        object.__setattr__(self, "_languages_of", languages_of)

    def detect(self, words: Sequence[str]) -> tuple[str, float, float]:
        """Give the language with most stop words, its share of the words, and that of the best known language.

        Words that are too short do not count; the language is empty for a text of fewer than eight others, or without
        a stop word.
        """
        lengths = list(map(len, as_words(words)))
        counted = len(words) - sum(map(lengths.count, range(SHORTEST)))
        found = Counter(chain.from_iterable(map(self._languages_of.get, words, repeat(()))))
        if not found or counted < FEWEST_WORDS:
            return "", 0.0, 0.0
        best = min(found, key=lambda language: (-found[language], language))
        known = max((found[language] for language in self.known), default=0)
        return best, found[best] / counted, known / counted

    def foreign(self, words: Sequence[str]) -> str:
        """Give the code of a text's language; empty if it is a known one, or if none was detected."""
        language, share, known = self.detect(words)
        is_foreign = self.known and language not in self.known and share >= max(LEAST_SHARE, LEAST_LEAD * known)
        return language if is_foreign else ""


def fit_language_detector(documents: Sequence[Sequence[str]]) -> LanguageDetector:
    """Find the languages of some documents, given by their words; where none is detected, all are taken for known."""
    from features.spacy_tables import stop_words

    words = {language: tuple(sorted(stop_words(language))) for language in DETECTED}
    detector = LanguageDetector(stop_words=words, known=())
    best: Counter[str] = Counter()
    for document in documents:
        language, share, _ = detector.detect(document)
        if share >= LEAST_SHARE:
            best[language] += 1
    known = sorted(language for language, count in best.items() if count >= KNOWN_SHARE * best.total())
    return LanguageDetector(stop_words=words, known=tuple(known))
