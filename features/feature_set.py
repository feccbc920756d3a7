"""All features of a document together: what is fitted on training texts, and the columns it gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.characters import read_batch
from features.keyword_matcher import KeywordMatcher
from features.layout import LAYOUT_FEATURES, LayoutScale, measure_layout
from features.lexicon import Lexicon, shipped_lexicon
from features.ngrams import BATCH, VIEWS, NgramView, SparseRows, count_ngrams, stack_rows, take_rows
from features.text_arguments import as_pairs, as_texts
from features.tfidf import NgramTfidf, fit_tfidf
from features.word_vectors import WordVectors, train_word_vectors

BATCH_CHARACTERS = 250_000
"""Counting n-grams takes about 140 bytes a character: long texts are counted one by one."""


class ObservedTexts(NamedTuple):
    """What is seen of n texts before anything is learned: it is the same whatever a model is trained on.

    Parameters
    ----------
    texts : list of str
        Cleaned texts.
    words : list of list of str
        The words of each, from `features.tokens.tokenize`.
    counts : SparseRows
        N-grams counted, all views side by side.
    measures : ndarray of float64, shape (n, 20)
        From `features.layout.measure_layout`; shape (n, 0) where pages are not measured.
    """

    texts: list[str]
    words: list[list[str]]
    counts: SparseRows
    measures: NDArray[np.float64]

    def take(self, chosen: NDArray[np.int64]) -> ObservedTexts:
        """Choose texts by their positions."""
        return ObservedTexts(
            texts=[self.texts[i] for i in chosen],
            words=[self.words[i] for i in chosen],
            counts=take_rows(self.counts, chosen),
            measures=self.measures[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSettings:
    """How features are made.

    Parameters
    ----------
    lexicon : Lexicon or {"auto", "learn", "none"}
        Keywords of each category. ``auto``: the shipped lexicon where its categories fit the data's, else ``learn``:
        keywords that set the training documents of a category apart. ``none``: no indicators.
    vectors : WordVectors or {"learn", "none"}
        Word vectors: given ones, of which the words of the training texts are kept; ``learn`` them from those texts,
        or ``none``.
    vector_size : int
        Dimensions of learned word vectors.
    views : tuple of NgramView
        How n-grams look at a page.
    layout : bool
        Whether to measure how a page looks.
    augment : bool
        Whether to train also on augmented copies of the texts (`features.augmentation.augmented_copies`).
    seed : int
        For the learned word vectors and the augmented copies.
    """

    lexicon: Lexicon | Literal["auto", "learn", "none"] = "auto"
    vectors: WordVectors | Literal["learn", "none"] = "learn"
    vector_size: int = 50
    views: tuple[NgramView, ...] = VIEWS
    layout: bool = True
    augment: bool = True
    seed: int = 0


class FeatureRows(NamedTuple):
    """Features of n documents.

    Parameters
    ----------
    ngrams : SparseRows
        TF-IDF rows, all views side by side.
    layout : ndarray of float32, shape (n, s)
        How each page looks beside the training pages.
    indicators : ndarray of uint8, shape (n, c)
        Whether a keyword of each lexicon category was found.
    vectors : ndarray of float32, shape (n, d)
        Document vectors, of length 1 or 0.
    """

    ngrams: SparseRows
    layout: NDArray[np.float32]
    indicators: NDArray[np.uint8]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSet:
    """What was fitted on the training texts; from here on numpy is enough.

    Parameters
    ----------
    ngrams : NgramTfidf
        The n-grams kept.
    layout : LayoutScale
        Measures how a page looks.
    matcher : KeywordMatcher
        Finds the lexicon's keywords.
    vectors : WordVectors
        Gives document vectors.
    """

    ngrams: NgramTfidf
    layout: LayoutScale
    matcher: KeywordMatcher
    vectors: WordVectors

    def rows(self, texts: Sequence[str]) -> FeatureRows:
        """Compute all features of some texts.

        Parameters
        ----------
        texts : sequence of str, length n
            Cleaned texts.

        Returns
        -------
        FeatureRows
            In the order of the texts.
        """
        return self.rows_of(self.observe(texts))

    def observe(self, texts: Sequence[str]) -> ObservedTexts:
        """Look at texts with the views of these features, for `rows_of`."""
        return observe(texts, [table.view for table in self.ngrams.tables], layout=bool(self.layout.size))

    def rows_of(self, observed: ObservedTexts) -> FeatureRows:
        """Compute all features of texts that were looked at already, with the same views."""
        vectors, _ = self.vectors.transform(observed.words)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return FeatureRows(
            ngrams=self.ngrams.weigh(observed.counts),
            layout=self.layout.rows(observed.measures),
            indicators=self.matcher.indicators(self.matcher.find_all(observed.words)),
            vectors=np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0),
        )


def fit_features(texts: Sequence[str], categories: Sequence[str], settings: FeatureSettings) -> FeatureSet:
    """Fit everything that learns from training documents.

    Parameters
    ----------
    texts : sequence of str, length n
        Cleaned texts.
    categories : sequence of str, length n
        The category of each.
    settings : FeatureSettings
        What to fit.

    Returns
    -------
    FeatureSet
        Ready to compute the features of any text.
    """
    texts, categories = as_pairs(texts, categories)
    return fit_rows(observe(texts, settings.views, layout=settings.layout), categories, settings)[0]


def fit_rows(
    observed: ObservedTexts, categories: Sequence[str], settings: FeatureSettings
) -> tuple[FeatureSet, FeatureRows]:
    """Fit as `fit_features`, on texts that were looked at with the views of the settings, and give their rows too."""
    features = FeatureSet(
        ngrams=fit_tfidf(observed.counts, settings.views),
        layout=LayoutScale.fit(observed.measures) if settings.layout else LayoutScale.unmeasured(),
        matcher=_matcher(observed.texts, observed.words, categories, settings),
        vectors=_word_vectors(observed.words, settings),
    )
    return features, features.rows_of(observed)


def observe(texts: Sequence[str], views: Sequence[NgramView], *, layout: bool) -> ObservedTexts:
    """Look at texts, as far as nothing has to be learned for it.

    Parameters
    ----------
    texts : sequence of str, length n
        Cleaned texts.
    views : sequence of NgramView
        How n-grams look at a page.
    layout : bool
        Whether to measure how pages look.

    Returns
    -------
    ObservedTexts
        Words, n-grams, and measures.
    """
    texts = as_texts(texts)
    words: list[list[str]] = []
    counts: list[SparseRows] = []
    measures = [np.zeros((0, len(LAYOUT_FEATURES) if layout else 0))]
    for batch in _batches(texts):
        pages = read_batch(batch)
        found = pages.words()
        words += found
        counts.append(count_ngrams(pages, views))
        measures.append(measure_layout(pages, found) if layout else np.zeros((len(batch), 0)))
    return ObservedTexts(
        texts=texts,
        words=words,
        counts=stack_rows(counts),
        measures=np.concatenate(measures),
    )


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Split into lists of at most `BATCH` texts and, unless one text alone is longer, `BATCH_CHARACTERS`."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if len(batch) == BATCH or (batch and size + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def _matcher(
    texts: Sequence[str], words: list[list[str]], categories: Sequence[str], settings: FeatureSettings
) -> KeywordMatcher:
    from features.keyword_learning import adapt_lexicon, learn_lexicon
    from features.spacy_tables import compile_matcher

    match settings.lexicon:
        case "none":
            return KeywordMatcher(Lexicon(categories=()))
        case "auto":
            lexicon = adapt_lexicon(shipped_lexicon(), texts, categories)
        case "learn":
            lexicon = learn_lexicon(texts, categories)
        case given:
            lexicon = given
    return compile_matcher(lexicon, Counter(word for found in words for word in set(found)))


def _word_vectors(words: list[list[str]], settings: FeatureSettings) -> WordVectors:
    match settings.vectors:
        case "none":
            return WordVectors.from_words((), np.zeros((0, 0), dtype=np.float32))
        case "learn":
            return train_word_vectors(words, size=settings.vector_size, seed=settings.seed)
        case given:
            known = given.restricted_to({word for found in words for word in found})
            return known.fit_document_weights(words)
