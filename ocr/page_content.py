"""Opening a file, identified by its content, and its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial

import pypdfium2
import pypdfium2.raw as pdfium_c
from PIL import Image

from ocr.images import frame_count, grey_image, opened_image
from ocr.reading_options import Limits
from ocr.source_file import Source, Survey, is_pdf, opened_source
from ocr.text_layers import Box, TextLayer, area, flattened, pictures_on, text_layer
from textclf.base.errors import BadInputError
from textclf.base.hashing import hash_file

_FULL_DPI = 300
_LEAST_SCAN_PIXELS, _FEWEST_PIXELS, _ENOUGH_PIXELS = 300_000, 2_000_000, 9_000_000
_PREVIEW_SIDE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """One opened page, sized in points for a PDF, else in pixels; the preview is just large enough to show letters."""

    width: int
    height: int
    text_layer: TextLayer
    image: Callable[[], Image.Image]
    preview: Callable[[], Image.Image]


def survey(source: Source, limits: Limits, password: str = "") -> Survey:
    """Identify a file and count its pages, without decoding them."""
    with opened_source(source, limits) as file:
        sha256 = hash_file(file)
        file.seek(0)
        if is_pdf(file):
            with _opened_pdf(source, password) as pdf:
                found = Survey(sha256=sha256, page_count=len(pdf), attachments=_unread_attachments(pdf))
        else:
            with opened_image(file, limits) as image:
                found = Survey(sha256=sha256, page_count=frame_count(image))
    if not found.page_count:
        raise BadInputError("has no pages")
    return found


@contextmanager
def open_page(source: Source, number: int, limits: Limits, password: str = "") -> Iterator[PageContent]:
    """Open one page, from 1, of a document, for use inside the block."""
    with opened_source(source, limits) as file:
        if is_pdf(file):
            with _opened_pdf(source, password) as pdf:
                yield _pdf_content(pdf, number, limits)
            return
        with opened_image(file, limits, page=number) as image:
            grey = grey_image(image, limits.max_pixels)
    yield PageContent(
        width=grey.width,
        height=grey.height,
        text_layer=TextLayer(),
        image=lambda: grey,
        preview=lambda: grey,
    )


@contextmanager
def _opened_pdf(source: Source, password: str) -> Iterator[pypdfium2.PdfDocument]:
    try:
        pdf = pypdfium2.PdfDocument(source, password=password or None)
    except pypdfium2.PdfiumError as error:
        if error.err_code != pdfium_c.FPDF_ERR_PASSWORD:
            raise BadInputError("the PDF is damaged or cut short", remedy="print it to a new PDF") from error
        what = "the password given does not open the PDF" if password else "the PDF is encrypted"
        fix = "check --password" if password else "give its password with --password"
        raise BadInputError(what, remedy=f"{fix}, or save a copy without one") from error
    try:
        # without this, the values of form fields would not be rendered
        pdf.init_forms()
        yield pdf
    finally:
        pdf.close()


def _unread_attachments(pdf: pypdfium2.PdfDocument) -> int:
    """Count the files attached to a PDF, except XML, which in electronic invoices repeats the pages."""
    count = 0
    for index in range(pdf.count_attachments()):
        try:
            count += not pdf.get_attachment(index).get_name().lower().endswith(".xml")
        except pypdfium2.PdfiumError:
            count += 1
    return count


def _pdf_content(pdf: pypdfium2.PdfDocument, number: int, limits: Limits) -> PageContent:
    try:
        page = pdf[number - 1]
        width, height = page.get_size()
        if width <= 0 or height <= 0:
            raise BadInputError(f"page {number} of the PDF has no area")
        page, own = flattened(pdf, number)
        pictures = pictures_on(page)
        layer = text_layer(page, own, [box for box, _ in pictures], limits)
        page = pdf[number - 1]
    except (pypdfium2.PdfiumError, IndexError) as error:
        raise BadInputError(f"page {number} of the PDF is damaged") from error
    dpi = min(drawing_dpi(pictures, width * height), 72 * (limits.max_pixels / (width * height)) ** 0.5)
    width, height = max(1, round(width)), max(1, round(height))
    return PageContent(
        width=width,
        height=height,
        text_layer=layer,
        image=partial(_drawn, page, dpi),
        preview=cache(partial(_drawn, page, min(dpi, 72 * _PREVIEW_SIDE / min(width, height)))),
    )


def _drawn(page: pypdfium2.PdfPage, dpi: float) -> Image.Image:
    drawn: Image.Image = page.render(scale=dpi / 72, grayscale=True).to_pil()
    return drawn.convert("L")


def drawing_dpi(pictures: list[tuple[Box, float]], page_area: float) -> float:
    """Choose the resolution to render a page with: that of its pictures, if they cover half of it; else 300 dpi."""
    # the stated size of a page may be wrong by far, so pixels count too; a background of few pixels is no scan
    least, fewest, enough = (
        float(72 * (pixels / page_area) ** 0.5) for pixels in (_LEAST_SCAN_PIXELS, _FEWEST_PIXELS, _ENOUGH_PIXELS)
    )
    covered = 0.0
    for box, dpi in sorted(pictures, key=lambda picture: -picture[1]):
        covered += area(box)
        if covered >= page_area / 2 and dpi >= least:
            return min(dpi, max(_FULL_DPI, enough))
    return max(_FULL_DPI, fewest)
