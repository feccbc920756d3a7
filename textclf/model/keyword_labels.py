"""Labels where no document has one: the documents that the keywords of one category surely find."""

from __future__ import annotations

from collections import Counter

import numpy as np

from features.keyword_learning import compile_matcher
from features.lexicon import Lexicon
from features.tokens import tokenize
from textclf.base.errors import BadDataError
from textclf.model.self_training import FEW_LABELLED
from textclf.model.training_data import TrainingData

FEWEST = 2
"""Documents that the keywords of a category must find."""


def label_by_keywords(data: TrainingData, lexicon: Lexicon) -> tuple[TrainingData, list[str]]:
    """Label unlabelled documents by keywords, at most `FEW_LABELLED` per category, and give warnings.

    A document is of the category of which it holds more different keywords than of any other; those with the greatest
    lead are labelled. Categories whose keywords find fewer than two documents are left out.
    """
    words = list(map(tokenize, data.unlabelled))
    matcher = compile_matcher(lexicon, Counter(word for found in words for word in set(found)))
    counts = np.zeros((len(words), len(lexicon.categories)), dtype=np.int64)
    for row, hits in zip(counts, matcher.find_all(words), strict=True):
        for category, _ in {(hit.category, hit.keyword) for hit in hits}:
            row[category] += 1
    names = [category.name for category in lexicon.categories]
    ordered = np.sort(np.pad(counts, ((0, 0), (2, 0))), axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    order = np.argsort(-lead, kind="stable")
    order = order[lead[order] > 0]
    own = {name: order[counts[order].argmax(axis=1) == i][:FEW_LABELLED] for i, name in enumerate(names)}
    few = sorted(name for name, found in own.items() if len(found) < FEWEST)
    kept = sorted(own.keys() - set(few))
    what = f"keywords find fewer than {FEWEST} documents: {', '.join(map(repr, few))}"
    if len(names) < 2:
        raise BadDataError("the lexicon has fewer than two categories", remedy="give keywords of another one too")
    if len(kept) < 2:
        raise BadDataError(what, remedy="give more keywords, more documents, or documents with labels")
    chosen = np.concatenate([own[name] for name in kept]).tolist()
    labelled = data._replace(
        texts=[data.unlabelled[i] for i in chosen],
        classes=np.array(kept),
        labels=np.repeat(np.arange(len(kept)), [len(own[name]) for name in kept]),
        categories=tuple(kept),
        document_ids=[f"unlabelled {i}" for i in chosen],
        groups=None,
        weights=np.ones(len(chosen)),
        looks=[""] * len(chosen),
        unlabelled=[data.unlabelled[i] for i in sorted(set(range(len(words))) - set(chosen))],
    )
    return labelled, [f"left out, as {what}"] if few else []
