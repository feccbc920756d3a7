"""The background: texts of kinds of paper that few people file, which training turns away.

They are invented and ship with the package; ``data/generator/background`` makes them. A kind that is like one of the
user's categories is left out, as its texts would teach the model to turn the user's own documents away.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSettings, ObservedTexts, observe
from features.ngrams import NgramView, SparseRows
from features.tfidf import fit_tfidf
from textclf.model.linear import fit_svm
from textclf.model.training_record import BackgroundUsed

MIN_DOCUMENTS = 40
"""With fewer documents there is no background: nothing could be said of what is like them."""
FOLDS = 5
LEFT_OUT_FROM = 0.5
"""Share of a kind's texts that are taken for one category, from which on the kind is left out."""


class BackgroundText(NamedTuple):
    """A text, the kind of paper that it imitates, and the two-letter code of its language."""

    kind: str
    language: str
    text: str


class Background(NamedTuple):
    """The texts to train with."""

    observed: ObservedTexts
    used: BackgroundUsed


@cache
def background_texts() -> tuple[BackgroundText, ...]:
    """Read all texts, in the order of kinds and languages."""
    packed = files("textclf.model").joinpath("background.json.xz").read_bytes()
    return tuple(BackgroundText(**text) for text in json.loads(lzma.decompress(packed)))


def choose_background(
    documents: ObservedTexts,
    labels: NDArray[np.int64],
    categories: Sequence[str],
    languages: Sequence[str],
    settings: FeatureSettings,
) -> Background:
    """Choose texts in the languages of the training documents, of kinds like none of the categories.

    There are at most as many as documents; every category has a document.
    """
    texts = background_texts()
    spoken = np.array([i for i, text in enumerate(texts) if text.language in languages], np.int64)
    observed = _observed(settings.views, settings.layout)
    kinds = np.array([texts[i].kind for i in spoken])
    if len(documents.words) < MIN_DOCUMENTS or not len(spoken):
        return Background(observed.take(spoken[:0]), BackgroundUsed())
    view = settings.views[:1]
    taken = _taken_for(
        documents.seen_by(view).counts, labels, observed.seen_by(view).take(spoken).counts, kinds, settings
    )
    left_out = {}
    for kind in np.unique(kinds).tolist():
        shares = np.bincount(taken[kinds == kind], minlength=len(categories) + 1)[:-1] / (kinds == kind).sum()
        if shares.max() >= LEFT_OUT_FROM:
            left_out[kind] = categories[shares.argmax()]
    chosen = spoken[~np.isin(kinds, list(left_out))]
    # the texts of a kind follow each other, so that all kinds remain
    size = min(len(chosen), len(documents.words))
    chosen = chosen[np.arange(size) * len(chosen) // max(size, 1)]
    return Background(observed.take(chosen), BackgroundUsed(texts=size, left_out=left_out))


@lru_cache(maxsize=1)
def _observed(views: tuple[NgramView, ...], layout: bool) -> ObservedTexts:
    return observe([text.text for text in background_texts()], views, layout=layout)


def _taken_for(
    documents: SparseRows,
    labels: NDArray[np.int64],
    background: SparseRows,
    kinds: NDArray[np.str_],
    settings: FeatureSettings,
) -> NDArray[np.int64]:
    """Predict the category of each text of the background, or the number of categories for none of them.

    The models know the documents and the rest of the background, without the family of the text's kind: kinds with the
    same last word, such as receipts of shops and of cafés.
    """
    from scipy.sparse import csr_array, vstack

    tfidf = fit_tfidf(documents, settings.views[:1])

    def matrix(counts: SparseRows) -> csr_array:
        rows = tfidf.weigh(counts)
        shape = len(rows.starts) - 1, tfidf.starts[-1]
        return csr_array((rows.values, rows.indices, rows.starts), shape=shape)

    known, unknown = matrix(documents), matrix(background)
    _, families = np.unique([kind.rsplit("_")[-1] for kind in kinds], return_inverse=True)
    none = int(labels.max()) + 1
    taken = np.full(len(kinds), none)
    for fold in range(FOLDS):
        held_out = families % FOLDS == fold
        if held_out.any() and not held_out.all():
            rest = unknown[~held_out]
            targets = np.concatenate([labels, np.full(rest.shape[0], none)])
            slopes, intercept = fit_svm(
                vstack([known, rest], format="csr"),
                targets,
                np.ones(len(targets)),
                categories=none + 1,
                c=1.0,
                seed=settings.seed,
            )
            taken[held_out] = (unknown[held_out] @ slopes.T + intercept).argmax(axis=1)
    return taken
