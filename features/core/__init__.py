"""The compiled core, called through ctypes; what its functions do and give is said in ``core.c``."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.characters import CHARACTERS, add_character

LIBRARY = Path(__file__).with_name("libcore.so")
MEASURES = 20
"""Measures of the layout of a page."""

_TABLE = CHARACTERS.ctypes.data
_WEIGHTS = (1 + np.log(np.maximum(np.arange(256), 1))).astype(np.float32)
"""``1 + ln count`` of counts below 256."""
_Address, _Size = ctypes.c_void_p, ctypes.c_int64


class View(ctypes.Structure):
    """A kind of n-gram to count; the part of the page is a bit."""

    _fields_ = [(name, ctypes.c_int32) for name in ("is_word", "shortest", "longest", "part", "is_shape")]


class _Observation(ctypes.Structure):
    _fields_ = [
        ("count", _Size),
        ("keys", _Address),
        ("times", _Address),
        ("size", _Size),
        ("letters", _Address),
        ("measures", ctypes.c_double * MEASURES),
    ]


class _Occurrences(ctypes.Structure):
    _fields_ = [
        ("count", _Size),
        ("keys", _Address),
        ("first", _Address),
        ("last", _Address),
        ("size", _Size),
        ("places", _Address),
    ]


class Observed(NamedTuple):
    """What was observed of a text."""

    # numbers of view and bucket, in rising order, and how often each occurs
    keys: NDArray[np.int32]
    times: NDArray[np.float32]
    # folded words
    words: list[str]
    # of the layout, shape (20,); NaN for a text without the lines of a page
    measures: NDArray[np.float64]


@cache
def load_library() -> Any:
    """Load the library, with the types of its functions."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError as error:
        remedy = "in a checkout run: pip install --editable ."
        raise ImportError(f"the compiled core cannot be loaded: {error}; {remedy}") from error
    functions: dict[str, tuple[Any, list[Any]]] = {
        "find_unknown": (_Size, [_Address, _Size, _Size, _Address]),
        "observe": (ctypes.POINTER(_Observation), [_Address, _Size, _Address, _Address, ctypes.c_int32]),
        "free_observation": (None, [ctypes.POINTER(_Observation)]),
        "locate": (ctypes.POINTER(_Occurrences), [_Address, _Size, _Address, _Address]),
        "free_occurrences": (None, [ctypes.POINTER(_Occurrences)]),
        "weigh": (_Size, [_Address, _Size, *[_Address] * 3, _Size, *[_Address] * 5]),
        "fill_table": (None, [_Address, _Size, _Address, _Address, _Size]),
        "look_up": (None, [_Address, _Size, _Address, _Address, _Size, _Address]),
        "skeletons": (_Size, [_Address, _Size]),
        "fill_near": (None, [_Address]),
        "find_misread": (_Size, [_Address, _Size, _Address, ctypes.c_int32, _Address, _Size]),
        "multiply": (None, [_Address, _Size, *[_Address] * 3, _Size, _Size, _Address]),
    }
    for name, (result, arguments) in functions.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def observe(text: str, views: ctypes.Array[View]) -> Observed:
    """Count the n-grams of a text in several views, split it into words, and measure its layout."""
    library = load_library()
    codes = _codes(text)
    found = library.observe(codes, len(text), _TABLE, views, len(views))
    if not found:
        raise MemoryError
    try:
        own = found.contents
        letters = ctypes.string_at(own.letters, 4 * own.size).decode("utf-32-le", "surrogatepass")
        return Observed(
            _copied(own.keys, own.count, np.int32),
            _copied(own.times, own.count, np.float32),
            letters.split(),
            np.array(own.measures),
        )
    finally:
        library.free_observation(found)


def locate(text: str, view: View) -> tuple[NDArray[np.int32], ...]:
    """Find the n-grams of a view: keys, first and last positions in the places, and these places in the text."""
    library = load_library()
    codes = _codes(text)
    found = library.locate(codes, len(text), _TABLE, ctypes.byref(view))
    if not found:
        raise MemoryError
    try:
        own = found.contents
        arrays = [_copied(address, own.count, np.int32) for address in (own.keys, own.first, own.last)]
        return *arrays, _copied(own.places, own.size, np.int32)
    finally:
        library.free_occurrences(found)


def _codes(text: str) -> bytes:
    """Encode a text as code points, all of which the table of characters knows."""
    find_unknown = load_library().find_unknown
    codes, place = text.encode("utf-32-le", "surrogatepass"), 0
    while (place := find_unknown(codes, len(text), place, _TABLE)) >= 0:
        add_character(ord(text[place]))
    return codes


def _copied(address: int, count: int, kind: type[Any]) -> NDArray[Any]:
    return np.frombuffer(ctypes.string_at(address, count * np.dtype(kind).itemsize), kind)


