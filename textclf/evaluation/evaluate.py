"""Figures of an evaluation: predictions compared with the true categories."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.text_arguments import as_texts
from textclf.base.errors import BadDataError
from textclf.data.sources import snippet
from textclf.evaluation.label_issues import find_label_issues
from textclf.evaluation.reliability import calibration, equal_mass, risk_coverage, wilson_interval
from textclf.evaluation.results import (
    CategoryFigures,
    ConfusedPair,
    EvaluationReport,
    GroupFigures,
    LabelIssue,
    MaxErrorFigures,
    Mistake,
    OcrConfidenceGroup,
    ReasonFigures,
    ScoreHistogram,
)
from textclf.model.accept import UNSURE, Acceptance
from textclf.model.category_names import NONE_OF_THESE
from textclf.model.pages import accepted_at
from textclf.model.prediction import Prediction

BINS = 20
SNIPPET_LENGTH = 160
EXCERPT_LENGTH = 1500
CONFIDENT_ERRORS = 20
LABEL_ISSUES = 20
MAX_TERMS = 6
"""Number of terms and features kept that spoke for a wrong category, and that spoke against it."""
MAX_OCR_GROUPS, MIN_IN_GROUP = 5, 10


def evaluate_predictions(
    categories: Sequence[str],
    truths: Sequence[str],
    predictions: Sequence[Prediction],
    *,
    texts: Sequence[str] | None,
    groups: Mapping[str, Sequence[str]] | None = None,
    ocr_confidences: Sequence[float | None] | None = None,
    ocr_engines: Sequence[str] = (),
    acceptances: Sequence[Acceptance] = (),
    explain: Callable[[int], Sequence[tuple[str, float]]] | None = None,
) -> EvaluationReport:
    """Compare predictions with the true categories of the documents.

    Parameters
    ----------
    categories : sequence of str
        The model's categories.
    truths : sequence of str of length n
        True category of each document. Those of a category that the model does not know count as wrong. Those of
        `NONE_OF_THESE` count among the accepted only, each as wrong.
    predictions : sequence of Prediction of length n
        In the same order. Predictions without a category count as wrong.
    texts : sequence of str of length n, or None
        Texts of the documents, for the snippets beside the errors.
    groups : mapping of str to sequence of str of length n, optional
        For each column the value of each document; the figures are also given for each value.
    ocr_confidences : sequence of float or None, of length n, optional
        OCR confidence of each document, 0 to 100; None where it is not known.
    ocr_engines : sequence of str of length n, optional
        OCR engine of each document; empty where it is not known or only text layers were used.
    acceptances : sequence of Acceptance, optional
        Thresholds for other maximum errors, for which the accepted documents are counted too.
    explain : callable, optional
        Gives for a document, by its position, the terms and features that spoke for (above 0) and against (below 0)
        the predicted category, with their amounts. Called for the most confident errors.

    Returns
    -------
    EvaluationReport
        The figures. Precision, recall and F1 are scikit-learn's with ``zero_division=0``; macro F1 is its
        ``f1_score(truths, predicted, labels=sorted(set(truths)), average="macro")``.

    Raises
    ------
    textclf.base.errors.BadDataError
        If there is no document of a category, or one has no category.
    ValueError
        If the sequences differ in length, or a prediction is of a category not among `categories`.

    Examples
    --------
    >>> said = [Prediction(document_id=name, predicted_category="invoice", score=0.9) for name in ("a", "b")]
    >>> report = evaluate_predictions(["invoice", "letter"], ["invoice", "letter"], said, texts=None)
    >>> report.accuracy, round(report.macro_f1, 3), report.confused_pairs[0].documents[0].document_id
    (0.5, 0.333, 'b')
    """
    texts = [""] * len(truths) if texts is None else as_texts(texts)
    _check(categories, truths, predictions, texts)
    right = np.array([one.predicted_category == truth for one, truth in zip(predictions, truths, strict=True)])
    answered = np.array([bool(one.predicted_category) for one in predictions])
    accepted = np.array([one.decision == "accept" for one in predictions])
    none = np.array([truth == NONE_OF_THESE for truth in truths], dtype=bool)
    kept = np.flatnonzero(~none).tolist()
    if not kept:
        raise BadDataError("there is no document of a category to evaluate", remedy="give some with their category")
    outcome = _outcome(categories, [truths[i] for i in kept], [predictions[i] for i in kept])
    mistakes = [_mistake(*entry) for entry in zip(truths, predictions, texts, strict=True)]
    wrong = np.flatnonzero(~right & answered & (accepted | ~none)).tolist()
    wrong.sort(key=lambda i: (-mistakes[i].score, mistakes[i].document_id))
    confusion, predicted_categories = _confusion(outcome)
    familiarity = np.array([predictions[i].familiarity for i in kept])
    scored = outcome.scores[outcome.answered], outcome.right[outcome.answered]
    return EvaluationReport(
        documents=len(kept),
        none_of_these=int(none.sum()),
        none_of_these_accepted=int((none & accepted).sum()),
        right=int(right.sum()),
        accuracy=float(outcome.right.mean()),
        accuracy_interval_95=wilson_interval(int(right.sum()), len(kept)),
        macro_f1=_macro_f1(outcome.true, outcome.predicted),
        accepted=int(accepted.sum()),
        accepted_right=int((accepted & right).sum()),
        unknown_accepted=int((outcome.accepted & (outcome.true >= outcome.known)).sum()),
        by_max_error=tuple(_at_max_error(acceptance, predictions, right) for acceptance in acceptances),
        categories=_category_figures(outcome),
        true_categories=outcome.names,
        predicted_categories=predicted_categories,
        confusion=confusion,
        confused_pairs=_pairs([mistakes[i] for i in wrong]),
        confident_errors=tuple(
            _explained(mistakes[i], texts[i], explain(i) if explain else ()) for i in wrong[:CONFIDENT_ERRORS]
        ),
        not_predicted=tuple(mistakes[i] for i in np.flatnonzero(~answered & ~none)),
        score_histogram=_histogram(outcome.scores, outcome),
        groups=tuple(
            _group_figures(column, value, np.array([value == values[i] for i in kept]), outcome)
            for column, values in (groups or {}).items()
            for value in sorted({values[i] for i in kept})
        ),
        by_ocr_confidence=_ocr_groups([ocr_confidences[i] for i in kept] if ocr_confidences else [], outcome),
        ocr_engines=dict(Counter(sorted(filter(None, ocr_engines))).most_common()),
        reasons=_reasons(predictions, right),
        risk_coverage=risk_coverage(*scored, documents=len(kept)) if outcome.answered.any() else None,
        calibration=(
            calibration(np.clip(scored[0], 0, 1), scored[1], outcome.all_scores, outcome.labels)
            if outcome.answered.any()
            else None
        ),
        familiarity_histogram=_histogram(familiarity, outcome) if familiarity.any() else None,
        label_issues=tuple(_label_issues(outcome, [mistakes[i] for i in kept])),
    )


class _Outcome(NamedTuple):
    """Predictions as arrays over the documents of a category, these as numbers; `len(names)` is no prediction."""

    # the `known` categories of the model, then those that it does not know
    names: tuple[str, ...]
    known: int
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    right: NDArray[np.bool_]
    answered: NDArray[np.bool_]
    accepted: NDArray[np.bool_]
    scores: NDArray[np.float64]
    # positions of documents of a known category with scores of all categories; these scores; the true categories
    scored: list[int]
    all_scores: NDArray[np.float64]
    labels: NDArray[np.int64]


def _outcome(categories: Sequence[str], truths: Sequence[str], predictions: Sequence[Prediction]) -> _Outcome:
    names = (*categories, *sorted(set(truths) - set(categories)))
    number = {name: index for index, name in enumerate(names)}
    true = np.array([number[name] for name in truths])
    predicted = np.array([number.get(prediction.predicted_category, len(names)) for prediction in predictions])
    scored = [i for i, prediction in enumerate(predictions) if prediction.scores and true[i] < len(categories)]
    return _Outcome(
        names=names,
        known=len(categories),
        true=true,
        predicted=predicted,
        right=true == predicted,
        answered=predicted < len(names),
        accepted=np.array([prediction.decision == "accept" for prediction in predictions]),
        scores=np.array([prediction.score for prediction in predictions]),
        scored=scored,
        all_scores=np.array([predictions[i].scores for i in scored], dtype=np.float64),
        labels=true[scored],
    )


def _check(
    categories: Sequence[str], truths: Sequence[str], predictions: Sequence[Prediction], texts: Sequence[str]
) -> None:
    if not len(truths) == len(predictions) == len(texts):
        raise ValueError(f"{len(truths)} categories, {len(predictions)} predictions and {len(texts)} texts")
    for truth, prediction in zip(truths, predictions, strict=True):
        if not truth:
            raise BadDataError(
                "has no category", where=prediction.document_id, remedy="leave such documents out of an evaluation"
            )
    foreign = {prediction.predicted_category for prediction in predictions} - {*categories, ""}
    if foreign:
        raise ValueError(f"predicted categories that are not the model's: {sorted(foreign)}")


def _macro_f1(true: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(true, predicted, labels=np.unique(true), average="macro", zero_division=0))


def _category_figures(outcome: _Outcome) -> tuple[CategoryFigures, ...]:
    from sklearn.metrics import precision_recall_fscore_support

    figures = precision_recall_fscore_support(
        outcome.true, outcome.predicted, labels=np.arange(len(outcome.names)), zero_division=0
    )
    return tuple(
        CategoryFigures(
            category=name,
            precision=float(precision),
            recall=float(recall),
            f1=float(f1),
            support=int(support),
            predicted=int((outcome.predicted == index).sum()),
            known=index < outcome.known,
        )
        for index, (name, precision, recall, f1, support) in enumerate(zip(outcome.names, *figures, strict=True))
    )


def _confusion(outcome: _Outcome) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Give the read-only confusion matrix and the names of its columns."""
    from sklearn.metrics import confusion_matrix

    names = outcome.names
    matrix = confusion_matrix(outcome.true, outcome.predicted, labels=np.arange(len(names) + 1))
    no_answer = [len(names)] if matrix[:, -1].any() else []
    confusion = matrix[:-1, [*range(outcome.known), *no_answer]].astype(np.int64)
    confusion.flags.writeable = False
    return confusion, (*names[: outcome.known], *("" for _ in no_answer))


