"""The shape of a prediction, and of what training found out about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Label = str | bool | int | float
"""What training may be given for a category; its name, `str` of it, is what predictions say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What is said of one document.

    Parameters
    ----------
    document_id : str
        As given.
    predicted_category : str
        The most likely category; empty if nothing could be predicted.
    score : float
        Calibrated probability, 0 to 1, that `predicted_category` is right.
    familiarity : float
        Share of the training documents that were less like what the model was trained on, 0 to 1.
    decision : {"accept", "review"}
        ``review``: a person should look.
    reason : str
        Why it is for review; empty with ``accept``: ``no text``, ``poor scan``, ``other language``, ``unknown kind``,
        ``unsure between A and B``, ``nothing is accepted`` (the model could choose no threshold), ``could not be
        read`` or ``row cannot be used``.
    scores : tuple of float
        Probability of each category, in the order of the model's categories; empty if nothing could be predicted.
    status : {"ok", "partial", "failed", "skipped"}
        ``partial``: predicted from a part of the text. ``failed``: the row could not be predicted.
    error : str
        Why, in one line; empty if all went well.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Which predictions need no look.

    Parameters
    ----------
    max_error : float
        The error among accepted documents that the user can bear, 0 to 1.
    confidence : float
        How sure it is that the error stays under `max_error` for documents like those trained on, 0 to 1.
    threshold : float
        Documents with at least this score are accepted; above 1 (1.01) if no threshold keeps the error low enough.
    accepted : float
        Share of the training documents accepted out of fold, 0 to 1.
    error : float
        Share of wrong predictions among those, 0 to 1.
    """

    max_error: float
    confidence: float
    threshold: float
    accepted: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """How well documents were predicted by models that had not seen them.

    Parameters
    ----------
    features : str
        The feature groups used: ``text``, ``text + keywords`` or ``text + keywords + vectors``; with ``, groups
        mixed`` where documents of a group were not kept together.
    accuracy, macro_f1 : float
        Over all documents, each predicted once, 0 to 1.
    """

    features: str
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One point of the learning curve.

    Parameters
    ----------
    documents : int
        Documents trained on (mean over the folds, rounded).
    accuracy, macro_f1 : float
        On the folds' held-out documents, 0 to 1.
    """

    documents: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """What a model file remembers of its training, for ``model info`` and the report.

    Parameters
    ----------
    documents : dict of str to int
        Number of documents of each category, in the order of the model's categories.
    empty_texts : int
        Documents left out because they had no text.
    folds : int
        Folds of the cross-validation.
    kept_together : int
        Groups, such as issuers, whose documents it kept together; 0 if it treated each document alone.
    groups : tuple of CrossValidation
        What each feature group gives; the last is the model itself.
    curve : tuple of CurvePoint
        The learning curve, smallest first; the last point is the full cross-validation.
    acceptance : Acceptance
        Which documents are accepted.
    data_hash : str
        SHA-256 of the training documents: ids, texts and categories.
    inputs_hash : str
        SHA-256 of all that the model depends on: documents, groups, others, options, lexicon, vectors, versions.
    """

    documents: dict[str, int]
    empty_texts: int
    folds: int
    kept_together: int = 0
    groups: tuple[CrossValidation, ...]
    curve: tuple[CurvePoint, ...]
    acceptance: Acceptance
    data_hash: str
    inputs_hash: str = ""
