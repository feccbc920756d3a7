"""How much to spend on a page: what of it to read, at which scale, and whether to try it turned."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from ocr.documents import Word, mean_confidence
from ocr.engines import Reading
from ocr.regions import moved, turned
from ocr.text_layers import TextLayer
from ocr.words import quality, real_word_share
from textclf.base.errors import BadInputError

if TYPE_CHECKING:
    from PIL import Image


class Part(NamedTuple):
    """A strip across a page: from which share of the rows that hold ink, 0 to 1, to which."""

    start: float
    end: float


WHOLE = Part(0.0, 1.0)
STRIPS = (Part(0.0, 0.25), Part(0.25, 0.5), Part(0.5, 1.0))
"""A page in parts, the most telling first."""
_FEW_ROWS = 200
"""An image of fewer is not worth parting."""
_IN_LINE = 0.25
"""Of the median ink of rows with ink: more is in a row that runs through a line of text."""
_FAR = 0.2
"""Of the rows that hold ink: no place to part a page is farther from where it should be."""

_LOW, _BEST, _HIGH = 15, 20, 34
_MOST = 2.5

_POOR = 65
_GOOD_SHARE, _LEAST_WORDS = 0.3, 10
_CLEARLY_BETTER = 1.5
_FEW_WORDS = 20


def page_scale(height: float | None, scale: float | Literal["auto"]) -> float:
    """Choose the factor by which a page image is enlarged before it is read.

    Neither the resolution that a file states nor the size of its page can be trusted; the letters can. Of 44 pages
    (forms, letters, receipts, cards; letters of 6 to 44 pixels), each read at eight scales, nearly all good text came
    out with letters of 20 to 34 pixels (0.94 to 0.95 of the best of the eight; 0.92 with 13, 0.82 unscaled); more
    pixels take more time.

    Parameters
    ----------
    height : float or None
        Median height of letters in pixels, as of `ocr.ink.letter_height`; None where there are too few to tell.
    scale : float or "auto"
        A number is taken as it is. ``auto``: 1 for letters of 15 to 34 pixels, else what makes them 20 pixels high, but
        not above 2.5; 1 without letters.

    Returns
    -------
    float
        The factor.

    Examples
    --------
    >>> [page_scale(height, "auto") for height in (6, 10, 24, 40, None)]
    [2.5, 2.0, 1.0, 0.5, 1.0]
    """
    if scale != "auto":
        return scale
    if height is None or _LOW <= height <= _HIGH:
        return 1.0
    return min(_MOST, _BEST / height)


def is_blank(image: Image.Image) -> bool:
    """Tell whether a grey image holds nothing at all, so that no engine need look at it.

    It is brought down to about 350 pixels across, which averages noise away, and counts as blank if then no two places
    differ by more than 24 of 255.

    Examples
    --------
    >>> from PIL import Image
    >>> is_blank(Image.new("L", (2480, 3508), 250))
    True
    """
    factor = max(1, min(image.size) // 350)
    low, high = (value for value in image.reduce(factor).getextrema() if isinstance(value, (int, float)))
    return high - low <= 24


def read_part(image: Image.Image, part: Part, read: Callable[[Image.Image], Reading]) -> tuple[Reading, int, float]:
    """Read a page or a part of it.

    Lower scales were tried too, and spare little: what takes time is the text, not the pixels.

    Parameters
    ----------
    image : PIL.Image.Image
        The page.
    part : Part
        What of it. If the topmost part holds no word, those below it are read too, until one does. If that reads so
        poorly that the page might be turned, or the image is small, the whole is read instead.
    read : callable
        Reads an image.

    Returns
    -------
    reading : Reading
        Boxes in pixels of the upright page.
    rotation : int
        As of `read_upright`.
    end : float
        Down to where the page was read, as of `Part`.
    """
    if part != WHOLE and image.height >= _FEW_ROWS:
        for strip in STRIPS[STRIPS.index(part) :]:
            top, bottom = (row_at(image, share) for share in strip)
            reading = read(image.crop((0, top, image.width, bottom))) if top < bottom else Reading()
            if part.start > 0 or (is_legible(reading) and _sideways_share(reading) <= 0.5):
                return moved(reading, down=top), 0, strip.end
            if reading.words:
                break
    return *read_upright(image, read), 1.0


def row_at(image: Image.Image, share: float) -> int:
    """Choose where to part a page: between two lines of text.

    Parameters
    ----------
    image : PIL.Image.Image
        The page, mode ``L``.
    share : float
        Of the rows that hold ink, 0 to 1: margins and other empty places do not count.

    Returns
    -------
    int
        The first row below that share: of those near it, one where the rows around it, one in 300 of the page, hold the
        least ink. Where all of those lie within a line, as on a page of few lines, the nearest place between two lines
        that is not far. 0 for 0 and the height for 1.

    Examples
    --------
    >>> from PIL import Image
    >>> image = Image.new("L", (100, 400), 255)
    >>> image.paste(0, (0, 200, 100, 250))
    >>> image.paste(0, (0, 260, 100, 310))
    >>> row_at(image, 0.5)
    255
    """
    import numpy as np

    if share in (0, 1):
        return round(share * image.height)
    rows = np.ones(max(1, image.height // 300))
    ink = np.convolve(255 - np.asarray(image).mean(axis=1), rows, mode="same")
    ink -= ink.min()
    inked = np.cumsum(ink > 1)
    first, last = (int(np.searchsorted(inked, inked[-1] * share * near)) for near in (0.85, 1.15))
    if ink[first : last + 1].min() > 1:
        lines = np.flatnonzero(ink > _IN_LINE * np.median(ink[ink > 1]))
        # the last row of each line and the first of the next
        above, below = np.insert(lines, 0, -1), np.append(lines, ink.size)
        away = np.abs(inked[(above + below) // 2] - inked[-1] * share)
        away[below - above == 1] = inked[-1]
        nearest = int(np.argmin(away))
        if away[nearest] <= _FAR * inked[-1]:
            first, last = int(above[nearest]) + 1, int(below[nearest]) - 1
    near = ink[first : last + 1]
    blank = np.flatnonzero(near <= near.min() + 1)
    return first + int(blank[len(blank) // 2])


def read_upright(image: Image.Image, read: Callable[[Image.Image], Reading]) -> tuple[Reading, int]:
    """Read an image, and find out which way up it stands by comparing readings.

    Tesseract's own guess of the orientation is not asked: it fails on pages with little text. What it does give is
    this (seen on 30 pages, each turned four ways): upright text, and text turned clockwise by 90 degrees, are
    read with a mean confidence of 67 to 95, in the second case with words taller than wide; text turned by 180
    or 270 degrees gives 26 to 52. So one reading is enough for most pages. If its confidence is under 65, it may still
    be legible: of 187 real scans turned the wrong way, and read as ten words or more, none had a `quality` above 0.17 a
    character; most poor ones that stand upright and can be read have 0.23 to 0.4. From 0.3 on nothing is turned.
    Else the page is turned round: first only the quarter of it that holds most words, and if that reads better, all of
    it. The other two ways are tried only where too few words tell which way lines run; such a page is turned as a
    whole. A reading replaces another if it has 1.5 times the `quality`: seen are 3 to 10 times, of parts as of whole
    pages; more of it will do if it is sure of itself, and the other is not. Measured on 30 pages drawn anew, each
    turned four ways, before it was asked whether a poor page is legible: 119 of 120 were put upright, and none that
    stood upright was turned. On 198 real scans turned four ways that question ended the search ten times (with 0.25 in
    the place of 0.3), eight of them rightly; the other two are advertisements with lines both ways.

    Parameters
    ----------
    image : PIL.Image.Image
        The page.
    read : callable
        Reads an image; may raise `BadInputError`, which counts only if it happens at the first reading.

    Returns
    -------
    reading : Reading
        The best one, boxes in pixels of the upright image.
    rotation : int
        Degrees, counter-clockwise, by which the image must be turned to stand upright.
    """
    first = read(image)
    sideways = _sideways_share(first) > 0.5
    best = (turned(first, image.size, 90), 90) if sideways else (first, 0)
    if is_legible(first) or not first.words:
        return best
    try:
        if len(first.words) >= _FEW_WORDS:
            rotation = 270 if sideways else 180
            box, words = _wordiest_part(image, first, sideways=sideways)
            if _is_better(read(image.crop(box).rotate(rotation, expand=True)), words):
                best = read(image.rotate(rotation, expand=True)), rotation
            return best
        for rotation in (270, 180, 90) if sideways else (180, 270, 90):
            reading = read(image.rotate(rotation, expand=True))
            if _is_better(reading, best[0].words):
                best = reading, rotation
            if is_legible(best[0]):
                break
    except BadInputError:
        pass
    return best


def is_legible(reading: Reading) -> bool:
    """Tell whether a reading is text: good enough to rule out that its lines stand on their heads."""
    if reading.confidence >= _POOR:
        return True
    length = sum(len(word.text) for word in reading.words)
    return len(reading.words) >= _LEAST_WORDS and quality(reading.words) >= _GOOD_SHARE * length


def _is_better(reading: Reading, words: Sequence[Word]) -> bool:
    gain = quality(reading.words) / max(1e-9, quality(words))
    # few words may be read of a photo's quarter, but surely
    enough = 1 if reading.confidence >= _POOR and mean_confidence(words) < _POOR - 15 else _CLEARLY_BETTER
    return _sideways_share(reading) <= 0.5 and gain > enough


def _wordiest_part(
    image: Image.Image, reading: Reading, *, sideways: bool
) -> tuple[tuple[int, int, int, int], tuple[Word, ...]]:
    """Find the quarter of a page, across its lines, that holds most words, and these."""
    across = 0 if sideways else 1
    length = image.size[across]
    middles = sorted((word.box[across] + word.box[across + 2]) / 2 for word in reading.words)
    start = max(middles, key=lambda middle: bisect_right(middles, middle + length / 4) - bisect_left(middles, middle))
    # half a line more, so that the first is not cut
    low, high = max(0, round(start - length / 64)), min(length, round(start + length / 4 + length / 64))
    box = (low, 0, high, image.height) if sideways else (0, low, image.width, high)
    return box, tuple(w for w in reading.words if low <= (w.box[across] + w.box[across + 2]) / 2 <= high)


def _sideways_share(reading: Reading) -> float:
    """Share of words, among those long enough to tell, that are clearly taller than wide."""
    shapes = [(box[2] - box[0], box[3] - box[1]) for box in (w.box for w in reading.words if len(w.text) > 2)]
    return sum(height > 1.5 * width for width, height in shapes) / len(shapes) if shapes else 0.0


def text_layer_worth(layer: TextLayer) -> Literal["enough", "doubtful", "nothing"]:
    """Judge whether the text layer of a PDF page can stand for the page.

    Parameters
    ----------
    layer : TextLayer
        As it was taken from the page.

    Returns
    -------
    {"enough", "doubtful", "nothing"}
        ``nothing``: no letter or digit. ``doubtful``: more than one character in twenty has no meaning (private
        use, control, replacement, ``(cid:7)``); or less than half of the words without digits are real-looking, as
        in a poor earlier OCR or a font with a false table. Such a page is read, and the better text kept.
        Else ``enough``.

    Examples
    --------
    >>> text_layer_worth(TextLayer(text="(cid:12)(cid:9)"))
    'doubtful'
    """
    text = layer.text.replace("\r", "").replace("\n", "").replace("\x02", "")
    if not any(char.isalnum() for char in text):
        return "nothing"
    senseless = sum(char == "\ufffd" or unicodedata.category(char)[0] == "C" for char in text)
    if senseless * 20 > len(text) or "(cid:" in text or real_word_share(layer.words) < 0.5:
        return "doubtful"
    return "enough"
