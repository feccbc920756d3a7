"""Folds of a cross-validation, stratified by category, with groups kept together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textclf.base.errors import BadDataError

FOLDS = 5
"""Folds where nothing else is asked for."""
SHUFFLES = 20
"""Maximum number of grouped splits drawn until every training part has all categories."""

Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


def stratified_folds(
    labels: NDArray[np.int64], folds: int, seed: int, groups: NDArray[np.int64] | None = None
) -> Folds:
    """Split into shuffled folds, each with about the same share of every category: positions to train and to test on.

    There are at least two folds, and no more than the category with the most documents, or groups, has of these.
    Documents of a group stay together; `BadDataError` if some training part would then lack a category.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    units = np.arange(len(labels)) if groups is None else groups
    most = max(len(np.unique(units[labels == label])) for label in np.unique(labels))
    folds = max(2, min(folds, most))
    with warnings.catch_warnings():
        # categories with fewer documents than folds are still in every training part
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        if groups is None:
            return list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels))
        for shuffle in range(SHUFFLES):
            split = StratifiedGroupKFold(folds, shuffle=True, random_state=seed + shuffle).split(labels, labels, groups)
            parts = [(train, test) for train, test in split if len(test)]
            if all(len(np.unique(labels[train])) == len(np.unique(labels)) for train, _ in parts):
                return parts
    raise BadDataError(
        "the groups are too few to have every category in every training part of a cross-validation",
        remedy="add documents of further groups, or leave out --group",
    )


def group_numbers(
    groups: Sequence[str], labels: NDArray[np.int64], categories: Sequence[str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Give each group that cross-validation keeps together a number; an empty string makes a group of its own.

    So is each document of a category that has one group only, with a warning for each such category.
    """
    named = [group or f"\0{i}" for i, group in enumerate(groups)]
    warned = []
    for label, category in enumerate(categories):
        own = np.flatnonzero(labels == label).tolist()
        if len({named[i] for i in own}) == 1:
            warned.append(
                f"category {category!r}: all documents are of group {groups[own[0]]!r}; "
                "how well documents of other groups are predicted is not known"
            )
            for i in own:
                named[i] = f"\0{i}"
    return np.unique(named, return_inverse=True)[1].astype(np.int64), warned


def share_of(train: NDArray[np.int64], labels: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Draw a share of the training documents, at least two of each category."""
    if share >= 1:
        return train
    draw = np.random.default_rng(seed)
    taken = [
        draw.permutation(own)[: max(2, round(len(own) * share))]
        for own in (train[labels[train] == label] for label in np.unique(labels[train]))
    ]
    return np.sort(np.concatenate(taken))
