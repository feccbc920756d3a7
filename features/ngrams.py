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
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.characters import BLANK, LETTER, Pages, read_pages
from features.page_parts import Part, line_spans, part_spans

__all__ = [
    "BATCH",
    "BUCKET_BITS",
    "VIEWS",
    "FoundNgrams",
    "NgramView",
    "SparseRows",
    "count_ngrams",
    "find_ngrams",
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


class _Section(NamedTuple):
    """A part of the pages, and the numbers of the views that look at it: at most one of them sees characters."""

    part: Part
    form: Form
    words: list[int]
    characters: list[int]


class _Encoded(NamedTuple):
    """Sections of the texts of a batch as one array of characters, with prefix sums of their hashes.

    ``bounds`` says where each section begins, and where the last one ends. ``owners`` says whose a character is:
    number of the section times the number of texts, plus that of the text. ``places`` says where it stands among the
    characters of the batch; it has no meaning for what was put between pieces.
    """

    bounds: list[int]
    owners: NDArray[np.int64]
    places: NDArray[np.int64]
    prefix: NDArray[np.uint64]
    blank: NDArray[np.bool_]
    letter: NDArray[np.bool_]


class _Windows(NamedTuple):
    """N-grams where they stand: hashes, first characters, and those behind the last.

    ``owners`` are as in `_Encoded`, but with the numbers of views for those of sections.
    """

    hashes: NDArray[np.uint64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    owners: NDArray[np.int64]


def count_ngrams(pages: Pages, views: Sequence[NgramView]) -> SparseRows:
    """Count the n-grams of a batch, as several views see it.

    Parameters
    ----------
    pages : Pages
        The texts; a batch of about 32 is fastest.
    views : sequence of NgramView
        What to count.

    Returns
    -------
    SparseRows
        One row a text, all views side by side. ``indices`` are numbers of buckets, those of the second view from
        ``2 ** 22`` on, and so on; ``values`` are the counts.

    Examples
    --------
    >>> rows = count_ngrams(read_pages(["to be or not to be"]), VIEWS[:1])
    >>> sorted(rows.values.tolist())  # twice "to", "be", "to be"; once "or", "not", "be or", "or not", "not to"
    [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    """
    size, width = len(pages.texts), len(views)
    if not size or not views:
        return SparseRows(np.zeros(size + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    _, windows = _find(pages, tuple(views))
    # from one view behind the other to one text behind the other
    blocks = np.arange(size * width, dtype=_U64).reshape(size, width).T.ravel() << _U64(BUCKET_BITS)
    keys: NDArray[Any] = _buckets(windows.hashes) | blocks[windows.owners]
    if size * width <= 2 ** (32 - BUCKET_BITS):
        # 32 bits are sorted in less time than 64
        keys = keys.astype(np.uint32)
    keys.sort()
    ends = np.append(np.flatnonzero(keys[1:] != keys[:-1]), np.arange(len(keys))[-1:])
    keys = keys[ends].astype(np.int64)
    begins = np.arange(size) * (width << BUCKET_BITS)
    starts = np.append(np.searchsorted(keys, begins), len(keys))
    indices = (keys - np.repeat(begins, np.diff(starts))).astype(np.int32)
    return SparseRows(starts, indices, np.diff(ends, prepend=-1).astype(np.float32))


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
    pages = read_pages([text])
    encoded, found = _find(pages, (view,))
    places = np.where(encoded.blank, -1, encoded.places - pages.starts[0])
    return FoundNgrams(_buckets(found.hashes).astype(np.int32), found.first, found.last, places)


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
    >>> rows = count_ngrams(read_pages(["to be", "or", "not"]), VIEWS[:1])
    >>> np.diff(take_rows(rows, np.array([2, 0])).starts).tolist()
    [1, 3]
    """
    lengths = np.diff(rows.starts)[chosen]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.arange(starts[-1]) + np.repeat(rows.starts[:-1][chosen] - starts[:-1], lengths)
    return SparseRows(starts, rows.indices[places], rows.values[places])


def _find(pages: Pages, views: tuple[NgramView, ...]) -> tuple[_Encoded, _Windows]:
    """Find the n-grams of a batch that some views see."""
    sections = _sections(views)
    encoded = _encode(pages, sections)
    found = [
        *_word_windows(encoded, sections, views, len(pages.texts)),
        *_character_windows(encoded, sections, views, len(pages.texts)),
    ]
    nothing = np.empty(0, np.int64)
    found.append(_Windows(np.empty(0, _U64), nothing, nothing, nothing))
    hashes, first, last, owners = zip(*found, strict=True)
    return encoded, _Windows(
        np.concatenate(hashes), np.concatenate(first), np.concatenate(last), np.concatenate(owners)
    )


def _buckets(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return _mix(hashes) >> _U64(64 - BUCKET_BITS)


@cache
def _sections(views: tuple[NgramView, ...]) -> list[_Section]:
    """Say what has to be looked at for some views; sections with words come first."""
    sections: list[_Section] = []
    for number, view in enumerate(views):
        same = [section for section in sections if (section.part, section.form) == (view.part, view.form)]
        if view.unit == "character":
            same = [section for section in same if not section.characters]
        if not same:
            same = [_Section(view.part, view.form, [], [])]
            sections += same
        (same[0].words if view.unit == "word" else same[0].characters).append(number)
    return sorted(sections, key=lambda section: not section.words)


def _encode(pages: Pages, sections: Sequence[_Section]) -> _Encoded:
    """Put parts of the texts one behind the other; their pieces stand on lines of their own."""
    starts: list[int] = []
    lengths: list[int] = []
    ends_of_texts = [0]
    shapes: list[tuple[int, int]] = []
    by_line = any(section.part in OF_LINES for section in sections)
    lines = [line_spans(text) if by_line else None for text in pages.texts]
    begins = pages.starts.tolist()
    for section in sections:
        begun = len(lengths)
        for text, begin, found in zip(pages.texts, begins, lines, strict=True):
            # a line break before each piece, and one at the end; the array of the pages begins with one
            spans = part_spans(text, section.part, found)
            starts += [begin + first - 1 for first, _ in spans]
            lengths += [last - first + 1 for first, last in spans]
            starts.append(0)
            lengths.append(1)
            ends_of_texts.append(len(lengths))
        if section.form == "shape":
            shapes.append((begun, len(lengths)))
    sizes = np.array(lengths, dtype=np.int64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    chosen = np.arange(ends[-1]) + np.repeat(np.array(starts, dtype=np.int64) - ends[:-1], sizes)
    chosen[ends[:-1]] = 0
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
    # of a run of white space one character is kept, of each text
    first = blank.copy()
    first[1:] &= ~blank[:-1]
    bounds = ends[ends_of_texts]
    first[bounds[:-1]] = True
    kept |= first
    blanks = np.flatnonzero(first)
    codes[blanks] = ord(" ")
    codes[blanks[np.searchsorted(blanks, np.flatnonzero(breaks), side="right") - 1]] = ord("\n")
    places = np.flatnonzero(kept)
    codes, blank, letter = codes[places], blank[places], letter[places]
    prefix = np.zeros(len(codes) + 1, dtype=_U64)
    np.cumsum((codes.astype(_U64) + _U64(1)) * _powers(_BASE, len(codes)), out=prefix[1:])
    bounds = np.searchsorted(places, bounds)
    owners = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    return _Encoded(bounds[:: max(len(begins), 1)].tolist(), owners, chosen[places], prefix, blank, letter)


def _word_windows(
    encoded: _Encoded, sections: Sequence[_Section], views: Sequence[NgramView], size: int
) -> Iterator[_Windows]:
    """Find words and runs of words, of each view and length by itself."""
    wanted = [(place, number) for place, section in enumerate(sections) for number in section.words]
    if not wanted or not size:
        return
    seen = wanted[-1][0] + 1
    letter = encoded.letter[: encoded.bounds[seen]]
    # every text begins and ends with a line break
    starts, ends = np.flatnonzero(letter[1:] & ~letter[:-1]) + 1, np.flatnonzero(letter[:-1] & ~letter[1:]) + 1
    hashes = words = (encoded.prefix[ends] - encoded.prefix[starts]) * _powers(_BASE_INVERSE, len(letter))[starts]
    owners, bounds = encoded.owners[starts], np.searchsorted(starts, encoded.bounds[: seen + 1]).tolist()
    for n in range(1, max(views[number].longest for _, number in wanted) + 1):
        if n > 1:
            # the order of the words must count, so the run so far is mixed before the next word is added
            hashes = _mix(hashes[:-1]) + words[n - 1 :]
        inside = np.flatnonzero(owners[: len(hashes)] == owners[n - 1 :])
        for place, number in wanted:
            if views[number].shortest <= n <= views[number].longest:
                own = inside[np.searchsorted(inside, bounds[place]) : np.searchsorted(inside, bounds[place + 1])]
                yield _Windows(hashes[own], starts[own], ends[own + n - 1], owners[own] + (number - place) * size)


def _character_windows(
    encoded: _Encoded, sections: Sequence[_Section], views: Sequence[NgramView], size: int
) -> Iterator[_Windows]:
    """Find windows of characters inside words and the white space round them, of each length by itself."""
    wanted = {place: views[number] for place, section in enumerate(sections) for number in section.characters}
    length = len(encoded.blank)
    shifts = [((section.characters or [0])[0] - place) * size for place, section in enumerate(sections)]
    owners = encoded.owners + np.repeat(shifts, np.diff(encoded.bounds))
    inverse = _powers(_BASE_INVERSE, length)
    unbroken = np.ones(length, dtype=np.bool_)
    for n in range(1, min(max((view.longest for view in wanted.values()), default=0), length) + 1):
        unbroken = unbroken[: length - n + 1]
        if n > 2:
            unbroken &= ~encoded.blank[n - 2 : length - 1]
        # white space follows on white space only where one text ends and another begins
        inside = unbroken & ~(encoded.blank[:-1] & encoded.blank[1:]) if n == 2 else unbroken.copy()
        for place in range(len(sections)):
            if place not in wanted or not wanted[place].shortest <= n <= wanted[place].longest:
                inside[encoded.bounds[place] : encoded.bounds[place + 1]] = False
        first = np.flatnonzero(inside)
        hashes = (encoded.prefix[n:] - encoded.prefix[: length - n + 1]) * inverse[: length - n + 1]
        yield _Windows(hashes[first] + _U64(n), first, first + n, owners[first])


def _mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the hashes over all 64 bits (a multiply-xorshift finaliser), so that the top bits are good buckets."""
    shift = _U64(32)
    mixed = hashes ^ (hashes >> shift)
    mixed *= _MIX
    mixed ^= mixed >> shift
    mixed *= _MIX
    mixed ^= mixed >> shift
    return mixed


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    """Give ``base ** 0 .. base ** (count - 1)`` modulo 2 ** 64."""
    size = max(1024, 1 << (count - 1).bit_length() if count else 0)
    return _power_table(base, size)[:count]


@cache
def _power_table(base: int, size: int) -> NDArray[np.uint64]:
    powers = np.full(size, base, dtype=_U64)
    powers[0] = 1
    return np.cumprod(powers, dtype=_U64)
