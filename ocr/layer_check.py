"""Whether a text layer says what the page shows: fonts may name their letters falsely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ocr.documents import Word, mean_confidence
from ocr.engines import Reading
from textclf.errors import BadInputError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["contradicts"]

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
    sheet = Image.new("L", (max(b[2] - b[0] for b in boxes), sum(b[3] - b[1] + _MARGIN for b in boxes)), 255)
    tops: list[int] = []
    for box in boxes:
        tops.append(tops[-1] + _height(boxes[len(tops) - 1]) + _MARGIN if tops else 0)
        sheet.paste(image.crop(box), (0, tops[-1]))
    try:
        found = read(sheet).words
    except BadInputError:
        return False
    for line, top, box in zip(lines, tops, boxes, strict=True):
        there = [word for word in found if top <= (word.box[1] + word.box[3]) / 2 < top + _height(box) + _MARGIN]
        if mean_confidence(there) >= _SURE and not _alike(line, there):
            return True
    return False


def _telling_lines(layer: Reading, height: int) -> list[list[Word]]:
    lines: dict[int, list[Word]] = {}
    for word in layer.words:
        line = lines.setdefault(word.line, [])
        # the beginning of a long line will do
        if sum(len(other.text) for other in line) < _MOST_CHARACTERS:
            line.append(word)
    level = [line for line in lines.values() if not any(map(_is_upright, line))]
    upper = [line for line in level if line[0].box[1] < height / 2]
    lower = [line for line in level if line[0].box[1] >= height / 2]
    chosen: list[list[Word]] = []
    for among, wanted in ((upper, str.isalpha), (lower, str.isalpha), (level, _is_other)):
        best = max(among, key=lambda line: len(_kept(line, wanted)), default=[])
        if len(_kept(best, wanted)) >= _FEWEST and best not in chosen:
            chosen.append(best)
    return chosen


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


def _height(box: tuple[int, int, int, int]) -> int:
    return box[3] - box[1]
