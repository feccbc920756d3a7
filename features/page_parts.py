"""Parts of a page by where words stand on it, and the page written as shapes of characters.

On paper, where a word stands says as much as the word: a letter begins with an address, a form has its labels before
colons. The parts are found from the text alone. A text that came without its line breaks (many digital PDFs) is
wrapped, so that "the first five lines" means about as much of the page as elsewhere.
"""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["Form", "Part", "has_lines", "line_spans", "part_spans", "part_text", "shape_of"]

Part = Literal["page", "top", "head", "tail", "starts", "labels"]
Form = Literal["text", "shape"]

TOP_LINES = 10
HEAD_LINES = 5
TAIL_CHARACTERS = 300
LONGEST_LINE = 100
"""Characters; what is longer is no line of a page and is wrapped."""
MEAN_LINE = 150
"""Characters; from this mean length on, line breaks end paragraphs and show nothing of the page."""

_LINE = re.compile(r"\S(?:[^\n]{0,98}\S)?(?!\S)|\S{100}\S*")
_START = re.compile(r"\S+(?:[^\S\n]+\S+)?")
_LABEL = re.compile(r"[^\W_][^\n:]{0,25}:")
_RUN = re.compile(r"(.)\1{2,}")


class _Shapes(dict[int, str]):
    """Character to the letter that stands for its kind, worked out when first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char == "\n":
            kind = "\n"
        elif char.isspace():
            kind = "b"
        elif char.isdecimal():
            kind = "d"
        elif char.isalpha():
            kind = "u" if char.isupper() else "l"
        else:
            kind = "p"
        self[code] = kind
        return kind


_SHAPES = _Shapes()


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


def part_spans(text: str, part: Part) -> list[tuple[int, int]]:
    r"""Find a part of a page.

    Parameters
    ----------
    text : str
        Cleaned text.
    part : {"page", "top", "head", "tail", "starts", "labels"}
        All of it; its first ten lines; its first five; its last 300 characters; the first two words of each line
        (none where `has_lines` says no); what stands before a colon, up to 25 characters.

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
            lines = line_spans(text[: 20 * TOP_LINES * LONGEST_LINE])[: TOP_LINES if part == "top" else HEAD_LINES]
            return [(lines[0][0], lines[-1][1])] if lines else []
        case "tail":
            return [(max(len(text.rstrip()) - TAIL_CHARACTERS, 0), len(text.rstrip()))]
        case "labels":
            return [match.span() for match in _LABEL.finditer(text)]
        case "starts":
            if not has_lines(text):
                return []
            found = (_START.match(text, start, end) for start, end in line_spans(text))
            return [match.span() for match in found if match]


def part_text(text: str, part: Part, form: Form = "text") -> str:
    r"""Give a part of a page as one text, its pieces on lines of their own.

    Parameters
    ----------
    text : str
        Cleaned text.
    part
        As `part_spans`.
    form : {"text", "shape"}
        As it stands, or as `shape_of` writes it.

    Examples
    --------
    >>> part_text("To: all\nFrom: me", "starts")
    'To: all\nFrom: me'
    """
    if part != "page":
        text = "\n".join(text[start:end] for start, end in part_spans(text, part))
    return text if form == "text" else shape_of(text)


def shape_of(text: str) -> str:
    """Write a letter for the kind of each character: u, l, d, p and b for upper, lower, digit, punctuation and blank.

    Runs count as two, so that neither the length of a word nor that of a ruled line matters.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Shapes, with the line breaks of the text.

    Examples
    --------
    >>> shape_of("Invoice No. 2041:")
    'ullbulpbddp'
    """
    return _RUN.sub(r"\1\1", text.translate(_SHAPES))
