"""Whether a text layer says what the page shows: fonts may name their letters falsely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING

from ocr.documents import Word, mean_confidence
from ocr.engines import Reading
from ocr.regions import covered, moved
from textclf.base.errors import BadInputError

if TYPE_CHECKING:
    from PIL import Image

_FEWEST, _MOST_CHARACTERS = 4, 60
_MARGIN = 12
_SURE = 80
_ALIKE = 0.75


def contradicts(image: Image.Image, layer: Reading, read: Callable[[Image.Image], Reading]) -> bool:
    """Tell whether what an engine reads of a page is something else than what its text layer says.

    Three lines are compared: those with most letters in the upper and in the lower half, and the one with most other
    characters, such as digits. In a font with a false table each letter stands for another, so a line has next to
    nothing in common with what is read there; a reading that is not sure of itself (another alphabet, an ornate font)
    proves nothing.

    Parameters
    ----------
    image : PIL.Image.Image
        The page, mode ``L``.
    layer : Reading
        With boxes in pixels of the image.
    read : callable
        Reads an image.

    Returns
    -------
    bool
        True if in one of them, read with 80 % confidence, less than three quarters of the letters and digits, or of the
        digits alone, agree.
    """
    from PIL import Image

    lines = _telling_lines(layer, image.height)
    if not lines:
        return False
    boxes = [_crop_box(line, image.size) for line in lines]
    heights = [bottom - top + _MARGIN for _, top, _, bottom in boxes]
    sheet = Image.new("L", (max(right - left for left, _, right, _ in boxes), sum(heights)), 255)
    tops = [sum(heights[:number]) for number in range(len(heights))]
    for box, top in zip(boxes, tops, strict=True):
        sheet.paste(image.crop(box), (0, top))
    try:
        found = read(sheet)
    except BadInputError:
        return False
    for line, box, top in zip(lines, boxes, tops, strict=True):
        # what stands under and above the line is cut in two
        there = covered(moved(found, right=box[0], down=box[1] - top).words, line)
        if mean_confidence(there) >= _SURE and not _alike(line, there):
            return True
    return False


def _telling_lines(layer: Reading, height: int) -> list[list[Word]]:
    lines = (_plain_part(list(line)) for _, line in groupby(layer.words, key=lambda word: word.line))
    level = [line for line in lines if line and not any(map(_is_upright, line))]
    upper = [line for line in level if line[0].box[1] < height / 2]
    lower = [line for line in level if line[0].box[1] >= height / 2]
    chosen: list[list[Word]] = []
    for among, wanted in ((upper, str.isalpha), (lower, str.isalpha), (level, _is_other)):
        best = max(among, key=lambda line: len(_kept(line, wanted)), default=[])
        if len(_kept(best, wanted)) >= _FEWEST and best not in chosen:
            chosen.append(best)
    return chosen


def _plain_part(line: list[Word]) -> list[Word]:
    """Leave out what is larger than most of a line, such as names of firms; the beginning of a long line will do."""
    usual = median(word.box[3] - word.box[1] for word in line)
    kept: list[Word] = []
    for word in line:
        if sum(len(other.text) for other in kept) >= _MOST_CHARACTERS:
            break
        if word.box[3] - word.box[1] <= 1.5 * usual:
            kept.append(word)
    return kept


def _is_other(character: str) -> bool:
    return not character.isalpha()


def _is_upright(word: Word) -> bool:
    left, top, right, bottom = word.box
    return len(word.text) > 2 and bottom - top > 1.5 * (right - left)


def _kept(line: Sequence[Word], wanted: Callable[[str], bool]) -> str:
    return "".join(filter(wanted, "".join(word.text for word in line))).lower()


def _alike(line: Sequence[Word], read: Sequence[Word]) -> bool:
    from rapidfuzz.distance import Levenshtein

    for wanted in (str.isalnum, str.isdigit):
        said, seen = _kept(line, wanted), _kept(read, wanted)
        enough = max(len(said), len(seen)) >= _FEWEST
        if enough and Levenshtein.normalized_similarity(said, seen) < _ALIKE:
            return False
    return True


def _crop_box(line: Sequence[Word], size: tuple[int, int]) -> tuple[int, int, int, int]:
    lefts, tops, rights, bottoms = zip(*(word.box for word in line), strict=True)
    room = max(2, (max(bottoms) - min(tops)) // 4)
    return (
        max(0, min(lefts) - room),
        max(0, min(tops) - room),
        min(size[0], max(rights) + room),
        min(size[1], max(bottoms) + room),
    )