class KeptKeys:
    """The keys of n-grams that were kept, with their weights; their positions are columns.

    Parameters
    ----------
    keys : ndarray of int64, shape (m,)
        In rising order.
    idf : ndarray of float32, shape (m,)
        Inverse document frequency of each.
    bound : int
        All keys are below.
    """

    def __init__(self, keys: NDArray[np.int64], idf: NDArray[np.float32], bound: int) -> None:
        # for each block of 32 keys, a bit for each kept one, and in the upper half the number kept in blocks before;
        # sums of 32 different powers of two are exact in double precision
        bits = np.bincount(keys >> 5, np.exp2(keys & 31), minlength=bound >> 5).astype(np.uint64)
        counts = np.bitwise_count(bits).astype(np.uint64)
        self._kept = ((np.cumsum(counts) - counts) << np.uint64(32)) | bits
        self._idf = np.append(idf, 0).astype(np.float32)

    def weigh(
        self, starts: NDArray[np.int64], keys: NDArray[np.int32], times: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """Turn rows of counts into TF-IDF rows: where each starts, and columns and values."""
        starts, keys, times = _plain(starts, np.int64), _plain(keys, np.int32), _plain(times, np.float32)
        row_starts = np.empty(len(starts), np.int64)
        columns, values = np.empty(len(keys), np.int32), np.empty(len(keys), np.float32)
        kept = load_library().weigh(
            starts.ctypes.data,
            len(starts) - 1,
            keys.ctypes.data,
            times.ctypes.data,
            self._kept.ctypes.data,
            len(self._kept),
            self._idf.ctypes.data,
            _WEIGHTS.ctypes.data,
            row_starts.ctypes.data,
            columns.ctypes.data,
            values.ctypes.data,
        )
        return row_starts, columns[:kept].copy(), values[:kept].copy()


def multiply(
    starts: NDArray[np.int64], columns: NDArray[np.int32], values: NDArray[np.float32], matrix: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Multiply sparse rows by a dense matrix; columns, in rising order, beyond its height do not count."""
    starts, columns, values = _plain(starts, np.int64), _plain(columns, np.int32), _plain(values, np.float32)
    matrix = _plain(matrix, np.float32)
    products = np.empty((len(starts) - 1, matrix.shape[1]))
    load_library().multiply(
        starts.ctypes.data,
        len(starts) - 1,
        columns.ctypes.data,
        values.ctypes.data,
        matrix.ctypes.data,
        *matrix.shape,
        products.ctypes.data,
    )
    return products


def _plain(values: NDArray[Any], kind: type[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values, kind)


class WordTable:
    """Words with their positions, to look up those of a text.

    Parameters
    ----------
    words : sequence of str
        Without line breaks; of equal words the first counts.
    """

    def __init__(self, words: Sequence[str]) -> None:
        slots = 1 << (2 * len(words)).bit_length() + 1
        self._hashes, self._numbers = np.zeros(slots, np.uint64), np.zeros(slots, np.int32)
        if words:
            letters = _letters(words)
            load_library().fill_table(letters, len(letters) // 4, *self._addresses())

    def find(self, words: Sequence[str]) -> NDArray[np.int32]:
        """Give the position of each word, -1 for those that are not in the table."""
        found = np.empty(len(words), np.int32)
        if len(words):
            letters = _letters(words)
            load_library().look_up(letters, len(letters) // 4, *self._addresses(), found.ctypes.data)
        return found

    def _addresses(self) -> tuple[int, int, int]:
        return self._hashes.ctypes.data, self._numbers.ctypes.data, len(self._hashes)


def skeletons(words: Sequence[str]) -> list[str]:
    """Write folded words with one character for all those that OCR confuses with each other."""
    if not len(words):
        return []
    letters = np.frombuffer(_letters(words), np.uint32).copy()
    size = load_library().skeletons(letters.ctypes.data, len(letters))
    return letters[:size].tobytes().decode("utf-32-le", "surrogatepass").split("\n")


class _NearIndex(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_int32),
        ("deletions", ctypes.c_int32),
        ("shortest", _Size),
        ("longest", _Size),
        *((name, _Address) for name in ("letters", "shapes", "letter_ends", "shape_ends", "starts", "owners")),
    ]


class MisreadWords:
    """Finds words that may be misread ones of some lists of words.

    Parameters
    ----------
    lists : sequence of (sequence of str, int)
        Words, and how many letters may be deleted from the skeletons of both for them to become equal, 0 to 2. Words
        that contain the other one are found only if none may.
    """

    def __init__(self, lists: Sequence[tuple[Sequence[str], int]]) -> None:
        self._indexes = (_NearIndex * len(lists))()
        self._arrays: list[list[NDArray[Any]]] = []
        for index, (words, deletions) in zip(self._indexes, lists, strict=True):
            shapes = skeletons(words)
            # seven letters have 21 pairs
            arrays: list[NDArray[Any]] = [
                np.frombuffer(_letters(["".join(words)]), np.uint32),
                np.frombuffer(_letters(["".join(shapes)]), np.uint32),
                np.cumsum([0, *map(len, words)], dtype=np.int64),
                np.cumsum([0, *map(len, shapes)], dtype=np.int64),
                np.zeros((1 << 16) + 1, np.uint32),
                np.empty(21 * len(words), np.int32),
            ]
            self._arrays.append(arrays)
            index.count, index.deletions = len(words), deletions
            index.shortest, index.longest = min(map(len, shapes), default=0), max(map(len, shapes), default=0)
            index.letters, index.shapes, index.letter_ends, index.shape_ends, index.starts, index.owners = (
                array.ctypes.data for array in arrays
            )
            load_library().fill_near(ctypes.byref(index))

    def find(self, words: Sequence[str]) -> list[tuple[int, int, int]]:
        """Find for each word those of the first list that has any: numbers of word, list and word of the list."""
        if not len(words):
            return []
        letters, count = _letters(words), len(words)
        while True:
            found = np.empty((count, 3), np.int32)
            room = count
            count = load_library().find_misread(
                letters, len(letters) // 4, self._indexes, len(self._indexes), found.ctypes.data, room
            )
            if count < 0:
                raise MemoryError
            if count <= room:
                return [(word, index, entry) for word, index, entry in found[:count].tolist()]


def _letters(words: Sequence[str]) -> bytes:
    """Encode words as code points, separated by line breaks."""
    text = "\n".join(words)
    if text.count("\n") >= len(words):
        text = "\n".join(word.replace("\n", " ") for word in words)
    return text.encode("utf-32-le", "surrogatepass")
