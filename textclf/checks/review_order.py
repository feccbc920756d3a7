"""The order in which documents are reviewed: those in doubt first, and none like one that was just shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.text_arguments import as_texts
from textclf.checks.selection import pile_rows

MAX_ORDERED = 2_000
"""Documents that are compared with each other; the time grows with the square of their number."""
MAX_CHARACTERS = 20_000
"""Of a text that are compared."""
LEAST_DOUBT = 0.01
"""So that of documents without doubt, too, different ones come first."""


def review_order(texts: Sequence[str], doubts: Sequence[float], *, seed: int = 0) -> list[int]:
    """Order documents so that the next one always adds most: its doubt, less the more it is like one before.

    Parameters
    ----------
    texts : sequence of str, length n
        Cleaned texts.
    doubts : sequence of float, length n
        How much each is in doubt, 0 to 1.
    seed : int, default 0
        Seed of the dimensions in which they are compared.

    Returns
    -------
    list of int
        All positions; those beyond the `MAX_ORDERED` most doubtful follow by doubt alone.

    Examples
    --------
    >>> review_order(["invoice total due", "invoice total due now", "dear sir yours truly"], [0.9, 0.8, 0.5])
    [0, 2, 1]
    """
    texts = [text[:MAX_CHARACTERS] for text in as_texts(texts)]
    by_doubt = np.argsort(-np.asarray(doubts, dtype=np.float64), kind="stable")
    compared, others = by_doubt[:MAX_ORDERED], by_doubt[MAX_ORDERED:]
    if not len(compared):
        return []
    chosen = [texts[i] for i in compared.tolist()]
    weights = np.maximum(np.asarray(doubts, dtype=np.float64)[compared], LEAST_DOUBT)
    order = _greedy(pile_rows(chosen, chosen, (), seed, None).pile, weights)
    return [*compared[order].tolist(), *others.tolist()]


def _greedy(rows: NDArray[np.float32], weights: NDArray[np.float64]) -> list[int]:
    like = np.zeros(len(rows))
    left = np.ones(len(rows), dtype=np.bool_)
    order: list[int] = []
    while left.any():
        # what is like an earlier one in full still comes by its doubt
        gains = (weights * (1 - like) + 1e-6 * weights).round(9)
        best = int(np.where(left, gains, -1).argmax())
        left[best] = False
        order.append(best)
        like = np.maximum(like, (rows @ rows[best]).clip(0, 1))
    return order
