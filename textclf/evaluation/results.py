"""Results of an evaluation: all its figures, for the report, the tables and programs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.evaluation.reliability import Calibration, RiskCoverage, upper_error


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFigures:
    """Precision, recall and F1 of one category, each 0 where it is not defined."""

    category: str
    precision: float
    recall: float
    f1: float
    # documents of this category, and documents predicted as this category
    support: int
    predicted: int
    # whether the model knows the category; if not, its documents all count as wrong
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A document predicted wrongly or not at all, with the beginning of its text."""

    document_id: str
    category: str
    predicted_category: str
    score: float
    decision: str
    # why nothing was predicted, or what part of the text was left out
    error: str
    # on one line
    snippet: str
    # only for the most confident errors: a longer beginning with line breaks, and the terms and features that spoke for
    # and against the predicted category, largest amounts first
    excerpt: str = ""
    spoke_for: tuple[tuple[str, float], ...] = ()
    spoke_against: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusedPair:
    """All documents of one category predicted as another, highest score first."""

    category: str
    predicted_category: str
    documents: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreHistogram:
    """Right and wrong predictions in equally wide bins of score or familiarity; a bin includes its lower edge."""

    edges: tuple[float, ...]
    right: tuple[int, ...]
    wrong: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """Figures of the documents that have one value in a column of the table."""

    column: str
    value: str
    documents: int
    accuracy: float
    macro_f1: float
    accepted: int
    accepted_right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrConfidenceGroup:
    """Figures of documents whose OCR confidence lies between `lowest` and `highest`, 0 to 100."""

    lowest: float
    highest: float
    documents: int
    right: int
    accepted: int
    accepted_right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelIssue:
    """A document whose category is likely wrong, with the scores of the suggested and of the given one."""

    document_id: str
    category: str
    suggested: str
    score: float
    category_score: float
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonFigures:
    """Documents for review for one reason, and how many are right; ``unsure`` sums up all pairs of categories."""

    reason: str
    documents: int
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxErrorFigures:
    """What a maximum error accepts: share and error in cross-validation, and documents here."""

    max_error: float
    threshold: float
    cross_validated_accepted: float
    cross_validated_error: float
    accepted: int
    accepted_right: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvaluationReport:
    """All figures of one evaluation; shares are from 0 to 1.

    Documents that could not be predicted or are of a category that the model does not know count as wrong; those for
    review count by their predicted category. Those of `NONE_OF_THESE` have no right category: they count in
    `accepted`, where each is wrong, in `by_max_error` and in `reasons`, and nowhere else.
    """

    documents: int
    none_of_these: int
    none_of_these_accepted: int
    right: int
    accuracy: float
    # Wilson score interval
    accuracy_interval_95: tuple[float, float]
    # over the categories of these documents, known to the model or not
    macro_f1: float
    accepted: int
    accepted_right: int
    # accepted documents of a category that the model does not know
    unknown_accepted: int
    # lowest maximum error first; empty if the model knows one only
    by_max_error: tuple[MaxErrorFigures, ...]
    # in the order given
    not_predicted: tuple[Mistake, ...]
    # the model's categories in its order, then those that it does not know, by name
    categories: tuple[CategoryFigures, ...]
    groups: tuple[GroupFigures, ...]
    # rows and columns of the confusion matrix; the last column, named "", is for documents without a prediction
    true_categories: tuple[str, ...]
    predicted_categories: tuple[str, ...]
    confusion: NDArray[np.int64]
    # most documents first, then by name
    confused_pairs: tuple[ConfusedPair, ...]
    score_histogram: ScoreHistogram
    # both None if no document was predicted
    risk_coverage: RiskCoverage | None
    calibration: Calibration | None
    # lowest confidence first, equally many documents in each; empty if OCR confidence is not known
    by_ocr_confidence: tuple[OcrConfidenceGroup, ...]
    # documents read by each, most first
    ocr_engines: dict[str, int]
    reasons: tuple[ReasonFigures, ...]
    # None if the predictions have no familiarity
    familiarity_histogram: ScoreHistogram | None
    confident_errors: tuple[Mistake, ...]
    # the most likely first
    label_issues: tuple[LabelIssue, ...]

    @property
    def all_documents(self) -> int:
        """Number of documents, those of none of the categories included."""
        return self.documents + self.none_of_these

    @property
    def accepted_share(self) -> float:
        """Share of all documents that are accepted, 0 to 1."""
        return self.accepted / self.all_documents

    @property
    def accepted_accuracy(self) -> float | None:
        """Share of right predictions among the accepted documents, 0 to 1; None if none was accepted."""
        return self.accepted_right / self.accepted if self.accepted else None

    @property
    def accepted_error_bound_95(self) -> float | None:
        """Upper end of the one-sided 95 % interval of the error among accepted documents; None if there is none."""
        wrong = self.accepted - self.accepted_right
        return float(upper_error(np.array([wrong]), np.array([self.accepted]))[0]) if self.accepted else None

    @property
    def unknown_categories(self) -> tuple[CategoryFigures, ...]:
        """The categories of these documents that the model does not know."""
        return tuple(figures for figures in self.categories if not figures.known)
