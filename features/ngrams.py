"""Word and character n-grams of whole batches of texts, counted by rolling hashes in numpy.

An n-gram's number is a 64-bit polynomial hash of its characters, reduced to one of ``2 ** 22`` buckets. Prefix sums
give the hash of every window of a text at once, so no Python loop runs over n-grams. Two different n-grams share a
bucket with a chance of about ``kept / 2 ** 22``: 2.4 % of the n-grams at 100,000 kept ones.

Source of the rolling hash: R. M. Karp and M. O. Rabin, "Efficient randomized pattern-matching algorithms",
IBM Journal of Research and Development 31(2), 1987. Feature hashing: K. Weinberger et al., "Feature hashing for large
scale multitask learning", ICML 2009.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.characters import BLANK, LETTER, Pages, read_pages
from features.page_parts import Part, line_spans, part_spans

__all__ = [
    "BATCH",
    "VIEWS",
    "FoundNgrams",
    "NgramTable",
    "NgramView",
    "SparseRows",
    "count_views",
    "find_ngrams",
    "fit_ngrams",
    "stack_rows",
    "take_rows",
]

BUCKET_BITS = 22
OF_LINES = ("top", "head", "starts")
# A batch of this size keeps its windows in the processor's cache: seen fastest between 16 and 64.
BATCH = 32

_U64 = np.uint64
_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(_BASE, -1, 2**64)
_MIX = _U64(0xD6E8FEB86659FD93)

Form = Literal["text", "shape"]
_Windows = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]


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
        its ends only, so that it stays in a word and knows whether the word begins or ends a line.
    shortest, longest : int
        Bounds of n.
    part : {"page", "top", "head", "tail", "starts", "labels"}, default "page"
        Where on the page; see `features.page_parts.part_spans`.
    form : {"text", "shape"}, default "text"
        The text itself; or a letter for the kind of each character (`features.characters.Pages.shapes`), runs cut to
        two so that neither the length of a word nor that of a ruled line matters. There a blank is a character like
        others and a window stays in its line.
    """

    name: str
    unit: Literal["word", "character"]
    shortest: int
    longest: int
    part: Part = "page"
    form: Form = "text"


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


class _Encoded(NamedTuple):
    """Parts of the texts of a batch as one array of characters, with prefix sums of their hashes.

    ``owner`` says whose a character is: number of the part times the number of texts, plus that of the text.
    ``places`` says where it stands in its own text; what was put between pieces has no meaning there.
    """

    codes: NDArray[np.uint32]
    places: NDArray[np.int64]
    owner: NDArray[np.int64]
    prefix: NDArray[np.uint64]
    blank: NDArray[np.bool_]
    letter: NDArray[np.bool_]


def count_views(pages: Pages, views: Sequence[NgramView]) -> list[SparseRows]:
    """Count the n-grams of a batch, as several views see it.

    Parameters
    ----------
    pages : Pages
        The texts; a batch of about 32 is fastest.
    views : sequence of NgramView
        What to count.

    Returns
    -------
    list of SparseRows
        One a view; each with one row a text. ``indices`` are bucket numbers below ``2 ** 22``, ``values`` the counts.

    Examples
    --------
    >>> (rows,) = count_views(read_pages(["to be or not to be"]), VIEWS[:1])
    >>> sorted(rows.values.tolist())  # twice "to", "be", "to be"; once "or", "not", "be or", "or not", "not to"
    [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    """
    size = len(pages.texts)
    parts = list(dict.fromkeys((view.part, view.form) for view in views))
    encoded = _encode(pages, parts)
    hashes, owners = [np.empty(0, _U64)], [np.empty(0, np.int64)]
    for unit, windows in (("word", _word_windows), ("character", _character_windows)):
        wanted = [(number, view) for number, view in enumerate(views) if view.unit == unit]
        if not wanted:
            continue
        lengths = range(min(view.shortest for _, view in wanted), max(view.longest for _, view in wanted) + 1)
        # all parts at once, then each view takes those of its own
        for n, (found, first, _) in zip(lengths, windows(encoded, lengths), strict=True):
            owner = encoded.owner[first]
            bounds = np.searchsorted(owner, np.arange(len(parts) + 1) * size).tolist()
            for number, view in wanted:
                if view.shortest <= n <= view.longest:
                    part = parts.index((view.part, view.form))
                    own = slice(bounds[part], bounds[part + 1])
                    hashes.append(found[own])
                    owners.append(owner[own] + (number - part) * size)
    keys = (np.concatenate(owners).astype(_U64) << _U64(BUCKET_BITS)) | _buckets(np.concatenate(hashes))
    keys, counts = np.unique(keys, return_counts=True)
    starts = np.searchsorted(keys, np.arange(len(views) * size + 1, dtype=_U64) << _U64(BUCKET_BITS))
    buckets, values = (keys & _U64(2**BUCKET_BITS - 1)).astype(np.int32), counts.astype(np.float32)
    rows = []
    for number in range(len(views)):
        own_starts = starts[number * size : (number + 1) * size + 1]
        own = slice(own_starts[0], own_starts[-1])
        rows.append(SparseRows(own_starts - own_starts[0], buckets[own], values[own]))
    return rows


