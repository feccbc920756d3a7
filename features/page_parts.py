"""Parts of a page by where words stand on it.

On paper, where a word stands says as much as the word: a letter begins with an address, a form has its labels before
colons. The parts are found from the text alone. A text that came without its line breaks (many digital PDFs) has no
lines to count, so the first lines of a page end after so many characters, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from features.characters import Pieces

Part = Literal["page", "top", "head", "tail", "starts", "labels"]

PART_BITS: dict[str, int] = {part: 1 << bit for bit, part in enumerate(get_args(Part))}
"""How `part_bits` says that a character is in a part."""
TOP_LINES = 10
HEAD_LINES = 5
LONGEST_LINE = 100
"""Characters; so many a line the first lines of a page have at most, together."""
TAIL_CHARACTERS = 300
MEAN_LINE = 150
"""Characters; from this mean length on, line breaks end paragraphs and show nothing of the page."""
LONGEST_LABEL = 26
"""Characters from where a label begins to its colon."""


def has_lines(text: str) -> bool:
    r"""Say whether a text has the lines of a page: it has none if it is blank, or if its lines are very long.

    Examples
    --------
    >>> has_lines("Dear Sir\nthank you"), has_lines("no line break at all " * 20)
    (True, False)
    """
    lines = text.count("\n") + 1 - text.count("\n\n")
    return bool(text.strip()) and len(text) <= MEAN_LINE * max(lines, 1)


def part_bits(pieces: Pieces, texts: Sequence[str], parts: AbstractSet[Part]) -> NDArray[np.uint8]:
    r"""Say of each character in which parts of its page it is.

    White space is where the piece behind it is.

    Parameters
    ----------
    pieces : Pieces
        The texts, white space squeezed, m characters.
    texts : sequence of str
        The same as they are.
    parts : set of {"page", "top", "head", "tail", "starts", "labels"}
        Which to look for: all of the page; the pieces that begin in its first ten lines and 1,000 characters; in its
        first five lines and 500 characters; in its last 300 characters; the first two pieces of each line (none where
        `has_lines` says no); what stands before a colon on its line, up to 26 characters.

    Returns
    -------
    ndarray of uint8, shape (m,)
        The bits of the parts, `PART_BITS`.

    Examples
    --------
    >>> from features.characters import read_pages
    >>> text = "To: all\nFrom: me\nthis is a memo"
    >>> pieces = read_pages([text]).pieces
    >>> bits = part_bits(pieces, [text], {"starts", "labels"})
    >>> "".join(map(chr, pieces.codes[bits & PART_BITS["labels"] > 0].tolist()))
    '\nto:\nfrom:'
    """
    if parts == {"page"}:
        return np.full(len(pieces.codes), PART_BITS["page"], dtype=np.uint8)
    gaps, owners = pieces.gaps, pieces.owners
    begins = gaps[:-1] + 1
    opens_line = pieces.codes[gaps[:-1]] == ord("\n")
    # the first piece of each text, and the piece behind its last
    bounds = owners.searchsorted(np.arange(len(texts) + 1))
    found = np.full(len(owners), PART_BITS["page"], dtype=np.uint8)
    if "top" in parts or "head" in parts:
        lines = np.cumsum(opens_line)
        firsts = bounds[:-1][owners]
        line, place = lines - lines[firsts], begins - begins[firsts]
        for part, number in (("top", TOP_LINES), ("head", HEAD_LINES)):
            found |= ((line < number) & (place < number * LONGEST_LINE)) * np.uint8(PART_BITS[part])
    if "tail" in parts:
        ends = gaps[bounds[1:]][owners]
        found |= (ends - begins <= TAIL_CHARACTERS) * np.uint8(PART_BITS["tail"])
    if "starts" in parts:
        paged = np.array([has_lines(text) for text in texts], dtype=np.bool_)[owners]
        starts = opens_line.copy()
        starts[1:] |= opens_line[:-1]
        found |= (starts & paged) * np.uint8(PART_BITS["starts"])
    bits = found[pieces.numbers]
    if "labels" in parts:
        colons = np.flatnonzero(pieces.codes == ord(":"))
        line_begins = begins[opens_line]
        first = np.maximum(line_begins[line_begins.searchsorted(colons, side="right") - 1], colons - LONGEST_LABEL)
        first[1:] = np.maximum(first[1:], colons[:-1] + 1)
        first -= pieces.blank[first - 1]
        for begin, colon in zip(first.tolist(), colons.tolist(), strict=True):
            bits[begin : colon + 1] |= PART_BITS["labels"]
    return bits
