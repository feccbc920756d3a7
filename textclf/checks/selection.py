"""Which documents of a pile to label first: one of each group of similar ones, later where a model would learn most.

The documents are clustered by k-means, and the one nearest to the centre of each cluster is chosen. Where some are
labelled already, each document of the pile counts as much as a model of these is in doubt about it and as it is far
from them, so that clusters form where there is something to learn.

Source: F. Zhdanov, "Diverse mini-batch active learning", 2019, arXiv:1901.05954 (k-means weighted by uncertainty; the
novelty is our addition).
"""

from __future__ import annotations

import logging
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.feature_set import observe
from features.keyword_learning import typical_words
from features.lsa import fit_lsa
from features.ngrams import VIEWS, count_ngrams
from features.text_arguments import as_pairs, as_texts
from features.tfidf import fit_tfidf
from features.tokens import tokenize
from textclf.base.errors import UsageError
from textclf.base.one_thread import one_thread
from textclf.checks.near_duplicates import jaccard, same_texts, shingles
from textclf.model.category_names import NONE_OF_THESE

_log = logging.getLogger(__name__)

SAMPLE = 10_000
"""Documents from which words, dimensions and centres are learned; all are assigned to the nearest centre."""
NAMED = 3_000
"""Documents of the sample from which the words of the groups are taken."""
SMALL = 50
"""In smaller samples words count that one document alone has."""
STARTS = 3
"""Runs of k-means, of which the best is taken."""
INVERSE_REGULARISATION = 30.0
"""With it the scores of the guesses on scanned office pages are about as high as the guesses are right."""
COPY, CLOSE = 0.8, 0.8
"""Jaccard similarity from which texts are copies, looked at only from this cosine similarity on."""
MAX_COPIES = 50
"""Documents of a cluster that are looked at until one is no copy of a document chosen before."""
WORDS = 5
_CHUNK = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A document of the pile to label, and the group of similar documents that it stands for."""

    position: int  # in the pile
    group: int  # number, from 1, the largest group first
    members: tuple[int, ...]  # positions of all documents of the group, this one and copies included
    words: tuple[str, ...]  # the most typical ones of the group, best first
    guess: str = ""  # category by a model of the labelled documents
    score: float = 0.0  # of the guess

    @property
    def documents(self) -> int:
        """Number of documents of the group."""
        return len(self.members)


def select_documents(
    texts: Sequence[str],
    n: int,
    *,
    labelled: Sequence[str] = (),
    categories: Sequence[str] = (),
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> list[Selected]:
    """Choose documents of a pile to label, those that help most first.

    Parameters
    ----------
    texts : sequence of str, length m
        Cleaned texts of the pile. Those without a word, and copies of others and of labelled ones, are not chosen.
    n : int
        Number of documents; fewer are given if no more are different.
    labelled, categories : sequence of str, of the same length
        Texts of known category, and these categories; `NONE_OF_THESE` for a text of none of them.
    seed : int, default 0
        Seed of dimensions and clusters.
    progress : callable, optional
        Called with the number of texts that were compared.

    Returns
    -------
    list of Selected
        One document for each group of similar ones, in the order in which labels help most.

    Examples
    --------
    >>> pile = ["invoice total due", "invoice total vat", "dear sir yours truly", "dear madam yours truly", ""]
    >>> sorted(pile[selected.position] for selected in select_documents(pile, 2))
    ['dear sir yours truly', 'invoice total due']
    """
    if n < 1:
        raise UsageError("must be 1 or more", where="n")
    texts = as_texts(texts)
    labelled, categories = as_pairs(labelled, categories)
    copies = _different(texts, labelled)
    if not copies:
        return []
    positions = list(copies)
    draw = np.random.default_rng(seed)
    sample = np.sort(draw.permutation(len(positions))[:SAMPLE])
    rows = pile_rows([texts[i] for i in positions], [texts[positions[i]] for i in sample], labelled, seed, progress)
    _log.info(f"choosing {min(n, len(positions))} of {len(positions):,} different documents with text")
    names, scores = _guesses(rows, categories)
    near = _similarity(rows.pile, rows.labelled)
    # no more is asked about what surely belongs to none of the categories
    weights = _weights(scores, near, 1 - scores[:, names == NONE_OF_THESE].sum(axis=1))
    clusters = _cluster(rows.pile, sample, min(n, len(positions)), weights, seed)
    named = sample[:: -(-len(sample) // NAMED)]
    words = typical_words([tokenize(texts[positions[i]]) for i in named], clusters.of[named].tolist(), WORDS)
    chosen = _choose(clusters, rows, near, [texts[i] for i in positions], labelled, n)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for cluster, same in zip(clusters.of.tolist(), copies.values(), strict=True):
        members[cluster] += same
    by_size = sorted(clusters.of[chosen].tolist(), key=lambda cluster: -len(members[cluster]))
    numbers = {cluster: number for number, cluster in enumerate(by_size, 1)}
    return [
        Selected(
            position=positions[i],
            group=numbers[clusters.of[i]],
            members=tuple(sorted(members[clusters.of[i]])),
            words=words.get(int(clusters.of[i]), ()),
            guess=str(names[scores[i].argmax()]) if len(names) else "",
            score=float(scores[i].max(initial=0)),
        )
        for i in chosen
    ]


class PileRows(NamedTuple):
    """LSA rows of the different texts of the pile, and of the labelled texts."""

    pile: NDArray[np.float32]
    labelled: NDArray[np.float32]


class _Clusters(NamedTuple):
    of: NDArray[np.int64]  # cluster of each text
    centres: NDArray[np.float32]  # of length 1
    weights: NDArray[np.float64]  # of the texts


def _different(texts: Sequence[str], labelled: Sequence[str]) -> dict[int, list[int]]:
    """Give the positions of texts that are the same by the first; without labelled ones and those of no word."""
    alike = ([position - len(labelled) for position in same] for same in same_texts([*labelled, *texts]))
    return {same[0]: same for same in alike if same[0] >= 0 and tokenize(texts[same[0]])}


def pile_rows(
    pile: Sequence[str],
    sample: Sequence[str],
    labelled: Sequence[str],
    seed: int,
    progress: Callable[[int], None] | None,
) -> PileRows:
    """Fit LSA on the sample, and compute the rows of all texts."""
    view = VIEWS[:1]
    counts = observe(sample, view, layout=False).counts
    tfidf = fit_tfidf(counts, view, min_documents=1 if len(sample) < SMALL else 2)
    lsa = fit_lsa(tfidf.weigh(counts), int(tfidf.starts[1]), seed=seed)
    rows = np.zeros((len(pile) + len(labelled), lsa.projection.shape[1]), dtype=np.float32)
    for done, text in enumerate([*pile, *labelled], 1):
        rows[done - 1] = lsa.rows(tfidf.weigh(count_ngrams([text], view)))
        if progress is not None:
            progress(done)
    return PileRows(rows[: len(pile)], rows[len(pile) :])


def _guesses(rows: PileRows, categories: Sequence[str]) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Give the k categories, and their scores for each text of the pile, shape (m, k); nothing of fewer than two."""
    from sklearn.linear_model import LogisticRegression

    names, labels = np.unique(list(categories), return_inverse=True)
    if len(names) < 2:
        return names[:0], np.ones((len(rows.pile), 0))
    model = LogisticRegression(C=INVERSE_REGULARISATION, class_weight="balanced", max_iter=1_000)
    return names, model.fit(rows.labelled, labels).predict_proba(rows.pile)