class FoundNgrams(NamedTuple):
    """Where the n-grams of one text stand.

    Parameters
    ----------
    buckets : ndarray of int32, shape (n,)
        Bucket of each n-gram, as often as it stands there.
    first, last : ndarray of int64, shape (n,)
        Its first character, and the one behind its last, as positions in `places`.
    places : ndarray of int64, shape (m,)
        Where on the page each character stands that n-grams are made of; -1 for white space.
    """

    buckets: NDArray[np.int32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    places: NDArray[np.int64]


def find_ngrams(text: str, view: NgramView) -> FoundNgrams:
    r"""Find where the n-grams of a text stand, those that `count_views` counts.

    Parameters
    ----------
    text : str
        Cleaned text of the whole page.
    view : NgramView
        What to find; of the form "text".

    Returns
    -------
    FoundNgrams
        Each n-gram, and its place on the page.

    Examples
    --------
    >>> found = find_ngrams("Total  due", NgramView(name="pairs", unit="word", shortest=2, longest=2))
    >>> found.places[found.first[0] : found.last[0]].tolist()
    [0, 1, 2, 3, 4, -1, 7, 8, 9]
    """
    encoded = _encode(read_pages([text]), [(view.part, view.form)])
    windows = _word_windows if view.unit == "word" else _character_windows
    found = windows(encoded, range(view.shortest, view.longest + 1))
    hashes, first, last = (np.concatenate(column) for column in zip(*found, strict=True))
    return FoundNgrams(_buckets(hashes).astype(np.int32), first, last, np.where(encoded.blank, -1, encoded.places))


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramTable:
    """The n-grams kept from the training texts, and how much each one says.

    Parameters
    ----------
    view : NgramView
        What is counted.
    buckets : ndarray of int32, shape (m,)
        The buckets kept, rising.
    idf : ndarray of float32, shape (m,)
        Inverse document frequency ``ln((1 + n) / (1 + df)) + 1``, as scikit-learn's ``TfidfTransformer`` defines it.
    """

    view: NgramView
    buckets: NDArray[np.int32]
    idf: NDArray[np.float32]
    _ranks: NDArray[np.uint64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # for every 32 buckets which are kept, and above that how many are kept before them; sums of 32 different powers
        # of two are exact in double precision
        powers = np.exp2(self.buckets & 31)
        bits = np.bincount(self.buckets >> 5, powers, minlength=2**BUCKET_BITS >> 5).astype(_U64)
        counts = np.bitwise_count(bits).astype(_U64)
        object.__setattr__(self, "_ranks", ((np.cumsum(counts) - counts) << _U64(32)) | bits)

    def weigh(self, counts: SparseRows) -> SparseRows:
        """Turn counts into TF-IDF rows of length 1.

        Parameters
        ----------
        counts : SparseRows
            From `count_views` with the same view.

        Returns
        -------
        SparseRows
            Columns are positions in `buckets`; values ``(1 + ln count) * idf``, each row divided by its Euclidean
            length. A text without a known n-gram is a row of zeros.
        """
        place, known = self.columns_of(counts.indices)
        starts = np.concatenate([[0], np.cumsum(known)])[counts.starts]
        columns = place[known]
        values = (1 + np.log(counts.values[known])) * self.idf[columns]
        rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        # bincount adds up row by row, so a row has the same length, to the last bit, alone and in a batch
        lengths = np.sqrt(np.bincount(rows, values.astype(np.float64) ** 2))
        return SparseRows(starts, columns, (values / lengths[rows]).astype(np.float32))

    def columns_of(self, buckets: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Look buckets up: the column of each, and whether it was kept at all."""
        # a bucket's column is the number of those kept before it
        ranks, bit = self._ranks[buckets >> 5], (buckets & 31).astype(_U64)
        known = (ranks >> bit) & _U64(1) > 0
        inside = np.bitwise_count(ranks & ((_U64(1) << bit) - _U64(1)))
        return (ranks >> _U64(32)).astype(np.int32) + inside, known


def fit_ngrams(counts: SparseRows, view: NgramView, *, min_documents: int = 2) -> NgramTable:
    """Choose the n-grams to keep.

    Parameters
    ----------
    counts : SparseRows
        Counts of all training texts.
    view : NgramView
        What was counted.
    min_documents : int, default 2
        Keep n-grams that stand in at least so many texts.

    Returns
    -------
    NgramTable
        The table that `NgramTable.weigh` needs.
    """
    frequency = np.bincount(counts.indices, minlength=1)
    buckets = np.flatnonzero(frequency >= min_documents)
    documents = len(counts.starts) - 1
    idf = np.log((1 + documents) / (1 + frequency[buckets])) + 1
    return NgramTable(view=view, buckets=buckets.astype(np.int32), idf=idf.astype(np.float32))


def stack_rows(parts: Sequence[SparseRows]) -> SparseRows:
    """Put batches of rows one under the other."""
    lengths = np.concatenate([np.diff(part.starts) for part in parts]) if parts else np.empty(0, np.int64)
    return SparseRows(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.concatenate([part.indices for part in parts]) if parts else np.empty(0, np.int32),
        np.concatenate([part.values for part in parts]) if parts else np.empty(0, np.float32),
    )


def take_rows(rows: SparseRows, chosen: NDArray[np.int64]) -> SparseRows:
    """Choose rows, in the order given.

    Examples
    --------
    >>> (rows,) = count_views(read_pages(["to be", "or", "not"]), VIEWS[:1])
    >>> np.diff(take_rows(rows, np.array([2, 0])).starts).tolist()
    [1, 3]
    """
    lengths = np.diff(rows.starts)[chosen]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.arange(starts[-1]) + np.repeat(rows.starts[:-1][chosen] - starts[:-1], lengths)
    return SparseRows(starts, rows.indices[places], rows.values[places])


def _encode(pages: Pages, parts: Sequence[tuple[Part, Form]]) -> _Encoded:
    """Put parts of the texts one behind the other; their pieces stand on lines of their own."""
    starts: list[int] = []
    lengths: list[int] = []
    owners: list[int] = []
    shapes: list[tuple[int, int]] = []
    lines = [line_spans(text) if any(part in OF_LINES for part, _ in parts) else None for text in pages.texts]
    begins = pages.starts.tolist()
    for number, (part, form) in enumerate(parts):
        begun = len(lengths)
        for i, text in enumerate(pages.texts):
            spans = part_spans(text, part, lines[i])
            # a line break before each piece, and one at the end; the array of the pages begins with one
            starts += [begins[i] + first - 1 for first, _ in spans]
            lengths += [last - first + 1 for first, last in spans]
            owners += [number * len(begins) + i] * (len(spans) + 1)
            starts.append(0)
            lengths.append(1)
        if form == "shape":
            shapes.append((begun, len(lengths)))
    sizes = np.array(lengths, dtype=np.int64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    chosen = np.arange(ends[-1]) + np.repeat(np.array(starts, dtype=np.int64) - ends[:-1], sizes)
    chosen[ends[:-1]] = 0
    owner = np.repeat(np.array(owners, dtype=np.int64), sizes)
    codes, kinds = pages.folded[chosen], pages.kinds[chosen]
    blank, letter = (kinds & BLANK) > 0, (kinds & LETTER) > 0
    breaks = pages.codes[chosen] == ord("\n")
    kept = ~blank
    for begun, ended in shapes:
        own = slice(ends[begun], ends[ended])
        codes[own] = shape = pages.shapes()[chosen[own]]
        blank[own], letter[own] = breaks[own], ~breaks[own]
        runs = np.zeros(len(shape), dtype=bool)
        runs[2:] = (shape[2:] == shape[1:-1]) & (shape[2:] == shape[:-2])
        kept[own] = letter[own] & ~runs
    first = blank.copy()
    first[1:] &= ~blank[:-1] | (owner[1:] != owner[:-1])
    run = np.cumsum(first) - 1
    broken = np.zeros(int(first.sum()), dtype=bool)
    broken[run[breaks]] = True
    codes[first] = np.where(broken, ord("\n"), ord(" "))
    places = np.flatnonzero(kept | first)
    codes, owner, blank, letter = codes[places], owner[places], blank[places], letter[places]
    prefix = np.zeros(len(codes) + 1, dtype=_U64)
    np.cumsum((codes.astype(_U64) + _U64(1)) * _powers(_BASE, len(codes)), out=prefix[1:])
    places = chosen[places] - pages.starts[owner % max(len(begins), 1)]
    return _Encoded(codes, places, owner, prefix, blank, letter)


def _buckets(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return _mix(hashes) >> _U64(64 - BUCKET_BITS)


def _word_windows(encoded: _Encoded, lengths: range) -> Iterator[_Windows]:
    """Words and runs of words: for each length, hashes, first characters, and those behind the last."""
    letter = encoded.letter
    starts = np.flatnonzero(letter & ~np.concatenate([[False], letter[:-1]]))
    ends = np.flatnonzero(letter & ~np.concatenate([letter[1:], [False]])) + 1
    words = (encoded.prefix[ends] - encoded.prefix[starts]) * _powers(_BASE_INVERSE, len(letter))[starts]
    owner = encoded.owner[starts]
    hashes = words
    for n in range(1, lengths.stop):
        if n > 1:
            # the order of the words must count, so the run so far is mixed before the next word is added
            hashes = _mix(hashes[:-1]) + words[n - 1 :] if len(hashes) else hashes
        if n in lengths:
            inside = np.flatnonzero(owner[: len(hashes)] == owner[n - 1 :][: len(hashes)])
            yield hashes[inside], starts[inside], ends[inside + n - 1]


def _character_windows(encoded: _Encoded, lengths: range) -> Iterator[_Windows]:
    """Character windows inside padded words, as `_word_windows` gives them."""
    size = len(encoded.codes)
    inverse = _powers(_BASE_INVERSE, size)
    blanks = np.concatenate([[0], np.cumsum(encoded.blank)])
    for n in lengths:
        count = max(size - n + 1, 0)
        hashes = (encoded.prefix[size + 1 - count :] - encoded.prefix[:count]) * inverse[:count] + _U64(n)
        inside = encoded.owner[:count] == encoded.owner[size - count :]
        if n > 2:
            inside &= blanks[size - count : size] == blanks[1 : count + 1]
        first = np.flatnonzero(inside)
        yield hashes[first], first, first + n


def _mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the hashes over all 64 bits (a multiply-xorshift finaliser), so that the top bits are good buckets."""
    shift = _U64(32)
    mixed = (hashes ^ (hashes >> shift)) * _MIX
    mixed = (mixed ^ (mixed >> shift)) * _MIX
    return mixed ^ (mixed >> shift)


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    """Give ``base ** 0 .. base ** (count - 1)`` modulo 2 ** 64."""
    size = max(1024, 1 << (count - 1).bit_length() if count else 0)
    return _power_table(base, size)[:count]


@cache
def _power_table(base: int, size: int) -> NDArray[np.uint64]:
    powers = np.full(size, base, dtype=_U64)
    powers[0] = 1
    return np.cumprod(powers, dtype=_U64)
