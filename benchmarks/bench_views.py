"""The contribution of each view of a page on Tobacco-3482: cross-validated without it, and with it alone.

Text only: no keywords, no word vectors. Two cross-validations of five folds, each with a seed of its own; means. One
standard error of an accuracy here is about 1.1 points, less for a difference on the same documents: a single view
adds little, and only their sum is significant.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from common import finish, options, tobacco

from features.feature_set import FeatureSettings
from features.ngrams import VIEWS
from textclf.base.executor import open_executor
from textclf.model.fit import cross_validate
from textclf.model.folds import stratified_folds
from textclf.model.training_texts import observe_training

JOBS = 2
SEEDS = (0, 1)
TEXT = FeatureSettings(lexicon="none", vectors="none")


def main() -> None:
    arguments = options("views", __doc__).parse_args()
    texts, names = tobacco(quick=arguments.quick)
    categories, labels = np.unique(names, return_inverse=True)
    rows = []
    for name, settings in choices():
        print(name, file=sys.stderr)
        results = []
        for seed in SEEDS:
            seeded = replace(settings, seed=seed)
            observed = observe_training(texts, labels.astype(np.int64), categories.tolist(), seeded)
            with open_executor(JOBS) as executor:
                folds = stratified_folds(labels, 5, seed)
                results.append(cross_validate(observed, seeded, c=1.0, folds=folds, executor=executor))
        rows.append(
            {
                "features": name,
                "accuracy": float(np.mean([result.accuracy for result in results])),
                "macro F1": float(np.mean([result.macro_f1 for result in results])),
            }
        )
    finish(arguments, {f"Tobacco-3482, {len(texts)} documents, mean of {len(SEEDS)} 5-fold cross-validations": rows})


def choices() -> Iterator[tuple[str, FeatureSettings]]:
    yield "all views, layout, augmented copies", TEXT
    yield "without augmented copies", replace(TEXT, augment=False)
    yield "without layout", replace(TEXT, layout=False)
    for view in VIEWS:
        yield f"without {view.name}", replace(TEXT, views=tuple(other for other in VIEWS if other != view))
    bare = replace(TEXT, layout=False)
    yield "words and characters of the page", replace(bare, views=(VIEWS[0], VIEWS[1]))
    for view in VIEWS:
        yield f"{view.name} alone", replace(bare, views=(view,))


if __name__ == "__main__":
    main()
