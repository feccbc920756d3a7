"""Words and what recipes make of them, as 64-bit hashes, many rows at a time.

A token is never kept as text: runs and pairs of words are made from the hashes of their words, in numpy.
"""

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
"""Tokens of one row that ``cartesian`` makes at most; what would come after them is left out."""

_REMEMBERED = 200_000
_LONGEST_REMEMBERED = 64

_U64 = np.uint64
_GOLDEN = _U64(0x9E3779B97F4A7C15)
_BASE = _U64(0xD6E8FEB86659FD93)


class Tokens(NamedTuple):
    """The tokens of some rows.

    ``hashes`` (uint64) and ``rows`` (uint16) have one entry a token.
    """

    hashes: NDArray[np.uint64]
    rows: NDArray[np.uint16]


class ValueHashes(dict[str, int]):
    """Gives the hash of a string as a whole.

    It remembers strings of at most 64 characters, and forgets all of them when there are 200,000.

    Examples
    --------
    >>> hashes = ValueHashes()
    >>> hashes["invoice"] == hashes["invoice"] != hashes["Invoice"]
    True
    """

    def __missing__(self, value: str) -> int:
        number = int.from_bytes(blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
        if len(value) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[value] = number
        return number


def words(columns: Sequence[Sequence[str]]) -> list[Tokens]:
    """Split texts at white space, as ``str.split`` does.

    Parameters
    ----------
    columns : sequence of sequence of str
        Columns of texts, each of the same at most 65,536 rows.

    Returns
    -------
    list of Tokens
        Of each column: in order, row by row.

    References
    ----------
    The hash is a polynomial of the characters: R. M. Karp and M. O. Rabin, "Efficient randomized pattern-matching
    algorithms", IBM Journal of Research and Development 31(2), 1987.

    Examples
    --------
    >>> column = words([["to be or", "be"]])[0]
    >>> column.rows.tolist(), bool(column.hashes[1] == column.hashes[3])
    ([0, 0, 0, 1], True)
    """
    texts = list(chain.from_iterable(columns))
    # white space before the first word and behind the last
    joined = "\n".join(["", *texts, ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    # none lies beyond the first plane
    inside = _visible().take(np.minimum(codes, 0xFFFF))
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    offsets = lengths.cumsum() - lengths
    letters = codes[inside] + _U64(1)
    places = np.arange(len(letters)) - np.repeat(offsets, lengths)
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
    """All runs of 1 to ``longest`` words.

    Parameters
    ----------
    tokens : Tokens
        From `words`.
    longest : int
        Words of the longest run.

    Returns
    -------
    Tokens
        The words, then the pairs, and so on.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/data-transformations-reference.html

    Examples
    --------
    >>> len(ngrams(words([["to be or not to be"]])[0], 2).hashes)
    11
    """
    hashes, rows = tokens
    parts = [tokens]
    runs = hashes
    for ahead in range(1, min(longest, len(hashes))):
        runs = _join(runs[:-1], hashes[ahead:])
        inside = rows[:-ahead] == rows[ahead:]
        parts.append(Tokens(runs[inside], rows[:-ahead][inside]))
    return _concatenate(parts)


def osb(tokens: Tokens, window: int) -> Tokens:
    """Orthogonal sparse bigrams: each word with each of the words that follow it in a window.

    Parameters
    ----------
    tokens : Tokens
        From `words`.
    window : int
        Words of the window, the first one included.

    Returns
    -------
    Tokens
        The neighbours, then the pairs with one word between, and so on; no single words.

    References
    ----------
    C. Siefkes et al., "Combining Winnow and orthogonal sparse bigrams for incremental spam filtering", PKDD 2004.
    https://docs.aws.amazon.com/machine-learning/latest/dg/data-transformations-reference.html

    Examples
    --------
    >>> len(osb(words([["The quick brown fox"]])[0], 4).hashes)
    6
    """
    hashes, rows = tokens
    parts = []
    for ahead in range(1, min(window, len(hashes))):
        inside = rows[:-ahead] == rows[ahead:]
        pairs = _join(hashes[:-ahead][inside] + _U64(ahead), hashes[ahead:][inside])
        parts.append(Tokens(pairs, rows[:-ahead][inside]))
    return _concatenate(parts)


def cartesian(left: Tokens, right: Tokens, size: int) -> Tokens:
    """Every token of one kind with every token of another, within each row.

    Parameters
    ----------
    left, right : Tokens
        Of the same rows.
    size : int
        Number of rows.

    Returns
    -------
    Tokens
        Row by row, at most 100,000 each; the right one changes fastest.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/data-transformations-reference.html

    Examples
    --------
    >>> left, right = words([["a b", "c"], ["x y z", ""]])
    >>> cartesian(left, right, 2).rows.tolist()
    [0, 0, 0, 0, 0, 0]
    """
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
    """Take the punctuation from both ends of each word; words of nothing else vanish.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str
        The words, with one blank between them.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/data-transformations-reference.html

    Examples
    --------
    >>> strip_punctuation("Fasten (your) seat-belts!  -- Now.")
    'Fasten your seat-belts Now'
    """
    marks = _punctuation()
    # looking through all marks takes long, and few words need it
    bare = [word if word.isalnum() else word.strip(marks) for word in text.split()]
    return " ".join(filter(None, bare))


def _join(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # changed in between, so that the order counts
    return (first ^ (first >> _U64(32))) * _GOLDEN + second


def _grouped(tokens: Tokens) -> Tokens:
    order = np.argsort(tokens.rows, kind="stable")
    return Tokens(tokens.hashes[order], tokens.rows[order])


def _concatenate(parts: Sequence[Tokens]) -> Tokens:
    if not parts:
        return Tokens(np.empty(0, _U64), np.empty(0, np.uint16))
    return Tokens(np.concatenate([part.hashes for part in parts]), np.concatenate([part.rows for part in parts]))


def _powers(count: int) -> NDArray[np.uint64]:
    """Give the powers of an odd number, modulo 2 ** 64."""
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
    # of the first plane: the others have none but those of ancient scripts
    first_plane = map(chr, range(0x10000))
    return string.punctuation + "".join(char for char in first_plane if unicodedata.category(char)[0] == "P")
