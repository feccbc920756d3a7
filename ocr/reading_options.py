"""Every choice about reading, and the bounds on what one document may cost."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

from ocr.cleaning import Variants
from textclf.base.errors import UsageError

Effort = Literal["fast", "balanced", "full"]
"""How much of a document is read: strips of pages until that is enough, pages until that is enough, or all."""

_MAX_SCALE = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what is read; all are on unless raised.

    Parameters
    ----------
    max_bytes : int
        Largest file, in bytes; a larger one is refused.
    max_pages : int
        Pages read of one document; of a longer one the first are read, and its status is ``partial``.
    max_pixels : int
        Most pixels of a page image that is worked on; a larger image is scaled down while it is opened.
    max_declared_pixels : int
        Most pixels that a file may announce; one that announces more is a decompression bomb and refused
        before anything is decoded. The default lets a square of 30,000 pixels pass.
    max_memory : int
        Address space of a worker process and of the engine it starts, in bytes (POSIX only); a page that needs
        more fails. It does not bound reading without worker processes.
    max_text_length : int
        Characters kept of one document; what is beyond is cut, and the status is ``partial``.
    seconds_per_page : float
        Time one page may take, all attempts together.

    Raises
    ------
    textclf.base.errors.UsageError
        If a limit is not above 0.

    Examples
    --------
    >>> Limits(max_pages=3).max_pages
    3
    >>> Limits(max_pages=0)
    Traceback (most recent call last):
    ...
    textclf.base.errors.UsageError: max_pages: must be above 0
    """

    max_bytes: int = 200_000_000
    max_pages: int = 100
    max_pixels: int = 40_000_000
    max_declared_pixels: int = 1_000_000_000
    max_memory: int = 8_000_000_000
    max_text_length: int = 1_000_000
    seconds_per_page: float = 60.0

    def __post_init__(self) -> None:
        for limit in fields(self):
            if not getattr(self, limit.name) > 0:
                raise UsageError("must be above 0", where=limit.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """Every choice there is about reading.

    Parameters
    ----------
    languages : tuple of str
        Tesseract's codes; empty for English and Italian, as far as they are installed.
    scale : float or "auto"
        Factor by which images are enlarged before they are read; ``auto`` by the height of letters, see `page_scale`.
    page_segmentation : int
        Tesseract's ``--psm``: 3 finds the layout itself, 6 takes the page for one block of text, 11 collects
        scattered text.
    text_layer : {"auto", "ignore"}
        Whether the text layer of a PDF page, if it is good enough, stands for the page; see `text_layer_worth`.
    variants : tuple of tuple of str
        Spellings to unify, see `clean_text`.
    password : str
        Opens encrypted PDFs; it is shown nowhere, nor part of the cache.
    limits : Limits
        Bounds on what is read.

    Raises
    ------
    textclf.base.errors.UsageError
        If an option has no meaning.
    """

    languages: tuple[str, ...] = ()
    scale: float | Literal["auto"] = "auto"
    page_segmentation: int = 3
    text_layer: Literal["auto", "ignore"] = "auto"
    variants: Variants = ()
    password: str = field(default="", repr=False)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.scale != "auto" and not 0 < self.scale <= _MAX_SCALE:
            raise UsageError(f"must be auto, or above 0 and at most {_MAX_SCALE:g}", where="scale")
        # 0 and 2 look at the layout only
        if self.page_segmentation not in {1, *range(3, 14)}:
            raise UsageError("must be 1 or 3 to 13", where="page_segmentation", remedy="see tesseract --help-psm")
        if self.text_layer not in {"auto", "ignore"}:
            raise UsageError("must be auto or ignore", where="text_layer")
