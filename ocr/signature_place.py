"""A place for a signature: what is said of it, and what a template says beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

PlaceKind = Literal["signature", "placeholder", "none"]
KINDS: tuple[PlaceKind, ...] = get_args(PlaceKind)
THRESHOLD = 0.6
"""Score below which a place is for review."""

Share = tuple[float, float, float, float]
"""Left, top, right and bottom of a box, as shares of the upright page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturePlace:
    """A place on a page, and whether it is signed.

    Parameters
    ----------
    page : int
        Number of the page, from 1.
    kind : {"signature", "placeholder", "none"}
        Signed; to be signed; or neither: other handwriting, print, a stamp alone.
    score : float
        Probability of that kind, 0 to 1.
    review : bool
        Whether the score is below the threshold.
    box : tuple of float
        Left, top, right and bottom, as shares of the upright page.
    name : str
        The name that a template gives the place; else empty.
    """

    page: int
    kind: PlaceKind
    score: float
    review: bool
    box: Share
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePlace:
    """A box that is known beforehand, as shares of the upright page, on one page of each document."""

    box: Share
    page: int = 1
    name: str = ""
