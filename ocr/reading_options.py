"""Every choice about reading, and the bounds on what one document may cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ocr.cleaning import Variants, read_variants
from textclf.base.errors import UsageError
from textclf.base.options import check_options, option

Effort = Literal["full", "balanced", "fast", "glance"]
"""How much of a document is read: all, pages until that is enough, or strips of pages until that is enough."""

Split = Literal["none", "auto", "each-page"]
"""Whether the pages of a file are one document, documents that are to be found, or a document each."""

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
        If a limit is out of bounds.

    Examples
    --------
    >>> Limits(max_pages=3).max_pages
    3
    >>> Limits(max_pages=0)
    Traceback (most recent call last):
    ...
    textclf.base.errors.UsageError: max_pages: must be 1 or more
    """

    max_bytes: int = option(200_000_000, min=1, help="Largest file that is opened, in bytes.")
    max_pages: int = option(100, min=1, help="Pages read of one document.")
    max_pixels: int = option(40_000_000, min=1)
    max_declared_pixels: int = option(1_000_000_000, min=1)
    max_memory: int = option(8_000_000_000, min=1)
    max_text_length: int = option(1_000_000, min=1)
    seconds_per_page: float = option(60.0, min=0.001, max=86_400, help="Time that one page may take.")

    def __post_init__(self) -> None:
        check_options(self)


def _scale(factor: str) -> float | Literal["auto"]:
    try:
        return "auto" if factor == "auto" else float(factor)
    except ValueError:
        raise UsageError(
            f"{factor!r} is no factor", where="scale", remedy="give auto or a number such as 1.5"
        ) from None


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
    separators : bool
        Whether separator sheets are looked for, by their bar codes; needs the extra ``barcodes``.
    limits : Limits
        Bounds on what is read.

    Raises
    ------
    textclf.base.errors.UsageError
        If an option has no meaning.
    """

    languages: tuple[str, ...] = option(
        (),
        name="lang",
        type=str,
        parse=lambda codes: tuple(filter(None, codes.split("+"))),
        metavar="LANGUAGES",
        help="Tesseract's languages, such as ita+eng. If not given: English and Italian, where installed.",
    )
    scale: float | Literal["auto"] = option(
        "auto",
        type=str,
        parse=_scale,
        metavar="auto|FACTOR",
        help="Enlarge pages by this factor before reading, above 0 and at most 8; auto goes by the height of letters.",
    )
    page_segmentation: int = option(
        3, min=1, max=13, help="Tesseract's --psm; 3 finds the layout itself, 2 reads nothing."
    )
    text_layer: Literal["auto", "ignore"] = option(
        "auto", help="auto: take a PDF's text layer where it is good; ignore: always OCR."
    )
    variants: Variants = option(
        (),
        type=Path,
        parse=read_variants,
        metavar="FILE",
        help="File with spellings to unify, one group per line: NY = ny = New York.",
    )
    password: str = option(
        "",
        repr=False,
        show_default=False,
        help="Opens encrypted PDFs. Others may see it in a command line; the environment is safer.",
    )
    separators: bool = False
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        check_options(self)
        if self.scale != "auto" and not 0 < self.scale <= _MAX_SCALE:
            raise UsageError(f"must be auto, or above 0 and at most {_MAX_SCALE:g}", where="scale")
        # this mode looks at the layout only
        if self.page_segmentation == 2:
            raise UsageError("must be 1 or 3 to 13", where="page_segmentation", remedy="see tesseract --help-psm")
