"""What one page of a stack says about where documents begin and end, taken from its words and their places."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from statistics import median
from typing import NamedTuple

from ocr.document import Page, bounding_box
from ocr.page_numbers import PageNumber, page_number_of
from textclf.base.look_format import NO_LOOK

_HEAD, _TOP, _FOOT = 0.16, 0.45, 0.86
"""Shares of the height of the written page: above, below and between them are head, upper part and foot."""
_MOST_LINES, _LONGEST_LINE = 400, 400
_PICTURE = 30
"""Components that look like letters on a page without a word, from which on it is no blank page with specks."""
_EDGE_LINES = 4
"""Lines at the top and at the bottom that may hold the page number."""

_SALUTATION = re.compile(
    r"^\W*(?:dear|gentile|gentil[ei]ssim[oaie]|egregi[oa]?|egr|spett\w*|car[oaie]|sehr geehrte\w*|liebe[rs]?|guten tag|"
    r"madame|monsieur|mesdames|messieurs|ch(?:er|ère)s?|estimad[oa]s?|muy señor\w*|querid[oa]s?|geachte|beste|"
    r"to whom it may concern|ladies and gentlemen|gentlemen|hello|hi|ciao|hallo|bonjour|hola)\b",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\b(?:sincerely|faithfully|(?:kind|best|warm)\w* regards|regards|yours (?:truly|ever)|respectfully|best wishes|"
    r"(?:distinti|cordiali|migliori) saluti|cordialmente|saluti|in fede|mit freundlichen gr[üu](?:ß|ss)en|"
    r"hochachtungsvoll|herzliche gr[üu](?:ß|ss)e|cordialement|salutations|veuillez agréer|atentamente|"
    r"un cordial saludo|saludos|hoogachtend|met vriendelijke groet|with (?:love|thanks)|un abbraccio)\b",
    re.IGNORECASE,
)
_CONTINUED = re.compile(
    r"(?:\b(?:segue|continua|continued|cont['’]?d|carried forward|brought forward|balance forward|(?:a )?riport[oi]|"
    r"please turn over|p\.?t\.?o|vedi retro|übertrag|fortsetzung|suite|sigue|continuación|à reporter)\b|\./\.)",
    re.IGNORECASE,
)
_ISSUER = re.compile(
    r"\b(?:tel|telef|phone|fax|www|p\.? ?iva|partita iva|c\.? ?f|vat|ust|iban|e-?mail|cap\.? soc|reg\.? imp|s\.?p\.?a|"
    r"s\.?r\.?l|ltd|limited|inc|gmbh|plc|via|viale|piazza|corso|street|road|avenue|lane|straße|str|rue|calle)\b|@|\.com|"
    r"\.it\b|\.co\.uk|\.de\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})|(\d{4})-(\d{2})-(\d{2})|"
    r"(\d{1,2})(?:st|nd|rd|th|°|º|\.)?\s+(?:de\s+)?([a-zäéû]{3,10})\.?,?\s+(?:de\s+)?((?:19|20)\d{2})|"
    r"([a-z]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+((?:19|20)\d{2}))\b",
    re.IGNORECASE,
)
_OUTLINE = re.compile(
    r"^\W{0,2}(?:(?:art(?:icle|icolo|ikel|\.)?|section|sez(?:ione|\.)|clause|§)\s*)?(\d{1,2})(?:\.\d{1,2})*[.)\s–-]\s*\S",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"[.,]\d{2}$")
_TOKEN = re.compile(r"[^\W_]+(?:['’.,/-][^\W_]+)*")


class Line(NamedTuple):
    """A line of a page; its box in shares of the page."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    height: float
    """Median height of its words: one letter may be a signature."""


