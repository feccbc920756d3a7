"""Opening PDFs with pypdfium2: one page's text layer, and its image when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_int
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocr.documents import Word
from ocr.limits import Limits
from textclf.errors import BadInputError

if TYPE_CHECKING:
    import pypdfium2
    from PIL import Image

__all__ = ["PdfPage", "TextLayer", "drawing_dpi", "opened_pdf", "pdf_page"]

_FULL_DPI = 300
_FEWEST_PIXELS, _ENOUGH_PIXELS = 2_000_000, 9_000_000
_PREVIEW_SIDE = 1000
_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayer:
    """The text that a PDF page carries.

    Parameters
    ----------
    text : str
        With its line structure.
    words : tuple of Word
        Boxes in points from the top left corner, confidence 100.
    image_share : float
        Share of the page that pictures cover, 0 to 1.
    words_on_images : int
        How many words stand upon a picture: the text of a scan that was read before lies there.
    """

    text: str
    words: tuple[Word, ...] = ()
    image_share: float = 0.0
    words_on_images: int = 0


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
def opened_pdf(source: Path | bytes) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF; an empty password is tried.

    Raises
    ------
    textclf.errors.BadInputError
        If it is encrypted or damaged.
    """
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise BadInputError("the PDF is encrypted", remedy="save a copy without a password") from error
        raise BadInputError("the PDF is damaged or cut short", remedy="print it to a new PDF") from error
    try:
        # without this, what was typed into a form would not be drawn
        pdf.init_forms()
        yield pdf
    finally:
        pdf.close()


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
    textclf.errors.BadInputError
        If the page is damaged.
    """
    import pypdfium2

    try:
        page = pdf[number - 1]
        if pdf.formenv:
            # what was typed into a form becomes part of the page (in memory), thus of its text
            page.flatten()
            page = pdf[number - 1]
        width, height = page.get_size()
        if width <= 0 or height <= 0:
            raise BadInputError(f"page {number} of the PDF has no area")
        images = _images(page)
        layer = _text_layer(page, [box for box, _ in images], limits)
    except (pypdfium2.PdfiumError, IndexError) as error:
        raise BadInputError(f"page {number} of the PDF is damaged") from error
    dpi = min(drawing_dpi(images, width * height), 72 * (limits.max_pixels / (width * height)) ** 0.5)
    return PdfPage(width=round(width), height=round(height), text_layer=layer, dpi=dpi, _page=page)


def drawing_dpi(images: list[tuple[_Box, float]], area: float) -> float:
    """Choose the resolution to draw a page with: that of its pictures, if they cover half of it; else 300 dpi.

    What a page states as its size may be wrong by far, so no page is drawn with less than two million pixels for want
    of inches; nor a picture with more than nine million, unless 300 dpi are more.
    """
    fewest, enough = (float(72 * (pixels / area) ** 0.5) for pixels in (_FEWEST_PIXELS, _ENOUGH_PIXELS))
    covered = 0.0
    for box, dpi in sorted(images, key=lambda image: -image[1]):
        covered += _area(box)
        if covered >= area / 2:
            return min(dpi, max(_FULL_DPI, enough))
    return max(_FULL_DPI, fewest)


def _images(page: pypdfium2.PdfPage) -> list[tuple[_Box, float]]:
    """Pictures on the page: the box inside the page, in the page's own coordinates, and the resolution."""
    import pypdfium2
    import pypdfium2.raw as pdfium_c

    left, bottom, right, top = page.get_bbox()
    found = []
    for picture in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        try:
            x0, y0, x1, y1 = picture.get_bounds()
            pixels = picture.get_px_size()
        except pypdfium2.PdfiumError:
            continue
        box = (max(x0, left), max(y0, bottom), min(x1, right), min(y1, top))
        if box[0] < box[2] and box[1] < box[3]:
            found.append((box, 72 * (pixels[0] * pixels[1] / _area((x0, y0, x1, y1))) ** 0.5))
    return found


def _area(box: _Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _text_layer(page: pypdfium2.PdfPage, images: list[_Box], limits: Limits) -> TextLayer:
    import pypdfium2.raw as pdfium_c

    textpage = page.get_textpage()
    # one more than may be kept, so that the document knows that it was cut
    count = min(textpage.count_chars(), limits.max_text_length + 1)
    # one by one, so that places in the text are those of the boxes
    codes = [pdfium_c.FPDFText_GetUnicode(textpage, index) for index in range(count)]
    text = "".join("\ufffd" if 0xD800 <= code < 0xE000 or code > 0x10FFFF else chr(code) for code in codes)
    words: list[Word] = []
    on_images = line = seen = 0
    for match in re.finditer(r"\S+", text):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        boxes = [textpage.get_charbox(index) for index in range(match.start(), match.end())]
        lefts, bottoms, rights, tops = zip(*boxes, strict=True)
        box = (min(lefts), min(bottoms), max(rights), max(tops))
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        on_images += any(b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in images)
        words.append(Word(text=match.group(), confidence=100.0, box=_shown(page, box), line=line))
    share = sum(_area(box) for box in images) / max(1.0, _area(page.get_bbox()))
    return TextLayer(text=text, words=tuple(words), image_share=min(1.0, share), words_on_images=on_images)


def _shown(page: pypdfium2.PdfPage, box: _Box) -> tuple[int, int, int, int]:
    """Box as the page is shown: turned as it says, in points from the top left corner."""
    import pypdfium2.raw as pdfium_c

    width, height = (round(side) for side in page.get_size())
    x, y = c_int(), c_int()
    xs, ys = [], []
    for corner in (box[:2], box[2:]):
        pdfium_c.FPDF_PageToDevice(page, 0, 0, width, height, 0, *corner, byref(x), byref(y))
        xs.append(x.value)
        ys.append(y.value)
    return min(xs), min(ys), max(xs), max(ys)
