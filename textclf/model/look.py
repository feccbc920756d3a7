"""What a model makes of the look of a page: margins that add to those of the text, or stand for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.base.look_format import SIZE, decode_look
from textclf.model.typicality import margin_evidence, normal_scores, share_below

LOOK_WEIGHT = 0.6
"""Of the familiarity of a look, relative to that of a text; chosen on rvl-scans, half of the kinds unknown."""


WITH_TEXT, ALONE = 0, 1
"""Positions in a `LookModel` of what adds to the margins of the text, and of what judges a page without text."""


class LinearLook(NamedTuple):
    """Weights from looks to margins."""

    mean: NDArray[Any]  # (SIZE,), of the training documents: what differs from it counts
    weights: NDArray[Any]  # (SIZE, k)
    intercept: NDArray[Any]  # (k,)

    def margins(self, looks: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the margins of looks, shape (n, k); zeros for documents without a look."""
        margins = np.zeros((len(looks), len(self.intercept)))
        # row by row, so that a document's margins do not depend on its batch
        for row in np.flatnonzero(have_look(looks)).tolist():
            margins[row] = (looks[row].astype(np.float64) - self.mean) @ self.weights + self.intercept
        return margins


@dataclass(frozen=True, slots=True, kw_only=True)
class LookModel:
    """What adds to the margins of the text, and what judges a page without text, each with its temperature."""

    mean: NDArray[np.float32]  # (SIZE,), of the training documents
    deviation: NDArray[np.float32]  # (SIZE,), of the same, from the mean
    farthest: float  # distance from the mean, in deviations, that the most unusual of them has
    weights: NDArray[np.float32]  # (2, SIZE, k)
    intercept: NDArray[np.float32]  # (2, k)
    inverse_temperatures: tuple[float, float]  # of the sum of the margins of text and look, and of the look alone
    # (2, 201), evenly spaced: of the evidence of out-of-fold margins of the look, and of that and the text's combined
    quantiles: NDArray[np.float64]

    def usual(self, looks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take looks that are more unusual than any trained on for none: what they add would be extrapolated."""
        too_far = spread(looks, self.mean, self.deviation) > self.farthest
        return np.where(too_far[:, None], np.float32(np.nan), looks)

    def linear(self, use: int) -> LinearLook:
        """Give the weights of one use: `WITH_TEXT` or `ALONE`."""
        return LinearLook(self.mean, self.weights[use], self.intercept[use])

    def familiarity(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the training documents whose look was less typical, 0 to 1, given the margins of looks alone."""
        return share_below(self.quantiles[0], margin_evidence(margins))

    def familiarity_with(self, text: NDArray[np.float64], margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the training documents that were less typical by look and text, given the familiarity of texts."""
        return share_below(self.quantiles[1], typical_together(text, self.familiarity(margins)))


def spread(
    looks: NDArray[np.float32], mean: NDArray[np.float32], deviation: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Mean squared distance of looks from the mean, in deviations, shape (n,); NaN for documents without a look."""
    return np.asarray((((looks - mean) / deviation).astype(np.float64) ** 2).mean(axis=1))


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
