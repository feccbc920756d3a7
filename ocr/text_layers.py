"""The text layer of a PDF page: the visible text, with annotations in reading order."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from ctypes import c_void_p, cast
from dataclasses import dataclass
from itertools import chain, groupby

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from ocr.document import Word, bounding_box, lies_in
from ocr.ocr_result import OcrResult, line_text
from ocr.reading_options import Limits

Box = tuple[float, float, float, float]

_VIEW_PIXELS = 4_000_000
_VIEW_SCALE = 2.0
_CONTRAST = 8
"""Levels of grey, of 255, that an eye can distinguish."""
_INK_SHARE = 0.05
_FIRST_COLOUR, _COLOUR_STEP = 0x010203, 7919
"""Colours that no page is likely to hold, spread so that neighbours differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayer(OcrResult):
    """The visible text of a PDF page, boxes in points; not drawn if it comes from an earlier OCR of a scan."""

    is_drawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _TextRun:
    """Characters without white space; ``flow`` is their box turned so that the text runs from left to right."""

    text: str
    box: Box
    shown: tuple[int, int, int, int]
    turn: int
    flow: Box
    objects: frozenset[int]
    annotation: int | None
    line: int


def pictures_on(page: pypdfium2.PdfPage) -> list[tuple[Box, float]]:
    """Pictures on the page: the box inside what is shown, in the page's own coordinates, and the resolution."""
    left, bottom, right, top = page.get_bbox()
    found = []
    for picture in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=5):
        try:
            whole = picture.get_bounds()
            pixels = picture.get_px_size()
            container = picture.container
            while container is not None:
                whole = container.get_matrix().on_rect(*whole)
                container = container.container
        except pypdfium2.PdfiumError:
            continue
        box = (max(whole[0], left), max(whole[1], bottom), min(whole[2], right), min(whole[3], top))
        if box[0] < box[2] and box[1] < box[3]:
            found.append((box, 72 * (pixels[0] * pixels[1] / area(whole)) ** 0.5))
    return found


def area(box: Box) -> float:
    """Area of a box."""
    return (box[2] - box[0]) * (box[3] - box[1])


def flattened(pdf: pypdfium2.PdfDocument, number: int) -> tuple[pypdfium2.PdfPage, int]:
    """Make the annotations that are shown on a page part of it, in memory, after as many objects as are its own."""
    page = pdf[number - 1]
    own = pdfium_c.FPDFPage_CountObjects(page)
    annotations = pdfium_c.FPDFPage_GetAnnotCount(page)
    if not annotations:
        return page, own
    # drawing gives an appearance to those that come without one
    page.render(scale=min(1.0, (10_000 / (page.get_width() * page.get_height())) ** 0.5))
    for index in reversed(range(annotations)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, index)
        flags = pdfium_c.FPDFAnnot_GetFlags(annotation)
        pdfium_c.FPDFPage_CloseAnnot(annotation)
        if flags & (pdfium_c.FPDF_ANNOT_FLAG_HIDDEN | pdfium_c.FPDF_ANNOT_FLAG_NOVIEW):
            pdfium_c.FPDFPage_RemoveAnnot(page, index)
    pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY)
    return pdf[number - 1], own


def text_layer(page: pypdfium2.PdfPage, own: int, pictures: list[Box], limits: Limits) -> TextLayer:
    """Extract the visible text of a page; this recolours the page, which must be loaded again before it is rendered."""
    runs = list(_text_runs(page, own, limits.max_text_length + 1))
    seen = _View(page, pictures, runs) if runs else None
    lines = _in_reading_order([run for run in runs if seen is None or seen.shows(run)])
    words = [
        [Word(text=run.text, confidence=100.0, box=run.shown, line=number) for run in line]
        for number, line in enumerate(lines)
    ]
    return TextLayer(
        text="\n".join(map(line_text, words)),
        words=tuple(chain.from_iterable(words)),
        is_drawn=seen is not None and seen.has_drawn_text,
    )


