"""Finding keywords, phrases whose parts are words, in the words of documents."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from features.core.library import Keywords, load_library
from features.core.texts import Documents
from features.core.words import WordFinder


class KeywordFinder:
    """Finds phrases whose parts follow each other, as they are written, misread, or broken in two.

    Parameters
    ----------
    finder : WordFinder
        Finds the words that parts may be.
    written : sequence of sequence of int
        The parts that each word of the finder is, by their numbers.
    misread : sequence of sequence of int
        The part that each entry of each list of the finder is. In words of list i, i letters are wrong.
    spellings : mapping from int to sequence of (int, sequence of int)
        By the first part of each: the number of the phrase, and its other parts.
    parts : int
        Number of parts.
    tolerances : sequence of int
        Wrong letters that each phrase may have.
    owners : sequence of int
        How many keywords each phrase is; the keywords are numbered in this order.
    """

    def __init__(
        self,
        finder: WordFinder,
        written: Sequence[Sequence[int]],
        misread: Sequence[Sequence[int]],
        spellings: Mapping[int, Sequence[tuple[int, Sequence[int]]]],
        *,
        parts: int,
        tolerances: Sequence[int],
        owners: Sequence[int],
    ) -> None:
        begun = [spellings.get(part, ()) for part in range(parts)]
        rests = [rest for own in begun for _, rest in own]
        ends = _starts(rests)
        phrases = [phrase for own in begun for phrase, _ in own]
        tables = [
            _starts(written),
            _joined(written),
            _starts(misread),
            _joined(misread),
            _starts(begun),
            np.stack([np.array(phrases, np.int32), ends[:-1], ends[1:]], axis=1),
            _joined(rests),
            np.array(tolerances, np.int32),
            np.cumsum([0, *owners], dtype=np.int32),
        ]
        self._kept = finder, tables
        self._keywords = Keywords(finder.vocabulary, *(table.ctypes.data for table in tables))

    def find(self, documents: Sequence[Sequence[str]]) -> NDArray[np.int32]:
        """Find keywords, in the order of documents, words and phrases.

        Gives rows of five numbers: document, keyword, first word, end, and 1 if no letter differs, else 0.
        """
        documents, library = Documents.from_words(documents), load_library()
        found = library.find_keywords(ctypes.byref(self._keywords), documents.address)
        if not found:
            raise MemoryError
        try:
            count = found.contents.count
            hits = ctypes.string_at(found.contents.hits, 20 * count) if count else b""
            return np.frombuffer(hits, np.int32).reshape(count, 5)
        finally:
            library.free_hits(found)


def _starts(rows: Sequence[Sequence[object]]) -> NDArray[np.int32]:
    return np.cumsum([0, *map(len, rows)], dtype=np.int32)


def _joined(rows: Iterable[Sequence[int]]) -> NDArray[np.int32]:
    return np.array([number for row in rows for number in row], np.int32)
