"""Documents that are copies of each other, and what follows: superfluous ones, contradictions, leaks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from features.tokens import tokenize
from textclf.checks.near_duplicates import near_duplicates, same_texts


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
