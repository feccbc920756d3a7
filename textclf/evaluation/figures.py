"""The shape of an evaluation: all its figures, for the page, the tables and programs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.evaluation.reliability import Calibration, RiskCoverage, upper_error


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFigures:
    """The figures of one category.

    Parameters
    ----------
    category : str
        Its name.
    precision : float
        Share of the documents predicted as this category that are of it, 0 to 1; 0 if none was predicted.
    recall : float
        Share of the documents of this category that were predicted as it, 0 to 1; 0 if there is none.
    f1 : float
        Harmonic mean of both.
    support : int
        Documents of this category.
    predicted : int
        Documents predicted as this category.
    known : bool
        Whether the model knows it; one that it does not know is wrong in every document.
    """

    category: str
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One document that was not predicted as it should be.

    Parameters
    ----------
    document_id : str
        As given.
    category : str
        What it is.
    predicted_category : str
        What the model said; empty if it could say nothing.
    score : float
        Calibrated probability, 0 to 1, that the model gave its answer.
    decision : str
        ``accept`` or ``review``.
    error : str
        Why nothing could be said, or what was missing; empty if all went well.
    snippet : str
        How the text begins, on one line.
    excerpt : str
        A longer piece of the beginning, with its lines; only for the most confident errors.
    spoke_for, spoke_against : tuple of (str, float)
        What spoke for and against `predicted_category`, rather than the runner-up, and how much: most first, amounts
        above and below 0. Only for the most confident errors, where an explanation was asked for.
    """

    document_id: str
    category: str
    predicted_category: str
    score: float
    decision: str
    error: str
    snippet: str
    excerpt: str = ""
    spoke_for: tuple[tuple[str, float], ...] = ()
    spoke_against: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusedPair:
    """Documents of one category taken for another.

    Parameters
    ----------
    category, predicted_category : str
        What they are and what the model said.
    documents : tuple of Mistake
        All of them, highest score first.
    """

    category: str
    predicted_category: str
    documents: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreHistogram:
    """How many documents were right and wrong at which score, or familiarity.

    Parameters
    ----------
    edges : tuple of float
        The 21 edges of 20 equally wide bins from 0 to 1; a bin holds its lower edge, the last one both.
    right, wrong : tuple of int
        Documents in each bin. Documents that could not be predicted have no score and are left out.
    """

    edges: tuple[float, ...]
    right: tuple[int, ...]
    wrong: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """The figures of the documents that have one value in a column of the table.

    Parameters
    ----------
    column, value : str
        Name of the column and the value in it.
    documents : int
        Documents with that value.
    accuracy, macro_f1 : float
        As in `EvaluationReport`, of these documents.
    accepted, accepted_right : int
        Those of them with decision ``accept``, and the right ones among those.
    """

    column: str
    value: str
    documents: int
    accuracy: float
    macro_f1: float
    accepted: int
    accepted_right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceGroup:
    """The figures of documents that OCR was about equally sure of.

    Parameters
    ----------
    lowest, highest : float
        OCR confidence of the worst and the best of them, 0 to 100.
    documents : int
        How many they are.
    right : int
        Those of them whose predicted category is theirs.
    accepted, accepted_right : int
        Those of them with decision ``accept``, and the right ones among those.
    """

    lowest: float
    highest: float
    documents: int
    right: int
    accepted: int
    accepted_right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDoubt:
    """A document whose category may have been given wrongly.

    Parameters
    ----------
    document_id : str
        As given.
    category : str
        The category given.
    suggested : str
        What it looks like.
    score, category_score : float
        Calibrated probability of the one suggested and of the one given, 0 to 1.
    snippet : str
        How the text begins, on one line.
    """

    document_id: str
    category: str
    suggested: str
    score: float
    category_score: float
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonFigures:
    """Documents for review for one reason.

    Parameters
    ----------
    reason : str
        As in a prediction; all pairs of categories together count as ``unsure``.
    documents, right : int
        How many, and those of them whose predicted category is theirs.
    """

    reason: str
    documents: int
    right: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvaluationReport:
    """All figures of one evaluation.

    Parameters
    ----------
    documents : int
        Documents evaluated. Those that could not be predicted, and those of a category that the model does
        not know, are among them and count as wrong; those for review count by their predicted category.
    right : int
        Documents whose predicted category is theirs.
    accuracy : float
        ``right / documents``.
    accuracy_interval : tuple of float
        Lower and upper end of the 95 % Wilson score interval of the accuracy.
    macro_f1 : float
        Mean F1 over the categories that have a document here, known to the model or not.
    accepted, accepted_right : int
        Documents with decision ``accept``, and those of them that are right.
    categories : tuple of CategoryFigures
        The model's categories in its order, then those that it does not know, by name.
    true_categories, predicted_categories : tuple of str
        What the rows and the columns of `confusion` stand for. The columns are the model's categories; where
        documents could not be predicted, a last column, named by the empty string, counts them.
    confusion : ndarray of shape (n_true, n_predicted), dtype int64
        Documents by true and predicted category. Read-only.
    confused_pairs : tuple of ConfusedPair
        Most documents first, then by name.
    confident_errors : tuple of Mistake
        The wrong predictions with the highest scores, at most 20.
    not_predicted : tuple of Mistake
        Documents for which the model could say nothing, in the order given.
    histogram : ScoreHistogram
        Right and wrong predictions by score.
    groups : tuple of GroupFigures
        The figures for each value of the columns asked for.
    confidence_groups : tuple of ConfidenceGroup
        At most five, equally many documents in each, worst read first; empty where OCR confidence is not known.
    ocr_engines : tuple of (str, int)
        Engines that read the documents, with how many each, most first; where the documents do not tell, none.
    reasons : tuple of ReasonFigures
        Why documents are for review, most first.
    risk_coverage : RiskCoverage or None
        What accepting by score alone would cost; None if no document was predicted.
    calibration : Calibration or None
        How close scores come to the share right; None if no document was predicted.
    familiarity : ScoreHistogram or None
        Right and wrong predictions by familiarity; None if the predictions carry none.
    label_doubts : tuple of LabelDoubt
        Documents whose category may be wrong, the likeliest first, at most 20.
    """

    documents: int
    right: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    accepted: int
    accepted_right: int
    categories: tuple[CategoryFigures, ...]
    true_categories: tuple[str, ...]
    predicted_categories: tuple[str, ...]
    confusion: NDArray[np.int64]
    confused_pairs: tuple[ConfusedPair, ...]
    confident_errors: tuple[Mistake, ...]
    not_predicted: tuple[Mistake, ...]
    histogram: ScoreHistogram
    groups: tuple[GroupFigures, ...]
    confidence_groups: tuple[ConfidenceGroup, ...]
    ocr_engines: tuple[tuple[str, int], ...]
    reasons: tuple[ReasonFigures, ...]
    risk_coverage: RiskCoverage | None
    calibration: Calibration | None
    familiarity: ScoreHistogram | None
    label_doubts: tuple[LabelDoubt, ...]

    @property
    def accepted_share(self) -> float:
        """Share of the documents that need no look, 0 to 1."""
        return self.accepted / self.documents

    @property
    def accepted_accuracy(self) -> float | None:
        """Share of right predictions among the accepted documents, 0 to 1; None if none was accepted."""
        return self.accepted_right / self.accepted if self.accepted else None

    @property
    def accepted_error_bound(self) -> float | None:
        """Upper end of the one-sided 95 % interval of the error among accepted documents; None if there is none."""
        wrong = self.accepted - self.accepted_right
        return float(upper_error(np.array([wrong]), np.array([self.accepted]))[0]) if self.accepted else None

    @property
    def unknown_categories(self) -> tuple[CategoryFigures, ...]:
        """The categories of documents here that the model does not know."""
        return tuple(figures for figures in self.categories if not figures.known)
