"""Reading one page, with one set of options: what every worker does."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from typing import Literal

from ocr.cache import PageCache
from ocr.cleaning import Variants, clean_text
from ocr.documents import Document, Page
from ocr.effort import WHOLE, Part
from ocr.engines import OcrEngine, Reading
from ocr.limits import Limits
from ocr.page_reading import read_content
from ocr.pages import Source, open_page
from ocr.regions import stacked
from textclf.base.errors import MissingProgramError, OutputError, TextclfError, UsageError

_MAX_SCALE = 8.0
_MANY_UNREAD, _UNREAD_SHARE = 30, 1 / 3


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


def read_page(
    source: Source,
    number: int,
    *,
    sha256: str,
    options: ReadingOptions,
    engine: OcrEngine,
    part: Part = WHOLE,
    cache: PageCache | None = None,
) -> Page:
    """Read one page of a document, or take it from the cache.

    Parameters
    ----------
    source : pathlib.Path or bytes
        The document.
    number : int
        Page from 1.
    sha256 : str
        Of the document's content, for the cache.
    options : ReadingOptions
        With at least one language.
    engine : OcrEngine
        Reads the image.
    part : Part
        What of the page, or more, which its `Page.part` tells, if `ocr.effort.read_part` thinks it safer.
    cache : PageCache, optional
        What was read in full goes there.

    Returns
    -------
    Page
        With status ``failed`` and an error if anything about the page goes wrong.

    Raises
    ------
    textclf.base.errors.MissingProgramError
        If the engine is gone.
    textclf.base.errors.OutputError
        If the cache cannot be written.
    """
    started = time.perf_counter()
    keys = {known: _cache_key(sha256, number, known, options, engine) for known in (WHOLE, part)}
    page = None
    if cache:
        # what is known of the whole page is worth more than what is known of its top
        page = (cache.get(keys[WHOLE]) if part.start == 0 else None) or cache.get(keys[part])
    if page is None:
        try:
            with open_page(source, number, options.limits, options.password) as content:
                page = read_content(content, number, part, options, engine, started + options.limits.seconds_per_page)
        except (MissingProgramError, OutputError):
            raise
        # the boundary: whatever a stranger's file does to the libraries that decode it, only its page fails
        except Exception as error:  # noqa: BLE001
            return failed_page(number, error, time.perf_counter() - started)
        if cache and page.status == "ok":
            cache.put(keys[part if part.start > 0 or page.part < 1 else WHOLE], page)
    text = clean_text(page.raw_text, variants=options.variants)
    return replace(page, text=text, seconds=time.perf_counter() - started)


def failed_page(number: int, error: Exception, seconds: float) -> Page:
    """Give the page that stands for one that could not be read."""
    if isinstance(error, TextclfError):
        what = str(error)
    elif isinstance(error, MemoryError):
        what = "the page needs more memory than there is"
    else:
        what = " ".join(f"could not be read ({type(error).__name__}: {error}".split())[:200] + ")"
    return Page(number=number, status="failed", error=what, seconds=seconds)


def joined(upper: Page, lower: Page) -> Page:
    """Make one page of two parts of it.

    Parameters
    ----------
    upper, lower : Page
        As `read_page` gives them for parts of which one begins where the other ends.

    Returns
    -------
    Page
        Status ``partial`` if one of them could not be read.
    """
    reading = stacked(Reading(words=part.words, text=part.raw_text) for part in (upper, lower))
    failed = lower.status == "failed"
    return replace(
        upper,
        text="\n".join(filter(None, (upper.text, lower.text))),
        raw_text=reading.text,
        words=reading.words,
        confidence=reading.confidence,
        letters=upper.letters + lower.letters,
        letters_unread=upper.letters_unread + lower.letters_unread,
        part=upper.part if failed else lower.part,
        status="partial" if failed else upper.status,
        error=lower.error or upper.error,
        seconds=upper.seconds + lower.seconds,
    )


def assembled(
    document_id: str,
    source: Source,
    *,
    page_count: int,
    pages: tuple[Page, ...],
    limits: Limits,
    error: str = "",
    seconds: float = 0.0,
    enough: bool = False,
) -> Document:
    """Make a document of its pages, and say in one line what is missing.

    Parameters
    ----------
    document_id : str
        Its name.
    source : pathlib.Path or bytes
        Where it came from.
    page_count : int
        Pages of the file.
    pages : tuple of Page
        Those that were tried, in order.
    limits : Limits
        ``max_text_length`` is applied here.
    error : str, optional
        Why the file could not be opened at all, or what of it no page shows.
    seconds : float, optional
        Time spent besides the pages.
    enough : bool, default False
        Whether what was read is all that was wanted.

    Returns
    -------
    Document
        Status ``failed`` if no page was read, ``partial`` if something is missing, else ``ok``.
    """
    faults = [error] if error else []
    pages = tuple(map(_accounted, pages))
    flawed = [page for page in pages if page.status != "ok"]
    if flawed:
        which = f"page {flawed[0].number}: " if page_count > 1 else ""
        others = f" (and {len(flawed) - 1} more of {len(pages)} pages)" if len(flawed) > 1 else ""
        faults.append(f"{which}{flawed[0].error}{others}")
    if page_count > len(pages) > 0 and not enough:
        faults.append(f"only the first {len(pages)} of {page_count} pages were read")
    kept, room = [], limits.max_text_length
    for page in pages:
        cut = replace(page, text=page.text[:room], raw_text=page.raw_text[:room]) if len(page.raw_text) > room else page
        room = max(0, room - len(page.raw_text))
        kept.append(cut)
    if any(cut is not page for cut, page in zip(kept, pages, strict=True)):
        faults.append(f"the text was cut after {limits.max_text_length:,} characters")
    return Document(
        document_id=document_id,
        file="" if isinstance(source, bytes) else str(source),
        pages=tuple(kept),
        page_count=page_count,
        status="ok" if not faults else "failed" if all(page.status == "failed" for page in pages) else "partial",
        error="; ".join(faults),
        seconds=seconds + sum(page.seconds for page in pages),
    )


def _accounted(page: Page) -> Page:
    """Say of a page that was read, but of which many letters lie in no word, that it was read in part."""
    if page.status != "ok" or page.letters_unread < max(_MANY_UNREAD, _UNREAD_SHARE * page.letters):
        return page
    share = f"{page.letters_unread / page.letters:.0%}"
    return replace(page, status="partial", error=f"{share} of what looks like letters could not be read")


def _cache_key(sha256: str, number: int, part: Part, options: ReadingOptions, engine: OcrEngine) -> str:
    parts = [
        sha256,
        number,
        part,
        engine.name,
        engine.version,
        options.languages,
        options.scale,
        options.page_segmentation,
        options.text_layer,
        options.limits.max_pixels,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