def _text_runs(page: pypdfium2.PdfPage, own: int, most: int) -> Iterator[_TextRun]:
    textpage = page.get_textpage()
    # one more than may be kept, so that the document knows that it was cut
    count = min(textpage.count_chars(), most)
    # one by one, so that places in the text are those of the boxes
    codes = [pdfium_c.FPDFText_GetUnicode(textpage, index) for index in range(count)]
    text = "".join("\ufffd" if 0xD800 <= code < 0xE000 or code > 0x10FFFF else chr(code) for code in codes)
    annotations = _annotation_objects(page, own)
    line = seen = 0
    for match in re.finditer(r"\S+", text):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        objects = {index: _address(pdfium_c.FPDFText_GetTextObject(textpage, index)) for index in range(*match.span())}
        # nothing need stand between what the page and what an annotation says
        for annotation, indices in groupby(objects, key=lambda index: annotations.get(objects[index])):
            places = list(indices)
            box = bounding_box(textpage.get_charbox(index) for index in places)
            # PDFium gives the angle clockwise
            turn = round(-pdfium_c.FPDFText_GetCharAngle(textpage, places[0]) / (math.pi / 2)) % 4
            yield _TextRun(
                text="".join(text[index] for index in places),
                box=box,
                shown=_shown(page, box),
                turn=turn,
                flow=_flow(box, turn),
                objects=frozenset(objects[index] for index in places) - {0},
                annotation=annotation,
                line=line,
            )


def _flow(box: Box, turn: int) -> Box:
    left, bottom, right, top = box
    return [
        (left, -top, right, -bottom),
        (bottom, left, top, right),
        (-right, bottom, -left, top),
        (-top, -right, -bottom, -left),
    ][turn]


def _address(text_object: object) -> int:
    return cast(text_object, c_void_p).value or 0  # type: ignore[arg-type]


def _annotation_objects(page: pypdfium2.PdfPage, own: int) -> dict[int, int]:
    """Address of each text object of an annotation to the annotation's number."""
    found = {}
    for number in range(own, pdfium_c.FPDFPage_CountObjects(page)):
        added = pypdfium2.PdfObject(pdfium_c.FPDFPage_GetObject(page, number), page=page, pdf=page.pdf)
        annotation = 0
        for item in page.get_objects(form=added, level=1) if added.type == pdfium_c.FPDF_PAGEOBJ_FORM else ():
            # PDFium puts all of them into one form, each as a form of its own
            annotation += item.level == 1
            if item.type == pdfium_c.FPDF_PAGEOBJ_TEXT:
                found[_address(item.raw)] = annotation
    return found


def _shown(page: pypdfium2.PdfPage, box: Box) -> tuple[int, int, int, int]:
    """Box as the page is shown: turned as it says, in points from the top left corner."""
    width, height = (round(side) for side in page.get_size())
    place = pypdfium2.PdfPosConv(page, (0, 0, width, height, 0)).to_bitmap
    return bounding_box(place(*corner) * 2 for corner in (box[:2], box[2:]))


def _in_reading_order(runs: list[_TextRun]) -> list[list[_TextRun]]:
    """Order the lines of the page, each annotation at its place; one that fills a gap in a line becomes part of it."""
    own = [run for run in runs if run.annotation is None]
    lines = [list(line) for _, line in groupby(own, key=lambda run: run.line)]
    added = sorted((run for run in runs if run.annotation is not None), key=lambda run: run.annotation or 0)
    notes = [_rows(note) for _, note in groupby(added, key=lambda run: run.annotation)]
    for rows in sorted(notes, key=lambda rows: (rows[0][0].flow[1], rows[0][0].flow[0])):
        first = rows[0][0]
        placed = [(line, run) for line in lines for run in line if run.turn == first.turn]
        beside = [found for found in placed if _on_one_row(found[1], first)]
        left = [found for found in beside if found[1].flow[0] <= first.flow[0]]
        if len(rows) == 1 and beside:
            last = max(left, key=lambda place: place[1].flow[2], default=None)
            line, run = last or min(beside, key=lambda place: place[1].flow[0])
            place = line.index(run) + bool(left)
            line[place:place] = rows[0]
        else:
            above = left or [(line, run) for line, run in placed if run.flow[3] <= first.flow[1]]
            lowest = max(above, key=lambda place: place[1].flow[3], default=None)
            place = lines.index(lowest[0]) + 1 if lowest else 0
            lines[place:place] = rows
    return lines


