"""From an opened page to its words: text layer or engine, and what neither of them accounts for read once more."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ocr.documents import Page
from ocr.effort import (
    WHOLE,
    Part,
    is_blank,
    is_legible,
    page_scale,
    read_part,
    read_upright,
    row_at,
    text_layer_worth,
)
from ocr.engines import OcrEngine, Reading
from ocr.ink import Region, letter_boxes, letter_height, uncovered, unread_regions, without_rules
from ocr.layer_check import contradicts
from ocr.regions import inserted, moved, stacked, turned, with_layer, without
from ocr.words import quality
from textclf.base.errors import BadInputError

if TYPE_CHECKING:
    from PIL import Image

    from ocr.ink import Boxes
    from ocr.pages import PageContent
    from ocr.reading import ReadingOptions

_TILE_ROWS = 4300
"""An image is read in tiles of no more rows, a legal page of 300 dpi: a late page keeps what was read."""
_MOST_COLUMNS = 32_000
_BLOCK, _SPARSE, _BLOCK_LINES = 6, 11, 12
"""Tesseract's ``--psm`` for one block of text and for scattered text, and how many lines are taken for one block."""
_MOST_REGIONS = 24
_MOSTLY = 0.5


def read_content(
    content: PageContent, number: int, part: Part, options: ReadingOptions, engine: OcrEngine, deadline: float
) -> Page:
    """Read an opened page.

    A good text layer stands for the letters that it covers. All others are read from the image: as regions where they
    are the smaller part of the page, else with the whole page. What the engine has passed over is read as regions too.

    Parameters
    ----------
    content : PageContent
        The page.
    number : int
        Its number, from 1.
    part : Part
        What of it to read, or more.
    options : ReadingOptions
        With at least one language.
    engine : OcrEngine
        Reads images.
    deadline : float
        End of the time for it, of `time.perf_counter`.

    Returns
    -------
    Page
        Without cleaned text.

    Raises
    ------
    textclf.base.errors.BadInputError
        If nothing of it could be read.
    """
    reader = _PageReader(content=content, number=number, options=options, engine=engine, deadline=deadline)
    layer = content.text_layer
    worth = text_layer_worth(layer) if options.text_layer == "auto" else "nothing"
    if worth == "enough":
        return reader.layer_page()
    page = reader.scanned_page(content.image(), WHOLE if worth == "doubtful" else part)
    # of a doubtful layer and a reading, whole pages are compared
    return reader.layer_page() if worth == "doubtful" and quality(layer.words) >= quality(page.words) else page


