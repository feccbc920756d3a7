"""Word and character n-grams of whole batches of texts, counted by rolling hashes in numpy.

An n-gram's number is a 32-bit polynomial hash of its characters, mixed and reduced to one of ``2 ** 22`` buckets. All
windows of a batch are hashed at once, so no Python loop runs over n-grams; views that look at parts of the page choose
from the windows of the whole. Two different n-grams share a bucket with a chance of about ``kept / 2 ** 22``: 2.4 % of
the n-grams at 100,000 kept ones.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramView:
    """What to count in a text.

    Parameters
    ----------
    name : str
        Names the view in the model file.
    unit : {"word", "character"}
        Words are those of `features.tokens.tokenize`. Characters are folded, runs of white space are one blank, or one
        line break if they hold one, and a text begins and ends with a line break. A window may touch white space with
        its ends only, so that it stays in a word and knows whether the word begins or ends a line; it is never white
        space alone.
    shortest, longest : int
        Bounds of n.
    part : {"page", "top", "head", "tail", "starts", "labels"}, default "page"
        Where on the page; see `features.layout.part_bits`. Runs are of the words that begin there, one after the
        other, whatever stands between; windows of characters are there if their first character that is not white space
        is.
    form : {"text", "shape"}, default "text"
        The text itself; or a letter for the kind of each character (`TextBatch.shapes`), runs cut to
        two so that neither the length of a word nor that of a ruled line matters. There a blank is a character like
        others and a window stays in its line. Of the whole page only.
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


# chosen by cross-validation on scanned office pages: benchmarks/bench_views.py shows what each is worth
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
    """Rows with few values that are not zero, as SciPy's CSR matrices hold them.

    ``indices[starts[i]:starts[i + 1]]`` are the columns of row i in rising order, ``values`` the values there.
    """

    starts: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]


class _Windows(NamedTuple):
    """The windows of a batch over m units, words or characters: of each length from each unit on."""

    # number of the n-gram of each length that begins at each unit, and whether there is one: shape (lengths, m)
    hashes: NDArray[np.uint32]
    inside: NDArray[np.bool_]
    # in which parts of its page those are that begin at each unit
    bits: NDArray[np.uint8]
    # number of the text that each unit is of
    owners: NDArray[np.int64]
    # first character of each unit, and the one behind its last, in `pieces`
    begins: NDArray[np.integer]
    ends: NDArray[np.integer]
    pieces: Pieces
    # the first of the lengths
    shortest: int

    def seen_by(self, view: NgramView) -> tuple[slice, NDArray[np.bool_]]:
        """Say which a view of this unit and form counts: the lengths, and of these the windows."""
        lengths = slice(view.shortest - self.shortest, view.longest - self.shortest + 1)
        inside = self.inside[lengths]
        if view.part == "page":
            return lengths, inside
        return lengths, inside & ((self.bits & np.uint8(PART_BITS[view.part])) > 0)


