"""Observing a text: its n-grams, words and layout."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from features.characters import CHARACTERS, add_character
from features.core.library import MEASURES, WordsOfDocuments, load_library
from features.text_arguments import as_words

CHARACTER_TABLE = CHARACTERS.ctypes.data
_VIEW = struct.Struct("@5i")
_BATCH, _BATCH_CHARACTERS = 32, 250_000


def view_bytes(*, is_word: bool, shortest: int, longest: int, part: int, is_shape: bool) -> bytes:
    """Give a kind of n-gram as the core takes it; `part` is the bit of the part of the page. Several are joined."""
    return _VIEW.pack(is_word, shortest, longest, part, is_shape)


class Words(Sequence[str]):
    """Words of a text as the core takes them: letters, with line breaks between words, and hashes.

    Letters or strings are made of each other when they are first asked for, which a prediction does seldom.
    """

    __slots__ = ("_letters", "_strings", "fingerprints")

    def __init__(self, letters: bytes | None, fingerprints: bytes, strings: Sequence[str] | None = None) -> None:
        self._letters, self.fingerprints, self._strings = letters, fingerprints, strings

    @classmethod
    def from_strings(cls, words: Sequence[str]) -> Words:
        """Take words, without line breaks, which part words."""
        if isinstance(words, Words):
            return words
        text = "\n".join(words)
        if text.count("\n") >= max(len(words), 1):
            text = "\n".join(word.replace("\n", " ") for word in words)
        letters, fingerprints = text.encode("utf-32-le", "surrogatepass"), np.empty(len(words), np.uint64)
        if len(words):
            load_library().fingerprint_words(letters, len(text), fingerprints.ctypes.data)
        return cls(letters, fingerprints.tobytes(), words)

    def kept_once(self, same: dict[str, str]) -> Words:
        """Give the same words by the strings of a dictionary, to which new ones are added, and without letters.

        Many documents share these strings, so that they take less memory.
        """
        return Words(None, self.fingerprints, [same.setdefault(word, word) for word in self])

    @property
    def letters(self) -> bytes:
        """The letters of all words."""
        return "\n".join(self.strings).encode("utf-32-le", "surrogatepass") if self._letters is None else self._letters

    @property
    def strings(self) -> Sequence[str]:
        """The words as strings."""
        if self._strings is None:
            self._strings = self.letters.decode("utf-32-le", "surrogatepass").split("\n") if self.fingerprints else ()
        return self._strings

    def __len__(self) -> int:
        return len(self.fingerprints) // 8

    def __iter__(self) -> Iterator[str]:
        return iter(self.strings)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        return self.strings[place]

    def __reduce__(self) -> tuple[Any, ...]:
        return Words, (self._letters, self.fingerprints, self._strings if self._letters is None else None)


class Documents(Sequence[Words]):
    """The words of documents as the core takes them: those of `Words`, one document after the other.

    Parameters
    ----------
    letters, fingerprints : bytes
        Of all documents.
    letter_starts, word_starts : ndarray of int64, shape (n + 1,)
        Where those of each document begin.
    """

    __slots__ = ("_structure", "address", "fingerprints", "letter_starts", "letters", "word_starts")

    def __init__(
        self, letters: bytes, fingerprints: bytes, letter_starts: NDArray[np.int64], word_starts: NDArray[np.int64]
    ) -> None:
        self.letters, self.fingerprints = letters, fingerprints
        self.letter_starts, self.word_starts = letter_starts, word_starts
        self._structure = WordsOfDocuments(
            len(word_starts) - 1, letter_starts.ctypes.data, word_starts.ctypes.data, letters, fingerprints
        )
        self.address = ctypes.addressof(self._structure)

    @classmethod
    def from_words(cls, documents: Sequence[Sequence[str]]) -> Documents:
        """Take the words of each document."""
        if isinstance(documents, Documents):
            return documents
        found = [Words.from_strings(as_words(words)) for words in documents]
        return cls(
            b"".join(words.letters for words in found),
            b"".join(words.fingerprints for words in found),
            np.cumsum([0, *(len(words.letters) // 4 for words in found)], dtype=np.int64),
            np.cumsum([0, *map(len, found)], dtype=np.int64),
        )

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of words of each document."""
        return np.diff(self.word_starts)

    def __len__(self) -> int:
        return len(self.word_starts) - 1

    @overload
    def __getitem__(self, place: int) -> Words: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Words]: ...
    def __getitem__(self, place: int | slice) -> Words | Sequence[Words]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        place %= len(self)
        letters, words = self.letter_starts[place : place + 2].tolist(), self.word_starts[place : place + 2].tolist()
        return Words(self.letters[4 * letters[0] : 4 * letters[1]], self.fingerprints[8 * words[0] : 8 * words[1]])

    def __reduce__(self) -> tuple[Any, ...]:
        return Documents, (self.letters, self.fingerprints, self.letter_starts, self.word_starts)


