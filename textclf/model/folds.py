"""Which documents a model is trained on, and which it is tested on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textclf.base.errors import BadDataError

SHUFFLES = 20
"""Drawn at most until each category is in every training part, with documents that are kept together."""

Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


def stratified_folds(
    labels: NDArray[np.int64], folds: int, seed: int, groups: NDArray[np.int64] | None = None
) -> Folds:
    """Split into folds, shuffled, each with about the same share of every category: positions to train and to test on.

    There are no more folds than the documents, or groups, of the category with the most of them, but two. Documents of
    the same group stay together; `BadDataError` if then not every category can be in every training part.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    units = np.arange(len(labels)) if groups is None else groups
    most = max(len(np.unique(units[labels == label])) for label in np.unique(labels))
    folds = max(2, min(folds, most))
    with warnings.catch_warnings():
        # categories with fewer documents than folds are in every training part all the same
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
        remedy="add documents of further groups, or train without --group",
    )


def group_numbers(
    groups: Sequence[str], labels: NDArray[np.int64], categories: Sequence[str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Give a number to each group that cross-validation keeps together; documents with an empty string stand alone.

    Documents of a category that is in one group only stand alone too, with a warning for each such category.
    """
    named = [group or f"\0{i}" for i, group in enumerate(groups)]
    warned = []
    for label, category in enumerate(categories):
        own = np.flatnonzero(labels == label).tolist()
        if len({named[i] for i in own}) == 1:
            warned.append(
                f"category {category!r}: all documents are of group {groups[own[0]]!r}; "
                "how those of others would fare is not known"
            )
            for i in own:
                named[i] = f"\0{i}"
    return np.unique(named, return_inverse=True)[1].astype(np.int64), warned


def share_of(train: NDArray[np.int64], labels: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Draw a share of the training documents: of each category, two at least."""
    if share >= 1:
        return train
    draw = np.random.default_rng(seed)
    taken = [
        draw.permutation(own)[: max(2, round(len(own) * share))]
        for own in (train[labels[train] == label] for label in np.unique(labels[train]))
    ]
    return np.sort(np.concatenate(taken))
