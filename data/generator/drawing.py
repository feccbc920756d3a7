"""The two back ends: a page as pixels (Pillow) and as a PDF with a text layer (reportlab)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from data.generator.pages import FAMILIES, Page, Picture, Shape, Text, font_file

TITLE = "Invented sample"


@cache
def _font(face: str, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_file(face), size, layout_engine=ImageFont.Layout.BASIC)


def draw_pixels(page: Page, dpi: int) -> Image.Image:
    """Draw a page as an RGB image of that resolution."""
    scale = dpi / 72
    image = Image.new("RGB", (round(page.width * scale), round(page.height * scale)), "white")
    pen = ImageDraw.Draw(image)
    for item in page.items:
        if isinstance(item, Text):
            _draw_text(image, pen, item, scale)
        elif isinstance(item, Shape):
            points = [(x * scale, y * scale) for x, y in item.points]
            thick = max(1, round(item.width * scale))
            if item.fill:
                pen.polygon(points, fill=item.fill)
            if item.outline:
                pen.line(points + points[:2] * item.closed, fill=item.outline, width=thick, joint="curve")
        else:
            size = (round(item.width * scale), round(item.height * scale))
            image.paste(item.image.resize(size), (round(item.x * scale), round(item.y * scale)))
    return image


def _draw_text(image: Image.Image, pen: ImageDraw.ImageDraw, item: Text, scale: float) -> None:
    font = _font(item.face, round(item.size * scale, 2))
    x, y = item.x * scale, item.y * scale
    if not item.angle:
        pen.text((x, y), item.text, font=font, fill=item.color, anchor="ls")
        return
    # turn a square patch around its middle, where the line begins
    reach = int(font.getlength(item.text) + item.size * scale * 2)
    mask = Image.new("L", (2 * reach, 2 * reach))
    ImageDraw.Draw(mask).text((reach, reach), item.text, font=font, fill=255, anchor="ls")
    mask = mask.rotate(item.angle, resample=Image.Resampling.BICUBIC)
    image.paste(Image.new("RGB", mask.size, item.color), (round(x) - reach, round(y) - reach), mask)


def write_pdf(pages: Sequence[Page | Image.Image], path: Path, *, dpi: int, quality: int) -> None:
    """Write a PDF: pages with a text layer, images (scanned at ``dpi``) as JPEG."""
    for family in FAMILIES:
        for style in range(3):
            face = f"{family}-{style}"
            if face not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(face, font_file(face)))
    # invariant: no date and no random identifier, so that the bytes stay the same
    canvas = Canvas(str(path), pageCompression=1, invariant=1)
    canvas.setTitle(TITLE)
    for page in pages:
        if isinstance(page, Page):
            canvas.setPageSize((page.width, page.height))
            _draw_vectors(canvas, page)
        else:
            width, height = (side * 72 / dpi for side in page.size)
            canvas.setPageSize((width, height))
            canvas.drawImage(_jpeg(page, quality), 0, 0, width, height)
        canvas.showPage()
    canvas.save()


def _jpeg(image: Image.Image, quality: int) -> ImageReader:
    # reportlab takes the bytes of a JPEG as they are; other images it would store without loss
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return ImageReader(buffer)


def _draw_vectors(canvas: Canvas, page: Page) -> None:
    for item in page.items:
        if isinstance(item, Text):
            canvas.saveState()
            canvas.setFillColor(HexColor(item.color))
            canvas.setFont(item.face, item.size)
            canvas.translate(item.x, page.height - item.y)
            canvas.rotate(item.angle)
            canvas.drawString(0, 0, item.text)
            canvas.restoreState()
        elif isinstance(item, Shape):
            path = canvas.beginPath()
            path.moveTo(item.points[0][0], page.height - item.points[0][1])
            for x, y in item.points[1:]:
                path.lineTo(x, page.height - y)
            if item.closed:
                path.close()
            if item.fill:
                canvas.setFillColor(HexColor(item.fill))
            if item.outline:
                canvas.setStrokeColor(HexColor(item.outline))
                canvas.setLineWidth(item.width)
            canvas.drawPath(path, stroke=bool(item.outline), fill=bool(item.fill))
        elif isinstance(item, Picture):
            reader = ImageReader(item.image)
            canvas.drawImage(reader, item.x, page.height - item.y - item.height, item.width, item.height)
