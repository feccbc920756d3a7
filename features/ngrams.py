"""Word and character n-grams of whole batches of texts, counted by rolling hashes in numpy.

An n-gram's number is a 32-bit polynomial hash of its characters, mixed and reduced to one of ``2 ** 22`` buckets. All
windows of a batch are hashed at once, so no Python loop runs over n-grams; views of a part of the page select from the
windows of the whole page. An n-gram shares its bucket with one of the kept ones with a probability of about
``kept / 2 ** 22``: 2.4 % with 100,000 kept n-grams.

Source of the rolling hash: R. M. Karp and M. O. Rabin, "Efficient randomized pattern-matching algorithms",
IBM Journal of Research and Development 31(2), 1987. Feature hashing: K. Weinberger et al., "Feature hashing for large
scale multitask learning", ICML 2009. Mixing: the finaliser of A. Appleby's MurmurHash3,
https://github.com/aappleby/smhasher.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.layout import PART_BITS, PagePart, part_bits
from features.text_batch import LETTER, Pieces, TextBatch, read_batch

BUCKET_BITS = 22

_U32 = np.uint32
_BASE = 0x9E3779B1
_BASE_INVERSE = pow(_BASE, -1, 2**32)

Form = Literal["text", "shape"]
LONGEST = 1_000
"""Maximum n of an n-gram."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramView:
    """A kind of n-gram to count, and the part of the page to count it in.

    Parameters
    ----------
    name : str
        Name of the view in the model file.
    unit : {"word", "character"}
        Words are those of `features.tokens.tokenize`. Characters are folded; a run of white space is one line break if
        it contains one, else one space; and a text begins and ends with a line break. Only the first and the last
        character of an n-gram may be white space, so that it stays in a word but shows whether the word begins or ends
        a line; it is never white space alone.
    shortest, longest : int
        Bounds of n.
    part : {"page", "top", "head", "tail", "starts", "labels"}, default "page"
        Part of the page; see `features.layout.part_bits`. Word n-grams are made of the successive words that begin
        there; a character n-gram is there if its first character that is not white space is.
    form : {"text", "shape"}, default "text"
        The text itself; or a letter for the kind of each character (`TextBatch.shapes`), with runs cut to two, so that
        the lengths of words and ruled lines do not matter. In shapes, a space is a character like others and an n-gram
        stays in its line; only the whole page has them.
    """

    name: str
    unit: Literal["word", "character"]
    shortest: int
    longest: int
    part: PagePart = "page"
    form: Form = "text"

    def __post_init__(self) -> None:
        if self.form == "shape" and (self.unit, self.part) != ("character", "page"):
            raise ValueError("shapes are characters of the whole page")
        if not 1 <= self.shortest <= self.longest <= LONGEST:
            raise ValueError(f"n-grams have 1 to {LONGEST:,} units")


# chosen by cross-validation on scanned office pages: benchmarks/bench_views.py measures the gain of each
VIEWS = (
    NgramView(name="words", unit="word", shortest=1, longest=2),
    NgramView(name="characters", unit="character", shortest=2, longest=5),
    NgramView(name="top_characters", unit="character", shortest=3, longest=5, part="top"),
    NgramView(name="head_words", unit="word", shortest=1, longest=2, part="head"),
    NgramView(name="head_characters", unit="character", shortest=3, longest=5, part="head"),
    NgramView(name="tail_characters", unit="character", shortest=3, longest=5, part="tail"),
    NgramView(name="line_starts", unit="character", shortest=2, longest=5, part="starts"),
    NgramView(name="labels", unit="word", shortest=1, longest=2, part="labels"),
    NgramView(name="shapes", unit="character", shortest=3, longest=6, form="shape"),
)


class SparseRows(NamedTuple):
    """Sparse rows, in the layout of SciPy's CSR matrices.

    ``indices[starts[i]:starts[i + 1]]`` are the columns of row i in rising order, ``values`` their values.
    """

    starts: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]


class _Windows(NamedTuple):
    """The n-grams of a batch of m units, words or characters: one of each length from each unit on."""

    # hash of the n-gram of each length that begins at each unit, and whether there is one: shape (lengths, m)
    hashes: NDArray[np.uint32]
    inside: NDArray[np.bool_]
    # parts of the page of the n-grams that begin at each unit
    bits: NDArray[np.uint8]
    # number of the text of each unit
    owners: NDArray[np.int64]
    # positions in `pieces` of each unit's first character, and after its last
    begins: NDArray[np.integer]
    ends: NDArray[np.integer]
    pieces: Pieces
    # the smallest length
    shortest: int

    def seen_by(self, view: NgramView) -> tuple[slice, NDArray[np.bool_]]:
        """Give the lengths that a view of this unit and form counts, and for these which n-grams it counts."""
        lengths = slice(view.shortest - self.shortest, view.longest - self.shortest + 1)
        inside = self.inside[lengths]
        if view.part == "page":
            return lengths, inside
        return lengths, inside & ((self.bits & np.uint8(PART_BITS[view.part])) > 0)


