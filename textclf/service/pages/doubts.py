"""Decisions that a new model doubts: out of fold where it learned from them, else by what it would accept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from textclf.library.records import LabelIssue

if TYPE_CHECKING:
    from textclf.library.records import Correction
    from textclf.model.classifier import DocumentClassifier

MOST = 100
"""Decisions that people are asked about after a training, the most doubtful ones."""
MIN_ACCURACY = 0.8
"""In cross-validation, below which the doubts of a model are not worth a person's time."""
MIN_SCORE = 0.8
"""Of the category that a text reads like."""
MIN_DOCUMENTS = 5
"""Of that category, from which the model learned."""


def find_doubts(
    classifier: DocumentClassifier, learned: Sequence[Correction], kept_out: Sequence[Correction]
) -> list[LabelIssue]:
    """Find decisions that are likely wrong; a model that is often wrong itself finds none.

    Parameters
    ----------
    classifier : DocumentClassifier
        Trained with the ids of the documents as in the library.
    learned, kept_out : sequence of Correction
        Decisions that it was trained on, and others.

    Returns
    -------
    list of LabelIssue
        The most doubtful first.
    """
    record = classifier.model_.training
    if record.groups[-1].accuracy < MIN_ACCURACY:
        return []
    doubts = [*_out_of_fold(classifier, learned), *_unlearned(classifier, kept_out)]
    found = [one for one in doubts if one.score >= MIN_SCORE and record.documents[one.category] >= MIN_DOCUMENTS]
    return sorted(found, key=lambda one: (-one.score, one.document_id))[:MOST]


def _out_of_fold(classifier: DocumentClassifier, learned: Sequence[Correction]) -> list[LabelIssue]:
    from textclf.evaluation.label_issues import find_label_issues

    decided = {str(one.document_id): one.category for one in learned}
    scores, ids, categories = classifier.out_of_fold_scores_, classifier.document_ids_, classifier.model_.categories
    # what the model before accepted is learned from too, but was decided by nobody
    own = [i for i, one in enumerate(ids) if decided.get(one) in categories]
    labels = np.array([categories.index(decided[ids[i]]) for i in own], dtype=np.int64)
    suspects = find_label_issues(scores[own], labels).tolist()
    best = [(own[row], int(scores[own[row]].argmax())) for row in suspects]
    return [_issue(int(ids[i]), decided[ids[i]], categories[other], scores[i, other]) for i, other in best]


def _unlearned(classifier: DocumentClassifier, kept_out: Sequence[Correction]) -> list[LabelIssue]:
    model, texts, looks = classifier.model_, [one.text for one in kept_out], [one.look for one in kept_out]
    confidences = [one.confidence for one in kept_out]
    predicted = model.pipe(texts, [one.name for one in kept_out], confidences, looks=looks)
    return [
        _issue(one.document_id, one.category, found.predicted_category, found.score)
        for one, found in zip(kept_out, predicted, strict=True)
        if found.decision == "accept" and found.predicted_category != one.category
    ]


def _issue(document_id: int, decided: str, category: str, score: float) -> LabelIssue:
    return LabelIssue(document_id=document_id, decided=decided, category=category, score=float(score))