def _rows(runs: Iterable[_TextRun]) -> list[list[_TextRun]]:
    rows: list[list[_TextRun]] = []
    for run in runs:
        if rows and _on_one_row(rows[-1][-1], run):
            rows[-1].append(run)
        else:
            rows.append([run])
    return rows


def _on_one_row(one: _TextRun, other: _TextRun) -> bool:
    (_, top, _, bottom), (_, other_top, _, other_bottom) = one.flow, other.flow
    overlap = min(bottom, other_bottom) - max(top, other_top)
    return one.turn == other.turn and 2 * overlap >= min(bottom - top, other_bottom - other_top)


class _View:
    """The page rendered as it is, and with each text object in a colour of its own (an item buffer)."""

    # only drawing knows what hides a text: layers that are switched off, clipping, and whatever lies over it

    def __init__(self, page: pypdfium2.PdfPage, pictures: list[Box], runs: list[_TextRun]) -> None:
        width, height = page.get_size()
        self.scale = min(_VIEW_SCALE, (_VIEW_PIXELS / (width * height)) ** 0.5)
        self.pictures = pictures
        self.has_drawn_text = False
        self.grey: NDArray[np.uint8] = page.render(scale=self.scale, grayscale=True).to_numpy()
        self.colours: dict[int, int] = {}
        self.invisible: set[int] = set()
        for text_object in dict.fromkeys(address for run in runs for address in sorted(run.objects)):
            handle = cast(text_object, pdfium_c.FPDF_PAGEOBJECT)
            if pdfium_c.FPDFTextObj_GetTextRenderMode(handle) == pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE:
                self.invisible.add(text_object)
            colour = (_FIRST_COLOUR + len(self.colours) * _COLOUR_STEP) % 0xFFFFFF
            self.colours[text_object] = colour
            channels = colour & 255, colour >> 8 & 255, colour >> 16
            pdfium_c.FPDFPageObj_SetFillColor(handle, *channels, 255)
            pdfium_c.FPDFPageObj_SetStrokeColor(handle, *channels, 255)
        tinted = page.render(scale=self.scale, no_smoothtext=True, rev_byteorder=True, prefer_bgrx=True).to_numpy()
        self.tinted: NDArray[np.uint32] = tinted.view("<u4")[:, :, 0] & 0xFFFFFF
        self.is_text = np.zeros(1 << 24, dtype=bool)
        self.is_text[[*self.colours.values()]] = True

    def shows(self, run: _TextRun) -> bool:
        """Return whether a text is visible, or belongs to a visible picture."""
        left, top, right, bottom = (edge * self.scale for edge in run.shown)
        height, width = self.grey.shape
        if not (0 <= (left + right) / 2 < width and 0 <= (top + bottom) / 2 < height):
            return False
        if run.objects <= self.invisible and lies_in(run.box, self.pictures):
            # what an earlier OCR has put there
            return True
        rows = slice(max(0, int(top) - 1), int(bottom) + 2)
        columns = slice(max(0, int(left) - 1), int(right) + 2)
        grey = self.grey[rows, columns].astype(np.int16)
        if grey.max() - grey.min() <= _CONTRAST:
            return False
        drawn = self.tinted[rows, columns]
        if any((drawn == self.colours[text_object]).any() for text_object in run.objects):
            self.has_drawn_text = True
            return True
        # not drawn itself: it may be the text of a picture that lies over it, but not of another text
        ink = np.abs(grey - np.median(grey)) > _CONTRAST
        # drawn smoothly, a text reaches a little further
        near_text = cv2.dilate(self.is_text[drawn].astype(np.uint8), np.ones((3, 3), dtype=np.uint8))
        return bool((ink & (near_text == 0)).mean() > _INK_SHARE)
