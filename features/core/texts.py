"""Observing a text: its n-grams, words and layout."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from features.characters import CHARACTERS, add_character
from features.core.library import MEASURES, Observation, load_library

CHARACTER_TABLE = CHARACTERS.ctypes.data
_VIEW = struct.Struct("@5i")
_BATCH, _BATCH_CHARACTERS = 32, 250_000


def view_bytes(*, is_word: bool, shortest: int, longest: int, part: int, is_shape: bool) -> bytes:
    """Give a kind of n-gram as the core takes it; `part` is the bit of the part of the page. Several are joined."""
    return _VIEW.pack(is_word, shortest, longest, part, is_shape)


class Words(Sequence[str]):
    """Words of a text as the core takes them: letters, with line breaks between words, and hashes.

    The strings are made when they are first asked for, which a prediction does seldom.
    """

    __slots__ = ("_strings", "fingerprints", "letters")

    def __init__(self, letters: bytes, fingerprints: bytes, strings: Sequence[str] | None = None) -> None:
        self.letters, self.fingerprints, self._strings = letters, fingerprints, strings

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
        return Words, (self.letters, self.fingerprints)


class Observed(NamedTuple):
    """What was observed of a text."""

    # numbers of view and bucket, in rising order, and how often each occurs; or columns and values of the TF-IDF row
    keys: NDArray[np.int32]
    times: NDArray[np.float32]
    # folded
    words: Words
    # of the layout, shape (20,); NaN for a text without the lines of a page
    measures: NDArray[np.float64]


def observe_all(texts: Sequence[str], views: bytes, kept: int | None = None) -> list[Observed]:
    """Observe texts in several views; with `kept`, `KeptKeys.address`, give their TF-IDF rows in place of counts."""
    observed: list[Observed] = []
    batch: list[str] = []
    characters = 0
    for text in texts:
        # several in a call, because threads would wait for each other after each; but long ones take much memory
        if batch and (len(batch) == _BATCH or characters + len(text) > _BATCH_CHARACTERS):
            observed += _observe_batch(batch, views, kept)
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    return observed + _observe_batch(batch, views, kept)


def _observe_batch(texts: Sequence[str], views: bytes, kept: int | None) -> list[Observed]:
    library, size = load_library(), len(texts)
    codes = [code_points(text) for text in texts]
    found = (ctypes.POINTER(Observation) * size)()
    try:
        if not library.observe_all(
            (ctypes.c_char_p * size)(*codes),
            (ctypes.c_int64 * size)(*map(len, texts)),
            size,
            CHARACTER_TABLE,
            views,
            len(views) // _VIEW.size,
            kept,
            found,
        ):
            raise MemoryError
        return [_observed(one.contents) for one in found]
    finally:
        for one in found:
            library.free_observation(one)


def observe(text: str, views: bytes) -> Observed:
    """Observe one text in several views."""
    return observe_all([text], views)[0]


def _observed(own: Observation) -> Observed:
    return Observed(
        _copied(own.keys, own.count, np.int32),
        _copied(own.times, own.count, np.float32),
        Words(ctypes.string_at(own.letters, 4 * own.size), ctypes.string_at(own.fingerprints, 8 * own.word_count)),
        np.array(own.measures),
    )


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
    return np.frombuffer(ctypes.string_at(address, count * np.dtype(kind).itemsize), kind)
