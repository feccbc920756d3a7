"""Which labels are likely wrong: told from scores by models that had not seen the document.

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

import numpy as np
from numpy.typing import NDArray

from features.texts import as_texts

_log = logging.getLogger(__name__)

REPEATS = 3
"""Cross-validations averaged: each draws other folds."""
FOLDS = 5
PART = 2_500
"""Documents cross-validated together, about: with more, memory would grow, and time faster than their number."""


def label_doubts(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Say how little the scores speak for the label of each document, beside other documents of that label.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, k)
        Calibrated scores of each document by models that had not seen it; rows sum to 1.
    labels : ndarray of int64, shape (n,)
        Number of the category given to each.

    Returns
    -------
    ndarray of float64, shape (n,)
        1 less the score of the given category divided by the mean such score of its documents: 1 where the score is 0,
        0 for a typical document of the category, below 0 where the label is surer still.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.5, 0.5], [0.5, 0.5]])
    >>> label_doubts(scores, np.array([0, 0, 0, 1, 1])).round(2).tolist()
    [-0.29, -0.29, 0.57, 0.0, 0.0]
    """
    own, typical = _own_scores(scores, labels)
    doubts: NDArray[np.float64] = 1 - own / typical[labels]
    return doubts


def likely_label_errors(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the documents whose label is likely wrong, the likeliest first.

    Parameters
    ----------
    scores, labels
        As for `label_doubts`.

    Returns
    -------
    ndarray of int64, shape (m,)
        Positions of the documents whose best score is for another category than the one given, and no lower than the
        mean score that the documents of that other category give it; by falling doubt.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.4, 0.6], [0.3, 0.7]])
    >>> likely_label_errors(scores, np.array([0, 0, 0, 1, 1])).tolist()
    [2]
    """
    _, typical = _own_scores(scores, labels)
    best = scores.argmax(axis=1)
    suspects = np.flatnonzero((best != labels) & (scores.max(axis=1) >= typical[best]))
    order = np.argsort(-label_doubts(scores, labels)[suspects], kind="stable")
    return suspects[order]


def out_of_fold_scores(
    texts: Sequence[str],
    labels: NDArray[np.int64],
    categories: Sequence[str],
    *,
    repeats: int = REPEATS,
    part: int = PART,
    jobs: int | None = None,
) -> NDArray[np.float64]:
    """Score each document by models that have not seen it: the mean of several cross-validations.

    To be quick, models are trained without keywords, word vectors and poor copies: on labels turned on purpose, those
    of ``benchmarks/bench_label_errors.py --turned``, the mean average precision is 0.54 with and without them.

    Parameters
    ----------
    texts : sequence of str, length n
        Cleaned texts that have words.
    labels : ndarray of int64, shape (n,)
        Position of each document's category in `categories`; at least two documents of each.
    categories : sequence of str, length k
        All categories, two at least.
    repeats : int, default 3
        Cross-validations, each with a seed of its own: what one lucky or unlucky draw of folds says averages out.
    part : int, default 2500
        Documents are split into parts of about so many, each with models of its own.
    jobs : int, optional
        Processes, -1 for all cores, None for one.

    Returns
    -------
    ndarray of float64, shape (n, k)
        Scores calibrated by temperature; rows sum to 1. Categories that are not in a document's part have 0.
    """
    texts = as_texts(texts)
    scores = np.zeros((len(texts), len(categories)))
    parts = _parts(labels, -(-len(labels) // part))
    for number, chosen in enumerate(parts, 1):
        present, own = np.unique(labels[chosen], return_inverse=True)
        if len(parts) > 1:
            _log.info(f"part {number} of {len(parts)}")
        scores[np.ix_(chosen, present)] = _part_scores(
            [texts[i] for i in chosen],
            own.astype(np.int64),
            [categories[i] for i in present],
            repeats,
            jobs,
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
    texts: Sequence[str],
    labels: NDArray[np.int64],
    categories: Sequence[str],
    repeats: int,
    jobs: int | None,
) -> NDArray[np.float64]:
    from dataclasses import replace

    from textclf.model.calibrate import fit_temperature, softmax
    from textclf.model.classifier import DocumentClassifier
    from textclf.model.fit import cross_validate, observe_training
    from textclf.model.folds import stratified_folds

    if len(categories) < 2:
        # nothing to confuse it with
        return np.ones((len(texts), len(categories)))
    classifier = DocumentClassifier(lexicon="none", vectors="none", poor_copies=False)
    settings = classifier.feature_settings()
    margins = np.zeros((len(texts), len(categories)))
    observed = observe_training(texts, settings)
    for seed in range(repeats):
        _log.info(f"cross-validating for likely wrong labels on {len(texts):,} documents, {seed + 1} of {repeats}")
        result = cross_validate(
            observed,
            labels,
            categories,
            replace(settings, seed=seed),
            c=classifier.C,
            folds=stratified_folds(labels, FOLDS, seed),
            jobs=jobs or 1,
        )
        margins += result.margins / repeats
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
