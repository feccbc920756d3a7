"""Whether a page is signed: each place for a signature on it is a signature, a placeholder, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from ocr.document import Page
from ocr.page_marks import Box, page_marks
from ocr.signature_features import FORMAT, features
from ocr.signature_place import KINDS, THRESHOLD, SignaturePlace, TemplatePlace
from ocr.signature_search import candidate_places, clipped, overlap, page_view
from textclf.base.errors import BadModelError

CLIP = 2.5
"""Standard deviations from the mean beyond which a feature counts as no further."""
LANDMARK_STEPS = 50
"""Landmarks are stored in whole steps, so many a standard deviation."""
_FILE = "signatures.npz"
_SAME = 0.5
"""Share of the smaller of two boxes above which only the surer place is kept."""
_FEWEST_LETTERS = 12
"""Pixels of a page's shorter side below which nothing is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureModel:
    """A logistic regression on the similarity of a place to landmarks (Nyström approximation of a Gaussian kernel).

    Source: Williams and Seeger 2001, "Using the Nyström method to speed up kernel machines".
    """

    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    gamma: float
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def probabilities(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Give the probability of each of `KINDS` for the features of places, shape (n_places, 3)."""
        scaled = np.clip((rows - self.mean) / self.scale, -CLIP, CLIP)
        squares = (scaled**2).sum(axis=1)[:, None] + (self.landmarks**2).sum(axis=1) - 2 * scaled @ self.landmarks.T
        margins = np.exp(-self.gamma * np.maximum(squares, 0)) @ self.weights + self.bias
        powers = np.exp(margins - margins.max(axis=1, keepdims=True)).astype(float)
        probabilities: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


@cache
def signature_model() -> SignatureModel:
    """Load the model of the package, once a process."""
    with np.load(BytesIO(files("ocr").joinpath(_FILE).read_bytes()), allow_pickle=False) as stored:
        if int(stored["format"]) != FORMAT:
            raise BadModelError(f"has format {int(stored['format'])}, not {FORMAT}", where=_FILE)
        parts = {name: stored[name].astype(np.float32) for name in ("mean", "scale", "landmarks", "weights", "bias")}
        parts["landmarks"] /= LANDMARK_STEPS
        return SignatureModel(**parts, gamma=float(stored["gamma"]))


def find_signatures(
    image: Image.Image,
    page: Page,
    *,
    template: Iterable[TemplatePlace] = (),
    threshold: float = THRESHOLD,
) -> list[SignaturePlace]:
    """Find the places for signatures on a page, from the top, and say which are signed.

    Places are found by words such as *signature* or *firma*, by ruled lines beside them, by the gap that closes a
    letter, and by what looks written by a pen. Places that are surely neither signature nor placeholder are left out.
    With a template, its boxes on this page are judged instead, and each is reported.

    Parameters
    ----------
    image : PIL.Image.Image
        The upright page in grey.
    page : Page
        What was read of it.
    template : iterable of TemplatePlace
        Boxes that are known; empty to find the places.
    threshold : float
        Score below which a place is for review.

    Returns
    -------
    list of SignaturePlace
        Empty where no signature belongs.
    """
    known = list(template)
    here = [one for one in known if one.page == page.number]
    if min(image.size) < _FEWEST_LETTERS or (known and not here):
        return []
    view = page_view(page_marks(image, page))
    width, height = view.marks.size
    if known:
        boxes = [
            clipped((one.box[0] * width, one.box[1] * height, one.box[2] * width, one.box[3] * height), (width, height))
            for one in here
        ]
    else:
        boxes = candidate_places(view)
    if not boxes:
        return []
    scores = signature_model().probabilities(np.array([features(view, box) for box in boxes]))
    places = []
    for number in range(len(boxes)) if known else surest(boxes, scores):
        best = int(scores[number].argmax())
        score = float(scores[number, best])
        if known or KINDS[best] != "none" or score < threshold:
            left, top, right, bottom = boxes[number]
            places.append(
                SignaturePlace(
                    page=page.number,
                    kind=KINDS[best],
                    score=score,
                    review=score < threshold,
                    box=(left / width, top / height, right / width, bottom / height),
                    name=here[number].name if known else "",
                )
            )
    return places if known else sorted(places, key=lambda place: (place.box[1], place.box[0]))


def surest(boxes: Sequence[Box], scores: npt.NDArray[np.float64]) -> list[int]:
    """Of places that overlap, keep the one that is more surely a place for a signature."""
    kept: list[int] = []
    for number in np.argsort(scores[:, KINDS.index("none")], kind="stable").tolist():
        if all(overlap(boxes[number], boxes[other]) <= _SAME for other in kept):
            kept.append(number)
    return kept
