"""Parts of a page by where words stand on it.

On paper, where a word stands says as much as the word: a letter begins with an address, a form has its labels before
colons. The parts are found from the text alone. A text that came without its line breaks (many digital PDFs) is
wrapped, so that "the first five lines" means about as much of the page as elsewhere.
"""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["Part", "has_lines", "label_spans", "line_spans", "part_spans"]

Part = Literal["page", "top", "head", "tail", "starts", "labels"]

TOP_LINES = 10
HEAD_LINES = 5
TAIL_CHARACTERS = 300
LONGEST_LINE = 100
"""Characters; what is longer is no line of a page and is wrapped."""
MEAN_LINE = 150
"""Characters; from this mean length on, line breaks end paragraphs and show nothing of the page."""

_LINE = re.compile(r"\S(?:[^\n]{0,98}\S)?(?!\S)|\S{100}\S*")
_START = re.compile(r"\S+(?:[^\S\n]+\S+)?")
_LETTER = re.compile(r"[^\W_]")
LONGEST_LABEL = 26
"""Characters before the colon."""


def line_spans(text: str) -> list[tuple[int, int]]:
    r"""Find the lines that are not blank; longer ones than 100 characters are wrapped at a blank.

    Parameters
    ----------
    text : str
        Cleaned text.

    Returns
    -------
    list of (int, int)
        Start and end of each, without the blanks around it.

    Examples
    --------
    >>> line_spans("To: all\n\n  From: me")
    [(0, 7), (11, 19)]
    """
    return [match.span() for match in _LINE.finditer(text)]


def has_lines(text: str) -> bool:
    r"""Say whether a text has the lines of a page: it has none if it is blank, or if its lines are very long.

    Examples
    --------
    >>> has_lines("Dear Sir\nthank you"), has_lines("no line break at all " * 20)
    (True, False)
    """
    lines = text.count("\n") + 1 - text.count("\n\n")
    return bool(text.strip()) and len(text) <= MEAN_LINE * max(lines, 1)


def part_spans(text: str, part: Part, lines: list[tuple[int, int]] | None = None) -> list[tuple[int, int]]:
    r"""Find a part of a page.

    Parameters
    ----------
    text : str
        Cleaned text.
    part : {"page", "top", "head", "tail", "starts", "labels"}
        All of it; its first ten lines; its first five; its last 300 characters; the first two words of each line
        (none where `has_lines` says no); what stands before a colon, up to 25 characters.
    lines : list of (int, int), optional
        From `line_spans`, if known.

    Returns
    -------
    list of (int, int)
        Start and end of each piece, in order.

    Examples
    --------
    >>> text = "To: all\nFrom: me\nthis is a memo"
    >>> [text[start:end] for start, end in part_spans(text, "labels")]
    ['To:', 'From:']
    """
    match part:
        case "page":
            return [(0, len(text))]
        case "top" | "head":
            found = lines or line_spans(text[: 20 * TOP_LINES * LONGEST_LINE])
            last = min(TOP_LINES if part == "top" else HEAD_LINES, len(found))
            return [(found[0][0], found[last - 1][1])] if found else []
        case "tail":
            return [(max(len(text.rstrip()) - TAIL_CHARACTERS, 0), len(text.rstrip()))]
        case "labels":
            return label_spans(text)
        case "starts":
            if not has_lines(text):
                return []
            starts = (_START.match(text, start, end) for start, end in lines or line_spans(text))
            return [match.span() for match in starts if match]


def label_spans(text: str) -> list[tuple[int, int]]:
    r"""Find what stands before the colons, from its first letter or digit on the line, with the colon.

    Examples
    --------
    >>> label_spans("(To: all\nfrom me: 7")
    [(1, 4), (9, 17)]
    """
    spans, after = [], 0
    colon = text.find(":")
    while colon >= 0:
        earliest = max(after, colon - LONGEST_LABEL)
        first = _LETTER.search(text, max(earliest, text.rfind("\n", earliest, colon) + 1), colon)
        after = colon + 1
        if first:
            spans.append((first.start(), after))
        colon = text.find(":", after)
    return spans
