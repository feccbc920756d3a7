"""Words, n-grams and other tokens as 64-bit hashes, for many rows at a time."""

# Tokens are never stored as text: the hashes of n-grams and pairs are computed from those of their words.

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.base.hashing import mix

CARTESIAN_LIMIT = 100_000
"""Maximum tokens per row of ``cartesian``; further ones are left out."""

_REMEMBERED = 200_000
_MAX_REMEMBERED_LENGTH = 64

_U64 = np.uint64
_GOLDEN = _U64(0x9E3779B97F4A7C15)
_BASE = _U64(0xD6E8FEB86659FD93)


class Tokens(NamedTuple):
    """Hashes (uint64) and row numbers (uint16) of the tokens of some rows."""

    hashes: NDArray[np.uint64]
    rows: NDArray[np.uint16]


class ValueHashes(dict[str, int]):
    """Hashes of whole strings, with a cache of up to 200,000 short ones."""

    def __missing__(self, value: str) -> int:
        number = int.from_bytes(blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
        if len(value) <= _MAX_REMEMBERED_LENGTH:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[value] = number
        return number


def words(columns: Sequence[Sequence[str]]) -> list[Tokens]:
    """Split columns of texts into words like ``str.split``, in order, row by row."""
    texts = list(chain.from_iterable(columns))
    # so that whitespace precedes the first word and follows the last
    joined = "\n".join(["", *texts, ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    # all whitespace is in the first plane
    inside = _visible().take(np.minimum(codes, 0xFFFF))
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    offsets = lengths.cumsum() - lengths
    letters = codes[inside] + _U64(1)
    places = np.arange(len(letters)) - np.repeat(offsets, lengths)
    # a polynomial of the characters: Karp and Rabin 1987, https://doi.org/10.1147/rd.312.0249
    terms = letters * _powers(int(lengths.max(initial=0))).take(places)
    hashes = mix(np.add.reduceat(terms, offsets)) if len(starts) else np.empty(0, _U64)
    before = starts.searchsorted(np.cumsum([0, *(len(text) + 1 for text in texts)]))
    counts = before[1:] - before[:-1]
    split = []
    for begin, column in zip(accumulate(map(len, columns), initial=0), columns, strict=False):
        end = begin + len(column)
        rows = np.repeat(np.arange(len(column), dtype=np.uint16), counts[begin:end])
        split.append(Tokens(hashes[before[begin] : before[end]], rows))
    return split


def ngrams(tokens: Tokens, longest: int) -> Tokens:
    """Return all n-grams of 1 to ``longest`` words of a row."""
    hashes, rows = tokens
    parts = [tokens]
    runs = hashes
    for ahead in range(1, min(longest, len(hashes))):
        runs = _join(runs[:-1], hashes[ahead:])
        inside = rows[:-ahead] == rows[ahead:]
        parts.append(Tokens(runs[inside], rows[:-ahead][inside]))
    return _concatenate(parts)


def osb(tokens: Tokens, window: int) -> Tokens:
    """Return orthogonal sparse bigrams: each word with each following word in a window."""
    hashes, rows = tokens
    parts = []
    for ahead in range(1, min(window, len(hashes))):
        inside = rows[:-ahead] == rows[ahead:]
        pairs = _join(hashes[:-ahead][inside] + _U64(ahead), hashes[ahead:][inside])
        parts.append(Tokens(pairs, rows[:-ahead][inside]))
    return _concatenate(parts)


def cartesian(left: Tokens, right: Tokens, size: int) -> Tokens:
    """Return the pairs of every left token with every right token, row by row, up to 100,000 per row."""
    left, right = _grouped(left), _grouped(right)
    lefts, rights = (np.bincount(side.rows, minlength=size) for side in (left, right))
    counts = np.minimum(lefts * rights, CARTESIAN_LIMIT)
    rows = np.repeat(np.arange(size), counts)
    ends = np.cumsum(counts)
    place = np.arange(ends[-1] if size else 0) - np.repeat(ends - counts, counts)
    first, second = np.divmod(place, rights[rows])
    left_starts, right_starts = (np.cumsum(side) - side for side in (lefts, rights))
    pairs = _join(left.hashes[left_starts[rows] + first], right.hashes[right_starts[rows] + second])
    return Tokens(pairs, rows.astype(np.uint16))


def strip_punctuation(text: str) -> str:
    """Strip punctuation from both ends of each word; words of only punctuation are removed."""
    punctuation = _punctuation()
    # stripping is slow because there are many punctuation characters, and few words need it
    bare = [word if word.isalnum() else word.strip(punctuation) for word in text.split()]
    return " ".join(filter(None, bare))


def _join(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # not symmetric, so that the order of words counts
    return (first ^ (first >> _U64(32))) * _GOLDEN + second


def _grouped(tokens: Tokens) -> Tokens:
    order = np.argsort(tokens.rows, kind="stable")
    return Tokens(tokens.hashes[order], tokens.rows[order])


def _concatenate(parts: Sequence[Tokens]) -> Tokens:
    if not parts:
        return Tokens(np.empty(0, _U64), np.empty(0, np.uint16))
    return Tokens(np.concatenate([part.hashes for part in parts]), np.concatenate([part.rows for part in parts]))


def _powers(count: int) -> NDArray[np.uint64]:
    """Return powers of an odd number, modulo 2 ** 64."""
    return _power_table(max(64, 1 << count.bit_length()))


@cache
def _power_table(size: int) -> NDArray[np.uint64]:
    powers = np.full(size, _BASE, _U64)
    powers[0] = 1
    return np.cumprod(powers, dtype=_U64)


@cache
def _visible() -> NDArray[np.bool_]:
    return np.array([not char.isspace() for char in map(chr, range(0x10000))])


@cache
def _punctuation() -> str:
    # the first plane only: the others contain only punctuation of ancient scripts
    first_plane = map(chr, range(0x10000))
    return string.punctuation + "".join(char for char in first_plane if unicodedata.category(char)[0] == "P")