@dataclass(frozen=True)
class PageEvidence:
    """The evidence of one page, worked out when it is asked for."""

    page: Page

    @cached_property
    def lines(self) -> list[Line]:
        """The lines with letters or digits, in reading order."""
        width, height = max(1, self.page.width), max(1, self.page.height)
        lines = []
        for _, run in groupby(self.page.words, key=lambda word: word.line):
            words = list(run)
            text = " ".join(word.text for word in words)
            if any(char.isalnum() for char in text):
                left, top, right, bottom = bounding_box(word.box for word in words)
                tall = median(word.box[3] - word.box[1] for word in words)
                lines.append(
                    Line(
                        text[:_LONGEST_LINE], left / width, top / height, right / width, bottom / height, tall / height
                    )
                )
        return lines[:_MOST_LINES]

    @cached_property
    def is_blank(self) -> bool:
        """Whether nothing is on it but specks; a page that could not be read is not blank, nor is a picture."""
        if self.page.look == NO_LOOK:
            return True
        unread = self.page.status == "failed" or self.page.letters >= _PICTURE
        return not unread and not self.number and sum(map(len, self.tokens)) < 3

    @cached_property
    def span(self) -> tuple[float, float]:
        """Top and bottom of what is written, in shares of the page."""
        return min((line.top for line in self.lines), default=0.0), max((line.bottom for line in self.lines), default=1)

    def _placed(self, line: Line) -> float:
        top, bottom = self.span
        return ((line.top + line.bottom) / 2 - top) / max(0.01, bottom - top)

    @cached_property
    def by_height(self) -> list[Line]:
        """The lines from top to bottom."""
        return sorted(self.lines, key=lambda line: line.top + line.bottom)

    @cached_property
    def head(self) -> list[Line]:
        """The lines of the head."""
        return [line for line in self.by_height if self._placed(line) < _HEAD]

    @cached_property
    def upper(self) -> list[Line]:
        """The lines of the upper part, with the head."""
        return [line for line in self.by_height if self._placed(line) < _TOP]

    @cached_property
    def foot(self) -> list[Line]:
        """The lines of the foot."""
        return [line for line in self.by_height if self._placed(line) > _FOOT]

    @cached_property
    def body(self) -> list[Line]:
        """The lines between the first and the last that may be a running head or foot."""
        top, bottom = self.span
        edge = 0.05 * (bottom - top)
        inside = [line for line in self.lines if line.top > top + edge and line.bottom < bottom - edge]
        return inside or self.lines

    @cached_property
    def number(self) -> PageNumber | None:
        """The page number, from a line at the top or at the bottom."""
        lines = self.by_height
        edges = lines if len(lines) <= 2 * _EDGE_LINES else lines[:_EDGE_LINES] + lines[-_EDGE_LINES:]
        named = page_number_of(line.text for line in edges)
        if named is None or named.is_named:
            return named
        outer = [*lines[:1], *lines[-1:]]
        return page_number_of(line.text for line in outer)

    @cached_property
    def tokens(self) -> list[str]:
        """Words and numbers of the page."""
        return [token for line in self.lines for token in _TOKEN.findall(line.text)]

    @cached_property
    def words(self) -> Counter[str]:
        """Words of four letters or more, folded."""
        return Counter(token.casefold() for token in self.tokens if len(token) > 3 and token.isalpha())

    @cached_property
    def small_words(self) -> Counter[str]:
        """Words of up to three letters, which show the language."""
        return Counter(token.casefold() for token in self.tokens if len(token) < 4 and token.isalpha())

    @cached_property
    def codes(self) -> set[str]:
        """Numbers of contracts, customers, accounts: five digits or more, dates and amounts aside."""
        return {
            "".join(filter(str.isalnum, token))
            for line in self.lines
            if not _ISSUER.search(line.text)
            for token in _TOKEN.findall(line.text)
            if sum(map(str.isdecimal, token)) >= 5 and not _DATE.search(token) and not _AMOUNT.search(token)
        }

    @cached_property
    def names(self) -> set[str]:
        """Capitalised words that follow another word, but for the lines of addresses and companies."""
        found = set()
        for line in self.lines:
            if _ISSUER.search(line.text):
                continue
            words = _TOKEN.findall(line.text)
            found |= {word.casefold() for word in words[1:] if len(word) > 3 and word[0].isupper() and word.isalpha()}
        return found

    @cached_property
    def dates(self) -> set[str]:
        """Dates, as they are written."""
        return _dates(self.lines)

    @cached_property
    def head_dates(self) -> set[str]:
        """Dates in the upper part."""
        return _dates(self.upper)

    @cached_property
    def has_salutation(self) -> bool:
        """Whether a line of the upper part begins with a salutation."""
        return any(_SALUTATION.match(line.text) and len(line.text) < 70 for line in self.upper)

    @cached_property
    def has_closing(self) -> bool:
        """Whether a short line closes a letter."""
        return any(len(line.text) < 80 and _CLOSING.search(line.text) for line in self.lines[len(self.lines) // 3 :])

    @cached_property
    def is_continued(self) -> tuple[bool, bool]:
        """Whether the first lines say that the page continues another, and the last that it is continued."""
        return tuple(  # type: ignore[return-value]
            any(len(line.text) < 90 and _CONTINUED.search(line.text) for line in lines)
            for lines in (self.by_height[:5], self.by_height[-4:])
        )

    @cached_property
    def issuer_marks(self) -> int:
        """How many marks of an address or a company the upper part has, up to 4."""
        return min(4, sum(len(_ISSUER.findall(line.text)) for line in self.upper[:14]))

    @cached_property
    def letter_height(self) -> float:
        """Median height of words, as a share of the width of the page."""
        heights = [box[3] - box[1] for word in self.page.words if len(word.text) > 1 for box in (word.box,)]
        return median(heights) / max(1, self.page.width) if heights else 0.0

    @cached_property
    def letter_width(self) -> float:
        """Median width of a letter, as a share of the width of the page."""
        widths = [(w.box[2] - w.box[0]) / len(w.text) for w in self.page.words if len(w.text) > 3]
        return median(widths) / max(1, self.page.width) if widths else 0.0

    @cached_property
    def heading(self) -> float:
        """Height of the tallest line of the upper part, as a share of the width of the page."""
        heights = [line.height for line in self.upper if sum(map(str.isalpha, line.text)) > 3]
        return max(heights, default=0.0) * max(1, self.page.height) / max(1, self.page.width)

    @cached_property
    def margin(self) -> float:
        """Median left edge of the lines."""
        return median([line.left for line in self.lines]) if self.lines else 0.0

    @cached_property
    def outline(self) -> tuple[int, int]:
        """First and last number of its numbered paragraphs; 0 without any."""
        found = [int(match[1]) for line in self.body if (match := _OUTLINE.match(line.text)) and line.left < 0.3]
        return (found[0], found[-1]) if found else (0, 0)


def _dates(lines: list[Line]) -> set[str]:
    return {re.sub(r"\W+", "-", match[0]).casefold() for line in lines for match in _DATE.finditer(line.text)}
