"""What keywords add in cross-validation: documents that they put right, and documents that they put wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.columns import FeatureSettings
from features.lexicon import Lexicon
from textclf.comparison import mcnemar
from textclf.training import cross_validate, observe_training

__all__ = ["MOST_CATEGORIES", "KeywordGain", "keyword_gain"]

MOST_CATEGORIES = 12
"""With more, only the whole lexicon is measured: each category costs a cross-validation."""
FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordGain:
    """What some keywords add.

    Parameters
    ----------
    keywords : str
        ``all``, or the category whose keywords they are.
    accuracy_without, accuracy_with : float
        Cross-validated accuracy, on the same folds.
    gained, lost : int
        Documents that are right with them only, and right without them only.
    p_value : float
        McNemar's exact test: how likely so uneven a split would be if they made no difference.
    """

    keywords: str
    accuracy_without: float
    accuracy_with: float
    gained: int
    lost: int
    p_value: float


def keyword_gain(
    lexicon: Lexicon,
    texts: Sequence[str],
    categories: Sequence[str],
    *,
    c: float = 1.0,
    jobs: int = 1,
    talk: Callable[[str], None] = lambda message: None,
) -> list[KeywordGain]:
    """Measure what a lexicon adds to the text alone, and each category's keywords to all others.

    To be quick, models are trained without word vectors and poor copies.

    Parameters
    ----------
    lexicon : Lexicon
        The keywords.
    texts : sequence of str, length n
        Cleaned texts that have words.
    categories : sequence of str, length n
        Their categories, two documents of each at least.
    c : float, default 1.0
        As for `DocumentClassifier`.
    jobs : int, default 1
        Processes, -1 for all cores.
    talk : callable, optional
        Told in one line what is being done.

    Returns
    -------
    list of KeywordGain
        The whole lexicon first, then its categories, if they are no more than `MOST_CATEGORIES`.
    """
    names, labels = np.unique(categories, return_inverse=True)
    settings = FeatureSettings(lexicon="none", vectors="none", poor_copies=False)
    observed = observe_training(texts, settings)
    folds = max(2, min(FOLDS, int(np.bincount(labels).max())))

    def right(chosen: FeatureSettings) -> NDArray[np.bool_]:
        found = cross_validate(observed, labels.astype(np.int64), names.tolist(), chosen, c=c, folds=folds, jobs=jobs)
        is_right: NDArray[np.bool_] = found.margins.argmax(axis=1) == labels
        return is_right

    talk("cross-validating with text alone")
    without = right(settings)
    talk("cross-validating with all keywords")
    whole = right(replace(settings, lexicon=lexicon))
    gains = [_gain("all", without, whole)]
    if len(lexicon.categories) <= MOST_CATEGORIES:
        for category in lexicon.categories:
            talk(f"cross-validating without the keywords of {category.name}")
            others = Lexicon(categories=tuple(other for other in lexicon.categories if other != category))
            gains.append(_gain(category.name, right(replace(settings, lexicon=others)), whole))
    return gains


def _gain(name: str, without: NDArray[np.bool_], whole: NDArray[np.bool_]) -> KeywordGain:
    gained, lost = int((whole & ~without).sum()), int((without & ~whole).sum())
    return KeywordGain(
        keywords=name,
        accuracy_without=float(without.mean()),
        accuracy_with=float(whole.mean()),
        gained=gained,
        lost=lost,
        p_value=mcnemar(lost, gained),
    )
