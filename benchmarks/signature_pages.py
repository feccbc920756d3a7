"""The pages with marked places, read by OCR, for the benchmark of signatures and the training of its model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ocr import Document, Limits, iter_documents
from ocr.page_content import open_page
from ocr.page_marks import Box, PageMarks, page_marks
from textclf.base.tables import read_rows
from textclf.data.scans import ScanOptions

KINDS = ("signature", "placeholder", "none")
TABLE = Path(__file__).with_name("signature_places.csv")
SHARED = Path(__file__).parents[2] / "shared" / "datasets"

Places = list[tuple[str, Box]]


def table(split: str) -> dict[tuple[str, str], list[dict[str, str]]]:
    """Give the rows of one split by data set and file."""
    pages: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in read_rows(TABLE, required=["dataset", "file", "label", "split"]):
        if row.values["split"] == split:
            pages.setdefault((row.values["dataset"], row.values["file"]), []).append(row.values)
    return pages


def marked_documents(split: str) -> Iterator[tuple[Document, list[dict[str, str]]]]:
    """Read the documents of a split, from the cache the second time, with their rows of the table."""
    pages = table(split)
    files = [(f"{name}/{file}", SHARED / name / file) for name, file in pages]
    documents = iter_documents(files, cache=ScanOptions().page_cache())
    for document, rows in zip(documents, pages.values(), strict=True):
        if document.pages and document.pages[0].status != "failed":
            yield document, rows


def marked_pages(split: str) -> Iterator[tuple[Document, PageMarks, Places]]:
    """Give the marks of each page of a split, and its places in their pixels."""
    if not SHARED.exists():
        return
    for document, rows in marked_documents(split):
        page = document.pages[0]
        with open_page(Path(document.file), 1, Limits()) as content:
            image = content.image().rotate(page.rotation, expand=True)
        marks = page_marks(image, page)
        yield document, marks, [(row["label"], place(row, page.rotation, marks.size)) for row in rows]


def place(row: dict[str, str], rotation: int, size: tuple[int, int]) -> Box:
    """Give the box of a row on the upright page, in pixels; the table has it on the page as it is stored."""
    left, top, right, bottom = (float(row[edge]) for edge in ("left", "top", "right", "bottom"))
    if rotation == 90:
        left, top, right, bottom = top, 1 - right, bottom, 1 - left
    elif rotation == 180:
        left, top, right, bottom = 1 - right, 1 - bottom, 1 - left, 1 - top
    elif rotation == 270:
        left, top, right, bottom = 1 - bottom, left, 1 - top, right
    return left * size[0], top * size[1], right * size[0], bottom * size[1]
