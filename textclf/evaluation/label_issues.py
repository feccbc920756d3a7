"""Label issues: labels that are likely wrong by out-of-fold scores.

Source: C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: estimating uncertainty in dataset labels", Journal
of Artificial Intelligence Research 70 (2021), 1373-1411. Used from it: out-of-fold scores; as threshold of a category
the mean score of its documents for it, because scores are higher for some categories than for others; and the rule that
a label is an issue if the score of another category reaches the threshold of that category. Not used: the joint
distribution of given and true labels (a document that resembles two categories would be penalised for how often these
are confused), its counts, and training again without the issues, which gained nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.text_arguments import as_texts

_log = logging.getLogger(__name__)

REPEATS = 3
"""Number of cross-validations averaged, each with other folds."""
PART = 2_500
"""Approximate number of documents cross-validated together: time and memory would grow faster than their number."""


def label_issue_scores(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rate how likely each label is wrong, from scores of shape (n, k): 1 for a score of 0, 0 for a typical document.

    That is 1 minus the score of the given category divided by the mean such score of its documents; it is below 0 where
    the score is above this mean.
    """
    own, typical = _own_scores(scores, labels)
    issues: NDArray[np.float64] = 1 - own / typical[labels]
    return issues


def find_label_issues(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the positions of documents whose label is likely wrong, the most likely first.

    Their best score is for another category than the given one, and at least the mean score of the documents of that
    category for it.
    """
    _, typical = _own_scores(scores, labels)
    best = scores.argmax(axis=1)
    suspects = np.flatnonzero((best != labels) & (scores.max(axis=1) >= typical[best]))
    return suspects[np.argsort(-label_issue_scores(scores, labels)[suspects], kind="stable")]


def out_of_fold_scores(
    texts: Sequence[str],
    labels: NDArray[np.int64],
    categories: Sequence[str],
    *,
    jobs: int | None = None,
) -> NDArray[np.float64]:
    """Give out-of-fold scores of shape (n, k), the mean of several cross-validations.

    Documents are split into parts of about `PART`, each with models of its own; categories outside a document's part
    have a score of 0. For speed, models are trained without keywords, word vectors and augmented copies: on labels
    changed on purpose (``benchmarks/bench_label_errors.py --turned``) the mean average precision is 0.54 with and
    without them.
    """
    texts = as_texts(texts)
    scores = np.zeros((len(texts), len(categories)))
    parts = _parts(labels, -(-len(labels) // PART))
    for number, chosen in enumerate(parts, 1):
        present, own = np.unique(labels[chosen], return_inverse=True)
        if len(parts) > 1:
            _log.info(f"part {number} of {len(parts)}")
        scores[np.ix_(chosen, present)] = _part_scores(
            [texts[i] for i in chosen], own.astype(np.int64), [categories[i] for i in present], jobs or 1
        )
    return scores


def _parts(labels: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """Distribute the documents of each category over the parts, at least two to each part that gets any."""
    draw = np.random.default_rng(0)
    places = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        own = draw.permutation(np.flatnonzero(labels == label))
        reached = max(1, min(count, len(own) // 2))
        places[own] = draw.permutation(count)[np.arange(len(own)) % reached]
    return [np.flatnonzero(places == place) for place in range(count)]


def _part_scores(
    texts: Sequence[str], labels: NDArray[np.int64], categories: Sequence[str], jobs: int
) -> NDArray[np.float64]:
    from textclf.base.executor import memory_remedy, open_executor
    from textclf.model.calibrate import fit_temperature, softmax
    from textclf.model.classifier import DocumentClassifier
    from textclf.model.fit import cross_validate
    from textclf.model.folds import FOLDS, stratified_folds
    from textclf.model.training_texts import observe_training

    if len(categories) < 2:
        # there is no other category
        return np.ones((len(texts), len(categories)))
    classifier = DocumentClassifier(lexicon="none", vectors="none", augment=False)
    settings = classifier.feature_settings()
    margins = np.zeros((len(texts), len(categories)))
    observed = observe_training(texts, labels, categories, settings)
    with open_executor(jobs, remedy=memory_remedy()) as executor:
        for seed in range(REPEATS):
            _log.info(f"cross-validating for label issues on {len(texts):,} documents, {seed + 1} of {REPEATS}")
            folds = stratified_folds(labels, FOLDS, seed)
            seeded = replace(settings, seed=seed)
            margins += (
                cross_validate(observed, seeded, c=classifier.C, folds=folds, executor=executor).margins / REPEATS
            )
    return softmax(margins * fit_temperature(margins, labels))


def _own_scores(
    scores: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score of each document for its own label, and the mean of these per label."""
    own = scores[np.arange(len(labels)), labels]
    sums = np.bincount(labels, own, minlength=scores.shape[1])
    # no score reaches a threshold of 1 for a category without documents
    counts = np.bincount(labels, minlength=scores.shape[1])
    typical = np.where(counts > 0, sums / np.maximum(counts, 1), 1.0)
    return own, np.maximum(typical, np.finfo(np.float64).tiny)
