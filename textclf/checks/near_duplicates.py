"""Duplicates and near-duplicates of texts: found by min-wise hashing, and verified pair by pair.

Two scans of the same document never give the same text. The similarity of two texts is the Jaccard similarity of their
sets of shingles, of characters instead of words, so that a misread letter changes five shingles and not three whole
words. Comparing all pairs would take too long. Instead each text has a signature, the minimum of its shingles under
each of 128 hash functions; the share of equal minima of two texts estimates their similarity, and texts that agree in
a whole band of minima are compared.

Sources: A. Z. Broder, "On the resemblance and containment of documents", Compression and Complexity of Sequences,
1997 (shingles, min-wise hashing); P. Indyk and R. Motwani, "Approximate nearest neighbors", STOC 1998 (banding).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.text_arguments import as_texts, iter_texts
from features.tokens import fold, tokenize
from textclf.base.hashing import mix

SHINGLE = 5
"""Characters of a shingle: about a word."""

HASHES = 128
MISSED = 0.002
"""Probability that two texts exactly as similar as the threshold share no band."""
_BLOCK = 4096
"""Shingles hashed at once, so that memory does not grow with the text."""
_KEPT_SHINGLES = 2048
"""Number of texts whose shingles are kept while pairs are verified."""

_U64 = np.uint64
_LARGEST = np.iinfo(np.uint32).max
_BASE = _U64(0x9E3779B97F4A7C15)
_FACTORS, _OFFSETS = np.random.default_rng(0).integers(0, 2**32, size=(2, HASHES), dtype=np.uint32)
"""Of the hash functions; the factors must be odd."""
_FACTORS |= np.uint32(1)


class Likeness(NamedTuple):
    """Positions of two texts, the lower first, and their Jaccard similarity, 0 to 1."""

    first: int
    second: int
    similarity: float


def same_texts(texts: Sequence[str]) -> list[list[int]]:
    """Group positions of texts that are the same apart from case, accents and whitespace, in order of appearance."""
    found: dict[str, list[int]] = {}
    for position, text in enumerate(iter_texts(texts)):
        found.setdefault(" ".join(fold(text).split()), []).append(position)
    return list(found.values())


def shingles(text: str) -> NDArray[np.uint64]:
    """Give sorted 64-bit hashes of the set of shingles: all five consecutive characters of the folded words."""
    words = tokenize(text)
    if not words:
        return np.empty(0, dtype=_U64)
    codes = np.frombuffer(f" {' '.join(words)} ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(_U64)
    count = max(len(codes) - SHINGLE + 1, 1)
    hashes = np.zeros(count, dtype=_U64)
    for offset in range(min(SHINGLE, len(codes))):
        hashes = hashes * _BASE + codes[offset : offset + count]
    # the last characters only affect the low bits of a product
    return np.unique(mix(hashes))


def jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Give the Jaccard similarity of two sets of shingles; 0 if both are empty."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - common
    return common / either if either else 0.0


def near_duplicates(texts: Sequence[str], threshold: float, *, own: int | None = None) -> list[Likeness]:
    """Find pairs of different texts whose similarity is at least the threshold, which is above 0.

    The texts before position `own` (training documents) are compared with each other and with the texts from there on
    (test documents), which are not compared with each other. Of a group of similar texts not every pair is given, but
    enough to connect the group.
    """
    texts = as_texts(texts)
    found = map(shingles, texts)
    signatures = np.array([_signature(hashes) for hashes in found], dtype=np.uint32).reshape(-1, HASHES)
    with_text = np.flatnonzero((signatures < _LARGEST).any(axis=1))
    if len(with_text) < 2:
        return []
    pairs = _candidates(signatures, with_text, _rows_of_band(threshold), len(texts) if own is None else own)
    agreed = np.concatenate(
        [
            (signatures[part[:, 0]] == signatures[part[:, 1]]).mean(axis=1)
            for part in np.array_split(pairs, len(pairs) // _BLOCK + 1)
        ]
    )
    # four standard deviations below the threshold, fewer than one in 10,000 such pairs is similar enough
    pairs = pairs[agreed >= threshold - 4 * np.sqrt(threshold * (1 - threshold) / HASHES)]
    kept = lru_cache(maxsize=_KEPT_SHINGLES)(lambda position: shingles(texts[position]))
    likenesses = (Likeness(first, second, jaccard(kept(first), kept(second))) for first, second in pairs.tolist())
    return [likeness for likeness in likenesses if likeness.similarity >= threshold]


def _signature(hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Minimum of the shingles under each hash function; `_LARGEST` without shingles."""
    least = np.full(HASHES, _LARGEST, dtype=np.uint32)
    # the upper halves: multiplying 32 bits is twice as fast, and pairs are verified with all 64
    upper = (hashes >> _U64(32)).astype(np.uint32)
    for start in range(0, len(upper), _BLOCK):
        values = np.multiply.outer(_FACTORS, upper[start : start + _BLOCK])
        values += _OFFSETS[:, None]
        np.minimum(least, values.min(axis=1), out=least)
    return least