class Observed(NamedTuple):
    """What was observed of n texts."""

    # numbers of views and buckets of the different n-grams of each text, and how often each occurs; or columns and
    # values of the TF-IDF rows: those of text i from `starts[i]` to `starts[i + 1]`
    starts: NDArray[np.int64]
    keys: NDArray[np.int32]
    times: NDArray[np.float32]
    # folded
    words: Documents
    # of the layout, shape (n, 20); NaN for a text without the lines of a page
    measures: NDArray[np.float64]


def observe(texts: Sequence[str], views: bytes, kept: int | None = None) -> list[Observed]:
    """Observe texts in several views, in batches; with `kept`, `KeptKeys.address`, give TF-IDF rows for counts."""
    # several in a call, because threads would wait for each other after each; but long ones take much memory
    batches: list[list[str]] = [[]]
    characters = 0
    for text in texts:
        if len(batches[-1]) == _BATCH or (batches[-1] and characters + len(text) > _BATCH_CHARACTERS):
            batches.append([])
            characters = 0
        batches[-1].append(text)
        characters += len(text)
    return [_observe_batch(batch, views, kept) for batch in batches]


def _observe_batch(texts: Sequence[str], views: bytes, kept: int | None) -> Observed:
    library, size = load_library(), len(texts)
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    codes = code_points("".join(texts))
    found = library.observe(codes, starts.ctypes.data, size, CHARACTER_TABLE, views, len(views) // _VIEW.size, kept)
    if not found:
        raise MemoryError
    try:
        own = found.contents
        key_starts, letter_starts, word_starts = (
            _copied(address, size + 1, np.int64) for address in (own.key_starts, own.letter_starts, own.word_starts)
        )
        keys, letters, words = int(key_starts[-1]), int(letter_starts[-1]), int(word_starts[-1])
        return Observed(
            key_starts,
            _copied(own.keys, keys, np.int32),
            _copied(own.times, keys, np.float32),
            Documents(
                ctypes.string_at(own.letters, 4 * letters),
                ctypes.string_at(own.fingerprints, 8 * words),
                letter_starts,
                word_starts,
            ),
            _copied(own.measures, size * MEASURES, np.float64).reshape(size, MEASURES),
        )
    finally:
        library.free_observation(found)


def locate(text: str, view: bytes) -> tuple[NDArray[np.int32], ...]:
    """Find the n-grams of a view: keys, first and last positions in the places, and these places in the text."""
    library = load_library()
    codes = code_points(text)
    found = library.locate(codes, len(text), CHARACTER_TABLE, view)
    if not found:
        raise MemoryError
    try:
        own = found.contents
        arrays = [_copied(address, own.count, np.int32) for address in (own.keys, own.first, own.last)]
        return *arrays, _copied(own.places, own.size, np.int32)
    finally:
        library.free_occurrences(found)


def compare(measures: NDArray[np.float64], deciles: NDArray[np.float64], size: float) -> NDArray[np.float32]:
    """Compare measures, shape (n, 20), with deciles, shape (20, d): `size` where they reach them, else its negative.

    Zeros for texts without the lines of a page.
    """
    measures, deciles = np.ascontiguousarray(measures, np.float64), np.ascontiguousarray(deciles, np.float64)
    if measures.shape[1] != MEASURES or len(deciles) != MEASURES:
        raise ValueError(f"measures of shape {measures.shape} and deciles of shape {deciles.shape} do not fit together")
    compared = np.empty((len(measures), deciles.size), np.float32)
    load_library().compare(
        measures.ctypes.data, len(measures), deciles.ctypes.data, deciles.shape[1], size, compared.ctypes.data
    )
    return compared


def code_points(text: str) -> bytes:
    """Encode a text as code points, all of which the table of characters knows."""
    find_unknown = load_library().find_unknown
    codes, place = text.encode("utf-32-le", "surrogatepass"), 0
    while (place := find_unknown(codes, len(text), place, CHARACTER_TABLE)) >= 0:
        add_character(ord(text[place]))
    return codes


def _copied(address: int, count: int, kind: type[Any]) -> NDArray[Any]:
    if not count:
        return np.empty(0, kind)
    return np.frombuffer(ctypes.string_at(address, count * np.dtype(kind).itemsize), kind)
