"""What the page cache holds of a document: found without opening it, nor importing what opens pages."""

from __future__ import annotations

import time
from dataclasses import fields, replace

from ocr.barcodes import MOST_WORDS
from ocr.cache import PageCache
from ocr.cleaning import clean_text
from ocr.document import Page
from ocr.engines import OcrEngine
from ocr.reading_options import ReadingOptions
from ocr.reading_state import WHOLE, Strip
from ocr.source_file import Source, Survey, content_hash
from textclf.base.hashing import hash_json
from textclf.base.look_format import is_measured

_WITHOUT_EFFECT = {"variants", "password", "limits", "separators"}
_WITHOUT_EFFECT |= {
    "max_bytes",
    "max_pages",
    "max_declared_pixels",
    "max_memory",
    "max_text_length",
    "seconds_per_page",
}
"""Options that do not change a page in the cache: they act on its text afterwards, or decide whether it is read."""


def cached_survey(source: Source, options: ReadingOptions, cache: PageCache) -> Survey | None:
    """Give the survey of a document that was opened with the same limits, or None."""
    # a document that needs a password is opened with it each time
    if options.password or not (sha256 := content_hash(source, options.limits)):
        return None
    return cache.get_survey(_survey_key(sha256, options), sha256)


def keep_survey(survey: Survey, options: ReadingOptions, cache: PageCache) -> None:
    """Keep a survey, unless a password was given to make it."""
    if not options.password:
        cache.put_survey(_survey_key(survey.sha256, options), survey)


def cached_page(
    sha256: str, number: int, strip: Strip, options: ReadingOptions, engine: OcrEngine, cache: PageCache
) -> Page | None:
    """Give a page, or a strip of it, as it was kept; the whole page is preferred to its topmost strip."""
    whole = cache.get(_page_key(sha256, number, WHOLE, options, engine)) if strip.start == 0 else None
    return whole or cache.get(_page_key(sha256, number, strip, options, engine))


def keep_page(
    page: Page, sha256: str, strip: Strip, options: ReadingOptions, engine: OcrEngine, cache: PageCache
) -> None:
    """Keep a page, or a strip of it, that was read without fault."""
    # a text that was cut would be too short for a higher limit
    if page.status == "ok" and len(page.raw_text) <= options.limits.max_text_length:
        read = strip if strip.start > 0 or page.part < 1 else WHOLE
        cache.put(_page_key(sha256, page.number, read, options, engine), page)


def has_look(page: Page, strip: Strip) -> bool:
    """Return whether a page from the cache has the look it needs; those that an earlier version kept have none."""
    return strip.start > 0 or is_measured(page.look)


def may_be_separator(page: Page, options: ReadingOptions) -> bool:
    """Return whether a page is to be looked at for the bar code of a separator sheet: only the few with little text."""
    return options.separators and page.status == "ok" and len(page.words) <= MOST_WORDS


def finished_page(
    sha256: str, number: int, strip: Strip, options: ReadingOptions, engine: OcrEngine, cache: PageCache
) -> Page | None:
    """Give a page from the cache as `ocr.page_reading.read_page` does, or None where its image is needed."""
    started = time.perf_counter()
    page = cached_page(sha256, number, strip, options, engine, cache)
    if page is None or not has_look(page, strip) or may_be_separator(page, options):
        return None
    text = clean_text(page.raw_text, variants=options.variants)
    return replace(page, text=text, seconds=time.perf_counter() - started)


def _survey_key(sha256: str, options: ReadingOptions) -> str:
    return hash_json([sha256, "survey", options.limits.max_declared_pixels])


def _page_key(sha256: str, number: int, strip: Strip, options: ReadingOptions, engine: OcrEngine) -> str:
    choices = [
        getattr(group, one.name)
        for group in (options, options.limits)
        for one in fields(group)
        if one.name not in _WITHOUT_EFFECT
    ]
    return hash_json([sha256, number, strip, engine.name, engine.version, *choices])
