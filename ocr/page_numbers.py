"""Page numbers as they are printed: "1/3", "pagina 2 di 4", "Page 2 of 4", "- 2 -", also where OCR misread them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

MOST = 999
"""Highest number that is taken for that of a page."""

_DIGITS = str.maketrans("lI|!OoQZSB", "1111000258")
_FOR_ONE, _FOR_DIGITS = "lI|!", "lI|!ZSB"
"""Letters that are taken for a number where they stand alone: without and with a number of pages after them."""
_NUMBER = r"([0-9lI|!OoQZSB]{1,3})"
_CONFUSED = {"a": "aáàä4o", "e": "ec3é", "g": "gq9s", "i": "iíì1l!|", "l": "l1I|", "o": "oóò0c", "p": "pf", "t": "tfl"}
"""What OCR reads for a letter; a pattern ignores case."""
_NAMES = (
    *("page", "pagina", "página", "pag", "pg", "seite", "blatt", "foglio", "sheet", "folha", "hoja", "feuille"),
    *("feuillet", "folio", "bladzijde", "blz", "side", "strona"),
)
_OF = r"(?:of|di|de|von|sur|aus|su|van|af|av|z|0f|o[ft£]|d[il1!|]|v[o0]n|dei|delle|out\s+of|[/\\|I]|[-–—])"


def _misread(name: str) -> str:
    """Give a pattern that also fits what OCR may make of a name."""
    return "".join(f"[{re.escape(_CONFUSED[letter])}]" if letter in _CONFUSED else letter for letter in name)


_NAMED = re.compile(
    rf"(?:^|[^\w])(?:{'|'.join(map(_misread, sorted(_NAMES, key=len, reverse=True)))}|[Pp]|S)"
    rf"(?:\s*(?:nr|no|n)\b)?[\s.:,°º#-]*{_NUMBER}(?:\s*\(?{_OF}\s*{_NUMBER})?(?![\w/])",
    re.IGNORECASE,
)
_PAIR = re.compile(rf"{_NUMBER}\s*(?:/|\||\b(?:of|di|von|de|sur|van|su|0f)\b)\s*{_NUMBER}", re.IGNORECASE)
_ALONE = re.compile(r"[-–—~=.·•*(\[|]*\s*([0-9]{1,3})\s*[-–—~=.·•*)\]|]*")


class PageNumber(NamedTuple):
    """The number printed on a page, how many pages it says there are (0 if it does not), and whether it is named."""

    number: int
    total: int = 0
    # "Page 2" and "2/3" are; a mere "2" may be anything
    is_named: bool = True


def page_number(line: str) -> PageNumber | None:
    """Read the page number of a line of the head or the foot of a page.

    Examples
    --------
    >>> page_number("Polizza 4711 - pagina 2 di 4")
    PageNumber(number=2, total=4, is_named=True)
    >>> page_number("Page l of 3"), page_number("- 2 -")
    (PageNumber(number=1, total=3, is_named=True), PageNumber(number=2, total=0, is_named=False))
    >>> page_number("12/03/2024"), page_number("3/2")
    (None, None)
    """
    line = line.strip()[:300]
    named = [found for match in _NAMED.finditer(line) if (found := _found(match[1], match[2]))]
    if named:
        # "page 2 of the annex to page 1": that with a total, else the last
        return next((found for found in named if found.total), named[-1])
    pair = _PAIR.fullmatch(line.strip(" -–—.,;:()[]{}'\"*"))
    if pair:
        return _found(pair[1], pair[2])
    if alone := _ALONE.fullmatch(line):
        found = _found(alone[1], None)
        return found and found._replace(is_named=False)
    return None


def page_number_of(lines: Iterable[str]) -> PageNumber | None:
    """Choose among the page numbers of lines: that with a total before others, and a named one before a mere number.

    Examples
    --------
    >>> page_number_of(["7", "Rossi S.p.A.", "pag. 2", "Seite 2 von 3"])
    PageNumber(number=2, total=3, is_named=True)
    """
    found = [number for line in lines if (number := page_number(line))]
    return max(found, key=lambda number: (number.total > 0, number.is_named), default=None)


def _found(number: str, total: str | None) -> PageNumber | None:
    """Make the number, unless it cannot be one."""
    of = 0 if total is None else _value(total)
    page = _value(number, alone=_FOR_DIGITS if of else _FOR_ONE)
    if page is None or of is None or not 0 < page <= MOST or (total is not None and not page <= of <= MOST):
        return None
    return PageNumber(page, of)


def _value(text: str, alone: str = "") -> int | None:
    # two letters are a word
    if not any(letter.isdecimal() for letter in text) and text not in tuple(alone):
        return None
    read = text.translate(_DIGITS)
    return int(read) if read.isascii() and read.isdecimal() else None
