"""Looking words up: exactly, or as OCR may have misread them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from features.core.library import Embedding, NearIndex, Table, Vocabulary, load_library
from features.core.texts import Documents, Words

Counts = NDArray[np.int64]

SETTLED, WANTED, PREFIX, BREAKABLE = 1, 2, 4, 8
"""Kinds of words of a `WordFinder`, added up: those that are not misread ones, and those that are found; prefixes of
words that may be broken in two, and these words."""
_NEAR_HASHES = 1 << 13
_CHOICES = 21
"""Ways to delete two of seven letters."""


class WordTable:
    """Words with their positions, to look up those of a text.

    Parameters
    ----------
    words : sequence of str
        Without line breaks; of equal words the first counts.
    """

    def __init__(self, words: Sequence[str]) -> None:
        fingerprints = Words.from_strings(words).fingerprints
        slots = 1 << (2 * len(words)).bit_length() + 1
        self._fingerprints, self._numbers = np.zeros(slots, np.uint64), np.zeros(slots, np.int32)
        self._count = len(words)
        self._attach()
        load_library().fill_table(self._address, fingerprints, len(words))

    def _attach(self) -> None:
        self.table = Table(self._fingerprints.ctypes.data, self._numbers.ctypes.data, len(self._fingerprints))
        self._address = ctypes.addressof(self.table)

    def __getstate__(self) -> tuple[NDArray[np.uint64], NDArray[np.int32], int]:
        return self._fingerprints, self._numbers, self._count

    def __setstate__(self, state: tuple[NDArray[np.uint64], NDArray[np.int32], int]) -> None:
        # addresses are those of this process
        self._fingerprints, self._numbers, self._count = state
        self._attach()

    def find(self, words: Sequence[str]) -> NDArray[np.int32]:
        """Give the position of each word, -1 for those that are not in the table."""
        found = np.empty(len(words), np.int32)
        load_library().look_up(self._address, Words.from_strings(words).fingerprints, len(words), found.ctypes.data)
        return found

    def count_members(self, documents: Sequence[Sequence[str]], sets: NDArray[np.uint32], width: int) -> Counts:
        """Count the words of n documents that are in each of `width` sets of words of the table, shape (n, width).

        Bit i of the number in `sets` says whether a word of the table is in set i.
        """
        documents, sets = Documents.from_words(documents), np.ascontiguousarray(sets, np.uint32)
        if sets.shape != (self._count,):
            raise ValueError("words and sets do not fit together")
        counts = np.empty((len(documents), width), np.int64)
        load_library().count_members(self._address, documents.address, sets.ctypes.data, width, counts.ctypes.data)
        return counts

    def embed(
        self,
        documents: Sequence[Sequence[str]],
        weights: NDArray[np.float32],
        matrix: NDArray[np.float32],
        common: NDArray[np.float32],
        *,
        unit: bool,
    ) -> NDArray[np.float32]:
        """Average the vectors of the words of documents that are in the table, by weight, less what all have in common.

        With `unit` the vectors have length 1. Without a word of the table they are zero.
        """
        weights, matrix, common = (np.ascontiguousarray(part, np.float32) for part in (weights, matrix, common))
        if matrix.shape != (self._count, *common.shape) or weights.shape != (self._count,):
            raise ValueError("words, vectors and weights do not fit together")
        documents = Documents.from_words(documents)
        vectors = np.empty((len(documents), len(common)), np.float32)
        embedding = Embedding(weights.ctypes.data, matrix.ctypes.data, common.ctypes.data, len(common))
        if not load_library().embed(
            self._address, documents.address, ctypes.byref(embedding), unit, vectors.ctypes.data
        ):
            raise MemoryError
        return vectors


def skeletons(words: Sequence[str]) -> list[str]:
    """Write folded words with one character for all those that OCR confuses with each other."""
    if not len(words):
        return []
    letters = np.frombuffer(Words.from_strings(words).letters, np.uint32).copy()
    size = load_library().skeletons(letters.ctypes.data, len(letters))
    return letters[:size].tobytes().decode("utf-32-le", "surrogatepass").split("\n")


class WordFinder:
    """Finds words of a text that are wanted, or that may be misread.

    Parameters
    ----------
    words : sequence of str
        Different ones.
    kinds : sequence of int
        The sum of its kinds for each of them.
    lists : sequence of (sequence of str, int)
        Words that others may be misread ones of, and how many letters may be deleted from the skeletons of both for
        them to become equal, 0 to 2. Of a word that is not settled, those of the first list that has any are found. If
        letters are deleted, a word that contains the other one is another word. Numbers are never misread words.
    shortest, longest : int
        Lengths of words that may be misread.
    """

    def __init__(
        self,
        words: Sequence[str],
        kinds: Sequence[int],
        lists: Sequence[tuple[Sequence[str], int]],
        *,
        shortest: int = 1,
        longest: int = 1_000,
    ) -> None:
        self._table, self._kinds = WordTable(words), np.array(kinds, np.uint8)
        self._indexes = (NearIndex * len(lists))()
        self._arrays = [
            _fill(index, words, deletions) for index, (words, deletions) in zip(self._indexes, lists, strict=True)
        ]
        self.vocabulary = Vocabulary(
            self._table.table,
            self._kinds.ctypes.data,
            shortest,
            longest,
            len(lists),
            ctypes.addressof(self._indexes),
        )

    def find(self, words: Sequence[str]) -> list[list[int]]:
        """Find places and words: numbers of list and word of a misread one, or -1 and the number of a wanted one."""
        document, room = Documents.from_words([words]), 2 * len(words) + 16
        while True:
            found = np.empty((room, 3), np.int32)
            count = load_library().find_words(ctypes.byref(self.vocabulary), document.address, found.ctypes.data, room)
            if count < 0:
                raise MemoryError
            if count <= room:
                return cast(list[list[int]], found[:count].tolist())
            room = count


def _fill(index: NearIndex, words: Sequence[str], deletions: int) -> list[NDArray[Any]]:
    """Fill an index, and give the arrays that it refers to."""
    shapes = skeletons(words)
    arrays: list[NDArray[Any]] = [
        _codes(words),
        _codes(shapes),
        np.cumsum([0, *map(len, words)], dtype=np.int64),
        np.cumsum([0, *map(len, shapes)], dtype=np.int64),
        np.zeros(_NEAR_HASHES + 1, np.uint32),
        np.empty(_CHOICES * len(words), np.int32),
    ]
    index.count, index.deletions = len(words), deletions
    index.shortest, index.longest = min(map(len, shapes), default=0), max(map(len, shapes), default=0)
    index.letters, index.shapes, index.letter_ends, index.shape_ends, index.starts, index.owners = (
        array.ctypes.data for array in arrays
    )
    load_library().fill_near(ctypes.byref(index))
    return arrays


def _codes(words: Sequence[str]) -> NDArray[np.uint32]:
    return np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), np.uint32)
