"""Which labels are likely wrong, by the scores of models that had not seen the document.

Source: C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: estimating uncertainty in dataset labels", Journal
of Artificial Intelligence Research 70 (2021), 1373-1411. Taken from it: out-of-fold scores; the mean score that the
documents of a category give their own category as its threshold, because models are surer of some categories than of
others; and the rule for who is a suspect: the score of another category reaches the threshold of that category. Not
taken: the joint distribution of given and true labels (it would have a document that resembles two categories pay for
the categories being confused at all), its counts, and training anew without the suspects, which gained nothing.
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
"""Cross-validations averaged: each draws other folds."""
FOLDS = 5
PART = 2_500
"""Documents cross-validated together, about: with more, memory would grow, and time faster than their number."""


def label_issue_scores(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Say how little the scores, of shape (n, k), speak for the label of each document, beside others of that label.

    That is 1 less the score of the given category divided by the mean such score of its documents: 1 where the score is
    0, 0 for a typical document of the category, below 0 where the label is surer still.
    """
    own, typical = _own_scores(scores, labels)
    issues: NDArray[np.float64] = 1 - own / typical[labels]
    return issues


def find_label_issues(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the positions of documents whose label is likely wrong, the likeliest first.

    Their best score is for another category than the one given, and no lower than the mean score that the documents of
    that other category give it.
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
    """Score each document by models that have not seen it: the mean of several cross-validations, shape (n, k).

    Documents are split into parts of about `PART`, each with models of its own; categories that are not in a document's
    part have a score of 0. To be quick, models are trained without keywords, word vectors and augmented copies: on
    labels turned on purpose, those of ``benchmarks/bench_label_errors.py --turned``, the mean average precision is 0.54
    with and without them.
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
    """Deal the documents of each category to some parts, two at least to each part that gets any."""
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
    from textclf.base.executor import open_executor
    from textclf.model.calibrate import fit_temperature, softmax
    from textclf.model.classifier import DocumentClassifier
    from textclf.model.fit import cross_validate, observe_training
    from textclf.model.folds import stratified_folds

    if len(categories) < 2:
        # nothing to confuse it with
        return np.ones((len(texts), len(categories)))
    classifier = DocumentClassifier(lexicon="none", vectors="none", augment=False)
    settings = classifier.feature_settings()
    margins = np.zeros((len(texts), len(categories)))
    observed = observe_training(texts, labels, categories, settings)
    with open_executor(jobs) as executor:
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
    """Score of each document for its own label, and the mean of that over the documents of each label."""
    own = scores[np.arange(len(labels)), labels]
    sums = np.bincount(labels, own, minlength=scores.shape[1])
    # a category of no document is nobody's, and nothing is above 1
    counts = np.bincount(labels, minlength=scores.shape[1])
    typical = np.where(counts > 0, sums / np.maximum(counts, 1), 1.0)
    return own, np.maximum(typical, np.finfo(np.float64).tiny)
