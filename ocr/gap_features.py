"""The features of the gap between two pages of a stack: what speaks for and against a new document after it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ocr.page_evidence import Line, PageEvidence

_NEAR = 3
"""Pages before and after a gap in which page numbers are looked for."""

Numbers = tuple[float, ...]

NUMBER_FEATURES = (
    *("number is next", "number is not next", "number is 1", "number is later", "number was the last"),
    *("more pages were announced", "numbers end", "numbers go on around", "number 2 comes next", "totals differ"),
)
TEXT_FEATURES = (
    *("same head", "same foot", "same line", "no head in common", "salutation", "closing", "closing and salutation"),
    *("date above", "same date", "other date", "codes in common", "other codes", "names in common"),
    *("words in common", "same language", "says continued", "issuer above", "issuer above only here"),
    *("sentence goes on", "sentence ended", "paragraphs go on", "paragraphs begin again"),
)
LAYOUT_FEATURES = (
    *("heading", "larger heading", "page before is full", "page before is half empty", "begins low", "few words"),
    *("few words before", "other letter height", "other letter width", "other margin", "other shape"),
    *("other direction", "other source", "other quality", "blank between", "page before unread", "page unread"),
)
FEATURES = (*NUMBER_FEATURES, *TEXT_FEATURES, *LAYOUT_FEATURES)
"""Names of the features, each about 0 to 1."""


def gap_features(pages: Sequence[PageEvidence], before: int, after: int) -> NDArray[np.float64]:
    """Give the features of the gap between two written pages of a stack, by their positions; all between are blank."""
    left, right = pages[before], pages[after]
    values = (*_numbers(pages, before, after), *_texts(left, right), *_layouts(left, right, after - before - 1))
    return np.array(values, dtype=np.float64)


def _numbers(pages: Sequence[PageEvidence], before: int, after: int) -> Numbers:
    left, right = pages[before].number, pages[after].number
    apart = after - before
    goes_on = differ = False
    if left and right:
        differ = bool(left.total and right.total and left.total != right.total)
        goes_on = 0 < right.number - left.number <= apart and not differ
    trust = 1.0 if right and right.is_named else 0.8
    following = next((pages[i].number for i in range(after + 1, min(len(pages), after + 3)) if pages[i].number), None)
    second = right is None and following is not None and following.number == 2 and _at(pages, after + 1) == 2
    return (
        trust if goes_on else 0.0,
        trust if left and right and not goes_on else 0.0,
        trust if right and right.number == 1 else 0.0,
        trust if right and right.number > 1 and not goes_on and left is None else 0.0,
        1.0 if left and left.total and left.number == left.total else 0.0,
        1.0 if left and left.total and left.number < left.total else 0.0,
        1.0 if left and left.is_named and right is None else 0.0,
        1.0 if (left is None or right is None) and _bridged(pages, before, after) else 0.0,
        1.0 if second and not (left and left.number == 1 and apart == 1) else 0.0,
        1.0 if differ else 0.0,
    )


def _at(pages: Sequence[PageEvidence], place: int) -> int:
    number = pages[place].number if place < len(pages) else None
    return number.number if number else 0


def _bridged(pages: Sequence[PageEvidence], before: int, after: int) -> bool:
    """Say whether the nearest numbers before and after a gap fit one document."""
    back = ((i, pages[i].number) for i in range(before, max(-1, before - _NEAR), -1))
    on = ((i, pages[i].number) for i in range(after, min(len(pages), after + _NEAR)))
    start, first = next((found for found in back if found[1]), (0, None))
    end, last = next((found for found in on if found[1]), (0, None))
    if first is None or last is None:
        return False
    same = first.total == last.total or not first.total or not last.total
    return same and last.number - first.number == end - start


def _texts(left: PageEvidence, right: PageEvidence) -> Numbers:
    head, foot = _overlap(_marks(left.head), _marks(right.head)), _overlap(_marks(left.foot), _marks(right.foot))
    common = len({_plain(line) for line in left.lines} & {_plain(line) for line in right.lines} - {""})
    codes = left.codes & right.codes
    date_above = bool(right.head_dates)
    _, ends_open = left.is_continued
    starts_open, _ = right.is_continued
    goes_on, ended = _sentence(left, right)
    last, first = left.outline[1], right.outline[0]
    return (
        head,
        foot,
        min(common, 3) / 3,
        1.0 if left.head and right.head and head == 0 else 0.0,
        float(right.has_salutation),
        float(left.has_closing),
        float(left.has_closing and right.has_salutation),
        float(date_above),
        1.0 if right.head_dates & left.dates else 0.0,
        1.0 if right.head_dates and left.dates and not right.head_dates & left.dates else 0.0,
        min(len(codes), 3) / 3,
        1.0 if left.codes and right.codes and not codes else 0.0,
        _overlap(left.names, right.names),
        _cosine(left.words, right.words),
        _cosine(left.small_words, right.small_words),
        float(ends_open or starts_open),
        right.issuer_marks / 4,
        max(0, right.issuer_marks - left.issuer_marks) / 4 if head < 0.5 else 0.0,
        goes_on,
        ended,
        1.0 if last and first and 0 <= first - last <= 1 else 0.0,
        1.0 if last > 1 and first == 1 else 0.0,
    )


def _layouts(left: PageEvidence, right: PageEvidence, blanks: int) -> Numbers:
    bottom = max((line.bottom for line in left.body), default=0.0)
    one, other = left.page, right.page
    shapes = [math.log(max(1, page.width) / max(1, page.height)) for page in (one, other)]
    # in small print, running text is no heading
    scale = max(left.letter_height, right.letter_height)
    heading = _heading(right, scale)
    return (
        heading,
        max(0.0, heading - _heading(left, scale)),
        1.0 if bottom > 0.8 else 0.0,
        1.0 if bottom < 0.6 else 0.0,
        min(1.0, max(0.0, right.span[0] - left.span[0]) * 5) if left.lines and right.lines else 0.0,
        _few(right),
        _few(left),
        _ratio(left.letter_height, right.letter_height),
        _ratio(left.letter_width, right.letter_width),
        min(1.0, abs(left.margin - right.margin) * 8),
        min(1.0, abs(shapes[0] - shapes[1]) * 8),
        1.0 if one.rotation != other.rotation else 0.0,
        1.0 if "none" not in (one.source, other.source) and one.source != other.source else 0.0,
        min(1.0, abs(one.confidence - other.confidence) / 25),
        1.0 if blanks else 0.0,
        1.0 if not left.lines else 0.0,
        1.0 if not right.lines else 0.0,
    )


def _heading(page: PageEvidence, scale: float) -> float:
    return min(1.0, max(0.0, math.log(max(1.0, page.heading / scale if scale else 0.0)) - 0.2))


def _few(page: PageEvidence) -> float:
    return max(0.0, 1 - len(page.tokens) / 60)


def _ratio(one: float, other: float) -> float:
    return min(1.0, 3 * abs(math.log(one / other))) if one and other else 0.0


def _sentence(left: PageEvidence, right: PageEvidence) -> tuple[float, float]:
    """Say whether a sentence runs from one page to the next, and whether one ended."""
    above = next((line.text.rstrip() for line in reversed(left.body) if len(line.text) > 25), "")
    below = next((line.text.lstrip(" \"'“([«-–—") for line in right.body if len(line.text) > 25), "")
    if not above or not below:
        return 0.0, 0.0
    is_open = above[-1].isalpha() or above[-1] in ",-–"
    return (1.0 if is_open and below[0].islower() else 0.0), (1.0 if above[-1] in ".!?" else 0.0)


def _plain(line: Line) -> str:
    """Give the letters of a line that is long enough to be a title; page numbers change from page to page."""
    letters = "".join(filter(str.isalpha, line.text.casefold()))
    return letters if len(letters) > 11 else ""


def _marks(lines: Iterable[Line]) -> set[str]:
    words = (word.strip(".,;:()-–|").casefold() for line in lines for word in line.text.split())
    return {word for word in words if len(word) > 2 and not word.isdecimal()}


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other))) if len(one & other) > 1 else 0.0


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    product = sum(count * other[word] for word, count in one.items())
    size = math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    return product / size if size else 0.0
