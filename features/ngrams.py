"""Word and character n-grams of texts, counted by the compiled core.

An n-gram is known by the number of one of ``2 ** 22`` buckets, a hash of its characters; see ``core/ngrams.c``. It
shares its bucket with one of the kept ones with a probability of about ``kept / 2 ** 22``: 2.4 % with 100,000 kept
n-grams.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.core.texts import Observed, locate, observe, view_bytes
from features.layout import PART_BITS, PagePart

BUCKET_BITS = 22

Form = Literal["text", "shape"]
LONGEST = 1_000
"""Maximum n of an n-gram."""
MOST_VIEWS = 512
"""Their numbers and those of the buckets share 31 bits."""


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
        Part of the page; see `features.layout.PagePart`. Word n-grams are made of the successive words that begin
        there; a character n-gram is there if its first character that is not white space is.
    form : {"text", "shape"}, default "text"
        The text itself; or a letter for the kind of each character: u, l, d, p or b for upper case, lower case, digit,
        punctuation or space, with runs cut to two, so that the lengths of words and ruled lines do not matter. In
        shapes, a space is a character like others and an n-gram stays in its line; only the whole page has them.
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


def count_ngrams(texts: Iterable[str], views: Sequence[NgramView]) -> SparseRows:
    """Count the n-grams of texts in several views: one row per text, the views side by side.

    ``indices`` are numbers of buckets, those of the second view from ``2 ** 22`` on, and so on; ``values`` are counts.
    """
    compiled = compiled_views(tuple(views))
    return stack_observed(observe(list(texts), compiled))


def stack_observed(observed: Sequence[Observed]) -> SparseRows:
    """Put the counts, or the TF-IDF rows, of batches of texts below each other."""
    rows = [SparseRows(batch.starts, batch.keys, batch.times) for batch in observed]
    return rows[0] if len(rows) == 1 else stack_rows(rows)


@cache
def compiled_views(views: tuple[NgramView, ...]) -> bytes:
    """Give views as the core takes them."""
    if len(views) > MOST_VIEWS:
        raise ValueError(f"at most {MOST_VIEWS} views are counted together")
    return b"".join(map(_compiled, views))


def _compiled(view: NgramView) -> bytes:
    return view_bytes(
        is_word=view.unit == "word",
        shortest=view.shortest,
        longest=view.longest,
        part=PART_BITS[view.part],
        is_shape=view.form == "shape",
    )


class FoundNgrams(NamedTuple):
    """The positions of the n-grams of one text in a view."""

    # bucket of each occurrence of an n-gram
    buckets: NDArray[np.int32]
    # positions in `places` of its first character, and after its last
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    # position in the text of each character that n-grams are made of; -1 for white space
    places: NDArray[np.int32]


def find_ngrams(text: str, view: NgramView) -> FoundNgrams:
    """Find the positions of the n-grams that `count_ngrams` counts."""
    return FoundNgrams(*locate(text, _compiled(view)))


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
    if not chosen:
        return SparseRows(np.zeros_like(rows.starts), rows.indices[:0], rows.values[:0])
    numbers = np.full(views, -1)
    numbers[list(chosen)] = np.arange(len(chosen))
    number = numbers[rows.indices >> BUCKET_BITS]
    kept = np.flatnonzero(number >= 0)
    buckets = rows.indices[kept] & np.int32((1 << BUCKET_BITS) - 1)
    indices = (number[kept] << BUCKET_BITS).astype(np.int32) | buckets
    return SparseRows(kept.searchsorted(rows.starts), indices, rows.values[kept])
