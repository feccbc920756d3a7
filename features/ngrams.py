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
    "EncodedTexts",
    "FoundNgrams",
    "NgramTable",
    "NgramView",
    "SparseRows",
    "count_ngrams",
    "count_views",
    "encode_pages",
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
    NgramView(name="phrases", unit="word", shortest=3, longest=3),
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


class EncodedTexts(NamedTuple):
    """A part of the texts of a batch as one array of characters, with prefix sums of their hashes.

    ``places`` says where each character stands in its own text; what was put between pieces has no meaning there.
    """

    size: int
    codes: NDArray[np.uint32]
    places: NDArray[np.int64]
    document: NDArray[np.int64]
    prefix: NDArray[np.uint64]
    blank: NDArray[np.bool_]
    letter: NDArray[np.bool_]


def encode_pages(
    pages: Pages, part: Part = "page", form: Form = "text", lines: Sequence[list[tuple[int, int]]] | None = None
) -> EncodedTexts:
    """Turn texts into the arrays that views count from.

    Parameters
    ----------
    pages : Pages
        The texts; a batch of about 32 is fastest.
    part, form
        As `NgramView`. The pieces of a part stand on lines of their own.
    lines : sequence of list of (int, int), length n, optional
        From `features.page_parts.line_spans` for each text, if known.

    Returns
    -------
    EncodedTexts
        Characters and hash prefix sums of all texts, one behind the other.
    """
    starts: list[int] = []
    lengths: list[int] = []
    documents: list[int] = []
    for i, (text, start) in enumerate(zip(pages.texts, pages.starts.tolist(), strict=True)):
        spans = part_spans(text, part, lines[i] if lines else None)
        # a line break before each piece, and one at the end; the array of the pages begins with one
        starts += [start + first - 1 for first, _ in spans]
        lengths += [last - first + 1 for first, last in spans]
        documents += [i] * (len(spans) + 1)
        starts.append(0)
        lengths.append(1)
    sizes = np.array(lengths, dtype=np.int64)
    ends = np.cumsum(sizes)
    chosen = np.arange(ends[-1] if len(ends) else 0) + np.repeat(np.array(starts, dtype=np.int64) - ends + sizes, sizes)
    chosen[ends - sizes] = 0
    document = np.repeat(np.array(documents, dtype=np.int64), sizes)
    kinds = pages.kinds[chosen]
    if form == "shape":
        codes = pages.shapes()[chosen]
        breaks = blank = codes == ord("\n")
        kept = np.ones(len(codes), dtype=bool)
        kept[2:] = (codes[2:] != codes[1:-1]) | (codes[2:] != codes[:-2]) | blank[2:]
        letter = ~blank
    else:
        codes = pages.folded[chosen]
        blank, letter = (kinds & BLANK) > 0, (kinds & LETTER) > 0
        breaks = pages.codes[chosen] == ord("\n")
        kept = ~blank
    first = blank.copy()
    first[1:] &= ~blank[:-1] | (document[1:] != document[:-1])
    run = np.cumsum(first) - 1
    broken = np.zeros(int(first.sum()), dtype=bool)
    broken[run[breaks]] = True
    codes[first] = np.where(broken, ord("\n"), ord(" "))
    places = np.flatnonzero((kept & ~blank) | first)
    codes, document, blank, letter = codes[places], document[places], blank[places], letter[places]
    prefix = np.zeros(len(codes) + 1, dtype=_U64)
    np.cumsum((codes.astype(_U64) + _U64(1)) * _powers(_BASE, len(codes)), out=prefix[1:])
    return EncodedTexts(
        len(pages.texts), codes, chosen[places] - pages.starts[document], document, prefix, blank, letter
    )


