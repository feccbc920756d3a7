"""All features of a document together: what is fitted on training texts, and the columns it gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.keywords import KeywordMatcher
from features.lexicon import Lexicon, shipped_lexicon
from features.ngrams import BATCH, VIEWS, NgramTable, SparseRows, count_ngrams, encode_texts, fit_ngrams, stack_rows
from features.tokens import tokenize
from features.word2vec import train_word_vectors
from features.word_vectors import WordVectors

__all__ = ["FeatureRows", "FeatureSet", "FeatureSettings", "fit_features"]

BATCH_CHARACTERS = 250_000
"""Counting n-grams takes about 220 bytes a character: long texts are counted one by one."""


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
    seed : int
        For the learned word vectors.
    """

    lexicon: Lexicon | Literal["auto", "learn", "none"] = "auto"
    vectors: WordVectors | Literal["learn", "none"] = "learn"
    vector_size: int = 50
    seed: int = 0


class FeatureRows(NamedTuple):
    """Features of n documents.

    Parameters
    ----------
    ngrams : tuple of SparseRows
        TF-IDF rows, one entry a view of `features.ngrams.VIEWS`.
    indicators : ndarray of uint8, shape (n, c)
        Whether a keyword of each lexicon category was found.
    vectors : ndarray of float32, shape (n, d)
        Document vectors, of length 1 or 0.
    """

    ngrams: tuple[SparseRows, ...]
    indicators: NDArray[np.uint8]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSet:
    """What was fitted on the training texts; from here on numpy is enough.

    Parameters
    ----------
    tables : tuple of NgramTable
        The n-grams kept, one table a view.
    matcher : KeywordMatcher
        Finds the lexicon's keywords.
    vectors : WordVectors
        Gives document vectors.
    """

    tables: tuple[NgramTable, ...]
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
        ngrams: list[list[SparseRows]] = [[] for _ in self.tables]
        for batch in _batches(texts):
            encoded = encode_texts(batch)
            for parts, table in zip(ngrams, self.tables, strict=True):
                parts.append(table.weigh(count_ngrams(encoded, table.view)))
        words = [tokenize(text) for text in texts]
        vectors, _ = self.vectors.transform(words)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return FeatureRows(
            ngrams=tuple(stack_rows(parts) for parts in ngrams),
            indicators=self.matcher.indicators([self.matcher.find(found) for found in words]),
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
    words = [tokenize(text) for text in texts]
    counts: list[list[SparseRows]] = [[] for _ in VIEWS]
    for batch in _batches(texts):
        encoded = encode_texts(batch)
        for parts, view in zip(counts, VIEWS, strict=True):
            parts.append(count_ngrams(encoded, view))
    return FeatureSet(
        tables=tuple(fit_ngrams(stack_rows(parts), view) for parts, view in zip(counts, VIEWS, strict=True)),
        matcher=_matcher(texts, words, categories, settings),
        vectors=_word_vectors(words, settings),
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
    from features.language import compile_matcher
    from features.suggestions import adapt_lexicon, learn_lexicon

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
