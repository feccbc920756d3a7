"""The shape of a prediction, and of what training found out about itself."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape
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
    """Which predictions need no look: those with a score from ``threshold`` on, which is 1.01 if none are accepted."""

    max_error: float  # aimed at among accepted documents
    confidence: float  # how sure it is that the error stays under it, for documents like those trained on
    threshold: float
    accepted: float  # share of the training documents accepted out of fold
    error: float  # share of wrong predictions among those


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """How well documents were predicted by models that had not seen them, with some of the feature groups."""

    features: str  # "text", "text + keywords", ...; with ", groups mixed" where groups were not kept together
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One point of the learning curve: documents trained on (mean over the folds), and what held-out ones gave."""

    documents: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """What a model file remembers of its training, for ``model info`` and the report."""

    documents: dict[str, int]  # of each category, in the order of the model's categories
    empty_texts: int  # documents left out because they had no text
    folds: int
    kept_together: int = 0  # groups whose documents cross-validation kept together; 0 if each stood alone
    groups: tuple[CrossValidation, ...]  # what each feature group gives; the last is the model itself
    curve: tuple[CurvePoint, ...]  # smallest first; the last is the full cross-validation
    acceptance: Acceptance
    data_hash: str  # SHA-256 of ids, texts and categories
    inputs_hash: str = ""  # SHA-256 of all that the model depends on

    def on_one_line(self) -> str:
        """Say what a model knows and how good it found itself, on a line that fits a screen."""
        return f"<textclf model: {'; '.join(f'{name} {value}' for name, value in self._facts())}>"

    def to_html(self) -> str:
        """Say the same as a small table for a notebook; names of categories are escaped."""
        rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in self._facts())
        return f"<table><caption>textclf model</caption>{rows}</table>"

    def _facts(self) -> list[tuple[str, str]]:
        names = textwrap.shorten(", ".join(map(repr, self.documents)), 100, placeholder=" …")
        accepted = f"{self.acceptance.accepted:.0%} from score {self.acceptance.threshold:.3f}"
        return [
            (f"{len(self.documents)} categories", f"({names})"),
            ("documents", f"{sum(self.documents.values()):,}"),
            ("accuracy", f"{self.groups[-1].accuracy:.3f} cross-validated"),
            ("accepts", accepted if self.acceptance.accepted else "nothing"),
        ]
