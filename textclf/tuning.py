"""Search for better settings within a time, and say honestly what they are worth.

Random search (J. Bergstra and Y. Bengio, Journal of Machine Learning Research 13, 2012) with successive halving
(K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016):
many candidates learn from few documents, the best third of them from more, and the best of those from all.

A quarter of the documents is put aside first. The search never sees it; what it found, and the defaults, are measured
there at the end. The figure that the search itself saw is the best of many, and for that reason too good.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.columns import FeatureSettings
from textclf import __version__
from textclf.classifier import DocumentClassifier
from textclf.comparison import mcnemar
from textclf.errors import BadDataError, BadInputError, UsageError
from textclf.files import write_aside
from textclf.training import TrainingTexts, cross_validate, fit_model, observe_training

__all__ = ["Settings", "Tuning", "read_settings", "tune", "write_settings"]

SHARES = (0.25, 0.5, 1.0)
"""Of the training part of each fold, in the three rounds."""
FIRST, KEPT = 9, 3
"""Candidates of a first round; one in so many goes on."""
FOLDS = 3
OUTER = 4
"""One part in so many is put aside for the end."""
LEAST_DOCUMENTS = 8
"""Of the smallest category, so that every fold of the search has some."""

Settings = Mapping[str, str | int | float | bool]
"""Options of `DocumentClassifier`."""

DEFAULTS: Settings = {"c": 1.0, "lexicon": "auto", "vectors": "learn", "vector_size": 50, "poor_copies": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a search found.

    Parameters
    ----------
    settings : dict
        Options of `DocumentClassifier`: the best found, or the defaults where nothing beat them by more than chance.
    better : bool
        Whether they are others than the defaults.
    candidates : int
        Settings tried, the defaults among them.
    search_accuracy, search_accuracy_of_defaults : float
        Cross-validated within the search: the first is the best of many, and too good.
    accuracy, accuracy_of_defaults : float or None
        On the documents put aside; None if the search was stopped before that.
    aside : int
        How many those are.
    p_value : float or None
        McNemar's exact test of the two on those documents.
    stopped : bool
        Whether Ctrl-C ended it.
    """

    settings: Settings
    better: bool
    candidates: int
    search_accuracy: float
    search_accuracy_of_defaults: float
    accuracy: float | None
    accuracy_of_defaults: float | None
    aside: int
    p_value: float | None
    stopped: bool

    def to_lines(self) -> list[str]:
        """Say it in lines for a person."""
        named = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        lines = [f"tried {self.candidates} settings" + ("; stopped before the end" if self.stopped else "")]
        if self.better:
            lines.append(f"best: {named}")
        else:
            lines.append("the defaults stand: nothing was better by more than chance")
        doubt = " (too good: the best of many)" if self.better else ""
        lines.append(
            f"within the search      accuracy {self.search_accuracy:.3f}{doubt}, defaults "
            f"{self.search_accuracy_of_defaults:.3f}"
        )
        if self.accuracy is not None and self.accuracy_of_defaults is not None and self.p_value is not None:
            lines.append(
                f"on {self.aside} documents aside  accuracy {self.accuracy:.3f}, defaults "
                f"{self.accuracy_of_defaults:.3f}, McNemar's test p = {self.p_value:.3f}"
            )
        return lines


class _Search:
    """The documents of the search, and what was found on them."""

    def __init__(
        self, texts: Sequence[str], labels: NDArray[np.int64], categories: list[str], seed: int, jobs: int
    ) -> None:
        self.texts, self.labels, self.categories, self.seed, self.jobs = list(texts), labels, categories, seed, jobs
        self.observed = observe_training(self.texts, self.features(DEFAULTS))
        self.right: dict[str, NDArray[np.bool_]] = {}
        self.seconds: dict[float, float] = {}

    def features(self, settings: Settings) -> FeatureSettings:
        options: dict[str, Any] = dict(settings)
        return DocumentClassifier(random_state=self.seed, **options).feature_settings()

    def accuracy(self, settings: Settings, share: float) -> float:
        """Cross-validate settings, trained on a share of each fold's training part."""
        started = time.monotonic()
        found = cross_validate(
            _observed(self.observed, settings),
            self.labels,
            self.categories,
            self.features(settings),
            c=float(settings["c"]),
            folds=FOLDS,
            jobs=self.jobs,
            share=share,
        )
        self.seconds[share] = max(self.seconds.get(share, 0.0), time.monotonic() - started)
        if share == 1:
            self.right[_key(settings)] = found.margins.argmax(axis=1) == self.labels
        return found.accuracy


