"""Unlabelled documents of unknown kinds: how many there are, and which most likely are.

Source: G. Blanchard, G. Lee and C. Scott, "Semi-supervised novelty detection", Journal of Machine Learning Research 11,
2010. Were all unlabelled documents of the known kinds, as large a share of them as of the labelled ones would look
typical. The shortfall is due to unknown kinds, as far as chance among few labelled documents does not explain it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.model.folds import stratified_folds
from textclf.model.neighbours import densities
from textclf.model.training_texts import Embedded, TrainingTexts
from textclf.model.typicality import DENSITY_WEIGHT, MIN_DEVIATION, margin_evidence

FOLDS = 3
COMPARED = np.linspace(0.3, 0.95, 14)
"""Shares of the labelled documents, the most typical ones, that are compared."""
CONFIDENCE = 0.8
"""Of each lower bound: the largest of them is then about right on average."""


def novel_documents(
    observed: TrainingTexts, embedded: Embedded, fit: Callable[..., Any], *, seed: int
) -> NDArray[np.int64]:
    """Find the unlabelled documents that look least typical of the categories, as many as there are of unknown kinds.

    The texts have no copies; ``fit`` fits a linear SVM to rows, targets and weights.
    """
    labels, targets, weights = observed.labels, observed.targets, observed.target_weights
    # a document alone in its category cannot be left out
    several = np.flatnonzero(np.bincount(labels)[labels] > 1)
    if not observed.many_unlabelled or not len(several):
        return np.empty(0, np.int64)

    def evidence(kept: NDArray[np.int64], rows: Any) -> NDArray[np.float64]:
        slopes, intercept = fit(embedded.known[kept], targets[kept], weights[kept])
        return margin_evidence(rows @ slopes.T + intercept)

    everything = np.arange(len(targets))
    held_out = np.empty(len(labels))
    for _, test in stratified_folds(labels[several], FOLDS, seed):
        chosen = several[test]
        held_out[chosen] = evidence(np.setdiff1d(everything, chosen), embedded.known[chosen])
    density = partial(densities, labelled=embedded.documents_near, unlabelled=embedded.unlabelled_near)
    known = held_out[several], density(embedded.documents_near[several])
    others = evidence(everything, embedded.unlabelled), density(embedded.unlabelled_near)
    typical, found = np.zeros(len(several)), np.zeros(len(others[0]))
    for own, other, weight in zip(known, others, (1.0, DENSITY_WEIGHT), strict=True):
        scale = weight / max(own.std(), MIN_DEVIATION)
        typical += scale * (own - own.mean())
        found += scale * (other - own.mean())
    return np.sort(np.argsort(found, kind="stable")[: int(novel_share(typical, found) * len(found))])


def novel_share(known: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Estimate the share of others that are of another kind than the known, given how typical each is."""
    from scipy.stats import beta

    bounds = [0.0]
    for threshold in np.quantile(known, 1 - COMPARED).tolist():
        reached = int((known >= threshold).sum())
        # the bound of C. J. Clopper and E. S. Pearson on the share of documents of known kinds that reach it
        at_least = float(beta.ppf(1 - CONFIDENCE, reached, len(known) - reached + 1))
        bounds.append(1 - float((others >= threshold).mean()) / at_least)
    return max(bounds)
