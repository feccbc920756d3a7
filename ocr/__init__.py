"""From the bytes of a file to a cleaned `Document`: opening within limits, engines, effort, cleaning, cache, batch."""

from __future__ import annotations

from ocr.batch import Progress, iter_documents, read_document
from ocr.cache import PageCache
from ocr.cleaning import Variants, clean_text, read_variants
from ocr.document import Document, Page, Status, Word
from ocr.engines import OcrEngine, TesseractEngine, TesserocrEngine, open_engine
from ocr.file_search import FoundFile, find_documents, find_files
from ocr.ocr_result import OcrResult
from ocr.reading_options import Effort, Limits, ReadingOptions
from ocr.signature_place import SignaturePlace, TemplatePlace

__all__ = [
    "Document",
    "Effort",
    "FoundFile",
    "Limits",
    "OcrEngine",
    "OcrResult",
    "Page",
    "PageCache",
    "Progress",
    "ReadingOptions",
    "SignaturePlace",
    "Status",
    "TemplatePlace",
    "TesseractEngine",
    "TesserocrEngine",
    "Variants",
    "Word",
    "clean_text",
    "find_documents",
    "find_files",
    "iter_documents",
    "open_engine",
    "read_document",
    "read_variants",
]
