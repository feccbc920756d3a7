"""How well predictions fit the categories that people gave: the figures of an evaluation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.errors import BadDataError
from textclf.prediction import Prediction

__all__ = [
    "CategoryFigures",
    "ConfusedPair",
    "EvaluationReport",
    "GroupFigures",
    "Mistake",
    "ScoreHistogram",
    "evaluate_predictions",
]

BINS = 20
SNIPPET_LENGTH = 160
CONFIDENT_ERRORS = 20


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
    """

    document_id: str
    category: str
    predicted_category: str
    score: float
    decision: str
    error: str
    snippet: str


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
    """How many documents were right and wrong at which score.

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
    groups: tuple[GroupFigures, ...] = ()

    @property
    def accepted_share(self) -> float:
        """Share of the documents that need no look, 0 to 1."""
        return self.accepted / self.documents

    @property
    def accepted_accuracy(self) -> float | None:
        """Share of right predictions among the accepted documents, 0 to 1; None if none was accepted."""
        return self.accepted_right / self.accepted if self.accepted else None

    @property
    def unknown_categories(self) -> tuple[CategoryFigures, ...]:
        """The categories of documents here that the model does not know."""
        return tuple(figures for figures in self.categories if not figures.known)


def evaluate_predictions(
    categories: Sequence[str],
    truths: Sequence[str],
    predictions: Sequence[Prediction],
    *,
    texts: Sequence[str] | None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> EvaluationReport:
    """Compare predictions with the categories that the documents really have.

    Parameters
    ----------
    categories : sequence of str
        The model's categories.
    truths : sequence of str of length n
        What each document is. A category that the model does not know makes its documents wrong.
    predictions : sequence of Prediction of length n
        What the model said, in the same order. One without a predicted category counts as wrong.
    texts : sequence of str of length n, or None
        The documents' texts, for the snippets beside the errors.
    groups : mapping of str to sequence of str of length n, optional
        Column to the value of each document; the figures are given for each value as well.

    Returns
    -------
    EvaluationReport
        The figures. Precision, recall and F1 are scikit-learn's with ``zero_division=0``; macro F1 is its
        ``f1_score(truths, predicted, labels=sorted(set(truths)), average="macro")``.

    Raises
    ------
    textclf.errors.BadDataError
        If there is no document, or one has no category.
    ValueError
        If the sequences differ in length, or a prediction is of a category not among `categories`.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22 (1927), 209-212 (the interval of the accuracy).

    Examples
    --------
    >>> said = [Prediction(document_id=name, predicted_category="invoice", score=0.9) for name in ("a", "b")]
    >>> report = evaluate_predictions(["invoice", "letter"], ["invoice", "letter"], said, texts=None)
    >>> report.accuracy, round(report.macro_f1, 3), report.confused_pairs[0].documents[0].document_id
    (0.5, 0.333, 'b')
    """
    from scipy.stats import binomtest
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    texts = [""] * len(truths) if texts is None else texts
    _check(categories, truths, predictions, texts)
    names = (*categories, *sorted(set(truths) - set(categories)))
    # numbers instead of names: scikit-learn then knows the categories nobody has, and the one of no answer
    number = {name: index for index, name in enumerate(names)}
    no_answer = len(names)
    true = np.array([number[name] for name in truths])
    said = np.array([number.get(prediction.predicted_category, no_answer) for prediction in predictions])

    right = true == said
    accepted = np.array([prediction.decision == "accept" for prediction in predictions])
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(confidence_level=0.95, method="wilson")
    precision, recall, f1, support = precision_recall_fscore_support(
        true, said, labels=np.arange(len(names)), zero_division=0
    )
    matrix = confusion_matrix(true, said, labels=np.arange(len(names) + 1))
    columns = [*range(len(categories)), *([no_answer] if matrix[:, no_answer].any() else [])]
    confusion = matrix[: len(names), columns].astype(np.int64)
    confusion.flags.writeable = False

    mistakes = [_mistake(*entry) for entry in zip(truths, predictions, texts, strict=True)]
    errors = sorted(
        (mistakes[index] for index in np.flatnonzero(~right & (said != no_answer))),
        key=lambda document: (-document.score, document.document_id),
    )
    return EvaluationReport(
        documents=len(truths),
        right=int(right.sum()),
        accuracy=float(right.mean()),
        accuracy_interval=(float(interval.low), float(interval.high)),
        macro_f1=float(f1[support > 0].mean()),
        accepted=int(accepted.sum()),
        accepted_right=int((accepted & right).sum()),
        categories=tuple(
            CategoryFigures(
                category=name,
                precision=float(precision[index]),
                recall=float(recall[index]),
                f1=float(f1[index]),
                support=int(support[index]),
                predicted=int((said == index).sum()),
                known=index < len(categories),
            )
            for index, name in enumerate(names)
        ),
        true_categories=names,
        predicted_categories=tuple(names[column] if column < no_answer else "" for column in columns),
        confusion=confusion,
        confused_pairs=_pairs(errors),
        confident_errors=tuple(errors[:CONFIDENT_ERRORS]),
        not_predicted=tuple(mistakes[index] for index in np.flatnonzero(said == no_answer)),
        histogram=_histogram(
            np.array([prediction.score for prediction in predictions]), right, ~right & (said != no_answer)
        ),
        groups=tuple(
            _group(column, value, np.array(values) == value, true, said, accepted)
            for column, values in (groups or {}).items()
            for value in sorted(set(values))
        ),
    )


def _check(
    categories: Sequence[str], truths: Sequence[str], predictions: Sequence[Prediction], texts: Sequence[str]
) -> None:
    if not len(truths) == len(predictions) == len(texts):
        raise ValueError(f"{len(truths)} categories, {len(predictions)} predictions and {len(texts)} texts")
    if not truths:
        raise BadDataError("there is no document to evaluate", remedy="give documents with their category")
    for truth, prediction in zip(truths, predictions, strict=True):
        if not truth:
            raise BadDataError(
                "has no category", where=prediction.document_id, remedy="leave such documents out of an evaluation"
            )
    foreign = {prediction.predicted_category for prediction in predictions} - {*categories, ""}
    if foreign:
        raise ValueError(f"predicted categories that are not the model's: {sorted(foreign)}")


def _group(
    column: str,
    value: str,
    inside: NDArray[np.bool_],
    true: NDArray[np.int64],
    said: NDArray[np.int64],
    accepted: NDArray[np.bool_],
) -> GroupFigures:
    from sklearn.metrics import f1_score

    true, said, accepted = true[inside], said[inside], accepted[inside]
    return GroupFigures(
        column=column,
        value=value,
        documents=len(true),
        accuracy=float((true == said).mean()),
        macro_f1=float(f1_score(true, said, labels=np.unique(true), average="macro", zero_division=0)),
        accepted=int(accepted.sum()),
        accepted_right=int((accepted & (true == said)).sum()),
    )


def _mistake(truth: str, prediction: Prediction, text: str) -> Mistake:
    # a snippet needs no more than the beginning, and a text may have megabytes
    words = " ".join(text[: 4 * SNIPPET_LENGTH].split())
    return Mistake(
        document_id=prediction.document_id,
        category=truth,
        predicted_category=prediction.predicted_category,
        score=prediction.score,
        decision=prediction.decision,
        error=prediction.error or (prediction.reason if not prediction.predicted_category else ""),
        snippet=words if len(words) <= SNIPPET_LENGTH else words[: SNIPPET_LENGTH - 1].rstrip() + "…",
    )


def _pairs(errors: Sequence[Mistake]) -> tuple[ConfusedPair, ...]:
    pairs: dict[tuple[str, str], list[Mistake]] = defaultdict(list)
    for document in errors:
        pairs[document.category, document.predicted_category].append(document)
    return tuple(
        ConfusedPair(category=category, predicted_category=predicted, documents=tuple(documents))
        for (category, predicted), documents in sorted(pairs.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    )


def _histogram(scores: NDArray[np.float64], right: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> ScoreHistogram:
    # rounding may lift a probability a hair above 1, where np.histogram would drop it
    scores = np.clip(scores, 0.0, 1.0)
    edges = np.arange(BINS + 1) / BINS
    return ScoreHistogram(
        edges=tuple(edges.tolist()),
        right=tuple(np.histogram(scores[right], bins=edges)[0].tolist()),
        wrong=tuple(np.histogram(scores[wrong], bins=edges)[0].tolist()),
    )
