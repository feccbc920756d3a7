"""Where word vectors come from: training with gensim on the texts at hand, or a file in word2vec format."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from features.texts import as_words
from features.tokens import fold
from features.word_vectors import WordVectors
from textclf.base.errors import BadDataError, BadInputError

_SENTENCE_LIMIT = 10_000
"""Gensim leaves out what follows the 10,000th word of a text."""

_LARGEST_SIZE = 10_000
_LONGEST_WORD = 1_000
_LONGEST_NUMBER = 40


def train_word_vectors(
    token_lists: Sequence[Sequence[str]],
    *,
    size: int = 50,
    seed: int = 0,
    min_count: int = 2,
    window: int = 5,
    epochs: int | None = None,
) -> WordVectors:
    """Learn word vectors from documents with word2vec, and fit the document weights on them.

    Same documents and seed, same vectors: training uses one thread.

    Parameters
    ----------
    token_lists : sequence of sequence of str
        Words of each document.
    size : int
        Number of dimensions.
    seed : int
        From 0 to 2**32 - 1.
    min_count : int
        Words seen less often have no vector; taken as 1 where no word is seen so often.
    window : int
        Words to each side that are a word's context.
    epochs : int, optional
        How often the documents are gone through; None for as often as makes 1.3 million words, 5 to 50 times.

    Returns
    -------
    WordVectors
        Without any word if the documents have none.

    References
    ----------
    T. Mikolov, K. Chen, G. Corrado, J. Dean, "Efficient Estimation of Word Representations in Vector Space", 2013,
    https://arxiv.org/abs/1301.3781 (the continuous bag-of-words model)

    Examples
    --------
    >>> vectors = train_word_vectors([["premium", "policy"], ["total", "policy"]], size=4)
    >>> vectors.words, vectors.matrix.shape
    (('policy',), (1, 4))
    """
    counts = Counter(word for tokens in map(as_words, token_lists) for word in tokens)
    if not counts:
        return WordVectors.from_words((), np.zeros((0, size), dtype=np.float32))
    if max(counts.values()) < min_count:
        min_count = 1
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
            window=window,
            min_count=min_count,
            seed=seed,
            workers=1,
            epochs=epochs or min(max(650_000 // counts.total(), 5), 50),
            # four times gensim's: documents are few, and 5 epochs then do what 20 did, at a quarter of the time
            alpha=0.1,
        )
    vectors = WordVectors.from_words(model.wv.index_to_key, np.ascontiguousarray(model.wv.vectors, dtype=np.float32))
    return vectors.fit_document_weights(token_lists)


@contextmanager
def _quiet_gensim() -> Iterator[None]:
    # it warns on every small corpus, which here is the usual case
    logger = logging.getLogger("gensim")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def read_word_vectors(
    path: str | Path,
    *,
    max_words: int = 200_000,
    max_bytes: int = 512 * 1024 * 1024,
) -> WordVectors:
    """Read the first words of a file in the standard word2vec format, text or binary.

    Words are folded as `features.tokens.tokenize` folds; of several that fold to the same the first stands, which in
    these files is the most frequent. The file is read as a stream, so its size costs time but no memory.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; which of the two formats it has is found out from its first word.
    max_words : int
        How many words to keep at most.
    max_bytes : int
        How many bytes their vectors may take in memory; fewer words are kept if need be.

    Returns
    -------
    WordVectors
        With equal weights: `WordVectors.fit_document_weights` comes next.

    Raises
    ------
    textclf.base.errors.BadInputError
        The file is missing or may not be read.
    textclf.base.errors.BadDataError
        It has another format, is damaged or shorter than its first line says.

    References
    ----------
    The word2vec tool, https://code.google.com/archive/p/word2vec/: a line with the number of words and dimensions,
    then for each word the word, a blank, and its numbers: decimals and a line end, or float32, least byte first.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _read_vectors(file, path.stat().st_size, max_words, max_bytes)
    except OSError as error:
        raise BadInputError(
            f"cannot be read ({(error.strerror or str(error)).lower()})", where=path, remedy="give a word2vec file"
        ) from error
    except BadDataError as error:
        raise BadDataError(error.what, where=path, remedy=error.remedy or "get the file again") from error