def _similarity(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine similarity of each row to the nearest of some others; 0 without others, and if it is negative."""
    nearest = np.zeros(len(rows))
    for start in range(0, len(rows) if len(others) else 0, _CHUNK):
        part = rows[start : start + _CHUNK] @ others.T
        nearest[start : start + _CHUNK] = part.max(axis=1).clip(0, 1)
    return nearest


def _weights(
    scores: NDArray[np.float64], near: NDArray[np.float64], of_a_category: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weigh each text by the doubt about its category and its distance from labelled texts; 1 without labels.

    `of_a_category` is the probability that it belongs to any.
    """
    ordered = np.sort(scores, axis=1)
    doubt = 1 - (ordered[:, -1] - ordered[:, -2]) if scores.shape[1] > 1 else np.ones(len(scores))
    weights: NDArray[np.float64] = doubt * (1 - near) * of_a_category
    return weights if weights.any() else np.ones(len(scores))


def _cluster(
    rows: NDArray[np.float32], sample: NDArray[np.int64], n: int, weights: NDArray[np.float64], seed: int
) -> _Clusters:
    """Cluster the sample by k-means, and assign each row to the nearest centre."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    if n == len(rows) or not rows.shape[1]:
        return _Clusters(np.arange(len(rows)), rows, weights)
    with one_thread(), warnings.catch_warnings():
        # some rows may be equal, which leaves fewer clusters
        warnings.simplefilter("ignore", ConvergenceWarning)
        means = KMeans(min(n, len(sample)), n_init=STARTS, random_state=seed)
        centres = means.fit(rows[sample], sample_weight=weights[sample]).cluster_centers_
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    nearest = [(rows[start : start + _CHUNK] @ centres.T).argmax(axis=1) for start in range(0, len(rows), _CHUNK)]
    return _Clusters(np.concatenate(nearest), centres, weights)


def _choose(
    clusters: _Clusters,
    rows: PileRows,
    near: NDArray[np.float64],
    texts: Sequence[str],
    labelled: Sequence[str],
    n: int,
) -> list[int]:
    """Choose from each cluster the document nearest to the centre that is no copy of another, in the order of use.

    The next cluster is always the one that adds most: its weight, less the more it is like a document before.
    """
    closeness = (rows.pile * clusters.centres[clusters.of]).sum(axis=1).round(6)
    order = np.lexsort([-closeness, clusters.of])
    members = np.split(order, np.flatnonzero(np.diff(clusters.of[order])) + 1)
    weights = np.array([clusters.weights[own].sum() for own in members])
    nearest = np.array([own[0] for own in members])
    like = near[nearest]
    seen = [*labelled]
    seen_rows = np.vstack([rows.labelled, np.zeros((len(members), rows.pile.shape[1]), dtype=np.float32)])
    left, chosen = list(range(len(members))), list[int]()
    while left and len(chosen) < n:
        place = left.pop(int(np.argmax((weights * (1 - like))[left].round(9))))
        for document in members[place][:MAX_COPIES].tolist():
            close = np.flatnonzero(seen_rows[: len(seen)] @ rows.pile[document] >= CLOSE)
            if not _is_copy(texts[document], [seen[i] for i in close]):
                chosen.append(document)
                like = np.maximum(like, rows.pile[nearest] @ rows.pile[document])
                seen_rows[len(seen)] = rows.pile[document]
                seen.append(texts[document])
                break
    return chosen


def _is_copy(text: str, others: Sequence[str]) -> bool:
    own = shingles(text) if others else None
    return own is not None and any(jaccard(own, shingles(other)) >= COPY for other in others)
