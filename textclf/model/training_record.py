"""The training record that a model file keeps: documents, cross-validation, learning curve, acceptance."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field, replace
from html import escape

from textclf.base.errors import UsageError
from textclf.model.accept import MAX_ERRORS, Acceptance, AcceptanceCurve
from textclf.model.settings import AcceptanceOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """Figures of a cross-validation with some of the feature groups."""

    features: str  # "text", "text + keywords", ...; with ", groups mixed" where groups were not kept together
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One point of the learning curve: documents trained on (mean over the folds), and figures on held-out ones."""

    documents: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlabelledDocuments:
    """What training made of the documents of unknown category."""

    given: int = 0  # blank ones, and those that are labelled too, among them
    tried: bool = False  # whether self-training was cross-validated; without pseudo-labelled ones it was no better
    used: int = 0  # different texts with words, a sample of many
    pseudo_labelled: dict[str, int] = field(default_factory=dict)  # of each category, trained on by self-training
    novel: int = 0  # that look like no category, trained on as out-of-distribution documents


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundUsed:
    """The texts of the background that a model was trained to turn away."""

    texts: int = 0
    left_out: dict[str, str] = field(default_factory=dict)  # kinds, and the category that each is like


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleModality:
    """Figures of documents of which one of two modalities is missing: a text without a look, or a look without text."""

    documents: int
    accuracy: float
    macro_f1: float
    acceptance: Acceptance
    acceptance_curve: AcceptanceCurve

    def with_max_error(self, max_error: float) -> SingleModality:
        """Choose the threshold for another maximum error."""
        return replace(self, acceptance=self.acceptance_curve.at(max_error, self.acceptance.confidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """What a model file keeps of its training, for ``model info`` and the report."""

    documents: dict[str, int]  # of each category, in the order of the model's categories
    empty_texts: int  # documents left out because they had no text
    by_keywords: bool = False  # whether their categories come from keywords: no figure then compares with the truth
    out_of_distribution: int = 0  # documents given as of none of the categories, with words
    unlabelled: UnlabelledDocuments = field(default_factory=UnlabelledDocuments)
    background: BackgroundUsed = field(default_factory=BackgroundUsed)
    folds: int
    kept_together: int = 0  # groups of documents that cross-validation kept together; 0 without groups
    groups: tuple[CrossValidation, ...]  # one per feature group; the last is the model itself
    curve: tuple[CurvePoint, ...]  # smallest first; the last is the full cross-validation
    acceptance: Acceptance
    acceptance_curve: AcceptanceCurve | None = None  # not in model files of older formats
    without_look: SingleModality | None = None  # None in a model that knows nothing of looks
    look_alone: SingleModality | None = None
    data_hash: str  # SHA-256 of ids, texts and categories
    inputs_hash: str = ""  # SHA-256 of all that the model depends on

    def with_max_error(self, max_error: float | None) -> TrainingRecord:
        """Choose the threshold for another maximum error, as training would have; None keeps it."""
        AcceptanceOptions(max_error=max_error)
        if max_error is None or max_error == self.acceptance.max_error:
            return self
        if self.acceptance_curve is None:
            raise UsageError(
                f"the model was trained by an older version, for a maximum error of {self.acceptance.max_error:g} only",
                where="max_error",
                remedy="train it again",
            )
        return replace(
            self,
            acceptance=self.acceptance_curve.at(float(max_error), self.acceptance.confidence),
            without_look=self.without_look and self.without_look.with_max_error(float(max_error)),
            look_alone=self.look_alone and self.look_alone.with_max_error(float(max_error)),
        )

    def acceptance_of(self, *, text: bool, look: bool) -> Acceptance:
        """Give the acceptance of documents with or without text and look."""
        known = self.look_alone if not text else self.without_look if not look else None
        return known.acceptance if known else self.acceptance

    def ladder(self) -> list[Acceptance]:
        """Give what several maximum errors, the model's own among them, would accept; empty for older models."""
        curve, own = self.acceptance_curve, self.acceptance
        if curve is None:
            return []
        return [curve.at(max_error, own.confidence) for max_error in sorted({*MAX_ERRORS, own.max_error})]

    def on_one_line(self) -> str:
        """Summarise categories, accuracy and threshold on one line."""
        return f"<textclf model: {'; '.join(f'{name} {value}' for name, value in self._facts())}>"

    def to_html(self) -> str:
        """Summarise them as a small table for a notebook; names of categories are escaped."""
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