def count_ngrams(pages: TextBatch, views: Sequence[NgramView]) -> SparseRows:
    """Count the n-grams of a batch in several views: one row per text, the views side by side.

    ``indices`` are numbers of buckets, those of the second view from ``2 ** 22`` on, and so on; ``values`` are counts.
    """
    size, width = len(pages.texts), len(views)
    if not size or not views:
        return SparseRows(np.zeros(size + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    # keys sort by text, then view, then bucket; the keys of a text begin at a multiple of a power of two
    shift = BUCKET_BITS + (width - 1).bit_length()
    # 32 bits sort faster than 64
    kind: Any = np.uint32 if size << shift <= 1 << 32 else np.uint64
    seen = []
    for windows, numbers in _find(pages, views):
        found = _buckets(windows.hashes) | (windows.owners.astype(kind) << kind(shift))
        for view in numbers:
            lengths, chosen = windows.seen_by(views[view])
            seen.append(found[lengths][chosen] + kind(view << BUCKET_BITS))
    keys: NDArray[Any] = np.concatenate([np.empty(0, kind), *seen])
    keys.sort()
    last = np.ones(len(keys), dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=last[:-1])
    ends = np.flatnonzero(last)
    keys = keys[ends]
    values = ends.astype(np.float32)
    values[1:] = ends[1:] - ends[:-1]
    values[:1] += 1
    starts = keys.searchsorted(np.arange(size + 1, dtype=np.uint64) << np.uint64(shift))
    return SparseRows(starts, (keys & kind((1 << shift) - 1)).astype(np.int32), values)


class FoundNgrams(NamedTuple):
    """The positions of the n-grams of one text in a view."""

    # bucket of each occurrence of an n-gram
    buckets: NDArray[np.int32]
    # positions in `places` of its first character, and after its last
    first: NDArray[np.integer]
    last: NDArray[np.integer]
    # position in the text of each character that n-grams are made of; -1 for white space
    places: NDArray[np.int64]


def find_ngrams(text: str, views: Sequence[NgramView]) -> list[FoundNgrams]:
    """Find, for each view of the form "text", the positions of the n-grams that `count_ngrams` counts."""
    batch = read_batch([text])
    nothing = np.empty(0, np.int64)
    found = [FoundNgrams(nothing.astype(np.int32), nothing, nothing, nothing)] * len(views)
    for windows, numbers in _find(batch, views):
        # the characters of the units, concatenated
        sizes = windows.ends - windows.begins
        ends = np.cumsum(sizes)
        characters = np.arange(sizes.sum()) + np.repeat(windows.ends - ends, sizes)
        pieces = windows.pieces
        places = np.where(pieces.is_space[characters], -1, pieces.places[characters] - batch.starts[0])
        for number in numbers:
            lengths, chosen = windows.seen_by(views[number])
            longer, unit = np.nonzero(chosen)
            buckets = _buckets(windows.hashes[lengths][chosen]).astype(np.int32)
            last = ends[unit + longer + views[number].shortest - 1]
            found[number] = FoundNgrams(buckets, (ends - sizes)[unit], last, places)
    return found


def stack_rows(parts: Sequence[SparseRows]) -> SparseRows:
    """Concatenate batches of rows."""
    lengths = np.concatenate([np.diff(part.starts) for part in parts]) if parts else np.empty(0, np.int64)
    return SparseRows(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.concatenate([part.indices for part in parts]) if parts else np.empty(0, np.int32),
        np.concatenate([part.values for part in parts]) if parts else np.empty(0, np.float32),
    )


def take_rows(rows: SparseRows, chosen: NDArray[np.int64]) -> SparseRows:
    """Select rows, in the order given."""
    lengths = np.diff(rows.starts)[chosen]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.arange(starts[-1]) + np.repeat(rows.starts[:-1][chosen] - starts[:-1], lengths)
    return SparseRows(starts, rows.indices[places], rows.values[places])


def take_views(rows: SparseRows, views: int, chosen: Sequence[int]) -> SparseRows:
    """Select the counts of some of several views, by their numbers in rising order."""
    numbers = np.full(views, -1)
    numbers[list(chosen)] = np.arange(len(chosen))
    number = numbers[rows.indices >> BUCKET_BITS]
    kept = np.flatnonzero(number >= 0)
    buckets = rows.indices[kept] & np.int32((1 << BUCKET_BITS) - 1)
    indices = (number[kept] << BUCKET_BITS).astype(np.int32) | buckets
    return SparseRows(kept.searchsorted(rows.starts), indices, rows.values[kept])


def _find(pages: TextBatch, views: Sequence[NgramView]) -> Iterator[tuple[_Windows, list[int]]]:
    """Find the n-grams of a batch, once for views that share unit, form and (words only) part; number these views."""
    for form in dict.fromkeys(view.form for view in views):
        alike = [number for number, view in enumerate(views) if view.form == form]
        pieces = pages.pieces if form == "text" else pages.lines_of_shapes()
        if not len(pieces.owners):
            continue
        bits = part_bits(pieces, pages.texts, {views[number].part for number in alike})
        if own := [number for number in alike if views[number].unit == "character"]:
            yield _character_windows(pieces, bits, *_lengths(views, own)), own
        words = None
        for part in dict.fromkeys(views[number].part for number in alike if views[number].unit == "word"):
            words = words or _words(pieces, (pages.kinds[pieces.places] & LETTER) > 0)
            own = [number for number in alike if (views[number].unit, views[number].part) == ("word", part)]
            inside = (bits[words.begins] & np.uint8(PART_BITS[part])) > 0
            yield _word_windows(pieces, bits, words.take(inside), *_lengths(views, own)), own


def _lengths(views: Sequence[NgramView], numbers: Sequence[int]) -> tuple[int, int]:
    return min(views[number].shortest for number in numbers), max(views[number].longest for number in numbers)


class _Words(NamedTuple):
    """The words of a batch: hashes, first characters, positions after the last, and numbers of their texts."""

    hashes: NDArray[np.uint32]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    owners: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_]) -> _Words:
        return _Words(self.hashes[chosen], self.begins[chosen], self.ends[chosen], self.owners[chosen])


