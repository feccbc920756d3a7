"""Which documents to label first: accuracy with 50 and 100 labels chosen by ``textclf select``, and by its peers.

Five draws of Tobacco-3482, each with four of five folds as the pile and the fifth as test set. The labels of the chosen
documents are revealed, and the rest of the pile is given to training as unlabelled documents. Every way of choosing
leads to the same training, and sees no label that was not asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
from common import finish, options, tobacco
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from features.vectorizer import NgramVectorizer
from textclf import DocumentClassifier
from textclf.checks.selection import select_documents
from textclf.model.fit import fit_model
from textclf.model.training_texts import observe_training

DRAWS = 5
FEW, HALF, ALL = 20, 50, 100


def main() -> None:
    parser = options("select", __doc__)
    parser.add_argument("--seed", type=int, default=0, help="first seed; settings were chosen on seeds from 100 on")
    arguments = parser.parse_args()
    texts, categories = tobacco(quick=arguments.quick)
    names = np.array(categories)
    draws = 1 if arguments.quick else DRAWS
    found: dict[tuple[str, int], list[tuple[int, float | None]]] = {}
    # two ways may choose the same documents
    measured: dict[tuple[int, ...], float] = {}
    for draw in range(draws):
        seed = arguments.seed + draw
        folds = list(StratifiedKFold(5, shuffle=True, random_state=seed).split(texts, names))
        pile, test = folds[draw]
        for way, choose in WAYS.items():
            chosen: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
            for labels in (FEW, HALF, ALL):
                print(f"draw {draw + 1} of {draws}: {way}, {labels} labels", file=sys.stderr)
                chosen = choose([texts[i] for i in pile], names[pile], chosen, labels, seed)
                accuracy, key = None, (seed, *sorted(chosen.tolist()))
                if labels > FEW:
                    if key not in measured:
                        measured[key] = _accuracy(texts, names, pile[chosen], np.delete(pile, chosen), test)
                    accuracy = measured[key]
                found.setdefault((way, labels), []).append((len(set(names[pile[chosen]])), accuracy))
    finish(
        arguments,
        {
            f"Tobacco-3482, mean of {draws} draws": [
                {
                    "labels": labels,
                    "chosen by": way,
                    "categories seen": float(np.mean([seen for seen, _ in figures])),
                    "accuracy": None
                    if labels == FEW
                    else float(np.mean([value for _, value in figures if value is not None])),
                }
                for (way, labels), figures in sorted(found.items(), key=lambda entry: entry[0][1])
            ]
        },
    )


Choose = Callable[[Sequence[str], NDArray[np.str_], NDArray[np.int64], int, int], NDArray[np.int64]]
"""From texts and labels of a pile, those chosen before, the number of labels wanted in all, and a seed."""


def by_select(
    texts: Sequence[str], _: NDArray[np.str_], _before: NDArray[np.int64], n: int, seed: int
) -> NDArray[np.int64]:
    """Choose all at once, without any label."""
    return np.array([one.position for one in select_documents(texts, n, seed=seed)])


def by_select_again(
    texts: Sequence[str], labels: NDArray[np.str_], before: NDArray[np.int64], n: int, seed: int
) -> NDArray[np.int64]:
    """Choose the first 50 at once, the others for the labels of these, as with ``--with``."""
    if n <= HALF:
        return by_select(texts, labels, before, n, seed)
    known = {"labelled": [texts[i] for i in before], "categories": labels[before].tolist()}
    more = [one.position for one in select_documents(texts, n - len(before), seed=seed, **known)]
    return np.array([*before.tolist(), *more])


def by_chance(
    texts: Sequence[str], _: NDArray[np.str_], _before: NDArray[np.int64], n: int, seed: int
) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(len(texts))[:n]


def by_uncertainty(
    texts: Sequence[str], labels: NDArray[np.str_], before: NDArray[np.int64], n: int, seed: int
) -> NDArray[np.int64]:
    """Take 20 by chance, then those of least margin by a logistic regression, as modAL's ``margin_sampling``."""
    if not len(before):
        return by_chance(texts, labels, before, n, seed)
    rows = NgramVectorizer().fit_transform(texts)
    model = LogisticRegression(C=10, max_iter=1_000).fit(rows[before], labels[before])
    scores = np.sort(model.predict_proba(rows), axis=1)
    margin = scores[:, -1] - scores[:, -2]
    margin[before] = np.inf
    return np.concatenate([before, np.argsort(margin, kind="stable")[: n - len(before)]])


def by_kmeans_plusplus(
    texts: Sequence[str], _: NDArray[np.str_], _before: NDArray[np.int64], n: int, seed: int
) -> NDArray[np.int64]:
    """Take the seeds of k-means on the TF-IDF rows, which are far from each other with high probability."""
    return np.asarray(kmeans_plusplus(NgramVectorizer().fit_transform(texts), n, random_state=seed)[1])


def by_coreset(
    texts: Sequence[str], _: NDArray[np.str_], _before: NDArray[np.int64], n: int, seed: int
) -> NDArray[np.int64]:
    """Take the farthest from all before, on the TF-IDF rows: greedy k-centre (Sener and Savarese 2018)."""
    rows = NgramVectorizer().fit_transform(texts)
    chosen = [int(np.random.default_rng(seed).integers(len(texts)))]
    nearest = (rows @ rows[chosen[0]].T).toarray().ravel()
    while len(chosen) < n:
        nearest[chosen[-1]] = np.inf
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, (rows @ rows[chosen[-1]].T).toarray().ravel())
    return np.array(chosen)


WAYS: dict[str, Choose] = {
    "textclf select": by_select,
    "textclf select, 50 and again": by_select_again,
    "chance": by_chance,
    "uncertainty": by_uncertainty,
    "k-means++": by_kmeans_plusplus,
    "coreset": by_coreset,
}


def _accuracy(
    texts: Sequence[str],
    names: NDArray[np.str_],
    train: NDArray[np.int64],
    rest: NDArray[np.int64],
    test: NDArray[np.int64],
) -> float:
    categories, labels = np.unique(names[train], return_inverse=True)
    classifier = DocumentClassifier()
    settings = classifier.feature_settings()
    observed = observe_training(
        [texts[i] for i in train],
        labels.astype(np.int64),
        categories.tolist(),
        settings,
        unlabelled=[texts[i] for i in rest],
    )
    fitted = fit_model(observed, settings, c=classifier.C, self_training=True)
    margins = fitted.linear.margins(fitted.features.rows([texts[i] for i in test]))
    return float(np.mean(categories[margins.argmax(axis=1)] == names[test]))


if __name__ == "__main__":
    main()
