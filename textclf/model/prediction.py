"""A prediction, and the types of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Label = str | bool | int | float
"""A label that training was given; its `str` is the name of the category that predictions give."""

UNUSABLE_ROW, UNREADABLE = "row cannot be used", "could not be read"
"""Reasons of failed predictions."""
UNSURE_CUT = "unsure where to cut"
"""Reason why a document is for review that was cut out of a stack."""
_PAGE_KEYS = ("predicted_category", "score", "familiarity", "decision", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The prediction for one document.

    Parameters
    ----------
    document_id : str
        As given.
    predicted_category : str
        The most likely category; empty if nothing could be predicted.
    score : float
        Calibrated probability, 0 to 1, that `predicted_category` is right.
    familiarity : float
        Share of the training documents that are less typical than this one, 0 to 1: a conformal p-value.
    decision : {"accept", "review"}
        ``review``: a person should look at the document.
    reason : str
        Why it is for review; empty with ``accept``: ``no text``, ``pages disagree``, ``poor scan``, ``other language``,
        ``unknown kind``, ``unsure between A and B``, ``unsure where to cut``, ``could not be read`` or
        ``row cannot be used``.
    scores : tuple of float
        Probability of each category, in the order of the model's categories; empty if nothing could be predicted.
    status : {"ok", "partial", "failed", "skipped"}
        ``partial``: predicted from a part of the text. ``failed``: the row could not be predicted.
    error : str
        Why, in one line; empty if all went well.
    pages : tuple of Prediction
        If the text has several pages, the prediction of each by itself, with its number, from 1, as `document_id`.
    """

    document_id: str
    predicted_category: str = ""
    score: float = 0.0
    familiarity: float = 0.0
    decision: Literal["accept", "review"] = "review"
    reason: str = ""
    scores: tuple[float, ...] = ()
    status: Literal["ok", "partial", "failed", "skipped"] = "ok"
    error: str = ""
    pages: tuple[Prediction, ...] = ()


def failed_prediction(document_id: str, reason: str, error: str) -> Prediction:
    """Make the prediction of a document that could not be predicted."""
    return Prediction(document_id=document_id, reason=reason, status="failed", error=error)


def pages_for_json(prediction: Prediction) -> list[dict[str, Any]]:
    """Give what JSON says of the predictions of the pages, with their numbers, from 1."""
    return [
        {"page": number} | {key: getattr(page, key) for key in _PAGE_KEYS}
        for number, page in enumerate(prediction.pages, 1)
    ]
