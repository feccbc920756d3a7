"""How well predictions fit the categories that people gave: the figures of an evaluation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.texts import as_texts
from textclf.base.errors import BadDataError
from textclf.evaluation.figures import (
    CategoryFigures,
    ConfidenceGroup,
    ConfusedPair,
    EvaluationReport,
    GroupFigures,
    LabelDoubt,
    Mistake,
    ReasonFigures,
    ScoreHistogram,
)
from textclf.evaluation.label_issues import likely_label_errors
from textclf.evaluation.reliability import Calibration, calibration, equal_mass, risk_coverage
from textclf.model.prediction import Prediction

BINS = 20
SNIPPET_LENGTH = 160
EXCERPT_LENGTH = 1500
CONFIDENT_ERRORS = 20
LABEL_DOUBTS = 20
SPOKE = 6
"""How much of what spoke for a wrong answer is kept, and of what spoke against it."""
CONFIDENCE_GROUPS, LEAST_IN_GROUP = 5, 10


def evaluate_predictions(
    categories: Sequence[str],
    truths: Sequence[str],
    predictions: Sequence[Prediction],
    *,
    texts: Sequence[str] | None,
    groups: Mapping[str, Sequence[str]] | None = None,
    ocr_confidences: Sequence[float | None] | None = None,
    ocr_engines: Sequence[str] = (),
    explain: Callable[[str], Sequence[tuple[str, float]]] | None = None,
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
    ocr_confidences : sequence of float or None, of length n, optional
        How sure OCR was of each document, 0 to 100; None where that is not known.
    ocr_engines : sequence of str of length n, optional
        What read each document; empty where that is not known, or text layers were enough.
    explain : callable, optional
        Given a text, names what spoke for (above 0) and against (below 0) the predicted category, and how much. It
        is asked about the most confident errors.

    Returns
    -------
    EvaluationReport
        The figures. Precision, recall and F1 are scikit-learn's with ``zero_division=0``; macro F1 is its
        ``f1_score(truths, predicted, labels=sorted(set(truths)), average="macro")``.

    Raises
    ------
    textclf.base.errors.BadDataError
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

    texts = [""] * len(truths) if texts is None else as_texts(texts)
    _check(categories, truths, predictions, texts)
    explain = explain or (lambda text: ())
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

    scores = np.array([prediction.score for prediction in predictions])
    familiarity = np.array([prediction.familiarity for prediction in predictions])
    answered = said != no_answer
    snippets = [_snippet(text) for text in texts]
    mistakes = [_mistake(*entry) for entry in zip(truths, predictions, snippets, strict=True)]
    # the highest scores first
    errors = sorted(
        np.flatnonzero(~right & answered).tolist(), key=lambda i: (-mistakes[i].score, mistakes[i].document_id)
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
        confused_pairs=_pairs([mistakes[i] for i in errors]),
        confident_errors=tuple(_explained(mistakes[i], texts[i], explain(texts[i])) for i in errors[:CONFIDENT_ERRORS]),
        not_predicted=tuple(mistakes[i] for i in np.flatnonzero(~answered)),
        histogram=_histogram(scores, right, ~right & answered),
        groups=tuple(
            _group(column, value, np.array(values) == value, true, said, accepted)
            for column, values in (groups or {}).items()
            for value in sorted(set(values))
        ),
        confidence_groups=_confidence_groups(ocr_confidences or [], right, accepted),
        ocr_engines=tuple(Counter(sorted(filter(None, ocr_engines))).most_common()),
        reasons=_reasons(predictions, right),
        risk_coverage=(
            risk_coverage(scores[answered], right[answered], documents=len(truths)) if answered.any() else None
        ),
        calibration=_calibration(scores, right, answered, predictions, true),
        familiarity=_histogram(familiarity, right, ~right & answered) if familiarity.any() else None,
        label_doubts=_label_doubts(categories, truths, predictions, snippets),
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


def _snippet(text: str) -> str:
    # a snippet needs no more than the beginning, and a text may have megabytes
    words = " ".join(text[: 4 * SNIPPET_LENGTH].split())
    return words if len(words) <= SNIPPET_LENGTH else words[: SNIPPET_LENGTH - 1].rstrip() + "…"


def _mistake(truth: str, prediction: Prediction, snippet: str) -> Mistake:
    return Mistake(
        document_id=prediction.document_id,
        category=truth,
        predicted_category=prediction.predicted_category,
        score=prediction.score,
        decision=prediction.decision,
        error=prediction.error or (prediction.reason if not prediction.predicted_category else ""),
        snippet=snippet,
    )


def _explained(mistake: Mistake, text: str, amounts: Sequence[tuple[str, float]]) -> Mistake:
    ordered = sorted(amounts, key=lambda entry: (-abs(entry[1]), entry[0]))
    return replace(
        mistake,
        excerpt=text if len(text) <= EXCERPT_LENGTH else text[: EXCERPT_LENGTH - 1].rstrip() + "…",
        spoke_for=tuple(entry for entry in ordered if entry[1] > 0)[:SPOKE],
        spoke_against=tuple(entry for entry in ordered if entry[1] < 0)[:SPOKE],
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


def _confidence_groups(
    confidences: Sequence[float | None], right: NDArray[np.bool_], accepted: NDArray[np.bool_]
) -> tuple[ConfidenceGroup, ...]:
    known = np.array([i for i, confidence in enumerate(confidences) if confidence is not None], dtype=np.int64)
    if not len(known):
        return ()
    values = np.array([confidences[i] for i in known], dtype=np.float64)
    found = []
    for group in equal_mass(values, max(min(len(known) // LEAST_IN_GROUP, CONFIDENCE_GROUPS), 1)):
        inside = known[group]
        found.append(
            ConfidenceGroup(
                lowest=float(values[group].min()),
                highest=float(values[group].max()),
                documents=len(group),
                right=int(right[inside].sum()),
                accepted=int(accepted[inside].sum()),
                accepted_right=int((accepted & right)[inside].sum()),
            )
        )
    return tuple(found)


def _reasons(predictions: Sequence[Prediction], right: NDArray[np.bool_]) -> tuple[ReasonFigures, ...]:
    documents: Counter[str] = Counter()
    well: Counter[str] = Counter()
    for prediction, good in zip(predictions, right.tolist(), strict=True):
        if prediction.decision == "review":
            reason = "unsure" if prediction.reason.startswith("unsure between ") else prediction.reason
            documents[reason] += 1
            well[reason] += good
    return tuple(
        ReasonFigures(reason=reason, documents=count, right=well[reason])
        for reason, count in sorted(documents.items(), key=lambda entry: (-entry[1], entry[0]))
    )


def _calibration(
    scores: NDArray[np.float64],
    right: NDArray[np.bool_],
    answered: NDArray[np.bool_],
    predictions: Sequence[Prediction],
    true: NDArray[np.int64],
) -> Calibration | None:
    if not answered.any():
        return None
    whole = [i for i in np.flatnonzero(answered).tolist() if true[i] < len(predictions[i].scores)]
    each = np.array([predictions[i].scores for i in whole], dtype=np.float64)
    return calibration(np.clip(scores[answered], 0.0, 1.0), right[answered], each, true[whole])


def _label_doubts(
    categories: Sequence[str], truths: Sequence[str], predictions: Sequence[Prediction], snippets: Sequence[str]
) -> tuple[LabelDoubt, ...]:
    number = {name: index for index, name in enumerate(categories)}
    kept = [i for i, prediction in enumerate(predictions) if prediction.scores and truths[i] in number]
    if not kept:
        return ()
    scores = np.array([predictions[i].scores for i in kept])
    labels = np.array([number[truths[i]] for i in kept])
    return tuple(
        LabelDoubt(
            document_id=predictions[kept[row]].document_id,
            category=truths[kept[row]],
            suggested=categories[scores[row].argmax()],
            score=float(scores[row].max()),
            category_score=float(scores[row, labels[row]]),
            snippet=snippets[kept[row]],
        )
        for row in likely_label_errors(scores, labels)[:LABEL_DOUBTS].tolist()
    )
