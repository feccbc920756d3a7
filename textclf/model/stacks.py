"""Cuts of a stack with a model: a change of kind from one page to the next speaks for a new document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ocr.stack import CutWeights, Gap, StackCutter, read_weights
from textclf.model.prediction import Prediction

if TYPE_CHECKING:
    from ocr.document import Page
    from textclf.model.predict import Model

KIND_FEATURES = (
    "kinds agree",
    "kinds differ",
    "both sure, other kind",
    "both sure, same kind",
    "unfamiliar",
    "familiar again",
)
"""Names of the features of a gap that a model gives."""
_MOST = 3.0
_SURE = 0.8


def stack_cutter(model: Model) -> StackCutter:
    """Give the cutter of stacks that also asks a model for the kinds of pages."""
    return StackCutter(weights=_weights(), more_features=KIND_FEATURES, more=partial(kind_features, model))


@cache
def _weights() -> CutWeights:
    return read_weights("textclf.model", "stack_weights.json")


def kind_features(model: Model, pages: Sequence[Page], gaps: Sequence[Gap]) -> NDArray[np.float64]:
    """Give the features of gaps between pages that the predictions of these give, shape (gaps, features)."""
    places = sorted({place for gap in gaps for place in gap})
    found = dict(zip(places, model.pipe([pages[place].text for place in places]), strict=True))
    return np.array([_features(found[gap.before], found[gap.after]) for gap in gaps]).reshape(-1, len(KIND_FEATURES))


def _features(before: Prediction, after: Prediction) -> tuple[float, ...]:
    if not before.scores or not after.scores:
        return (0.0,) * len(KIND_FEATURES)
    # how much more likely the two kinds are together in one document than in two, if all kinds are as frequent
    same = sum(one * other for one, other in zip(before.scores, after.scores, strict=True))
    odds = math.log(max(1e-9, same * len(before.scores)))
    sure = min(before.score, after.score) >= _SURE
    alike = before.predicted_category == after.predicted_category
    return (
        min(_MOST, max(0.0, odds)) / _MOST,
        min(_MOST, max(0.0, -odds)) / _MOST,
        float(sure and not alike),
        float(sure and alike),
        max(0.0, before.familiarity - after.familiarity),
        max(0.0, after.familiarity - before.familiarity),
    )
