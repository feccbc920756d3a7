"""Words that OCR may have misread: confused characters, and similar words by symmetric delete; needs numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

BEGINNING = 7
"""Leading letters by which words are looked up: few choices of deleted letters, but few collisions."""
HASH_BITS = 20

_ALIKE = str.maketrans("0125689", "olzsgbg")
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("i", "l"))


def skeleton(word: str) -> str:
    """Write a folded word with one character for all those that OCR confuses with each other.

    Source: Nagy, Nartker & Rice (2000), "Optical character recognition: an illustrated guide to the frontier".
    """
    shape = word.translate(_ALIKE)
    for read, meant in _PAIRS:
        shape = shape.replace(read, meant)
    return shape


class DeleteIndex:
    """Finds pairs of words that become equal when up to `deletions` letters are deleted from each.

    Source: Garbe (2012), "1000x faster spelling correction: symmetric delete", https://github.com/wolfgarbe/SymSpell
    """

    def __init__(self, words: Sequence[str], deletions: int) -> None:
        self.words, self._deletions = words, deletions
        self._letters = list(map(frozenset, words))
        kept = list(combinations(range(BEGINNING), BEGINNING - deletions))
        # contribution of each leading letter to the hash, one column per choice of deleted letters
        self._factors = np.zeros((BEGINNING, len(kept)))
        for way, places in enumerate(kept):
            self._factors[list(places), way] = [pow(0x9E3779B1, n, 1 << 28) for n in range(1, len(places) + 1)]
        hashes = self._hashes(words)
        self._owners = hashes.argsort(kind="stable") // len(kept)
        self._starts = np.concatenate([[0], np.bincount(hashes, minlength=1 << HASH_BITS).cumsum()])

    def _hashes(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Hash the beginning of each word for every choice of deleted letters; shape (words * choices,)."""
        # short words are padded with spaces, so that beginnings have one length whichever letters are deleted
        text = "".join([word[:BEGINNING].ljust(BEGINNING) for word in words]).encode("utf-32-le", "surrogatepass")
        codes = np.frombuffer(text, dtype=np.uint32).reshape(-1, BEGINNING)
        # integers under 2 ** 53 are exact in double precision
        sums = (codes.astype(np.float64) @ self._factors).astype(np.uint64).ravel()
        return ((sums * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - HASH_BITS)).astype(np.int64)

    def pairs(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Give pairs of positions, in `words` and in the words of the index, that become equal, in order."""
        hashes = self._hashes(words)
        begins = self._starts[hashes]
        counts = self._starts[hashes + 1] - begins
        ends = counts.cumsum()
        places = np.arange(counts.sum()) + (begins - ends + counts).repeat(counts)
        asked = np.arange(len(hashes)).repeat(counts) // self._factors.shape[1]
        size = len(self.words)
        pairs = np.unique(asked * size + self._owners[places]).tolist()
        return [(i, j) for i, j in (divmod(pair, size) for pair in pairs) if self._is_near(words[i], j)]

    def _is_near(self, word: str, j: int) -> bool:
        other, most = self.words[j], self._deletions
        # the letters are compared first, as that is quick and most words fail it
        return (
            abs(len(word) - len(other)) <= most
            and len(self._letters[j].difference(word)) <= most
            and _become_equal(word, other, most, most)
        )


def _become_equal(left: str, right: str, from_left: int, from_right: int) -> bool:
    """Return whether two words become equal when up to so many letters are deleted from each."""
    for at, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            left, right = left[at:], right[at:]
            return (from_left > 0 and _become_equal(left[1:], right, from_left - 1, from_right)) or (
                from_right > 0 and _become_equal(left, right[1:], from_left, from_right - 1)
            )
    return -from_right <= len(left) - len(right) <= from_left