def tune(
    texts: Sequence[str],
    categories: Sequence[str],
    *,
    minutes: float = 5.0,
    candidates: int = 0,
    seed: int = 0,
    jobs: int = 1,
    talk: Callable[[str], None] = lambda message: None,
    clock: Callable[[], float] = time.monotonic,
) -> Tuning:
    """Search for settings that are better than the defaults.

    Parameters
    ----------
    texts : sequence of str, length n
        Cleaned texts that have words.
    categories : sequence of str, length n
        The category of each.
    minutes : float, default 5
        Time for all of it; nothing is begun that would not end in time.
    candidates : int, default 0
        At most so many settings; 0 for as many as there is time for.
    seed : int, default 0
        Same documents, seed and number of candidates give the same result, if the time does not end it.
    jobs : int, default 1
        Processes, -1 for all cores.
    talk : callable, optional
        Told in one line how far the search is.
    clock : callable, optional
        Gives seconds.

    Returns
    -------
    Tuning
        The best settings and what they are worth. Ctrl-C ends the search and gives the best so far.

    Raises
    ------
    textclf.errors.BadDataError
        If a category has too few documents to search on.
    """
    from sklearn.model_selection import StratifiedKFold

    names, numbers = np.unique(categories, return_inverse=True)
    labels = numbers.astype(np.int64)
    counts = np.bincount(labels)
    if len(names) < 2 or counts.min() < LEAST_DOCUMENTS:
        raise BadDataError(
            f"category {names[counts.argmin()]!r} has {counts.min()} documents",
            remedy=f"tuning needs {LEAST_DOCUMENTS} of each category, and two categories",
        )
    started, end = clock(), clock() + 60 * minutes
    inner, outer = next(StratifiedKFold(OUTER, shuffle=True, random_state=seed).split(labels, labels))
    search = _Search([texts[i] for i in inner], labels[inner], names.tolist(), seed, jobs)
    tried, stopped = 1, False
    accuracies: dict[str, tuple[float, Settings]] = {}
    own = 0.0

    def left_for(share: float) -> bool:
        # the two fits at the end take about as long as one cross-validation
        return clock() + search.seconds[share] + search.seconds[1.0] <= end

    try:
        for share in SHARES:
            own = search.accuracy(DEFAULTS, share)
        talk(f"the defaults: accuracy {own:.3f} in {clock() - started:.0f} s")
        drawn = _draw(seed)
        while left_for(SHARES[0]) and (not candidates or tried < candidates):
            wanted = min(FIRST, candidates - tried) if candidates else FIRST
            field: list[tuple[float, Settings]] = []
            for share in SHARES:
                rivals = [next(drawn) for _ in range(wanted)] if share == SHARES[0] else _best(field)
                field = []
                for settings in rivals:
                    if not left_for(share):
                        break
                    field.append((search.accuracy(settings, share), settings))
                    tried += share == SHARES[0]
                    best = max([own, *(found for found, _ in accuracies.values())])
                    talk(
                        f"{tried} settings tried, best accuracy {best:.3f}, defaults {own:.3f}, "
                        f"{max(end - clock(), 0):.0f} s left"
                    )
            accuracies |= {_key(settings): (accuracy, settings) for accuracy, settings in field}
    except KeyboardInterrupt:
        stopped = True
    accuracy, settings = max(accuracies.values(), key=lambda entry: entry[0], default=(own, DEFAULTS))
    better = _key(DEFAULTS) in search.right and _is_better(search.right, settings)
    if not better:
        settings, accuracy = DEFAULTS, own
    figures: tuple[float | None, float | None, float | None] = (None, None, None)
    if not stopped:
        talk(f"measuring on {len(outer)} documents put aside")
        asked = [texts[i] for i in outer]
        last = _right(search, DEFAULTS, asked, labels[outer])
        first = _right(search, settings, asked, labels[outer]) if better else last
        p_value = mcnemar(int((first & ~last).sum()), int((last & ~first).sum()))
        figures = float(first.mean()), float(last.mean()), p_value
    return Tuning(
        settings=settings,
        better=better,
        candidates=tried,
        search_accuracy=accuracy,
        search_accuracy_of_defaults=own,
        accuracy=figures[0],
        accuracy_of_defaults=figures[1],
        aside=len(outer),
        p_value=figures[2],
        stopped=stopped,
    )


