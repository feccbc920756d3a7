"""Word vectors, learned with gensim or read from a file; document vectors made of them, and word algebra."""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from features.core.words import WordTable
from features.text_arguments import as_words
from features.tokens import fold
from textclf.base.errors import BadDataError, BadModelError, UsageError
from textclf.base.files import input_error
from textclf.base.hashing import hash_parts

Floats = NDArray[np.float32]

_SENTENCE_LIMIT = 10_000
"""Gensim ignores the words of a text after the 10,000th."""
_LARGEST_SIZE = 10_000
_LONGEST_WORD = 1_000
_LONGEST_NUMBER = 40
_LARGEST_NUMBER = 1e30
_CONTROL = re.compile(rb"[^\t\n\r -\xff]")
_MISSING: Floats = np.empty(0, dtype=np.float32)


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
    array([[1., 0.],
           [0., 0.]], dtype=float32)
    """

    words: tuple[str, ...]
    matrix: Floats
    weights: Floats
    common: Floats
    _table: WordTable = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_table", WordTable(self.words))

    def __repr__(self) -> str:
        return f"<WordVectors: {len(self.words)} words in {self.size} dimensions>"

    @classmethod
    def from_words(cls, words: Iterable[str], matrix: Floats) -> WordVectors:
        """Take distinct words with a row each, with equal weights and no common component."""
        weights, common = np.ones(len(matrix), dtype=np.float32), np.zeros(matrix.shape[1], dtype=np.float32)
        return cls(words=tuple(words), matrix=matrix, weights=weights, common=common)

    @property
    def size(self) -> int:
        """Number of dimensions."""
        return int(self.matrix.shape[1])

    def transform(self, token_lists: Iterable[Sequence[str]]) -> Floats:
        """Make a vector of each document: weighted mean of its words, less the component that all have in common.

        Parameters
        ----------
        token_lists : iterable of sequence of str
            Words of each document, as `features.tokens.tokenize` gives them.

        Returns
        -------
        ndarray of float32, shape (n_documents, size)
            Zeros for a document without a known word.

        References
        ----------
        S. Arora, Y. Liang, T. Ma, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017,
        https://openreview.net/forum?id=SyK00v5xx; with inverse document frequency in place of their a / (a + p(w)).
        """
        return self._embed(list(token_lists), unit=False)

    def unit_vectors(self, token_lists: Sequence[Sequence[str]]) -> Floats:
        """Scale the document vectors of `transform` to length 1; zero vectors stay."""
        return self._embed(token_lists, unit=True)

    def _embed(self, documents: Sequence[Sequence[str]], *, unit: bool) -> Floats:
        return self._table.embed(documents, self.weights, self.matrix, self.common, unit=unit)

    def restricted_to(self, words: Collection[str]) -> WordVectors:
        """Remove all other words, so that a model file holds only what it needs."""
        kept = frozenset(words)
        places = [place for place, word in enumerate(self.words) if word in kept]
        words = tuple(self.words[place] for place in places)
        return replace(self, words=words, matrix=self.matrix[places], weights=self.weights[places])

    def fit_document_weights(self, token_lists: Iterable[Sequence[str]]) -> WordVectors:
        """Learn the weight of each word and the component common to all documents from training documents.

        The weight of a word in ``d`` of ``n`` documents is ``log((1 + n) / (1 + d)) + 1``; the common component is the
        first right singular vector of the documents' means.
        """
        documents = list(map(as_words, token_lists))
        counts = np.zeros(len(self.words), np.int64)
        for words in documents:
            places = self._table.find(words)
            counts[np.unique(places[places >= 0])] += 1
        weights = [math.log((1 + len(documents)) / (1 + count)) + 1 for count in counts.tolist()]
        weighted = replace(self, weights=np.array(weights, dtype=np.float32), common=np.zeros_like(self.common))
        means = weighted.transform(documents)
        means = means[means.any(axis=1)]
        # with one document it would be the whole document vector
        if len(means) < 2:
            return weighted
        stacked = means.astype(np.float64)
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
            Words and cosine similarities, the nearest first.

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
            Words, without those asked about, and their cosine similarities with the sum, the nearest first.

        Raises
        ------
        textclf.base.errors.UsageError
            A word is not known; the message names near spellings.

        References
        ----------
        T. Mikolov, W. Yih, G. Zweig, "Linguistic Regularities in Continuous Space Word Representations", NAACL 2013,
        https://aclanthology.org/N13-1090/
        """
        added, taken = list(map(self._place, positive)), list(map(self._place, negative))
        norms = np.linalg.norm(self.matrix, axis=1)
        units = self.matrix / np.where(norms > 0, norms, 1)[:, None]
        query = units[added].sum(axis=0) - units[taken].sum(axis=0)
        cosines = units @ query / (np.linalg.norm(query) or 1)
        # a stable sort: of equally near words the more frequent one comes first
        nearest = [i for i in np.argsort(-cosines, kind="stable").tolist() if i not in {*added, *taken}]
        return [(self.words[i], float(cosines[i])) for i in nearest[:n]]

    def digest(self) -> str:
        """SHA-256 of words and vectors."""
        words = "\0".join(self.words).encode("utf-8", "surrogatepass")
        return hash_parts([words, *(array.tobytes() for _, array in sorted(self.to_arrays().items()))])

    def to_arrays(self) -> dict[str, Floats]:
        """Give the arrays for a model file; with ``words`` they suffice for `from_arrays`."""
        return {"matrix": self.matrix, "weights": self.weights, "common": self.common}

    @classmethod
    def from_arrays(cls, words: Sequence[str], arrays: Mapping[str, NDArray[np.float32]]) -> WordVectors:
        """Restore from the contents of a model file; raises `BadModelError` if they do not fit together."""
        matrix, weights, common = (arrays.get(name, _MISSING) for name in ("matrix", "weights", "common"))
        if (
            not all(array.dtype == np.float32 and np.isfinite(array).all() for array in (matrix, weights, common))
            or matrix.ndim != 2
            or weights.shape != (len(words),)
            or matrix.shape != (len(words), *common.shape)
            or not (weights > 0).all()
            or not all(isinstance(word, str) for word in words)
            or len(set(words)) != len(words)
        ):
            raise BadModelError("the word vectors do not fit together", remedy="train the model again")
        return cls(words=tuple(words), matrix=matrix, weights=weights, common=common)

    def _place(self, word: str) -> int:
        place = int(self._table.find([fold(word)])[0])
        if place < 0:
            from rapidfuzz import process

            near = [found for found, _, _ in process.extract(fold(word), self.words, limit=3, score_cutoff=70)]
            remedy = f"did you mean {', '.join(near)}?" if near else "try a word of the texts it was trained on"
            raise UsageError(f"the word '{word[:64]}' has no vector", remedy=remedy)
        return place


