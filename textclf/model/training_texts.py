"""All texts that a model is trained on, analysed once for all folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.augmentation import augmented_copies
from features.core.texts import Words
from features.feature_set import FeatureSettings, ObservedTexts, observe
from features.ngrams import NgramView

ASSUMED_WEIGHT = 0.3
"""Of all texts of the background together, and of all unlabelled ones of unknown kinds, where one category weighs 1."""

MANY_UNLABELLED = 50
"""Unlabelled documents from which on others are compared with them."""


class Embedded(NamedTuple):
    """The texts as rows of features that no label was needed for: learned once for all folds."""

    # rows of the documents and the out-of-distribution texts, of few columns unless there are many texts
    known: Any
    copies: Any  # of documents, then of out-of-distribution texts; no row if only those of unknown kinds are looked for
    unlabelled: Any
    # short rows of the documents and the unlabelled ones, to find neighbours by
    documents_near: NDArray[np.int8]
    unlabelled_near: NDArray[np.int8]


class TrainingTexts(NamedTuple):
    """All texts that a model is trained on, analysed once for all folds."""

    documents: ObservedTexts
    labels: NDArray[np.int64]  # position of each document's category in `categories`
    categories: Sequence[str]
    weights: NDArray[np.float64]  # how much each document counts
    copies: ObservedTexts  # augmented copies, with the weights of their documents
    copied: NDArray[np.int64]  # position of the original of each copy
    # texts of no category, their copies, those of the background, and unlabelled ones that look like no category
    out_of_distribution: tuple[ObservedTexts, ObservedTexts, ObservedTexts, ObservedTexts]
    unlabelled: ObservedTexts  # texts of unknown category, without copies
    unlabelled_texts: Sequence[str]  # of all of these, also where some are held out
    by_keywords: bool = False  # whether the labels come from keywords, and may be wrong
    embedded: Embedded | None = None  # only if unlabelled documents are learned from

    @property
    def targets(self) -> NDArray[np.int64]:
        """Category of each document, copy and out-of-distribution text; these form one more, never predicted."""
        outside = np.full(sum(len(part.words) for part in self.out_of_distribution), len(self.categories))
        return np.concatenate([self.labels, self.labels[self.copied], outside])

    @property
    def target_weights(self) -> NDArray[np.float64]:
        """How much each of `targets` counts; of the out-of-distribution texts, as parts of a category."""
        given, copies, *assumed = (len(part.words) for part in self.out_of_distribution)
        outside = [np.full(given + copies, 1 / max(given + copies, 1))]
        outside += [np.full(texts, ASSUMED_WEIGHT / max(texts, 1)) for texts in assumed]
        return np.concatenate([self.weights, self.weights[self.copied], *outside])

    @property
    def many_unlabelled(self) -> bool:
        """Whether other documents are compared with the unlabelled ones, in all folds or in none."""
        return len(self.unlabelled_texts) >= MANY_UNLABELLED

    @property
    def originals(self) -> NDArray[np.int64]:
        """Positions of `targets` that are no augmented copies: these take most of the time."""
        documents, first, last = len(self.labels), len(self.labels) + len(self.copied), len(self.targets)
        given, copies, *_ = (len(part.words) for part in self.out_of_distribution)
        return np.asarray(np.r_[:documents, first : first + given, first + given + copies : last])

    def without_copies(self) -> TrainingTexts:
        """Leave out the augmented copies, of out-of-distribution texts too."""
        given, copies, background, novel = self.out_of_distribution
        none = np.empty(0, np.int64)
        return self._replace(
            copies=self.copies.take(none),
            copied=none,
            out_of_distribution=(given, copies.take(none), background, novel),
        )

    def take(self, chosen: NDArray[np.int64], unlabelled: NDArray[np.int64] | None = None) -> TrainingTexts:
        """Select documents by position, with their copies and the texts of no category; or unlabelled ones, too."""
        if unlabelled is None:
            unlabelled = np.arange(len(self.unlabelled.words))
        places = np.full(len(self.labels), -1)
        places[chosen] = np.arange(len(chosen))
        copied = places[self.copied]
        kept = np.flatnonzero(copied >= 0)
        embedded = self.embedded
        if embedded:
            outside = np.arange(len(self.labels), embedded.known.shape[0])
            of_others = np.arange(len(self.copied), embedded.copies.shape[0])
            embedded = Embedded(
                embedded.known[np.concatenate([chosen, outside])],
                embedded.copies[np.concatenate([kept, of_others]) if embedded.copies.shape[0] else kept[:0]],
                embedded.unlabelled[unlabelled],
                embedded.documents_near[chosen],
                embedded.unlabelled_near[unlabelled],
            )
        return self._replace(
            documents=self.documents.take(chosen),
            labels=self.labels[chosen],
            weights=self.weights[chosen],
            copies=self.copies.take(kept),
            copied=copied[kept],
            unlabelled=self.unlabelled.take(unlabelled),
            embedded=embedded,
        )

    def seen_by(self, views: Sequence[NgramView]) -> TrainingTexts:
        """Keep only the n-grams of these views, and nothing that was learned from others."""
        texts, copies, background, novel = self.out_of_distribution
        return self._replace(
            documents=self.documents.seen_by(views),
            copies=self.copies.seen_by(views),
            out_of_distribution=(
                texts.seen_by(views),
                copies.seen_by(views),
                background.seen_by(views),
                novel.seen_by(views),
            ),
            unlabelled=self.unlabelled.seen_by(views),
            embedded=None,
        )


def observe_texts(texts: Sequence[str], settings: FeatureSettings) -> ObservedTexts:
    """Find words, n-grams and layout of texts as the settings require."""
    found = observe(texts, settings.views, layout=settings.layout)
    # a word that recurs is kept once, also in each process that is given the texts
    same: dict[str, str] = {}
    return found._replace(words=[Words.from_strings(words).kept_once(same) for words in found.words])


def observe_training(
    texts: Sequence[str],
    labels: NDArray[np.int64],
    categories: Sequence[str],
    settings: FeatureSettings,
    *,
    weights: NDArray[np.float64] | None = None,
    out_of_distribution: Sequence[str] = (),
    unlabelled: Sequence[str] = (),
    documents: ObservedTexts | None = None,
    background: ObservedTexts | None = None,
    by_keywords: bool = False,
) -> TrainingTexts:
    """Analyse all texts that a model is trained on, except `documents`, if they were analysed before.

    The result serves all settings with the same views, layout, augmentation and seed.
    """
    outside = observe_texts(out_of_distribution, settings)
    with_text = [i for i, words in enumerate(outside.words) if words]
    pile = observe_texts(unlabelled, settings)
    copies, copied = augmented_copies(texts if settings.augment else [], settings.seed)
    more, _ = augmented_copies([out_of_distribution[i] for i in with_text] if settings.augment else [], settings.seed)
    return TrainingTexts(
        documents=observe_texts(texts, settings) if documents is None else documents,
        labels=labels,
        categories=categories,
        weights=np.ones(len(texts)) if weights is None else weights,
        copies=observe_texts(copies, settings),
        copied=copied,
        out_of_distribution=(
            outside.take(np.array(with_text, np.int64)),
            observe_texts(more, settings),
            observe_texts((), settings) if background is None else background,
            observe_texts((), settings),
        ),
        unlabelled=pile.take(np.flatnonzero([bool(words) for words in pile.words])),
        unlabelled_texts=[text for text, words in zip(unlabelled, pile.words, strict=True) if words],
        by_keywords=by_keywords,
    )
