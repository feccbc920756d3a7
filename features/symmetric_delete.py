"""What OCR makes of a word: letters taken for one another, and letters struck out.

The keyword matcher looks such words up in tables (SymSpell's symmetric delete), so this needs nothing but numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

BEGINNING = 7
"""Letters by which near words are looked up: few ways to strike letters out, and still few words that share one."""
MARK_BITS = 20
"""Of the numbers that words without a keyword near them are told by."""
BY_STRUCK = (slice(0), slice(BEGINNING), slice(BEGINNING, None))
"""Columns of `marks` by the number of letters struck out."""

_ALIKE = str.maketrans("0125689", "olzsgbg")
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def skeleton(word: str) -> str:
    """Write a word with one character for all that OCR takes for one another.

    ``0`` is ``o``; ``1`` and ``i`` are ``l``; ``2`` is ``z``; ``5`` is ``s``; ``6`` and ``9`` are ``g``; ``8`` is
    ``b``; ``rn`` is ``m``; ``vv`` is ``w``; ``cl`` is ``d``. Two words with one skeleton differ by confusions only.

    Parameters
    ----------
    word : str
        A folded word.

    Returns
    -------
    str
        Its skeleton, at most as long.

    References
    ----------
    Nagy, Nartker & Rice (2000), "Optical character recognition: an illustrated guide to the frontier".

    Examples
    --------
    >>> skeleton("1nsurance") == skeleton("lnsurance") == skeleton("insurance")
    True
    >>> skeleton("staternent") == skeleton("statement")
    True
    """
    shape = word.translate(_ALIKE)
    for pair, single in _PAIRS:
        shape = shape.replace(pair, single)
    return shape.replace("i", "l")


def marks(shapes: Sequence[str]) -> NDArray[np.int64]:
    """Give numbers for the beginning of each shape with letters struck out, all ways at once.

    Parameters
    ----------
    shapes : sequence of str, length n
        Skeletons of words.

    Returns
    -------
    ndarray of int64, shape (n, 28)
        Numbers of `MARK_BITS` bits: seven with one letter struck out, 21 with two; `BY_STRUCK` says which columns.
        They are equal for equal strings, and mostly not for others.
    """
    # blanks stand for the end of a short word: whatever is struck out, beginnings that meet stay of one length
    beginnings = "".join([shape[:BEGINNING].ljust(BEGINNING) for shape in shapes]).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(beginnings, dtype=np.uint32).reshape(-1, BEGINNING)
    # products of whole numbers under 2 ** 53: exact
    sums = (codes.astype(np.float64) @ _STRIKES).astype(np.uint64)
    return ((sums * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - MARK_BITS)).astype(np.int64)


def _strikes() -> NDArray[np.float64]:
    """Give what each letter of a beginning counts, one column a way to strike out one or two of them."""
    ways = [kept for number in (1, 2) for kept in combinations(range(BEGINNING), BEGINNING - number)]
    counts = np.zeros((BEGINNING, len(ways)))
    for way, kept in enumerate(ways):
        counts[list(kept), way] = [pow(0x9E3779B1, place, 1 << 28) for place in range(1, len(kept) + 1)]
    return counts


_STRIKES = _strikes()


def meet(left: str, right: str, from_left: int, from_right: int) -> bool:
    """Say whether two words become one when at most so many letters are struck out of each.

    Examples
    --------
    >>> meet("invoice", "invcice", 1, 1), meet("invoice", "voices", 1, 1)
    (True, False)
    """
    for at, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            left, right = left[at:], right[at:]
            return (from_left > 0 and meet(left[1:], right, from_left - 1, from_right)) or (
                from_right > 0 and meet(left, right[1:], from_left, from_right - 1)
            )
    return -from_right <= len(left) - len(right) <= from_left
