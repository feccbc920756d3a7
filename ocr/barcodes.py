"""Separator sheets: pages with a bar code that says PATCHT, as PATCH-T sheets have it, or a QR code with that text."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MOST_WORDS = 60
"""Words up to which a page may be a separator sheet; bar codes of fuller pages are not looked for."""
_SEPARATOR = re.compile(r"PATCH[\W_]?T", re.IGNORECASE)
_LONGEST_SIDE = 2500


def can_read_barcodes() -> bool:
    """Return whether the extra ``barcodes`` is installed."""
    return find_spec("zxingcpp") is not None


def is_separator_sheet(image: Image.Image) -> bool:
    """Return whether a grey image shows a bar code of any kind whose text is that of a separator sheet."""
    # imported where it is used, as an extra
    from zxingcpp import read_barcodes

    if max(image.size) > _LONGEST_SIDE:
        image = image.copy()
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    return any(_SEPARATOR.fullmatch(found.text.strip()) for found in read_barcodes(image))
