"""Reading an opened page: by its text layer or the engine, and again where letters lie in no word."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from itertools import pairwise

from PIL import Image, ImageStat

from ocr.barcodes import is_separator_sheet
from ocr.cache import PageCache
from ocr.cached_reading import cached_page, has_look, keep_page, may_be_separator
from ocr.cleaning import clean_text
from ocr.document import Page
from ocr.engines import OcrEngine
from ocr.ink import Boxes, Region, letter_boxes, letter_height, uncovered, unread_regions, without_rules
from ocr.layer_check import contradicts, text_layer_worth
from ocr.look import measure_look
from ocr.ocr_result import OcrResult, inserted, moved, quality, stacked, turned, with_layer, without
from ocr.page_content import PageContent, open_page
from ocr.page_image import is_blank, page_scale, read_strip, read_upright, row_at
from ocr.reading_options import ReadingOptions
from ocr.reading_state import NOTHING, WHOLE, Strip, failed_page
from ocr.source_file import Source
from textclf.base.errors import BadInputError, MissingProgramError, OutputError
from textclf.base.look_format import NO_LOOK

_TILE_ROWS = 4300
"""Most rows of a tile, as of a legal page at 300 dpi: a page that times out keeps the tiles that were read."""
_MAX_COLUMNS = 32_000
_BLOCK, _SPARSE, _BLOCK_LINES = 6, 11, 12
"""Tesseract's ``--psm`` for one block of text and for scattered text, and the most lines taken for one block."""
_MAX_REGIONS = 24
_MOSTLY = 0.5


def read_page(
    source: Source,
    number: int,
    *,
    sha256: str,
    options: ReadingOptions,
    engine: OcrEngine,
    strip: Strip = WHOLE,
    cache: PageCache | None = None,
) -> Page:
    """Read a page, from 1, or a strip of it, or take it from the cache; a page that cannot be read is ``failed``."""
    started = time.perf_counter()
    page = cached_page(sha256, number, strip, options, engine, cache) if cache else None
    if page is None or not has_look(page, strip):
        deadline = started + options.limits.seconds_per_page
        try:
            with open_page(source, number, options.limits, options.password) as content:
                page = page or _PageReader(content, number, options, engine, deadline).page(strip)
                if strip.start == 0:
                    page = replace(page, look=_look(content, page.rotation))
        except (MissingProgramError, OutputError):
            raise
        # the boundary: whatever a hostile file does to the decoding libraries, only its page fails
        except Exception as error:  # noqa: BLE001
            return failed_page(number, error, time.perf_counter() - started)
        if cache:
            keep_page(page, sha256, strip, options, engine, cache)
    # not kept with the page
    if may_be_separator(page, options):
        page = replace(page, is_separator=_is_separator(source, number, options))
    text = clean_text(page.raw_text, variants=options.variants)
    return replace(page, text=text, seconds=time.perf_counter() - started)


def _look(content: PageContent, rotation: int) -> str:
    """Measure the look of the upright page; drawn small, it is the same whether or not the page had to be read."""
    image = content.preview()
    return NO_LOOK if is_blank(image) else measure_look(image.rotate(rotation, expand=True))


def _is_separator(source: Source, number: int, options: ReadingOptions) -> bool:
    try:
        with open_page(source, number, options.limits, options.password) as content:
            return is_separator_sheet(content.image())
    # as above: what has no bar code that can be read is no separator
    except Exception:  # noqa: BLE001
        return False