def _group_figures(column: str, value: str, inside: NDArray[np.bool_], outcome: _Outcome) -> GroupFigures:
    right, accepted = outcome.right[inside], outcome.accepted[inside]
    return GroupFigures(
        column=column,
        value=value,
        documents=len(right),
        accuracy=float(right.mean()),
        macro_f1=_macro_f1(outcome.true[inside], outcome.predicted[inside]),
        accepted=int(accepted.sum()),
        accepted_right=int((accepted & right).sum()),
    )


def _at_max_error(
    acceptance: Acceptance, predictions: Sequence[Prediction], right: NDArray[np.bool_]
) -> MaxErrorFigures:
    accepted = np.array([accepted_at(one, acceptance.threshold) for one in predictions])
    return MaxErrorFigures(
        max_error=acceptance.max_error,
        threshold=acceptance.threshold,
        cross_validated_accepted=acceptance.accepted,
        cross_validated_error=acceptance.error,
        accepted=int(accepted.sum()),
        accepted_right=int((accepted & right).sum()),
    )


def _mistake(truth: str, prediction: Prediction, text: str) -> Mistake:
    return Mistake(
        document_id=prediction.document_id,
        category=truth,
        predicted_category=prediction.predicted_category,
        score=prediction.score,
        decision=prediction.decision,
        error=prediction.error or (prediction.reason if not prediction.predicted_category else ""),
        snippet=snippet(text, SNIPPET_LENGTH),
    )


