"""Gain of keywords in cross-validation: documents that only they make right, and documents that they make wrong."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSettings
from features.keyword_learning import compile_matcher
from features.lexicon import Lexicon
from features.text_arguments import as_pairs
from textclf.base.executor import memory_remedy, open_executor
from textclf.evaluation.comparison import mcnemar
from textclf.model.fit import cross_validate
from textclf.model.folds import FOLDS, Folds, group_numbers, stratified_folds
from textclf.model.training_texts import observe_training

_log = logging.getLogger(__name__)

MAX_CATEGORIES = 12
"""With more, only the whole lexicon is measured: among that many p-values some are low by chance."""
CAUTION = (
    "the gain is only true for keywords that were not chosen by looking at these documents: "
    "check keywords proposed by `suggest` on other documents"
)

By = Literal["training", "surrogate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordGain:
    """What all keywords, or those of one category, add in cross-validation on the same folds.

    Measured by training models with and without them, or by a surrogate model on the margins that the text alone gives.
    Compare only rows measured in the same way.
    """

    keywords: str
    by: By
    accuracy_without: float
    accuracy_with: float
    macro_f1_without: float
    macro_f1_with: float
    # documents predicted right only with them, and only without them
    gained: int
    lost: int
    # of McNemar's test
    p_value: float


def keyword_gain(
    lexicon: Lexicon,
    texts: Sequence[str],
    categories: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    c: float = 1.0,
    jobs: int = 1,
) -> list[KeywordGain]:
    """Measure what a lexicon adds to the text alone, and what each category's keywords add to all others.

    For the whole lexicon, models are trained, for speed without word vectors and augmented copies. Training for each
    category would take minutes; there a surrogate model is used, logistic regression on the out-of-fold margins of the
    text alone and on the indicators, cross-validated with and without the indicator of the category.

    Documents of the same of the `groups` stay in the same fold; an empty string is no group.

    Keywords chosen by the categories of the same documents know the answers of the test folds, so that their gain and
    its p-value mean nothing. On 995 scanned office pages with shuffled categories, where no keyword can help, 20
    phrases per category proposed from all pages "gained" 35 and lost 14 documents (p = 0.004); proposed from the
    training part of each fold, they gained 21 and lost 20 (p = 1).

    The surrogate model is coarse. On those pages and ten categories it found, like training, no category with more than
    a chance effect; but it changed up to 16 documents where training changed 4 at most, often in the other direction.
    Confirm a small p-value by training with and without that category.
    """
    texts, categories = as_pairs(texts, categories)
    names, labels = np.unique(categories, return_inverse=True)
    labels = labels.astype(np.int64)
    settings = FeatureSettings(lexicon="none", vectors="none", augment=False)
    observed = observe_training(texts, labels, names.tolist(), settings)
    together, warned = (None, []) if groups is None else group_numbers(groups, labels, names.tolist())
    for message in warned:
        _log.warning(message)
    folds = stratified_folds(labels, FOLDS, settings.seed, together)

    _log.info(CAUTION)
    with open_executor(jobs, remedy=memory_remedy()) as executor:
        validate = partial(cross_validate, observed, c=c, folds=folds, executor=executor)
        _log.info("cross-validating with text alone")
        text = validate(settings).margins
        _log.info("cross-validating with all keywords")
        whole = validate(replace(settings, lexicon=lexicon)).margins
    gains = [_gain("all", "training", labels, text.argmax(axis=1), whole.argmax(axis=1))]
    if len(lexicon.categories) > MAX_CATEGORIES:
        _log.info(f"more than {MAX_CATEGORIES} categories: only the whole lexicon is measured")
        return gains
    _log.info("measuring the keywords of each category by a surrogate model on the text's margins and indicators")
    words = observed.documents.words
    matcher = compile_matcher(lexicon, Counter(word for found in words for word in set(found)))
    indicators = matcher.indicators(matcher.find_all(words)).astype(np.float64)
    with_all = _surrogate(text, indicators, labels, folds)
    for number, category in enumerate(lexicon.categories):
        without = _surrogate(text, np.delete(indicators, number, axis=1), labels, folds)
        gains.append(_gain(category.name, "surrogate", labels, without, with_all))
    return gains


def _surrogate(
    margins: NDArray[np.float64], indicators: NDArray[np.float64], labels: NDArray[np.int64], folds: Folds
) -> NDArray[np.int64]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    rows = np.hstack([margins / (margins.std() or 1.0), indicators])
    found: NDArray[np.int64] = cross_val_predict(LogisticRegression(max_iter=1000), rows, labels, cv=folds)
    return found


def _gain(
    name: str,
    by: By,
    labels: NDArray[np.int64],
    without: NDArray[np.int64],
    whole: NDArray[np.int64],
) -> KeywordGain:
    from sklearn.metrics import f1_score

    right_without, right_with = without == labels, whole == labels
    gained, lost = int((right_with & ~right_without).sum()), int((right_without & ~right_with).sum())
    return KeywordGain(
        keywords=name,
        by=by,
        accuracy_without=float(right_without.mean()),
        accuracy_with=float(right_with.mean()),
        macro_f1_without=float(f1_score(labels, without, average="macro")),
        macro_f1_with=float(f1_score(labels, whole, average="macro")),
        gained=gained,
        lost=lost,
        p_value=mcnemar(lost, gained),
    )