@dataclass
class _PageReader:
    """Reads one page, until a deadline of `time.perf_counter`."""

    content: PageContent
    number: int
    options: ReadingOptions
    engine: OcrEngine
    deadline: float
    faults: list[str] = field(default_factory=list)

    def page(self, strip: Strip) -> Page:
        """Read it: a good text layer gives the text of the letters it covers, the image that of all others."""
        if strip == NOTHING:
            return Page(number=self.number, width=self.content.width, height=self.content.height, part=0.0)
        layer = self.content.text_layer
        worth = text_layer_worth(layer) if self.options.text_layer == "auto" else "nothing"
        if worth == "enough":
            return self._layer_page()
        # a doubtful layer is compared with the whole page
        page = self._scanned_page(self.content.image(), WHOLE if worth == "doubtful" else strip)
        return self._layer_page() if worth == "doubtful" and quality(layer.words) >= quality(page.words) else page

    def _layer_page(self) -> Page:
        """Make a page of its text layer, and of the letters on its image that the layer does not cover."""
        content, layer = self.content, self.content.text_layer
        preview = content.preview()
        letters = letter_boxes(preview)
        shown = moved(layer, factor=preview.width / content.width)
        if contradicts(preview, shown, lambda view: self._read(view, letter_height(letters), _BLOCK)):
            return self._scanned_page(content.image(), WHOLE)
        left = uncovered(letters, shown.boxes)
        page = Page(number=self.number, width=content.width, height=content.height, source="text layer")
        if not unread_regions(left, preview.size):
            return self._with(page, layer, letters, left)
        image = content.image()
        factor = image.width / content.width
        known = moved(layer, factor=factor)
        if len(left) >= _MOSTLY * len(letters):
            # a stamp is upright even if the scan under it is turned
            scan = self._scanned_page(_without_words(image, known) if layer.is_drawn else image, WHOLE)
            if not scan.words:
                return self._with(page, layer, letters, left)
            known = turned(known, image.size, scan.rotation)
            read = OcrResult(words=scan.words, text=scan.raw_text)
            return self._with(scan, with_layer(read, known, is_drawn=layer.is_drawn))
        letters = (letters * (image.width / preview.width)).astype(letters.dtype)
        result = self._completed(image, known, letters, turn=True)
        left = uncovered(letters, result.boxes)
        page = replace(page, engine=self._engine_name())
        return self._with(page, moved(result, factor=1 / factor), letters, left)

    def _scanned_page(self, image: Image.Image, strip: Strip) -> Page:
        """Read a page from its image alone."""
        if is_blank(image):
            return Page(number=self.number, width=image.width, height=image.height)
        letters = letter_boxes(image)
        height = letter_height(letters)

        def read(view: Image.Image) -> OcrResult:
            try:
                return self._read(view, height)
            except BadInputError as error:
                self.faults.append(f"was read poorly, and not tried in another orientation: {error}")
                raise

        result, rotation, end = read_strip(image, strip, read)
        if rotation:
            image = image.rotate(rotation, expand=True)
            letters = letter_boxes(image)
        top, bottom = row_at(image, strip.start), row_at(image, end)
        letters = letters[(letters[:, 1] >= top) & (letters[:, 3] <= bottom)]
        result = self._completed(image, result, letters)
        page = Page(
            number=self.number,
            source="ocr" if result.words else "none",
            engine=self._engine_name(),
            rotation=rotation,
            part=end,
            scale=page_scale(height, self.options.scale),
            width=image.width,
            height=image.height,
        )
        return self._with(page, result, letters, uncovered(letters, result.boxes))

    def _with(self, page: Page, result: OcrResult, letters: Boxes | None = None, left: Boxes | None = None) -> Page:
        """Fill a page with what was read of it, and count its letters and those in no word, where they are given."""
        return replace(
            page,
            raw_text=result.text[: self.options.limits.max_text_length + 1],
            words=result.words,
            confidence=result.confidence,
            letters=page.letters if letters is None else len(letters),
            letters_unread=page.letters_unread if left is None else len(left),
            status="partial" if self.faults else "ok",
            error=self.faults[0] if self.faults else "",
        )

    def _engine_name(self) -> str:
        return f"{self.engine.name} {self.engine.version}"

    def _completed(self, image: Image.Image, result: OcrResult, letters: Boxes, *, turn: bool = False) -> OcrResult:
        """Read the regions of letters that a result does not cover, and insert each in reading order."""
        regions = unread_regions(uncovered(letters, result.boxes), image.size)
        for region in sorted(regions, key=lambda region: -region.letters)[:_MAX_REGIONS]:
            try:
                found = self._read_region(image, region, turn=turn)
            except BadInputError as error:
                self.faults.append(f"a region of it was not read: {error}")
                break
            if found.is_legible:
                result = inserted(result, without(found, result))
        return result

    def _read_region(self, image: Image.Image, region: Region, *, turn: bool) -> OcrResult:
        view = without_rules(image.crop(region.box), region.letter_height)
        page_segmentation = self.options.page_segmentation
        if region.is_scattered:
            page_segmentation = _SPARSE
        elif view.height < 2 * _BLOCK_LINES * region.letter_height:
            page_segmentation = _BLOCK

        def read(view: Image.Image) -> OcrResult:
            return self._read(view, region.letter_height, page_segmentation)

        found, rotation = read_upright(view, read) if turn else (read(view), 0)
        size = view.size if rotation in (0, 180) else view.size[::-1]
        return moved(turned(found, size, -rotation % 360), right=region.box[0], down=region.box[1])

    def _read(self, image: Image.Image, height: float | None, page_segmentation: int | None = None) -> OcrResult:
        """Read an image whose letters have that height, tile by tile; on a timeout, keep the tiles that were read."""
        limits = self.options.limits
        scale = page_scale(height, self.options.scale)
        count = math.ceil(image.height * scale / _TILE_ROWS)
        rows = [row_at(image, tile / count) for tile in range(count + 1)]
        results: list[OcrResult] = []
        for top, bottom in pairwise(rows):
            tile = image if count == 1 else image.crop((0, top, image.width, max(top + 1, bottom)))
            factor = min(scale, math.sqrt(limits.max_pixels / (tile.width * tile.height)), _MAX_COLUMNS / tile.width)
            if factor != 1:
                size = (max(1, round(tile.width * factor)), max(1, round(tile.height * factor)))
                tile = tile.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
            try:
                result = self.engine.read(
                    tile,
                    languages=self.options.languages,
                    page_segmentation=page_segmentation or self.options.page_segmentation,
                    timeout=max(0.1, self.deadline - time.perf_counter()),
                )
            except BadInputError as error:
                fault = error
                if time.perf_counter() >= self.deadline:
                    late = f"took longer than {limits.seconds_per_page:g} s"
                    fault = BadInputError(late, remedy="allow more with --seconds-per-page")
                if not results:
                    raise fault from error
                self.faults.append(f"the lower {1 - top / image.height:.0%} of it was not read: {fault}")
                break
            results.append(moved(result, factor=1 / factor, down=top))
        return results[0] if len(results) == 1 else stacked(results)


def _without_words(image: Image.Image, known: OcrResult) -> Image.Image:
    """Paint over the words that are known, in the colour of the paper."""
    cleared = image.copy()
    for left, top, right, bottom in known.boxes:
        box = (left - 2, top - 2, right + 3, bottom + 3)
        cleared.paste(int(ImageStat.Stat(image.crop(box)).median[0]), box)
    return cleared
