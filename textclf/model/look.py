"""What a model makes of the look of a page: margins that add to those of the text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.base.look_format import SIZE, decode_look
from textclf.model.typicality import margin_evidence, normal_scores, share_below

LOOK_WEIGHT = 0.6
"""Of the familiarity of a look, relative to that of a text; chosen on rvl-scans, half of the kinds unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookModel:
    """Weights from a look to margins that add to those of the text, and the temperatures of both uses."""

    mean: NDArray[np.float32]  # (SIZE,), of the training documents: what differs from it counts
    weights: NDArray[np.float32]  # (SIZE, k)
    intercept: NDArray[np.float32]  # (k,)
    inverse_temperature: float  # of the sum of the margins of text and look
    alone: float  # of the margins of the look, where there is no text
    # (2, 201), evenly spaced: of the evidence of out-of-fold margins of the look, and of that and the text's combined
    quantiles: NDArray[np.float64]

    def margins(self, looks: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the margins of looks, shape (n, k); zeros for documents without a look."""
        return look_margins(looks, self.mean, self.weights, self.intercept)

    def familiarity(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the training documents whose look was less typical, 0 to 1, given the margins of looks."""
        return share_below(self.quantiles[0], margin_evidence(margins))

    def familiarity_with(self, text: NDArray[np.float64], margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the training documents that were less typical by look and text, given the familiarity of texts."""
        return share_below(self.quantiles[1], typical_together(text, self.familiarity(margins)))


def typical_together(text: NDArray[np.float64], look: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh the familiarity of texts and that of looks, each as a standard normal score (Stouffer's method)."""
    return normal_scores(text) + LOOK_WEIGHT * normal_scores(look)


def read_looks(looks: Iterable[str]) -> NDArray[np.float32]:
    """Decode looks, shape (n, SIZE); NaN for documents without one."""
    none = np.full(SIZE, np.nan, np.float32)
    found = [none if (measures := decode_look(look)) is None else measures for look in looks]
    return np.stack(found) if found else np.empty((0, SIZE), np.float32)


def have_look(looks: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which rows of `read_looks` have a look."""
    return np.asarray(~np.isnan(looks[:, 0]))


def look_margins(
    looks: NDArray[np.float32], mean: NDArray[Any], weights: NDArray[Any], intercept: NDArray[Any]
) -> NDArray[np.float64]:
    """Give the margins of looks, shape (n, k); zeros for documents without a look."""
    margins = np.zeros((len(looks), len(intercept)))
    # row by row, so that a document's margins do not depend on its batch
    for row in np.flatnonzero(have_look(looks)).tolist():
        margins[row] = (looks[row].astype(np.float64) - mean) @ weights + intercept
    return margins
