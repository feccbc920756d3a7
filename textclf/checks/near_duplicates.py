"""Texts that stand twice, word by word or nearly: found by min-wise hashing, verified one by one.

Two scans of one paper never give the same text. How alike two texts are is the Jaccard similarity of their sets of
shingles, here of characters and not of words, so that a misread letter spoils five shingles and not three whole words.
Comparing all pairs is out of the question; instead each text keeps the least value of its shingles under 128 hash
functions, of which two texts agree in a share that estimates their similarity, and texts that agree in a whole band of
such values are compared.

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
"""Chance that two texts just as alike as the threshold share no band."""
_BLOCK = 4096
"""Shingles hashed at once: the working memory does not grow with the text."""
_KEPT_SHINGLES = 2048
"""Texts whose shingles are kept while pairs are verified."""

_U64 = np.uint64
_LARGEST = np.iinfo(np.uint32).max
_BASE = _U64(0x9E3779B97F4A7C15)
_FACTORS, _OFFSETS = np.random.default_rng(0).integers(0, 2**32, size=(2, HASHES), dtype=np.uint32)
"""Of the hash functions; the factors are odd."""
_FACTORS |= np.uint32(1)


class Likeness(NamedTuple):
    """Two texts by their positions, the first the lower, and their Jaccard similarity, 0 to 1."""

    first: int
    second: int
    similarity: float


def same_texts(texts: Sequence[str]) -> list[list[int]]:
    """Bring together positions of texts that are the same but for case, accents and white space, first ones first."""
    found: dict[str, list[int]] = {}
    for position, text in enumerate(iter_texts(texts)):
        found.setdefault(" ".join(fold(text).split()), []).append(position)
    return list(found.values())


def shingles(text: str) -> NDArray[np.uint64]:
    """Give sorted 64-bit hashes of the set of shingles: every five characters in a row of the folded words."""
    words = tokenize(text)
    if not words:
        return np.empty(0, dtype=_U64)
    codes = np.frombuffer(f" {' '.join(words)} ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(_U64)
    count = max(len(codes) - SHINGLE + 1, 1)
    hashes = np.zeros(count, dtype=_U64)
    for offset in range(min(SHINGLE, len(codes))):
        hashes = hashes * _BASE + codes[offset : offset + count]
    # the last characters only reach the low bits of a product
    return np.unique(mix(hashes))


def jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Give the share of the shingles of either text that both have; 0 if neither has any."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - common
    return common / either if either else 0.0


def near_duplicates(texts: Sequence[str], threshold: float, *, own: int | None = None) -> list[Likeness]:
    """Find pairs of different texts whose similarity is at least the threshold, which is above 0.

    Only texts before position `own` are compared with each other and with those from there on, not the latter with each
    other: training documents and test documents. Of a group of texts that are all alike not every pair is given, but
    enough of them to hold the group together.
    """
    texts = as_texts(texts)
    found = map(shingles, texts)
    signatures = np.array([_signature(hashes) for hashes in found], dtype=np.uint32).reshape(-1, HASHES)
    worded = np.flatnonzero((signatures < _LARGEST).any(axis=1))
    if len(worded) < 2:
        return []
    pairs = _candidates(signatures, worded, _rows_of_band(threshold), len(texts) if own is None else own)
    agreed = np.concatenate(
        [
            (signatures[part[:, 0]] == signatures[part[:, 1]]).mean(axis=1)
            for part in np.array_split(pairs, len(pairs) // _BLOCK + 1)
        ]
    )
    # four standard deviations of the estimate below the threshold: not one in 10,000 such pairs is alike after all
    pairs = pairs[agreed >= threshold - 4 * np.sqrt(threshold * (1 - threshold) / HASHES)]
    kept = lru_cache(maxsize=_KEPT_SHINGLES)(lambda position: shingles(texts[position]))
    likenesses = (Likeness(first, second, jaccard(kept(first), kept(second))) for first, second in pairs.tolist())
    return [likeness for likeness in likenesses if likeness.similarity >= threshold]


def _signature(hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Least value of the shingles under each hash function; the largest number there is without a shingle."""
    least = np.full(HASHES, _LARGEST, dtype=np.uint32)
    # the upper halves: a processor multiplies 32 bits twice as fast, and pairs found are verified with all 64
    upper = (hashes >> _U64(32)).astype(np.uint32)
    for start in range(0, len(upper), _BLOCK):
        values = np.multiply.outer(_FACTORS, upper[start : start + _BLOCK])
        values += _OFFSETS[:, None]
        np.minimum(least, values.min(axis=1), out=least)
    return least


