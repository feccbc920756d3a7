"""All features of a document: fitting them on training texts, and computing their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.core import texts as core
from features.core.texts import Documents
from features.feature_options import FeatureOptions
from features.keyword_matcher import KeywordHit, KeywordMatcher
from features.layout import LayoutScale
from features.lexicon import Lexicon, read_lexicon, shipped_lexicon
from features.ngrams import (
    VIEWS,
    NgramView,
    SparseRows,
    compiled_views,
    stack_observed,
    stack_rows,
    take_rows,
    take_views,
)
from features.text_arguments import iter_texts
from features.tfidf import NgramTfidf, fit_tfidf
from features.word_vectors import WordVectors, read_word_vectors, train_word_vectors


class ObservedTexts(NamedTuple):
    """The counts, words and measures of n texts, which do not depend on training data."""

    views: tuple[NgramView, ...]
    words: list[Sequence[str]]
    # counts of n-grams, all views side by side
    counts: SparseRows
    # of the layout, shape (n, 20); shape (n, 0) where the layout is not measured
    measures: NDArray[np.float64]

    def take(self, chosen: NDArray[np.int64]) -> ObservedTexts:
        """Select texts by position."""
        words = [self.words[i] for i in chosen]
        return ObservedTexts(self.views, words, take_rows(self.counts, chosen), self.measures[chosen])

    def seen_by(self, views: Sequence[NgramView]) -> ObservedTexts:
        """Select the counts of some of the views, in their present order."""
        counts = take_views(self.counts, len(self.views), [self.views.index(view) for view in views])
        return self._replace(views=tuple(views), counts=counts)


def join_texts(parts: Sequence[ObservedTexts]) -> ObservedTexts:
    """Put texts observed with the same views one after the other."""
    words = [found for part in parts for found in part.words]
    counts = stack_rows([part.counts for part in parts])
    return ObservedTexts(parts[0].views, words, counts, np.concatenate([part.measures for part in parts]))


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSettings(FeatureOptions):
    """How features are made: the options, the views of a page, and the seed."""

    views: tuple[NgramView, ...] = VIEWS
    layout: bool = True
    seed: int = 0


class FeatureRows(NamedTuple):
    """Features of n documents."""

    # TF-IDF rows, all views side by side
    ngrams: SparseRows
    # shape (n, 180): layout of each page compared with the training pages
    layout: NDArray[np.float32]
    # shape (n, categories of the lexicon): whether a keyword was found
    indicators: NDArray[np.uint8]
    # shape (n, d): document vectors, of length 1 or 0
    vectors: NDArray[np.float32]
    # the keywords found in each document, and its words
    hits: Sequence[Sequence[KeywordHit]]
    words: Sequence[Sequence[str]]

    def row(self, i: int) -> FeatureRows:
        """Give the features of one document."""
        own = slice(i, i + 1)
        ngrams = take_rows(self.ngrams, np.array([i]))
        return FeatureRows(
            ngrams, self.layout[own], self.indicators[own], self.vectors[own], self.hits[own], self.words[own]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSet:
    """Features fitted on the training texts; computing them needs numpy only."""

    ngrams: NgramTfidf
    layout: LayoutScale
    matcher: KeywordMatcher
    vectors: WordVectors

    def rows(self, texts: Iterable[str]) -> FeatureRows:
        """Compute all features of cleaned texts."""
        ngrams = self.ngrams
        observed = core.observe(list(iter_texts(texts)), ngrams.compiled, ngrams.kept.address)
        words = observed[0].words if len(observed) == 1 else _words(observed)
        return self._rows(stack_observed(observed), words, _measures(observed))

    def observe(self, texts: Sequence[str]) -> ObservedTexts:
        """Observe texts with the views of these features, for `rows_of`."""
        return observe(texts, [table.view for table in self.ngrams.tables], layout=bool(self.layout.size))

    def rows_of(self, observed: ObservedTexts) -> FeatureRows:
        """Compute all features of texts observed with the same views."""
        return self._rows(self.ngrams.weigh(observed.counts), observed.words, observed.measures)

    def _rows(self, ngrams: SparseRows, words: Sequence[Sequence[str]], measures: NDArray[np.float64]) -> FeatureRows:
        words = Documents.from_words(words)
        hits = self.matcher.find_all(words)
        return FeatureRows(
            ngrams=ngrams,
            layout=self.layout.rows(measures),
            indicators=self.matcher.indicators(hits),
            vectors=self.vectors.unit_vectors(words),
            hits=hits,
            words=words,
        )


def fit_features(
    observed: ObservedTexts, categories: Sequence[str], settings: FeatureSettings
) -> tuple[FeatureSet, FeatureRows]:
    """Fit all features on documents observed with the views of the settings; give their rows too."""
    features = fit_feature_set(observed, categories, settings)
    return features, features.rows_of(observed)


def fit_feature_set(observed: ObservedTexts, categories: Sequence[str], settings: FeatureSettings) -> FeatureSet:
    """Fit all features as `fit_features` does, without computing rows."""
    return FeatureSet(
        ngrams=fit_tfidf(observed.counts, settings.views),
        layout=LayoutScale.fit(observed.measures) if settings.layout else LayoutScale.unmeasured(),
        matcher=fit_matcher(observed.words, categories, settings),
        vectors=fit_vectors(observed.words, settings),
    )


def observe(texts: Iterable[str], views: Sequence[NgramView], *, layout: bool) -> ObservedTexts:
    """Compute of cleaned texts what does not depend on training data."""
    compiled = compiled_views(tuple(views))
    observed = core.observe(list(iter_texts(texts)), compiled)
    words, measures = _words(observed), _measures(observed)
    return ObservedTexts(
        tuple(views), words, stack_observed(observed), measures if layout else np.zeros((len(words), 0))
    )


def _words(observed: Sequence[core.Observed]) -> list[Sequence[str]]:
    return [words for batch in observed for words in batch.words]


def _measures(observed: Sequence[core.Observed]) -> NDArray[np.float64]:
    return np.concatenate([batch.measures for batch in observed])


def fit_matcher(words: Sequence[Sequence[str]], categories: Sequence[str], settings: FeatureSettings) -> KeywordMatcher:
    """Fit the keyword matcher on the words of training documents."""
    from features.keyword_learning import adapt_lexicon, compile_matcher, learn_lexicon

    match settings.lexicon:
        case "none":
            return KeywordMatcher(Lexicon(categories=()))
        case "auto":
            lexicon = adapt_lexicon(shipped_lexicon(), words, categories)
        case "learn":
            lexicon = learn_lexicon(words, categories)
        case Lexicon():
            lexicon = settings.lexicon
        case path:
            lexicon = read_lexicon(path)
    return compile_matcher(lexicon, Counter(word for found in words for word in set(found)))


def fit_vectors(words: Sequence[Sequence[str]], settings: FeatureSettings) -> WordVectors:
    """Fit the word vectors on the words of training documents."""
    match settings.vectors:
        case "none":
            return WordVectors.from_words((), np.zeros((0, 0), dtype=np.float32))
        case "learn":
            return train_word_vectors(words, size=settings.vector_size, seed=settings.seed)
        case given:
            vectors = given if isinstance(given, WordVectors) else read_word_vectors(given)
            known = vectors.restricted_to({word for found in words for word in found})
            return known.fit_document_weights(words)