def count_ngrams(encoded: EncodedTexts, view: NgramView) -> SparseRows:
    """Count the n-grams of a batch.

    Parameters
    ----------
    encoded : EncodedTexts
        From `encode_pages`, with the part and the form of the view.
    view : NgramView
        What to count.

    Returns
    -------
    SparseRows
        One row a text; ``indices`` are bucket numbers below ``2 ** 22``, ``values`` the counts.

    Examples
    --------
    >>> rows = count_ngrams(encode_pages(read_pages(["to be or not to be"])), VIEWS[0])
    >>> sorted(rows.values.tolist())  # twice "to", "be", "to be"; once "or", "not", "be or", "or not", "not to"
    [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    """
    hashes, first, _ = _windows(encoded, view)
    documents = encoded.document[first].astype(_U64)
    keys = (documents << _U64(BUCKET_BITS)) | _buckets(hashes)
    keys, counts = np.unique(keys, return_counts=True)
    rows = (keys >> _U64(BUCKET_BITS)).astype(np.int64)
    starts = np.searchsorted(rows, np.arange(encoded.size + 1))
    return SparseRows(starts, (keys & _U64(2**BUCKET_BITS - 1)).astype(np.int32), counts.astype(np.float32))


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
        One a view; each with one row a text.
    """
    lines = [line_spans(text) for text in pages.texts] if any(view.part in OF_LINES for view in views) else None
    encoded: dict[tuple[Part, Form], EncodedTexts] = {}
    for view in views:
        if (view.part, view.form) not in encoded:
            encoded[view.part, view.form] = encode_pages(pages, view.part, view.form, lines)
    return [count_ngrams(encoded[view.part, view.form], view) for view in views]


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
    r"""Find where the n-grams of a text stand, those that `count_ngrams` counts.

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
    encoded = encode_pages(read_pages([text]), view.part)
    hashes, first, last = _windows(encoded, view)
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
    _bits: NDArray[np.uint64] = field(init=False, repr=False, compare=False)
    _before: NDArray[np.int32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kept = np.zeros(2**BUCKET_BITS, dtype=bool)
        kept[self.buckets] = True
        bits = np.packbits(kept, bitorder="little").view("<u8")
        counts = np.bitwise_count(bits)
        object.__setattr__(self, "_bits", bits)
        object.__setattr__(self, "_before", np.cumsum(counts, dtype=np.int32) - counts)

    def weigh(self, counts: SparseRows) -> SparseRows:
        """Turn counts into TF-IDF rows of length 1.

        Parameters
        ----------
        counts : SparseRows
            From `count_ngrams` with the same view.

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
        # a bucket's column is the number of those kept before it: of whole words of 64 bits, and within its own
        word, bit = buckets >> 6, (buckets & 63).astype(_U64)
        bits = self._bits[word]
        known = (bits >> bit) & _U64(1) > 0
        return self._before[word] + np.bitwise_count(bits & ((_U64(1) << bit) - _U64(1))), known


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
    >>> rows = count_ngrams(encode_pages(read_pages(["to be", "or", "not"])), VIEWS[0])
    >>> np.diff(take_rows(rows, np.array([2, 0])).starts).tolist()
    [1, 3]
    """
    lengths = np.diff(rows.starts)[chosen]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.arange(starts[-1]) + np.repeat(rows.starts[:-1][chosen] - starts[:-1], lengths)
    return SparseRows(starts, rows.indices[places], rows.values[places])


def _windows(encoded: EncodedTexts, view: NgramView) -> _Windows:
    """Hashes of all n-grams, with the first character of each and the one behind its last."""
    windows = _word_windows if view.unit == "word" else _character_windows
    hashes, first, last = zip(*windows(encoded, view.shortest, view.longest), strict=True)
    return np.concatenate(hashes), np.concatenate(first), np.concatenate(last)


def _buckets(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return _mix(hashes) >> _U64(64 - BUCKET_BITS)


def _word_windows(encoded: EncodedTexts, shortest: int, longest: int) -> Iterator[_Windows]:
    """Words and runs of words."""
    letter = encoded.letter
    starts = np.flatnonzero(letter & ~np.concatenate([[False], letter[:-1]]))
    ends = np.flatnonzero(letter & ~np.concatenate([letter[1:], [False]])) + 1
    words = (encoded.prefix[ends] - encoded.prefix[starts]) * _powers(_BASE_INVERSE, len(letter))[starts]
    document = encoded.document[starts]
    hashes = words
    for n in range(1, longest + 1):
        if n > 1:
            # the order of the words must count, so the run so far is mixed before the next word is added
            hashes = _mix(hashes[:-1]) + words[n - 1 :] if len(hashes) else hashes
        if n >= shortest:
            inside = np.flatnonzero(document[: len(hashes)] == document[n - 1 :][: len(hashes)])
            yield hashes[inside], starts[inside], ends[inside + n - 1]


def _character_windows(encoded: EncodedTexts, shortest: int, longest: int) -> Iterator[_Windows]:
    """Character windows inside padded words."""
    size = len(encoded.codes)
    inverse = _powers(_BASE_INVERSE, size)
    blanks = np.concatenate([[0], np.cumsum(encoded.blank)])
    for n in range(shortest, longest + 1):
        count = max(size - n + 1, 0)
        hashes = (encoded.prefix[size + 1 - count :] - encoded.prefix[:count]) * inverse[:count] + _U64(n)
        inside = encoded.document[:count] == encoded.document[size - count :]
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