def count_ngrams(pages: TextBatch, views: Sequence[NgramView]) -> SparseRows:
    """Count the n-grams of a batch, as several views see it: one row a text, all views side by side.

    ``indices`` are numbers of buckets, those of the second view from ``2 ** 22`` on, and so on; ``values`` are counts.
    """
    size, width = len(pages.texts), len(views)
    if not size or not views:
        return SparseRows(np.zeros(size + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    # one text behind the other, and in each one view behind the other: a text begins at a multiple of a power of two
    shift = BUCKET_BITS + (width - 1).bit_length()
    # 32 bits are sorted in less time than 64
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
    """Where the n-grams of one text stand, as a view sees it."""

    # bucket of each n-gram, as often as it stands there
    buckets: NDArray[np.int32]
    # its first character, and the one behind its last, as positions in `places`
    first: NDArray[np.integer]
    last: NDArray[np.integer]
    # where on the page each character stands that n-grams are made of; -1 for white space
    places: NDArray[np.int64]


def find_ngrams(text: str, views: Sequence[NgramView]) -> list[FoundNgrams]:
    r"""Find where the n-grams of a text stand that `count_ngrams` counts, for each view; of the form "text"."""
    batch = read_batch([text])
    nothing = np.empty(0, np.int64)
    found = [FoundNgrams(nothing.astype(np.int32), nothing, nothing, nothing)] * len(views)
    for windows, numbers in _find(batch, views):
        # the characters of the units, one unit behind the other
        sizes = windows.ends - windows.begins
        ends = np.cumsum(sizes)
        characters = np.arange(sizes.sum()) + np.repeat(windows.ends - ends, sizes)
        pieces = windows.pieces
        places = np.where(pieces.blank[characters], -1, pieces.places[characters] - batch.starts[0])
        for number in numbers:
            lengths, chosen = windows.seen_by(views[number])
            longer, unit = np.nonzero(chosen)
            buckets = _buckets(windows.hashes[lengths][chosen]).astype(np.int32)
            last = ends[unit + longer + views[number].shortest - 1]
            found[number] = FoundNgrams(buckets, (ends - sizes)[unit], last, places)
    return found


def stack_rows(parts: Sequence[SparseRows]) -> SparseRows:
    """Put batches of rows one under the other."""
    lengths = np.concatenate([np.diff(part.starts) for part in parts]) if parts else np.empty(0, np.int64)
    return SparseRows(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.concatenate([part.indices for part in parts]) if parts else np.empty(0, np.int32),
        np.concatenate([part.values for part in parts]) if parts else np.empty(0, np.float32),
    )


def take_rows(rows: SparseRows, chosen: NDArray[np.int64]) -> SparseRows:
    """Choose rows, in the order given."""
    lengths = np.diff(rows.starts)[chosen]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.arange(starts[-1]) + np.repeat(rows.starts[:-1][chosen] - starts[:-1], lengths)
    return SparseRows(starts, rows.indices[places], rows.values[places])


def take_views(rows: SparseRows, views: int, chosen: Sequence[int]) -> SparseRows:
    """Keep the counts of some of so many views, chosen by their numbers in rising order."""
    numbers = np.full(views, -1)
    numbers[list(chosen)] = np.arange(len(chosen))
    number = numbers[rows.indices >> BUCKET_BITS]
    kept = np.flatnonzero(number >= 0)
    buckets = rows.indices[kept] & np.int32((1 << BUCKET_BITS) - 1)
    indices = (number[kept] << BUCKET_BITS).astype(np.int32) | buckets
    return SparseRows(kept.searchsorted(rows.starts), indices, rows.values[kept])


def _find(pages: TextBatch, views: Sequence[NgramView]) -> Iterator[tuple[_Windows, list[int]]]:
    """Find the n-grams of a batch, for views that look at the same at once; say the numbers of these views."""
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
    """Words of a batch: hashes, first characters, those behind the last, and numbers of the texts."""

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
    """Find words and runs of words."""
    shape = (longest - shortest + 1, len(words.hashes))
    hashes, found, inside = words.hashes, np.zeros(shape, _U32), np.zeros(shape, np.bool_)
    for n in range(1, longest + 1):
        if n > 1:
            # the order of the words must count, so the run so far is mixed before the next word is added
            hashes = _mix(hashes[:-1]) + words.hashes[n - 1 :]
        if n >= shortest:
            found[n - shortest, : len(hashes)] = hashes
            inside[n - shortest, : len(hashes)] = words.owners[: len(hashes)] == words.owners[n - 1 :]
    bits = bits[words.begins]
    return _Windows(found, inside, bits, words.owners, words.begins, words.ends, pieces, shortest)


def _character_windows(pieces: Pieces, bits: NDArray[np.uint8], shortest: int, longest: int) -> _Windows:
    """Find windows of characters inside pieces and the white space round them."""
    lengths = np.arange(shortest, longest + 1, dtype=np.int32)
    # for each character, how many there are from it to the next white space, both counted
    begins = np.arange(len(pieces.codes), dtype=np.int32)
    room = (pieces.gaps[1:].astype(np.int32) + np.int32(1))[pieces.numbers] - begins
    inside = room >= lengths[:, None]
    if shortest == 1:
        inside[0] &= ~pieces.blank
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
    """Spread the hashes over all 32 bits, so that the top bits are good buckets."""
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
