"""Pictures of pages with the words and regions highlighted that spoke for and against the category."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.base.errors import BadInputError
from textclf.base.files import write_aside
from textclf.base.overwrite_guard import SOFTWARE
from textclf.data.word_places import word_boxes, words_of_pages

if TYPE_CHECKING:
    from PIL import Image

    from ocr.document import Document, Page
    from ocr.reading_options import Limits
    from textclf.model.explain import Explanation

FOR, AGAINST = (0, 114, 178), (213, 94, 0)
"""Blue and vermilion, which colour-blind people can distinguish (M. Okabe and K. Ito, 2008)."""
STRONGEST_TINT = 0.6
"""Opacity of the colour of the strongest word; that of the others is proportional to their amount."""
MIN_SHARE = 0.03
"""Words with a smaller share of the strongest word's amount are not coloured."""
REGION_TINT = 0.25
"""Opacity of the colour of the strongest region of the look."""
LONGEST_SIDE = 2200
"""Pixels; larger pictures are scaled down."""
CAPTION_SIZE = 22


def draw_explanation(
    document: Document, explained: Explanation, path: Path, limits: Limits, password: str = ""
) -> list[Path]:
    """Highlight what spoke for and against a category on each page that has words with positions, or the look.

    The picture of the first such page goes to the given path; further ones get the page number, ``out-2.png``.
    """
    from PIL.PngImagePlugin import PngInfo

    from ocr.page_content import open_page

    made_by = PngInfo()
    made_by.add_text("Software", SOFTWARE)
    strongest = max((abs(word.amount) for word in explained.words), default=0.0)
    written: list[Path] = []
    for page, words in words_of_pages(document, explained.words):
        seen = bool(explained.regions) and page.look == document.look
        if not page.words and not seen:
            continue
        with open_page(Path(document.file), page.number, limits, password) as content:
            image = _upright(content.image(), page)
        picture = _shaded(image, explained.regions) if seen else image
        picture = _tinted(picture, [(box, word.amount) for box, word in word_boxes(page, words)], strongest)
        caption = (
            f"{document.document_id}, page {page.number}: blue spoke for {explained.category}, "
            f"orange for {explained.runner_up}{'; pale regions: the look' if seen else ''}"
        )
        target = path if not written else path.with_stem(f"{path.stem}-{page.number}")
        with write_aside(target) as aside:
            _captioned(picture, caption).save(aside, format="PNG", pnginfo=made_by)
        written.append(target)
    if not written:
        raise BadInputError("has no word that could be drawn", where=document.document_id, remedy="look at its text")
    return written


def _upright(image: Image.Image, page: Page) -> Image.Image:
    from PIL import Image

    image = image.convert("RGB").rotate(page.rotation, expand=True)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return image


def _shaded(image: Image.Image, regions: Sequence[Sequence[float]]) -> Image.Image:
    """Shade the regions of the look's grid over a page, without edges."""
    import numpy as np
    from PIL import Image, ImageChops

    amounts = np.array(regions)
    tint = REGION_TINT * np.abs(amounts) / max(np.abs(amounts).max(), 1e-12)
    colours = np.where(amounts[..., None] > 0, np.array(FOR), np.array(AGAINST))
    cells = np.rint(255 - tint[..., None] * (255 - colours)).astype(np.uint8)
    return ImageChops.multiply(image, Image.fromarray(cells).resize(image.size, Image.Resampling.BICUBIC))


def _tinted(
    image: Image.Image, boxes: Sequence[tuple[tuple[float, float, float, float], float]], strongest: float
) -> Image.Image:
    """Colour words as a highlighter does: the paper takes the colour, the ink stays dark."""
    from PIL import Image, ImageChops, ImageDraw

    colours = Image.new("RGB", image.size, "white")
    pen = ImageDraw.Draw(colours)
    for (left, top, right, bottom), amount in boxes:
        if strongest and abs(amount) >= MIN_SHARE * strongest:
            tint = STRONGEST_TINT * abs(amount) / strongest
            colour = tuple(round(255 - tint * (255 - part)) for part in (FOR if amount > 0 else AGAINST))
            edges = (left * image.width, top * image.height, right * image.width, bottom * image.height)
            pen.rectangle(edges, fill=colour, outline=FOR if amount > 0 else AGAINST)
    return ImageChops.multiply(image, colours)


def _captioned(image: Image.Image, caption: str) -> Image.Image:
    from PIL import Image, ImageDraw, ImageFont

    band = 2 * CAPTION_SIZE
    picture = Image.new("RGB", (image.width, image.height + band), "white")
    picture.paste(image, (0, band))
    pen = ImageDraw.Draw(picture)
    fonts = map(ImageFont.load_default, range(CAPTION_SIZE, 8, -1))
    fitting = (font for font in fonts if pen.textlength(caption, font=font) <= image.width - 16)
    font = next(fitting, ImageFont.load_default(8))
    pen.text((8, CAPTION_SIZE // 2), caption, fill="black", font=font)
    return picture
