"""Self-training: unlabelled documents whose category the model is sure of are trained on too, as pseudo-labelled ones.

Source: D. Yarowsky, "Unsupervised word sense disambiguation rivaling supervised methods", ACL 1995. Every category gets
pseudo-labelled documents almost equally, whatever share of the unlabelled ones is predicted to be of it, since that
share may be wrong. The constants were chosen on other draws of Tobacco-3482 than those of ``benchmarks/bench_pile.py``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSettings, fit_feature_set, join_texts
from textclf.model.compact_rows import compact_rows
from textclf.model.linear import feature_matrix, fit_svm, stack_matrices
from textclf.model.neighbours import first_view_rows, fit_all_neighbours
from textclf.model.novelty import novel_documents
from textclf.model.training_texts import Embedded, TrainingTexts

FEW_LABELLED = 20
"""Labelled documents per category, on average, up to which self-training is tried: with more it gains nothing."""
SHARES = (1 / 3, 2 / 3)
"""Of the unlabelled documents that are pseudo-labelled, in each round."""
POWER = 0.25
"""A category's share of these is its predicted share to this power, scaled: with 0 all would be equal."""
WEIGHT = 0.3
"""Of a pseudo-labelled document, relative to a labelled one."""


class PseudoLabels(NamedTuple):
    """Unlabelled documents with the categories that were predicted for them, and those that look like none."""

    chosen: NDArray[np.int64]  # positions among the unlabelled documents, rising
    labels: NDArray[np.int64]
    novel: NDArray[np.int64]  # other positions among the unlabelled documents, rising


NO_PSEUDO_LABELS = PseudoLabels(*(np.empty(0, np.int64),) * 3)


def is_of_use(labelled: int, categories: int, unlabelled: int) -> bool:
    """Return whether self-training is tried: with more labelled documents it gains nothing."""
    return unlabelled > 0 and labelled <= FEW_LABELLED * categories


def embed(observed: TrainingTexts, settings: FeatureSettings, *, self_training: bool) -> Embedded:
    """Compute the rows of texts by which unlabelled ones are labelled; the texts have an unlabelled one.

    Keywords and vectors take most of the time, and change few predictions: there are none.
    """
    plain = replace(settings, lexicon="none", vectors="none")
    features = fit_feature_set(join_texts([observed.documents, observed.unlabelled]), (), plain)
    given, others, background, _ = observed.out_of_distribution
    copies = [observed.copies, others] if self_training else []
    parts = [part for part in (observed.documents, given, background, *copies, observed.unlabelled) if part.words]
    rows, _ = compact_rows(feature_matrix(map(features.rows_of, parts), features))
    last = rows.shape[0] - len(observed.unlabelled.words)
    first = last - sum(len(part.words) for part in copies)
    near = fit_all_neighbours(
        first_view_rows(observed.documents, features),
        first_view_rows(observed.unlabelled, features),
        len(features.ngrams.tables[0].buckets),
        seed=settings.seed,
    )
    return Embedded(rows[:first], rows[first:last], rows[last:], near.labelled, near.unlabelled)


def pseudo_label(observed: TrainingTexts, settings: FeatureSettings, *, c: float, self_training: bool) -> PseudoLabels:
    """Find the unlabelled documents of unknown kinds and, with ``self_training``, label others.

    The first labels come from a model of the labelled documents, the next from one of these and the first.
    """
    if not observed.unlabelled.words:
        return NO_PSEUDO_LABELS
    embedded = observed.embedded or embed(observed, settings, self_training=self_training)
    unlabelled = embedded.unlabelled
    # of the texts themselves nothing is needed here but how many there are
    observed = observed.seen_by(())
    fit = partial(fit_svm, categories=len(observed.categories), c=c, seed=settings.seed)
    found = NO_PSEUDO_LABELS
    # what keywords find is more typical of its category than other documents are
    if not observed.by_keywords:
        originals = observed.without_copies()
        found = found._replace(novel=novel_documents(originals, embedded, fit, seed=settings.seed))
    novel = found.novel
    likely = np.setdiff1d(np.arange(unlabelled.shape[0]), novel)
    for share in SHARES if self_training else ():
        taught = with_pseudo_labels(observed, found)
        slopes, intercept = fit(_rows(observed, embedded, found), taught.targets, taught.target_weights)
        chosen, labels = most_certain(unlabelled[likely] @ slopes.T + intercept, share * len(likely))
        found = PseudoLabels(likely[chosen], labels, novel)
    return found


def _rows(observed: TrainingTexts, embedded: Embedded, found: PseudoLabels) -> Any:
    """Put the rows in the order of the targets that `with_pseudo_labels` gives."""
    documents, copied = len(observed.labels), len(observed.copied)
    given = documents + len(observed.out_of_distribution[0].words)
    return stack_matrices(
        [
            embedded.known[:documents],
            embedded.unlabelled[found.chosen],
            embedded.copies[:copied],
            embedded.known[documents:given],
            embedded.copies[copied:],
            embedded.known[given:],
            embedded.unlabelled[found.novel],
        ]
    )


def with_pseudo_labels(observed: TrainingTexts, found: PseudoLabels) -> TrainingTexts:
    """Add the pseudo-labelled documents to the labelled ones, without copies, and those of unknown kinds to theirs."""
    given, copies, background, _ = observed.out_of_distribution
    return observed._replace(
        documents=join_texts([observed.documents, observed.unlabelled.take(found.chosen)]),
        labels=np.concatenate([observed.labels, found.labels]),
        weights=np.concatenate([observed.weights, np.full(len(found.labels), WEIGHT * observed.weights.mean())]),
        out_of_distribution=(given, copies, background, observed.unlabelled.take(found.novel)),
        embedded=None,
    )


def most_certain(margins: NDArray[np.float64], number: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose about this number of documents: of each predicted category those of largest lead, up to its cap.

    Gives positions, rising, and categories.
    """
    ordered = np.sort(margins, axis=1)
    lead, predicted = ordered[:, -1] - ordered[:, -2], margins.argmax(axis=1)
    parts = np.bincount(predicted, minlength=margins.shape[1]) ** POWER
    caps = np.ceil(parts / max(parts.sum(), 1) * number).astype(int)
    order = np.argsort(-lead, kind="stable")
    chosen = np.sort(np.concatenate([order[predicted[order] == label][:cap] for label, cap in enumerate(caps)]))
    return chosen, predicted[chosen]
