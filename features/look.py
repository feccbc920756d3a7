"""The look of a page as columns of a datasource: its ink, the sizes of its parts, and its shade.

A datasource has at most 1,000 columns, so these are the measures that say most: the ink in a coarser grid, and the
blocks ``components`` and ``page`` of `textclf.base.look_format`. The column ``page_look`` keeps all of them for
``textclf train``; the schema excludes it for Amazon ML.
"""

from __future__ import annotations

from math import prod

from textclf.base.look_format import BLOCKS, COLUMNS, ROWS, blocks_of, decode_look

_STEP = 2
"""Cells of the grid, each way, that one column takes the mean of."""
_CELLS = ROWS // _STEP, COLUMNS // _STEP
_WHOLE = ("components", "page")

LOOK_COLUMNS = (
    *(f"look_ink_{row}_{column}" for row in range(_CELLS[0]) for column in range(_CELLS[1])),
    *(f"look_{block}_{number:03}" for block in _WHOLE for number in range(prod(BLOCKS[block]))),
)
"""Names of the columns, in order."""


def look_values(look: str) -> tuple[float, ...]:
    """Give the values of the columns, 0 to 1, zeros for a document without a look."""
    import numpy as np

    measures = decode_look(look)
    if measures is None:
        return (0.0,) * len(LOOK_COLUMNS)
    blocks = blocks_of(measures.astype(np.float64))
    ink = blocks["ink"].reshape(_CELLS[0], _STEP, _CELLS[1], _STEP).mean(axis=(1, 3))
    found = np.concatenate([ink.ravel(), *(blocks[block] for block in _WHOLE)])
    return tuple(np.round(found, 4).tolist())
