"""The look of a page as text: 4 bits for each measure, compressed, in base64, after the number of its version."""

from __future__ import annotations

import binascii
import zlib
from base64 import b64decode, b64encode
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = "1"
ROWS, COLUMNS = 16, 12
"""Of the grid that ink is measured in."""
BLOCKS: dict[str, tuple[int, ...]] = {
    "ink": (ROWS, COLUMNS),
    "gradients": (8, 6, 8),
    "runs": (2, 5, 2, 9),
    "components": (107,),
    "patterns": (3, 256),
    "profiles": (128,),
    "page": (12,),
}
"""Shape of each block of measures, in order; `ocr.look` says what they are."""
SIZE = sum(map(prod, BLOCKS.values()))
LEVELS = 15
NO_LOOK = f"{VERSION}:"
"""Of a blank page, which has no look."""
_MOST_CHARACTERS = 4_000


def encode_look(measures: NDArray[np.float64]) -> str:
    """Write measures of 0 to 1, shape (SIZE,), in at most about 1,000 characters."""
    import numpy as np

    levels = np.clip(np.rint(measures * LEVELS), 0, LEVELS).astype(np.uint8)
    return f"{VERSION}:{b64encode(zlib.compress(levels.tobytes(), 9)).decode()}"


def is_measured(look: str) -> bool:
    """Return whether a page was measured by this version, blank or not."""
    return look.startswith(NO_LOOK)


def decode_look(look: str) -> NDArray[np.float32] | None:
    """Read what `encode_look` wrote, shape (SIZE,); None for anything else, such as a look of another version."""
    import numpy as np

    version, _, content = look.partition(":")
    if version != VERSION or len(look) > _MOST_CHARACTERS:
        return None
    try:
        unpacker = zlib.decompressobj()
        # a short text may unpack to a long one
        levels = np.frombuffer(unpacker.decompress(b64decode(content, validate=True), SIZE + 1), np.uint8)
    except (binascii.Error, ValueError, zlib.error):
        return None
    if not unpacker.eof or len(levels) != SIZE or levels.max() > LEVELS:
        return None
    return levels.astype(np.float32) / np.float32(LEVELS)


def blocks_of(values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Split an array of shape (SIZE,), such as the measures of a look, by block; each is flat."""
    import numpy as np

    ends = np.cumsum([prod(shape) for shape in BLOCKS.values()])[:-1]
    return dict(zip(BLOCKS, np.split(values, ends), strict=True))
