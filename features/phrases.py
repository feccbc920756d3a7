"""Words and phrases that may be keywords, and the documents that have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.core.texts import Words
from features.spacy_tables import function_words
from features.text_arguments import as_words

LONGEST_WORD = 25


class Phrases(NamedTuple):
    """Phrases in alphabetical order, and pairs of a document and a phrase that it has, by their numbers."""

    phrases: list[str]
    documents: NDArray[np.int64]
    numbers: NDArray[np.int64]


class _Level(NamedTuple):
    """Phrases of one length: where each occurs first, and the pairs of a document and a phrase, by their numbers."""

    first: NDArray[np.int64]
    documents: NDArray[np.int64]
    numbers: NDArray[np.int64]


def find_phrases(documents: Sequence[Sequence[str]], longest: int, *, least: int) -> Phrases:
    """Find phrases of up to `longest` words that at least `least` documents have, given by their words.

    They begin and end with words that mean something: neither function words nor noise. A number may end them.
    """
    own = [Words.from_strings(as_words(words)) for words in documents]
    words = list(chain.from_iterable(own))
    hashes = np.frombuffer(b"".join(one.fingerprints for one in own), np.uint64)
    levels = list(_levels(words, hashes, np.array([len(one) for one in own], np.int64), longest, least))
    found = [
        " ".join(words[place : place + size]) for size, level in enumerate(levels, 1) for place in level.first.tolist()
    ]
    order = sorted(range(len(found)), key=found.__getitem__)
    rank = np.empty(len(found), np.int64)
    rank[order] = np.arange(len(found))
    before = np.cumsum([0, *(len(level.first) for level in levels)])
    numbers = [level.numbers + start for level, start in zip(levels, before.tolist(), strict=False)]
    return Phrases(
        [found[i] for i in order],
        np.concatenate([level.documents for level in levels]),
        rank[np.concatenate(numbers)],
    )


def _levels(
    words: Sequence[str], hashes: NDArray[np.uint64], lengths: NDArray[np.int64], longest: int, least: int
) -> Iterator[_Level]:
    document = np.repeat(np.arange(len(lengths)), lengths)
    _, first, numbers = np.unique(hashes, return_index=True, return_inverse=True)
    # words that few documents have make no phrase that more have: they get the last number, and are not looked at
    common = _level(document, numbers, first, least).first
    renumbered = np.full(len(first), len(common))
    renumbered[numbers[common]] = np.arange(len(common))
    numbers = renumbered[numbers]
    different = [words[place] for place in common.tolist()]
    means = np.array([*map(means_something, different), False])
    # a number may be part of a name, as in "mod 730"
    ends = means | np.array([*(word.isdigit() and 2 <= len(word) <= 4 for word in different), False])
    # noise in the middle could also make the phrase longer than a keyword may be
    is_short = np.array([*(len(word) <= LONGEST_WORD for word in different), False])
    # of each beginning: its place, and the number of the phrase so far
    places = np.flatnonzero(means[numbers])
    phrases = numbers[places]
    for size in range(1, longest + 1):
        if size > 1:
            last = places + size - 1
            goes_on = last < len(words)
            goes_on[goes_on] = document[last[goes_on]] == document[places[goes_on]]
            goes_on[goes_on] = is_short[numbers[last[goes_on]]]
            places, last = places[goes_on], last[goes_on]
            phrases = phrases[goes_on] * len(means) + numbers[last]
            is_whole = ends[numbers[last]]
        else:
            is_whole = np.ones(len(places), np.bool_)
        # numbered anew, as the numbers of longer phrases would be too large
        _, starts, phrases = np.unique(phrases, return_index=True, return_inverse=True)
        yield _level(document[places[is_whole]], phrases[is_whole], places[starts], least)


def _level(documents: NDArray[np.int64], phrases: NDArray[np.int64], first: NDArray[np.int64], least: int) -> _Level:
    """Count each phrase once in each document, and leave rare ones out."""
    size = max(len(first), 1)
    # faster than numpy's unique, which hashes
    pairs = np.sort(documents * size + phrases)
    documents, phrases = np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], size)
    kept = np.bincount(phrases, minlength=len(first)) >= least
    number = np.cumsum(kept) - 1
    is_kept = kept[phrases]
    return _Level(first[kept], documents[is_kept], number[phrases[is_kept]])


def means_something(word: str) -> bool:
    """Return whether a word is neither a function word nor noise that OCR reads into specks and lines."""
    return (
        3 <= len(word) <= LONGEST_WORD
        and word.isalpha()
        and len(set(word)) > 1
        # other scripts have other vowels, or none
        and (not word.isascii() or any(letter in "aeiouy" for letter in word))
        and word not in function_words()
    )
