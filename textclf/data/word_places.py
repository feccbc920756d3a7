"""Where on its pages the words of a document's cleaned text are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from features.tokens import fold

if TYPE_CHECKING:
    from ocr.document import Document, Page, Word
    from textclf.model.explain import Explanation, WordAmount

Box = tuple[float, float, float, float]
"""Left, top, right and bottom edge, as shares of the width and height of the upright page."""

STRONGEST = 20
"""Words told as evidence."""
MOST_WORDS = 5_000
"""Words of a page beyond which they are not looked for: a page that a person can read has fewer."""


class PlacedWord(NamedTuple):
    """A word that decided, its page, from 1, and its place there, if that was found."""

    page: int
    text: str
    box: Box | None
    weight: float


def strongest_words(document: Document, explained: Explanation, count: int = STRONGEST) -> list[PlacedWord]:
    """Give the words with the largest absolute amounts, each occurrence by itself, the largest first."""
    ranked = sorted(explained.words, key=lambda word: (-abs(word.amount), word.start))
    wanted = {word.start for word in ranked[:count] if word.amount}
    found: list[PlacedWord] = []
    for page, words in words_of_pages(document, explained.words):
        if not (asked := [word for word in words if word.start in wanted]):
            continue
        places: dict[int, Box] = {}
        for box, word in word_boxes(page, words):
            # of a word broken over two lines, the longer part
            places[word.start] = max(box, places.get(word.start, box), key=lambda edges: edges[2] - edges[0])
        found += [PlacedWord(page.number, word.text, places.get(word.start), word.amount) for word in asked]
    return sorted(found, key=lambda word: -abs(word.weight))


def words_of_pages(document: Document, words: Sequence[WordAmount]) -> Iterator[tuple[Page, list[WordAmount]]]:
    """Split the words of a document's text by page, as `Document.text` joins the pages."""
    start = first = 0
    for page, text in zip(document.pages, document.page_texts, strict=True):
        last = bisect_left(words, start + len(text), lo=first, key=lambda word: word.start)
        yield page, [*words[first:last]]
        first = last
        if text:
            start += len(text) + len("\n\n")


def word_boxes(page: Page, words: Sequence[WordAmount]) -> Iterator[tuple[Box, WordAmount]]:
    """Give the boxes of the words of a page's cleaned text.

    Cleaning joins hyphenated words, drops specks and corrects letters, so the cleaned words are aligned with those read
    by OCR; where they differ, words between two matches are assigned in order.
    """
    read = [word for word in page.words if word.text.strip()]
    if not page.width or not page.height or max(len(read), len(words)) > MOST_WORDS:
        return
    for word, number in zip(read, _aligned(words, read), strict=True):
        if number is not None:
            left, top, right, bottom = word.box
            yield (left / page.width, top / page.height, right / page.width, bottom / page.height), words[number]


def _aligned(words: Sequence[WordAmount], read: Sequence[Word]) -> list[int | None]:
    """Find for each word that was read the position of the cleaned word that it became."""
    from rapidfuzz.distance import Levenshtein

    operations = Levenshtein.opcodes([fold(word.text) for word in words], [fold(word.text) for word in read])
    found: list[int | None] = [None] * len(read)
    # neighbouring replacements, insertions and deletions are one difference
    for is_equal, group in groupby(operations, key=lambda operation: operation.tag == "equal"):
        run = list(group)
        i, i_end, j, j_end = run[0].src_start, run[-1].src_end, run[0].dest_start, run[-1].dest_end
        for k in range(j, j_end if i_end > i else j):
            found[k] = i + k - j if is_equal else i + (k - j) * (i_end - i) // (j_end - j)
    return found
