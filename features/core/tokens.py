"""Words parted by white space, and their n-grams and pairs, as 64-bit hashes of many rows at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.core.library import load_library
from features.core.texts import CHARACTER_TABLE, code_points

KEY_BITS = 58
"""Of a key; rows are numbered by the others."""


class Tokens(NamedTuple):
    """Tokens of some rows: row i has ``hashes[starts[i]:starts[i + 1]]`` (uint64; ``starts`` are int64)."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]


def split_words(texts: Sequence[str]) -> Tokens:
    """Split texts into words like ``str.split``, in order."""
    rows = len(texts)
    hashes = np.empty(sum(len(text) // 2 + 1 for text in texts), np.uint64)
    starts = np.empty(rows + 1, np.int64)
    load_library().split_words(
        (ctypes.c_char_p * rows)(*map(code_points, texts)),
        (ctypes.c_int64 * rows)(*map(len, texts)),
        rows,
        CHARACTER_TABLE,
        hashes.ctypes.data,
        starts.ctypes.data,
    )
    return Tokens(hashes[: starts[-1]], starts)


def ngrams(words: Tokens, longest: int) -> Tokens:
    """Make all n-grams of 1 to `longest` words of a row."""
    made, starts = np.empty(len(words.hashes) * longest, np.uint64), np.empty_like(words.starts)
    load_library().make_ngrams(*_addresses(words), len(starts) - 1, longest, made.ctypes.data, starts.ctypes.data)
    return Tokens(made[: starts[-1]], starts)


def osb(words: Tokens, window: int) -> Tokens:
    """Make orthogonal sparse bigrams: each word with each following word in a window."""
    made, starts = np.empty(len(words.hashes) * (window - 1), np.uint64), np.empty_like(words.starts)
    load_library().make_osb(*_addresses(words), len(starts) - 1, window, made.ctypes.data, starts.ctypes.data)
    return Tokens(made[: starts[-1]], starts)


def pairs(left: Tokens, right: Tokens, limit: int) -> Tokens:
    """Make the pairs of every left token with every right token, row by row, up to `limit` per row."""
    counts = np.minimum(np.diff(left.starts) * np.diff(right.starts), limit)
    starts = np.concatenate([[0], np.cumsum(counts)])
    made = np.empty(starts[-1], np.uint64)
    addresses = *_addresses(left), *_addresses(right)
    load_library().make_pairs(*addresses, len(counts), made.ctypes.data, starts.ctypes.data)
    return Tokens(made, starts)


def row_keys(tokens: Tokens, salt: int) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.float32]]:
    """Give the keys of at most 64 rows, salted: starts, the different ones of each row, and ``1 / sqrt(n)``."""
    rows, library = len(tokens.starts) - 1, load_library()
    keys, starts = np.empty(len(tokens.hashes), np.uint64), np.empty(rows + 1, np.int64)
    values = np.empty(len(keys), np.float32)
    library.make_keys(*_addresses(tokens), rows, salt, keys.ctypes.data)
    # numpy sorts with the widest instructions of the machine
    keys.sort()
    library.merge_keys(keys.ctypes.data, len(keys), rows, starts.ctypes.data, values.ctypes.data)
    return starts, keys[: starts[-1]], values[: starts[-1]]


def _addresses(tokens: Tokens) -> tuple[int, int]:
    return tokens.hashes.ctypes.data, tokens.starts.ctypes.data
