"""Opening PDFs with pypdfium2: one page's text layer, and its image when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocr.limits import Limits
from ocr.text_layers import Box, TextLayer, area, flattened, pictures_on, text_layer
from textclf.base.errors import BadInputError

if TYPE_CHECKING:
    import pypdfium2
    from PIL import Image

_FULL_DPI = 300
_LEAST_SCAN_PIXELS, _FEWEST_PIXELS, _ENOUGH_PIXELS = 300_000, 2_000_000, 9_000_000
_PREVIEW_SIDE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfPage:
    """One opened page of a PDF.

    Parameters
    ----------
    width, height : int
        In points, as the page is shown.
    text_layer : TextLayer
        Empty for a scan that was never read.
    dpi : float
        Resolution of the image that `image` draws.
    """

    width: int
    height: int
    text_layer: TextLayer
    dpi: float
    _page: pypdfium2.PdfPage

    def image(self) -> Image.Image:
        """Draw the page in 8 bits of grey."""
        return self._drawn(self.dpi)

    def preview(self) -> Image.Image:
        """Draw it smaller, if that will do to see where its letters are."""
        return self._drawn(min(self.dpi, 72 * _PREVIEW_SIDE / min(self.width, self.height)))

    def _drawn(self, dpi: float) -> Image.Image:
        drawn: Image.Image = self._page.render(scale=dpi / 72, grayscale=True).to_pil()
        return drawn.convert("L")


@contextmanager
def opened_pdf(source: Path | bytes, password: str = "") -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF, with a password if it needs one.

    Raises
    ------
    textclf.base.errors.BadInputError
        If it is encrypted and the password is not its own, or if it is damaged.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium_c

    try:
        pdf = pypdfium2.PdfDocument(source, password=password or None)
    except pypdfium2.PdfiumError as error:
        if error.err_code != pdfium_c.FPDF_ERR_PASSWORD:
            raise BadInputError("the PDF is damaged or cut short", remedy="print it to a new PDF") from error
        if password:
            raise BadInputError(
                "the password given does not open the PDF", remedy="check --password, or save a copy without one"
            ) from error
        raise BadInputError(
            "the PDF is encrypted", remedy="give its password with --password, or save a copy without one"
        ) from error
    try:
        # without this, what was typed into a form would not be drawn
        pdf.init_forms()
        yield pdf
    finally:
        pdf.close()


def unread_attachments(pdf: pypdfium2.PdfDocument) -> int:
    """Count the files attached to a PDF whose content its pages need not show; XML is the copy that invoices carry."""
    import pypdfium2

    count = 0
    for index in range(pdf.count_attachments()):
        try:
            count += not pdf.get_attachment(index).get_name().lower().endswith(".xml")
        except pypdfium2.PdfiumError:
            count += 1
    return count


def pdf_page(pdf: pypdfium2.PdfDocument, number: int, limits: Limits) -> PdfPage:
    """Open one page and take its text layer.

    A page of pictures is later drawn at their own resolution, others at 300 dpi; never with more than ``max_pixels``.

    Parameters
    ----------
    pdf : pypdfium2.PdfDocument
        From `opened_pdf`; the page lives no longer than it.
    number : int
        From 1.
    limits : Limits
        Bounds on pixels and text.

    Raises
    ------
    textclf.base.errors.BadInputError
        If the page is damaged.
    """
    import pypdfium2

    try:
        page = pdf[number - 1]
        width, height = page.get_size()
        if width <= 0 or height <= 0:
            raise BadInputError(f"page {number} of the PDF has no area")
        page, own = flattened(pdf, number)
        images = pictures_on(page)
        layer = text_layer(page, own, [box for box, _ in images], limits)
        page = pdf[number - 1]
    except (pypdfium2.PdfiumError, IndexError) as error:
        raise BadInputError(f"page {number} of the PDF is damaged") from error
    dpi = min(drawing_dpi(images, width * height), 72 * (limits.max_pixels / (width * height)) ** 0.5)
    return PdfPage(width=round(width), height=round(height), text_layer=layer, dpi=dpi, _page=page)


def drawing_dpi(images: list[tuple[Box, float]], page_area: float) -> float:
    """Choose the resolution to draw a page with: that of its pictures, if they cover half of it; else 300 dpi.

    What a page states as its size may be wrong by far, so no page is drawn with less than two million pixels for want
    of inches; nor a picture with more than nine million, unless 300 dpi are more. A background of few pixels is no
    scan.
    """
    least, fewest, enough = (
        float(72 * (pixels / page_area) ** 0.5) for pixels in (_LEAST_SCAN_PIXELS, _FEWEST_PIXELS, _ENOUGH_PIXELS)
    )
    covered = 0.0
    for box, dpi in sorted(images, key=lambda image: -image[1]):
        covered += area(box)
        if covered >= page_area / 2 and dpi >= least:
            return min(dpi, max(_FULL_DPI, enough))
    return max(_FULL_DPI, fewest)