def _rows_of_band(threshold: float) -> int:
    """As many values in a band as still find a pair at the threshold: the more, the fewer chance meetings."""
    fitting = [rows for rows in range(1, 33) if (1 - threshold**rows) ** (HASHES // rows) <= MISSED]
    return max(fitting, default=1)


def _candidates(signatures: NDArray[np.uint32], worded: NDArray[np.int64], rows: int, own: int) -> NDArray[np.int64]:
    """Pairs of neighbours in any band, of which one at least stands before `own`; sorted, each once."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, HASHES - rows + 1, rows):
        # the band, and the values that follow it as further keys
        keys = signatures[worded][:, np.arange(start, start + 2 * rows) % HASHES]
        order = worded[np.lexsort(keys.T[::-1])]
        band = signatures[order, start : start + rows]
        bucket = np.concatenate([[0], np.cumsum((band[1:] != band[:-1]).any(axis=1))])
        for ordered, buckets in ((order, bucket), (order[::-1], bucket[::-1])):
            # the nearest text before `own` ahead of each one; going through the order both ways gives both neighbours
            places = np.maximum.accumulate(np.where(ordered < own, np.arange(len(ordered)), -1))
            before = np.concatenate([[-1], places[:-1]])
            meet = (before >= 0) & (buckets[before] == buckets)
            found.append(np.sort(np.column_stack([ordered[before[meet]], ordered[meet]]), axis=1))
    return np.unique(np.concatenate(found), axis=0)


class Copy(NamedTuple):
    """The positions of a document and of the one it is a copy of, and how alike they are."""

    document: int
    other: int
    similarity: float
    # but for case, accents and white space
    same: bool
    # copies of each other have the same number, from 1, the largest group first; 0 where that is of no interest
    group: int = 0


class Copies:
    """Which documents are copies of which; those from position `own` on, to test on, are compared with the others only.

    Texts without words are copies of nothing.
    """

    def __init__(
        self, texts: Sequence[str], categories: Sequence[str], threshold: float, *, own: int | None = None
    ) -> None:
        own = len(texts) if own is None else own
        self._categories = categories
        worded = [position for position, text in enumerate(texts) if tokenize(text)]
        # each different text once; those that stand before `own` come before all others
        same = [[worded[i] for i in positions] for positions in same_texts([texts[i] for i in worded])]
        self._own = [[document for document in documents if document < own] for documents in same]
        self._others = [[document for document in documents if document >= own] for documents in same]
        self._texts = sum(map(bool, self._own))
        # the first document of each category, so that a text that stands ten thousand times is looked at once
        self._first_of = [{categories[i]: i for i in reversed(documents)} for documents in self._own]
        pairs = near_duplicates([texts[documents[0]] for documents in same], threshold, own=self._texts)
        self._pairs = [pair[:2] for pair in pairs if pair.second < self._texts]
        # of each text those like it among its own, the likest first
        self._near: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for first, second, similarity in sorted(pairs, key=lambda pair: (-pair.similarity, pair)):
            self._near[second].append((first, similarity))
            if second < self._texts:
                self._near[first].append((second, similarity))

    def leaks(self) -> Iterator[Copy]:
        """Yield the documents to test on that stand among the others, each with the likest; the likest first."""
        found = []
        for text, documents in enumerate(self._others):
            own = [(text, 1.0)] if self._own[text] else self._near[text]
            for other, similarity in own[:1]:
                found += [Copy(document, self._own[other][0], similarity, other == text) for document in documents]
        yield from sorted(found, key=lambda copy: (-copy.similarity, copy))

    def contradictions(self) -> Iterator[Copy]:
        """Yield copies of different categories, each pair once, the likest first.

        Of a text that stands several times, the documents that are not of its most frequent category; of a text of
        one category, its first document with the likest copy of another category.
        """
        found = set()
        for text in range(self._texts):
            categories = Counter(self._categories[document] for document in self._own[text])
            (usual, _), *others = categories.most_common()
            first = self._first_of[text][usual]
            odd = [document for document in self._own[text] if self._categories[document] != usual]
            found |= {Copy(min(first, document), max(first, document), 1.0, True) for document in odd}
            if not others and (likest := self._contradicting(text, usual)):
                other, similarity = likest
                found.add(Copy(min(first, other), max(first, other), similarity, False))
        yield from sorted(found, key=lambda copy: (-copy.similarity, copy))

    def duplicates(self) -> Iterator[Copy]:
        """Yield every document but the first of each group of copies, with one that it is like."""
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