def _rows_of_band(threshold: float) -> int:
    """Largest number of minima per band that still finds pairs at the threshold; more give fewer false candidates."""
    fitting = [rows for rows in range(1, 33) if (1 - threshold**rows) ** (HASHES // rows) <= MISSED]
    return max(fitting, default=1)


def _candidates(signatures: NDArray[np.uint32], with_text: NDArray[np.int64], rows: int, own: int) -> NDArray[np.int64]:
    """Pairs of neighbours in any band, at least one of them before `own`; sorted, without repetition."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, HASHES - rows + 1, rows):
        # sort by the band, and by the minima that follow it
        keys = signatures[with_text][:, np.arange(start, start + 2 * rows) % HASHES]
        order = with_text[np.lexsort(keys.T[::-1])]
        band = signatures[order, start : start + rows]
        bucket = np.concatenate([[0], np.cumsum((band[1:] != band[:-1]).any(axis=1))])
        for ordered, buckets in ((order, bucket), (order[::-1], bucket[::-1])):
            # the nearest preceding text that is before `own`; both directions give both neighbours
            places = np.maximum.accumulate(np.where(ordered < own, np.arange(len(ordered)), -1))
            before = np.concatenate([[-1], places[:-1]])
            meet = (before >= 0) & (buckets[before] == buckets)
            found.append(np.sort(np.column_stack([ordered[before[meet]], ordered[meet]]), axis=1))
    return np.unique(np.concatenate(found), axis=0)


class Copy(NamedTuple):
    """Positions of a document and of the one that it is a copy of, and their similarity."""

    document: int
    other: int
    similarity: float
    # apart from case, accents and whitespace
    same: bool
    # number of the group of copies, from 1, the largest first; 0 for leaks and contradictions
    group: int = 0


class Copies:
    """Finds copies; test documents, from position `own` on, are compared with training documents only.

    Texts without words are not compared.
    """

    def __init__(
        self, texts: Sequence[str], categories: Sequence[str], threshold: float, *, own: int | None = None
    ) -> None:
        own = len(texts) if own is None else own
        self._categories = categories
        with_text = [position for position, text in enumerate(texts) if tokenize(text)]
        # each different text once; those of training documents come first
        same = [[with_text[i] for i in positions] for positions in same_texts([texts[i] for i in with_text])]
        self._own = [[document for document in documents if document < own] for documents in same]
        self._others = [[document for document in documents if document >= own] for documents in same]
        self._texts = sum(map(bool, self._own))
        # the first document of each category, so that a text repeated ten thousand times is looked at once
        self._first_of = [{categories[i]: i for i in reversed(documents)} for documents in self._own]
        pairs = near_duplicates([texts[documents[0]] for documents in same], threshold, own=self._texts)
        self._pairs = [pair[:2] for pair in pairs if pair.second < self._texts]
        # for each text the similar ones among the training documents, the most similar first
        self._near: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for first, second, similarity in sorted(pairs, key=lambda pair: (-pair.similarity, pair)):
            self._near[second].append((first, similarity))
            if second < self._texts:
                self._near[first].append((second, similarity))

    def leaks(self) -> Iterator[Copy]:
        """Yield test documents with their most similar training document, the most similar pair first."""
        found = []
        for text, documents in enumerate(self._others):
            own = [(text, 1.0)] if self._own[text] else self._near[text]
            for other, similarity in own[:1]:
                found += [Copy(document, self._own[other][0], similarity, other == text) for document in documents]
        yield from sorted(found, key=lambda copy: (-copy.similarity, copy))

    def contradictions(self) -> Iterator[Copy]:
        """Yield copies of different categories, each pair once, the most similar first.

        For a text with several categories these are the documents that are not of the most frequent one; for a text of
        one category, its first document with the most similar copy of another category.
        """
        found = set()
        for text in range(self._texts):
            categories = Counter(self._categories[document] for document in self._own[text])
            (usual, _), *others = categories.most_common()
            first = self._first_of[text][usual]
            odd = [document for document in self._own[text] if self._categories[document] != usual]
            found |= {Copy(min(first, document), max(first, document), 1.0, True) for document in odd}
            if not others and (closest := self._contradicting(text, usual)):
                other, similarity = closest
                found.add(Copy(min(first, other), max(first, other), similarity, False))
        yield from sorted(found, key=lambda copy: (-copy.similarity, copy))

    def duplicates(self) -> Iterator[Copy]:
        """Yield every document but the first of each group of copies, with a similar one."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        edges = np.array(self._pairs, dtype=np.int64).reshape(-1, 2).T
        shape = (self._texts, self._texts)
        _, group_of = connected_components(coo_array((np.ones(edges.shape[1]), tuple(edges)), shape=shape))
        groups: dict[int, list[int]] = defaultdict(list)
        for text in range(self._texts):
            groups[int(group_of[text])].append(text)
        sizes = {group: sum(len(self._own[text]) for text in texts) for group, texts in groups.items()}
        copied = sorted((group for group in groups if sizes[group] > 1), key=lambda group: (-sizes[group], group))
        for number, group in enumerate(copied, 1):
            for text in groups[group]:
                document, *twins = self._own[text]
                if text != groups[group][0]:
                    other, similarity = self._near[text][0]
                    yield Copy(document, self._own[other][0], similarity, False, number)
                yield from (Copy(twin, document, 1.0, True, number) for twin in twins)

    def _contradicting(self, text: int, category: str) -> tuple[int, float] | None:
        for other, similarity in self._near[text]:
            for other_category, first in self._first_of[other].items():
                if other_category != category:
                    return first, similarity
        return None