def write_settings(path: str | Path, found: Tuning, *, seed: int) -> None:
    """Write what was found as JSON that ``textclf train --settings`` reads.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    found : Tuning
        What `tune` gave.
    seed : int
        The seed of the search.
    """
    figures = {name: value for name, value in asdict(found).items() if name != "settings"}
    values = {"settings": dict(found.settings), "search": figures, "seed": seed, "textclf": __version__}
    with write_aside(path) as aside:
        aside.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_settings(path: Path) -> dict[str, Any]:
    """Read the settings that `write_settings` wrote.

    Parameters
    ----------
    path : pathlib.Path
        The file; at most a megabyte of it is looked at.

    Returns
    -------
    dict
        Options of `DocumentClassifier`.

    Raises
    ------
    textclf.errors.BadInputError
        If it cannot be read, or is no such file.
    """
    remedy = "give a file that `textclf tune` wrote"
    try:
        with path.open("rb") as file:
            settings: dict[str, Any] = json.loads(file.read(1_000_000))["settings"]
        fits = settings.keys() == DEFAULTS.keys() and all(
            # only these words: a path in a stranger's file would be opened
            settings[name] in allowed and type(settings[name]) is type(allowed[0])
            for name, allowed in _CHOICES.items()
        )
        DocumentClassifier(c=float(settings["c"])).check_options()
    except OSError as error:
        raise BadInputError(f"cannot be read ({(error.strerror or str(error)).lower()})", where=path) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
        raise BadInputError("holds no settings", where=path, remedy=remedy) from error
    if not fits:
        raise BadInputError("holds other settings than those of a search", where=path, remedy=remedy)
    return settings


_CHOICES: dict[str, tuple[Any, ...]] = {
    "lexicon": ("auto", "learn", "none"),
    "vectors": ("learn", "none"),
    "vector_size": (25, 50, 100),
    "poor_copies": (True, False),
}


def _draw(seed: int) -> Iterator[Settings]:
    """Draw settings without end, none twice; C between 0.1 and 10, as likely below 1 as above."""
    random = np.random.default_rng(seed)
    seen = {_key(DEFAULTS)}
    while True:
        settings: dict[str, Any] = {"c": round(float(10 ** random.uniform(-1, 1)), 3)}
        settings |= {name: choices[int(random.integers(len(choices)))] for name, choices in _CHOICES.items()}
        if _key(settings) not in seen:
            seen.add(_key(settings))
            yield settings


def _key(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True)


def _best(field: list[tuple[float, Settings]]) -> list[Settings]:
    """One in three, one at least; ties go to what was drawn first."""
    ordered = sorted(field, key=lambda entry: -entry[0])
    return [settings for _, settings in ordered[: max(len(field) // KEPT, 1)]]


def _is_better(right: Mapping[str, NDArray[np.bool_]], settings: Settings) -> bool:
    """Whether settings are ahead of the defaults by more than a standard error of the difference."""
    if _key(settings) == _key(DEFAULTS):
        return False
    mine, own = right[_key(settings)], right[_key(DEFAULTS)]
    gained, lost = int((mine & ~own).sum()), int((own & ~mine).sum())
    return gained - lost > math.sqrt(gained + lost)


def _observed(observed: TrainingTexts, settings: Settings) -> TrainingTexts:
    return observed if settings["poor_copies"] else observed._replace(copies=None)


def _right(search: _Search, settings: Settings, texts: Sequence[str], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    fitted = fit_model(
        _observed(search.observed, settings),
        search.labels,
        search.categories,
        search.features(settings),
        c=float(settings["c"]),
    )
    right: NDArray[np.bool_] = fitted.model.margins(fitted.features.rows(texts)).argmax(axis=1) == labels
    return right