@dataclass(kw_only=True)
class _PageReader:
    """What reads one page."""

    content: PageContent
    number: int
    options: ReadingOptions
    engine: OcrEngine
    deadline: float
    faults: list[str] = field(default_factory=list)

    def layer_page(self) -> Page:
        """Make a page of its text layer, and of what stands on it besides."""
        content, layer = self.content, self.content.text_layer
        base = Page(number=self.number, width=content.width, height=content.height, source="text layer")
        reading = Reading(words=layer.words, text=layer.text)
        preview = content.preview()
        letters = letter_boxes(preview)
        shown = moved(reading, factor=preview.width / content.width)
        if contradicts(preview, shown, lambda view: self._read(view, letter_height(letters), _BLOCK)):
            return self.scanned_page(content.image(), WHOLE)
        left = uncovered(letters, _boxes(shown))
        if not unread_regions(left, preview.size):
            return self._page(base, reading, len(letters), len(left))
        image = content.image()
        factor = image.width / content.width
        reading = moved(reading, factor=factor)
        if len(left) >= _MOSTLY * len(letters):
            if layer.is_drawn:
                # a stamp stands upright, whichever way up the scan under it lies
                image = _without_words(image, reading)
            page = self.scanned_page(image, WHOLE)
            if not page.words:
                return self._page(base, moved(reading, factor=1 / factor), len(letters), len(left))
            read = Reading(words=page.words, text=page.raw_text)
            read = with_layer(read, turned(reading, image.size, page.rotation), is_drawn=layer.is_drawn)
            return self._page(page, read, page.letters, page.letters_unread)
        letters = (letters * (image.width / preview.width)).astype(letters.dtype)
        reading = self._completed(image, reading, letters, turn=True)
        left = uncovered(letters, _boxes(reading))
        page = self._page(base, moved(reading, factor=1 / factor), len(letters), len(left))
        return replace(page, engine=self._engine_name())

    def scanned_page(self, image: Image.Image, part: Part) -> Page:
        """Read a page from its image alone."""
        page = Page(number=self.number, width=image.width, height=image.height)
        if is_blank(image):
            return page
        letters = letter_boxes(image)
        height = letter_height(letters)

        def read(view: Image.Image) -> Reading:
            try:
                return self._read(view, height)
            except BadInputError as error:
                self.faults.append(f"was read poorly, and turned not at all: {error}")
                raise

        reading, rotation, end = read_part(image, part, read)
        if rotation:
            image = image.rotate(rotation, expand=True)
            letters = letter_boxes(image)
        top, bottom = row_at(image, part.start), row_at(image, end)
        letters = letters[(letters[:, 1] >= top) & (letters[:, 3] <= bottom)]
        reading = self._completed(image, reading, letters)
        page = replace(
            page,
            source="ocr" if reading.words else "none",
            engine=self._engine_name(),
            rotation=rotation,
            part=end,
            scale=page_scale(height, self.options.scale),
            width=image.width,
            height=image.height,
        )
        return self._page(page, reading, len(letters), len(uncovered(letters, _boxes(reading))))

    def _page(self, page: Page, reading: Reading, letters: int, letters_unread: int) -> Page:
        return replace(
            page,
            raw_text=reading.text[: self.options.limits.max_text_length + 1],
            words=reading.words,
            confidence=reading.confidence,
            letters=letters,
            letters_unread=letters_unread,
            status="partial" if self.faults else "ok",
            error=self.faults[0] if self.faults else "",
        )

    def _engine_name(self) -> str:
        return f"{self.engine.name} {self.engine.version}"

    def _completed(self, image: Image.Image, reading: Reading, letters: Boxes, *, turn: bool = False) -> Reading:
        """Read the regions of letters that a reading does not cover, and put each where it belongs."""
        regions = unread_regions(uncovered(letters, _boxes(reading)), image.size)
        for region in sorted(regions, key=lambda region: -region.letters)[:_MOST_REGIONS]:
            try:
                found = self._read_region(image, region, turn=turn)
            except BadInputError as error:
                self.faults.append(f"a region of it was not read: {error}")
                break
            if is_legible(found):
                reading = inserted(reading, without(found, reading))
        return reading

    def _read_region(self, image: Image.Image, region: Region, *, turn: bool) -> Reading:
        view = without_rules(image.crop(region.box), region.letter_height)
        page_segmentation = self.options.page_segmentation
        if region.is_scattered:
            page_segmentation = _SPARSE
        elif view.height < 2 * _BLOCK_LINES * region.letter_height:
            page_segmentation = _BLOCK

        def read(view: Image.Image) -> Reading:
            return self._read(view, region.letter_height, page_segmentation)

        found, rotation = read_upright(view, read) if turn else (read(view), 0)
        size = view.size if rotation in (0, 180) else view.size[::-1]
        found = turned(found, size, -rotation % 360)
        return moved(found, right=region.box[0], down=region.box[1])

    def _late(self) -> BadInputError:
        limit = f"took longer than {self.options.limits.seconds_per_page:g} s"
        return BadInputError(limit, remedy="allow more with --seconds-per-page")

    def _read(self, image: Image.Image, height: float | None, page_segmentation: int | None = None) -> Reading:
        """Read an image whose letters have that height, tile by tile; of a late one, keep the tiles that were read."""
        from PIL import Image

        scale = page_scale(height, self.options.scale)
        count = math.ceil(image.height * scale / _TILE_ROWS)
        rows = [row_at(image, tile / count) for tile in range(count + 1)]
        readings: list[Reading] = []
        for top, bottom in pairwise(rows):
            tile = image if count == 1 else image.crop((0, top, image.width, max(top + 1, bottom)))
            factor = min(
                scale,
                math.sqrt(self.options.limits.max_pixels / (tile.width * tile.height)),
                _MOST_COLUMNS / tile.width,
            )
            if factor != 1:
                size = (max(1, round(tile.width * factor)), max(1, round(tile.height * factor)))
                tile = tile.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
            try:
                reading = self.engine.read(
                    tile,
                    languages=self.options.languages,
                    page_segmentation=page_segmentation or self.options.page_segmentation,
                    timeout=max(0.1, self.deadline - time.perf_counter()),
                )
            except BadInputError as error:
                fault = self._late() if time.perf_counter() >= self.deadline else error
                if not readings:
                    raise fault from error
                self.faults.append(f"the lower {1 - top / image.height:.0%} of it was not read: {fault}")
                break
            readings.append(moved(reading, factor=1 / factor, down=top))
        return readings[0] if len(readings) == 1 else stacked(readings)


def _without_words(image: Image.Image, known: Reading) -> Image.Image:
    """Paint over the words that are known, in the colour of the paper."""
    from PIL import ImageStat

    cleared = image.copy()
    for left, top, right, bottom in _boxes(known):
        box = (left - 2, top - 2, right + 3, bottom + 3)
        cleared.paste(int(ImageStat.Stat(image.crop(box)).median[0]), box)
    return cleared


def _boxes(reading: Reading) -> Iterator[tuple[int, int, int, int]]:
    return (word.box for word in reading.words)