def _explained(mistake: Mistake, text: str, amounts: Sequence[tuple[str, float]]) -> Mistake:
    ordered = sorted(amounts, key=lambda entry: (-abs(entry[1]), entry[0]))
    return replace(
        mistake,
        excerpt=text if len(text) <= EXCERPT_LENGTH else text[: EXCERPT_LENGTH - 1].rstrip() + "…",
        spoke_for=tuple(entry for entry in ordered if entry[1] > 0)[:MAX_TERMS],
        spoke_against=tuple(entry for entry in ordered if entry[1] < 0)[:MAX_TERMS],
    )


def _pairs(errors: Sequence[Mistake]) -> tuple[ConfusedPair, ...]:
    pairs: dict[tuple[str, str], list[Mistake]] = defaultdict(list)
    for document in errors:
        pairs[document.category, document.predicted_category].append(document)
    return tuple(
        ConfusedPair(category=category, predicted_category=predicted, documents=tuple(documents))
        for (category, predicted), documents in sorted(pairs.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    )


def _histogram(values: NDArray[np.float64], outcome: _Outcome) -> ScoreHistogram:
    # rounding may lift a probability slightly above 1, where np.histogram would drop it
    values = np.clip(values, 0.0, 1.0)
    edges = np.arange(BINS + 1) / BINS
    right, wrong = (
        tuple(np.histogram(values[chosen], bins=edges)[0].tolist())
        for chosen in (outcome.right, ~outcome.right & outcome.answered)
    )
    return ScoreHistogram(edges=tuple(edges.tolist()), right=right, wrong=wrong)


def _ocr_groups(confidences: Sequence[float | None], outcome: _Outcome) -> tuple[OcrConfidenceGroup, ...]:
    # None becomes NaN
    values = np.array(confidences, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return ()
    groups = equal_mass(values[known], max(min(len(known) // MIN_IN_GROUP, MAX_OCR_GROUPS), 1))
    return tuple(
        OcrConfidenceGroup(
            lowest=float(values[inside].min()),
            highest=float(values[inside].max()),
            documents=len(inside),
            right=int(outcome.right[inside].sum()),
            accepted=int(outcome.accepted[inside].sum()),
            accepted_right=int((outcome.accepted & outcome.right)[inside].sum()),
        )
        for inside in (known[group] for group in groups)
    )


def _reasons(predictions: Sequence[Prediction], right: NDArray[np.bool_]) -> tuple[ReasonFigures, ...]:
    found: dict[str, list[bool]] = defaultdict(list)
    for prediction, is_right in zip(predictions, right.tolist(), strict=True):
        if prediction.decision == "review":
            found["unsure" if prediction.reason.startswith(UNSURE) else prediction.reason].append(is_right)
    return tuple(
        ReasonFigures(reason=reason, documents=len(those), right=sum(those))
        for reason, those in sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    )


def _label_issues(outcome: _Outcome, documents: Sequence[Mistake]) -> Iterator[LabelIssue]:
    found = find_label_issues(outcome.all_scores, outcome.labels) if outcome.scored else np.empty(0, np.int64)
    for row in found[:LABEL_ISSUES].tolist():
        document, scores = documents[outcome.scored[row]], outcome.all_scores[row]
        yield LabelIssue(
            document_id=document.document_id,
            category=document.category,
            suggested=outcome.names[scores.argmax()],
            score=float(scores.max()),
            category_score=float(scores[outcome.labels[row]]),
            snippet=document.snippet,
        )
