"""Reading one page, with one set of options: what every worker does."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from ocr.cache import PageCache
from ocr.cleaning import Variants, clean_text
from ocr.documents import Document, Page, mean_confidence
from ocr.effort import WHOLE, Part, is_blank, page_scale, read_part, text_layer_worth
from ocr.engines import OcrEngine, Reading
from ocr.limits import Limits
from ocr.pages import PageContent, Source, open_page
from ocr.words import quality
from textclf.errors import BadInputError, MissingProgramError, OutputError, TextclfError, UsageError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ReadingOptions", "assembled", "failed_page", "joined", "read_page"]

_MAX_SCALE = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """Every choice there is about reading.

    Parameters
    ----------
    languages : tuple of str
        Tesseract's codes; empty for English and Italian, as far as they are installed.
    scale : float or "auto"
        Factor by which images are enlarged before they are read; ``auto`` by resolution, see `page_scale`.
    page_segmentation : int
        Tesseract's ``--psm``: 3 finds the layout itself, 6 takes the page for one block of text, 11 collects
        scattered text.
    text_layer : {"auto", "ignore"}
        Whether the text layer of a PDF page, if it is good enough, stands for the page; see `text_layer_worth`.
    variants : tuple of tuple of str
        Spellings to unify, see `clean_text`.
    limits : Limits
        Bounds on what is read.

    Raises
    ------
    textclf.errors.UsageError
        If an option has no meaning.
    """

    languages: tuple[str, ...] = ()
    scale: float | Literal["auto"] = "auto"
    page_segmentation: int = 3
    text_layer: Literal["auto", "ignore"] = "auto"
    variants: Variants = ()
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
    textclf.errors.MissingProgramError
        If the engine is gone.
    textclf.errors.OutputError
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
            with open_page(source, number, options.limits) as content:
                page = _read(content, number, part, options, engine, started + options.limits.seconds_per_page)
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
    lines = 1 + max((word.line for word in upper.words), default=-1)
    words = (*upper.words, *(replace(word, line=word.line + lines) for word in lower.words))
    failed = lower.status == "failed"
    return replace(
        upper,
        text="\n".join(filter(None, (upper.text, lower.text))),
        raw_text="\n".join(filter(None, (upper.raw_text, lower.raw_text))),
        words=words,
        confidence=mean_confidence(words),
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
        Why the file could not be opened at all.
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


def _read(
    content: PageContent, number: int, part: Part, options: ReadingOptions, engine: OcrEngine, deadline: float
) -> Page:
    layer = content.text_layer
    layer_page = Page(
        number=number,
        raw_text=layer.text[: options.limits.max_text_length + 1],
        words=layer.words,
        source="text layer",
        confidence=mean_confidence(layer.words),
        width=content.width,
        height=content.height,
    )
    worth = text_layer_worth(layer) if options.text_layer == "auto" else "nothing"
    if worth == "enough":
        return layer_page
    image = content.image()
    page = Page(number=number, width=image.width, height=image.height)
    if not is_blank(image):
        # of a doubtful layer and a reading, whole pages are compared
        page = _ocr(image, page, content.dpi, WHOLE if worth == "doubtful" else part, options, engine, deadline)
    return layer_page if worth == "doubtful" and quality(layer.words) >= quality(page.words) else page


def _ocr(
    image: Image.Image,
    page: Page,
    dpi: float | None,
    part: Part,
    options: ReadingOptions,
    engine: OcrEngine,
    deadline: float,
) -> Page:
    from PIL import Image

    scale = page_scale(image.size, dpi, options.scale, options.limits.max_pixels)
    faults: list[BadInputError] = []

    def read(view: Image.Image) -> Reading:
        if scale != 1:
            size = (max(1, round(view.width * scale)), max(1, round(view.height * scale)))
            view = view.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
        left = max(0.1, deadline - time.perf_counter())
        try:
            reading = engine.read(
                view, languages=options.languages, page_segmentation=options.page_segmentation, timeout=left
            )
        except BadInputError as error:
            faults.append(error)
            raise
        return reading if scale == 1 else _scaled(reading, 1 / scale)

    reading, rotation, end = read_part(image, part, read)
    width, height = (page.width, page.height) if rotation in (0, 180) else (page.height, page.width)
    return replace(
        page,
        raw_text=reading.text[: options.limits.max_text_length + 1],
        words=reading.words,
        source="ocr" if reading.words else "none",
        engine=f"{engine.name} {engine.version}",
        confidence=reading.confidence,
        rotation=rotation,
        part=end,
        scale=scale,
        width=width,
        height=height,
        status="partial" if faults else "ok",
        error=f"was read poorly, and turned not at all: {faults[0]}" if faults else "",
    )


def _scaled(reading: Reading, factor: float) -> Reading:
    words = []
    for word in reading.words:
        left, top, right, bottom = (round(edge * factor) for edge in word.box)
        words.append(replace(word, box=(left, top, right, bottom)))
    return replace(reading, words=tuple(words))