def _read_vectors(file: BinaryIO, file_size: int, max_words: int, max_bytes: int) -> WordVectors:
    count, size = _read_header(file)
    start = file.tell()
    binary = not _looks_like_text(file.read(_LONGEST_WORD + size * _LONGEST_NUMBER), size)
    file.seek(start)
    shortest = size * 4 + 1 if binary else size * 2
    if count * shortest > file_size - start:
        raise BadDataError(f"says it has {count:,} words of {size:,} numbers, for which it is too short")
    limit = min(max_words, max_bytes // (size * 4))
    places: dict[str, int] = {}
    numbers = bytearray()
    seen = 0
    for name, values in _binary_records(file, size) if binary else _text_records(file, size):
        if seen == count or len(places) >= limit:
            break
        seen += 1
        word = fold(name.decode("utf-8", errors="replace").strip("\n"))
        if word not in places:
            places[word] = len(places)
            numbers += values if binary else _parse(word, values, size)
    if seen < count and len(places) < limit:
        raise BadDataError(f"ends after {seen:,} of its {count:,} words")
    matrix = np.frombuffer(numbers, dtype="<f4").astype(np.float32, copy=False).reshape(-1, size)
    if not np.isfinite(matrix).all():
        raise BadDataError("holds numbers that are not finite")
    return WordVectors.from_words(places, matrix)


def _read_header(file: BinaryIO) -> tuple[int, int]:
    line = file.readline(100)
    if line.startswith((b"\x1f\x8b", b"PK", b"BZ", b"\xfd7zXZ")):
        raise BadDataError("is compressed", remedy="unpack it first, as with gunzip")
    fields = line.split()
    if len(fields) != 2 or not all(part.isdigit() for part in fields):
        raise BadDataError(
            "is not in word2vec format: its first line does not give the number of words and dimensions",
            remedy="add that line if the rest has the form: word, blank, numbers",
        )
    count, size = (int(part) for part in fields)
    if not count or not 1 <= size <= _LARGEST_SIZE:
        raise BadDataError(f"says it has {count:,} words of {size:,} numbers, not 1 to {_LARGEST_SIZE:,}")
    return count, size


def _looks_like_text(head: bytes, size: int) -> bool:
    parts = head.split(b"\n", 1)[0].rstrip().rsplit(b" ", size)
    try:
        return len(parts) == size + 1 and all(math.isfinite(float(number)) for number in parts[1:])
    except ValueError:
        return False


def _text_records(file: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    while line := file.readline(_LONGEST_WORD + size * _LONGEST_NUMBER):
        # the word is what stands before the last so many numbers: some files have words with blanks
        parts = line.rstrip().rsplit(b" ", size)
        yield parts[0], b" ".join(parts[1:])


def _parse(word: str, values: bytes, size: int) -> bytes:
    try:
        numbers = [float(number) for number in values.split(b" ")]
    except ValueError:
        numbers = []
    if len(numbers) != size:
        raise BadDataError(f"the numbers of '{word[:64]}' are damaged")
    with np.errstate(over="ignore"):
        return np.array(numbers, dtype="<f4").tobytes()


def _binary_records(file: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    width = size * 4
    block = b""
    while chunk := file.read(1024 * 1024):
        block += chunk
        start = 0
        while (blank := block.find(b" ", start, start + _LONGEST_WORD)) >= 0 and blank + 1 + width <= len(block):
            yield block[start:blank], block[blank + 1 : blank + 1 + width]
            start = blank + 1 + width
        if blank < 0 and len(block) - start >= _LONGEST_WORD:
            raise BadDataError("is damaged: no word where one should begin")
        block = block[start:]