def train_word_vectors(
    token_lists: Sequence[Sequence[str]], *, size: int = 50, seed: int = 0, epochs: int | None = None
) -> WordVectors:
    """Learn word vectors from the words of documents with word2vec, and fit the document weights on them.

    Same documents and seed, same vectors: training uses one thread. Words seen once have no vector, unless no word is
    seen twice. Without `epochs` the documents are gone through so often that it makes 1.3 million words, 5 to 50 times.

    References
    ----------
    T. Mikolov, K. Chen, G. Corrado, J. Dean, "Efficient Estimation of Word Representations in Vector Space", 2013,
    https://arxiv.org/abs/1301.3781 (the continuous bag-of-words model)
    """
    counts = Counter(word for tokens in map(as_words, token_lists) for word in tokens)
    if not counts:
        return WordVectors.from_words((), np.zeros((0, size), dtype=np.float32))
    from gensim.models import Word2Vec

    sentences = [
        list(tokens[start : start + _SENTENCE_LIMIT])
        for tokens in token_lists
        for start in range(0, len(tokens), _SENTENCE_LIMIT)
    ]
    with _quiet_gensim():
        model = Word2Vec(
            sentences,
            vector_size=size,
            window=5,
            min_count=min(2, max(counts.values())),
            seed=seed,
            workers=1,
            epochs=epochs or min(max(650_000 // counts.total(), 5), 50),
            # four times gensim's default: with few documents, 5 epochs then learn what took 20
            alpha=0.1,
        )
    vectors = WordVectors.from_words(model.wv.index_to_key, np.ascontiguousarray(model.wv.vectors, dtype=np.float32))
    return vectors.fit_document_weights(token_lists)


def read_word_vectors(path: str | Path, *, max_words: int = 200_000, max_bytes: int = 512 * 1024 * 1024) -> WordVectors:
    """Read the first words of a file in the standard word2vec format, text or binary, with gensim.

    Words are folded as `features.tokens.tokenize` folds; of several that fold to the same the first stands, which in
    these files is the most frequent. At most `max_words` are read, whose vectors take at most `max_bytes` in memory.
    Raises `BadInputError` if the file cannot be read, `BadDataError` if it has another format or is damaged.

    References
    ----------
    The word2vec tool, https://code.google.com/archive/p/word2vec/: a line with the number of words and dimensions,
    then for each word the word, a space, and its numbers: decimals and a line end, or little-endian float32.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            count, size, binary = _check_size(file, path.stat().st_size)
            limit = min(max_words, max_bytes // (size * 4))
            if not binary:
                _check_lines(file, count, size, limit)
        from gensim.models import KeyedVectors

        with _quiet_gensim(), np.errstate(over="ignore"):
            found = KeyedVectors.load_word2vec_format(
                str(path.absolute()),
                binary=binary,
                unicode_errors="replace",
                limit=limit,
            )
    except OSError as error:
        raise input_error(error, path, "give a word2vec file") from error
    except EOFError as error:
        raise BadDataError("ends before its last word", where=path, remedy="get the file again") from error
    except BadDataError as error:
        raise BadDataError(error.what, where=path, remedy=error.remedy or "get the file again") from error
    except ValueError as error:
        raise BadDataError(
            "has a word whose numbers are damaged",
            where=path,
            remedy="get the file again; in a text file no word may hold a space",
        ) from error
    # the least and the greatest number are NaN if any is
    if not (found.vectors.min(initial=0) >= -_LARGEST_NUMBER and found.vectors.max(initial=0) <= _LARGEST_NUMBER):
        raise BadDataError(
            f"holds numbers that are not finite or beyond {_LARGEST_NUMBER:g}", where=path, remedy="get the file again"
        )
    places: dict[str, int] = {}
    # of a word that occurs twice gensim keeps the first vector, and leaves None at the end of the list
    for place, word in enumerate(found.index_to_key):
        if word is not None:
            places.setdefault(fold(word), place)
    return WordVectors.from_words(places, found.vectors[list(places.values())])


@contextmanager
def _quiet_gensim() -> Iterator[None]:
    # it warns about every small corpus, which is the usual case here
    logger = logging.getLogger("gensim")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _check_size(file: BinaryIO, file_size: int) -> tuple[int, int, bool]:
    """Check a file's size against its first line before allocating memory; give words, dimensions, whether binary."""
    line = file.readline(100)
    if line.startswith((b"\x1f\x8b", b"PK", b"BZ", b"\xfd7zXZ")):
        raise BadDataError("is compressed", remedy="unpack it first, as with gunzip")
    fields = line.split()
    if len(fields) != 2 or not all(part.isdigit() for part in fields):
        raise BadDataError(
            "is not in word2vec format: its first line does not give the number of words and dimensions",
            remedy="add that line if the rest has the form: word, space, numbers",
        )
    count, size = map(int, fields)
    if not count or not 1 <= size <= _LARGEST_SIZE:
        raise BadDataError(f"says it has {count:,} words of {size:,} numbers, not 1 to {_LARGEST_SIZE:,}")
    length = file_size - file.tell()
    binary = not _looks_like_text(file.read(_LONGEST_WORD + size * _LONGEST_NUMBER), size)
    shortest, longest = (size * 4 + 1, size * 4 + 1) if binary else (size * 2, size * _LONGEST_NUMBER)
    if not count * shortest <= length <= count * (longest + _LONGEST_WORD):
        wrong = "short" if length < count * shortest else "long"
        raise BadDataError(f"says it has {count:,} words of {size:,} numbers, for which it is too {wrong}")
    return count, size, binary


def _check_lines(file: BinaryIO, count: int, size: int, limit: int) -> None:
    """Check the form of the lines of a text file that are read, and that no more than `count` lines follow."""
    file.seek(0)
    for number, line in enumerate(file, 1):
        if number > limit + 1:
            return
        if number > count + 1:
            if line.strip():
                raise BadDataError(f"says it has {count:,} words, but has more: see line {number:,}")
        # gensim repeats a single number as often as needed
        elif number > 1 and (line.startswith(b" ") or line.rstrip().count(b" ") != size):
            raise BadDataError(
                f"line {number:,} is damaged: it is not a word and {size:,} numbers",
                remedy="get the file again; in a text file no word may hold a space",
            )


def _looks_like_text(head: bytes, size: int) -> bool:
    numbers = sum(map(_is_number, head.split(b"\n", 1)[0].rstrip().rsplit(b" ", size)[1:]))
    # binary numbers hold control characters; a text whose first line is damaged does not
    return numbers == size or (numbers > 0 and not _CONTROL.search(head))


def _is_number(field: bytes) -> bool:
    try:
        return math.isfinite(float(field))
    except ValueError:
        return False
