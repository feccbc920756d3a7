"""Word vectors, the document vectors made of them, and word algebra."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from features.texts import as_words
from features.tokens import fold
from textclf.base.errors import BadModelError, UsageError

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class WordVectors:
    """Words and their vectors, with what it takes to make a document vector of them.

    Parameters
    ----------
    words : tuple of str
        Folded as `features.tokens.tokenize` folds, no word twice, the most frequent first.
    matrix : ndarray of float32, shape (n_words, size)
        Vector of each word.
    weights : ndarray of float32, shape (n_words,)
        Weight of each word in a document's mean, above 0.
    common : ndarray of float32, shape (size,)
        Unit vector that document vectors have in common and lose; zeros to lose nothing.

    Examples
    --------
    >>> vectors = WordVectors.from_words(("red", "green"), np.eye(2, dtype=np.float32))
    >>> vectors.transform([["red"], ["grey"]])
    (array([[1., 0.],
           [0., 0.]], dtype=float32), array([ True, False]))
    """

    words: tuple[str, ...]
    matrix: Floats
    weights: Floats
    common: Floats
    _index: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {word: i for i, word in enumerate(self.words)})

    def __repr__(self) -> str:
        return f"<WordVectors: {len(self.words)} words in {self.size} dimensions>"

    @classmethod
    def from_words(cls, words: Iterable[str], matrix: Floats) -> WordVectors:
        """Take words as they come: equal weights, nothing in common.

        Parameters
        ----------
        words : iterable of str
            No word twice.
        matrix : ndarray of float32, shape (n_words, size)
            Their vectors.

        Returns
        -------
        WordVectors
        """
        return cls(
            words=tuple(words),
            matrix=matrix,
            weights=np.ones(len(matrix), dtype=np.float32),
            common=np.zeros(matrix.shape[1], dtype=np.float32),
        )

    @property
    def size(self) -> int:
        """Number of dimensions."""
        return int(self.matrix.shape[1])

    def transform(self, token_lists: Iterable[Sequence[str]]) -> tuple[Floats, NDArray[np.bool_]]:
        """Make a vector of each document: weighted mean of its words, less the component that all have in common.

        Parameters
        ----------
        token_lists : iterable of sequence of str
            Words of each document, as `features.tokens.tokenize` gives them.

        Returns
        -------
        vectors : ndarray of float32, shape (n_documents, size)
            Zeros for a document without a known word.
        known : ndarray of bool, shape (n_documents,)
            Whether the document has a known word.

        References
        ----------
        S. Arora, Y. Liang, T. Ma, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017,
        https://openreview.net/forum?id=SyK00v5xx; with inverse document frequency in place of their a / (a + p(w)).
        """
        # one document after the other, so that a document has the same vector alone and in a batch, to the last bit
        means = [self._mean(tokens) for tokens in map(as_words, token_lists)]
        vectors = np.zeros((len(means), self.size), dtype=np.float32)
        for row, mean in zip(vectors, means, strict=True):
            if mean is not None:
                row[:] = mean - (mean @ self.common) * self.common
        return vectors, np.array([mean is not None for mean in means], dtype=np.bool_)

    def restricted_to(self, words: Collection[str]) -> WordVectors:
        """Leave out all other words, so that a model file holds no more than it needs.

        Parameters
        ----------
        words : collection of str
            Folded words to keep; those without a vector do not matter.

        Returns
        -------
        WordVectors
            In the order they had, with their weights and what was in common.

        Examples
        --------
        >>> vectors = WordVectors.from_words(("red", "green"), np.eye(2, dtype=np.float32))
        >>> vectors.restricted_to({"green", "grey"}).words
        ('green',)
        """
        kept = frozenset(words)
        places = [place for place, word in enumerate(self.words) if word in kept]
        return replace(
            self,
            words=tuple(self.words[place] for place in places),
            matrix=self.matrix[places],
            weights=self.weights[places],
        )

    def fit_document_weights(self, token_lists: Iterable[Sequence[str]]) -> WordVectors:
        """Learn from training documents how much each word counts and what all documents have in common.

        The weight of a word in ``d`` of ``n`` documents is ``log((1 + n) / (1 + d)) + 1``; what they have in common
        is the first right singular vector of their means.

        Parameters
        ----------
        token_lists : iterable of sequence of str
            Words of the training documents.

        Returns
        -------
        WordVectors
            The same words and vectors with other weights.
        """
        documents = [[word for word in tokens if word in self._index] for tokens in map(as_words, token_lists)]
        counts = Counter(word for words in documents for word in set(words))
        weights = [math.log((1 + len(documents)) / (1 + counts[word])) + 1 for word in self.words]
        weighted = replace(self, weights=np.array(weights, dtype=np.float32), common=np.zeros_like(self.common))
        means = [mean for mean in map(weighted._mean, documents) if mean is not None]
        # with one document it would be the document itself, and nothing would be left
        if len(means) < 2:
            return weighted
        stacked = np.stack(means).astype(np.float64)
        common = np.linalg.eigh(stacked.T @ stacked).eigenvectors[:, -1]
        return replace(weighted, common=common.astype(np.float32))

    def similar(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """Find the words with the nearest vectors.

        Parameters
        ----------
        word : str
            Folded before it is looked up.
        n : int
            How many words to give.

        Returns
        -------
        list of (str, float)
            Words and cosines, the nearest first.

        Raises
        ------
        textclf.base.errors.UsageError
            The word is not known; the message names near spellings.

        Examples
        --------
        >>> matrix = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32)
        >>> WordVectors.from_words(("red", "green", "brown"), matrix).similar("red", 1)
        [('brown', 0.7071067...)]
        """
        return self.analogy([word], [], n)

    def analogy(self, positive: Sequence[str], negative: Sequence[str], n: int = 10) -> list[tuple[str, float]]:
        """Add and subtract words: ``king - man + woman``.

        Parameters
        ----------
        positive, negative : sequence of str
            Words whose unit vectors are added and subtracted; folded before they are looked up.
        n : int
            How many words to give.

        Returns
        -------
        list of (str, float)
            Words, without those asked about, and their cosines with the sum, the nearest first.

        Raises
        ------
        textclf.base.errors.UsageError
            A word is not known; the message names near spellings.

        References
        ----------
        T. Mikolov, W. Yih, G. Zweig, "Linguistic Regularities in Continuous Space Word Representations", NAACL 2013,
        https://aclanthology.org/N13-1090/
        """
        added = [self._place(word) for word in positive]
        taken = [self._place(word) for word in negative]
        norms = np.linalg.norm(self.matrix, axis=1)
        units = self.matrix / np.where(norms > 0, norms, 1)[:, None]
        query = units[added].sum(axis=0) - units[taken].sum(axis=0)
        cosines = units @ query / (np.linalg.norm(query) or 1)
        asked = {*added, *taken}
        # a stable sort: of equally near words the more frequent one comes first
        nearest = (int(i) for i in np.argsort(-cosines, kind="stable") if int(i) not in asked)
        return [(self.words[i], float(cosines[i])) for i, _ in zip(nearest, range(n), strict=False)]

    def digest(self) -> str:
        """SHA-256 of words and vectors."""
        found = hashlib.sha256("\0".join(self.words).encode("utf-8", "surrogatepass"))
        for _, array in sorted(self.to_arrays().items()):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()

    def to_arrays(self) -> dict[str, Floats]:
        """Give what a model file stores beside ``words``.

        Returns
        -------
        dict of str to ndarray
            ``matrix``, ``weights`` and ``common``, for `from_arrays`.
        """
        return {"matrix": self.matrix, "weights": self.weights, "common": self.common}

    @classmethod
    def from_arrays(cls, words: Sequence[str], arrays: Mapping[str, NDArray[np.float32]]) -> WordVectors:
        """Restore from what a model file holds.

        Parameters
        ----------
        words : sequence of str
            The words.
        arrays : mapping of str to ndarray
            What `to_arrays` gave.

        Returns
        -------
        WordVectors

        Raises
        ------
        textclf.base.errors.BadModelError
            The parts do not fit together.
        """
        matrix, weights, common = (arrays.get(name) for name in ("matrix", "weights", "common"))
        if (
            matrix is None
            or weights is None
            or common is None
            or not all(array.dtype == np.float32 and np.isfinite(array).all() for array in (matrix, weights, common))
            or matrix.ndim != 2
            or weights.shape != (len(words),)
            or matrix.shape != (len(words), *common.shape)
            or not (weights > 0).all()
            or not all(isinstance(word, str) for word in words)
            or len(set(words)) != len(words)
        ):
            raise BadModelError("the word vectors do not fit together", remedy="train the model again")
        return cls(words=tuple(words), matrix=matrix, weights=weights, common=common)

    def _mean(self, tokens: Sequence[str]) -> Floats | None:
        found = np.fromiter(map(self._index.get, tokens, repeat(-1)), dtype=np.intp, count=len(tokens))
        places = found[found >= 0]
        if not len(places):
            return None
        weights = self.weights.take(places)
        mean: Floats = weights @ self.matrix.take(places, axis=0) / weights.sum()
        return mean

    def _place(self, word: str) -> int:
        place = self._index.get(fold(word))
        if place is None:
            from rapidfuzz import process

            near = [found for found, _, _ in process.extract(fold(word), self.words, limit=3, score_cutoff=70)]
            remedy = f"did you mean {', '.join(near)}?" if near else "try a word of the texts it was trained on"
            raise UsageError(f"the word '{word[:64]}' has no vector", remedy=remedy)
        return place
