"""Search for better settings within a time, and say honestly what they are worth.

Random search (J. Bergstra and Y. Bengio, Journal of Machine Learning Research 13, 2012) with successive halving
(K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016):
many candidates learn from few documents of one fold, the best third of them from more, and the best of those from all
of every fold.

A quarter of the documents is put aside first. The search never sees it; what it found, and the defaults, are measured
there at the end. The figure that the search itself saw is the best of many, and for that reason too good.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.columns import FeatureSettings
from features.texts import as_pairs
from textclf import __version__
from textclf.base.errors import BadDataError, BadInputError
from textclf.base.files import write_aside
from textclf.base.tries import Team, open_team
from textclf.evaluation.comparison import mcnemar
from textclf.model.classifier import DocumentClassifier
from textclf.model.fit import TrainingTexts, fit_model, observe_training
from textclf.model.folds import Folds, share_of, stratified_folds

ROUNDS = ((0.25, 1), (0.5, 1), (1.0, 3))
"""Share of the training part of a fold, and how many of the folds."""
LAST = len(ROUNDS) - 1
FIRST, KEPT = 9, 3
"""Candidates of a first round; one in so many goes on."""
LEAST_C, MOST_C = 0.1, 10.0
FOLDS = 3
OUTER = 4
"""One part in so many is put aside for the end."""
CHANCE = 0.05
"""Of taking other settings although they are no better."""
LEAST_DOCUMENTS = 8
"""Of the smallest category, so that every fold of the search has some."""

LOOK = "look at the workers' logs; they may have too little memory"

Settings = Mapping[str, str | int | float | bool]
"""Options of `DocumentClassifier`."""

DEFAULTS: Settings = {"C": 1.0, "lexicon": "auto", "vectors": "learn", "vector_size": 50}


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


class _Material(NamedTuple):
    """What every try is made of."""

    observed: TrainingTexts
    labels: NDArray[np.int64]
    categories: list[str]
    aside: list[str]


class _Search:
    """Which documents of the search come out right with which settings."""

    def __init__(self, material: _Material, folds: Folds, seed: int, team: Team, clock: Callable[[], float]) -> None:
        self.labels, self.folds, self.seed = material.labels, folds, seed
        self.team, self.clock = team, clock
        self.right: dict[tuple[str, int], list[NDArray[np.bool_]]] = {}
        self.seconds = [0.0] * len(ROUNDS)

    def play(self, rivals: Sequence[Settings], number: int, goes_on: Callable[[], bool]) -> list[Settings]:
        """Play a round; gives the settings that came to its end, the best first, ties as they were drawn."""
        share, folds = ROUNDS[number]
        tasks = [(settings, fold) for settings in rivals for fold in range(folds)]
        for start in range(0, len(tasks), self.team.size):
            if not goes_on():
                break
            began, batch = self.clock(), tasks[start : start + self.team.size]
            found = self._predictions(
                (settings, share_of(self.folds[fold][0], self.labels, share, self.seed), self.folds[fold][1])
                for settings, fold in batch
            )
            for (settings, fold), predicted in zip(batch, found, strict=True):
                if predicted is None:
                    continue
                right = predicted == self.labels[self.folds[fold][1]]
                self.right.setdefault((_key(settings), number), []).append(right)
            self.seconds[number] = max(self.seconds[number], self.clock() - began)
        ended = [settings for settings in rivals if len(self.right.get((_key(settings), number), [])) == folds]
        return sorted(ended, key=lambda settings: -self.right_in(number, settings).mean())

    def measure(self, several: Sequence[Settings]) -> list[NDArray[np.int64] | None]:
        """Train with each of some settings on all documents, and predict those put aside."""
        everything = np.arange(len(self.labels))
        return self._predictions((settings, everything, None) for settings in several)

    def right_in(self, number: int, settings: Settings) -> NDArray[np.bool_]:
        """Which documents came out right in a round."""
        return np.concatenate(self.right[_key(settings), number])

    def accuracy(self, settings: Settings) -> float:
        """Cross-validated in the last round."""
        return float(self.right_in(LAST, settings).mean())

    def seconds_for(self, *candidates: int) -> float:
        """Time for so many candidates in each round, and for measuring at the end."""
        batches = (-(-count * folds // self.team.size) for count, (_, folds) in zip(candidates, ROUNDS, strict=True))
        rounds = sum(count * seconds for count, seconds in zip(batches, self.seconds, strict=True))
        # at the end two are trained on half as many documents again
        return rounds + 1.5 * -(-2 // self.team.size) * self.seconds[LAST]

    def _predictions(
        self, tasks: Iterable[tuple[Settings, NDArray[np.int64], NDArray[np.int64] | None]]
    ) -> list[NDArray[np.int64] | None]:
        return self.team.run(
            _predict,
            [(_features(settings, self.seed), float(settings["C"]), train, test) for settings, train, test in tasks],
        )


def tune(
    texts: Sequence[str],
    categories: Sequence[str],
    *,
    minutes: float = 5.0,
    candidates: int = 0,
    seed: int = 0,
    jobs: int = 1,
    dask: str = "",
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
        Time for all of it; nothing is begun that would not end in time, but the defaults are always measured.
    candidates : int, default 0
        At most so many settings; 0 for as many as there is time for.
    seed : int, default 0
        Same documents, seed and number of candidates give the same result, if the time does not end it.
    jobs : int, default 1
        Processes, -1 for all cores.
    dask : str
        Address of a Dask scheduler to try them on its cluster, or ``local``; empty for processes of this machine.
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
    textclf.base.errors.BadDataError
        If a category has too few documents to search on.
    textclf.base.errors.MissingProgramError, textclf.base.errors.BadInputError
        If there is no such cluster, or every worker dies of the defaults; settings that every worker dies of are
        passed over.
    """
    texts, categories = as_pairs(texts, categories)
    names, numbers = np.unique(categories, return_inverse=True)
    labels = numbers.astype(np.int64)
    counts = np.bincount(labels)
    if len(names) < 2 or counts.min() < LEAST_DOCUMENTS:
        raise BadDataError(
            f"category {str(names[counts.argmin()])!r} has {counts.min()} documents",
            remedy=f"tuning needs {LEAST_DOCUMENTS} of each category, and two categories",
        )
    started = clock()
    end = started + 60 * minutes
    inner, outer = stratified_folds(labels, OUTER, seed)[0]
    material = _Material(
        observe_training([texts[i] for i in inner], _features(DEFAULTS, seed)),
        labels[inner],
        names.tolist(),
        [texts[i] for i in outer],
    )
    folds = stratified_folds(material.labels, FOLDS, seed)
    with open_team(material, jobs=jobs, dask=dask) as team:
        search = _Search(material, folds, seed, team, clock)
        for number in range(len(ROUNDS)):
            if not search.play([DEFAULTS], number, lambda: True):
                raise BadInputError("every worker that tried the defaults died", where=dask, remedy=LOOK)
        # Ctrl-C before this has nothing to keep
        own = search.accuracy(DEFAULTS)
        talk(f"the defaults: accuracy {own:.3f} in {clock() - started:.0f} s")
        drawn, tried, stopped = _draw(seed), 1, False
        finalists: list[Settings] = []

        def there_is_time(*rounds: int) -> bool:
            return clock() + search.seconds_for(*rounds) <= end

        def told_and_in_time(number: int) -> bool:
            best = max(map(search.accuracy, [DEFAULTS, *finalists]))
            talk(
                f"{tried} settings tried, best accuracy {best:.3f}, defaults {own:.3f}, "
                f"{max(end - clock(), 0):.0f} s left"
            )
            return there_is_time(*(int(number == other) for other in range(len(ROUNDS))))

        try:
            while not candidates or tried < candidates:
                most = min(FIRST, candidates - tried) if candidates else FIRST
                # a smaller last field, rather than one that never comes to its end
                in_time = (n for n in range(most, 0, -1) if there_is_time(n, _kept(n), _kept(_kept(n))))
                field = [next(drawn) for _ in range(next(in_time, 0))]
                if not field:
                    break
                for number in range(len(ROUNDS)):
                    ended = search.play(field, number, partial(told_and_in_time, number))
                    tried += len(ended) if number == 0 else 0
                    field = ended[: _kept(len(ended))]
                finalists += field
        except KeyboardInterrupt:
            stopped = True
        settings = max([DEFAULTS, *finalists], key=search.accuracy)
        better = _is_better(search.right_in(LAST, settings), search.right_in(LAST, DEFAULTS), len(finalists))
        settings = settings if better else DEFAULTS
        figures: tuple[float | None, float | None, float | None] = (None, None, None)
        if not stopped:
            talk(f"measuring on {len(outer)} documents put aside")
            try:
                found = search.measure([DEFAULTS, settings] if better else [DEFAULTS])
            except KeyboardInterrupt:
                stopped = True
            else:
                if found[0] is None or found[-1] is None:
                    raise BadInputError("every worker that measured at the end died", where=dask, remedy=LOOK)
                last, first = found[0] == labels[outer], found[-1] == labels[outer]
                p_value = mcnemar(int((first & ~last).sum()), int((last & ~first).sum()))
                figures = float(first.mean()), float(last.mean()), p_value
    return Tuning(
        settings=settings,
        better=better,
        candidates=tried,
        search_accuracy=search.accuracy(settings),
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
    textclf.base.errors.BadInputError
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
        c = settings["C"]
        fits = fits and type(c) is float and LEAST_C <= c <= MOST_C
    except OSError as error:
        raise BadInputError(f"cannot be read ({(error.strerror or str(error)).lower()})", where=path) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInputError("holds no settings", where=path, remedy=remedy) from error
    if not fits:
        raise BadInputError("holds other settings than those of a search", where=path, remedy=remedy)
    return settings


_CHOICES: dict[str, tuple[Any, ...]] = {
    "lexicon": ("auto", "learn", "none"),
    "vectors": ("learn", "none"),
    "vector_size": (25, 50, 100),
}


def _draw(seed: int) -> Iterator[Settings]:
    """Draw settings without end, none twice; C between 0.1 and 10, as likely below 1 as above."""
    random = np.random.default_rng(seed)
    seen = {_key(DEFAULTS)}
    while True:
        settings: dict[str, Any] = {"C": round(float(np.exp(random.uniform(np.log(LEAST_C), np.log(MOST_C)))), 3)}
        settings |= {name: choices[int(random.integers(len(choices)))] for name, choices in _CHOICES.items()}
        if _key(settings) not in seen:
            seen.add(_key(settings))
            yield settings


def _key(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True)


def _kept(candidates: int) -> int:
    """How many go on: one in three, one at least."""
    return max(candidates // KEPT, 1)


def _is_better(mine: NDArray[np.bool_], own: NDArray[np.bool_], compared: int) -> bool:
    """Whether settings are ahead of the defaults by more than chance, being the best of so many compared.

    McNemar's test with Bonferroni's correction: the best of many is ahead by a standard error more often than not, even
    if all are as good as the defaults.
    """
    gained, lost = int((mine & ~own).sum()), int((own & ~mine).sum())
    return gained > lost and mcnemar(lost, gained) < CHANCE / compared


def _features(settings: Settings, seed: int) -> FeatureSettings:
    options: dict[str, Any] = dict(settings)
    return DocumentClassifier(random_state=seed, **options).feature_settings()


def _predict(
    material: _Material,
    features: FeatureSettings,
    c: float,
    train: NDArray[np.int64],
    test: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """Train on some documents, and predict others, or those put aside."""
    observed, labels, categories, aside = material
    fitted = fit_model(observed.take(train), labels[train], categories, features, c=c)
    asked = fitted.features.observe(aside) if test is None else observed.documents.take(test)
    predicted: NDArray[np.int64] = fitted.model.margins(fitted.features.rows_of(asked)).argmax(axis=1)
    return predicted
