"""Checking whether the text layer of a PDF page is right: fonts may map their letters wrongly."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from statistics import median
from typing import Literal

from PIL import Image
from rapidfuzz.distance import Levenshtein

from ocr.document import Word, bounding_box, lies_in, mean_confidence
from ocr.ocr_result import OcrResult, is_tall, moved
from ocr.text_layers import TextLayer
from ocr.words import is_real_word
from textclf.base.errors import BadInputError

_FEWEST, _MOST_CHARACTERS = 4, 60
_MARGIN = 12
_SURE = 80
_ALIKE = 0.75


def text_layer_worth(layer: TextLayer) -> Literal["enough", "doubtful", "nothing"]:
    """Judge a text layer by its characters and words; ``nothing`` holds no letter or digit."""
    # doubtful layers come from poor OCR, or from a font whose letters are mapped wrongly
    text = layer.text.replace("\r", "").replace("\n", "").replace("\x02", "")
    if not any(char.isalnum() for char in text):
        return "nothing"
    senseless = sum(char == "\ufffd" or unicodedata.category(char)[0] == "C" for char in text)
    judged = [word.text for word in layer.words if len(word.text) >= 3 and not any(map(str.isdigit, word.text))]
    if senseless * 20 > len(text) or "(cid:" in text or 2 * sum(map(is_real_word, judged)) < len(judged):
        return "doubtful"
    return "enough"


def contradicts(image: Image.Image, layer: OcrResult, read: Callable[[Image.Image], OcrResult]) -> bool:
    """Return whether OCR reads one of three lines of a page confidently as something else than its text layer says."""
    # with wrongly mapped letters next to nothing agrees; a reading of low confidence, as of another alphabet or an
    # ornate font, is no evidence
    lines = _compared_lines(layer, image.height)
    if not lines:
        return False
    boxes = [_crop_box(line, image.size) for line in lines]
    tops, height = [], 0
    for _, top, _, bottom in boxes:
        tops.append(height)
        height += bottom - top + _MARGIN
    sheet = Image.new("L", (max(right - left for left, _, right, _ in boxes), height), 255)
    for box, top in zip(boxes, tops, strict=True):
        sheet.paste(image.crop(box), (0, top))
    try:
        found = read(sheet)
    except BadInputError:
        return False
    for line, box, top in zip(lines, boxes, tops, strict=True):
        # the neighbouring lines are cut off in the crop, and ignored
        shown = [word.box for word in line]
        there = [word for word in moved(found, right=box[0], down=box[1] - top).words if lies_in(word.box, shown)]
        if mean_confidence(there) >= _SURE and not _alike(line, there):
            return True
    return False


def _compared_lines(layer: OcrResult, height: int) -> list[list[Word]]:
    """Choose the line with most letters in each half of the page, and the line with most other characters."""
    lines = (_plain_part(list(line)) for _, line in groupby(layer.words, key=lambda word: word.line))
    level = [line for line in lines if line and not any(map(is_tall, line))]
    upper = [line for line in level if line[0].box[1] < height / 2]
    lower = [line for line in level if line[0].box[1] >= height / 2]
    chosen: list[list[Word]] = []
    for among, wanted in ((upper, str.isalpha), (lower, str.isalpha), (level, lambda char: not char.isalpha())):
        best = max(among, key=lambda line: len(_kept(line, wanted)), default=[])
        if len(_kept(best, wanted)) >= _FEWEST and best not in chosen:
            chosen.append(best)
    return chosen


def _plain_part(line: list[Word]) -> list[Word]:
    """Keep the beginning of a line, without words larger than most, such as names of companies."""
    usual = median(word.box[3] - word.box[1] for word in line)
    kept: list[Word] = []
    for word in line:
        if sum(len(other.text) for other in kept) >= _MOST_CHARACTERS:
            break
        if word.box[3] - word.box[1] <= 1.5 * usual:
            kept.append(word)
    return kept


def _kept(line: Iterable[Word], wanted: Callable[[str], bool]) -> str:
    return "".join(filter(wanted, "".join(word.text for word in line))).lower()


def _alike(line: Sequence[Word], read: Sequence[Word]) -> bool:
    """Return whether letters and digits agree by three quarters, and so do the digits alone, if there are enough."""
    pairs = [(_kept(line, wanted), _kept(read, wanted)) for wanted in (str.isalnum, str.isdigit)]
    return all(max(map(len, pair)) < _FEWEST or Levenshtein.normalized_similarity(*pair) >= _ALIKE for pair in pairs)


def _crop_box(line: Sequence[Word], size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = bounding_box(word.box for word in line)
    room = max(2, (bottom - top) // 4)
    return max(0, left - room), max(0, top - room), min(size[0], right + room), min(size[1], bottom + room)
