"""The results of reading: words, pages, documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from ocr.cleaning import joined_pages
from textclf.base.look_format import NO_LOOK

N = TypeVar("N", int, float)
Status = Literal["ok", "partial", "failed", "skipped"]
"""``ok``: read in full. ``partial``: some pages or text are missing. ``failed``: nothing could be read.
``skipped``: reading was not tried (no document, or not wanted)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word, as the engine read it.

    Parameters
    ----------
    text : str
        The word, as read (not cleaned).
    confidence : float
        The engine's confidence, 0 to 100; words of a text layer have 100.
    box : tuple of int
        Left, top, right and bottom edge in pixels of the upright page image; for a text layer, of the page
        at 72 dots per inch.
    line : int
        Number of its text line on the page, from 0, in reading order.
    """

    text: str
    confidence: float
    box: tuple[int, int, int, int]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a document.

    Parameters
    ----------
    number : int
        From 1, in the order of the file.
    text : str
        Cleaned text, with its line structure.
    raw_text : str
        The text from the engine or the text layer, not cleaned.
    words : tuple of Word
        The words with box and confidence, in reading order.
    source : {"ocr", "text layer", "none"}
        Where the text comes from; "none" when nothing could be read.
    engine : str
        Name and version of the engine that read all or some of it, such as ``tesserocr 5.5.0``; empty for a text layer
        alone.
    confidence : float
        Mean confidence of the words, weighted by length, 0 to 100; 0 without words.
    rotation : int
        Degrees by which the image was turned upright, counter-clockwise: 0, 90, 180 or 270.
    part : float
        Share of the page that was read, from the top, in rows with ink: 0 to 1.
    scale : float
        Factor between the image's pixels and those given to the engine; 1 for a text layer.
    width, height : int
        Size of the upright page image in pixels, before scaling; for a text layer in points.
    letters : int
        Number of connected components of ink that look like letters; letters that touch count as one.
    letters_unread : int
        Number of these that lie in no word.
    look : str
        What the upright image shows, as `textclf.base.look_format` writes it; empty if that was not measured.
    status : {"ok", "partial", "failed", "skipped"}
        Whether it was read in full.
    error : str
        What is missing and why, in one line; empty if all was read.
    seconds : float
        Time spent on the page.
    is_separator : bool
        Whether it is a sheet with a bar code that separates documents; found only where stacks are split.
    """

    number: int
    text: str = ""
    raw_text: str = ""
    words: tuple[Word, ...] = ()
    source: Literal["ocr", "text layer", "none"] = "none"
    engine: str = ""
    confidence: float = 0.0
    rotation: int = 0
    part: float = 1.0
    scale: float = 1.0
    width: int = 0
    height: int = 0
    letters: int = 0
    letters_unread: int = 0
    look: str = ""
    status: Status = "ok"
    error: str = ""
    seconds: float = 0.0
    is_separator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which pages of a file a document is, where the file was split.

    Parameters
    ----------
    of : str
        Id of the whole file.
    first_page, last_page : int
        From 1.
    score : float
        Probability that it begins and ends there, as far as its least certain gap between pages says: .5 to 1.
    is_sure : bool
        Whether all cuts of the file are sure; if not, a person should look at where it was cut.
    """

    of: str
    first_page: int
    last_page: int
    score: float
    is_sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of one or more pages.

    Parameters
    ----------
    document_id : str
        The path under the folder given, with ``/``; or what the caller named it.
    file : str
        The path it was read from; empty for bytes.
    sha256 : str
        Of its content, in hexadecimal; empty if that could not be read.
    pages : tuple of Page
        The pages that were tried, in order.
    page_count : int
        Pages of the file, including those beyond the limit; 0 if unknown.
    status : {"ok", "partial", "failed", "skipped"}
        ``partial`` if any page was not read in full.
    error : str
        One line that says what is missing and why; empty if all was read.
    seconds : float
        Time spent on all its pages together.
    part : Part, optional
        Which pages of its file it is, if the file was split.
    """

    document_id: str
    file: str = ""
    sha256: str = ""
    pages: tuple[Page, ...] = ()
    page_count: int = 0
    status: Status = "ok"
    error: str = ""
    seconds: float = 0.0
    part: Part | None = None

    @property
    def page_texts(self) -> list[str]:
        """Cleaned text of each page; a word broken over two pages is joined on the first."""
        return joined_pages(page.text for page in self.pages)

    @property
    def text(self) -> str:
        """Cleaned text of all pages, a blank line between two."""
        return "\n\n".join(filter(None, self.page_texts))

    @property
    def paged_text(self) -> str:
        """Cleaned text of all pages, a form feed between two; a page that is blank or was not read is empty."""
        texts = dict(zip((page.number for page in self.pages), self.page_texts, strict=True))
        first = self.part.first_page if self.part else 1
        paged = "\f".join(texts.get(number, "") for number in range(first, max(texts, default=0) + 1))
        # other programs also end the last page with a form feed, so an empty one needs two
        return f"{paged}\f" if paged.endswith("\f") else paged

    @property
    def raw_text(self) -> str:
        """Text of all pages as it was read, a form feed between two."""
        return "\f".join(page.raw_text for page in self.pages)

    @property
    def pages_read(self) -> float:
        """Number of pages read; a page read in part counts as that part."""
        return sum(page.part for page in self.pages if page.status != "failed")

    @property
    def engine(self) -> str:
        """Name and version of the engine that read its pages; empty if text layers were enough."""
        return ", ".join(sorted({page.engine for page in self.pages if page.engine}))

    @property
    def look(self) -> str:
        """The look of the first page that is not blank, which stands for the document; empty if there is none."""
        return next((page.look for page in self.pages if page.look not in ("", NO_LOOK)), "")

    @property
    def confidence(self) -> float:
        """Mean confidence over all words, weighted by length, 0 to 100; 0 without words."""
        return mean_confidence(word for page in self.pages for word in page.words)

    @property
    def confidence_low(self) -> float:
        """The worst page: lowest page confidence among pages with words, 0 to 100; 0 without words.

        A low quantile over pages shows the one bad page in a good document, which a mean hides.
        """
        return min((page.confidence for page in self.pages if page.words), default=0.0)


def mean_confidence(words: Iterable[Word]) -> float:
    """Mean confidence of words, weighted by length, 0 to 100; 0 without words."""
    words = tuple(words)
    length = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / length if length else 0.0


def bounding_box(boxes: Iterable[tuple[N, N, N, N]]) -> tuple[N, N, N, N]:
    """Give the bounding box of boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def lies_in(box: tuple[N, N, N, N], others: Iterable[tuple[N, N, N, N]]) -> bool:
    """Return whether the centre of a box lies in one of others."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in others)