def _words(pieces: Pieces, letter: NDArray[np.bool_]) -> _Words:
    # the characters begin and end with white space, which is no letter
    edges = np.flatnonzero(letter[1:] != letter[:-1]) + 1
    begins, ends = edges[::2], edges[1::2]
    terms = (pieces.codes + _U32(1)) * _powers(_BASE, len(letter))
    prefix = np.concatenate([np.zeros(1, _U32), np.cumsum(terms, dtype=_U32)])
    hashes = (prefix[ends] - prefix[begins]) * _powers(_BASE_INVERSE, len(letter))[begins]
    return _Words(hashes, begins, ends, pieces.owners[pieces.numbers[begins]])


def _word_windows(pieces: Pieces, bits: NDArray[np.uint8], words: _Words, shortest: int, longest: int) -> _Windows:
    """Find the n-grams of words."""
    shape = (longest - shortest + 1, len(words.hashes))
    hashes, found, inside = words.hashes, np.zeros(shape, _U32), np.zeros(shape, np.bool_)
    for n in range(1, longest + 1):
        if n > 1:
            # mixed before the next word is added, because the order of the words matters
            hashes = _mix(hashes[:-1]) + words.hashes[n - 1 :]
        if n >= shortest:
            found[n - shortest, : len(hashes)] = hashes
            inside[n - shortest, : len(hashes)] = words.owners[: len(hashes)] == words.owners[n - 1 :]
    bits = bits[words.begins]
    return _Windows(found, inside, bits, words.owners, words.begins, words.ends, pieces, shortest)


def _character_windows(pieces: Pieces, bits: NDArray[np.uint8], shortest: int, longest: int) -> _Windows:
    """Find the n-grams of characters inside pieces and the white space around them."""
    lengths = np.arange(shortest, longest + 1, dtype=np.int32)
    # for each character, the number of characters up to the next white space, both included
    begins = np.arange(len(pieces.codes), dtype=np.int32)
    room = (pieces.gaps[1:].astype(np.int32) + np.int32(1))[pieces.numbers] - begins
    inside = room >= lengths[:, None]
    if shortest == 1:
        inside[0] &= ~pieces.is_space
    hashes = codes = pieces.codes + _U32(1)
    found = np.zeros(inside.shape, _U32)
    for n in range(1, longest + 1):
        if n > 1:
            hashes = hashes[:-1] * _U32(_BASE) + codes[n - 1 :]
        if n >= shortest:
            np.add(hashes, _U32(n), out=found[n - shortest, : len(hashes)])
    return _Windows(found, inside, bits, pieces.owners[pieces.numbers], begins, begins + 1, pieces, shortest)


def _buckets(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return _mix(hashes) >> _U32(32 - BUCKET_BITS)


def _mix(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Mix the hashes over all 32 bits, so that their top bits are good bucket numbers."""
    mixed = hashes ^ (hashes >> _U32(16))
    mixed *= _U32(0x85EBCA6B)
    mixed ^= mixed >> _U32(13)
    mixed *= _U32(0xC2B2AE35)
    mixed ^= mixed >> _U32(16)
    return mixed


def _powers(base: int, count: int) -> NDArray[np.uint32]:
    """Give ``base ** 0 .. base ** (count - 1)`` modulo 2 ** 32."""
    size = max(1024, 1 << (count - 1).bit_length() if count else 0)
    return _power_table(base, size)[:count]


@cache
def _power_table(base: int, size: int) -> NDArray[np.uint32]:
    powers = np.full(size, base, dtype=_U32)
    powers[0] = 1
    return np.cumprod(powers, dtype=_U32)
